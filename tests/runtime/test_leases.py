"""A lease: one does the work, for as long as it lives; then another can. Over both stores."""

from __future__ import annotations

import asyncio
import time

import pytest

from faqbot.errors import StoreError
from faqbot.runtime.leases import hold_lease, run_once, run_under_lease, run_when_free
from faqbot.store.protocol import Store

LEASE = 0.6


class Work:
    """Goes on until it is let go."""

    def __init__(self) -> None:
        self.begun = self.done = self.stopped = 0
        self.may_end = asyncio.Event()
        self.under_way = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        self.under_way.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        self.done += 1


async def test_work_that_outlives_the_lease_is_still_done_by_one(store: Store) -> None:
    mine, other = Work(), Work()
    at_it = asyncio.create_task(run_under_lease(store, "x", mine, lease=LEASE))
    await mine.under_way.wait()
    for _ in range(10):
        assert not await run_under_lease(store, "x", other, lease=LEASE)
        await asyncio.sleep(LEASE / 4)
    mine.may_end.set()
    assert await at_it
    assert (mine.done, other.begun) == (1, 0)


async def test_what_is_done_can_be_begun_again_at_once(store: Store) -> None:
    work = Work()
    work.may_end.set()
    assert await run_under_lease(store, "x", work, lease=30)
    assert await run_under_lease(store, "x", work, lease=30)
    assert work.done == 2


async def test_work_that_fails_frees_the_lease(store: Store) -> None:
    async def fail() -> None:
        raise ValueError("broken")

    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            await run_under_lease(store, "x", fail, lease=30)


async def test_a_shutdown_stops_the_work_and_frees_the_lease(store: Store) -> None:
    work, other = Work(), Work()
    at_it = asyncio.create_task(run_under_lease(store, "x", work, lease=30))
    await work.under_way.wait()
    at_it.cancel()
    await asyncio.wait({at_it})
    assert at_it.cancelled()
    assert work.stopped == 1
    other.may_end.set()
    assert await run_under_lease(store, "x", other, lease=30)


async def test_work_stops_when_another_may_have_its_lease(store: Store) -> None:
    work = Work()
    at_it = asyncio.create_task(run_under_lease(store, "x", work, lease=LEASE))
    await work.under_way.wait()
    # As if this process had stood still until the lease was over, and another had begun.
    await store.release("lease:x")
    assert not await at_it
    assert (work.done, work.stopped) == (0, 1)


async def test_who_stood_still_does_not_prolong_the_lease_of_whoever_took_over(store: Store) -> None:
    work = Work()

    async def stand_still() -> None:
        time.sleep(LEASE * 1.5)  # noqa: ASYNC251  the whole process
        taken.append(asyncio.create_task(store.claim("lease:x", 30)))
        await work()

    taken: list[asyncio.Task[bool]] = []
    async with asyncio.timeout(60):
        assert not await run_under_lease(store, "x", stand_still, lease=LEASE)
    assert await taken[0], "it was over"
    assert (work.done, work.stopped) == (0, 1)
    assert not await store.claim("lease:x", 30), "it is still the other's"


async def test_a_lease_that_was_lost_is_not_taken_from_its_new_holder(store: Store) -> None:
    class Gone:
        """The store as a process sees it whose lease ran out."""

        claim, release = store.claim, store.release

        async def prolong(self, key: str, ttl: float) -> bool:
            return False

    assert not await run_under_lease(Gone(), "x", Work(), lease=LEASE)
    assert not await store.claim("lease:x", 30)


async def test_work_stops_before_its_lease_is_over_while_the_store_is_away(store: Store) -> None:
    class Away:
        """Claims, and is away from then on."""

        claim = store.claim

        async def prolong(self, key: str, ttl: float) -> bool:
            raise StoreError("away")

        release = prolong

    work = Work()
    assert not await run_under_lease(Away(), "x", work, lease=LEASE)
    assert work.stopped == 1


# -- run_once, run_when_free, hold_lease ---------------------------------------------------------


async def test_what_is_done_once_is_not_done_again(store: Store) -> None:
    done: list[str] = []

    async def work() -> str:
        done.append("once")
        return "how it ended"

    for _ in range(2):
        assert await run_once(store, "x", work, done_note="x-done", remember=60)
    assert done == ["once"] and await store.note("x-done") == "how it ended"


async def test_what_another_does_now_is_not_begun_and_what_failed_is_done_again(store: Store) -> None:
    failures = [ValueError("broken")]

    async def work() -> str:
        if failures:
            raise failures.pop()
        return "done"

    await store.claim("lease:x", 30)
    assert not await run_once(store, "x", work, done_note="x-done", remember=60)
    await store.release("lease:x")
    with pytest.raises(ValueError, match="broken"):
        await run_once(store, "x", work, done_note="x-done", remember=60)
    assert await store.note("x-done") is None
    assert await run_once(store, "x", work, done_note="x-done", remember=60)


async def test_who_waits_for_a_lease_begins_once_it_is_free(store: Store) -> None:
    mine, other = Work(), Work()
    at_it = asyncio.create_task(run_under_lease(store, "x", mine, lease=30))
    await mine.under_way.wait()
    waiting = asyncio.create_task(run_when_free(store, "x", other))
    await asyncio.sleep(0.05)
    assert not other.begun
    other.may_end.set()
    mine.may_end.set()
    async with asyncio.timeout(60):
        await waiting
    assert await at_it and other.done == 1


async def test_a_lease_without_a_heartbeat_is_released_at_the_end_unless_it_is_over(store: Store) -> None:
    async with hold_lease(store, "x", 30) as held:
        assert held
        async with hold_lease(store, "x", 30) as again:
            assert not again
    async with hold_lease(store, "x", 0.1) as held:
        assert held
        await asyncio.sleep(0.15)
        assert await store.claim("lease:x", 30), "another goes on"
    assert not await store.claim("lease:x", 30), "it is still the other's"
