"""Runs a step repeatedly, at intervals, on a wake-up or on a change; logs failures and continues."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress

from faqbot.errors import StoreError
from faqbot.runtime.retry import STORE_RETRY_SECONDS


async def run_periodically(
    poll: Callable[[], Awaitable[float]],
    on_error: Callable[[Exception], None],
    *,
    error_delay: float,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Call `poll` until cancelled, each time after the seconds it returned, or `error_delay` seconds after a failure.

    Every failure except a StoreError is passed to `on_error`. `wait` may return early.
    """
    task = asyncio.current_task()
    assert task is not None
    # The awaited step may swallow a cancellation; the task still knows that there was one.
    while not task.cancelling():
        try:
            seconds = await poll()
        except StoreError:
            # The inbox logs that the store is unavailable; this loop only tries again.
            seconds = STORE_RETRY_SECONDS
        except Exception as exc:
            # The edge of a loop that must not end.
            on_error(exc)
            seconds = error_delay
        await wait(seconds)


async def run_on_change(
    action: Callable[[], Awaitable[None]],
    state: Callable[[], object],
    on_error: Callable[[Exception], None],
    *,
    clock: Callable[[], float],
    interval: float = 1.0,
    max_age: float = math.inf,
) -> None:
    """Call `action` until cancelled: at the start, when `state()` differs from that of the last call, and at least
    every `max_age` seconds of `clock`.

    The state is compared every `interval` seconds. A call that fails is repeated after `interval`.
    """
    last: tuple[object, float] | None = None

    async def poll() -> float:
        nonlocal last
        current, now = state(), clock()
        if last is None or current != last[0] or now - last[1] >= max_age:
            await action()
            last = current, now
        return interval

    await run_periodically(poll, on_error, error_delay=interval)


async def wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Wait until `event` is set, but no longer than `seconds`; then clear it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()
