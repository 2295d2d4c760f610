"""Protocol of all store engines, divided into roles by subject; a component asks only for its roles.

Methods are atomic and raise StoreError if the engine cannot be reached or cannot write. Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from faqbot.model.conversation import ConversationState
from faqbot.model.messages import DeliveryResult, Message, PartitionKey
from faqbot.model.question_log import QuestionRecord
from faqbot.model.shared_text import SharedTextStore

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a journal: its number, its time (epoch seconds), and its content as JSON."""

    number: int
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was stored: how many unfinished messages of its partition came before it, and the dialogue state.

    The state is None if there is none that holds. The unfinished messages before this one may still change it.
    """

    ahead: int
    context: ConversationState | None


# Begins the key of a claim that is held while work is under way: it ends with the worker that holds it.
LEASE_PREFIX = "lease:"


class InboxStore(Protocol):
    """Accepted messages, the leases of the workers that answer them, and the state of each conversation."""

    async def join(self, owner: str, ttl: float) -> None:
        """Begin a worker's lease.

        Where the engine can tell that earlier workers are dead, it ends their leases and releases their claims on keys
        that begin with LEASE_PREFIX.
        """
        ...

    async def renew(self, owner: str, ttl: float) -> bool:
        """Extend the lease; return False if it had run out, so that others may have reclaimed the messages."""
        ...

    async def leave(self, owner: str) -> None:
        """End the lease, so that others may reclaim this worker's unfinished messages at once."""
        ...

    async def accept(self, message: Message, owner: str) -> Accepted | None:
        """Store the message and claim it for `owner`; return None if (robot, message id) was accepted before.

        With an empty `owner` the message is stored unclaimed, for any worker that has room.
        """
        ...

    async def is_first_in_partition(self, message: Message) -> bool:
        """Return True if no earlier message of the same partition is unfinished, at any worker."""
        ...

    async def reclaim(self, owner: str, limit: int) -> Sequence[Message]:
        """Claim up to `limit` unfinished messages whose worker holds no lease (any more), oldest first."""
        ...

    async def holds(self, owner: str, message: Message) -> bool:
        """Return True if the message is unfinished and still claimed by this worker."""
        ...

    async def unfinished(self, owner: str) -> Sequence[Message]:
        """Return the messages that this worker has claimed and not finished, oldest first."""
        ...

    async def finish(
        self,
        message: Message,
        result: DeliveryResult,
        record: QuestionRecord | None,
        context: ConversationState | None,
    ) -> None:
        """Set the message's last state, add its record and replace the dialogue state, all or nothing.

        The raw message with its session webhook is deleted. A `context` of None leaves the stored one unchanged.
        Finishing twice changes nothing.
        """
        ...

    async def backlog(self) -> tuple[int, float]:
        """Return how many messages are unfinished, and when the oldest of them was received (0 if none)."""
        ...

    async def context(self, key: PartitionKey, now: float) -> ConversationState | None:
        """Return the dialogue state of an asker in a conversation; None if there is none or all of it has expired."""
        ...

    async def put_context(self, key: PartitionKey, context: ConversationState) -> None:
        """Replace a dialogue state outside of `finish`: the reply was to a message of another partition."""
        ...


class QuestionStore(Protocol):
    """The log of questions that were asked, with the ratings of their answers."""

    async def questions(self, since: float) -> Sequence[QuestionRecord]:
        """Return the records of questions asked at or after `since`, oldest first."""
        ...

    async def rate(self, robot_code: str, message_id: str, rating: str) -> None:
        """Store the asker's rating with the record of a question; do nothing if there is no record."""
        ...


class ClaimStore(Protocol):
    """Claims on a key: at most one replica holds a key at a time."""

    async def claim(self, key: str, ttl: float) -> bool:
        """Return True for the first who claims `key`, and for the first again after `ttl` or release()."""
        ...

    async def prolong(self, key: str, ttl: float) -> bool:
        """Let a claim last for `ttl` from now; return False if it had ended, so that another may hold it."""
        ...

    async def release(self, key: str) -> None: ...


