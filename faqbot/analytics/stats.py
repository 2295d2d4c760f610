"""What question records add up to, every number with the records behind it; and the gaps that missed questions show:
which of them ask the same. Pure; where records come from and how they are shown is left to others."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from rapidfuzz import fuzz

from faqbot.access.privacy import withheld_topic
from faqbot.dialogue.choices import OPTIONS_SECONDS, picked_number
from faqbot.language.normalize import normalise, skeleton, strip_fillers
from faqbot.model.entries import NO_TOPIC, Entry, Period
from faqbot.model.question_log import DELIVERED, QuestionRecord, Rating
from faqbot.search.similarity import leaders_of, sense_of

DELETED = "（已删除）"
NOT_FOUND = "（没有找到）"


class Fate(StrEnum):
    """What a question came to; each has exactly one."""

    ANSWERED = "answered"  # at once
    PICKED = "picked"  # from a list
    OFFERED = "offered"  # a list was shown or something asked back, and nothing picked
    MISSED = "missed"
    FAILED = "failed"  # whatever was decided, it did not reach the asker


_OUTCOMES = ("answered", "picked", "offered", "unanswered", "broken")
_FATES = dict(zip(_OUTCOMES, Fate, strict=True)) | {"asked_back": Fate.OFFERED, "asked_again": Fate.MISSED}


@dataclass(slots=True)
class AskedQuestion:
    """One question: its record and, where a list was sent, the records of what was picked from it.

    What is picked from a list that is not on record, as from a menu, stands for itself.
    """

    record: QuestionRecord
    picks: list[QuestionRecord] = field(default_factory=list)
    declined: bool = False  # nothing on the list was meant

    @property
    def records(self) -> tuple[QuestionRecord, ...]:
        return (self.record, *self.picks)

    @property
    def fate(self) -> Fate:
        if self.declined and not self.picks:
            return Fate.MISSED
        if not self.picks:
            return _FATES[self.record.outcome] if self.record.delivery == DELIVERED else Fate.FAILED
        if not any(p.delivery == DELIVERED for p in self.picks):
            return Fate.FAILED
        # Whoever replies to a question back gets the answer that was found at once.
        return Fate.ANSWERED if self.record.outcome == "asked_back" else Fate.PICKED

    @property
    def answers(self) -> tuple[str, ...]:
        """The entries whose answers reached the asker."""
        got = (r for r in self.records if r.outcome in ("answered", "picked") and r.delivery == DELIVERED)
        # Which entry it was is not kept of private ones.
        return tuple(dict.fromkeys(r.entry_id for r in got if r.entry_id))

    @property
    def entry_id(self) -> str:
        """The entry it was about, as far as is known."""
        return self.records[-1].entry_id

    @property
    def helpful(self) -> bool | None:
        """Whether its asker said that the answer helped; None if nothing was said."""
        return self.rating == Rating.HELPFUL if self.rating else None

    @property
    def rating(self) -> str:
        """What was said last about its answers; empty where nothing was."""
        return next((r.rating for r in reversed(self.records) if r.rating), "")


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that have something in common: a day, a topic, an entry, a person."""

    name: str
    asked: tuple[AskedQuestion, ...] = ()

    def of(self, fate: Fate) -> tuple[AskedQuestion, ...]:
        return tuple(a for a in self.asked if a.fate is fate)

    @property
    def counts(self) -> Mapping[Fate, int]:
        found = Counter(a.fate for a in self.asked)
        return {fate: found[fate] for fate in Fate}


def pair(records: Iterable[QuestionRecord]) -> list[AskedQuestion]:
    """Put picks beside the question they were made for.

    What may have been a reply to a question back is a question of its own unless another reply came behind it.
    Records of earlier versions do not say which: there it is the last list in the same thread, ten minutes old at most.
    Records with an outcome that is not known here are no questions.
    """
    asked: list[AskedQuestion] = []
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
        if record.outcome not in _FATES:
            continue
        if offer and (record.outcome == "picked" or (record.outcome == "asked_back" and record.picked_for)):
            offer.picks.append(record)
            question = offer
        else:
            question = AskedQuestion(record)
            asked.append(question)
        if offer and record.outcome == "asked_again":
            unclear.append((question, offer))
        if record.outcome in ("offered", "asked_back") and record.delivery == DELIVERED:
            lists[thread] = named[record.message_id] = question
    replied = {id(question) for question, offer in unclear if offer.picks}
    return [question for question in asked if id(question) not in replied]


