"""What 检查一下 and 保存 cost in the console: CPU of the process until the page is there, and parses and index builds.

usage: OPENBLAS_NUM_THREADS=1 python tests/bench/console_save.py [ENTRIES] [FILES] [QUESTIONS] [WORDINGS] [ROUNDS]
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientSession, CookieJar, web

from faqbot.automation.event_queue import EventQueue
from faqbot.console.server import Health, build
from faqbot.console.web.auth import SESSIONS
from faqbot.console.web.context import ConsoleContext
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.entry_parser import FileReader
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.impact.past_questions import PastQuestions
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.question_log import QuestionRecord
from faqbot.runtime.metrics import Metrics
from faqbot.search.index import Index
from faqbot.settings import Settings
from faqbot.store.opening import open_store

DATA = Path(__file__).resolve().parents[3] / "shared" / "bench" / "data" / "zh_scale"
EDITED = "faq/03.yaml"
_FIELD = re.compile(r"<(input|textarea)\b([^>]*)>(?:\n?([^<]*)</textarea>)?")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
Fields = dict[str, str]


def read_lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def write_knowledge(folder: Path, size: int, files: int, wordings: int) -> None:
    """Write `size` entries of `wordings` wordings each; the further wordings are questions of the set too."""
    (folder / "faq").mkdir(parents=True)
    lines = read_lines("kb.jsonl")
    more = iter(line["question"] for line in lines[size:])
    entries = [
        {
            "id": line["id"],
            "question": line["question"],
            "also": list(itertools.islice(more, wordings - 1)),
            "answer": f"答案 {line['id']}",
        }
        for line in lines[:size]
    ]
    for number in range(files):
        text = yaml.safe_dump({"topic": "主题", "entries": entries[number::files]}, allow_unicode=True)
        (folder / f"faq/{number:02}.yaml").write_text(text, encoding="utf-8")


async def ask(store: Any, texts: list[str]) -> None:
    """Put questions on record that were answered in the last minutes."""
    now = time.time()
    for number, text in enumerate(texts):
        message = Message(f"m{number}", "robot", "cid", True, MessageKind.TEXT, text, staff_id=f"u{number % 50}")
        record = QuestionRecord(message.id, now, "cid", "u", text, "unanswered", "")
        await store.accept(message, "")
        await store.finish(message, DeliveryResult(DeliveryState.ANSWERED), record, None)


def count_calls(counts: Counter[str]) -> None:
    """Count the files that are parsed, by name, and the indexes that are built."""
    parsed, built = FileReader.read_file, Index.__init__

    def counted_parse(self: FileReader, raw: bytes) -> Any:
        counts["parse of the file" if self.name.endswith(EDITED) else "parse of another"] += 1
        return parsed(self, raw)

    def counted_build(self: Index, *args: Any, **kwargs: Any) -> None:
        counts["index build"] += 1
        built(self, *args, **kwargs)

    FileReader.read_file = counted_parse  # type: ignore[method-assign]
    Index.__init__ = counted_build  # type: ignore[method-assign]


def form_of(page: str) -> Fields:
    form = page.partition('<form id="entry-form"')[2].partition("</form>")[0]
    found: Fields = {}
    for kind, written, content in _FIELD.findall(form):
        names = {name: unescape(value) for name, value in _ATTRIBUTE.findall(written)}
        if names.get("type") != "checkbox" or "checked" in names:
            found[names["name"]] = unescape(content) if kind == "textarea" else names.get("value", "")
    return found


class Editor:
    """Somebody at the console who changes one entry after the other."""

    def __init__(self, http: ClientSession, url: str, calm: Callable[[], Any]) -> None:
        self._http, self._url, self._calm = http, url, calm
        self.counts: Counter[str] = Counter()

    async def step(self, entry: str, more: Fields) -> tuple[float, float, Counter[str]]:
        """Post the form of an entry; CPU seconds until the answer, until calibration ended, and what was called."""
        path = f"/entries/{entry}/edit"
        async with self._http.get(path) as page:
            fields = form_of(await page.text())
        await self._calm()
        self.counts.clear()
        began = time.process_time()
        headers = {"Origin": self._url}
        async with self._http.post(path, data={**fields, **more}, headers=headers, allow_redirects=False) as answer:
            text = await answer.text()
            assert answer.status in (200, 303), (answer.status, text[:500])
        took, counts = time.process_time() - began, Counter(self.counts)
        await self._calm()
        return took, time.process_time() - began, counts


async def measure(size: int, files: int, questions: int, wordings: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "knowledge"
        write_knowledge(folder, size, files, wordings)
        settings = Settings(knowledge=folder)
        store = await open_store(f"sqlite:///{name}/store.db")
        source = FolderSource(folder)
        base = KnowledgeBase(source, date.today, last_good=store)
        await base.refresh()
        await ask(store, [line["q"] for line in read_lines("queries.jsonl")[:questions]])
        workspace = Workspace(base, source, store, date.today)
        context = ConsoleContext(workspace, settings, PastQuestions(workspace))
        app = build(context, Health(lambda: True, lambda: True), Metrics(), EventQueue(store))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        session = await app[SESSIONS].begin("测试")
        jar = CookieJar(unsafe=True)
        async with ClientSession(url, cookie_jar=jar, cookies={"faqbot": session.token}) as http:
            await report(Editor(http, url, base.wait_until_calibrated), files, rounds)
        await base.close()
        await runner.cleanup()
        await store.close()


async def report(editor: Editor, files: int, rounds: int) -> None:
    count_calls(editor.counts)
    ids = [line["id"] for line in read_lines("kb.jsonl")[3 : 3 + files * (rounds + 1) : files]]
    steps = {"first check": [], "check": [], "check again": [], "save": []}  # type: dict[str, list[Any]]
    for number, entry in enumerate(ids[: rounds + 1]):
        answer = {"answer": f"新的答案 {number}", "also": f"第 {number} 个新的问法怎么问"}
        steps["check" if number else "first check"].append(await editor.step(entry, {**answer, "do": "check"}))
        if not number:
            continue
        steps["check again"].append(await editor.step(entry, {**answer, "do": "check"}))
        steps["save"].append(await editor.step(entry, {**answer, "do": "save"}))
    for name, taken in steps.items():
        until, learnt = (statistics.median(t[n] for t in taken) for n in (0, 1))
        print(f"{name:12} {until:6.2f} s of CPU, {learnt:6.2f} with calibration  {dict(taken[-1][2])}", flush=True)


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    given = [int(a) for a in sys.argv[1:]]
    size, files, questions, wordings, rounds = [*given, *[1000, 20, 1000, 3, 3][len(given) :]]
    print(f"{size} entries of {wordings} wordings in {files} files, {questions} questions on record")
    asyncio.run(measure(size, files, questions, wordings, rounds))


if __name__ == "__main__":
    main()
