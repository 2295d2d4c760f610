"""The sandbox's time: moved by a button, and what is due on the way is done at its own time."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from faqbot.app.running import running
from faqbot.app.sandbox_clock import SandboxClock
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.clock import MovableClock
from faqbot.settings import Settings

RULES = """\
robots: {all-hands: {token: $TOKEN, secret: $SECRET}}
automations:
  - id: standup
    when: {at: "09:00", on: workday}
    do: [{notify: {robot: all-hands, text: "站会 {date}"}}]
  - id: also-at-nine
    when: {at: "09:00", on: workday}
    do: [{notify: {robot: all-hands, text: "打卡 {date}"}}]
  - id: lunch
    when: {at: "12:00"}
    do: [{notify: {robot: all-hands, text: "午饭 {date}"}}]
"""


@pytest.fixture
async def ding() -> AsyncIterator[FakeDingTalk]:
    fake = FakeDingTalk(clock=MovableClock())
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
async def moving(ding: FakeDingTalk, settings: Settings, knowledge: Path) -> AsyncIterator[SandboxClock]:
    robot = ding.robots.add("all-hands", "全员群", secret="SEC" + "2" * 61)
    (knowledge / "automations.yaml").write_text(RULES, encoding="utf-8")
    ready = replace(settings, environ={"TOKEN": robot.token, "SECRET": robot.secret})
    clock = ding.robots.clock
    assert isinstance(clock, MovableClock)
    async with running(ready, clock, late=math.inf, store_clock=time.time) as app:
        await app.automation.scheduler.poll()
        found = SandboxClock(app, ready, clock)
        ding.jumps, ding.shown_time = found.jumps, found.time_in_words
        yield found


def said(ding: FakeDingTalk) -> list[str]:
    return [call.body["text"]["content"] for call in ding.robots.calls if call.errcode == 0]


async def test_a_week_of_working_days_is_rehearsed_by_a_button(ding: FakeDingTalk, moving: SandboxClock) -> None:
    async with aiohttp.ClientSession(ding.url) as http:
        assert (await (await http.get("/sandbox/state")).json())["clock"]["jumps"] == [
            "下一个工作日 9:00",
            "下一件自动任务",
        ]
        for _ in range(5):
            async with http.post("/sandbox/act", json={"action": "jump", "number": 0}) as answer:
                assert (await answer.json())["said"].endswith("09:00")
        async with http.post("/sandbox/act", json={"action": "jump", "number": 7}) as answer:
            assert answer.status == 400
    standups = [text for text in said(ding) if text.startswith("站会")]
    lunches = [text for text in said(ding) if text.startswith("午饭")]
    assert len(standups) == len(set(standups)) == 5
    # Lunch is every day, also on those between.
    assert len(lunches) == len(set(lunches)) >= 4
    assert len([text for text in said(ding) if text.startswith("打卡")]) == 5


async def test_the_next_job_is_found_whatever_it_is(ding: FakeDingTalk, moving: SandboxClock) -> None:
    for _ in range(3):
        before = moving.clock()
        await moving.to_next_job()
        assert moving.clock() > before
        assert said(ding)


async def test_without_timed_jobs_the_time_stays(moving: SandboxClock, knowledge: Path) -> None:
    (knowledge / "automations.yaml").write_text("automations: []\n", encoding="utf-8")
    await moving.app.library.refresh()
    before = moving.time_in_words()
    assert "没有按时间做的任务" in await moving.to_next_job()
    assert moving.time_in_words()[:5] == before[:5]
