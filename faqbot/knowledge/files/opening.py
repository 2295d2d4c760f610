"""Opens the file source that the settings name: a folder, or the replicated text seeded from it."""

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


def open_source(settings: Settings, store: Store) -> KnowledgeSource:
    """Open the source of a running bot; changes in its folder are shared with the other replicas."""
    folder = FolderSource(settings.knowledge)
    if store.shared_texts is None:
        return folder
    place = f"{socket.gethostname()}:{settings.knowledge.resolve()}"
    return ReplicatedSource(store.shared_texts, folder, place=place)


async def source_beside(settings: Settings, store: Store | None) -> KnowledgeSource:
    """Open the source of a running bot for another process: the shared text if there is any, else the folder.

    Raises StoreError.
    """
    texts = store.shared_texts if store is not None else None
    if texts is not None and await texts.version():
        return ReplicatedSource(texts)
    return FolderSource(settings.knowledge)


@contextlib.asynccontextmanager
async def live_source(settings: Settings) -> AsyncIterator[KnowledgeSource]:
    """Call source_beside() for a command that has no store open. Raises StartError, StoreError."""
    if settings.store.startswith("sqlite:"):
        yield FolderSource(settings.knowledge)
        return
    store = await open_store(settings.store)
    try:
        yield await source_beside(settings, store)
    finally:
        await store.close()
