"""Storage of the outbox: notices wait until their outcome is recorded; keys are kept two weeks longer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from faqbot.model.notices import Address
from faqbot.outbox.queued_notice import FAILED_NOTICES, QueuedNotice, SendFailure, SendOutcome
from faqbot.runtime.durable_queue import DurableQueue, QueueStore
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import JournalStore

# A notice that is posted again within this time is known to be finished.
_REMEMBER_SECONDS = 14 * 86400.0


class NoticeStore(QueueStore, JournalStore, Protocol):
    """The roles of the store that `forget_notices` needs."""


class NoticeQueue:
    """Every method raises StoreError."""

    def __init__(self, store: QueueStore) -> None:
        self._queue = DurableQueue(store, "outbox", done_prefix="outbox", remember=_REMEMBER_SECONDS)
        self._parsed: dict[str, QueuedNotice] = {}

    async def put(self, queued: QueuedNotice) -> None:
        """Store the notice. One whose key is finished already changes nothing."""
        await self._queue.put(queued.notice.key, to_json(queued))

    async def waiting(self) -> dict[str, QueuedNotice]:
        """Return the notices that are not finished, by key."""
        texts = await self._queue.waiting()
        # A key stands for one text, so each needs parsing only once.
        self._parsed = {key: self._parsed.get(key) or from_json(QueuedNotice, text) for key, text in texts.items()}
        return self._parsed

    async def outcome(self, key: str) -> SendOutcome | None:
        """Return how sending a notice ended; None while it waits, or when it is not known (any more)."""
        text = await self._queue.outcome(key)
        return from_json(SendOutcome, text) if text else None

    async def finish(self, key: str, outcome: SendOutcome) -> None:
        """Record how sending a notice ended, and remove it."""
        await self._queue.finish(key, to_json(outcome))

    async def remove_finished(self, keys: Sequence[str]) -> bool:
        """Remove notices that were posted again while they were being sent; return whether there were any."""
        outcomes = await asyncio.gather(*map(self.outcome, keys))
        finished = [key for key, outcome in zip(keys, outcomes, strict=True) if outcome is not None]
        for key in finished:
            await self._queue.remove(key)
        return bool(finished)

    async def remove(self, key: str) -> None:
        """Remove a notice without an outcome."""
        await self._queue.remove(key)


async def forget_notices(store: NoticeStore, person: str, key_prefixes: Sequence[str] = ()) -> int:
    """Delete the notices that wait for a person or whose key has one of the prefixes; return how many there were.

    The person's failed notices are deleted from the journal as well. A notice that is being sent at this moment may
    still arrive. Raises StoreError.
    """
    address, queue = Address("person", person), NoticeQueue(store)
    keys = [
        key
        for key, queued in (await queue.waiting()).items()
        if key.startswith(tuple(key_prefixes)) or queued.notice.to == address
    ]
    for key in keys:
        await queue.remove(key)
    failures = await store.journal(FAILED_NOTICES, 0.0)
    numbers = [line.number for line in failures if from_json(SendFailure, line.text).to == address]
    await store.delete_lines(FAILED_NOTICES, numbers)
    return len(keys)
