"""Retries failed operations: after a few delays, or for as long as the store is unavailable."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from faqbot.errors import DeliveryError, StoreError

_T = TypeVar("_T")

DELAYS_SECONDS = (0.5, 1.5, 4.0)
# A loop whose store is unavailable tries again after this long.
STORE_RETRY_SECONDS = 1.0
_FIRST_SECONDS, _LONGEST_SECONDS = 0.5, 30.0


def backoff(
    attempt: int,
    *,
    first: float = _FIRST_SECONDS,
    longest: float = _LONGEST_SECONDS,
    chance: float | None = None,
) -> float:
    """Return the seconds to wait after failed attempt number `attempt`, counted from 0.

    They double from `first` up to `longest`. Jitter makes them up to half longer, so that replicas do not retry in
    step; `chance` (0 to 1) stands in for it in tests.
    """
    chance = random.random() if chance is None else chance
    return min(first * 2.0 ** min(attempt, 30), longest) * (1 + chance / 2)


async def retry(
    call: Callable[[], Awaitable[_T]],
    *,
    delays: Sequence[float] = DELAYS_SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
    on_retry: Callable[[DeliveryError, int], None] = lambda failure, attempt: None,
) -> _T:
    """Call `call`, and again after each of `delays` (made up to half longer by `jitter`) while it fails.

    Raises the last DeliveryError; a permanent one, and every other exception, at once. `on_retry` gets each failure
    that will be retried, with the number of the failed attempt, counted from 1.
    """
    for attempt, delay in enumerate(delays, 1):
        try:
            return await call()
        except DeliveryError as exc:
            if exc.permanent:
                raise
            on_retry(exc, attempt)
        await sleep(delay * (1 + jitter() / 2))
    return await call()


async def retry_until_available(
    step: Callable[[], Awaitable[_T]],
    *,
    on_unavailable: Callable[[StoreError], None] = lambda failure: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> _T:
    """Run one step of the store, and again for as long as the store is unavailable. Never raises StoreError."""
    attempt = 0
    while True:
        try:
            return await step()
        except StoreError as exc:
            on_unavailable(exc)
        await sleep(backoff(attempt, first=0.1, longest=2.0))
        attempt += 1
