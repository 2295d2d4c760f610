"""Events wait in the store until they were acted on, each once, whichever replica takes them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from faqbot.automation.event_queue import LEASE_SECONDS, REMEMBER_SECONDS, EventQueue
from faqbot.model.notices import Event
from faqbot.runtime.loops import wait_for_event
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store

CUSTOMER = Event("crm.customer.created", "42", 1_763_000_000.0, {"name": "星野", "amount": 120000})


async def test_an_event_is_taken_once_and_its_repeats_are_not(store: Store) -> None:
    events = EventQueue(store)
    assert await events.accept(CUSTOMER)
    assert not await events.accept(CUSTOMER)
    (taken,) = await events.claim()
    assert taken == CUSTOMER
    assert list(await events.claim()) == []
    await events.finish(taken)

    assert not await events.accept(CUSTOMER)
    assert list(await events.claim()) == []
    assert await events.accept(replace(CUSTOMER, id="43"))
    assert await events.accept(replace(CUSTOMER, name="crm.customer.gone"))


async def test_the_oldest_come_first_and_two_replicas_share_them(store: Store) -> None:
    one, two = EventQueue(store), EventQueue(store)
    for number in (3, 1, 2):
        await one.accept(replace(CUSTOMER, id=str(number), at=float(number)))
    assert [event.id for event in await one.claim(2)] == ["1", "2"]
    assert [event.id for event in await two.claim(2)] == ["3"]
    assert list(await one.claim(2)) == []


async def test_what_cannot_be_done_now_is_taken_again(store: Store) -> None:
    events = EventQueue(store)
    await events.accept(CUSTOMER)
    (taken,) = await events.claim()
    await events.retry_later(taken)
    assert list(await EventQueue(store).claim()) == [CUSTOMER]


async def test_a_repeat_that_comes_in_while_the_event_is_finished_is_not_acted_on(store: Store) -> None:
    events = EventQueue(store)
    await events.accept(CUSTOMER)
    (taken,) = await events.claim()
    text = (await store.marks("events")).popitem()
    await events.finish(taken)
    await store.put_mark("events", *text)
    assert list(await events.claim()) == []
    assert not await store.marks("events")


async def test_what_a_dead_replica_had_taken_is_taken_after_its_lease(tmp_path: Path) -> None:
    now = 1_763_000_000.0
    store = await open_store(f"sqlite:///{tmp_path / 'store.db'}", lambda: now)
    await EventQueue(store).accept(CUSTOMER)
    dead, alive = EventQueue(store, clock=lambda: now), EventQueue(store, clock=lambda: now)
    assert await dead.claim()
    now += LEASE_SECONDS - 1
    assert not await alive.claim()
    now += 2
    (taken,) = await alive.claim()
    await alive.finish(taken)
    now += REMEMBER_SECONDS - 1
    assert not await alive.accept(CUSTOMER)
    await store.close()


async def test_whoever_waits_is_woken(store: Store) -> None:
    events = EventQueue(store)
    waiting = asyncio.create_task(wait_for_event(events.accepted, 60))
    await asyncio.sleep(0)
    await events.accept(CUSTOMER)
    async with asyncio.timeout(60):
        await waiting
