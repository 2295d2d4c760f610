"""Which shelf the settings mean: the folder, or the text that replicas share, with the folder as its seed."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.files.replicated import ReplicatedSource
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store

KnowledgeSource = FolderSource | ReplicatedSource


def shelf_of(settings: Settings, store: Store) -> KnowledgeSource:
    """The shelf a running bot serves; what changes in its folder reaches the other replicas."""
    folder = FolderSource(settings.knowledge)
    if store.shared_texts is None:
        return folder
    place = f"{socket.gethostname()}:{settings.knowledge.resolve()}"
    return ReplicatedSource(store.shared_texts, folder, place=place)


async def shelf_beside(settings: Settings, store: Store | None) -> KnowledgeSource:
    """What the running bot answers from, for whoever looks at it from beside: the folder until there is shared text.

    Raises StoreError.
    """
    texts = store.shared_texts if store is not None else None
    if texts is not None and await texts.version():
        return ReplicatedSource(texts)
    return FolderSource(settings.knowledge)


@contextlib.asynccontextmanager
async def live_shelf(settings: Settings) -> AsyncIterator[KnowledgeSource]:
    """shelf_beside() for a command that has no store open. Raises StartError, StoreError."""
    if settings.store.startswith("sqlite:"):
        yield FolderSource(settings.knowledge)
        return
    store = await open_store(settings.store)
    try:
        yield await shelf_beside(settings, store)
    finally:
        await store.close()
