"""The runner: each firing once, whoever is there to do it, and every non-run with its reason. Over both stores."""

from __future__ import annotations

import asyncio
import math
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date
from datetime import time as time_of_day
from pathlib import Path

import pytest

from faqbot.automation.executor import ActionFailed
from faqbot.automation.runner import Firing
from faqbot.errors import DeliveryError
from faqbot.rules.schedule import Calendar, Cron, Daily, Days, Monthly, Schedule
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.automation.replica import CALL, LEASE_SECONDS, STANDUP, Clock, Replica
from tests.redis_server import RedisServer

WEDNESDAY, NINE = "2026-11-25 08:00", "2026-11-25 09:00"
FIRED = ("standup@2026-11-25T09:00+08:00", "done")


@pytest.fixture
def replica(store: Store) -> Replica:
    return Replica(store, Clock(WEDNESDAY))


async def test_a_job_is_done_at_its_time_and_once(replica: Replica) -> None:
    await replica.at(WEDNESDAY, "2026-11-25 08:59:59")
    assert replica.done == []
    await replica.at(NINE, NINE, "2026-11-25 09:00:05", "2026-11-25 23:00")
    assert [task.key for task in replica.done] == [FIRED[0]]
    assert replica.done[0].values["date"] == "2026-11-25"
    assert await replica.outcomes() == [FIRED]


async def test_the_pause_ends_at_the_next_firing(replica: Replica) -> None:
    replica.clock.set("2026-11-25 08:59:57")
    assert await replica.scheduler.poll() == 3


async def test_a_restart_does_not_do_it_again(replica: Replica) -> None:
    await replica.at(WEDNESDAY, NINE)
    again = Replica(replica.store, Clock("2026-11-25 09:00:30"))
    await again.look()
    assert again.done == []


async def test_a_short_absence_at_nine_is_made_up(replica: Replica) -> None:
    await replica.at(WEDNESDAY)
    again = Replica(replica.store, Clock("2026-11-25 09:01:30"))
    await again.look()
    assert await again.outcomes() == [FIRED]


@pytest.mark.parametrize(
    ("missed", "outcomes"),
    [
        ("skip", ["missed", "missed", "day_off", "day_off"]),
        ("once", ["missed", "done", "day_off", "day_off"]),
    ],
)
async def test_what_was_missed_is_skipped_or_done_once_and_written_down(
    store: Store, missed: str, outcomes: list[str]
) -> None:
    text = f"{STANDUP}    missed: {missed}\n"
    before = Replica(store, Clock("2026-11-26 08:00"), text)
    await before.look()
    after = Replica(store, Clock("2026-11-29 12:00"), text)
    await after.look()
    assert [outcome for _, outcome in sorted(await after.outcomes())] == outcomes
    assert [task.key for task in after.done] == ["standup@2026-11-27T09:00+08:00"] * (missed == "once")


async def test_a_holiday_is_written_down_once_with_its_name(store: Store) -> None:
    replicas = [Replica(store, Clock("2026-09-30 10:00")) for _ in range(2)]
    for replica in replicas:
        await replica.at("2026-09-30 10:00", "2026-10-01 09:00")
    assert [run.why for run in await replicas[0].runs()] == ["2026-10-01 是国庆节，不是工作日"]


async def test_a_rule_that_is_new_or_has_a_new_time_makes_up_for_nothing(replica: Replica) -> None:
    await replica.at("2026-11-25 10:00")
    replica.write(STANDUP.replace("09:00", "09:30"))
    await replica.at("2026-11-25 10:01", "2026-11-25 12:00")
    assert (replica.done, await replica.runs()) == ([], [])
    await replica.at("2026-11-26 09:30")
    assert len(replica.done) == 1


@pytest.mark.parametrize(
    ("text", "variables", "reason"),
    [
        (STANDUP, {}, "机器人“all-hands”还没有设置环境变量 TOKEN"),
        (STANDUP.replace("text: 站会", "txet: 站会"), {"TOKEN": "x"}, "automations.yaml:5 不认识的键“txet”"),
    ],
)
async def test_a_rule_that_cannot_run_says_why_at_its_time(
    store: Store, text: str, variables: dict[str, str], reason: str
) -> None:
    replica = Replica(store, Clock(WEDNESDAY), text)
    replica.variables = variables
    await replica.at(WEDNESDAY, NINE)
    (run,) = await replica.runs()
    assert run.outcome == "broken"
    assert reason in run.why
    assert replica.done == []


