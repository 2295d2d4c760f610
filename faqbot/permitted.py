"""Who may see which entry, where and when. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from faqbot.model import Entry

Allowed = Callable[[Entry], bool]


def open_to(entry: Entry, day: date, conversation_id: str | None) -> bool:
    """Whether an entry may be answered on `day` in this conversation; None stands for the keeper's own view.

    Entries limited to departments need the asker's department, which is not known here: nobody sees them.
    """
    if entry.draft or entry.held or not entry.valid.covers(day):
        return False
    if conversation_id is None:
        return True
    return not entry.departments and (not entry.groups or conversation_id in entry.groups)
