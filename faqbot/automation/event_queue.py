"""The queue of events from other systems: each is stored before it is acknowledged, and claimed by one replica.

What a dead replica had claimed is claimed again after the lease, so acting on an event must be repeatable.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from faqbot.model.notices import Event
from faqbot.runtime.durable_queue import DurableQueue, QueueStore
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import LEASE_PREFIX, ClaimStore

# The lease has no heartbeat: the rules have leases of their own, this one only keeps two replicas from claiming the
# same event at once.
LEASE_SECONDS = 30.0
# A repeat of an event is recognised for this long after the event was finished.
REMEMBER_SECONDS = 7 * 86400.0
# An event that could not be finished is claimed again by this replica after this long, by others at once.
_RETRY_SECONDS = 2.0


class EventStore(QueueStore, ClaimStore, Protocol):
    """The roles of the store that hold events and claims on them."""


class EventQueue:
    """`accepted` is set when this process accepts an event. `clock` is epoch seconds. Methods raise StoreError."""

    def __init__(self, store: EventStore, *, clock: Callable[[], float] = time.time) -> None:
        self.accepted = asyncio.Event()
        self._store = store
        self._queue = DurableQueue(store, "events", done_prefix="event-done", remember=REMEMBER_SECONDS)
        self._clock = clock
        self._not_before: dict[str, float] = {}  # when this replica may claim an event again

    async def accept(self, event: Event) -> bool:
        """Store the event; return False if it was accepted before. Once this returns it cannot be lost."""
        key = _key(event)
        # First store it, then claim its key: a process that dies in between has promised nothing to the sender.
        if not await self._queue.put(key, to_json(event)):
            return False
        new = await self._store.claim(f"event-new:{key}", REMEMBER_SECONDS)
        self.accepted.set()
        return new

    async def claim(self, limit: int = 20) -> Sequence[Event]:
        """Claim the oldest events that no replica works on. Finish each of them within LEASE_SECONDS."""
        now = self._clock()
        waiting = await self._queue.waiting()
        self._not_before = {key: at for key, at in self._not_before.items() if key in waiting and at > now}
        events = {key: from_json(Event, text) for key, text in waiting.items() if key not in self._not_before}
        claimed: list[Event] = []
        for key, event in sorted(events.items(), key=lambda item: item[1].at):
            if len(claimed) >= limit:
                break
            if not await self._store.claim(_lease(key), LEASE_SECONDS):
                continue
            if await self._queue.outcome(key) is not None:
                # A repeat was accepted while the event was being finished.
                await self._queue.remove(key)
                await self._release(key)
                continue
            self._not_before[key] = now + LEASE_SECONDS
            claimed.append(event)
        return claimed

    async def finish(self, event: Event) -> None:
        """Delete an event that was acted on. From now on a repeat changes nothing."""
        key = _key(event)
        await self._queue.finish(key, "")
        await self._release(key)

    async def retry_later(self, event: Event) -> None:
        """Let an event that could not be finished be claimed again, by any replica."""
        key = _key(event)
        self._not_before[key] = self._clock() + _RETRY_SECONDS
        await self._store.release(_lease(key))

    async def _release(self, key: str) -> None:
        await self._store.release(_lease(key))
        self._not_before.pop(key, None)


def _key(event: Event) -> str:
    """Return the same key for a repeat. It is a hash, since the sender chose the id and it may be any text."""
    return hashlib.sha256(f"{event.name}\n{event.id}".encode("utf-8", "replace")).hexdigest()[:32]


def _lease(key: str) -> str:
    return f"{LEASE_PREFIX}event:{key}"
