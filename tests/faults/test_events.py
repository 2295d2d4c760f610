"""The process is killed while events come in: none that was told 202 is lost, none is told twice in the group."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import Counter
from pathlib import Path

import aiohttp

from faqbot.sandbox.server import FakeDingTalk
from tests.automation.test_webhooks import SECRET, signed
from tests.conftest import GROUP
from tests.faults.process import BotProcess

FILE = """
robots:
  sales: {token: $ROBOT_SALES_TOKEN, secret: $ROBOT_SALES_SECRET}
automations:
  - id: customer
    when: {event: crm.customer.created}
    do: [{notify: {robot: sales, markdown: "客户 {name}，"}}]
"""
EVENTS, KILLS = 120, (30, 75)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Crm:
    """Posts events, each again until it is told 202."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url
        self.accepted: set[int] = set()

    async def post(self, number: int) -> None:
        body = f'{{"name": "{number}"}}'.encode()
        while number not in self.accepted:
            try:
                async with self.http.post(self.url, data=body, headers=signed(body, id=f"customer-{number}")) as answer:
                    if answer.status == 202:
                        self.accepted.add(number)
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)


async def test_two_kills_among_events_lose_none_and_double_none(
    ding: FakeDingTalk, knowledge: Path, tmp_path: Path
) -> None:
    (knowledge / "automations.yaml").write_text(FILE, encoding="utf-8")
    robot = ding.robots.add("销售通知", GROUP, secret="SEC" + "0123456789abcdef" * 4)
    port = str(free_port())
    environ = {"FAQBOT_PORT": port, "FAQBOT_HOOK_SECRET": SECRET}
    environ |= {"ROBOT_SALES_TOKEN": robot.token, "ROBOT_SALES_SECRET": robot.secret}
    bot = BotProcess(ding, knowledge, f"sqlite:///{tmp_path / 'kill.db'}", tmp_path / "bot.log", **environ)
    await bot.start()
    async with aiohttp.ClientSession() as http:
        crm = Crm(http, f"http://127.0.0.1:{port}/hooks/crm.customer.created")
        for number in range(EVENTS):
            if number in KILLS:
                under_way = [asyncio.create_task(crm.post(n)) for n in range(number, number + 10)]
                await asyncio.sleep(0.01)
                await bot.kill()
                await bot.start(connections=len(ding.gateway.opens) + 1)
                await asyncio.gather(*under_way)
            await crm.post(number)

    def told() -> Counter[str]:
        return Counter(re.findall(r"客户 (\d+)，", " ".join(message.text for message in ding.replies)))

    assert await ding.world.until(lambda: len(told()) == EVENTS, 60), EVENTS - len(told())
    assert await bot.stop() == 0
    assert told() == Counter(str(number) for number in range(EVENTS))
    assert {call.errcode for call in ding.robots.calls} == {0}
    log = (tmp_path / "bot.log").read_text(encoding="utf-8")
    assert not any(secret in log for secret in (SECRET, robot.token, robot.secret, "Traceback"))
