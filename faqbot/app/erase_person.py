"""Forgetting one person: what they asked, what waits for them, and where they are named as somebody to be told.

What colleagues did for the company stays theirs: who changed which entry, who answered which ticket. What expires by
itself within two weeks, such as the keys of what was sent, is left to expire.
"""

from __future__ import annotations

from dataclasses import dataclass

from faqbot.attendance.report import forget_confirmations
from faqbot.attendance.report_requests import forget_requests
from faqbot.handoff.tickets import forget_tickets, notice_keys
from faqbot.outbox.notice_queue import forget_notices
from faqbot.review.pending_corrections import forget_recipient
from faqbot.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much there was: `reports` are words given or awaited on attendance, and reports asked for."""

    questions: int
    tickets: int
    notices: int
    reports: int


async def forget(store: Store, person: str) -> Forgotten:
    """`person` is a userId or an encrypted id. Once more finishes what a failure interrupted. Raises StoreError."""
    # First what would make new notices.
    await forget_recipient(store, person)
    reports = await forget_requests(store, person) + await forget_confirmations(store, person)
    numbers = await forget_tickets(store, person)
    about = [key for number in numbers for key in notice_keys(number)]
    notices = await forget_notices(store, person, about)
    # Last: it also wipes what the engine still holds of the rest.
    return Forgotten(await store.forget(person), len(numbers), notices, reports)