async def test_a_broken_rule_does_not_stop_the_others(store: Store) -> None:
    other = '  - {id: other, when: {at: "09:00"}, do: [{notify: {person: zhangjie, text: 早}}]}\n'
    replica = Replica(store, Clock(WEDNESDAY), STANDUP.replace("workday", "wrokday") + other)
    await replica.at(WEDNESDAY, NINE)
    assert [task.key for task in replica.done] == ["other@2026-11-25T09:00+08:00"]


async def test_a_condition_is_asked_each_time(store: Store) -> None:
    replica = Replica(store, Clock(WEDNESDAY), STANDUP.replace("workday}", "workday, if: 'weekday == 4'}"))
    await replica.at(WEDNESDAY, NINE, "2026-11-26 09:00")
    assert await replica.outcomes() == [(FIRED[0], "condition"), ("standup@2026-11-26T09:00+08:00", "done")]


TWO_STEPS = STANDUP.replace(
    "站会}}]", "站会}}, {http: {url: 'http://erp/x'}}, {notify: {person: zhangjie, text: 好了}}]"
).replace("automations:", "allow_http: [erp]\nautomations:")


async def test_a_step_that_may_still_work_is_repeated(store: Store) -> None:
    replica = Replica(store, Clock(WEDNESDAY), TWO_STEPS)
    failures = [DeliveryError("连不上", code="connect")] * 2

    def fail(task):
        if task.number == 2 and failures:
            raise failures.pop()

    replica.before = fail
    await replica.at(WEDNESDAY, NINE)
    assert [task.number for task in replica.done] == [1, 2, 3]
    assert await replica.outcomes() == [FIRED]


async def test_a_step_that_fails_ends_the_run_and_says_which(store: Store) -> None:
    replica = Replica(store, Clock(WEDNESDAY), TWO_STEPS)

    def fail(task):
        if task.number == 2:
            raise ActionFailed("对方没有接受（HTTP 400）")

    replica.before = fail
    await replica.at(WEDNESDAY, NINE, "2026-11-25 09:00:30")
    (run,) = await replica.runs()
    assert (run.outcome, run.why) == ("failed", "第 2 步：对方没有接受（HTTP 400）")
    assert run.notices == (f"job:{FIRED[0]}:1",)


async def test_after_a_stop_halfway_the_posts_before_are_not_repeated(store: Store) -> None:
    first = Replica(store, Clock(WEDNESDAY), TWO_STEPS)
    await first.at(WEDNESDAY)

    def stop_at_the_third(task):
        first.stuck = asyncio.Event() if task.number == 3 else None

    first.before = stop_at_the_third
    first.clock.set(NINE)
    await first.scheduler.poll()
    async with asyncio.timeout(60):
        while first.stuck is None:
            await asyncio.sleep(0.01)
    await first.scheduler.drain(0.0)
    second = Replica(store, Clock(NINE), TWO_STEPS)
    await second.look()
    assert [task.number for task in first.done] == [1, 2]
    assert [task.number for task in second.done] == [1, 3]
    assert await second.outcomes() == [FIRED]


async def test_a_moved_clock_passes_over_nothing_in_a_rehearsal(store: Store) -> None:
    replica = Replica(store, Clock("2026-09-28 12:00"), late=math.inf)
    await replica.at("2026-09-28 12:00", "2026-10-10 09:00")
    days = ["2026-09-29", "2026-09-30", "2026-10-08", "2026-10-09", "2026-10-10"]
    assert [task.values["date"] for task in replica.done] == days
    assert all(task.expires == 0 for task in replica.done)


async def test_an_event_runs_its_rule_once_however_often_it_is_handed_on(store: Store) -> None:
    rule = "{id: won, when: {event: crm.won, if: amount > 5}, do: [{notify: {person: u, text: '{n}'}}]}"
    replica = Replica(store, Clock(WEDNESDAY), f"automations: [{rule}]")
    (won,) = replica.automations.rules
    for key, amount in (("won#1", 7), ("won#1", 7), ("won#2", 3)):
        start = Firing(won, key, replica.clock(), {"amount": amount, "n": 1})
        assert await replica.runner.perform(start, replica.automations)
    assert await replica.outcomes() == [("won#1", "done"), ("won#2", "condition")]


