"""The runner: the actions of one firing, their order, repeats and failures. Over both stores."""

from __future__ import annotations

import asyncio

import pytest

from faqbot.automation.executor import ActionFailed
from faqbot.automation.runner import Firing
from faqbot.errors import DeliveryError
from faqbot.store.protocol import Store
from tests.automation.replica import STANDUP, Clock, Replica

WEDNESDAY, NINE = "2026-11-25 08:00", "2026-11-25 09:00"
FIRED = ("standup@2026-11-25T09:00+08:00", "done")


@pytest.fixture
def replica(store: Store) -> Replica:
    return Replica(store, Clock(WEDNESDAY))


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


async def test_an_event_runs_its_rule_once_however_often_it_is_handed_on(store: Store) -> None:
    rule = "{id: won, when: {event: crm.won, if: amount > 5}, do: [{notify: {person: u, text: '{n}'}}]}"
    replica = Replica(store, Clock(WEDNESDAY), f"automations: [{rule}]")
    (won,) = replica.automations.rules
    for key, amount in (("won#1", 7), ("won#1", 7), ("won#2", 3)):
        start = Firing(won, key, replica.clock(), {"amount": amount, "n": 1})
        assert await replica.runner.perform(start, replica.automations)
    assert await replica.outcomes() == [("won#1", "done"), ("won#2", "condition")]
