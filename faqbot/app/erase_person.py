"""Erases one person's data: their questions, messages waiting for them, and mentions as a recipient.

Records of work for the company stay (edits, answered tickets); keys that expire within two weeks are left to expire.
"""

from __future__ import annotations

from dataclasses import dataclass

from faqbot.attendance.confirmations import forget_confirmations
from faqbot.attendance.report_requests import forget_requests
from faqbot.handoff.tickets import forget_tickets, notice_key_prefixes
from faqbot.outbox.notice_queue import forget_notices
from faqbot.review.pending_corrections import forget_recipient
from faqbot.store.protocol import Store


@dataclass(frozen=True, slots=True)
class ErasedRecords:
    """Numbers of erased records; `reports` are attendance confirmations (given or awaited) and requested reports."""

    questions: int
    tickets: int
    notices: int
    reports: int


async def erase_person(store: Store, person: str) -> ErasedRecords:
    """Erase everything about `person`, a userId or an encrypted id. Raises StoreError.

    After a failure, a second call finishes the rest.
    """
    # First the records that would make new notices.
    await forget_recipient(store, person)
    reports = await forget_requests(store, person) + await forget_confirmations(store, person)
    tickets = await forget_tickets(store, person)
    key_prefixes = [key for number in tickets for key in notice_key_prefixes(number)]
    notices = await forget_notices(store, person, key_prefixes)
    # Last, because it also wipes what the engine still holds of the records deleted before.
    questions = await store.forget(person)
    return ErasedRecords(questions, len(tickets), notices, reports)
