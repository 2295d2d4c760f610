"""What the built-in encoder costs a running bot: building the vectors, answers meanwhile, a restart, an edit, memory.

usage: OPENBLAS_NUM_THREADS=1 python tests/bench/encoder.py [ENTRIES]
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from faqbot.app.process import tune_process
from faqbot.app.running import Running, running
from faqbot.embeddings.builtin import BuiltInEncoder, load_engine
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.bench.reload import DATA, Heart, sleeper
from tests.conftest import Talk

_WORDINGS = 4
_QUESTION_PAUSE_SECONDS = 0.25
_FLOOD = 300


def read_texts(count: int) -> list[str]:
    with DATA.open(encoding="utf-8") as lines:
        texts = (json.loads(line)["question"].replace('"', "").replace("\\", "") for line in lines)
        return [text for text, _ in zip(texts, range(count), strict=False)]


def write_knowledge(folder: Path, texts: list[str]) -> None:
    """Entries of four wordings each, a hundred to a file."""
    (folder / "faq").mkdir(parents=True)
    groups = [texts[start : start + _WORDINGS] for start in range(0, len(texts), _WORDINGS)]
    for start in range(0, len(groups), 100):
        (folder / "faq" / f"{start:05}.yaml").write_text(
            "".join(
                f'- id: e{start + n}\n  question: "{first}"\n  also: {json.dumps(others, ensure_ascii=False)}\n'
                f"  answer: 这是第 {start + n} 条的答案。\n"
                for n, (first, *others) in enumerate(groups[start : start + 100])
            ),
            encoding="utf-8",
        )


def resident() -> float:
    """Megabytes of this process in memory."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def ask_until(done: asyncio.Event, talk: Talk, questions: list[str]) -> list[float]:
    """Ask one question after the other; how many milliseconds each answer took."""
    taken: list[float] = []
    for question in questions:
        if done.is_set() and len(taken) >= 40:
            break
        began = time.perf_counter()
        await talk("小李", question, group=None)
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(_QUESTION_PAUSE_SECONDS)
    return taken


def show(what: str, seconds: float, heart: Heart, taken: list[float], blamed: float) -> None:
    quantiles = statistics.quantiles(taken, n=100) if len(taken) > 1 else [0.0] * 99
    print(
        f"{what:26}{seconds:9.1f}{heart.longest * 1000:12.1f}{blamed * 1000:12.1f}{len(taken):8}{quantiles[49]:10.1f}"
        f"{quantiles[94]:9.1f}{max(taken, default=0):9.1f}{resident():9.0f}",
        flush=True,
    )


@contextlib.asynccontextmanager
async def started(settings: Settings, ding: FakeDingTalk) -> AsyncIterator[Running]:
    async with running(settings) as app:
        await ding.until_connected()
        await app.library.wait_until_calibrated()
        yield app


async def measure(what: str, settings: Settings, ding: FakeDingTalk, questions: list[str], *, embed: bool) -> None:
    """Start the bot, and ask until the vectors are there; without an encoder, ask as long as 40 questions take."""
    async with started(settings, ding) as app:
        heart, done = Heart(), asyncio.Event()
        beating = asyncio.create_task(heart.beat())
        with sleeper() as elsewhere:
            began = time.perf_counter()
            asking = asyncio.create_task(ask_until(done, Talk(ding), questions))
            if embed:
                await app.library.wait_until_embedded()
            seconds = time.perf_counter() - began
            done.set()
            taken = await asking
        beating.cancel()
        show(what, seconds if embed else 0.0, heart, taken, elsewhere[0])
        if embed and "restart" in what:
            await measure_flood(app, ding, questions)


async def measure_flood(app: Running, ding: FakeDingTalk, questions: list[str]) -> None:
    """Ask many questions at once that words are not sure of; how many had a vector, and how long all took."""
    began = time.perf_counter()
    talks = [Talk(ding)(f"员工{n}", f"请问 {text[:6]} 怎么样", group=None) for n, text in enumerate(questions[:_FLOOD])]
    await asyncio.gather(*talks)
    seconds = time.perf_counter() - began
    lines = app.metrics.show().decode().splitlines()
    vectors = " ".join(line for line in lines if line.startswith("faqbot_question_vectors_total"))
    print(f"{_FLOOD} questions at once: {seconds:.1f} s, {vectors}", flush=True)


async def measure_texts() -> None:
    """Milliseconds of one text by its length, alone on the machine."""
    encoder = BuiltInEncoder(load_engine())
    for length in (5, 10, 20, 40, 80, 160):
        texts = [text[:length] for text in read_texts(30_000) if len(text) >= length][:20]
        texts = texts or [("入职不满一年的员工有没有年假可以休，怎么申请？" * 10)[:length]] * 10
        began = time.perf_counter()
        for text in texts:
            await encoder.encode_question(text)
        print(f"{length:4} characters: {(time.perf_counter() - began) / len(texts) * 1000:6.1f} ms", flush=True)
    encoder.close()


async def main(entries: int) -> None:
    await measure_texts()
    texts = read_texts(entries * _WORDINGS)
    questions = [f"{text[::2]}呢" for text in texts]
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_knowledge(folder / "knowledge", texts)
        ding = FakeDingTalk(client_id="ding", client_secret="secret")
        await ding.start()
        stack.push_async_callback(ding.close)
        settings = Settings(
            client_id="ding", client_secret="secret", robot_code="ding", openapi_endpoint=ding.url,
            oapi_endpoint=ding.url, knowledge=folder / "knowledge", store=f"sqlite:///{folder}/faqbot.db", port=0,
        )  # fmt: skip
        columns = (("seconds", 9), ("pause ms", 12), ("sleeper ms", 12), ("asked", 8), ("p50 ms", 10))
        columns = (*columns, ("p95", 9), ("longest", 9), ("MB", 9))
        print(f"{f'{entries} entries':26}" + "".join(f"{name:>{width}}" for name, width in columns), flush=True)
        await measure("without encoder", replace(settings, meaning="off"), ding, questions, embed=False)
        gc.collect()
        await measure("first build", settings, ding, questions, embed=True)
        gc.collect()
        await measure("restart", settings, ding, questions, embed=True)


if __name__ == "__main__":
    if not DATA.is_file():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    logging.disable(logging.CRITICAL)
    tune_process()
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
