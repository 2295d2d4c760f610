"""Client of an OpenAI-compatible embeddings endpoint; learns how many texts it takes in one request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import numpy as np

from faqbot.errors import EmbeddingsError, EncoderBusy
from faqbot.runtime.log import EventLog
from faqbot.runtime.retry import backoff
from faqbot.search.arrays import Floats

log = EventLog(__name__)

# Texts in the first request; endpoints that take fewer say so by refusing it.
_FIRST_BATCH_SIZE = 64
# Longer texts are cut: models read about 512 tokens, and some endpoints refuse more.
_MAX_CHARACTERS = 1000
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)
# Questions under way at the same time; more only wait for each other at the endpoint.
_MAX_QUESTIONS = 16
# By these an endpoint says that a request is too large: DashScope 400, others 413 or 422.
_TOO_LARGE = (400, 413, 422)
_TOO_MANY = 429
# Times a batch is sent before it is halved, or given up where it is a single text, because of 429.
_MAX_ATTEMPTS = 4
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0


class _Refused(EmbeddingsError):
    """The endpoint answered with an HTTP status that is not 200; `pause` is what it asked to wait, in seconds."""

    def __init__(self, status: int, pause: float) -> None:
        super().__init__(f"the endpoint answered HTTP {status}")
        self.status = status
        self.pause = pause


class EndpointEncoder:
    """Implements TextEncoder with one model of one endpoint."""

    label = "向量接口"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        model: str,
        key: str,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._url = _endpoint(url)
        self._name = model
        self.model = f"{self._url}\0{model}"
        self.batch_size = _FIRST_BATCH_SIZE
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._sleep = sleep
        self._questions = 0

    async def encode(self, texts: Sequence[str]) -> Floats:
        for attempt in range(_MAX_ATTEMPTS):
            try:
                return await self._fetch(texts)
            except _Refused as exc:
                refused = exc
            if refused.status in _TOO_LARGE and len(texts) > 1:
                self.batch_size = min(self.batch_size, len(texts) // 2)
                log.info("embeddings.smaller_batches", code=refused.status, texts=self.batch_size)
                return await self._encode_halves(texts)
            if refused.status != _TOO_MANY:
                raise refused
            pause = backoff(attempt, first=_FIRST_PAUSE_SECONDS, longest=_LONGEST_PAUSE_SECONDS)
            await self._sleep(max(pause, refused.pause))
        if len(texts) > 1:
            # Some endpoints count texts or tokens a minute, and one batch may be more than that.
            return await self._encode_halves(texts)
        raise EmbeddingsError("the endpoint answered HTTP 429 again and again")

    async def encode_question(self, text: str) -> Floats:
        if self._questions >= _MAX_QUESTIONS:
            raise EncoderBusy("too many questions wait for the endpoint")
        self._questions += 1
        try:
            vector: Floats = (await self._fetch([text]))[0]
            return vector
        finally:
            self._questions -= 1

    def close(self) -> None:
        """Do nothing: requests end with the session, which others use too."""

    async def _encode_halves(self, texts: Sequence[str]) -> Floats:
        middle = len(texts) // 2
        return np.concatenate([await self.encode(texts[:middle]), await self.encode(texts[middle:])])

    async def _fetch(self, texts: Sequence[str]) -> Floats:
        body = {"model": self._name, "input": [text[:_MAX_CHARACTERS] for text in texts]}
        try:
            async with self._session.post(self._url, json=body, headers=self._headers, timeout=_TIMEOUT) as response:
                status, pause, raw = response.status, response.headers.get("Retry-After", ""), await response.read()
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise EmbeddingsError(f"the endpoint cannot be reached ({type(exc).__name__})") from exc
        if status != 200:
            raise _Refused(status, min(float(pause), _LONGEST_PAUSE_SECONDS) if pause.isdecimal() else 0.0)
        return _read_vectors(raw, len(texts))


def _read_vectors(raw: bytes, count: int) -> Floats:
    """Read the vectors of an answer, in the order of the texts and with length 1. Raises EmbeddingsError."""
    try:
        answer: Any = json.loads(raw)
        rows = sorted(answer["data"], key=lambda row: int(row["index"]))
        vectors = [np.asarray(row["embedding"], dtype=np.float32) for row in rows]
    except (ValueError, KeyError, TypeError) as exc:
        raise EmbeddingsError("the endpoint's answer is not in the form of OpenAI's embeddings") from exc
    usable = all(v.ndim == 1 and len(v) and np.isfinite(v).all() and v.any() for v in vectors)
    if len(vectors) != count or not usable or len({len(v) for v in vectors}) > 1:
        raise EmbeddingsError("the endpoint's answer does not hold one vector for each text")
    stacked = np.stack(vectors)
    normalised: Floats = stacked / np.linalg.norm(stacked, axis=1, keepdims=True)
    return normalised


def _endpoint(url: str) -> str:
    """Complete the address if only the root of the API is given."""
    if url.endswith("/embeddings"):
        return url
    return f"{url}/embeddings" if url.endswith("/v1") else f"{url}/v1/embeddings"
