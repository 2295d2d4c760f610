"""Events on their way from the queue to their rules: which are finished, which are tried again, which wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from faqbot.automation.event_queue import EventQueue
from faqbot.automation.event_worker import EventWorker
from faqbot.model.notices import Event
from faqbot.store.protocol import Store
from tests.automation.replica import Clock, Replica

RULES = """
automations:
  - {id: won, when: {event: crm.won}, do: [{notify: {person: u, text: "{n}"}}]}
"""


class Time(Clock):
    """Moves whenever it is read."""

    def __init__(self) -> None:
        super().__init__("2026-11-25 08:00")

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


@pytest.fixture
def replica(store: Store) -> Replica:
    return Replica(store, Clock("2026-11-25 08:00"), RULES)


def event(number: int, name: str = "crm.won") -> Event:
    return Event(name, str(number), float(number), {"n": number})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_more_events_than_are_acted_on_at_once_are_all_finished(store: Store, replica: Replica) -> None:
    queue = EventQueue(store)
    for number in range(50):
        await queue.accept(event(number))
    await queue.accept(event(99, "nobody.waits"))
    loop = asyncio.create_task(EventWorker(queue, replica.runner, lambda: replica.automations).run())
    async with asyncio.timeout(60):
        while await store.marks("events"):
            await asyncio.sleep(0.02)
    loop.cancel()
    assert sorted(task.values["n"] for task in replica.done) == list(range(50))


async def test_an_event_that_takes_long_does_not_hold_up_the_next(store: Store, replica: Replica) -> None:
    queue, gate = EventQueue(store), asyncio.Event()
    do = replica.do

    async def slow(task):
        if task.values["n"] == 1:
            await gate.wait()
        return await do(task)

    replica.runner._do = slow
    loop = asyncio.create_task(EventWorker(queue, replica.runner, lambda: replica.automations).run())
    await queue.accept(event(1))
    await asyncio.sleep(0.05)
    await queue.accept(event(2))
    await until(lambda: [task.values["n"] for task in replica.done] == [2])
    gate.set()
    await until(lambda: len(replica.done) == 2)
    loop.cancel()


async def test_an_event_whose_rule_another_replica_runs_is_tried_again(store: Store, replica: Replica) -> None:
    queue = EventQueue(store, clock=Time())
    await queue.accept(event(1))
    await store.claim("lease:job:won#1", 30)
    loop = asyncio.create_task(EventWorker(queue, replica.runner, lambda: replica.automations).run())
    await asyncio.sleep(0.1)
    assert not replica.done and list(await store.marks("events"))
    await store.release("lease:job:won#1")
    async with asyncio.timeout(60):
        while await store.marks("events"):
            queue.accepted.set()
            await asyncio.sleep(0.01)
    loop.cancel()
    assert len(replica.done) == 1


async def test_what_is_under_way_at_a_stop_can_be_claimed_at_once_by_another(store: Store, replica: Replica) -> None:
    queue = EventQueue(store)
    replica.stuck = asyncio.Event()
    claimed = asyncio.Event()
    replica.before = lambda task: claimed.set()
    await queue.accept(event(1))
    loop = asyncio.create_task(EventWorker(queue, replica.runner, lambda: replica.automations).run())
    async with asyncio.timeout(60):
        await claimed.wait()
    loop.cancel()
    await asyncio.wait({loop})
    assert [e.id for e in await EventQueue(store).claim()] == ["1"] and not replica.done
