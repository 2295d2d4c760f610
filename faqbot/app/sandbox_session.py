"""Runs the whole bot against the embedded fake DingTalk, with a chat page; nothing leaves this machine."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from faqbot.app.process import until_stopped
from faqbot.app.running import running
from faqbot.app.sandbox_clock import SandboxClock
from faqbot.console.web.sessions import new_link
from faqbot.embeddings.embeddings import Embeddings
from faqbot.errors import StartError
from faqbot.knowledge.groups_file import parse_groups
from faqbot.rules.definitions import GroupRobot
from faqbot.rules.parser import read_automations
from faqbot.sandbox.company import HR, create_company
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.clock import MovableClock
from faqbot.settings import Settings

_GROUP = "星野科技全员群"
_SALES = "星野科技销售群"
# The robots of the sample automations.yaml: name, group, and prefix of their environment variables.
_ROBOTS = (("全员通知", _GROUP, "ROBOT_ALL"), ("销售通知", _SALES, "ROBOT_SALES"))
_PEOPLE = ("小李", "小王", "小陈", "张姐")
_GUEST = "外部顾问"
_EXAMPLES = ("年假几天", "报销怎么提交", "公积金怎么提", "试用期工资", "帮助")


async def run_sandbox(settings: Settings, say: Callable[[str], object]) -> None:
    """Run until SIGTERM or Ctrl-C; `say` shows a line at the terminal. Raises StartError."""
    async with contextlib.AsyncExitStack() as stack:
        clock = MovableClock()
        ding = FakeDingTalk(clock=clock)
        group = ding.world.group(_GROUP)
        for name in _PEOPLE:
            ding.world.person(name)
        ding.world.person(_GUEST, external=True)
        hr = create_company(ding, _owners(settings.knowledge))
        for person in ding.world.people.values():
            if not person.external:
                ding.world.single(person)
        ding.examples = _EXAMPLES
        # Where lines in groups can be tapped, the taps arrive.
        ding.faults.tap_carries_at = settings.group_taps
        environ = dict(settings.environ) | _add_robots(ding, settings.knowledge)
        await _start(ding, settings, say)
        stack.push_async_callback(ding.close)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faqbot-"))
        bot_settings = replace(
            settings,
            client_id=ding.client_id,
            client_secret=ding.client_secret,
            robot_code=ding.client_id,
            openapi_endpoint=ding.url,
            oapi_endpoint=ding.url,
            store=f"sqlite:///{Path(folder) / 'sandbox.db'}",
            host="127.0.0.1",
            port=0,
            environ=environ,
            admins=settings.admins or frozenset({hr}),
        )
        stopped = until_stopped()
        # Records that expire, such as sessions of the console, expire by the real time.
        app = await stack.enter_async_context(running(bot_settings, clock, late=math.inf, store_clock=time.time))
        await ding.until_connected()
        sandbox_clock = SandboxClock(app, bot_settings, clock)
        ding.jumps, ding.shown_time = sandbox_clock.jumps, sandbox_clock.time_in_words
        say(f"沙箱已就绪，请在浏览器打开：{ding.url}")
        say(f"群“{group.title}”里试试：@小助手 年假几天    （知识：{settings.knowledge}，Ctrl-C 停止）")
        say(_describe_meaning(app.services.knowledge.embeddings, bot_settings))
        say(f"{HR}是管理员，可以说：名单 研发中心、打卡 小李 昨天、报表、公告 all-hands：内容")
        say(f"控制台（HR 用，链接只能用一次）：{await new_link(app.store, app.console_url)}")
        await asyncio.wait({stopped, app.finished}, return_when=asyncio.FIRST_COMPLETED)


def _describe_meaning(embeddings: Embeddings | None, settings: Settings) -> str:
    """Say whether questions are compared by meaning."""
    if embeddings is not None:
        return f"含义比较：打开（{embeddings.label}）；问法的向量在后台算，算好以前只按文字比较"
    if settings.meaning == "off":
        return "含义比较：关闭（FAQBOT_MEANING=off），只按文字比较"
    return "含义比较：没有装好内置编码器，只按文字比较；装上：pip install '.[meaning]'"


def _add_robots(ding: FakeDingTalk, knowledge: Path) -> dict[str, str]:
    """Give the fake DingTalk each group robot that the rules name; return the environment variables with their keys."""
    environ: dict[str, str] = {}
    for name, title, variable in _ROBOTS:
        robot = ding.robots.add(name, title, secret=f"SEC{secrets.token_hex(32)}")
        environ |= {f"{variable}_TOKEN": robot.token, f"{variable}_SECRET": robot.secret}
    configured: Mapping[str, GroupRobot] = {}
    with contextlib.suppress(OSError):
        file = knowledge / "automations.yaml"
        configured = read_automations(file.name, file.read_bytes()).automations.robots
    for name, config in configured.items():
        if config.token.variable in environ:
            continue
        token = config.token.literal or secrets.token_hex(32)
        secret = config.secret.literal or (f"SEC{secrets.token_hex(32)}" if config.secret else "")
        ding.robots.add(name, f"{name} 群", token=token, secret=secret)
        environ |= {v: key for v, key in ((config.token.variable, token), (config.secret.variable, secret)) if v}
    return environ


def _owners(knowledge: Path) -> Iterator[tuple[str, str]]:
    """Yield owner and userId of everybody in groups.yaml, so that the fake company has them to receive notices."""
    with contextlib.suppress(OSError):
        groups, _ = parse_groups("groups.yaml", (knowledge / "groups.yaml").read_bytes())
        for owner, userids in groups.people.items():
            yield from ((owner, userid) for userid in userids)


async def _start(ding: FakeDingTalk, settings: Settings, say: Callable[[str], object]) -> None:
    """Listen on the configured port, or on a free one if it is taken. Raises StartError."""
    try:
        await ding.start(settings.host, settings.port)
    except OSError as exc:
        try:
            await ding.start(settings.host, 0)
        except OSError:
            raise StartError(f"不能监听 {settings.host}：{os.strerror(exc.errno or 0)}") from exc
        say(f"端口 {settings.port} 已被占用，换了一个空闲的。")
