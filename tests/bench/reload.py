"""What a changed file costs a running bot: how long until it is live, and how long the event loop could not answer.

usage: OPENBLAS_NUM_THREADS=1 python tests/bench/reload.py [ENTRIES…]
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import html
import json
import logging
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from faqbot.app.process import tune_process
from faqbot.app.running import Running, running
from faqbot.console.web.sessions import new_link
from faqbot.sandbox.server import FakeDingTalk
from faqbot.search.thresholds import FITTED_THRESHOLDS
from faqbot.settings import Settings

DATA = Path(__file__).resolve().parents[3] / "shared" / "bench" / "data" / "zh_scale" / "kb.jsonl"
_BEAT = 0.005
_TIMES = 5
_FIELD = re.compile(
    r'<input(?! type="checkbox")[^>]*name="(\w+)"[^>]*value="([^"]*)"|<textarea[^>]*name="(\w+)"[^>]*>\n?([^<]*)<'
)
_SLEEPER = """
import signal, sys, time
longest, before = 0.0, time.perf_counter()
signal.signal(signal.SIGTERM, lambda *_: (print(longest), sys.exit()))
while True:
    time.sleep(0.005)
    now = time.perf_counter()
    longest, before = max(longest, now - before - 0.005), now
"""


class Heart:
    """Beats every five milliseconds in the loop and remembers the longest time it was kept from it, and the most that
    this process computed meanwhile: where that is little, others had the machine."""

    def __init__(self) -> None:
        self.longest = self.busiest = 0.0
        self.late = 0

    async def beat(self) -> None:
        before, spent_before = time.perf_counter(), time.process_time()
        while True:
            await asyncio.sleep(_BEAT)
            now, spent = time.perf_counter(), time.process_time()
            pause = now - before - _BEAT
            self.longest = max(self.longest, pause)
            if pause > 0.02:
                self.late += 1
                self.busiest = max(self.busiest, spent - spent_before)
            before, spent_before = now, spent


@contextmanager
def collections() -> Iterator[list[float]]:
    """How long each garbage collection took."""
    found: list[float] = []
    began = 0.0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        else:
            found.append(time.perf_counter() - began)

    gc.callbacks.append(note)
    try:
        yield found
    finally:
        gc.callbacks.remove(note)


@contextmanager
def sleeper() -> Iterator[list[float]]:
    """A process that only sleeps: what it was kept waiting, the machine is to blame for."""
    process = subprocess.Popen([sys.executable, "-c", _SLEEPER], stdout=subprocess.PIPE, text=True)
    found: list[float] = []
    try:
        yield found
    finally:
        process.terminate()
        found.append(float(process.communicate(timeout=5)[0] or 0))


def write_knowledge(folder: Path, entries: int, per_file: int) -> Path:
    """Files of entries with three wordings each; the last file, whose entries are changed."""
    (folder / "faq").mkdir(parents=True)
    with DATA.open(encoding="utf-8") as lines:
        texts = [
            json.loads(line)["question"].replace('"', "").replace("\\", "")
            for line, _ in zip(lines, range(3 * entries), strict=False)
        ]
    path = folder
    for start in range(0, entries, per_file):
        path = folder / "faq" / f"{start:05}.yaml"
        parts = [
            f'- id: e{n}\n  question: "{texts[3 * n]}"\n  also: ["{texts[3 * n + 1]}", "{texts[3 * n + 2]}"]\n'
            f"  answer: 第 0 版，第 {n} 条。\n"
            for n in range(start, min(start + per_file, entries))
        ]
        path.write_text("".join(parts), encoding="utf-8")
    return path


async def learnt(app: Running) -> None:
    """Until the bot has found its bars for the knowledge that is live."""
    while app.library.thresholds_for(app.library.current) is FITTED_THRESHOLDS["balanced"]:
        await asyncio.sleep(0.01)


async def change(app: Running, path: Path, number: int) -> float:
    """Save the file once more; how many seconds until it is live. Returns when everything that follows is done."""
    began = time.perf_counter()
    path.write_text(path.read_text("utf-8").replace(f"第 {number} 版", f"第 {number + 1} 版"), encoding="utf-8")
    while f"第 {number + 1} 版" not in app.library.current.entries[-1].answer:
        await asyncio.sleep(0.01)
    live = time.perf_counter() - began
    await learnt(app)
    await asyncio.sleep(1.0)
    return live


async def save_in_console(http: aiohttp.ClientSession, number: int) -> float:
    """Change the last entry through its form, as a person does; how many seconds saving takes."""
    path = f"/entries/e{number}/edit"
    async with http.get(path) as page:
        form = (await page.text()).partition('<form id="entry-form"')[2].partition("</form>")[0]
    fields = {a or c: html.unescape(b or d) for a, b, c, d in _FIELD.findall(form)}
    began = time.perf_counter()
    fields |= {"answer": f"控制台里改的 {began}", "do": "save"}
    async with http.post(path, data=fields) as answer:
        assert str(answer.url).endswith("done=saved"), await answer.text()
    return time.perf_counter() - began


async def measure(entries: int, per_file: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = write_knowledge(folder / "knowledge", entries, per_file)
        ding = FakeDingTalk(client_id="ding", client_secret="secret")
        await ding.start()
        stack.push_async_callback(ding.close)
        settings = Settings(
            client_id="ding", client_secret="secret", robot_code="ding", openapi_endpoint=ding.url,
            oapi_endpoint=ding.url, knowledge=folder / "knowledge", store=f"sqlite:///{folder}/faqbot.db", port=0,
        )  # fmt: skip
        app = await stack.enter_async_context(running(settings))
        url = app.console_url
        http = await stack.enter_async_context(
            aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": url})
        )
        link = (await new_link(app.store, url)).partition("link=")[2]
        await (await http.post("/login", data={"link": link, "name": "bench"})).read()
        await learnt(app)
        gc.freeze()
        for how in ("file", "console"):
            for number in range(_TIMES):
                heart = Heart()
                beating = asyncio.create_task(heart.beat())
                with collections() as found, sleeper() as elsewhere:
                    if how == "file":
                        seconds = await change(app, path, number)
                    else:
                        seconds = await save_in_console(http, entries - 1)
                        await learnt(app)
                beating.cancel()
                print(
                    f"{how:9}{entries:9}{per_file:10}{seconds:10.2f}{heart.longest * 1000:18.1f}{heart.late:12}"
                    f"{heart.busiest * 1000:17.1f}{elsewhere[0] * 1000:23.1f}{max(found, default=0.0) * 1000:15.1f}",
                    flush=True,
                )


def main() -> None:
    if not DATA.is_file():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    logging.disable(logging.CRITICAL)
    tune_process()
    names = (("entries", 9), ("per file", 10), ("live s", 10), ("longest pause ms", 18), ("over 20 ms", 12))
    names = (*names, ("cpu in one ms", 17), ("in a sleeping process", 23), ("collection ms", 15))
    print(f"{'changed':9}" + "".join(f"{name:>{width}}" for name, width in names))
    for size in [int(a) for a in sys.argv[1:]] or [1000, 2000]:
        for per_file in (100, size):
            asyncio.run(measure(size, per_file))


if __name__ == "__main__":
    main()
