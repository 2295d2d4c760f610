"""Which entries a person looks for: by words, topic, owner and state. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.entries import NO_TOPIC, Entry, Place

PER_PAGE = 100
# What the matcher finds counts from this probability; from the second it stands before mere mentions of the words.
_FAINT, _CLEAR = 0.02, 0.1
_FROM_MATCHER = 20


class EntryStatus(StrEnum):
    """The state of an entry; the value is for JSON and addresses, `name_of` for people."""

    LIVE = "live"
    REVIEW = "review"
    COMING = "coming"
    EXPIRED = "expired"
    DRAFT = "draft"
    HELD = "held"


NAMES = {
    EntryStatus.LIVE: "生效",
    EntryStatus.REVIEW: "待复核",
    EntryStatus.COMING: "未到期",
    EntryStatus.EXPIRED: "已过期",
    EntryStatus.DRAFT: "草稿",
    EntryStatus.HELD: "被挂起",
}


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What was asked of the list; empty means everything."""

    text: str = ""
    topic: str = ""
    owner: str = ""
    status: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> EntryFilter:
        return cls(
            text=query.get("q", "").strip()[:200],
            topic=query.get("topic", ""),
            owner=query.get("owner", ""),
            status=query.get("status", ""),
        )


def status_of(entry: Entry, day: date) -> EntryStatus:
    """One state for each entry, the one that keeps it from being answered first."""
    if entry.draft:
        return EntryStatus.DRAFT
    if entry.held:
        return EntryStatus.HELD
    if entry.valid.end and entry.valid.end < day:
        return EntryStatus.EXPIRED
    if entry.valid.start and entry.valid.start > day:
        return EntryStatus.COMING
    return EntryStatus.REVIEW if entry.review and entry.review < day else EntryStatus.LIVE


def topic_of(entry: Entry) -> str:
    return entry.topic or NO_TOPIC


def find(snapshot: Snapshot, wanted: EntryFilter, day: date) -> list[Entry]:
    """The entries that fit; the best first where words are looked for, else by topic as they stand in the files."""
    found = _by_words(snapshot, wanted.text) if wanted.text else _by_topic(snapshot.entries)
    return [
        e
        for e in found
        if (not wanted.topic or topic_of(e) == wanted.topic)
        and (not wanted.owner or e.owner == wanted.owner)
        and (not wanted.status or _has(e, wanted.status, day))
    ]


def _has(entry: Entry, status: str, day: date) -> bool:
    # What waits for a review goes on being answered.
    shown = status_of(entry, day)
    return shown == status or (status == EntryStatus.LIVE and shown == EntryStatus.REVIEW)


def _by_topic(entries: Iterable[Entry]) -> list[Entry]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(topic_of(entry), []).append(entry)
    # What has no topic comes last.
    return [e for topic in sorted(groups, key=lambda t: t == NO_TOPIC) for e in groups[topic]]


def _by_words(snapshot: Snapshot, text: str) -> list[Entry]:
    """What the bot's own matcher finds, and whatever mentions all the words."""
    ranking = snapshot.index.search(text, limit=_FROM_MATCHER)
    clear = [c.entry for c in ranking if c.score >= _CLEAR]
    faint = [c.entry for c in ranking if _FAINT <= c.score < _CLEAR]
    words = text.casefold().split()
    mentions = [e for e in snapshot.entries if all(w in text_of(e) for w in words)]
    found = {e.id: e for e in (*clear, *mentions, *faint)}
    return list(found.values())


def text_of(entry: Entry) -> str:
    """All that a person may remember of an entry, in small letters."""
    parts = (entry.id, *entry.wordings, *entry.not_, entry.answer, *entry.variants.values(), entry.source, entry.owner)
    return "\n".join(parts).casefold()


def topics(entries: Iterable[Entry]) -> list[tuple[str, int]]:
    """Each topic with how many entries it has, those without one last."""
    counted = Counter(map(topic_of, entries))
    return sorted(counted.items(), key=lambda item: item[0] == NO_TOPIC)


def owners(entries: Iterable[Entry]) -> list[str]:
    return sorted({e.owner for e in entries if e.owner})


def statuses(entries: Sequence[Entry], day: date) -> list[tuple[EntryStatus, str, int]]:
    """Each state that occurs, with its name and how many entries `find` gives for it."""
    counted = Counter(status_of(e, day) for e in entries)
    counted[EntryStatus.LIVE] += counted[EntryStatus.REVIEW]
    return [(status, NAMES[status], counted[status]) for status in EntryStatus if counted[status]]


def one_by_question(snapshot: Snapshot, text: str) -> Entry | None:
    """The entry that has exactly these words among its wordings, if one has."""
    index = snapshot.index
    said = index.fold(text)
    if said in index.folded_wordings:
        return index.entries[index.owner(index.folded_wordings.index(said))]
    # Folding all wordings takes a while; those of the index are folded already.
    others = (e for e in snapshot.entries if e.id not in index.by_id)
    return next((e for e in others if said in map(index.fold, e.wordings)), None)


def entry_at(place: Place, snapshot: Snapshot) -> Entry | None:
    """The entry that a line belongs to, as far as the live version of the file tells."""
    before = [e for e in snapshot.entries if e.place.file == place.file and e.place.line <= place.line]
    return max(before, key=lambda e: e.place.line, default=None)
