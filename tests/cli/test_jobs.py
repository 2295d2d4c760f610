"""`faqbot jobs`: the list, the reasons, a dry run that shows no secret, and a run at once."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from faqbot.app.run_job import run_job
from faqbot.automation.run_log import RUNS_JOURNAL, Run
from faqbot.errors import Throttled
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from faqbot.store.json_records import to_json
from faqbot.store.opening import open_store
from tests.cli.test_cli import faqbot as command
from tests.outbox.test_outbox import Clock, Way


def faqbot(*arguments: str, cwd: Path, **values: str) -> subprocess.CompletedProcess[str]:
    return command(cwd, *arguments, FAQBOT_KNOWLEDGE="knowledge", **values)


TOKEN, SECRET = "f" * 64, "SEC" + "1" * 61
RULES = """\
robots: {all-hands: {token: $TOKEN, secret: $SECRET}}
automations:
  - id: standup
    when: {at: "09:00", on: workday}
    do: [{notify: {robot: all-hands, text: 站会}}]
  - id: won
    when: {event: crm.won, if: amount > 100}
    do: [{notify: {robot: all-hands, markdown: "### {name}", person: zhangjie}}]
  - id: broken
    when: {at: "29:00"}
    do: [{notify: {person: zhangjie, text: 早}}]
"""


@pytest.fixture
def folder(knowledge: Path, tmp_path: Path) -> Path:
    (knowledge / "automations.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def test_the_list_tells_the_next_firings_and_why_one_does_not_run(folder: Path) -> None:
    done = faqbot("jobs", "--json", cwd=folder, TOKEN=TOKEN, SECRET=SECRET)
    assert done.returncode == 1
    standup, won, broken = json.loads(done.stdout)
    assert (standup["when"], standup["does"], standup["runs"]) == ("工作日 09:00", "通知 机器人 all-hands", True)
    assert len(standup["next"]) == 5
    assert all(at.endswith("T09:00:00+08:00") for at in standup["next"])
    assert won["when"] == "收到事件 crm.won，如果 amount > 100"
    assert (broken["runs"], broken["line"]) == (False, 9)
    assert "automations.yaml:10 时间“29:00”读不懂" in broken["why_not"]


def test_without_its_variables_a_rule_says_so_and_check_is_content(folder: Path) -> None:
    (folder / "knowledge" / "automations.yaml").write_text(RULES.partition("  - id: broken")[0], encoding="utf-8")
    done = faqbot("jobs", cwd=folder)
    assert done.returncode == 0
    assert "没有运行：机器人“all-hands”还没有设置环境变量 TOKEN、SECRET" in done.stdout
    assert faqbot("check", cwd=folder).returncode == 0


async def test_why_shows_each_run_and_non_run_with_its_reason(folder: Path) -> None:
    store = await open_store(f"sqlite:///{folder / 'faqbot.db'}")
    now = time.time()
    for n, (outcome, why) in enumerate([("day_off", "2026-10-01 是国庆节，不是工作日"), ("done", "")]):
        run = Run("standup", f"standup@{n}", now + n, now + n, outcome, why, ("job:standup@1:1/robot:all-hands",) * n)
        await store.write_journal(RUNS_JOURNAL, run.at, to_json(run))
    await store.close()
    done = faqbot("jobs", "why", "standup", cwd=folder, TOKEN=TOKEN, SECRET=SECRET)
    assert done.returncode == 0
    assert "当天不用做：2026-10-01 是国庆节，不是工作日" in done.stdout
    assert "机器人 all-hands：等待发送（" in done.stdout
    asked = faqbot("jobs", "why", "nobody", cwd=folder)
    assert (asked.returncode, asked.stderr) == (2, "没有叫“nobody”的任务，有的是：standup、won、broken\n")


async def test_why_says_that_a_notice_waits_for_the_limits_of_dingtalk_and_until_when(folder: Path) -> None:
    now, key = time.time(), "job:standup@1:1/robot:all-hands"

    store = await open_store(f"sqlite:///{folder / 'faqbot.db'}")
    run = Run("standup", "standup@1", now, now, "done", "", (key,))
    await store.write_journal(RUNS_JOURNAL, run.at, to_json(run))
    box = Outbox(store, {"robot": Way(Clock(), answers=[Throttled("太快", code="410100", wait=600)])})
    await box.post(Notice(key, Address("robot", "all-hands"), "站会", "站会"))
    await box.poll()
    await box.idle()
    await store.close()

    shown = faqbot("jobs", "why", "standup", cwd=folder, TOKEN=TOKEN, SECRET=SECRET).stdout
    said = re.search(r"等待发送：钉钉限制了发送的频率，(\d\d-\d\d)（周.）(\d\d:\d\d) 以后再发", shown)
    assert said
    (notice,) = json.loads(faqbot("jobs", "why", "standup", "--json", cwd=folder).stdout)["runs"][0]["notices"]
    assert (notice["state"], notice["why"]) == ("waiting", "rate_limit")
    assert now + 540 < datetime.fromisoformat(notice["until"]).timestamp() < now + 1800
    assert f"{said[1]}T{said[2]}" in notice["until"]


def test_a_dry_run_prints_the_bodies_and_no_secret(folder: Path) -> None:
    data = json.dumps({"amount": 200, "name": "星野*"})
    done = faqbot("jobs", "run", "won", "--dry-run", "--json", "--data", data, cwd=folder, TOKEN=TOKEN, SECRET=SECRET)
    assert done.returncode == 0
    robot, person = json.loads(done.stdout)
    assert robot["body"]["markdown"]["text"] == "### 星野＊"
    assert "access_token=***" in robot["to"]
    assert person["body"]["userIds"] == ["zhangjie"]
    assert TOKEN not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_dry_run_says_what_is_missing(folder: Path) -> None:
    done = faqbot("jobs", "run", "won", "--dry-run", "--data", '{"amount": 200}', cwd=folder)
    assert done.returncode == 1
    assert "没有“name”这个值" in done.stdout
    assert faqbot("jobs", "run", "won", "--dry-run", "--data", "{oops", cwd=folder).returncode == 2


async def test_a_run_at_once_sends_and_tells_what_became_of_it(
    folder: Path, ding: FakeDingTalk, settings: Settings
) -> None:
    robot = ding.robots.add("all-hands", "全员群", secret=SECRET)
    ready = replace(settings, environ={"TOKEN": robot.token, "SECRET": SECRET})
    run, fates = await run_job(ready, "standup", {})
    assert (run.outcome, [fate.sent for fate in fates.values() if fate]) == ("done", [True])
    assert ding.robots.calls[0].body["text"]["content"] == "站会"
    skipped, _ = await run_job(ready, "won", {"amount": 5})
    assert (skipped.outcome, skipped.why) == ("condition", "条件“amount > 100”不成立")
