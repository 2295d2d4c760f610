"""Lease on the messages a worker has claimed; after it expires, other workers may take them over."""

from __future__ import annotations

import math
import os
import secrets
import socket
import time

from faqbot.errors import StoreError
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import InboxStore

log = EventLog(__name__)


class WorkerLease:
    """`owner` names this worker in the store, `seconds` is the duration of its lease."""

    def __init__(self, store: InboxStore, seconds: float) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.seconds = seconds
        self._store = store
        self._renewed_at = self._lapsed_at = -math.inf

    async def begin(self) -> None:
        """Raises StoreError."""
        requested_at = time.monotonic()
        await self._store.join(self.owner, self.seconds)
        self._renewed_at = requested_at

    async def renew(self) -> None:
        """Send the heartbeat. Raises StoreError."""
        requested_at = time.monotonic()
        is_held = await self._store.renew(self.owner, self.seconds)
        # The lease begins when the store is asked, not when its answer comes.
        self._renewed_at = requested_at
        if not is_held:
            log.warning("lease.lapsed", seconds=self.seconds)
            self._lapsed_at = time.monotonic()

    def covers(self, claimed_at: float) -> bool:
        """Return True if nobody can have taken over the messages claimed here at `claimed_at` (seconds of the monotonic
        clock). False means that only the store knows."""
        return claimed_at > self._lapsed_at and time.monotonic() - self._renewed_at < self.seconds

    async def end(self) -> None:
        """Let other workers take over the remaining messages without waiting for the lease to expire."""
        try:
            await self._store.leave(self.owner)
        except StoreError as exc:
            log.warning("lease.not_ended", reason=str(exc))
