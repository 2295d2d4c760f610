"""Events from other systems on their way to the rules: written down before they are acknowledged, each taken up once.

Whoever takes one has a lease on it; what a killed replica had taken is taken again after that, so that acting on an
event must be repeatable.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Protocol

from faqbot.model.notices import Event
from faqbot.runtime.loops import wait_for_event
from faqbot.store.protocol import LEASE_PREFIX, ClaimStore, MarkStore, NoteStore

# Acting on an event has leases of its own; this one only keeps two replicas from taking the same at once.
LEASE_SECONDS = 30.0
# A repeat of an event is known so long after it was acted on.
REMEMBER_SECONDS = 7 * 86400.0
_WAITING = "events"


class EventStore(ClaimStore, NoteStore, MarkStore, Protocol):
    """The roles of the store that hold waiting events."""


class EventQueue:
    """The queue that all replicas share. `clock` is epoch seconds. Every method raises StoreError."""

    def __init__(self, store: EventStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._taken: dict[str, float] = {}
        self._came = asyncio.Event()

    async def accept(self, event: Event) -> bool:
        """Write the event down; False for one that was accepted before. Once it returns nothing can lose the event."""
        key = _key(event)
        if await self._store.note(_done(key)) is not None:
            return False
        # First the record, then the claim: whoever is killed between them has promised nothing.
        await self._store.put_mark(_WAITING, key, json.dumps(asdict(event), ensure_ascii=False))
        new = await self._store.claim(f"event-new:{key}", REMEMBER_SECONDS)
        self._came.set()
        return new

    async def take(self, most: int = 20) -> Sequence[Event]:
        """The oldest events that nobody is working on; call `done` for each within LEASE_SECONDS."""
        now = self._clock()
        waiting = await self._store.marks(_WAITING)
        self._taken = {key: until for key, until in self._taken.items() if key in waiting and until > now}
        found: list[Event] = []
        events = {key: Event(**json.loads(text)) for key, text in waiting.items() if key not in self._taken}
        for key, event in sorted(events.items(), key=lambda item: item[1].at):
            if len(found) >= most:
                break
            if not await self._store.claim(f"{LEASE_PREFIX}event:{key}", LEASE_SECONDS):
                continue
            if await self._store.note(_done(key)) is not None:
                # A repeat came in while the event was being finished.
                await self._forget(key)
                continue
            self._taken[key] = now + LEASE_SECONDS
            found.append(event)
        return found

    async def done(self, event: Event) -> None:
        """The event was acted on; a repeat changes nothing from now on, and what it held is forgotten."""
        key = _key(event)
        await self._store.put_note(_done(key), "", REMEMBER_SECONDS)
        await self._forget(key)

    async def later(self, event: Event) -> None:
        """Let it be taken again, by whichever replica."""
        key = _key(event)
        self._taken.pop(key, None)
        await self._store.release(f"{LEASE_PREFIX}event:{key}")

    async def came(self, seconds: float) -> None:
        """Wait until this process has accepted one, at most so long."""
        await wait_for_event(self._came, seconds)

    async def _forget(self, key: str) -> None:
        await self._store.put_mark(_WAITING, key, None)
        await self._store.release(f"{LEASE_PREFIX}event:{key}")
        self._taken.pop(key, None)


def _key(event: Event) -> str:
    """The same for a repeat. The sender chose the id, so it may be anything."""
    return hashlib.sha256(f"{event.name}\n{event.id}".encode("utf-8", "replace")).hexdigest()[:32]


def _done(key: str) -> str:
    return f"event-done:{key}"
