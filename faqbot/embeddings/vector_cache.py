"""Vectors of many texts: taken from memory and from the store, encoded only where they are in neither."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from faqbot.embeddings.encoder import TextEncoder
from faqbot.errors import EmbeddingsError
from faqbot.search.arrays import Floats
from faqbot.store.protocol import VectorStore

# Vectors read or deleted in one step of the store, which others wait for.
_STORE_BATCH_SIZE = 256
# Vectors of texts that exist no more are kept up to the number of those that do, and this many: an edit that is taken
# back, or another knowledge folder with the same store, costs nothing then.
_SPARE_VECTORS = 1000

# Is told how many vectors there are, and of how many.
Progress = Callable[[int, int], object]


class VectorCache:
    """The vectors of one encoder, kept in the store, so that a text is encoded once."""

    def __init__(self, encoder: TextEncoder, store: VectorStore) -> None:
        self._encoder = encoder
        self._store = store
        # The texts of the last call, and their rows.
        self._rows: Mapping[str, int] = {}
        self._vectors: Floats = np.zeros((0, 0), dtype=np.float32)

    @property
    def dimensions(self) -> int:
        """Length of the vectors of the last call; 0 before there was one."""
        return self._vectors.shape[1] if len(self._vectors) else 0

    async def of_texts(self, texts: Sequence[str], progress: Progress) -> Floats:
        """Return the vectors of all texts, one row each. Each batch is stored at once, so that a restart goes on there.

        Raises EmbeddingsError, StoreError.
        """
        wanted = list(dict.fromkeys(texts))
        found = {text: self._vectors[self._rows[text]] for text in wanted if text in self._rows}
        keys: dict[str, str] = {}
        for part in _parts([text for text in wanted if text not in found], _STORE_BATCH_SIZE):
            of_part = {self._key(text): text for text in part}
            keys |= {text: key for key, text in of_part.items()}
            stored = await self._store.vectors(list(of_part))
            found |= {of_part[key]: np.frombuffer(vector, dtype=np.float32) for key, vector in stored.items()}
        missing = [text for text in wanted if text not in found]
        progress(len(found), len(wanted))
        while missing:
            # The size of a batch may have shrunk.
            batch = missing[: self._encoder.batch_size]
            missing = missing[len(batch) :]
            vectors = await self._encoder.encode(batch)
            await self._store.put_vectors({keys[t]: row.tobytes() for t, row in zip(batch, vectors, strict=True)})
            found |= zip(batch, vectors, strict=True)
            progress(len(found), len(wanted))
        self._vectors = await asyncio.to_thread(_stack, wanted, found)
        self._rows = rows = {text: row for row, text in enumerate(wanted)}
        await self._drop_unused(wanted)
        if len(texts) == len(wanted):
            return self._vectors
        return await asyncio.to_thread(self._vectors.take, [rows[text] for text in texts], 0)

    async def count_stored(self, texts: Collection[str]) -> int:
        """Return how many of the texts have a vector in the store. Raises StoreError."""
        keys = [self._key(text) for text in dict.fromkeys(texts)]
        return sum([len(await self._store.vectors(part)) for part in _parts(keys, _STORE_BATCH_SIZE)])

    async def _drop_unused(self, texts: Sequence[str]) -> None:
        """Delete the vectors of other texts and other encoders from the store, once there are too many of them."""
        stored = await self._store.vector_keys()
        if len(stored) <= 2 * len(texts) + _SPARE_VECTORS:
            return
        used = await asyncio.to_thread(lambda: {self._key(text) for text in texts})
        for part in _parts([key for key in stored if key not in used], _STORE_BATCH_SIZE):
            await self._store.drop_vectors(part)

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self._encoder.model}\0{text}".encode("utf-8", "replace")).hexdigest()


def _stack(texts: Sequence[str], vectors: Mapping[str, Floats]) -> Floats:
    """Return the vectors of the texts as rows. Raises EmbeddingsError."""
    dimensions = {len(vector) for vector in vectors.values()} or {0}
    if len(dimensions) > 1:
        raise EmbeddingsError("the vectors differ in length; did the model change behind its name?")
    stacked = np.empty((len(texts), *dimensions), dtype=np.float32)
    # Copied row by row, other threads get their turn between; np.stack would hold them up.
    for row, text in enumerate(texts):
        stacked[row] = vectors[text]
    return stacked


def _parts(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
