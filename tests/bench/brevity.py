"""How long the answers of a knowledge folder are on a phone, as a group sees them: characters and lines at 390 px.

usage: python tests/bench/brevity.py [KNOWLEDGE] [--longest N]

Every entry that a group may see is rendered with its related questions, source and rating line (an entry that asks
back, by its first case) and shown by the chat page of the sandbox in a headless Chromium (CHROMIUM, or the path).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from playwright.async_api import async_playwright

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.messaging.group_introduction import introduction
from faqbot.model.decisions import Answered
from faqbot.model.entries import Entry
from faqbot.model.messages import Message, MessageKind
from faqbot.replies.render import render
from faqbot.sandbox.server import FakeDingTalk

ROOT = Path(__file__).resolve().parents[2]
WIDTH_PX, SCREEN_PX = 390, 640
# Lines are counted block by block, as a quote has another height of line than running text.
MEASURE = """bubbles => bubbles.map(bubble => ({
  height: bubble.getBoundingClientRect().height,
  characters: bubble.innerText.replace(/\\s/g, '').length,
  lines: [...bubble.querySelectorAll('p, li, blockquote, h1, h2, h3, h4, h5, h6')]
    .filter(block => !block.querySelector('p, li'))
    .reduce((sum, block) => sum + Math.round(block.getBoundingClientRect().height
      / parseFloat(getComputedStyle(block).lineHeight)), 0),
}))"""


@dataclass(frozen=True, slots=True)
class Size:
    name: str
    characters: int
    lines: int
    height: float


def texts(knowledge: Path) -> list[tuple[str, str]]:
    """The replies to measure with their names; the introduction alone comes last."""
    snapshot = build_snapshot(FolderSource(knowledge).read_now(), label="knowledge", today=date(2026, 11, 25))
    shown = [e for e in snapshot.index.entries if not (e.private or e.groups or e.departments)]
    by_id = {entry.id: entry for entry in shown}
    replies = [(entry.question, _reply(entry, [by_id[i] for i in entry.related if i in by_id])) for entry in shown]
    return [*replies, ("introduction", introduction(shown, "", 180))]


def _reply(entry: Entry, related: Sequence[Entry]) -> str:
    asker = Message("m", "r", "c", True, MessageKind.TEXT, entry.question, staff_id="user-001", sender_name="小李")
    decision = Answered(entry, 1.0, entry.question, case=next(iter(entry.variants), ""), related=tuple(related[:3]))
    return "\n\n".join(reply.body for reply in render(decision, asker))


async def measure(replies: Sequence[tuple[str, str]]) -> list[Size]:
    ding = FakeDingTalk()
    await ding.start()
    ding.world.person("小李")
    group = ding.world.group("全员群")
    for name, text in replies:
        ding.world.add(group.id, None, kind="markdown", title=name, text=text)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = await browser.new_page(viewport={"width": WIDTH_PX, "height": 844})
            await page.goto(ding.url)
            await page.locator(".msg .bubble").nth(len(replies) - 1).wait_for()
            found = await page.locator(".msg .bubble").evaluate_all(MEASURE)
            await browser.close()
    finally:
        await ding.close()
    return [
        Size(name, size["characters"], size["lines"], size["height"])
        for (name, _), size in zip(replies, found, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("knowledge", nargs="?", type=Path, default=ROOT / "knowledge")
    parser.add_argument("--longest", type=int, default=5)
    args = parser.parse_args()
    *answers, intro = asyncio.run(measure(texts(args.knowledge)))
    print(f"{len(answers)} answers in a group, {WIDTH_PX} px wide")
    print(f"{'':12}{'mean':>8}{'median':>8}{'p90':>8}{'max':>8}")
    for name, values in (
        ("characters", [size.characters for size in answers]),
        ("lines", [size.lines for size in answers]),
        ("height px", [size.height for size in answers]),
    ):
        row = (statistics.mean(values), statistics.median(values), statistics.quantiles(values, n=10)[-1], max(values))
        print(f"{name:12}" + "".join(f"{value:8.1f}" for value in row))
    fitting = sum(size.height <= SCREEN_PX for size in answers)
    short = sum(size.lines <= 10 for size in answers)
    print(f"up to {SCREEN_PX} px: {fitting / len(answers):.1%}   up to 10 lines: {short / len(answers):.1%}")
    print(f"the introduction: {intro.characters} characters, {intro.lines} lines, {intro.height:.0f} px")
    for size in sorted(answers, key=lambda one: -one.height)[: args.longest]:
        print(f"{size.lines:4} lines {size.characters:5} characters {size.height:6.0f} px  {size.name}")


if __name__ == "__main__":
    main()
