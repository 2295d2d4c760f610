"""Runs a step again and again: on time, on a wake-up, after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from faqbot.errors import StoreError
from faqbot.runtime.retry import AWAY_SECONDS


async def keep_looking(
    look: Callable[[], Awaitable[float]],
    failed: Callable[[Exception], None],
    *,
    broken: float,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Call `look` until cancelled, each time after the seconds it asked for, or `broken` seconds after a failure.

    `failed` is told of every failure but a StoreError. `wait` may come back earlier.
    """
    while True:
        try:
            pause = await look()
        except StoreError:
            # The inbox says so; here it is only tried again.
            pause = AWAY_SECONDS
        except Exception as exc:
            # The edge of a loop that must not end.
            failed(exc)
            pause = broken
        await wait(pause)


async def until_woken(wake: asyncio.Event, seconds: float) -> None:
    """Wait until somebody sets `wake`, at most so long; it can be set again from then on."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()
    wake.clear()
