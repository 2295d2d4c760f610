"""The trial of a sentence says in words what the bot would do, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from faqbot.analytics.try_out import WeighedEntry, try_out
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.model.entries import Candidate
from faqbot.search.index import Index, SearchQuery
from faqbot.search.thresholds import Thresholds

TODAY = date(2026, 6, 1)
FAQ = """
- {id: hotel, question: 出差住宿标准是多少？, answer: 每晚 500 元。}
- {id: meals, question: 餐补什么时候发？, answer: 每月 10 日。}
"""
SNAPSHOT = build_snapshot({"faq/a.yaml": FAQ.encode()}, label="knowledge", today=TODAY)
GUESSING = Thresholds(answer_at=1.1, likely_at=0.02, offer_at=0.01)


def test_a_likely_answer_is_announced_with_its_threshold() -> None:
    tried = try_out("住宿的标准", SNAPSHOT, GUESSING, TODAY)
    assert tried.outcome == "likely" and tried.likely_bar == 2
    assert tried.verdict == "不太有把握，会问对方是不是想问「出差住宿标准是多少？」，下面给出这一条的答案。"
    assert "您是不是想问「出差住宿标准是多少？」" in tried.reply and "每晚 500 元" in tried.reply
    assert not tried.saved and tried.as_json()["decision"] == "likely"


def test_what_differs_is_said_of_each_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    difference = Difference(DifferenceKind.PLACE, "上海", "北京")
    search_batch = Index.search_batch

    def differing(self: Index, queries: Sequence[SearchQuery], limit: int = 5) -> list[tuple[Candidate, ...]]:
        return [
            tuple(replace(c, differs=(difference,)) for c in ranking) for ranking in search_batch(self, queries, limit)
        ]

    monkeypatch.setattr(Index, "search_batch", differing)
    tried = try_out("住宿标准是多少", SNAPSHOT, GUESSING, TODAY)
    assert tried.outcome == "offered"
    assert tried.verdict == "有关键的地方不一样，不直接回答，会列出来让对方选，第一条是「出差住宿标准是多少？」。"
    first: WeighedEntry = tried.candidates[0]
    assert first.likely == "不一样" and first.differs == ("您问「上海」，这一条说的是「北京」",)
    assert tried.as_json()["candidates"][0]["differs"] == ["您问「上海」，这一条说的是「北京」"]
    assert "不过您问「上海」，这一条说的是「北京」" in tried.reply
