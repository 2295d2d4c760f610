"""The attendance report as a rule of `automations.yaml`, in the whole bot against the stand-in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.app.running import running
from faqbot.automation.run_log import RUNS_JOURNAL, unpack_runs
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.world import ChatMessage
from faqbot.settings import Settings
from tests.automation.replica import Clock

RULES = """\
robots:
  all-hands: {token: $TOKEN, secret: $SECRET}
automations:
  - id: attendance
    when: {monthly: 1, on: workday, at: "09:40"}
    do: [{attendance_report: {month: last, departments: [研发中心], robot: all-hands, at: supervisors}}]
"""


@pytest.fixture
def ready(ding: FakeDingTalk, settings: Settings, knowledge: Path) -> Settings:
    research = ding.contacts.add_department("研发中心")
    ding.contacts.hire("老周", [research], userid="zhou", leads=[research])
    ding.contacts.hire("小李", [research], userid="li")
    ding.contacts.hire("张姐", userid="hr")
    robot = ding.robots.add("all-hands", "全员群", secret="SEC" + "0" * 61)
    (knowledge / "automations.yaml").write_text(RULES, encoding="utf-8")
    return replace(settings, environ={"TOKEN": robot.token, "SECRET": robot.secret}, admins=frozenset({"hr"}))


def told(ding: FakeDingTalk) -> list[ChatMessage]:
    return [m for m in ding.replies if "考勤" in m.text]


async def fire(ding: FakeDingTalk, ready: Settings, messages: int) -> list[str]:
    """Let the first working day of November come; the reasons written down once so many messages came."""
    clock = Clock("2026-11-02 09:39")
    ding.robots.clock = ding.attendance.now = clock
    async with running(ready, clock) as app:
        await asyncio.sleep(0.1)
        clock.set("2026-11-02 09:40")
        app.automation.scheduler.wake()
        assert await ding.world.until(lambda: len(told(ding)) == messages, 60)
        await app.automation.scheduler.idle()
        return [run.why for run in unpack_runs(await app.store.journal(RUNS_JOURNAL, 0))]


async def test_the_report_goes_to_the_group_the_supervisor_and_hr(ding: FakeDingTalk, ready: Settings) -> None:
    (why,) = await fire(ding, ready, 4)
    assert "2026 年 10 月考勤报表：2 人，1 位主管" in why
    assert ding.robots.calls[0].body["at"]["atUserIds"] == ["zhou"]
    assert sum(m.kind == "file" for m in told(ding)) == 1


async def test_hr_is_told_why_there_is_no_report(ding: FakeDingTalk, ready: Settings) -> None:
    ding.oapi.granted.discard("qyapi_get_attendance_data")
    (why,) = await fire(ding, ready, 1)
    assert "qyapi_get_attendance_data" in why and "qyapi_get_attendance_data" in told(ding)[0].text
