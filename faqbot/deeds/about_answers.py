"""为什么 / 谁负责 / 热门: where the last answer came from, who keeps it, and what colleagues ask most."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import date

from faqbot.audience import Audience
from faqbot.knowledge.library import Library
from faqbot.markdown import label, numbered, one_line, send_word
from faqbot.memory import fresh
from faqbot.model import Entry, Last, Message, Option, Order, OrderKind, Told
from faqbot.permitted import Allowed, listable
from faqbot.picks import CONTEXT_SECONDS
from faqbot.stats import DELIVERED
from faqbot.store import Store
from faqbot.text import normalise

_DAYS = 30
_HOTTEST = 5
# From here on a wrong answer is rare enough to say so.
_CONFIDENT = 0.9


class AboutAnswers:
    """Tells only of entries that the asker may see where the message was written, as they stand now."""

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
        listed = await self._listed(message)
        if order.kind is OrderKind.HOTTEST:
            return await self._hottest(message, listed)
        now = self._clock()
        last = fresh(await self._store.context(message.thread, now), now).last
        if last is None:
            return _no_last(message, order.kind)
        entry = self._library.current.entry(last.entry_id)
        if entry is None or not listed(entry):
            return Told("现在说不了", _gone(message, entry))
        return _keeper(message, entry) if order.kind is OrderKind.KEEPER else await self._why(entry, last)

    async def _listed(self, message: Message) -> Allowed:
        departments = await self._audience.departments(message)
        return listable(message, self._today(), departments, self._library.current.groups)

    async def _why(self, entry: Entry, last: Last) -> Told:
        facts = [
            f"答的是：{label(entry.question)}",
            f"对上的问法：{label(last.question)}",
            f"把握：{await self._confidence(last)}",
        ]
        facts += [f"来源：{one_line(entry.source)}"] if entry.source.strip() else []
        facts.append(f"负责人：{label(entry.owner.strip()) or '没有写'}")
        facts += [f"下次复核：{entry.review.isoformat()}"] if entry.review else []
        return Told("为什么这样回答", "上一个回答的依据：\n\n" + "\n".join(f"- {fact}" for fact in facts))

    async def _confidence(self, last: Last) -> str:
        records = await self._store.questions(last.until - CONTEXT_SECONDS - 3600)
        record = next((r for r in reversed(records) if r.message_id == last.message_id), None)
        if record and record.outcome == "picked":
            return "您从列表里选的"
        if record and record.text and normalise(record.text) == normalise(last.question):
            return "一字不差"
        return "很有把握" if last.score >= _CONFIDENT else "比较像"

    async def _hottest(self, message: Message, listed: Allowed) -> Told:
        records = await self._store.questions(self._clock() - _DAYS * 86400)
        got = (r for r in records if r.outcome in ("answered", "picked") and r.delivery == DELIVERED)
        people = Counter(entry_id for entry_id, _ in dict.fromkeys((r.entry_id, r.asker) for r in got))
        asked = (self._library.current.entry(entry_id) for entry_id, _ in people.most_common())
        hottest = [entry for entry in asked if entry and not entry.private and listed(entry)][:_HOTTEST]
        if not hottest:
            return Told("热门问题", f"最近 {_DAYS} 天还没有热门的问题。{send_word('帮助', message)}看可以问什么。")
        body = numbered(f"最近 {_DAYS} 天大家问得最多的：", [entry.question for entry in hottest], message)
        return Told("热门问题", body, options=tuple(Option("entry", entry.id) for entry in hottest))


def _no_last(message: Message, kind: OrderKind) -> Told:
    none = f"最近 {CONTEXT_SECONDS / 60:.0f} 分钟里没有回答过您，不知道说的是哪一条。"
    if kind is OrderKind.WHY:
        return Told("不知道说的是哪一条", f"{none}请先问一次，再{send_word('为什么', message)}。")
    again = f"请先问一次，再{send_word('谁负责', message)}"
    return Told("不知道说的是哪一条", f"{none}{again}；要直接找人，{send_word('人工', message)}，后面写上问题。")


def _gone(message: Message, entry: Entry | None) -> str:
    if entry and entry.private and message.is_group:
        return "这一条只在单聊里说。请点我的头像，私聊再问一次。"
    return "上一个回答的条目已经改动，现在不能再查看。请再问一次。"


def _keeper(message: Message, entry: Entry) -> Told:
    owner = label(entry.owner.strip())
    about = f"「{label(entry.question)}」"
    if not owner:
        return Told("谁负责", f"{about}没有写负责人。{send_word('人工', message)}，我转给同事。")
    return Told("谁负责", f"{about}由 **{owner}** 负责。{send_word('人工', message)}，我转给负责的同事。")
