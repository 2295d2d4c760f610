"""Durable queue in the store: each key is processed once, by any replica, and kept until finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from faqbot.store.protocol import MarkStore, NoteStore


class QueueStore(MarkStore, NoteStore, Protocol):
    """The roles of the store that a queue needs."""


class DurableQueue:
    """Items wait as marks under `name`; the note `{done_prefix}:{key}` tells for `remember` seconds how an item ended.

    Every method raises StoreError.
    """

    def __init__(self, store: QueueStore, name: str, *, done_prefix: str, remember: float) -> None:
        self._store = store
        self._name = name
        self._done_prefix = done_prefix
        self._remember = remember

    async def put(self, key: str, text: str) -> bool:
        """Add an item, or replace the one that waits; return False, changing nothing, if the key was finished before.

        Once this returns the item survives the process.
        """
        if await self.outcome(key) is not None:
            return False
        await self._store.put_mark(self._name, key, text)
        return True

    async def waiting(self) -> Mapping[str, str]:
        """Return the texts of all unfinished items by key, also those that replicas are working on."""
        return await self._store.marks(self._name)

    async def outcome(self, key: str) -> str | None:
        """Return the text with which an item was finished; None for one that waits or is not known (any more)."""
        return await self._store.note(f"{self._done_prefix}:{key}")

    async def finish(self, key: str, outcome: str) -> None:
        """Record the outcome of an item and remove it.

        In this order: a process that dies in between leaves an item that is known to be finished, never a lost one.
        """
        await self._store.put_note(f"{self._done_prefix}:{key}", outcome, self._remember)
        await self.remove(key)

    async def remove(self, key: str) -> None:
        """Remove an item without an outcome."""
        await self._store.put_mark(self._name, key, None)
