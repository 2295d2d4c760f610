"""Statistics of question records, each number with the records behind it, and clusters of missed questions.

Pure: reading the records and showing the numbers is left to others."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from rapidfuzz import fuzz

from faqbot.access.privacy import withheld_topic
from faqbot.dialogue.choices import OPTIONS_SECONDS, is_pick
from faqbot.language.normalize import normalise, skeleton, strip_fillers
from faqbot.model.entries import NO_TOPIC, Entry, Period
from faqbot.model.question_log import DELIVERED, QuestionRecord, Rating, received_answers
from faqbot.search.similarity import leaders_of, sense_of

DELETED = "（已删除）"
NOT_FOUND = "（没有找到）"


class QuestionOutcome(StrEnum):
    """The outcome of a question; each question has exactly one."""

    ANSWERED = "answered"  # at once
    LIKELY = "likely"  # the likely answer was shown, and not refused
    PICKED = "picked"  # from a list
    OFFERED = "offered"  # a list was shown or something asked back, and nothing picked
    MISSED = "missed"  # nothing was found, or neither the likely answer nor anything on the list was meant
    FAILED = "failed"  # no reply reached the asker, whatever was decided


_BY_RECORDED_OUTCOME = {
    "answered": QuestionOutcome.ANSWERED,
    "likely": QuestionOutcome.LIKELY,
    "picked": QuestionOutcome.PICKED,
    "offered": QuestionOutcome.OFFERED,
    "unanswered": QuestionOutcome.MISSED,
    "broken": QuestionOutcome.FAILED,
    "asked_back": QuestionOutcome.OFFERED,
    "asked_again": QuestionOutcome.MISSED,
}


@dataclass(slots=True)
class AskedQuestion:
    """A question: its record and, where a list was sent for it, the records of the picks from that list.

    A pick from a list that is not on record, such as a menu, counts as a question of its own.
    """

    record: QuestionRecord
    picks: list[QuestionRecord] = field(default_factory=list)
    declined: bool = False  # nothing on the list was meant
    refused: bool = False  # the likely answer was not meant

    @property
    def records(self) -> tuple[QuestionRecord, ...]:
        return (self.record, *self.picks)

    @property
    def outcome(self) -> QuestionOutcome:
        if (self.declined or self.refused) and not self.picks:
            return QuestionOutcome.MISSED
        if not self.picks:
            return (
                _BY_RECORDED_OUTCOME[self.record.outcome]
                if self.record.delivery == DELIVERED
                else QuestionOutcome.FAILED
            )
        if not any(p.delivery == DELIVERED for p in self.picks):
            return QuestionOutcome.FAILED
        # A reply to a clarifying question gets the answer of the entry that was found at once.
        return QuestionOutcome.ANSWERED if self.record.outcome == "asked_back" else QuestionOutcome.PICKED

    @property
    def answers(self) -> tuple[str, ...]:
        """The ids of the entries whose answers reached the asker."""
        got = received_answers(self.picks if self.refused else self.records)
        # The records of private answers do not hold the entry.
        return tuple(dict.fromkeys(r.entry_id for r in got if r.entry_id))

    @property
    def entry_id(self) -> str:
        """The id of the entry it was about; empty where none is known."""
        return self.records[-1].entry_id

    @property
    def helpful(self) -> bool | None:
        """True or False as the asker rated the answer; None without a rating."""
        return self.rating == Rating.HELPFUL if self.rating else None

    @property
    def rating(self) -> str:
        """The last rating of its answers; empty without one."""
        return next((r.rating for r in reversed(self.records) if r.rating), "")


@dataclass(frozen=True, slots=True)
class QuestionGroup:
    """Questions that share a day, a topic, an entry or a person; `name` says which."""

    name: str
    asked: tuple[AskedQuestion, ...] = ()

    def of(self, outcome: QuestionOutcome) -> tuple[AskedQuestion, ...]:
        return tuple(a for a in self.asked if a.outcome is outcome)

    @property
    def counts(self) -> Mapping[QuestionOutcome, int]:
        counts = Counter(a.outcome for a in self.asked)
        return {outcome: counts[outcome] for outcome in QuestionOutcome}


def pair_picks(records: Iterable[QuestionRecord]) -> list[AskedQuestion]:
    """Return the questions among the records, each with the picks that were made for it.

    A text after a clarifying question that named none of its cases (`asked_again`) counts as a question of its own,
    unless a reply followed it. Records of earlier versions do not name the list that was picked from: there it is the
    last list of the same asker in the same conversation, at most OPTIONS_SECONDS old. Records with an outcome that is
    unknown here are skipped.
    """
    questions: list[AskedQuestion] = []
    named: dict[str, AskedQuestion] = {}
    lists: dict[tuple[str, str], AskedQuestion] = {}
    unclear: list[tuple[AskedQuestion, AskedQuestion]] = []
    for record in sorted(records, key=lambda r: r.asked_at):
        thread = (record.conversation_id, record.asker)
        offer = named.get(record.picked_for) if record.picked_for else lists.get(thread)
        if offer and record.asked_at - offer.record.asked_at > OPTIONS_SECONDS and not record.picked_for:
            offer = None
        if record.outcome == "none_of_these" and offer:
            offer.declined = True
        if record.outcome == "likely_refused" and offer:
            offer.refused = True
        if record.outcome not in _BY_RECORDED_OUTCOME:
            continue
        if offer and (record.outcome == "picked" or (record.outcome == "asked_back" and record.picked_for)):
            offer.picks.append(record)
            question = offer
        else:
            question = AskedQuestion(record)
            questions.append(question)
        if offer and record.outcome == "asked_again":
            unclear.append((question, offer))
        if record.outcome in ("offered", "asked_back") and record.delivery == DELIVERED:
            lists[thread] = named[record.message_id] = question
        if record.outcome == "likely" and record.delivery == DELIVERED:
            # The list that follows a refusal; every version that writes such records names it in the picks.
            named[record.message_id] = question
    replied = {id(question) for question, offer in unclear if offer.picks}
    return [question for question in questions if id(question) not in replied]


class Stats:
    """Statistics of the questions asked from `since` (inclusive) to `until` (exclusive); days begin in their time zone.

    `records` may reach beyond both ends: a pick counts at the time of its question.
    """

    def __init__(
        self, records: Iterable[QuestionRecord], since: datetime, until: datetime, entries: Mapping[str, Entry]
    ) -> None:
        self.since, self.until, self.entries = since, until, entries
        start, end = since.timestamp(), until.timestamp()
        self.asked = tuple(a for a in pair_picks(records) if start <= a.record.asked_at < end)

    @property
    def records(self) -> tuple[QuestionRecord, ...]:
        """All records, oldest first."""
        return tuple(sorted((r for a in self.asked for r in a.records), key=lambda r: r.asked_at))

    def of(self, outcome: QuestionOutcome) -> tuple[AskedQuestion, ...]:
        return QuestionGroup("", self.asked).of(outcome)

    def share(self, outcome: QuestionOutcome) -> float:
        """Return the share of all questions with this outcome; 0 without questions."""
        return len(self.of(outcome)) / len(self.asked) if self.asked else 0.0

    @property
    def people(self) -> int:
        return len(self.by_person())

    @property
    def disliked(self) -> tuple[AskedQuestion, ...]:
        return tuple(a for a in self.asked if a.helpful is False)

    def by_person(self) -> tuple[QuestionGroup, ...]:
        return _most_first((a.record.asker, a) for a in self.asked if a.record.asker)

    def by_day(self) -> tuple[QuestionGroup, ...]:
        """Group by day, including empty days; the name of a group is its date."""
        return self._by_time(1)

    def by_week(self) -> tuple[QuestionGroup, ...]:
        """Group by week, including empty weeks; the name of a group is the date of its Monday."""
        return self._by_time(7)

    def by_topic(self) -> tuple[QuestionGroup, ...]:
        return _most_first((self.topic(a), a) for a in self.asked)

    def topic(self, question: AskedQuestion) -> str:
        if (private := withheld_topic(question.record.text)) is not None:
            return private
        if not question.entry_id:
            return NOT_FOUND
        entry = self.entries.get(question.entry_id)
        return (entry.topic or NO_TOPIC) if entry else DELETED

    def by_entry(self) -> tuple[QuestionGroup, ...]:
        """Group by answering entry, most questions first; removed entries are included."""
        return _most_first((entry_id, a) for a in self.asked for entry_id in a.answers)

    def hot(self, limit: int = 10) -> tuple[QuestionGroup, ...]:
        return self.by_entry()[:limit]

    def cold(self, hits: int = 2) -> tuple[QuestionGroup, ...]:
        """Return the entries that answered between one and `hits` questions, fewest first."""
        few = [g for g in self.by_entry() if len(g.asked) <= hits and g.name in self.entries]
        return tuple(sorted(few, key=lambda g: len(g.asked)))

    def never(self) -> tuple[Entry, ...]:
        """Return the entries that were live and answered nothing.

        Private entries are left out, as their use is not recorded.
        """
        hit = {g.name for g in self.by_entry()}
        period = Period(self.since.date(), self.until.date())
        live = (e for e in self.entries.values() if not (e.draft or e.held or e.private) and e.valid.overlaps(period))
        return tuple(e for e in live if e.id not in hit)

    def failures(self) -> tuple[QuestionGroup, ...]:
        """Group the questions whose reply did not arrive by reason: DingTalk's code or a short word."""
        return _most_first((_reason(a), a) for a in self.of(QuestionOutcome.FAILED))

    def _by_time(self, days: int) -> tuple[QuestionGroup, ...]:
        zone = self.since.tzinfo or UTC
        by_day: dict[date, list[AskedQuestion]] = {}
        for question in self.asked:
            day = datetime.fromtimestamp(question.record.asked_at, zone).date()
            by_day.setdefault(_first_day(day, days), []).append(question)
        start = _first_day(self.since.date(), days)
        # `until` is exclusive.
        last = (self.until - timedelta(microseconds=1)).date()
        days_listed = (start + timedelta(days=n) for n in range(0, (last - start).days + 1, days))
        return tuple(QuestionGroup(day.isoformat(), tuple(by_day.get(day, ()))) for day in days_listed)


