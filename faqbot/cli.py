"""The commands. Each is a few lines over a module that works without it; exit codes 0 fine, 1 problems, 2 usage."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from dotenv import dotenv_values

from faqbot.errors import EmbeddingsError, FaqbotError, KnowledgeMissing, SettingsError, ShelfError, StartError
from faqbot.settings import Settings

if TYPE_CHECKING:
    from faqbot.evaluation import Result
    from faqbot.features import Floats
    from faqbot.knowledge.assemble import Snapshot
    from faqbot.knowledge.shelf import FolderShelf
    from faqbot.matching import Explanation, Index

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="钉钉群里的问答机器人：HR 写一份 YAML，员工 @它 就有答案。",
)


def main() -> None:
    cli()


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@cli.command()
def run() -> None:
    """连接钉钉，开始回答（需要 DINGTALK_CLIENT_ID 和 DINGTALK_CLIENT_SECRET）。"""
    settings = _settings(need_credentials=True)
    from faqbot.app import serve
    from faqbot.telemetry import setup_logging

    setup_logging(settings.log_level, settings.log_format, settings.secrets)
    # A link opens the console: it is for eyes at a terminal, never for a file or a service's log.
    _run(serve(settings, say=typer.echo if sys.stdout.isatty() else None))


@cli.command()
def sandbox() -> None:
    """在浏览器里试用整个机器人：自带一个假的钉钉，不需要账号和设置。"""
    settings = _settings()
    from faqbot.rehearsal import rehearse
    from faqbot.telemetry import setup_logging

    setup_logging(settings.log_level, settings.log_format, settings.secrets)
    if not (settings.knowledge / "faq").is_dir() and "FAQBOT_KNOWLEDGE" not in _environ():
        settings = replace(settings, knowledge=_sample_knowledge())
        typer.echo(f"没有找到 knowledge 目录，使用自带的示例知识：{settings.knowledge}", err=True)
    _run(rehearse(settings, say=typer.echo))


@cli.command()
def link() -> None:
    """打印一个新的控制台登录链接：10 分钟内有效，只能用一次。机器人要正在运行。"""
    settings = _settings()

    async def show() -> None:
        from faqbot.app import sign_in_link

        typer.echo(await sign_in_link(settings))

    _run(show())


@cli.command()
def ask(
    text: Annotated[str, typer.Argument(help="员工会问的一句话")],
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    explain_it: Annotated[bool, typer.Option("--explain", help="说明为什么：分数、匹配到的问法和候选")] = False,
) -> None:
    """看看机器人会怎么回答这句话，以及为什么。"""
    settings = _settings()
    snapshot = _knowledge(settings.knowledge, _today(settings))
    from faqbot.calibration import learn
    from faqbot.dialogue import explain
    from faqbot.evaluation import Expected, evaluate
    from faqbot.render import plain_body

    index, meanings = _with_meanings(settings, snapshot.index, [text])
    today, limits = _today(settings), learn(index, settings.strictness)
    (result,) = evaluate([Expected(text, None)], index, limits=limits, today=today, meanings=meanings)
    reply = plain_body(result.decision, text)
    explained = explain(text, index, today=today, meaning=meanings[0]) if explain_it else ()
    if as_json:
        shown = result.as_json()
        if explain_it:
            for candidate, why in zip(shown["candidates"], explained, strict=True):
                candidate |= {"views": why.views, "uncovered": why.uncovered, "readings": why.readings}
        typer.echo(json.dumps(shown | {"reply": reply}, ensure_ascii=False))
        return
    typer.echo(reply)
    if explain_it:
        typer.echo(_explanation(result, explained))


@cli.command("evaluate")
def evaluate_command(
    file: Annotated[Path, typer.Argument(help="问题文件：YAML、CSV 或 JSONL，每条有 q 和 id（没有答案时留空）")],
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    fail_under: Annotated[
        float | None, typer.Option("--fail-under", min=0, max=1, help="答对（或该拒答时拒答）的比例低于它时退出码为 1")
    ] = None,
) -> None:
    """用一批已知答案的问题检验知识库：答对、答错、列出和拒答各多少，逐条列出没答对的。"""
    settings = _settings()
    snapshot = _knowledge(settings.knowledge, _today(settings))
    from faqbot.calibration import learn
    from faqbot.evaluation import EvaluationError, evaluate, read_questions, summary

    try:
        questions = read_questions(str(file), file.read_bytes())
    except EvaluationError as exc:
        _fail(str(exc))
    except OSError as exc:
        _fail(f"读不到 {file}：{exc.strerror}")
    with _progress(len(questions), "检验") as progress:
        index, meanings = _with_meanings(settings, snapshot.index, [q.question for q in questions])
        today, limits = _today(settings), learn(index, settings.strictness)
        results = evaluate(questions, index, limits=limits, today=today, meanings=meanings, progress=progress)
    counts = summary(results)
    if as_json:
        typer.echo(json.dumps({"summary": counts, "results": [r.as_json() for r in results]}, ensure_ascii=False))
    else:
        _print_evaluation(counts, results)
    if fail_under is not None and (counts["good"] or 0.0) < fail_under:
        raise typer.Exit(1)


@cli.command()
def check(
    path: Annotated[Path | None, typer.Argument(help="知识目录；默认是 FAQBOT_KNOWLEDGE")] = None,
    style: Annotated[Format, typer.Option("--format", help="输出格式")] = Format.TEXT,
    fix_it: Annotated[
        bool, typer.Option("--fix", help="先把有把握的手误改好：全角冒号、Tab、引号、写错的键、编码、重复的问法")
    ] = False,
) -> None:
    """检查知识文件，列出每个问题的文件、行号和改法；有错误时退出码为 1。"""
    settings = _settings()
    refused = _fixed(path or settings.knowledge, aside=style is not Format.TEXT) if fix_it else []
    snapshot = _knowledge(path or settings.knowledge, _today(settings))
    errors = sum(p.is_error for p in snapshot.problems)
    if style is Format.JSON:
        typer.echo(json.dumps([_problem(p) for p in snapshot.problems], ensure_ascii=False, indent=2))
    elif style is Format.GITHUB:
        for p in snapshot.problems:
            typer.echo(f"::{p.level} file={p.place.file},line={p.place.line}::{p.message}")
    else:
        for p in snapshot.problems:
            typer.echo(f"{p.place}: {'错误' if p.is_error else '提醒'}：{p.message}")
            if p.quote:
                typer.echo(f"    原文：{p.quote}")
            if p.fix and p.fix != p.quote:
                typer.echo(f"    改成：{p.fix}")
        typer.echo(
            f"共 {len(snapshot.entries)} 条，{errors} 个错误，{len(snapshot.problems) - errors} 个提醒。",
            err=True,
        )
    if refused:
        _fail("\n".join(refused))
    raise typer.Exit(1 if errors else 0)


@cli.command("export")
def export_command(
    file: Annotated[Path | None, typer.Argument(help="要写的表格：以 .xlsx 或 .csv 结尾")] = None,
    folder: Annotated[
        Path | None, typer.Option("--yaml", metavar="DIR", help="不写表格，把知识文件原样写进这个空目录")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有的表格")] = False,
) -> None:
    """把知识导出成 Excel（.xlsx）或 CSV 表格，一行一条；改好后用 import 导回来，什么都不会丢。"""
    from faqbot.knowledge.exchange_files import export_table, write_folder

    if (file is None) == (folder is None):
        _fail("请写要导出的表格（.xlsx 或 .csv），或者 --yaml 加一个目录，二者选一")
    try:
        files = _shelf().read_now()
        if folder is not None:
            write_folder(files, folder)
            typer.echo(f"已把 {len(files)} 个文件写进 {folder}。")
        elif file is not None:
            size = sum(map(len, files.values()))
            with _progress(size, "导出") as bar:
                problems, count = export_table(files, file, force=force, progress=lambda part: bar(int(part * size)))
            for line in problems:
                typer.echo(line, err=True)
            if problems:
                raise typer.Exit(1)
            typer.echo(f"已把 {count} 条写进 {file}。")
    except FaqbotError as exc:
        _fail(str(exc))


@cli.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="要读的表格：.xlsx 或 .csv")],
    write: Annotated[bool, typer.Option("--write", help="真的写进知识文件；不加就只是试看")] = False,
    delete_missing: Annotated[
        bool, typer.Option("--delete-missing", help="表里没有的条目，从知识文件里删除；不加就保留")
    ] = False,
) -> None:
    """比较表格和现在的知识：新增、修改、没有变化的各几条，每个问题在第几行。加 --write 才写进知识文件。"""
    from faqbot.knowledge.exchange_apply import bring_in
    from faqbot.knowledge.exchange_files import read_file, write_files
    from faqbot.knowledge.exchange_report import complaints, outcome

    shelf = _shelf()
    try:
        files, raw = shelf.read_now(), read_file(file)
        with _progress(len(raw), "导入") as bar:
            plan, after = bring_in(
                files, file.name, raw, delete_missing=delete_missing, progress=lambda part: bar(int(part * len(raw)))
            )
        if write and plan.ok:
            write_files(shelf, files, after)
    except FaqbotError as exc:
        _fail(str(exc))
    for line in complaints(plan.troubles):
        typer.echo(line, err=True)
    for line in outcome(plan, delete_missing=delete_missing, written=write and plan.ok):
        typer.echo(line)
    raise typer.Exit(0 if plan.ok else 1)


@cli.command()
def doctor() -> None:
    """检查设置、时钟、凭证、权限、Stream 连接、存储和知识；每个问题都说明去哪里改。有问题时退出码为 1。"""
    settings = _settings(need_credentials=True)
    import logging

    from faqbot.doctor import Level, examine

    # What the checks find is printed; the log of the parts they use would only repeat it.
    logging.disable(logging.CRITICAL)
    signs = {Level.GOOD: "✓", Level.WARNING: "!", Level.BAD: "✗"}
    worst = Level.GOOD

    async def show() -> None:
        nonlocal worst
        async for finding in examine(settings):
            typer.echo(f"{signs[finding.level]} {finding.name}：{finding.text}")
            worst = max(worst, finding.level)

    _run(show())
    raise typer.Exit(1 if worst is Level.BAD else 0)


@cli.command()
def forget(
    person: Annotated[str, typer.Argument(metavar="USERID", help="要删除记录的人的 userId")],
) -> None:
    """删除存储里一个人的全部记录：提问、刚才的列表。机器人可以照常运行。"""
    settings = _settings()
    from faqbot.store import open_store

    if not person.strip():
        _fail("请给出 userId")

    async def delete() -> None:
        store = await open_store(settings.store)
        try:
            gone = await store.forget(person.strip())
        finally:
            await store.close()
        typer.echo(f"已删除 {person.strip()} 的 {gone} 条提问记录，以及刚才给这个人的列表。")

    _run(delete())


@cli.command()
def report(
    since: Annotated[str, typer.Option("--since", help="从什么时候起：7d、24h、4w 或日期 2026-11-01")] = "7d",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="输出 CSV，一行一条提问记录，表格软件可以直接打开")] = False,
) -> None:
    """大家问了什么、答上了多少、哪些没有答上（相似的合在一起）、多少没送达、本月额度。机器人可以照常运行。"""
    settings = _settings()
    from faqbot.report import make_report, notes, read_since

    if as_json and as_csv:
        _fail("--json 和 --csv 请只写一个")

    async def show() -> None:
        now = datetime.now(settings.timezone)
        start = read_since(since, now)
        for note in notes(settings, start, now):
            typer.echo(note, err=True)
        found = await make_report(settings, _knowledge(settings.knowledge, now.date()), start, now)
        if as_json:
            typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
        elif as_csv:
            typer.echo(found.as_csv(), nl=False)
        else:
            found.show()

    _run(show())


def _problem(problem: Any) -> dict[str, Any]:
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "level": problem.level,
        "message": problem.message,
        "quote": problem.quote,
        "fix": problem.fix,
    }


_DECISIONS = {"answered": "直接回答", "offered": "列出候选", "unanswered": "不回答"}
_VIEW_NAMES = {
    "best": "最像的问法",
    "centre": "整条",
    "edit": "字形",
    "raw_edit": "原文字形",
    "sound": "读音",
    "covered": "问题被覆盖",
    "covers": "问法被覆盖",
    "bare": "用字",
    "contrast": "区分度",
    "shared": "多数问法",
    "missing": "缺少的字眼",
    "meaning": "含义",
    "meaning_centre": "整条含义",
    "meaning_contrast": "含义区分度",
}


def _explanation(result: Result, explained: Sequence[Explanation]) -> str:
    compared = explained[0].compared if explained else "（空）"
    lines = ["", f"—— 判断：{_DECISIONS[result.outcome]}；比较用的文字：{compared}"]
    for number, (c, why) in enumerate(zip(result.candidates, explained, strict=True), 1):
        views = "，".join(f"{_VIEW_NAMES[name]} {value:.2f}" for name, value in why.views.items())
        lines.append(f"{number}. {c.score:.3f}  {c.entry.id}（{c.entry.place}）")
        lines.append(f"   匹配的问法：{c.question}")
        lines.append(f"   {views}" + (f"；没有对上：{'、'.join(why.uncovered)}" if why.uncovered else ""))
        if why.readings:
            lines.append("   当作：" + "，".join(f"{old} → {new}" for old, new in why.readings))
    return "\n".join(lines)


def _print_evaluation(counts: dict[str, Any], results: Sequence[Result]) -> None:
    """A table of the counts and every question that did not go as expected."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(show_header=False, title="检验结果")

    def percent(value: float | None) -> str:
        return "—" if value is None else f"{value:.1%}"

    for name, value in (
        ("问题", f"{counts['questions']}（应有答案 {counts['with_answer']}，应拒答 {counts['without_answer']}）"),
        ("第一条就对 / 前三条有", f"{percent(counts['top1'])} / {percent(counts['top3'])}"),
        ("直接答对 / 答错", f"{counts['answered_rightly']} / {counts['answered_wrongly']}"),
        ("列出候选（其中有对的）", f"{counts['offered']}（{counts['offered_with_the_right_one']}）"),
        ("不回答", str(counts["refused"])),
        ("直接回答的准确率", percent(counts["precision"])),
        ("不该答却答了", percent(counts["strangers_answered"])),
        ("每个问题用时（中位）", f"{counts['ms_median']} 毫秒"),
    ):
        table.add_row(name, value)
    console.print(table)
    for r in results:
        if r.good:
            continue
        first = r.candidates[0] if r.candidates else None
        found = f"{first.entry.id}（{first.score:.2f}）" if first else "—"
        wanted = r.expected.entry_id or "（不回答）"
        console.print(f"{_DECISIONS[r.outcome]}  {r.expected.question}  应为 {wanted}，找到 {found}", markup=False)


