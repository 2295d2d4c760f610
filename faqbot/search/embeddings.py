"""Embeddings client: fetches vectors of texts from an OpenAI-compatible endpoint and caches them in the store."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import numpy as np

from faqbot.errors import EmbeddingsError
from faqbot.runtime.log import EventLog
from faqbot.search.arrays import Floats
from faqbot.settings import Settings
from faqbot.store.protocol import DocumentStore

log = EventLog(__name__)

# Texts in one request; endpoints limit them.
_BATCH_SIZE = 64
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)
# Limit for the vector of a question, so that the answer is not delayed; without it terms alone decide.
QUESTION_SECONDS = 0.8


class Embeddings:
    """Fetches vectors, of length 1, of one model from one endpoint."""

    def __init__(self, session: aiohttp.ClientSession, url: str, model: str, key: str, store: DocumentStore) -> None:
        self._session = session
        self._url = _endpoint(url)
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._store = store
        self._failing = False
        # Dimensions of the vectors of the wordings, 0 before there are any.
        self._dimensions = 0

    async def of_wordings(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of all texts, one row each; only those not in the store are fetched.

        Raises EmbeddingsError.
        """
        keys = {text: self._key(text) for text in texts}
        known = dict(await self._store.vectors(list(keys.values())))
        missing = [text for text, key in keys.items() if key not in known]
        for start in range(0, len(missing), _BATCH_SIZE):
            batch = missing[start : start + _BATCH_SIZE]
            fetched = await self._fetch(batch)
            new = {keys[text]: row.tobytes() for text, row in zip(batch, fetched, strict=True)}
            await self._store.put_vectors(new)
            known |= new
        rows = [np.frombuffer(known[keys[text]], dtype=np.float32) for text in texts]
        if len({len(row) for row in rows}) > 1:
            raise EmbeddingsError("the vectors differ in length; did the model change behind its name?")
        self._dimensions = len(rows[0]) if rows else 0
        return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)

    async def of_question(self, text: str, seconds: float = QUESTION_SECONDS) -> Floats | None:
        """Return the vector of one question, or None if the endpoint is slow, down or uses another model.

        The first failure of several in a row is logged.
        """
        try:
            async with asyncio.timeout(seconds):
                vector = (await self._fetch([text]))[0]
            if self._dimensions and len(vector) != self._dimensions:
                raise EmbeddingsError("the vector of a question is not as long as those of the wordings")
        except (EmbeddingsError, TimeoutError) as exc:
            if not self._failing:
                log.warning("embeddings.unavailable", reason=str(exc) or type(exc).__name__)
            self._failing = True
            return None
        self._failing = False
        return vector

    async def _fetch(self, texts: Sequence[str]) -> list[Floats]:
        body = {"model": self._model, "input": list(texts)}
        try:
            async with self._session.post(self._url, json=body, headers=self._headers, timeout=_TIMEOUT) as response:
                status, raw = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise EmbeddingsError(f"the endpoint cannot be reached ({type(exc).__name__})") from exc
        if status != 200:
            raise EmbeddingsError(f"the endpoint answered HTTP {status}")
        try:
            answer: Any = json.loads(raw)
            rows = sorted(answer["data"], key=lambda row: int(row["index"]))
            vectors = [np.asarray(row["embedding"], dtype=np.float32) for row in rows]
        except (ValueError, KeyError, TypeError) as exc:
            raise EmbeddingsError("the endpoint's answer is not in the form of OpenAI's embeddings") from exc
        usable = all(v.ndim == 1 and len(v) and np.isfinite(v).all() and v.any() for v in vectors)
        if len(vectors) != len(texts) or not usable:
            raise EmbeddingsError("the endpoint's answer does not hold one vector for each text")
        return [vector / np.linalg.norm(vector) for vector in vectors]

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self._url}\0{self._model}\0{text}".encode()).hexdigest()


def open_embeddings(settings: Settings, session: aiohttp.ClientSession, store: DocumentStore) -> Embeddings | None:
    """Build the client of the configured endpoint; None where none is configured."""
    if not settings.embeddings_url:
        return None
    return Embeddings(session, settings.embeddings_url, settings.embeddings_model, settings.embeddings_key, store)


def _endpoint(url: str) -> str:
    """Complete the address if only the root of the API is given."""
    if url.endswith("/embeddings"):
        return url
    return f"{url}/embeddings" if url.endswith("/v1") else f"{url}/v1/embeddings"
