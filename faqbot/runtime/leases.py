"""Work that one replica does at a time: under a lease that is short, and renewed for as long as the replica lives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from faqbot.errors import StoreError
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import LEASE_PREFIX, ClaimStore

log = EventLog(__name__)

# What a dead replica was at is taken over after so long.
LEASE_SECONDS = 20.0
# A lease is renewed so often in its time; the first renewals may fail.
_RENEWALS = 4
# A library that waits with a timeout can swallow a cancellation.
_CANCEL_SECONDS = 0.5


async def under_lease(
    store: ClaimStore, key: str, work: Callable[[], Awaitable[None]], *, lease: float = LEASE_SECONDS
) -> bool:
    """Whether the work was done. Raises what it raises, and StoreError.

    False where another has the lease, or may have it because it could not be renewed in time (a process that stood
    still): the work was stopped then.
    """
    claim = f"{LEASE_PREFIX}{key}"
    until = time.monotonic() + lease
    if not await store.claim(claim, lease):
        return False
    doing = asyncio.ensure_future(work())
    try:
        while time.monotonic() < until:
            if (await asyncio.wait({doing}, timeout=lease / _RENEWALS))[0]:
                await doing
                return True
            # The lease begins when the store is asked, not when its answer comes.
            asked = time.monotonic()
            if asked >= until:
                # By now it may be another's, and the store would prolong that.
                break
            with suppress(StoreError):
                until = asked + lease if await store.prolong(claim, lease) else 0.0
        log.warning("lease.lost", key=key)
        return False
    finally:
        while not doing.done():
            doing.cancel()
            await asyncio.wait({doing}, timeout=_CANCEL_SECONDS)
        # Another may go on at once; but what was lost is another's.
        if time.monotonic() < until:
            with suppress(StoreError):
                await store.release(claim)
