"""有用 / 没用: what an asker says about the last answer, and, where it was no help, why."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

from faqbot.audience import Audience
from faqbot.feedback import NAMES, REASONS
from faqbot.knowledge.library import Library
from faqbot.markdown import numbered, tap
from faqbot.memory import fresh
from faqbot.model import Last, Message, Option, Order, Rating, Told
from faqbot.permitted import listable
from faqbot.picks import CONTEXT_SECONDS, NONE_OF_THESE
from faqbot.privacy import withheld_topic
from faqbot.store import Store

_RUNNERS_UP = 4
# Less likely ones are no help either.
_LIKELY = 0.05
_THANKS = "谢谢，已经告诉负责的同事"


class Ratings:
    """Writes what is said beside the question's record; the same said again changes nothing."""

    def __init__(
        self,
        library: Library,
        store: Store,
        audience: Audience,
        *,
        today: Callable[[], date],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._library = library
        self._store = store
        self._audience = audience
        self._today = today
        self._clock = clock

    async def __call__(self, message: Message, order: Order) -> Told:
        now = self._clock()
        last = fresh(await self._store.context(message.thread, now), now).last
        if last is None:
            minutes = f"{CONTEXT_SECONDS / 60:.0f}"
            return Told("不知道说的是哪一条", f"最近 {minutes} 分钟里没有回答过您，不知道说的是哪一条。请再问一次。")
        rating = Rating(order.text)
        await self._store.rate(message.robot_code, last.message_id, rating)
        if rating is Rating.HELPFUL:
            return Told("谢谢", "谢谢，很高兴帮上了忙。", rating)
        if rating is Rating.UNHELPFUL:
            return Told("哪里不好？", _why(message), rating)
        entry = self._library.current.entry(last.entry_id)
        thanks = f"{_THANKS}（{entry.owner}）。" if entry and entry.owner else f"{_THANKS}。"
        if rating is Rating.NOT_ASKED and (others := await self._others(message, last)):
            questions = [question for question, _ in others]
            listed = numbered(f"{thanks}您是不是想问：", [*questions, NONE_OF_THESE], message)
            return Told("您是想问哪一个？", listed, rating, (*(option for _, option in others), Option("none", "")))
        return Told("谢谢", thanks, rating)

    async def _others(self, message: Message, last: Last) -> list[tuple[str, Option]]:
        """The questions that came next, as lines and what these stand for; none for a question that is not kept."""
        records = await self._store.questions(last.until - CONTEXT_SECONDS - 3600)
        text = next((r.text for r in reversed(records) if r.message_id == last.message_id), "")
        if not text or withheld_topic(text):
            return []
        snapshot = self._library.current
        departments = await self._audience.departments(message)
        listed = listable(message, self._today(), departments, snapshot.groups)
        found = snapshot.index.search(text, allowed=lambda entry: entry.id != last.entry_id and listed(entry))
        likely = [c.entry for c in found[:_RUNNERS_UP] if c.score >= _LIKELY]
        return [(entry.question, Option("entry", entry.id)) for entry in likely]


def _why(message: Message) -> str:
    links = " · ".join(f"[{NAMES[reason]}]({tap(NAMES[reason])})" for reason in REASONS)
    how = f"\n\n> 点一下，或者发「@我 {NAMES[REASONS[0]]}」这样的话。" if message.is_group else ""
    return f"抱歉，没有帮上忙。是哪里不好？\n\n{links}{how}"
