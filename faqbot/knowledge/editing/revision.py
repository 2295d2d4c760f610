"""Data of an edit in progress: the entry as its file has it now, and the changed file that is proposed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from faqbot.errors import EditError, FaqbotError
from faqbot.knowledge.editing import entry_editor
from faqbot.knowledge.editing.entry_spans import BrokenFile, Outline
from faqbot.model.entries import Entry

P = ParamSpec("P")


class StaleEdit(FaqbotError):
    """The file changed since the person opened it: nothing was written. `present` is its content now, where that is
    known better than by reading the files."""

    def __init__(self, file: str, present: bytes | None = None) -> None:
        super().__init__(f"{file} 刚才被改过")
        self.file = file
        self.present = present


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file as it is and as it would be, both opened. `before` is None for a new file; `entry_id` is the entry that is
    changed, by its id within the file."""

    file: str
    before: Outline | None
    after: Outline
    entry_id: str

    @property
    def is_unchanged(self) -> bool:
        return self.before is not None and self.before.raw == self.after.raw


@dataclass(frozen=True, slots=True)
class EntryRevision:
    """An entry as its file has it now: facts not filled in, with its id within the file.

    `text` is its text in the file. `seen` is the version of the file and of the entry; a form sends it back, so that a
    later change of either is noticed.
    """

    file: str
    outline: Outline
    entry: Entry
    text: str
    seen: str

    def check_seen(self, seen: str) -> None:
        """Raise StaleEdit if the person looked at another version of the file."""
        if seen != self.seen:
            raise StaleEdit(self.file)

    async def propose(
        self, edit: Callable[Concatenate[Outline, str, P], Outline], *args: P.args, **kwargs: P.kwargs
    ) -> Proposal:
        """Make an edit of `entry_editor` in the file of this entry. Raises EditError."""
        # In a thread: a long file takes a while, and the event loop goes on.
        after = await asyncio.to_thread(edit, self.outline, self.entry.id, *args, **kwargs)
        return Proposal(self.file, self.outline, after, self.entry.id)


def open_revision(file: str, raw: bytes, entry: Entry) -> EntryRevision:
    """Find a live entry in the text of its file. Raises EditError where the file is broken or the entry is gone."""
    try:
        outline = Outline(raw, file)
    except BrokenFile as exc:
        raise EditError(f"文件里有错误，要先改好。{exc.problem.place}：{exc.problem.message}") from exc
    present = next((e for e in outline.entries if is_same(e, entry)), None)
    if present is None:
        raise EditError(f"{file} 里已经没有这一条：它可能刚被改名或删除")
    text = entry_editor.entry_text(outline, present.id)
    return EntryRevision(file, outline, present, text, f"{_hash(raw)}-{_hash(text.encode())}")


def text_in(outline: Outline | None, entry_id: str) -> str:
    """Return how an entry is written in a version of its file; empty where it is not in it."""
    if outline is None:
        return ""
    try:
        return entry_editor.entry_text(outline, entry_id)
    except EditError:
        return ""


def is_same(one: Entry, other: Entry) -> bool:
    """Return True if both are the same entry, once by itself in its file and once among all files."""
    if other.id_given or one.id_given:
        return one.id == other.id
    # Ids that nobody wrote may differ between a file by itself and all files together; and the line of an entry may
    # hold another one by now.
    return (one.place.line, one.question) == (other.place.line, other.question)


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:24]
