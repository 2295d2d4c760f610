"""Repeating what may work next time, and looking again and again for what is due. Chance and sleep come in as
arguments."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from faqbot.errors import DeliveryError

_T = TypeVar("_T")

DELAYS = (0.5, 1.5, 4.0)
_FIRST, _LONGEST = 0.5, 30.0
# While the store is away it is asked for so often.
STORE_RETRY_SECONDS = 1.0


def backoff(attempt: int, *, first: float = _FIRST, longest: float = _LONGEST, chance: float | None = None) -> float:
    """Seconds to wait after the failed attempt number `attempt` (from 0): doubling, up to half of it longer."""
    chance = random.random() if chance is None else chance
    return min(first * 2.0 ** min(attempt, 30), longest) * (1 + chance / 2)


async def retry(
    call: Callable[[], Awaitable[_T]],
    *,
    delays: Sequence[float] = DELAYS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> _T:
    """Repeat `call` after each delay, up to half of it longer; a permanent DeliveryError is raised at once."""
    for delay in delays:
        try:
            return await call()
        except DeliveryError as exc:
            if exc.permanent:
                raise
        await sleep(delay * (1 + jitter() / 2))
    return await call()
