"""Commands for the knowledge files: check, schema, export, import."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faqbot.cli.common import cli, fail, progress_bar, read_files, read_knowledge, read_settings, write_files
from faqbot.errors import FaqbotError, FileSourceError
from faqbot.settings import Settings

if TYPE_CHECKING:
    from faqbot.knowledge.spreadsheet.comparison import ImportPlan
    from faqbot.model.entries import Problem


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@cli.command()
def check(
    path: Annotated[Path | None, typer.Argument(help="知识目录，或其中的一个文件；默认是机器人正在用的知识")] = None,
    style: Annotated[Format, typer.Option("--format", help="输出格式")] = Format.TEXT,
    fix_it: Annotated[
        bool, typer.Option("--fix", help="先把有把握的手误改好：全角冒号、Tab、引号、写错的键、编码、重复的问法、链接")
    ] = False,
) -> None:
    """检查知识文件，列出每个问题的文件、行号和改法；有错误时退出码为 1。"""
    settings = read_settings()
    folder, only = _target(path)
    refused = _fix_files(settings, folder, only, to_stderr=style is not Format.TEXT) if fix_it else []
    snapshot = read_knowledge(settings, folder)
    problems = [problem for problem in snapshot.problems if only in (None, Path(problem.place.file))]
    errors = sum(problem.is_error for problem in problems)
    _print_problems(problems, style)
    if style is Format.TEXT:
        summary = f"共 {len(snapshot.entries)} 条，{errors} 个错误，{len(problems) - errors} 个提醒。"
        typer.echo(summary, err=True)
    if refused:
        fail("\n".join(refused))
    raise typer.Exit(1 if errors else 0)


@cli.command()
def schema() -> None:
    """打印知识文件的 JSON Schema：编辑器（例如 VS Code）拿到它，写的时候就有提示和检查。"""
    from faqbot.knowledge.json_schema import schema as knowledge_schema

    typer.echo(json.dumps(knowledge_schema(), ensure_ascii=False, indent=2))


@cli.command("export")
def export_command(
    file: Annotated[Path | None, typer.Argument(help="要写的表格：以 .xlsx 或 .csv 结尾")] = None,
    folder: Annotated[
        Path | None, typer.Option("--yaml", metavar="DIR", help="不写表格，把知识文件原样写进这个空目录")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有的表格")] = False,
) -> None:
    """把知识导出成 Excel（.xlsx）或 CSV 表格，一行一条；改好后用 import 导回来，什么都不会丢。"""
    from faqbot.knowledge.spreadsheet.files import export_table, write_folder

    if (file is None) == (folder is None):
        fail("请写要导出的表格（.xlsx 或 .csv），或者 --yaml 加一个目录，二者选一")
    settings = read_settings()
    try:
        knowledge = read_files(settings)
        if errors := [problem for problem in knowledge.source_problems if problem.is_error]:
            fail("\n".join(f"{error.place}: 错误：{error.message}" for error in errors))
        files = knowledge.contents
        if folder is not None:
            write_folder(files, folder)
            typer.echo(f"已把 {len(files)} 个文件写进 {folder}。")
        elif file is not None:
            size = sum(map(len, files.values()))
            with progress_bar(size, "导出") as bar:
                problems, count = export_table(files, file, force=force, progress=lambda part: bar(int(part * size)))
            for line in problems:
                typer.echo(line, err=True)
            if problems:
                raise typer.Exit(1)
            typer.echo(f"已把 {count} 条写进 {file}。")
    except FaqbotError as exc:
        fail(str(exc))


@cli.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="要读的表格：.xlsx 或 .csv")],
    write: Annotated[bool, typer.Option("--write", help="真的写进知识文件；不加就只是试看")] = False,
    delete_missing: Annotated[
        bool, typer.Option("--delete-missing", help="表里没有的条目，从知识文件里删除；不加就保留")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT", help="另存一份您的表格，每行加上“结果”和“建议”两列")
    ] = None,
) -> None:
    """比较表格和现在的知识：新增、修改、没有变化的各几条，每个问题在第几行。加 --write 才写进知识文件。"""
    from faqbot.knowledge.spreadsheet.files import read_file
    from faqbot.knowledge.spreadsheet.importer import import_table
    from faqbot.knowledge.spreadsheet.summary import problem_lines, summary_lines

    settings = read_settings()
    _check_report_path(report, file)
    try:
        files, raw = read_files(settings).contents, read_file(file)
        with progress_bar(len(raw), "导入") as bar:
            plan, after = import_table(
                files, file.name, raw, delete_missing=delete_missing, progress=lambda part: bar(int(part * len(raw)))
            )
        if write and plan.ok:
            write_files(settings, files, after)
    except FaqbotError as exc:
        fail(str(exc))
    report_error = _save_report(report, file, raw, plan, written=write) if report else ""
    for line in problem_lines(plan.problems):
        typer.echo(line, err=True)
    if report is not None and not report_error:
        typer.echo(f"每行的结果和建议写在 {report}。", err=True)
    elif plan.problems and not report_error:
        typer.echo(f"加 --report 结果{file.suffix}，可以另存一份每行标好结果和建议的表格。", err=True)
    for line in summary_lines(plan, delete_missing=delete_missing, written=write and plan.ok):
        typer.echo(line)
    if report_error:
        fail(f"没有另存结果：{report_error}")
    raise typer.Exit(0 if plan.ok else 1)


def _check_report_path(report: Path | None, file: Path) -> None:
    """End the command if the report cannot be written beside the table: another format, or a name that exists."""
    if report is not None and report.suffix.casefold() != file.suffix.casefold():
        fail(f"--report 的文件名要和 {file.name} 一样以 {file.suffix} 结尾")
    if report is not None and report.exists():
        fail(f"{report} 已经有了；请给 --report 换一个名字")


def _save_report(report: Path, file: Path, raw: bytes, plan: ImportPlan, *, written: bool) -> str:
    """Save the table with the result of each row; return the error, so that the import is reported in any case."""
    from faqbot.knowledge.spreadsheet.annotated import annotate_table
    from faqbot.knowledge.spreadsheet.files import save_report

    try:
        save_report(report, annotate_table(file.name, raw, plan, written=written))
    except FaqbotError as exc:
        return str(exc)
    return ""


def _print_problems(problems: Sequence[Problem], style: Format) -> None:
    if style is Format.JSON:
        typer.echo(json.dumps([_as_json(problem) for problem in problems], ensure_ascii=False, indent=2))
        return
    for problem in problems:
        if style is Format.GITHUB:
            place = _for_github(problem.place.file).replace(":", "%3A").replace(",", "%2C")
            typer.echo(f"::{problem.level} file={place},line={problem.place.line}::{_for_github(problem.message)}")
            continue
        typer.echo(f"{problem.place}: {'错误' if problem.is_error else '提醒'}：{problem.message}")
        if problem.quote:
            typer.echo(f"    原文：{problem.quote}")
        if problem.fix and problem.fix != problem.quote:
            typer.echo(f"    改成：{problem.fix}")


def _for_github(text: str) -> str:
    """Escape the characters that end a message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _as_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "level": problem.level,
        "message": problem.message,
        "quote": problem.quote,
        "fix": problem.fix,
    }


