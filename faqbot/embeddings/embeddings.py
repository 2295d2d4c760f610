"""Vectors for the rest of the bot: of the wordings in the background, of a question within a time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence

from faqbot.embeddings.encoder import QUESTION_SECONDS, TextEncoder
from faqbot.embeddings.vector_cache import Progress, VectorCache
from faqbot.errors import EmbeddingsError, EncoderBusy
from faqbot.language.sentence_splitting import main_question
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.search.arrays import Floats
from faqbot.store.protocol import VectorStore

log = EventLog(__name__)

# Vectors of the last questions, because many people ask the same; 1.5 KB each.
_REMEMBERED_QUESTIONS = 512
# Pause between two lines in the log about the progress of the vectors.
_REPORT_SECONDS = 30.0


class Embeddings:
    """Gives vectors of one encoder, and says in the log and in the metrics how far it is."""

    def __init__(
        self,
        encoder: TextEncoder,
        store: VectorStore,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._encoder = encoder
        self._cache = VectorCache(encoder, store)
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._failing = False
        self._remembered: dict[str, Floats] = {}

    @property
    def label(self) -> str:
        """The name of the encoder, for people."""
        return self._encoder.label

    async def of_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return the vectors of all texts, one row each; only those in neither memory nor store are encoded.

        Raises EmbeddingsError, StoreError.
        """
        return await self._cache.of_texts(texts, progress or self._reporter())

    async def of_question(self, text: str, seconds: float = QUESTION_SECONDS) -> Floats | None:
        """Return the vector of a question; None if the encoder is slow, busy, broken or has another model now.

        What is only told around a question has no part in its vector. The first failure of several in a row is logged.
        """
        text = main_question(text)
        if (vector := self._remembered.get(text)) is not None:
            return vector
        try:
            async with asyncio.timeout(seconds):
                vector = await self._encoder.encode_question(text)
            if self._cache.dimensions not in (0, len(vector)):
                raise EmbeddingsError("the vector of a question is not as long as those of the wordings")
        except EncoderBusy:
            self._metrics.question_vectors.labels("busy").inc()
            return None
        except TimeoutError:
            self._metrics.question_vectors.labels("late").inc()
            self._note_failure(f"no vector within {seconds} seconds")
            return None
        except EmbeddingsError as exc:
            self._metrics.question_vectors.labels("failed").inc()
            self._note_failure(str(exc))
            return None
        self._metrics.question_vectors.labels("ready").inc()
        self._failing = False
        if len(self._remembered) >= _REMEMBERED_QUESTIONS:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[text] = vector
        return vector

    async def count_stored(self, texts: Collection[str]) -> int:
        """Return how many of the texts have a vector in the store. Raises StoreError."""
        return await self._cache.count_stored(texts)

    def close(self) -> None:
        """Stop the encoder."""
        self._encoder.close()

    def _note_failure(self, reason: str) -> None:
        if not self._failing:
            log.warning("embeddings.unavailable", reason=reason)
        self._failing = True

    def _reporter(self) -> Progress:
        """Return a function that shows the progress in the metrics, and now and then in the log."""
        last_report: float | None = None

        def report(ready: int, wanted: int) -> None:
            nonlocal last_report
            self._metrics.vectors.labels("ready").set(ready)
            self._metrics.vectors.labels("wanted").set(wanted)
            now = self._clock()
            if ready < wanted and (last_report is None or now - last_report >= _REPORT_SECONDS):
                last_report = now
                log.info("embeddings.progress", ready=ready, wanted=wanted, encoder=self._encoder.label)

        return report
