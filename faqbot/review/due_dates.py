"""Which answers grow old: those to be reviewed, and those that run out with nothing to follow. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from faqbot.model.entries import Entry

# So long before, there is still time to do something.
SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done about an entry, and by when."""

    entry: Entry
    day: date
    what: Literal["复核", "到期"]


def due(entries: Sequence[Entry], day: date) -> list[Due]:
    """What runs out or is to be reviewed within two weeks, and reviews that are overdue; the earliest first."""
    found: list[Due] = []
    for entry in entries:
        if entry.draft or entry.held or not entry.valid.covers(day):
            continue
        end, review = entry.valid.end, entry.review
        if end and end <= day + SOON and not followed(entry, entries):
            found.append(Due(entry, end, "到期"))
        elif review and review <= day + SOON:
            found.append(Due(entry, review, "复核"))
    return sorted(found, key=lambda d: (d.day, d.entry.id))


def followed(entry: Entry, entries: Iterable[Entry]) -> bool:
    """Whether the same question has a later answer already."""
    end = entry.valid.end
    return end is not None and any(
        other.question == entry.question
        and other.id != entry.id
        and not other.draft
        and (other.valid.end is None or other.valid.end > end)
        for other in entries
    )
