"""Data of the statistics page (统计): all numbers, cached, with the questions behind each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from faqbot.analytics.charts import LABELS, topics, weekly
from faqbot.analytics.report import Report, delivery_reason
from faqbot.analytics.stats import AskedQuestion, QuestionGroup, QuestionOutcome, Stats
from faqbot.dialogue.ratings import NAMES_BY_VALUE
from faqbot.model.entries import Entry
from faqbot.model.question_log import DELIVERED, QuestionRecord

PERIODS = (7, 30, 90, 365)
DEFAULT_DAYS = 30
DISLIKED = "disliked"
# More topics make the chart unreadable; the table lists all.
_MAX_DRAWN_TOPICS = 12
_MAX_LISTED_ENTRIES = 10
_MAX_CACHED = 6
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DashboardPeriod:
    """The last `days` days, today included."""

    days: int
    since: datetime
    until: datetime

    @classmethod
    def of(cls, days_text: str, now: float, zone: tzinfo) -> DashboardPeriod:
        days = int(days_text) if days_text in map(str, PERIODS) else DEFAULT_DAYS
        until = datetime.fromtimestamp(now, zone)
        first = until.date() - timedelta(days=days - 1)
        return cls(days, datetime.combine(first, time.min, zone), until)


@dataclass(frozen=True, slots=True)
class DayCounts:
    """A day, week or topic with the number of its questions by outcome."""

    name: str
    asked: int
    fates: Mapping[QuestionOutcome, int]


@dataclass(frozen=True, slots=True)
class EntryHits:
    """An entry and the number of questions it answered; `question` is its id where `there` is False (removed since)."""

    id: str
    question: str
    there: bool
    times: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the page shows. `numbers` are running numbers that stand for the askers."""

    period: DashboardPeriod
    stats: Stats
    fates: Mapping[QuestionOutcome, tuple[AskedQuestion, ...]]
    numbers: Mapping[str, int]
    weeks: Sequence[DayCounts]
    topics: Sequence[DayCounts]
    hot: Sequence[EntryHits]
    cold: Sequence[EntryHits]
    never: Sequence[Entry]
    weekly: str
    by_topic: str

    @property
    def asked(self) -> int:
        return len(self.stats.asked)

    @property
    def people(self) -> int:
        return len(self.numbers)

    def share(self, outcome: QuestionOutcome) -> str:
        """Return the share of all questions with this outcome as text, such as 12%; empty without questions."""
        return f"{len(self.fates[outcome]) / self.asked:.0%}" if self.asked else ""

    def csv(self) -> bytes:
        return Report(self.stats, (), {}).as_csv()

    def as_json(self) -> dict[str, Any]:
        return {
            "days": self.period.days,
            "since": self.period.since.isoformat(timespec="seconds"),
            "until": self.period.until.isoformat(timespec="seconds"),
            "asked": self.asked,
            "people": self.people,
            DISLIKED: len(self.stats.disliked),
            **{outcome.value: len(questions) for outcome, questions in self.fates.items()},
            "weeks": [_counts_json("week", c) for c in self.weeks],
            "topics": [_counts_json("topic", c) for c in self.topics],
            "hot": [_hits_json(h) for h in self.hot],
            "cold": [_hits_json(h) for h in self.cold],
            "never": [{"id": e.id, "question": e.question} for e in self.never],
        }


def _counts_json(kind: str, counts: DayCounts) -> dict[str, Any]:
    return {kind: counts.name, "asked": counts.asked, **{f.value: n for f, n in counts.fates.items()}}


def _hits_json(hits: EntryHits) -> dict[str, Any]:
    return {"id": hits.id, "question": hits.question if hits.there else None, "times": hits.times}


def count_figures(records: Sequence[QuestionRecord], period: DashboardPeriod, entries: Sequence[Entry]) -> Figures:
    """Count everything the page shows."""
    stats = Stats(records, period.since, period.until + timedelta(seconds=1), {e.id: e for e in entries})
    numbers: dict[str, int] = {}
    for record in stats.records:
        if record.asker:
            numbers.setdefault(record.asker, len(numbers) + 1)
    weeks, by_topic = stats.by_week(), stats.by_topic()
    by_entry = stats.by_entry()
    few = [g for g in by_entry if len(g.asked) <= 2 and g.name in stats.entries]
    by_outcome: dict[QuestionOutcome, list[AskedQuestion]] = {outcome: [] for outcome in QuestionOutcome}
    for question in stats.asked:
        by_outcome[question.outcome].append(question)
    return Figures(
        period=period,
        stats=stats,
        fates={outcome: tuple(questions) for outcome, questions in by_outcome.items()},
        numbers=numbers,
        weeks=[_day_counts(g) for g in weeks],
        topics=[_day_counts(g) for g in by_topic],
        hot=[_hits(g, stats) for g in by_entry[:_MAX_LISTED_ENTRIES]],
        cold=[_hits(g, stats) for g in sorted(few, key=lambda g: len(g.asked))],
        never=stats.never(),
        weekly=weekly(weeks),
        by_topic=topics(by_topic[:_MAX_DRAWN_TOPICS]),
    )


