"""自动: the routine jobs at the console, with their next firings, what they did and why one does not run."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.app.running import Running, running
from faqbot.automation.run_log import RUNS_JOURNAL, Run, RunOutcome
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from faqbot.store.json_records import to_json
from tests.console.conftest import Person

TOKEN = "a1b2c3" * 10
RULES = """\
robots: {all-hands: {token: $TOKEN}, sales: {token: $SALES_TOKEN}}
automations:
  - id: standup
    when: {at: "09:00", on: workday}
    do: [{notify: {robot: all-hands, text: 站会}}]
  - id: <b>won</b>
    when: {event: crm.won}
    do: [{notify: {robot: sales, text: "{name}"}}]
  - id: broken
    when: {at: "29:00"}
    do: [{notify: {person: zhangjie, text: 早}}]
"""


@pytest.fixture
async def bot(ding: FakeDingTalk, settings: Settings, knowledge: Path) -> AsyncIterator[Running]:
    (knowledge / "automations.yaml").write_text(RULES, encoding="utf-8")
    async with running(replace(settings, environ={"TOKEN": TOKEN})) as app:
        yield app


async def record(bot: Running, rule_id: str, outcome: RunOutcome, why: str, *notices: str) -> None:
    run = Run(rule_id, f"{rule_id}@x", time.time(), time.time(), outcome, why, notices)
    await bot.store.write_journal(RUNS_JOURNAL, run.at, to_json(run))


async def test_the_page_tells_when_each_job_is_due_and_why_one_does_not_run(hr: Person) -> None:
    page = await hr.get("/jobs")
    assert page.status == 200
    assert "工作日 09:00 → 通知 机器人 all-hands" in page.text
    assert "下次：" in page.text
    assert "机器人“sales”还没有设置环境变量 SALES_TOKEN" in page.text
    assert "automations.yaml:10 时间“29:00”读不懂" in page.text
    assert "&lt;b&gt;won&lt;/b&gt;" in page.text
    assert TOKEN not in page.text


async def test_one_job_shows_what_it_did_lately_and_what_became_of_its_messages(bot: Running, hr: Person) -> None:
    await record(bot, "standup", "day_off", "2026-10-01 是国庆节，不是工作日")
    await record(bot, "standup", "done", "", "job:standup@x:1/robot:all-hands")
    await record(bot, "broken", "broken", "elsewhere")
    page = await hr.get("/jobs?job=standup")
    assert "2026-10-01 是国庆节，不是工作日" in page.text
    assert "机器人 all-hands：等待发送" in page.text
    assert "elsewhere" not in page.text


async def test_the_same_as_json(bot: Running, hr: Person) -> None:
    await record(bot, "standup", "done", "")
    found = json.loads((await hr.get("/jobs.json")).text)
    assert [job["runs"] for job in found["jobs"]] == [True, False, False]
    assert len(found["jobs"][0]["next"]) == 5
    assert [(run["id"], run["outcome"]) for run in found["runs"]] == [("standup", "done")]


async def test_nobody_sees_it_without_signing_in(anyone: Person) -> None:
    assert "standup" not in (await anyone.get("/jobs")).text