class NoteStore(Protocol):
    """Short texts by key that expire."""

    async def note(self, key: str) -> str | None:
        """Return the text under `key`; None if there is none or it has expired."""
        ...

    async def put_note(self, key: str, value: str, ttl: float) -> None: ...


class MarkStore(Protocol):
    """Named maps from key to text that never expire."""

    async def put_mark(self, name: str, key: str, value: str | None) -> None:
        """Set the value of `key` in the map `name`; None deletes it."""
        ...

    async def marks(self, name: str) -> Mapping[str, str]:
        """Return the whole map `name`."""
        ...


class JournalStore(Protocol):
    """Named lists of lines that only grow at the end and are trimmed at the start."""

    async def write_journal(self, name: str, at: float, text: str) -> int:
        """Append a line to the journal `name`; return its number, which is greater than all before it."""
        ...

    async def journal(self, name: str, since: float) -> Sequence[JournalLine]:
        """Return the lines of a journal from `since` on, oldest first."""
        ...

    async def trim_journal(self, name: str, before: float) -> None:
        """Delete the lines of a journal that are older than `before`."""
        ...

    async def delete_lines(self, name: str, numbers: Collection[int]) -> None:
        """Delete lines of a journal by number."""
        ...


class CounterStore(Protocol):
    """Counters that replicas add to together."""

    async def count(self, amounts: Mapping[str, int]) -> None:
        """Add amounts to counters, by name."""
        ...

    async def counts(self, prefix: str) -> Mapping[str, int]:
        """Return the counters whose name begins with `prefix`."""
        ...


class SlotStore(Protocol):
    """Time slots that replicas book together to keep a rate limit."""

    async def reserve(self, key: str, gap: float) -> float:
        """Book the next free slot of `key`, at least `gap` after the one before; return the seconds until it begins."""
        ...


class DocumentStore(Protocol):
    """Knowledge files."""

    async def documents(self) -> Mapping[str, bytes]:
        """Return the last version without errors of each knowledge file, by name."""
        ...

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        """Store these files; others stay unchanged."""
        ...

    @property
    def shared_texts(self) -> SharedTextStore | None:
        """The knowledge text that replicas share; None for an engine of one process."""
        ...


class VectorStore(Protocol):
    """Embedding vectors of texts, kept beyond the end of the process."""

    async def vectors(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the stored vectors (float32 as bytes) whose key is among `keys`."""
        ...

    async def put_vectors(self, vectors: Mapping[str, bytes]) -> None:
        """Store vectors by key."""
        ...

    async def vector_keys(self) -> Sequence[str]:
        """Return the keys of all stored vectors."""
        ...

    async def drop_vectors(self, keys: Sequence[str]) -> None:
        """Delete the vectors with these keys."""
        ...


class Store(
    InboxStore,
    QuestionStore,
    ClaimStore,
    NoteStore,
    MarkStore,
    JournalStore,
    CounterStore,
    SlotStore,
    DocumentStore,
    VectorStore,
    Protocol,
):
    """All roles in one engine, and the operations on the engine as a whole.

    Each method means the same in every engine. `ttl` and `gap` are seconds.
    """

    async def forget(self, person: str) -> int:
        """Delete the data of one person (userId or encrypted id); return the number of questions deleted."""
        ...

    async def purge(self, before: float) -> int:
        """Delete question records older than `before` and everything expired; return how many questions there were."""
        ...

    async def advice(self) -> Sequence[str]:
        """Check that the engine answers; return advice, for people, about its configuration."""
        ...

    async def close(self) -> None: ...


class RetryUntilAvailable(Protocol):
    """Runs one step on the store, again and again while the store is unavailable, and returns its result."""

    async def __call__(self, step: Callable[[], Awaitable[_T]], /) -> _T: ...
