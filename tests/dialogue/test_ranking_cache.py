"""Messages are decided on together as each would be alone, and rankings are remembered as long as the index is live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from faqbot.dialogue import manager
from faqbot.dialogue.decision_context import DecisionRequest
from faqbot.dialogue.manager import RankingCache, decide, decide_many
from faqbot.model.conversation import ConversationState, LastAnswer
from faqbot.model.decisions import Answered, MultiAnswer
from faqbot.model.entries import Candidate, Entry
from faqbot.model.messages import Message, MessageKind
from faqbot.search.index import Index, SearchQuery
from faqbot.search.thresholds import FITTED_THRESHOLDS

ENTRIES = (
    Entry("annual", "年假有几天？", "五天"),
    Entry("sick", "病假怎么请？", "找主管"),
    Entry("pay", "几号发工资？", "十号"),
)
TEXTS = ("年假有几天", "帮助", "年假有几天，几号发工资", "食堂吃什么", "病假呢", "1", "几号发工资", "年假有几天")
LIMITS, NOW, TODAY = FITTED_THRESHOLDS["balanced"], 1_000.0, date(2026, 6, 1)
AFTER_AN_ANSWER = ConversationState(last_answer=LastAnswer("m0", "annual", "年假怎么请", 0.9, NOW + 60))


class CountingIndex(Index):
    """An index that keeps the sizes of its batches."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__(entries)
        self.batches: list[int] = []

    def search_batch(self, queries: Sequence[SearchQuery], limit: int = 5) -> list[tuple[Candidate, ...]]:
        self.batches.append(len(queries))
        return super().search_batch(queries, limit)


def requests() -> list[DecisionRequest]:
    return [
        DecisionRequest(Message(f"m{n}", "r", "cid", True, MessageKind.TEXT, text, staff_id=f"u{n}"), AFTER_AN_ANSWER)
        for n, text in enumerate(TEXTS)
    ]


def test_many_are_decided_on_as_each_alone() -> None:
    index = Index(ENTRIES)
    together = decide_many(requests(), index, limits=LIMITS, now=NOW, today=TODAY)
    assert together == [decide(request, index, limits=LIMITS, now=NOW, today=TODAY) for request in requests()]
    assert isinstance(together[0], Answered) and isinstance(together[2], MultiAnswer)


def test_all_are_searched_for_in_two_batches_and_never_again() -> None:
    index, cache = CountingIndex(ENTRIES), RankingCache()
    for _ in range(2):
        decide_many(requests(), index, limits=LIMITS, now=NOW, today=TODAY, cache=cache)
    first, rewritten, *again = index.batches
    assert first == 5, "the same text of two people is one search"
    assert rewritten > 0 and not any(again)


def test_another_index_is_asked_anew() -> None:
    cache = RankingCache()
    for entries, entry_id in ((ENTRIES, "annual"), ((Entry("new", "年假有几天？", "六天"),), "new")):
        (decision,) = decide_many(requests()[:1], Index(entries), limits=LIMITS, now=NOW, today=TODAY, cache=cache)
        assert isinstance(decision, Answered) and decision.entry.id == entry_id


def test_a_full_cache_drops_its_older_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "_MAX_CACHED_RANKINGS", 4)
    index, cache = CountingIndex(ENTRIES), RankingCache()
    for request in (*requests(), *requests()[-1:], *requests()[:1]):
        decide_many([request], index, limits=LIMITS, now=NOW, today=TODAY, cache=cache)
    assert sum(index.batches) > 0
    assert len(cache._rankings) <= 4 + 3
