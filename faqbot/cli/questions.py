"""Commands about questions and answers: ask, evaluate, report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faqbot.cli.common import (
    cli,
    embed,
    fail,
    progress_bar,
    read_files,
    read_knowledge,
    read_settings,
    run_to_end,
    today_of,
)

if TYPE_CHECKING:
    from faqbot.analytics.evaluation import Result
    from faqbot.search.index import Explanation


@cli.command()
def ask(
    text: Annotated[str, typer.Argument(help="员工会问的一句话")],
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    explain_it: Annotated[bool, typer.Option("--explain", help="说明为什么：分数、匹配到的问法和候选")] = False,
) -> None:
    """看看机器人会怎么回答这句话，以及为什么。"""
    settings = read_settings()
    snapshot = read_knowledge(settings)
    from faqbot.analytics.evaluation import Expected, evaluate
    from faqbot.dialogue.answer_policy import explain
    from faqbot.replies.render import plain_body

    embedded, today = embed(settings, snapshot.index, [text]), today_of(settings)
    (result,) = evaluate(
        [Expected(text, None)],
        embedded.index,
        limits=embedded.limits,
        today=today,
        meanings=embedded.embeddings,
        limits_by_meaning=embedded.limits_by_meaning,
    )
    reply = plain_body(result.decision, text)
    ranking = result.candidates
    explanations = explain(text, ranking, embedded.index, today=today, embedding=result.embedding) if explain_it else ()
    if as_json:
        output = result.as_json()
        if explain_it:
            for candidate, why in zip(output["candidates"], explanations, strict=False):
                candidate |= {"views": why.features, "uncovered": why.uncovered, "readings": why.rewrites}
        typer.echo(json.dumps(output | {"reply": reply}, ensure_ascii=False))
        return
    typer.echo(reply)
    if explain_it:
        typer.echo(_explanation(result, explanations))


@cli.command("evaluate")
def evaluate_command(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="问题文件：YAML、CSV 或 JSONL，每条有 q 和 id（没有答案时留空）；默认是知识目录里的 evaluation.yaml"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    fail_under: Annotated[
        float | None, typer.Option("--fail-under", min=0, max=1, help="答对的比例低于它时退出码为 1")
    ] = None,
) -> None:
    """用一批已知答案的问题检验知识库：直接答对答错、可能的答案对错、列出和拒答各多少，逐条列出没答对的。

    答对指直接回答或可能的答案是对的那一条；不该答的题，两样都没有才算对，列出候选也算。
    """
    settings = read_settings()
    files = read_files(settings)
    snapshot = files.assemble(today_of(settings))
    from faqbot.analytics.evaluation import EvaluationError, evaluate, read_questions, summary
    from faqbot.knowledge.regression_questions import NAME

    if file is None and NAME not in files.contents:
        fail(f"{files.label} 里没有 {NAME}；请写上问题文件的名字")
    try:
        if file is None:
            questions = read_questions(NAME, files.contents[NAME])
        else:
            questions = read_questions(str(file), file.read_bytes())
    except EvaluationError as exc:
        fail(str(exc))
    except OSError as exc:
        fail(f"读不到 {file}：{exc.strerror}")
    embedded = embed(settings, snapshot.index, [q.question for q in questions])
    with progress_bar(len(questions), "检验") as progress:
        results = evaluate(
            questions,
            embedded.index,
            limits=embedded.limits,
            today=today_of(settings),
            meanings=embedded.embeddings,
            limits_by_meaning=embedded.limits_by_meaning,
            progress=progress,
        )
    counts = summary(results)
    if as_json:
        typer.echo(json.dumps({"summary": counts, "results": [r.as_json() for r in results]}, ensure_ascii=False))
    else:
        _print_evaluation(counts, results)
    if fail_under is not None and (counts["good"] or 0.0) < fail_under:
        raise typer.Exit(1)


@cli.command()
def report(
    since: Annotated[str, typer.Option("--since", help="从什么时候起：7d、24h、4w 或日期 2026-11-01")] = "7d",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="输出 CSV，一行一条提问记录，表格软件可以直接打开")] = False,
) -> None:
    """大家问了什么、答上了多少、哪些没有答上（相似的合在一起）、多少没送达、本月额度。机器人可以照常运行。"""
    settings = read_settings()
    from faqbot.analytics.report import make_report, read_since, reader_notes

    if as_json and as_csv:
        fail("--json 和 --csv 请只写一个")

    knowledge = read_knowledge(settings)

    async def show() -> None:
        now = datetime.now(settings.timezone)
        start = read_since(since, now)
        for note in reader_notes(settings, start, now):
            typer.echo(note, err=True)
        report = await make_report(settings, knowledge, start, now)
        if as_json:
            typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
        elif as_csv:
            typer.echo(report.as_csv(), nl=False)
        else:
            report.show()

    run_to_end(show())


_DECISIONS = {"answered": "直接回答", "likely": "可能的答案", "offered": "列出候选", "unanswered": "不回答"}
_FEATURE_NAMES = {
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
    "answer": "答案里有",
    "explained": "问法和答案里有",
    "static": "词义",
    "static_centre": "整条词义",
    "static_answer": "答案词义",
    "meaning": "含义",
    "meaning_centre": "整条含义",
    "meaning_contrast": "含义区分度",
    "meaning_answer": "答案含义",
}


def _explanation(result: Result, explanations: Sequence[Explanation]) -> str:
    from faqbot.replies.differences import difference_text

    compared = explanations[0].folded if explanations else "（空）"
    lines = ["", f"—— 判断：{_DECISIONS[result.outcome]}；比较用的文字：{compared}"]
    for number, (c, why) in enumerate(zip(result.candidates, explanations, strict=True), 1):
        features = "，".join(f"{_FEATURE_NAMES[name]} {value:.2f}" for name, value in why.features.items())
        lines.append(f"{number}. {c.score:.3f}  {c.entry.id}（{c.entry.place}）")
        lines.append(f"   匹配的问法：{c.question}")
        lines.append(f"   {features}" + (f"；没有对上：{'、'.join(why.uncovered)}" if why.uncovered else ""))
        lines += [f"   不一样的地方：{difference_text(difference)}" for difference in c.differs]
        if why.rewrites:
            lines.append("   当作：" + "，".join(f"{old} → {new}" for old, new in why.rewrites))
    return "\n".join(lines)


def _print_evaluation(counts: dict[str, Any], results: Sequence[Result]) -> None:
    """Print a table of the counts and each question whose result was not the expected one."""
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
        ("可能的答案对 / 错", f"{counts['likely_rightly']} / {counts['likely_wrongly']}"),
        ("列出候选（其中有对的）", f"{counts['offered']}（{counts['offered_with_the_right_one']}）"),
        ("不回答", str(counts["refused"])),
        (
            "准确率：直接回答 / 可能的答案",
            f"{percent(counts['precision'])} / {percent(counts['likely_precision'])}",
        ),
        (
            "不该答：却直接答了 / 却给了可能的答案",
            f"{percent(counts['strangers_answered'])} / {percent(counts['strangers_likely'])}",
        ),
        ("每个问题用时（中位）", f"{counts['ms_median']} 毫秒"),
    ):
        table.add_row(name, value)
    console.print(table)
    for r in results:
        if r.good:
            continue
        first = r.candidates[0] if r.candidates else None
        best = f"{first.entry.id}（{first.score:.2f}）" if first else "—"
        expected = r.expected.entry_id or "（不回答）"
        console.print(f"{_DECISIONS[r.outcome]}  {r.expected.question}  应为 {expected}，找到 {best}", markup=False)
