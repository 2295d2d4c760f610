"""Leases: exclusive ownership of work by one replica, which passes to another if the owner dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from faqbot.errors import StoreError
from faqbot.runtime.log import EventLog
from faqbot.runtime.retry import backoff
from faqbot.store.protocol import LEASE_PREFIX, ClaimStore, NoteStore

log = EventLog(__name__)

# The work of a dead replica can be taken over after this long.
LEASE_SECONDS = 20.0
# The heartbeat renews a lease this many times within its duration, so that the first renewals may fail.
_HEARTBEATS_PER_LEASE = 4
# A library that waits with a timeout can swallow a cancellation, so the cancellation is repeated after this long.
_CANCEL_SECONDS = 0.5


class OnceStore(ClaimStore, NoteStore, Protocol):
    """The roles of the store that `run_once` needs."""


async def run_under_lease(
    store: ClaimStore, key: str, work: Callable[[], Awaitable[None]], *, lease: float = LEASE_SECONDS
) -> bool:
    """Run `work` while holding the lease `key`; return True if it ended, False if another replica holds the lease.

    A heartbeat renews the lease. If it cannot be renewed in time (the store is unavailable, or this process stood
    still), `work` is cancelled before another replica can begin, and the result is False.
    Raises StoreError and whatever `work` raises.
    """
    claim = f"{LEASE_PREFIX}{key}"
    expires = time.monotonic() + lease
    if not await store.claim(claim, lease):
        return False
    task = asyncio.ensure_future(work())
    try:
        while time.monotonic() < expires:
            if (await asyncio.wait({task}, timeout=lease / _HEARTBEATS_PER_LEASE))[0]:
                await task
                return True
            # The lease begins when the store is asked, not when its answer comes.
            requested_at = time.monotonic()
            if requested_at >= expires:
                # Another replica may hold it by now, and the store would prolong that replica's lease.
                break
            with suppress(StoreError):
                expires = requested_at + lease if await store.prolong(claim, lease) else 0.0
        log.warning("lease.lost", key=key)
        return False
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CANCEL_SECONDS)
        # Release it, so that another replica need not wait for the end; but never a lease that may be another's.
        if time.monotonic() < expires:
            with suppress(StoreError):
                await store.release(claim)


async def run_when_free(store: ClaimStore, key: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` under the lease `key`, waiting for as long as another holder has it. Raises as `run_under_lease`."""
    attempt = 0
    while not await run_under_lease(store, key, work):
        await asyncio.sleep(backoff(attempt, first=0.1, longest=1.0))
        attempt += 1


async def run_once(
    store: OnceStore,
    key: str,
    work: Callable[[], Awaitable[str]],
    *,
    done_note: str,
    remember: float,
    lease: float = LEASE_SECONDS,
) -> bool:
    """Run `work` under the lease `key` unless it is done already; return False while another replica holds the lease.

    `work` returns the text of the note `done_note`, which marks it as done for all replicas for `remember` seconds.
    A replica that dies before that note is written leaves the work to the next holder of the lease, so `work` must be
    repeatable. Raises StoreError and whatever `work` raises.
    """

    async def work_unless_done() -> None:
        # The previous holder may have finished just as its lease expired.
        if await store.note(done_note) is None:
            await store.put_note(done_note, await work(), remember)

    return await run_under_lease(store, key, work_unless_done, lease=lease)


@asynccontextmanager
async def hold_lease(store: ClaimStore, key: str, seconds: float) -> AsyncIterator[bool]:
    """Hold the lease `key` without a heartbeat; yield False if another replica holds it.

    Use it for work that is bounded in time and must not be cancelled. The lease is released at the end unless
    `seconds` have passed, since another replica may hold it by then. Raises StoreError.
    """
    claim = f"{LEASE_PREFIX}{key}"
    expires = time.monotonic() + seconds
    if not await store.claim(claim, seconds):
        yield False
        return
    try:
        yield True
    finally:
        if time.monotonic() < expires:
            await store.release(claim)
