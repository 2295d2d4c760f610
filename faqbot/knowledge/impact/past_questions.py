"""What people asked in the last ninety days and what it gets today, kept ready for the next edit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.impact import Grade, Miss, Past, saved_results, self_test
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.decisions import Decision
from faqbot.model.question_log import QuestionRecord

_SECONDS = 90 * 86400.0
# What was picked from a list by its number is no question.
_QUESTIONS = ("answered", "offered", "asked_back", "unanswered", "broken")


@dataclass(frozen=True, slots=True)
class Known:
    """The live knowledge's past questions, the wordings that miss their entry already, and what saved questions get."""

    snapshot: Snapshot
    asked: int
    past: Past
    misses: frozenset[tuple[str, str]]
    saved: Mapping[str, tuple[Grade, Decision]]


class PastQuestions:
    """Judged once for each state of the knowledge and of the records, by whoever asks first."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: Known | None = None
        self._one_at_a_time = asyncio.Lock()

    async def known(self) -> Known:
        """Raises StoreError."""
        workspace = self._workspace
        async with self._one_at_a_time:
            records = await workspace.store.questions(workspace.clock() - _SECONDS)
            snapshot, known = workspace.snapshot, self._known
            if known is None or known.snapshot is not snapshot or known.asked != len(records):
                self._known = known = await asyncio.to_thread(_judge, workspace, snapshot, records)
            return known


def _judge(workspace: Workspace, snapshot: Snapshot, records: Sequence[QuestionRecord]) -> Known:
    times = Counter(r.text for r in records if r.outcome in _QUESTIONS and r.text and not r.picked_for)
    limits, today = workspace.limits(snapshot), workspace.today()
    past = Past(times, snapshot.index, limits=limits, today=today)
    misses = self_test(snapshot.index, limits=limits, today=today)
    results = saved_results(snapshot.saved, snapshot.index, limits=limits, today=today)
    saved = {s.question: result for s, result in zip(snapshot.saved, results, strict=True)}
    return Known(snapshot, len(records), past, frozenset(map(key_of, misses)), saved)


def key_of(miss: Miss) -> tuple[str, str]:
    return miss.entry.id, miss.wording
