"""What must outlive the process: messages taken on, what was offered to whom, what became of each question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from faqbot.model.conversation import ConversationState
from faqbot.model.messages import DeliveryResult, Message
from faqbot.model.question_log import QuestionRecord
from faqbot.model.shared_text import SharedTextStore

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One thing that was done: its number, when (epoch seconds), and what, as JSON."""

    number: int
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that is on record from now on: how many unfinished messages of its thread came before it, and what its
    asker was offered last, as far as that holds; the unfinished ones may change that."""

    ahead: int
    context: ConversationState | None


# The key of a claim that says "I am at it" begins so: it means nothing once its worker is dead.
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
        """Prolong the lease; False if it had run out, so that others may have taken this worker's messages."""
        ...

    async def leave(self, owner: str) -> None:
        """End the lease: others may take over at once what is left."""
        ...

    async def accept(self, message: Message, owner: str) -> Accepted | None:
        """Claim (robot, message id) and write the message down; None if it was seen before.

        An empty `owner` writes the message down for whoever has room.
        """
        ...

    async def next_in_thread(self, message: Message) -> bool:
        """Whether no earlier message of the same thread is unfinished, at whichever worker."""
        ...

    async def take_over(self, owner: str, most: int) -> Sequence[Message]:
        """Claim up to `most` unfinished messages whose worker holds no lease (any more), oldest first."""
        ...

    async def holds(self, owner: str, message: Message) -> bool:
        """Whether the message is unfinished and still this worker's."""
        ...

    async def unfinished(self, owner: str) -> Sequence[Message]:
        """All messages this worker has claimed and not finished, oldest first."""
        ...

    async def finish(
        self,
        message: Message,
        verdict: DeliveryResult,
        record: QuestionRecord | None,
        context: ConversationState | None,
    ) -> None:
        """Set the message's last state, keep its record and replace the asker's context, all or nothing.

        The raw message with its session webhook is forgotten. A context of None leaves the present one as it is.
        Finishing twice changes nothing.
        """
        ...

    async def backlog(self) -> tuple[int, float]:
        """How many messages are unfinished and when the oldest of them was received (0 if none)."""
        ...

    async def context(self, thread: str, now: float) -> ConversationState | None:
        """What this asker was offered last in this conversation, if it still holds."""
        ...

    async def put_context(self, thread: str, context: ConversationState) -> None:
        """Replace what was offered last in a thread, where that was not by the reply to one of its messages."""
        ...


class QuestionStore(Protocol):
    """The log of questions that were asked, with the ratings of their answers."""

    async def questions(self, since: float) -> Sequence[QuestionRecord]:
        """The records of questions asked at or after `since`, oldest first."""
        ...

    async def rate(self, robot_code: str, message_id: str, rating: str) -> None:
        """Write beside the record of a question what its asker said about the answer; without a record do nothing."""
        ...


class ClaimStore(Protocol):
    """Claims on a key: at most one replica holds a key at a time."""

    async def claim(self, key: str, ttl: float) -> bool:
        """True for the one who claims `key` first; for everybody again after `ttl` or release()."""
        ...

    async def prolong(self, key: str, ttl: float) -> bool:
        """Let a claim last for `ttl` from now; False if it had ended, so that another may have it."""
        ...

    async def release(self, key: str) -> None: ...


class NoteStore(Protocol):
    """Short texts by key that expire."""

    async def note(self, key: str) -> str | None:
        """A remembered text, until it expires."""
        ...

    async def put_note(self, key: str, value: str, ttl: float) -> None: ...


class MarkStore(Protocol):
    """Named maps from key to text that never expire."""

    async def put_mark(self, name: str, key: str, value: str | None) -> None:
        """Remember a value for `key` until it is replaced; None forgets it."""
        ...

    async def marks(self, name: str) -> Mapping[str, str]:
        """All that is remembered under `name`."""
        ...


class JournalStore(Protocol):
    """Named lists of lines that only grow at the end and are trimmed at the start."""

    async def write_journal(self, name: str, at: float, text: str) -> int:
        """Append a line to the journal `name`; its number, which grows."""
        ...

    async def journal(self, name: str, since: float) -> Sequence[JournalLine]:
        """The lines of a journal from `since` on, oldest first."""
        ...

    async def trim_journal(self, name: str, before: float) -> None:
        """Delete the lines of a journal from before `before`."""
        ...

    async def drop_lines(self, name: str, numbers: Collection[int]) -> None:
        """Delete these lines of a journal."""
        ...


class CounterStore(Protocol):
    """Counters that replicas add to together."""

    async def count(self, amounts: Mapping[str, int]) -> None:
        """Add to counters."""
        ...

    async def counts(self, prefix: str) -> Mapping[str, int]:
        """The counters whose name begins with `prefix`."""
        ...


class SlotStore(Protocol):
    """Time slots that replicas book together to keep a rate limit."""

    async def reserve(self, key: str, gap: float) -> float:
        """Book the next free slot of `key`, slots being `gap` apart; how many seconds to wait for it."""
        ...


class DocumentStore(Protocol):
    """Knowledge files and the embedding vectors of their wordings."""

    async def documents(self) -> Mapping[str, bytes]:
        """The knowledge files as they were last without an error, by name."""
        ...

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        """Keep these files; others stay as they are."""
        ...

    async def vectors(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Those of the kept vectors (float32, as bytes) whose key is among `keys`."""
        ...

    async def put_vectors(self, vectors: Mapping[str, bytes]) -> None:
        """Keep vectors by key."""
        ...

    @property
    def shared_texts(self) -> SharedTextStore | None:
        """Where replicas share the text of the knowledge; None for an engine of one process."""
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
    Protocol,
):
    """All roles in one engine, and what concerns the engine as a whole."""

    async def forget(self, person: str) -> int:
        """Delete what is kept of one person (userId or encrypted id); the number of questions deleted."""
        ...

    async def purge(self, before: float) -> int:
        """Delete question records older than `before` and what has expired; the number of questions deleted."""
        ...

    async def advice(self) -> Sequence[str]:
        """What its keeper should change about the engine, in sentences for people; also shows it answers."""
        ...

    async def close(self) -> None: ...


class Steady(Protocol):
    """Does one step of the store, waiting for as long as the store is away."""

    async def __call__(self, step: Callable[[], Awaitable[_T]], /) -> _T: ...
