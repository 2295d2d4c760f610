"""Tickets: questions waiting for a person's answer, numbered, and their storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from faqbot.store.json_records import from_json, stored_as, to_json
from faqbot.store.protocol import JournalStore, MarkStore

_MARKS = "tickets"
# The number of a ticket is that of its line in this journal.
NUMBER_JOURNAL = "tickets"


class TicketState(StrEnum):
    """The state of a ticket."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"  # put aside at the console


@dataclass(frozen=True, slots=True)
class Ticket:
    """One question under its number; `at` is epoch seconds.

    `message` is the key of the message that asked for a person, `answered_with` that of the one that answered. `draft`
    is the id of the entry made of the answer. `announced` is set once others who asked the same were told of it.
    `owners_offered` are those that its asker may pick from, until one is picked.
    """

    number: int
    message: str
    at: float
    asker: str
    asker_name: str
    conversation_id: str
    is_group: bool
    question: str
    topic: str = ""
    owner: str = ""
    entry_id: str = ""
    private: bool = False
    state: TicketState = field(default=TicketState.OPEN, metadata=stored_as("progress"))
    answer: str = ""
    answered_with: str = ""
    answered_by: str = ""
    draft: str = ""
    announced: bool = False
    owners_offered: tuple[str, ...] = ()


async def load_tickets(store: MarkStore) -> Mapping[int, Ticket]:
    """Return all stored tickets by number. Raises StoreError."""
    return {int(number): from_json(Ticket, text) for number, text in (await store.marks(_MARKS)).items()}


async def next_ticket_number(store: JournalStore, at: float, message_key: str) -> int:
    """Return a number that was never used. Raises StoreError."""
    return await store.write_journal(NUMBER_JOURNAL, at, message_key)


async def save_ticket(store: MarkStore, ticket: Ticket) -> None:
    """Store a ticket under its number. Raises StoreError."""
    await store.put_mark(_MARKS, str(ticket.number), to_json(ticket))


async def delete_ticket(store: MarkStore, ticket: Ticket) -> None:
    """Raises StoreError."""
    await store.put_mark(_MARKS, str(ticket.number), None)


def notice_key_prefixes(number: int) -> tuple[str, str]:
    """Return the prefixes of the keys of a ticket's notices: those to its owners, and the one to its asker."""
    return f"ticket:{number}:", f"ticket-answer:{number}:"


async def forget_tickets(store: MarkStore, person: str) -> Sequence[int]:
    """Delete the tickets of one asker and return their numbers. Raises StoreError."""
    theirs = [ticket for ticket in (await load_tickets(store)).values() if ticket.asker == person]
    for ticket in theirs:
        await delete_ticket(store, ticket)
    return [ticket.number for ticket in theirs]
