"""Computes the vectors of texts for commands that compare by meaning."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from faqbot.embeddings.embeddings import Embeddings
from faqbot.embeddings.opening import open_encoder
from faqbot.errors import StartError
from faqbot.runtime.resources import open_session
from faqbot.search.arrays import Floats
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import VectorStore


async def embed_texts(settings: Settings, texts: Sequence[str], progress: Callable[[int], object]) -> Floats:
    """Return the vectors of the texts, one row each, and remember them in the configured store.

    `progress` is told how many there are. Raises EmbeddingsError, which is EncoderMissing without an encoder.
    """
    async with open_session(settings) as session, contextlib.AsyncExitStack() as stack:
        encoder = await open_encoder(settings, session)
        stack.callback(encoder.close)
        store = await stack.enter_async_context(_open_vector_store(settings))
        return await Embeddings(encoder, store).of_texts(texts, lambda ready, wanted: progress(ready))


@contextlib.asynccontextmanager
async def _open_vector_store(settings: Settings) -> AsyncIterator[VectorStore]:
    """Open the configured store; where that fails, for example in a read-only folder, vectors last for one command."""
    try:
        store = await open_store(settings.store)
    except StartError:
        yield _ForgetfulStore()
        return
    try:
        yield store
    finally:
        await store.close()


class _ForgetfulStore:
    """Implements VectorStore and keeps nothing."""

    async def vectors(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return {}

    async def put_vectors(self, vectors: Mapping[str, bytes]) -> None: ...

    async def vector_keys(self) -> Sequence[str]:
        return ()

    async def drop_vectors(self, keys: Sequence[str]) -> None: ...