class Stats:
    """The questions asked from `since` until before `until`, whose zone says where a day begins.

    Records shortly before and after may be among `records`: picks belong to the time of their question.
    """

    def __init__(
        self, records: Iterable[QuestionRecord], since: datetime, until: datetime, entries: Mapping[str, Entry]
    ) -> None:
        self.since, self.until, self.entries = since, until, entries
        start, end = since.timestamp(), until.timestamp()
        self.asked = tuple(a for a in pair(records) if start <= a.record.asked_at < end)

    @property
    def records(self) -> tuple[QuestionRecord, ...]:
        """All records, in the order in which they were made."""
        return tuple(sorted((r for a in self.asked for r in a.records), key=lambda r: r.asked_at))

    def of(self, fate: Fate) -> tuple[AskedQuestion, ...]:
        return Group("", self.asked).of(fate)

    def share(self, fate: Fate) -> float:
        """The part of all questions that came to this; 0 where there are none."""
        return len(self.of(fate)) / len(self.asked) if self.asked else 0.0

    @property
    def people(self) -> int:
        return len(self.by_person())

    @property
    def disliked(self) -> tuple[AskedQuestion, ...]:
        return tuple(a for a in self.asked if a.helpful is False)

    def by_person(self) -> tuple[Group, ...]:
        return _most_first((a.record.asker, a) for a in self.asked if a.record.asker)

    def by_day(self) -> tuple[Group, ...]:
        """One group for each day, empty ones too; its name is the date."""
        return self._by_time(1)

    def by_week(self) -> tuple[Group, ...]:
        """One group for each week, empty ones too; its name is the date of its Monday."""
        return self._by_time(7)

    def by_topic(self) -> tuple[Group, ...]:
        return _most_first((self.topic(a), a) for a in self.asked)

    def topic(self, asked: AskedQuestion) -> str:
        if (private := withheld_topic(asked.record.text)) is not None:
            return private
        if not asked.entry_id:
            return NOT_FOUND
        entry = self.entries.get(asked.entry_id)
        return (entry.topic or NO_TOPIC) if entry else DELETED

    def by_entry(self) -> tuple[Group, ...]:
        """The questions each entry answered, the most first; entries removed since are among them."""
        return _most_first((entry_id, a) for a in self.asked for entry_id in a.answers)

    def hot(self, most: int = 10) -> tuple[Group, ...]:
        return self.by_entry()[:most]

    def cold(self, hits: int = 2) -> tuple[Group, ...]:
        """Entries that answered at most so many questions, but some; the fewest first."""
        few = [g for g in self.by_entry() if len(g.asked) <= hits and g.name in self.entries]
        return tuple(sorted(few, key=lambda g: len(g.asked)))

    def never(self) -> tuple[Entry, ...]:
        """Entries that answered nothing although they could have; of private ones nobody knows."""
        hit = {g.name for g in self.by_entry()}
        period = Period(self.since.date(), self.until.date())
        live = (e for e in self.entries.values() if not (e.draft or e.held or e.private) and e.valid.overlaps(period))
        return tuple(e for e in live if e.id not in hit)

    def failures(self) -> tuple[Group, ...]:
        """What did not arrive, by reason: DingTalk's code or a short word."""
        return _most_first((_reason(a), a) for a in self.of(Fate.FAILED))

    def _by_time(self, days: int) -> tuple[Group, ...]:
        zone = self.since.tzinfo or UTC
        found: dict[date, list[AskedQuestion]] = {}
        for asked in self.asked:
            day = datetime.fromtimestamp(asked.record.asked_at, zone).date()
            found.setdefault(_first_day(day, days), []).append(asked)
        start = _first_day(self.since.date(), days)
        # `until` itself is outside.
        last = (self.until - timedelta(microseconds=1)).date()
        shown = (start + timedelta(days=n) for n in range(0, (last - start).days + 1, days))
        return tuple(Group(day.isoformat(), tuple(found.get(day, ()))) for day in shown)


