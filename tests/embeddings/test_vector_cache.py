"""Vectors of many texts are computed once, also over restarts, and those of texts that are gone do not pile up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from faqbot.embeddings.vector_cache import VectorCache
from faqbot.errors import EmbeddingsError
from faqbot.search.arrays import Floats
from faqbot.store.protocol import Store


class Lengths:
    """An encoder whose vectors tell how long a text is; it fails at `broken_at`."""

    label = "测试"

    def __init__(self, model: str = "lengths", dimensions: int = 4, batch_size: int = 8) -> None:
        self.model, self.dimensions, self.batch_size = model, dimensions, batch_size
        self.batches: list[Sequence[str]] = []
        self.broken_at = ""

    async def encode(self, texts: Sequence[str]) -> Floats:
        if self.broken_at in texts:
            raise EmbeddingsError("broken")
        self.batches.append(list(texts))
        return np.stack([await self.encode_question(text) for text in texts])

    async def encode_question(self, text: str) -> Floats:
        vector = np.ones(self.dimensions, dtype=np.float32)
        vector[0] = len(text)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def close(self) -> None: ...

    @property
    def encoded(self) -> list[str]:
        return [text for batch in self.batches for text in batch]


def ignore(ready: int, wanted: int) -> None: ...


def texts(count: int, first: int = 0) -> list[str]:
    return ["问" * (n + 1) for n in range(first, first + count)]


async def test_the_rows_are_those_of_the_texts_also_of_the_same_one_twice(vectors: Store) -> None:
    encoder = Lengths()
    wanted = ["问问", "问", "问问", "问问问"]
    rows = await VectorCache(encoder, vectors).of_texts(wanted, ignore)
    assert np.allclose(rows, np.stack([await encoder.encode_question(text) for text in wanted]))
    assert encoder.encoded == ["问问", "问", "问问问"]


async def test_nothing_wanted_needs_nothing(vectors: Store) -> None:
    assert len(await VectorCache(Lengths(), vectors).of_texts([], ignore)) == 0


async def test_only_new_texts_are_encoded_after_an_edit_and_after_a_restart(vectors: Store) -> None:
    encoder = Lengths()
    cache = VectorCache(encoder, vectors)
    first = await cache.of_texts(texts(20), ignore)
    edited = await cache.of_texts([*texts(19), "改过了"], ignore)
    assert encoder.encoded == [*texts(20), "改过了"] and (first[:19] == edited[:19]).all()
    again = Lengths()
    assert (await VectorCache(again, vectors).of_texts([*texts(20), "改过了"], ignore))[:20].tolist() == first.tolist()
    assert again.encoded == []


async def test_what_was_encoded_before_a_failure_is_not_encoded_again(vectors: Store) -> None:
    encoder = Lengths(batch_size=3)
    cache, wanted = VectorCache(encoder, vectors), texts(10)
    encoder.broken_at = wanted[7]
    with pytest.raises(EmbeddingsError):
        await cache.of_texts(wanted, ignore)
    assert await cache.count_stored(wanted) == 6
    encoder.broken_at = ""
    await cache.of_texts(wanted, ignore)
    assert encoder.encoded == wanted


async def test_the_progress_begins_with_what_is_there_and_ends_with_all(vectors: Store) -> None:
    told: list[tuple[int, int]] = []
    cache = VectorCache(Lengths(batch_size=4), vectors)
    await cache.of_texts(texts(4), ignore)
    await cache.of_texts(texts(10), lambda ready, wanted: told.append((ready, wanted)))
    assert told == [(4, 10), (8, 10), (10, 10)]


async def test_a_batch_size_that_shrinks_holds_for_the_next_batch(vectors: Store) -> None:
    encoder = Lengths(batch_size=8)
    await VectorCache(encoder, vectors).of_texts(texts(16), lambda ready, wanted: setattr(encoder, "batch_size", 4))
    assert [len(batch) for batch in encoder.batches] == [4] * 4


async def test_another_model_has_vectors_of_its_own(vectors: Store) -> None:
    await VectorCache(Lengths("a"), vectors).of_texts(["年假"], ignore)
    other = Lengths("b")
    await VectorCache(other, vectors).of_texts(["年假"], ignore)
    assert other.encoded == ["年假"]


async def test_vectors_of_two_lengths_are_an_error(vectors: Store) -> None:
    await VectorCache(Lengths(dimensions=4), vectors).of_texts(["年假"], ignore)
    with pytest.raises(EmbeddingsError, match="length"):
        await VectorCache(Lengths(dimensions=5), vectors).of_texts(["年假", "病假"], ignore)


async def test_vectors_of_texts_that_are_gone_are_dropped_before_they_pile_up(vectors: Store) -> None:
    cache = VectorCache(Lengths(batch_size=500), vectors)
    for edit in range(8):
        await cache.of_texts([f"第 {edit} 版的问法 {n}" for n in range(300)], ignore)
        stored = await vectors.vector_keys()
        assert len(stored) <= 2 * 300 + 1000
    last = [f"第 7 版的问法 {n}" for n in range(300)]
    again = Lengths()
    await VectorCache(again, vectors).of_texts(last, ignore)
    assert again.encoded == [], "those in use are kept"