@pytest.mark.parametrize(
    ("trigger", "trigger_hash"),
    [
        (Daily(time_of_day(9), Days("workday")), "baff26cb"),
        (Cron("0 9 * * *", Days("holiday")), "6d47c17e"),
        (Monthly(25, time_of_day(10), True), "d5d0fa6a"),
    ],
)
async def test_the_hash_of_a_trigger_is_the_one_that_older_versions_stored(
    replica: Replica, trigger: Schedule, trigger_hash: str
) -> None:
    """Or an update would pass over what came due while the bot was down."""
    (rule,) = replica.automations.rules
    replica.automations = replace(replica.automations, rules=(replace(rule, trigger=trigger),))
    await replica.look()
    assert (await replica.store.marks("jobs-settled"))["standup"].startswith(f"{trigger_hash}|")


# -- three replicas ------------------------------------------------------------------------------


@pytest.fixture
async def replicas(redis_server: RedisServer) -> AsyncIterator[list[Replica]]:
    """Three replicas on a real Redis, each with a connection of its own."""
    async with AsyncExitStack() as stack:
        found: list[Replica] = []
        for _ in range(3):
            store = await open_store(redis_server.url)
            stack.push_async_callback(store.close)
            found.append(Replica(store, Clock(WEDNESDAY), lease=LEASE_SECONDS))
        yield found


async def test_three_replicas_do_it_once(replicas: list[Replica]) -> None:
    for time in (WEDNESDAY, "2026-11-25 08:59:59", NINE, "2026-11-25 09:00:01"):
        await asyncio.gather(*(replica.at(time) for replica in replicas))
    assert [task.key for replica in replicas for task in replica.done] == [FIRED[0]]
    assert await replicas[0].outcomes() == [FIRED]


@pytest.mark.parametrize("killed_at", ["2026-11-25 08:59:59", NINE])
@pytest.mark.parametrize("text", [STANDUP, CALL], ids=["notice", "call"])
async def test_it_is_done_once_when_one_is_killed_before_or_after_claiming_it(
    redis_server: RedisServer, replicas: list[Replica], killed_at: str, text: str
) -> None:
    for replica in replicas:
        replica.write(text)
    doomed = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.automation.replica", redis_server.url, WEDNESDAY, text),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert doomed.stdin
    assert doomed.stdout
    assert await doomed.stdout.readline() == b"ready\n"
    for time in (WEDNESDAY, killed_at):
        doomed.stdin.write(f"{time}\n".encode())
        # On a busy machine the claim may be made after the look is over.
        awaited = {b"looked\n", b"claimed\n"} if time == NINE else {b"looked\n"}
        while awaited:
            line = await doomed.stdout.readline()
            assert line, "the replica has ended"
            awaited.discard(line)
    await asyncio.gather(*(replica.at(WEDNESDAY) for replica in replicas))
    if killed_at == NINE:
        # It takes longer than its lease, but lives.
        for _ in range(8):
            await asyncio.gather(*(replica.at(NINE) for replica in replicas))
            await asyncio.sleep(LEASE_SECONDS / 4)
    assert not any(replica.done for replica in replicas)
    doomed.kill()
    await doomed.wait()
    async with asyncio.timeout(10):
        while not any(replica.done for replica in replicas):
            await asyncio.gather(*(replica.at(NINE) for replica in replicas))
            await asyncio.sleep(0.05)
    await asyncio.gather(*(replica.at("2026-11-25 09:00:02") for replica in replicas))
    assert [task.key for replica in replicas for task in replica.done] == [FIRED[0]]
    assert await replicas[0].outcomes() == [FIRED]


async def test_the_firings_of_weeks_and_years_are_not_looked_for_while_others_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, asked = threading.current_thread(), []

    def watched(days: Days, day: date, calendar: Calendar) -> str:
        asked.append(threading.current_thread())
        return why_not(days, day, calendar)

    why_not = Days.skip_reason
    monkeypatch.setattr(Days, "skip_reason", watched)
    every_minute = STANDUP.replace('at: "09:00", on: workday', 'cron: "* * * 12 *", on: holiday')
    before = Replica(store, Clock("2026-11-25 10:00"), every_minute)
    await before.look()
    assert len(asked) < 10, "the next one is not looked for among thousands"
    after = Replica(store, Clock("2026-12-01 04:00"), every_minute)
    asked.clear()
    await after.scheduler.poll()
    assert len(asked) >= 240 and asked.count(loop) == 0
    await after.scheduler.drain(0)
