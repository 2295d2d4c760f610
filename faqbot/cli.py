"""The commands. Each is a few lines over a module that works without it; exit codes 0 fine, 1 problems, 2 usage."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from dotenv import dotenv_values

from faqbot.errors import FaqbotError, KnowledgeMissing, SettingsError
from faqbot.settings import Settings

if TYPE_CHECKING:
    from faqbot.knowledge.assemble import Snapshot
    from faqbot.model import Candidate, Decision

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
    _run(serve(settings))


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
def ask(
    text: Annotated[str, typer.Argument(help="员工会问的一句话")],
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="说明为什么：分数、匹配到的问法和候选")] = False,
) -> None:
    """看看机器人会怎么回答这句话，以及为什么。"""
    settings = _settings()
    snapshot = _knowledge(settings.knowledge, _today(settings))
    from faqbot.dialogue import LIMITS, judge
    from faqbot.render import plain_body

    started = time.perf_counter()
    decision, ranking = judge(text, snapshot.index, limits=LIMITS[settings.strictness], today=_today(settings))
    spent = (time.perf_counter() - started) * 1000
    if as_json:
        result = _result(text, decision, ranking, spent, explain=explain)
        result["reply"] = plain_body(decision, text)
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    typer.echo(plain_body(decision, text))
    if explain:
        typer.echo(_explanation(text, snapshot, decision, ranking), err=False)


@cli.command()
def check(
    path: Annotated[Path | None, typer.Argument(help="知识目录；默认是 FAQBOT_KNOWLEDGE")] = None,
    style: Annotated[Format, typer.Option("--format", help="输出格式")] = Format.TEXT,
) -> None:
    """检查知识文件，列出每个问题的文件、行号和改法；有错误时退出码为 1。"""
    settings = _settings()
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
    raise typer.Exit(1 if errors else 0)


def _problem(problem: Any) -> dict[str, Any]:
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "level": problem.level,
        "message": problem.message,
        "quote": problem.quote,
        "fix": problem.fix,
    }


def _result(
    text: str,
    decision: Decision,
    ranking: tuple[Candidate, ...] | Any,
    spent: float,
    *,
    explain: bool = False,
) -> dict[str, Any]:
    candidates = []
    for c in ranking:
        shown: dict[str, Any] = {"id": c.entry.id, "score": c.score, "matched": c.question}
        if explain:
            shown |= {"views": {k: round(v, 4) for k, v in c.parts.items()}, "uncovered": list(c.uncovered)}
        candidates.append(shown)
    return {
        "q": text,
        "expected": None,
        "decision": _decision_name(decision),
        "candidates": candidates,
        "ms": round(spent, 3),
    }


def _decision_name(decision: Decision) -> str:
    from faqbot.model import Answered, Offered

    if isinstance(decision, Answered):
        return "answered"
    return "offered" if isinstance(decision, Offered) else "unanswered"


def _explanation(text: str, snapshot: Snapshot, decision: Decision, ranking: Any) -> str:
    names = {"answered": "直接回答", "offered": "列出候选", "unanswered": "不回答"}
    lines = [
        "",
        f"—— 判断：{names[_decision_name(decision)]}；比较用的文字：{snapshot.index.fold(text) or '（空）'}",
    ]
    for number, c in enumerate(ranking, 1):
        parts = "，".join(f"{name} {value:.2f}" for name, value in c.parts.items())
        lines.append(f"{number}. {c.score:.3f}  {c.entry.id}（{c.entry.place}）")
        lines.append(f"   匹配的问法：{c.question}")
        lines.append(f"   {parts}" + (f"；没有对上：{'、'.join(c.uncovered)}" if c.uncovered else ""))
    return "\n".join(lines)


def _environ() -> Mapping[str, str]:
    """The environment over the `.env` of the working directory; a name set to nothing counts as not set."""
    from_file = {k: v for k, v in dotenv_values(".env", encoding="utf-8-sig").items() if v}
    return from_file | {k: v for k, v in os.environ.items() if v.strip()}


def _settings(*, need_credentials: bool = False) -> Settings:
    try:
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
