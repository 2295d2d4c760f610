"""Questions that wait for a person: their numbers, who asked, who keeps the answer, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import JournalStore, MarkStore

_MARKS = "tickets"
# The journal whose lines are counted.
NUMBERS = "tickets"


class Progress(StrEnum):
    """The last state of a ticket."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"  # put aside at the console


@dataclass(frozen=True, slots=True)
class Ticket:
    """One question under its number.

    `message` is the key of the message that asked for a person, `answered_with` that of the one that answered. `draft`
    is the entry made of the answer, and `announced` whether the others who asked the same were told of it.
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
    progress: Progress = Progress.OPEN
    answer: str = ""
    answered_with: str = ""
    answered_by: str = ""
    draft: str = ""
    announced: bool = False


async def tickets(store: MarkStore) -> Mapping[int, Ticket]:
    """All that are on record, by number. Raises StoreError."""
    return {int(number): from_json(Ticket, text) for number, text in (await store.marks(_MARKS)).items()}


async def next_number(store: JournalStore, at: float, message_key: str) -> int:
    """A number nobody has had. Raises StoreError."""
    return await store.write_journal(NUMBERS, at, message_key)


async def keep(store: MarkStore, ticket: Ticket) -> None:
    """Write a ticket down. Raises StoreError."""
    await store.put_mark(_MARKS, str(ticket.number), to_json(ticket))


async def drop(store: MarkStore, ticket: Ticket) -> None:
    """Forget a ticket. Raises StoreError."""
    await store.put_mark(_MARKS, str(ticket.number), None)


def notice_keys(number: int) -> tuple[str, str]:
    """How the keys of the notices about a ticket begin: those to its keepers, and the one to its asker."""
    return f"ticket:{number}:", f"ticket-answer:{number}:"


async def forget_tickets(store: MarkStore, person: str) -> Sequence[int]:
    """Forget what one person asked a person; the numbers these had. Raises StoreError."""
    theirs = [ticket for ticket in (await tickets(store)).values() if ticket.asker == person]
    for ticket in theirs:
        await drop(store, ticket)
    return [ticket.number for ticket in theirs]
