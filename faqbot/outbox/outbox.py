"""Outbox service: accepts notices, keeps them until DingTalk has accepted them, sends each key once.

One replica at a time sends in a lane, as DingTalk's limits are for all together; after the lease another takes it over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from faqbot.model.notices import Address, Notice
from faqbot.outbox.lane_sender import Channel, LaneSender
from faqbot.outbox.notice_queue import NoticeQueue, NoticeStore
from faqbot.outbox.queued_notice import Delay, QueuedNotice, SendOutcome, split_into_parts
from faqbot.runtime.lanes import Lanes
from faqbot.runtime.leases import hold_lease
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import ClaimStore

log = EventLog(__name__)

# The lease of a lane. It has no heartbeat, because a send must not be cancelled; a send ends before it.
LEASE_SECONDS = 30.0
# The poll interval. A live replica sends what it posted at once, so polling only finds the notices of a dead one.
POLL_SECONDS = 10.0
# A lane that another replica holds is tried again after this long.
_LEASE_RETRY_SECONDS = 1.0


class OutboxStore(NoticeStore, ClaimStore, Protocol):
    """The roles of the store that the outbox needs."""


class Outbox:
    """`channels` by kind of address; `clock` is epoch seconds.

    `earliest` returns when something that is due at a time may go to an address: a group may have quiet hours.
    """

    def __init__(
        self,
        store: OutboxStore,
        channels: Mapping[str, Channel],
        *,
        earliest: Callable[[Address, float], float] = lambda to, due: due,
        lease: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._lease = lease
        self._earliest = earliest
        self._clock = clock
        self._queue = NoticeQueue(store)
        self._sender = LaneSender(store, self._queue, channels, clock, sleep)
        self._lanes = Lanes(
            lambda lane, exc: log.error("outbox.lane_failed", cause=exc), error_delay=POLL_SECONDS, sleep=sleep
        )

    async def post(self, *notices: Notice) -> None:
        """Store the notices; once this returns they will be sent even if the process dies. Raises StoreError.

        A notice whose key is known already changes nothing. One that is too long for one message becomes several.
        """
        now = self._clock()
        parts = [part for notice in notices for part in split_into_parts(self._postponed(notice, now))]
        await asyncio.gather(*(self._queue.put(QueuedNotice(part, now, n)) for n, part in enumerate(parts)))
        self._lanes.wake()

    def _postponed(self, notice: Notice, now: float) -> Notice:
        due = max(notice.not_before, now)
        earliest = self._earliest(notice.to, due)
        return replace(notice, not_before=earliest) if earliest > due else notice

    async def outcome(self, key: str) -> SendOutcome | None:
        """Return how sending a notice ended, for two weeks; None while it waits. Raises StoreError."""
        return await self._queue.outcome(key)

    async def statuses(self, keys: Iterable[str]) -> dict[str, SendOutcome | Delay | None]:
        """Return for each notice the outcome of sending it, or its delay; None if it only waits for its turn, or if
        nothing is known of it. Raises StoreError."""
        waiting = await self._queue.waiting()
        return {key: await self.outcome(key) or await self._delay(waiting.get(key)) for key in keys}

    async def _delay(self, queued: QueuedNotice | None) -> Delay | None:
        if queued is None:
            return None
        closed_until = await self._sender.closed_until(queued.lane)
        until = max(queued.due, closed_until)
        return Delay(until, limited=closed_until > queued.due) if until > self._clock() else None

    async def waiting(self) -> Sequence[Notice]:
        """Return the notices that are not sent yet, oldest first. Raises StoreError."""
        return [queued.notice for queued in sorted((await self._queue.waiting()).values(), key=lambda q: q.order)]

    async def run(self) -> None:
        """Send the notices that are due, until cancelled."""
        await self._lanes.run(self.poll, lambda exc: log.error("outbox.failed", cause=exc))

    async def poll(self) -> float:
        """Start sending in each free lane that has something due; return the seconds until the next poll.

        Raises StoreError.
        """
        now = self._clock()
        waiting = await self._queue.waiting()
        ready_at: dict[str, float] = {}
        for queued in waiting.values():
            if self._lanes.is_free(queued.lane):
                ready = self._sender.ready_at(queued)
                ready_at[queued.lane] = min(ready, ready_at.get(queued.lane, ready))
        self._sender.forget_all_but(waiting)
        for lane, at in ready_at.items():
            if at <= now:
                self._lanes.start(lane, partial(self._send_next, lane))
        return min([POLL_SECONDS, *(at - now for at in ready_at.values() if at > now)])

    async def _send_next(self, lane: str) -> float:
        async with hold_lease(self._store, f"outbox:{lane}", self._lease) as is_held:
            if not is_held:
                return _LEASE_RETRY_SECONDS
            await self._sender.send_next(lane)
            return 0.0

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        await self._lanes.idle()

    async def drain(self, seconds: float) -> None:
        """Wait for the notices being sent; the next process sends those that are not done by then."""
        await self._lanes.drain(seconds)