def _first_day(day: date, days: int) -> date:
    return day - timedelta(days=day.weekday()) if days == 7 else day


def _reason(question: AskedQuestion) -> str:
    return next(r.delivery for r in reversed(question.records) if r.delivery != DELIVERED or r.outcome == "broken")


def _most_first(named: Iterable[tuple[str, AskedQuestion]]) -> tuple[QuestionGroup, ...]:
    groups_by_name: dict[str, list[AskedQuestion]] = {}
    for name, question in named:
        groups_by_name.setdefault(name, []).append(question)
    groups = (QuestionGroup(name, tuple(questions)) for name, questions in groups_by_name.items())
    return tuple(sorted(groups, key=lambda g: (-len(g.asked), g.name)))


@dataclass(frozen=True, slots=True)
class Wording:
    """A wording of a missed question, and how often and by how many people it was used."""

    text: str
    times: int
    people: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Missed questions that ask the same.

    text: the most typical wording; key: its hash.
    keys: the hashes of all wordings, so that a mark is found again after another wording has become the typical one.
    entry_id: the nearest entry, where one was offered.
    records: oldest first.
    """

    key: str
    keys: frozenset[str]
    text: str
    wordings: tuple[Wording, ...]
    people: int
    entry_id: str  # the nearest entry, where one was offered
    records: tuple[QuestionRecord, ...]  # oldest first

    @property
    def times(self) -> int:
        return len(self.records)

    @property
    def first(self) -> float:
        return self.records[0].asked_at

    @property
    def last(self) -> float:
        return self.records[-1].asked_at


def gap_records(records: Iterable[QuestionRecord]) -> list[QuestionRecord]:
    """Return the records of the questions that got no answer: none was found, or nothing that was shown was meant."""
    # A bare number is a pick from a list whose entry is gone, no question.
    return [a.record for a in pair_picks(records) if _is_gap(a) and not is_pick(a.record.text)]


def _is_gap(question: AskedQuestion) -> bool:
    if question.picks:
        return False
    match question.record.outcome:
        case "unanswered" | "asked_again":
            return True
        case "offered":
            # Nobody could pick from a list that did not arrive.
            return question.record.delivery == DELIVERED
        case "likely":
            return question.refused
        case "asked_back":
            # The asker declined all cases. Without a reply it is no gap: the asker knows that there is an answer.
            return question.declined
        case _:
            return False


def cluster_gaps(records: Iterable[QuestionRecord], fold: Callable[[str], str]) -> list[Cluster]:
    """Cluster the gaps among `records`: most askers first, then most questions, then the latest.

    `fold` brings a text into the form in which texts are compared, with the synonyms of the knowledge: Index.fold.
    """
    same: dict[str, list[QuestionRecord]] = {}
    for record in gap_records(records):
        folded = fold(record.text)
        same.setdefault(folded or record.text.strip(), []).append(record)
    by_weight = sorted(same.items(), key=lambda item: (-_people(item[1]), -len(item[1]), item[1][0].asked_at))
    leaders = leaders_of([sense_of(folded) for folded, _ in by_weight])
    by_leader: dict[int, list[tuple[str, list[QuestionRecord]]]] = {}
    for leader, item in zip(leaders, by_weight, strict=True):
        by_leader.setdefault(leader, []).append(item)
    return sorted(map(_cluster, by_leader.values()), key=lambda c: (-c.people, -c.times, -c.last, c.key))


def key_of(text: str) -> str:
    """Return the key of a wording; fillers, script and punctuation do not change it."""
    plain = skeleton(strip_fillers(normalise(text))) or text.strip()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:12]


def _people(records: Iterable[QuestionRecord]) -> int:
    return len({r.asker for r in records})


def _cluster(items: Sequence[tuple[str, list[QuestionRecord]]]) -> Cluster:
    records = sorted((r for _, same_wording in items for r in same_wording), key=lambda r: r.asked_at)
    worded: dict[str, list[QuestionRecord]] = {}
    for record in records:
        worded.setdefault(normalise(record.text) or record.text.strip(), []).append(record)
    wordings = [Wording(_commonest(r.text.strip() for r in w), len(w), _people(w)) for w in worded.values()]
    wordings.sort(key=lambda w: (-w.people, -w.times))
    text = _typical(wordings).text
    keys = frozenset(key_of(w.text) for w in wordings)
    entry_id = _commonest(r.entry_id for r in records if r.entry_id)
    return Cluster(key_of(text), keys, text, tuple(wordings), _people(records), entry_id, tuple(records))


def _commonest(texts: Iterable[str]) -> str:
    return next((text for text, _ in Counter(texts).most_common(1)), "")


# Every pair of wordings is compared to find the most typical one, so their number is bounded.
_MAX_COMPARED = 30


def _typical(wordings: Sequence[Wording]) -> Wording:
    """Return the wording most people use; among equals the one most similar to the others."""
    compared = wordings[:_MAX_COMPARED]
    best = [w for w in compared if (w.people, w.times) == (compared[0].people, compared[0].times)]
    return max(best, key=lambda w: sum(fuzz.ratio(w.text, other.text) for other in compared))
