"""Answer the questions of the last ninety days with the live knowledge, and cache the results for previews."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.impact import Grade, Miss, QuestionReplay, Rankings, saved_results, self_test
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.decisions import Decision
from faqbot.model.question_log import QuestionRecord
from faqbot.search.index import Index
from faqbot.search.thresholds import Thresholds

_WINDOW_SECONDS = 90 * 86400.0
# A number that picked an entry from a list is not a question.
_QUESTION_OUTCOMES = ("answered", "likely", "offered", "asked_back", "unanswered", "broken")
# The live index, and the one of the last trial, which may go live next.
_KEPT_INDEXES = 2


@dataclass(frozen=True, slots=True)
class JudgedQuestions:
    """Results for the live knowledge: past questions, wordings that miss their entry already, saved questions.

    `record_count` is the number of questions that were on record.
    """

    snapshot: Snapshot
    limits: Thresholds
    record_count: int
    past: QuestionReplay
    misses: frozenset[tuple[str, str]]
    saved: Mapping[str, tuple[Grade, Decision]]


class PastQuestions:
    """Judges past questions once for each state of the knowledge and of the records, when somebody first asks.

    What an index found is kept for the live one and for the last one that was tried: a trial that goes live is not
    searched again, and of new questions only these are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: JudgedQuestions | None = None
        self._one_at_a_time = asyncio.Lock()
        self._rankings: list[tuple[Index, date, Rankings]] = []

    async def known(self) -> JudgedQuestions:
        """Judge the past questions by the live knowledge. Raises StoreError."""
        workspace = self._workspace
        async with self._one_at_a_time:
            records = await workspace.store.questions(workspace.clock() - _WINDOW_SECONDS)
            snapshot, known = workspace.snapshot, self._known
            limits = workspace.limits(snapshot)
            fresh = known is not None and known.snapshot is snapshot and known.limits == limits
            if known is None or not fresh or known.record_count != len(records):
                self._known = known = await asyncio.to_thread(self._judge, snapshot, records)
            return known

    def rankings(self, index: Index, today: date) -> Rankings:
        """Return the rankings by this index on this day so far, to be added to."""
        cached = next((k for k in self._rankings if k[0] is index and k[1] == today), None) or (index, today, {})
        others = [k for k in self._rankings if k[0] is not index]
        self._rankings = [cached, *others][:_KEPT_INDEXES]
        return cached[2]

    def _judge(self, snapshot: Snapshot, records: Sequence[QuestionRecord]) -> JudgedQuestions:
        workspace, index = self._workspace, snapshot.index
        times = Counter(r.text for r in records if r.outcome in _QUESTION_OUTCOMES and r.text and not r.picked_for)
        limits, today = workspace.limits(snapshot), workspace.today()
        rankings = self.rankings(index, today)
        past = QuestionReplay(times, index, limits=limits, today=today, rankings=rankings)
        misses = self_test(index, limits=limits, today=today, rankings=rankings)
        results = saved_results(snapshot.saved, index, limits=limits, today=today, rankings=rankings)
        saved = {s.question: result for s, result in zip(snapshot.saved, results, strict=True)}
        return JudgedQuestions(snapshot, limits, len(records), past, frozenset(map(key_of, misses)), saved)


def key_of(miss: Miss) -> tuple[str, str]:
    return miss.entry.id, miss.wording
