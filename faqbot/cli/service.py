"""Commands for running the bot: run, sandbox, init, link, doctor, forget."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from faqbot.cli.common import cli, environ, fail, read_settings, run_to_end, sample_knowledge
from faqbot.errors import FaqbotError


@cli.command()
def run() -> None:
    """连接钉钉，开始回答（需要 DINGTALK_CLIENT_ID 和 DINGTALK_CLIENT_SECRET）。"""
    settings = read_settings(need_credentials=True)
    from faqbot.app.process import serve
    from faqbot.runtime.log import setup_logging

    setup_logging(settings.log_level, settings.log_format, settings.secrets)
    # The sign-in link opens the console: print it at a terminal only, never into a file or the log of a service.
    run_to_end(serve(settings, say=typer.echo if sys.stdout.isatty() else None))


@cli.command()
def sandbox() -> None:
    """在浏览器里试用整个机器人：自带一个假的钉钉，不需要账号和设置。"""
    settings = read_settings()
    from faqbot.app.sandbox_session import run_sandbox
    from faqbot.runtime.log import setup_logging

    setup_logging(settings.log_level, settings.log_format, settings.secrets)
    if not (settings.knowledge / "faq").is_dir() and "FAQBOT_KNOWLEDGE" not in environ():
        settings = replace(settings, knowledge=sample_knowledge())
        typer.echo(f"没有找到 knowledge 目录，使用自带的示例知识：{settings.knowledge}", err=True)
    run_to_end(run_sandbox(settings, say=typer.echo))


@cli.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="放在哪个目录；没有就新建")] = Path(),
) -> None:
    """建一个可以开始用的目录：knowledge/ 里有几条示例，.env 等着填。已有的文件一个都不动。"""
    from faqbot.cli.init_folder import create_folder

    try:
        result = create_folder(folder)
    except FaqbotError as exc:
        fail(str(exc))
    for name in result.created:
        typer.echo(f"新建  {folder / name}")
    for name in result.existing:
        typer.echo(f"已有，没有动  {folder / name}")
    here = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    typer.echo(
        f"""
接下来：
1. 先试试：{here}faqbot sandbox，在浏览器里问「年假有几天」。
2. 把 knowledge/faq 里的示例改成自己的问答，改完运行 faqbot check。
3. 在 .env 里填 DINGTALK_CLIENT_ID 和 DINGTALK_CLIENT_SECRET，运行 faqbot doctor 检查，再运行 faqbot run。"""
    )


@cli.command()
def link() -> None:
    """打印一个新的控制台登录链接：10 分钟内有效，只能用一次。机器人要正在运行。"""
    settings = read_settings()

    async def show() -> None:
        from faqbot.app.sign_in import sign_in_link

        typer.echo(await sign_in_link(settings))

    run_to_end(show())


@cli.command()
def doctor() -> None:
    """检查设置、时钟、凭证、权限、Stream 连接、存储和知识；每个问题都说明去哪里改。有问题时退出码为 1。"""
    settings = read_settings(need_credentials=True)
    import logging

    from faqbot.cli.doctor.checks import examine
    from faqbot.cli.doctor.findings import Level

    # The findings are printed; the log of the parts that are checked would only repeat them.
    logging.disable(logging.CRITICAL)
    signs = {Level.GOOD: "✓", Level.WARNING: "!", Level.BAD: "✗"}
    worst = Level.GOOD

    async def show() -> None:
        nonlocal worst
        async for finding in examine(settings):
            typer.echo(f"{signs[finding.level]} {finding.name}：{finding.text}")
            worst = max(worst, finding.level)

    run_to_end(show())
    raise typer.Exit(1 if worst is Level.BAD else 0)


@cli.command()
def forget(
    person: Annotated[str, typer.Argument(metavar="USERID", help="要删除记录的人的 userId")],
) -> None:
    """删除存储里一个人的全部记录：提问、刚才的列表、还没有发出的通知。机器人可以照常运行。"""
    settings = read_settings()
    from faqbot.app.erase_person import erase_person
    from faqbot.store.opening import open_store

    if not person.strip():
        fail("请给出 userId")

    async def delete() -> None:
        store = await open_store(settings.store)
        try:
            erased = await erase_person(store, person.strip())
        finally:
            await store.close()
        typer.echo(
            f"已删除 {person.strip()} 的 {erased.questions} 条提问记录、{erased.tickets} 个转人工的单号、"
            f"{erased.notices} 条还没有发出的通知、{erased.reports} 条考勤确认和报表，以及刚才给这个人的列表。"
        )

    run_to_end(delete())
