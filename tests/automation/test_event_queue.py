"""Events wait in the store until they were acted on, each once, whichever replica takes them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from faqbot.automation.event_queue import LEASE_SECONDS, REMEMBER_SECONDS, EventQueue
from faqbot.model.notices import Event
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store

CUSTOMER = Event("crm.customer.created", "42", 1_763_000_000.0, {"name": "星野", "amount": 120000})


async def test_an_event_is_taken_once_and_its_repeats_are_not(store: Store) -> None:
    events = EventQueue(store)
    assert await events.accept(CUSTOMER)
    assert not await events.accept(CUSTOMER)
    (taken,) = await events.take()
    assert taken == CUSTOMER
    assert list(await events.take()) == []
    await events.done(taken)

    assert not await events.accept(CUSTOMER)
    assert list(await events.take()) == []
    assert await events.accept(replace(CUSTOMER, id="43"))
    assert await events.accept(replace(CUSTOMER, name="crm.customer.gone"))


async def test_the_oldest_come_first_and_two_replicas_share_them(store: Store) -> None:
    one, two = EventQueue(store), EventQueue(store)
    for number in (3, 1, 2):
        await one.accept(replace(CUSTOMER, id=str(number), at=float(number)))
    assert [event.id for event in await one.take(2)] == ["1", "2"]
    assert [event.id for event in await two.take(2)] == ["3"]
    assert list(await one.take(2)) == []


async def test_what_cannot_be_done_now_is_taken_again(store: Store) -> None:
    events = EventQueue(store)
    await events.accept(CUSTOMER)
    (taken,) = await events.take()
    await events.later(taken)
    assert list(await EventQueue(store).take()) == [CUSTOMER]


async def test_a_repeat_that_comes_in_while_the_event_is_finished_is_not_acted_on(store: Store) -> None:
    events = EventQueue(store)
    await events.accept(CUSTOMER)
    (taken,) = await events.take()
    text = (await store.marks("events")).popitem()
    await events.done(taken)
    await store.put_mark("events", *text)
    assert list(await events.take()) == []
    assert not await store.marks("events")


async def test_what_a_dead_replica_had_taken_is_taken_after_its_lease(tmp_path: Path) -> None:
    now = 1_763_000_000.0
    store = await open_store(f"sqlite:///{tmp_path / 'store.db'}", lambda: now)
    await EventQueue(store).accept(CUSTOMER)
    dead, alive = EventQueue(store, clock=lambda: now), EventQueue(store, clock=lambda: now)
    assert await dead.take()
    now += LEASE_SECONDS - 1
    assert not await alive.take()
    now += 2
    (taken,) = await alive.take()
    await alive.done(taken)
    now += REMEMBER_SECONDS - 1
    assert not await alive.accept(CUSTOMER)
    await store.close()


async def test_whoever_waits_is_woken(store: Store) -> None:
    events = EventQueue(store)
    waiting = asyncio.create_task(events.came(60))
    await asyncio.sleep(0)
    await events.accept(CUSTOMER)
    async with asyncio.timeout(5):
        await waiting
