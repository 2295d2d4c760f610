"""What must outlive the process: messages taken on, what was offered to whom, what became of each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from faqbot.errors import StartError
from faqbot.model import Context, Message, QuestionRecord


class Store(Protocol):
    """Each method is one atomic step that means the same in every engine. Times are epoch seconds."""

    async def accept(self, message: Message, now: float) -> bool:
        """Claim (robot, message id) and write the message down; False if it was seen before."""
        ...

    async def unfinished(self, since: float) -> Sequence[Message]:
        """Messages accepted at or after `since` that nobody finished, oldest first."""
        ...

    async def finish(
        self, message: Message, state: str, record: QuestionRecord | None, context: Context | None
    ) -> None:
        """Set the message's last state, keep its record and replace the asker's context, all or nothing.

        A context of None leaves the present one as it is.
        """
        ...

    async def context(self, thread: str, now: float) -> Context | None:
        """What this asker was offered last in this conversation, if it still holds."""
        ...

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

    async def close(self) -> None: ...


async def open_store(url: str) -> Store:
    """Open `sqlite:///…`. Raises StartError in one plain line."""
    if url.startswith("sqlite:///"):
        from faqbot.store.sqlite import SqliteStore

        name = url.removeprefix("sqlite:///")
        return await SqliteStore.open(name)
    raise StartError("FAQBOT_STORE：这个版本只支持 sqlite:///路径")