def _target(path: Path | None) -> tuple[Path | None, Path | None]:
    """Return the knowledge folder that `path` lies in or is, and the one file if `path` is a file."""
    if path is None or not path.exists():
        return path, None
    folder = next((p for p in (path, *path.parents[:2]) if (p / "faq").is_dir()), path)
    return folder, path if path.is_file() else None


def _fix_files(settings: Settings, folder: Path | None, only: Path | None, *, to_stderr: bool) -> list[str]:
    """Correct the files and print each change; return one line for each file that could not be written."""
    from faqbot.knowledge.editing.autofix import fix

    knowledge = read_files(settings, folder)
    refused: list[str] = []
    count = 0
    for name, content in knowledge.contents.items():
        after, fixes = fix(content, name)
        if not fixes or only not in (None, Path(knowledge.label, name)):
            continue
        try:
            write_files(settings, {name: content}, {name: after}, folder)
        except FileSourceError as exc:
            refused.append(str(exc))
            continue
        count += len(fixes)
        for correction in fixes:
            before, now = correction.before.strip(), correction.after.strip() or "（删掉）"
            typer.echo(
                f"{knowledge.label}/{correction.file}:{correction.line}: 已改：{correction.reason}", err=to_stderr
            )
            typer.echo(f"    原来：{before}\n    现在：{now}", err=to_stderr)
    typer.echo(f"改了 {count} 处。", err=True)
    return refused