@contextmanager
def _progress(total: int, what: str) -> Iterator[Callable[[int], object]]:
    """A progress bar on a terminal; silence in a pipe."""
    if total < 200 or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _environ() -> Mapping[str, str]:
    """The environment over the `.env` of the working directory; a name set to nothing counts as not set."""
    from_file = {k: v for k, v in dotenv_values(".env", encoding="utf-8-sig").items() if v}
    return from_file | {k: v for k, v in os.environ.items() if v.strip()}


# Proxies and certificates are read by the libraries themselves, from the real environment only.
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def _use_network_settings() -> None:
    """Let proxies and certificates that stand in `.env` count too; call before the network libraries are imported."""
    for name, value in _environ().items():
        if name.upper() in _NETWORK:
            os.environ.setdefault(name, value)


def _settings(*, need_credentials: bool = False) -> Settings:
    try:
        _use_network_settings()
        return Settings.load(_environ(), need_credentials=need_credentials)
    except SettingsError as exc:
        _fail("设置有问题：\n" + "\n".join(f"- {p}" for p in exc.problems))
    except UnicodeDecodeError:
        _fail(".env 不是 UTF-8 编码，请另存为 UTF-8")


def _today(settings: Settings) -> date:
    return datetime.now(settings.timezone).date()


def _knowledge(folder: Path, today: date) -> Snapshot:
    from faqbot.knowledge.assemble import assemble
    from faqbot.knowledge.shelf import FolderShelf

    shelf = FolderShelf(folder)
    try:
        return assemble(shelf.read_now(), label=shelf.label, today=today)
    except KnowledgeMissing as exc:
        _fail(str(exc))


