"""Filters the entries for the console: by words, topic, owner and status. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.entries import NO_TOPIC, Entry, Place

PER_PAGE = 100
# Entries that the search ranks count from the first probability; from the second they come before entries that only
# mention the words.
_MIN_SCORE, _CLEAR_SCORE = 0.02, 0.1
_MAX_RANKED = 20


class EntryStatus(StrEnum):
    """The status of an entry; the value is for JSON and addresses, STATUS_NAMES for people."""

    LIVE = "live"
    REVIEW = "review"
    COMING = "coming"
    EXPIRED = "expired"
    DRAFT = "draft"
    HELD = "held"


STATUS_NAMES = {
    EntryStatus.LIVE: "生效",
    EntryStatus.REVIEW: "待复核",
    EntryStatus.COMING: "未到期",
    EntryStatus.EXPIRED: "已过期",
    EntryStatus.DRAFT: "草稿",
    EntryStatus.HELD: "被挂起",
}


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Filters of the list of entries; an empty one lets everything pass."""

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
    """Return the status of an entry; of several the one that keeps it from being answered first."""
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


def find(snapshot: Snapshot, entry_filter: EntryFilter, day: date) -> list[Entry]:
    """Return the entries that pass; with words the best first, else by topic as they stand in the files."""
    entries = _by_words(snapshot, entry_filter.text) if entry_filter.text else _by_topic(snapshot.entries)
    return [
        e
        for e in entries
        if (not entry_filter.topic or topic_of(e) == entry_filter.topic)
        and (not entry_filter.owner or e.owner == entry_filter.owner)
        and (not entry_filter.status or _has(e, entry_filter.status, day))
    ]


def _has(entry: Entry, status: str, day: date) -> bool:
    # An entry that waits for a review is live as well.
    present = status_of(entry, day)
    return present == status or (status == EntryStatus.LIVE and present == EntryStatus.REVIEW)


def _by_topic(entries: Iterable[Entry]) -> list[Entry]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(topic_of(entry), []).append(entry)
    # Entries without a topic come last.
    return [e for topic in sorted(groups, key=lambda t: t == NO_TOPIC) for e in groups[topic]]


def _by_words(snapshot: Snapshot, text: str) -> list[Entry]:
    """Return the entries that the bot's search finds, and those that mention all the words."""
    ranking = snapshot.index.search(text, limit=_MAX_RANKED)
    clear = [c.entry for c in ranking if c.score >= _CLEAR_SCORE]
    faint = [c.entry for c in ranking if _MIN_SCORE <= c.score < _CLEAR_SCORE]
    words = text.casefold().split()
    mentions = [e for e in snapshot.entries if all(w in text_of(e) for w in words)]
    return list({e.id: e for e in (*clear, *mentions, *faint)}.values())


def text_of(entry: Entry) -> str:
    """Return all texts of an entry that a person may search for, casefolded."""
    parts = (entry.id, *entry.wordings, *entry.not_, entry.answer, *entry.variants.values(), entry.source, entry.owner)
    return "\n".join(parts).casefold()


def topics(entries: Iterable[Entry]) -> list[tuple[str, int]]:
    """Return each topic with its number of entries; those without a topic come last."""
    counted = Counter(map(topic_of, entries))
    return sorted(counted.items(), key=lambda item: item[0] == NO_TOPIC)


def owners(entries: Iterable[Entry]) -> list[str]:
    return sorted({e.owner for e in entries if e.owner})


def statuses(entries: Sequence[Entry], day: date) -> list[tuple[EntryStatus, str, int]]:
    """Return each status that occurs, with its name and the number of entries that `find` returns for it."""
    counted = Counter(status_of(e, day) for e in entries)
    counted[EntryStatus.LIVE] += counted[EntryStatus.REVIEW]
    return [(status, STATUS_NAMES[status], counted[status]) for status in EntryStatus if counted[status]]


def one_by_question(snapshot: Snapshot, text: str) -> Entry | None:
    """Return the entry that has exactly this wording, or None."""
    index = snapshot.index
    folded = index.fold(text)
    if folded in index.folded_wordings:
        return index.entries[index.owner(index.folded_wordings.index(folded))]
    # Folding all wordings takes a while; those of the index are folded already.
    others = (e for e in snapshot.entries if e.id not in index.by_id)
    return next((e for e in others if folded in map(index.fold, e.wordings)), None)


def entry_at(place: Place, snapshot: Snapshot) -> Entry | None:
    """Return the entry that a line belongs to in the live version of its file."""
    before = [e for e in snapshot.entries if e.place.file == place.file and e.place.line <= place.line]
    return max(before, key=lambda e: e.place.line, default=None)
