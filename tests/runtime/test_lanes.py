"""Lanes: what runs side by side, what waits, what a failure does, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from faqbot.errors import StoreError
from faqbot.runtime.lanes import Lanes
from faqbot.runtime.retry import STORE_RETRY_SECONDS


class Sleep:
    """Rests until it is told that time has passed; `waits` are the seconds asked for."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)
        await self.over.wait()


class Errors(list[tuple[str, str]]):
    def __call__(self, key: str, exc: Exception) -> None:
        self.append((key, str(exc)))


@pytest.fixture
def sleep() -> Sleep:
    return Sleep()


@pytest.fixture
def errors() -> Errors:
    return Errors()


@pytest.fixture
async def lanes(sleep: Sleep, errors: Errors) -> AsyncIterator[Lanes]:
    made = Lanes(errors, error_delay=7.0, sleep=sleep)
    yield made
    await made.drain(0)


def work(result: float | Exception = 0.0, gate: asyncio.Event | None = None) -> Callable[[], Awaitable[float]]:
    async def run() -> float:
        if gate is not None:
            await gate.wait()
        if isinstance(result, Exception):
            raise result
        return result

    return run


async def test_lanes_run_side_by_side_and_are_free_afterwards(lanes: Lanes) -> None:
    gate = asyncio.Event()
    for key in "ab":
        lanes.start(key, work(gate=gate))
    await asyncio.sleep(0)
    assert lanes.running == 2 and not lanes.is_free("a") and lanes.is_free("c")
    gate.set()
    await lanes.idle()
    assert lanes.running == 0 and lanes.is_free("a")


@pytest.mark.parametrize(
    ("result", "seconds", "told"),
    [
        (3.0, 3.0, []),
        (StoreError("away"), STORE_RETRY_SECONDS, []),
        (ValueError("broken"), 7.0, [("a", "broken")]),
    ],
)
async def test_a_lane_rests_after_its_work(
    lanes: Lanes, sleep: Sleep, errors: Errors, result: float | Exception, seconds: float, told: list[tuple[str, str]]
) -> None:
    lanes.start("a", work(result))
    await lanes.idle()
    await asyncio.sleep(0)
    assert (sleep.waits, errors) == ([seconds], told) and not lanes.is_free("a") and lanes.is_free("b")
    sleep.over.set()
    await asyncio.sleep(0.01)
    assert lanes.is_free("a")


async def test_no_more_run_at_once_than_there_are_workers(errors: Errors) -> None:
    lanes, at_once, most = Lanes(errors, error_delay=1.0, workers=2), 0, 0

    async def count() -> float:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001)
        at_once -= 1
        return 0.0

    for number in range(10):
        lanes.start(str(number), count)
    await lanes.idle()
    assert most == 2


async def test_the_poll_is_repeated_when_a_lane_becomes_free_and_when_it_is_woken(lanes: Lanes) -> None:
    polls, gate = 0, asyncio.Event()

    async def poll() -> float:
        nonlocal polls
        polls += 1
        return 3600.0

    async def polled(times: int) -> None:
        async with asyncio.timeout(60):
            while polls < times:
                await asyncio.sleep(0.001)

    loop = asyncio.create_task(lanes.run(poll, lambda exc: None))
    await polled(1)
    lanes.wake()
    await polled(2)
    lanes.start("a", work(gate=gate))
    await asyncio.sleep(0.01)
    assert polls == 2
    gate.set()
    await polled(3)
    loop.cancel()


async def test_draining_waits_for_what_runs_and_then_cancels_it(lanes: Lanes) -> None:
    done: list[str] = []
    gate = asyncio.Event()

    async def finish() -> float:
        await asyncio.sleep(0.02)
        done.append("finished")
        return 0.0

    async def hang() -> float:
        try:
            await gate.wait()
        finally:
            done.append("cancelled")
        return 0.0

    lanes.start("a", finish)
    lanes.start("b", hang)
    await lanes.drain(0.2)
    assert done == ["finished", "cancelled"] and lanes.running == 0


async def test_draining_does_not_wait_for_lanes_that_rest(lanes: Lanes) -> None:
    lanes.start("a", work(3600.0))
    await lanes.idle()
    async with asyncio.timeout(60):
        await lanes.drain(60)
    assert lanes.is_free("a")


async def test_a_cancellation_that_is_swallowed_is_repeated(lanes: Lanes) -> None:
    async def deaf() -> float:
        for _ in range(2):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        return 0.0

    lanes.start("a", deaf)
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await lanes.drain(0)
    assert lanes.running == 0
