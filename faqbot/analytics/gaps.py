"""Knowledge gaps: clusters of questions without an answer, each open, solved by now, or declined by HR."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from faqbot.access.visibility import open_to
from faqbot.analytics.stats import Cluster, cluster_gaps
from faqbot.dialogue.answer_policy import judge_many
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.decisions import Answered, Decision
from faqbot.model.entries import Candidate, Entry
from faqbot.model.question_log import QuestionRecord
from faqbot.search.thresholds import Thresholds

MARKS = "declined"
DAY_SECONDS = 86400.0
PERIODS = (7, 30, 90)
USUAL = 30
# Records with other outcomes do not change the clusters.
_RELEVANT_OUTCOMES = (
    "unanswered", "asked_again", "offered", "likely", "likely_refused", "asked_back", "picked", "none_of_these",
)  # fmt: skip
# Probability from which an entry is shown as the nearest.
_MIN_NEAREST_SCORE = 0.15

_Judged = tuple[Decision, Sequence[Candidate]]


class GapState(StrEnum):
    """State of a gap; the value is used in JSON and in addresses."""

    OPEN = "open"
    DECLINED = "declined"
    SOLVED = "solved"


STATE_NAMES = {GapState.OPEN: "还没处理", GapState.DECLINED: "不归我们管", GapState.SOLVED: "已解决"}


@dataclass(frozen=True, slots=True)
class Declined:
    """Mark of a gap that is none of HR's business: who set it, and when in epoch seconds."""

    who: str
    at: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A cluster with the nearest entry, the entry that answers it by now, and its mark."""

    cluster: Cluster
    nearest: Entry | None = None
    answered_by: Entry | None = None
    declined: Declined | None = None

    @property
    def state(self) -> GapState:
        if self.declined:
            return GapState.DECLINED
        return GapState.SOLVED if self.answered_by else GapState.OPEN

    @property
    def since_declined(self) -> int:
        """Number of questions since it was marked."""
        return sum(r.asked_at > self.declined.at for r in self.cluster.records) if self.declined else 0


class Gaps:
    """Finds the gaps. Caches the clusters until the questions change, the decisions until knowledge or day change."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._grouped: dict[int, tuple[object, list[Cluster]]] = {}
        self._judged_with: tuple[Snapshot, Thresholds, date] | None = None
        self._judged: dict[str, _Judged] = {}

    async def find(self, workspace: Workspace, days: int) -> list[Gap]:
        """Return the gaps of the last `days` days, most askers first. Raises StoreError."""
        records = await workspace.store.questions(workspace.clock() - days * DAY_SECONDS)
        marks = await workspace.store.marks(MARKS)
        snapshot, day = workspace.snapshot, workspace.today()
        limits = workspace.limits(snapshot)
        async with self._lock:
            return await asyncio.to_thread(self._find, records, days, marks, snapshot, limits, day)

    def _find(
        self,
        records: Sequence[QuestionRecord],
        days: int,
        marks: Mapping[str, str],
        snapshot: Snapshot,
        limits: Thresholds,
        day: date,
    ) -> list[Gap]:
        clusters = self._clusters(records, days, snapshot)
        judged = self._judge([c.text for c in clusters], snapshot, limits, day)
        return [_gap(c, j, _mark(c, marks), day) for c, j in zip(clusters, judged, strict=True)]

    def _clusters(self, records: Sequence[QuestionRecord], days: int, snapshot: Snapshot) -> list[Cluster]:
        relevant = [r for r in records if r.outcome in _RELEVANT_OUTCOMES]
        ends = (relevant[0].message_id, relevant[-1].message_id) if relevant else ()
        state = (len(relevant), ends, snapshot.synonyms)
        if days not in self._grouped or self._grouped[days][0] != state:
            self._grouped[days] = (state, cluster_gaps(relevant, snapshot.index.fold))
        return self._grouped[days][1]

    def _judge(self, texts: Sequence[str], snapshot: Snapshot, limits: Thresholds, day: date) -> list[_Judged]:
        """Return the decisions of the bot now; texts already judged by the same knowledge are not judged again."""
        using = (snapshot, limits, day)
        before = self._judged_with
        if before is None or before[0] is not snapshot or before[1:] != using[1:]:
            self._judged_with, self._judged = using, {}
        new = [text for text in dict.fromkeys(texts) if text not in self._judged]
        self._judged |= zip(new, judge_many(new, snapshot.index, limits=limits, today=day), strict=True)
        return [self._judged[text] for text in texts]


def _gap(cluster: Cluster, judged: _Judged, mark: Declined | None, day: date) -> Gap:
    decision, ranking = judged
    near = ranking[0].entry if ranking and ranking[0].score >= _MIN_NEAREST_SCORE else None
    answer = decision.entry if isinstance(decision, Answered) else None
    # An answer that is not visible in the conversation of the question does not solve it.
    if answer and not open_to(answer, day, cluster.records[-1].conversation_id):
        answer = None
    return Gap(cluster, near, answer, mark)


def _mark(cluster: Cluster, marks: Mapping[str, str]) -> Declined | None:
    """Return the latest mark under any of the wordings, since another one may have become the typical one."""
    declines = [_read_mark(marks[key]) for key in cluster.keys if key in marks]
    return max(declines, key=lambda m: m.at, default=None)


def _read_mark(text: str) -> Declined:
    mark = json.loads(text)
    return Declined(str(mark["who"]), float(mark["at"]))


async def decline(workspace: Workspace, gap: Gap, who: str) -> None:
    """Mark a gap as none of HR's business. Raises StoreError."""
    await workspace.store.put_mark(
        MARKS, gap.cluster.key, json.dumps({"who": who, "at": workspace.clock()}, ensure_ascii=False)
    )


async def reopen(workspace: Workspace, gap: Gap) -> None:
    """Remove the mark again, under whichever wording it is stored. Raises StoreError."""
    for key in gap.cluster.keys & (await workspace.store.marks(MARKS)).keys():
        await workspace.store.put_mark(MARKS, key, None)


def gap_json(gap: Gap) -> dict[str, Any]:
    """Return a gap as plain values, without the askers."""
    cluster, mark = gap.cluster, gap.declined
    return {
        "key": cluster.key,
        "state": gap.state.value,
        "question": cluster.text,
        "people": cluster.people,
        "times": cluster.times,
        "first": cluster.first,
        "last": cluster.last,
        "wordings": [{"text": w.text, "times": w.times, "people": w.people} for w in cluster.wordings],
        "nearest": gap.nearest.id if gap.nearest else None,
        "answered_by": gap.answered_by.id if gap.answered_by else None,
        "declined": {"who": mark.who, "at": mark.at} if mark else None,
    }
