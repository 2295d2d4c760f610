"""The weekly digest as a rule of `automations.yaml`, in the whole bot against the stand-in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.app.running import running
from faqbot.rules.parser import read_automations
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.automation.replica import Clock
from tests.conftest import Talk

RULES = """\
robots:
  hr: {token: $TOKEN, secret: $SECRET}
automations:
  - id: week
    when: {at: "09:10", on: [mon]}
    do: [{digest: {robot: hr, person: 休假组}}]
"""


async def test_hr_gets_the_week_on_monday(ding: FakeDingTalk, settings: Settings, knowledge: Path) -> None:
    robot = ding.robots.add("hr", "HR 群", secret="SEC" + "0" * 61)
    zhang = ding.world.person("张姐")
    (knowledge / "automations.yaml").write_text(RULES, encoding="utf-8")
    (knowledge / "groups.yaml").write_text(f"people: {{休假组: [{zhang.id}]}}\n", encoding="utf-8")
    clock = Clock("2026-11-22 12:00")
    ding.robots.clock = clock
    async with running(replace(settings, environ={"TOKEN": robot.token, "SECRET": robot.secret}), clock) as app:
        assert await ding.until_connected()
        await Talk(ding)("小李", "食堂几点开门")
        clock.set("2026-11-23 09:10")
        app.automation.scheduler.wake()
        async with asyncio.timeout(60):
            while len(told := [m for m in ding.replies if "问答周报" in m.text]) < 2:
                await asyncio.sleep(0.02)
    for message in told:
        assert "### 问答周报 11.16–11.23" in message.text and "1. 食堂几点开门（1 人）" in message.text


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("{}", "没有写发给谁"),
        ("{robots: hr}", "是不是“robot”"),
        ("{robot: nobody}", "没有叫“nobody”的机器人"),
    ],
)
def test_a_slip_is_told(written: str, part: str) -> None:
    text = RULES.replace("{robot: hr, person: 休假组}", written)
    assert any(part in p.message for p in read_automations("automations.yaml", text.encode()).problems)
