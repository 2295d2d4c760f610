"""The `send` command: one message by a custom group robot, to try its settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from faqbot.cli.common import cli, fail, read_knowledge, read_settings, run_to_end
from faqbot.errors import DeliveryError


@cli.command()
def send(
    robot: Annotated[str, typer.Argument(metavar="ROBOT", help="automations.yaml 里 robots 下的名字")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="要说的话")],
    markdown: Annotated[bool, typer.Option("--markdown", help="TEXT 是 Markdown")] = False,
    at: Annotated[list[str] | None, typer.Option("--at", metavar="手机号", help="@ 这个人，可以写几次")] = None,
    at_all: Annotated[bool, typer.Option("--at-all", help="@ 所有人")] = False,
) -> None:
    """用一个群机器人发一条消息，第一次设置时用来试：发不出去会说明是哪一项、到哪里改。"""
    settings = read_settings()
    from faqbot.automation.robot_keys import RobotKeyLookup
    from faqbot.dingtalk.api.group_robots import GroupRobotSender, robot_body
    from faqbot.model.notices import Address, Notice
    from faqbot.runtime.resources import open_session

    if not text.strip():
        fail("请给出要说的话")
    automations = read_knowledge(settings).automations
    try:
        keys = RobotKeyLookup(lambda: automations, settings.variable).find(robot)
    except DeliveryError as exc:
        fail(str(exc))
    title = text.strip().splitlines()[0].lstrip("# ")
    notice = Notice("", Address("robot", robot), title, text, at_mobiles=tuple(at or ()), at_all=at_all)
    if not markdown:
        notice = replace(notice, shape="text")

    async def post() -> None:
        async with open_session(settings) as session:
            try:
                await GroupRobotSender(session, settings.oapi_endpoint).send(keys, robot_body(notice))
            except DeliveryError as exc:
                typer.echo(f"没有发出：{exc}", err=True)
                raise typer.Exit(1) from None
        typer.echo(f"已发出（{robot}）")

    run_to_end(post())