def _fixed(folder: Path, *, aside: bool) -> list[str]:
    """Correct the files of a folder and show each change; return what could not be written, one line each."""
    from faqbot.knowledge.fix import fix
    from faqbot.knowledge.shelf import FolderShelf

    shelf, refused, count = FolderShelf(folder), [], 0
    try:
        files = shelf.read_now()
    except KnowledgeMissing as exc:
        _fail(str(exc))
    for name, content in files.items():
        after, fixes = fix(content, name)
        if not fixes:
            continue
        try:
            shelf.write_now(name, after, content)
        except ShelfError as exc:
            refused.append(str(exc))
            continue
        count += len(fixes)
        for made in fixes:
            typer.echo(f"{shelf.label}/{made.file}:{made.line}: 已改：{made.reason}", err=aside)
            typer.echo(f"    原来：{made.before.strip()}\n    现在：{made.after.strip() or '（删掉）'}", err=aside)
    typer.echo(f"改了 {count} 处。", err=True)
    return refused


def _shelf() -> FolderShelf:
    from faqbot.knowledge.shelf import FolderShelf

    return FolderShelf(_settings().knowledge)


def _with_meanings(settings: Settings, index: Index, texts: Sequence[str]) -> tuple[Index, Sequence[Floats | None]]:
    """The index and the texts with their vectors, where an embeddings endpoint is set and answers."""
    if not settings.embeddings_url:
        return index, [None] * len(texts)
    from faqbot.app import embed_all

    try:
        wordings, asked = asyncio.run(embed_all(settings, index.wordings, texts))
    except StartError as exc:
        _fail(str(exc))
    except EmbeddingsError as exc:
        print(f"向量接口用不了，只按文字比较：{exc}", file=sys.stderr)
        return index, [None] * len(texts)
    return index.with_meanings(wordings), list(asked)


def _sample_knowledge() -> Path:
    """The knowledge shipped in the package; in a source checkout it lies beside the package."""
    package = Path(__file__).parent
    shipped = package / "sample"
    return shipped if shipped.is_dir() else package.parent / "knowledge"


def _run(coroutine: Any) -> None:
    try:
        asyncio.run(coroutine)
    except FaqbotError as exc:
        _fail(str(exc))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _fail(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(2)