def _day_counts(group: QuestionGroup) -> DayCounts:
    return DayCounts(group.name, len(group.asked), group.counts)


def _hits(group: QuestionGroup, stats: Stats) -> EntryHits:
    entry = stats.entries.get(group.name)
    return EntryHits(group.name, entry.question if entry else group.name, entry is not None, len(group.asked))


class FiguresCache:
    """Cache of figures: the same records and the same knowledge give the same numbers."""

    def __init__(self) -> None:
        self._cached: OrderedDict[tuple[object, ...], Figures] = OrderedDict()

    def figures(
        self, records: Sequence[QuestionRecord], period: DashboardPeriod, version: str, entries: Sequence[Entry]
    ) -> Figures:
        # All records and not only the newest: a person may be erased, and an old question may be rated today.
        key = (period.days, period.since, version, hash(tuple(records)))
        result = self._cached.pop(key, None) or count_figures(records, period, entries)
        self._cached[key] = result
        while len(self._cached) > _MAX_CACHED:
            self._cached.popitem(last=False)
        return result


# -- the questions behind a number ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatisticsQuery:
    """A filter of the questions of the period; an empty field matches all."""

    fate: str = ""
    week: str = ""
    topic: str = ""
    entry: str = ""
    order: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> StatisticsQuery:
        return cls(*(query.get(name, "") for name in ("fate", "week", "topic", "entry", "order")))

    def as_query(self, days: int) -> dict[str, str | int]:
        names = ("fate", "week", "topic", "entry", "order")
        return {"days": days, **{name: getattr(self, name) for name in names}}

    def in_words(self, figures: Figures) -> str:
        """Describe the filter in Chinese."""
        parts = [f"{self.week} 起一周"] if self.week else []
        parts += [f"主题「{self.topic}」"] if self.topic else []
        entry = figures.stats.entries.get(self.entry)
        parts += [f"由「{entry.question if entry else self.entry}」回答"] if self.entry else []
        parts += [FATE_NAMES.get(self.fate, self.fate)] if self.fate else []
        return "，".join(parts) or "全部提问"


FATE_NAMES = {**{fate.value: name for fate, name in LABELS.items()}, DISLIKED: "评价没有帮助"}


@dataclass(frozen=True, slots=True)
class DashboardRow:
    """A question as the list shows it; `person` is the running number of the asker."""

    text: str
    at: float
    fate: str
    outcome: str
    entry: str
    question: str
    delivery: str
    rating: str
    person: int

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "at": self.at,
            "outcome": self.fate,
            "entry": self.entry or None,
            "question": self.question or None,
            "delivery": self.delivery,
            "rating": self.rating or None,
            "person": self.person or None,
        }


def questions_behind(figures: Figures, query: StatisticsQuery) -> list[AskedQuestion]:
    """Return the questions that make up a number, newest first or by person."""
    stats = figures.stats
    questions: Sequence[AskedQuestion] = stats.asked
    if query.fate == DISLIKED:
        questions = stats.disliked
    elif query.fate:
        questions = next((a for outcome, a in figures.fates.items() if outcome.value == query.fate), ())
    if query.week:
        start, end = _week(query.week, figures.period)
        questions = [a for a in questions if start <= a.record.asked_at < end]
    if query.topic:
        questions = [a for a in questions if stats.topic(a) == query.topic]
    if query.entry:
        questions = [a for a in questions if query.entry in a.answers]
    newest = sorted(questions, key=lambda a: -a.record.asked_at)
    if query.order == "person":
        newest.sort(key=lambda a: figures.numbers.get(a.record.asker, 0))
    return newest


def _week(monday: str, period: DashboardPeriod) -> tuple[float, float]:
    try:
        day = date.fromisoformat(monday)
    except ValueError:
        return 0.0, 0.0
    zone = period.since.tzinfo
    start, end = (datetime.combine(d, time.min, zone) for d in (day, day + _WEEK))
    return start.timestamp(), end.timestamp()


def row_of(question: AskedQuestion, figures: Figures) -> DashboardRow:
    record = question.record
    entry_id = question.entry_id
    entry = figures.stats.entries.get(entry_id)
    failed = next((r.delivery for r in reversed(question.records) if r.delivery != DELIVERED), "")
    # An apology for a failure of the bot arrived, but the question was not answered.
    failed = failed or ("broken" if record.outcome == "broken" else "")
    return DashboardRow(
        text=record.text,
        at=record.asked_at,
        fate=question.outcome.value,
        outcome=LABELS[question.outcome],
        entry=entry_id,
        question=entry.question if entry else "",
        delivery=delivery_reason(failed) if failed else "",
        rating=NAMES_BY_VALUE.get(question.rating, ""),
        person=figures.numbers.get(record.asker, 0),
    )
