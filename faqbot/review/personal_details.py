"""Personal details: a remark on the names, amounts and numbers in a draft made of the answer of a person. Pure."""

from __future__ import annotations

from faqbot.language.personal_answers import details_to_check
from faqbot.model.entries import TICKET_ENTRY_PREFIX, Entry

_MAX_NAMED = 5


def details_remark(entry: Entry) -> str:
    """Name what in a draft may not be for everybody; empty where there is nothing, and for drafts that HR wrote."""
    if not entry.draft or not entry.id.startswith(TICKET_ENTRY_PREFIX):
        return ""
    details = details_to_check(entry.answer)
    named = "".join(f"「{detail}」" for detail in details[:_MAX_NAMED])
    return f"里面有{named}{'等' if len(details) > _MAX_NAMED else ''}，请确认所有人都能看" if details else ""
