"""Entries that are due: for review, or because they expire without a successor. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from faqbot.model.entries import Entry

# An entry is due this long before its date, so that there is time to act.
NOTICE_PERIOD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class DueEntry:
    """An entry with the date by which it must be reviewed (复核) or replaced (到期)."""

    entry: Entry
    day: date
    what: Literal["复核", "到期"]


def due_entries(entries: Sequence[Entry], day: date) -> list[DueEntry]:
    """Return the entries that are due within NOTICE_PERIOD of `day` or overdue for review, the earliest first."""
    due: list[DueEntry] = []
    for entry in entries:
        if entry.draft or entry.held or not entry.valid.covers(day):
            continue
        end, review = entry.valid.end, entry.review
        if end and end <= day + NOTICE_PERIOD and not has_successor(entry, entries):
            due.append(DueEntry(entry, end, "到期"))
        elif review and review <= day + NOTICE_PERIOD:
            due.append(DueEntry(entry, review, "复核"))
    return sorted(due, key=lambda d: (d.day, d.entry.id))


def has_successor(entry: Entry, entries: Iterable[Entry]) -> bool:
    """Return True if another entry answers the same question beyond the end of this one."""
    end = entry.valid.end
    return end is not None and any(
        other.question == entry.question
        and other.id != entry.id
        and not other.draft
        and (other.valid.end is None or other.valid.end > end)
        for other in entries
    )
