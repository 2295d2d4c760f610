"""The parts that keep the knowledge without a bot around them: files, both stores, an outbox that sends nothing yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.model.entries import Entry
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.notices import Notice
from faqbot.model.question_log import QuestionRecord
from faqbot.outbox.outbox import Outbox
from faqbot.store.protocol import Store


@dataclass
class Clock:
    at: float = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Room:
    at: Workspace
    outbox: Outbox
    clock: Clock
    folder: Path

    async def write(self, text: str, name: str = "faq/leave.yaml") -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
        await self.at.base.refresh()

    def read(self) -> str:
        return (self.folder / "faq/leave.yaml").read_text(encoding="utf-8")

    def entry(self, question: str = "年假有几天？") -> Entry:
        return next(e for e in self.at.snapshot.entries if e.question == question)

    async def asked(self, asker: str, entry: str, outcome: str = "answered", *, days_ago: float = 0.0) -> None:
        """A question on record."""
        when = self.clock() - days_ago * 86400
        message = Message(f"{asker}-{entry}-{when}", "robot", "cid", True, MessageKind.TEXT, "问", staff_id=asker)
        record = QuestionRecord(message.id, when, "cid", asker, "问", outcome, entry)
        await self.at.store.accept(message, "")
        await self.at.store.finish(message, DeliveryResult(DeliveryState.ANSWERED), record, None)

    async def posted(self) -> list[Notice]:
        return list(await self.outbox.waiting())


@asynccontextmanager
async def open_room(store: Store, folder: Path, text: str, groups: str) -> AsyncIterator[Room]:
    """The knowledge is `text` in faq/leave.yaml and `groups` in groups.yaml; today is 2026-03-02."""
    (folder / "faq").mkdir(parents=True)
    (folder / "faq/leave.yaml").write_text(text, encoding="utf-8")
    (folder / "groups.yaml").write_text(groups, encoding="utf-8")
    clock = Clock()
    shelf = FolderSource(folder)
    library = KnowledgeBase(shelf, lambda: date(2026, 3, 2))
    await library.refresh()
    at = Workspace(library, shelf, store, lambda: date(2026, 3, 2), clock)
    yield Room(at, Outbox(store, {}, clock=clock), clock, folder)
    await library.close()
