"""Loops: when a step is run again, and what a failure does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from faqbot.errors import StoreError
from faqbot.runtime.loops import run_on_change, run_periodically, wait_for_event
from faqbot.runtime.retry import STORE_RETRY_SECONDS

# -- run_periodically ------------------------------------------------------------------------------


async def looked(*results: float | Exception, error_delay: float = 7.0) -> tuple[list[float], list[Exception]]:
    """The pauses after looks that end so, and the failures that were told of."""
    pauses: list[float] = []
    told: list[Exception] = []
    left = list(results)

    async def look() -> float:
        result = left.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async def wait(seconds: float) -> None:
        pauses.append(seconds)
        if not left:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await run_periodically(look, told.append, error_delay=error_delay, wait=wait)
    return pauses, told


async def test_each_look_says_when_the_next_one_is() -> None:
    assert await looked(3.0, 0.5, 60.0) == ([3.0, 0.5, 60.0], [])


async def test_a_store_that_is_away_is_asked_again_soon_and_nobody_is_told() -> None:
    assert await looked(StoreError("away"), StoreError("away"), 3.0) == (
        [STORE_RETRY_SECONDS, STORE_RETRY_SECONDS, 3.0],
        [],
    )


async def test_a_look_that_breaks_is_told_and_does_not_end_the_loop() -> None:
    broken = ValueError("broken")
    assert await looked(broken, 3.0, error_delay=7.0) == ([7.0, 3.0], [broken])


async def test_a_waker_ends_a_long_pause_once() -> None:
    wake = asyncio.Event()
    wake.set()
    async with asyncio.timeout(60):
        await wait_for_event(wake, 3600)
        assert not wake.is_set()
        asyncio.get_running_loop().call_later(0.01, wake.set)
        await wait_for_event(wake, 3600)


async def test_without_a_waker_the_pause_ends_by_itself() -> None:
    await wait_for_event(asyncio.Event(), 0.001)


# -- run_on_change -----------------------------------------------------------------------------


class Watched:
    """A state and a clock that a test moves, and an action that fails as told."""

    def __init__(self) -> None:
        self.state, self.now = "v1", 0.0
        self.failures: list[Exception] = []
        self.logged: list[Exception] = []
        self.seen: list[tuple[str, float]] = []

    async def act(self) -> None:
        self.seen.append((self.state, self.now))
        if self.failures:
            raise self.failures.pop(0)

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not done():
                await asyncio.sleep(0.001)


async def test_an_action_runs_at_the_start_on_a_change_and_when_the_last_is_old() -> None:
    watched = Watched()
    loop = asyncio.create_task(
        run_on_change(
            watched.act,
            lambda: watched.state,
            watched.logged.append,
            clock=lambda: watched.now,
            interval=0.001,
            max_age=60,
        )
    )
    await watched.until(lambda: len(watched.seen) == 1)
    watched.state = "v2"
    await watched.until(lambda: len(watched.seen) == 2)
    watched.now = 59.0
    await asyncio.sleep(0.02)
    assert len(watched.seen) == 2
    watched.now = 60.0
    await watched.until(lambda: len(watched.seen) == 3)
    loop.cancel()
    assert watched.seen == [("v1", 0.0), ("v2", 0.0), ("v2", 60.0)] and not watched.logged


async def test_an_action_that_failed_is_run_again_without_a_change() -> None:
    watched, broken = Watched(), ValueError("broken")
    watched.failures = [broken]
    loop = asyncio.create_task(
        run_on_change(
            watched.act, lambda: watched.state, watched.logged.append, clock=lambda: watched.now, interval=0.001
        )
    )
    await watched.until(lambda: len(watched.seen) == 2)
    await asyncio.sleep(0.02)
    loop.cancel()
    assert len(watched.seen) == 2 and watched.logged == [broken]