def _first_day(day: date, days: int) -> date:
    return day - timedelta(days=day.weekday()) if days == 7 else day


def _reason(asked: AskedQuestion) -> str:
    return next(r.delivery for r in reversed(asked.records) if r.delivery != DELIVERED or r.outcome == "broken")


def _most_first(named: Iterable[tuple[str, AskedQuestion]]) -> tuple[Group, ...]:
    found: dict[str, list[AskedQuestion]] = {}
    for name, asked in named:
        found.setdefault(name, []).append(asked)
    groups = (Group(name, tuple(asked)) for name, asked in found.items())
    return tuple(sorted(groups, key=lambda g: (-len(g.asked), g.name)))


@dataclass(frozen=True, slots=True)
class Wording:
    """One way in which it was asked."""

    text: str
    times: int
    people: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Missed questions that ask the same. `text` is the most typical wording and `key` its name, which stays when
    others join; `keys` has that of every wording, so that a mark is found again when another becomes typical."""

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


def gaps(records: Iterable[QuestionRecord]) -> list[QuestionRecord]:
    """The records of questions nobody got an answer to: none was found, or nothing on the list was it."""
    # A bare number was picked from a list whose entry is gone.
    return [a.record for a in pair(records) if _is_gap(a) and picked_number(a.record.text) is None]


def _is_gap(asked: AskedQuestion) -> bool:
    if asked.picks:
        return False
    match asked.record.outcome:
        case "unanswered" | "asked_again":
            return True
        case "offered":
            # From a list that did not arrive nobody could pick.
            return asked.record.delivery == DELIVERED
        case "asked_back":
            # None of the cases was it; whoever did not reply knows that there is an answer.
            return asked.declined
        case _:
            return False


def clusters(records: Iterable[QuestionRecord], fold: Callable[[str], str]) -> list[Cluster]:
    """Group the gaps among `records`: what most people asked first, then what was asked most often, then last.

    `fold` is the form in which texts are compared, with the synonyms of the knowledge: Index.fold.
    """
    same: dict[str, list[QuestionRecord]] = {}
    for record in gaps(records):
        folded = fold(record.text)
        same.setdefault(folded or record.text.strip(), []).append(record)
    by_weight = sorted(same.items(), key=lambda item: (-_people(item[1]), -len(item[1]), item[1][0].asked_at))
    leaders = leaders_of([sense_of(folded) for folded, _ in by_weight])
    found: dict[int, list[tuple[str, list[QuestionRecord]]]] = {}
    for leader, item in zip(leaders, by_weight, strict=True):
        found.setdefault(leader, []).append(item)
    return sorted(map(_cluster, found.values()), key=lambda c: (-c.people, -c.times, -c.last, c.key))


def key_of(text: str) -> str:
    """The key of a wording; padding, script and punctuation do not change it."""
    plain = skeleton(strip_fillers(normalise(text))) or text.strip()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:12]


def _people(records: Iterable[QuestionRecord]) -> int:
    return len({r.asker for r in records})


def _cluster(items: Sequence[tuple[str, list[QuestionRecord]]]) -> Cluster:
    records = sorted((r for _, found in items for r in found), key=lambda r: r.asked_at)
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


# So many wordings are compared to find the most typical one.
_COMPARED = 30


def _typical(wordings: Sequence[Wording]) -> Wording:
    """The one most people use; among equals the one most like the others."""
    compared = wordings[:_COMPARED]
    best = [w for w in compared if (w.people, w.times) == (compared[0].people, compared[0].times)]
    return max(best, key=lambda w: sum(fuzz.ratio(w.text, other.text) for other in compared))
