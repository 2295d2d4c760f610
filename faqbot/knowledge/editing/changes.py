"""Changing the files: load an entry, look whether somebody was quicker, write, make it live, write down who did it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from faqbot.errors import EditError, FaqbotError, FileConflict, StoreError
from faqbot.knowledge.editing import entry_editor
from faqbot.knowledge.editing.audit_log import Edit, write_down
from faqbot.knowledge.entry_parser import parse_file
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.knowledge.snapshot import Snapshot, assemble
from faqbot.model.entries import Entry, Problem
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import Store

log = EventLog(__name__)


class EditableSource(Protocol):
    """Where the files lie, for reading and writing."""

    @property
    def label(self) -> str: ...
    async def read(self) -> Mapping[str, bytes]: ...
    async def remarks(self) -> Sequence[Problem]: ...

    async def write(self, name: str, content: bytes, expected: bytes | None, /) -> object:
        """Replace a file that still holds `expected` (None: there is none yet). Raises Conflict, ShelfError."""
        ...

    async def write_all(self, before: Mapping[str, bytes], after: Mapping[str, bytes], /) -> object:
        """Replace all files that differ, or none if one does not hold `before` any more. Raises ShelfError."""
        ...


class Books(Protocol):
    """What a change needs: the live knowledge, its files and where it is written down."""

    @property
    def library(self) -> KnowledgeBase: ...
    @property
    def shelf(self) -> EditableSource: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Callable[[], float]: ...
    @property
    def today(self) -> Callable[[], date]: ...
    @property
    def snapshot(self) -> Snapshot: ...
    def file_name(self, shown: str, /) -> str: ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file as it is and as it would be. `before` is None for a new file; `entry_id` is the entry that is changed,
    by its id within the file, and empty for a new one."""

    file: str
    before: bytes | None
    after: bytes
    entry_id: str = ""


class StaleEdit(FaqbotError):
    """The file changed since the person opened it: nothing was written. `present` is what it holds, where that is
    known better than by reading the shelf."""

    def __init__(self, file: str, present: bytes | None = None) -> None:
        super().__init__(f"{file} 刚才被改过")
        self.present = present


@dataclass(frozen=True, slots=True)
class EntryRevision:
    """An entry as its file has it now: facts not filled in, with its id within the file.

    `seen` is what the form carries, to tell later whether the file changed, and whether this entry did.
    """

    file: str
    raw: bytes
    entry: Entry
    seen: str


async def load(workspace: Books, entry: Entry, present: bytes | None = None) -> EntryRevision:
    """The entry in its file as it lies on the shelf now, or in `present`. Raises EditError where it cannot be read."""
    file = workspace.file_name(entry.place.file)
    raw = present if present is not None else (await workspace.shelf.read()).get(file)
    if raw is None:
        raise EditError(f"文件 {file} 不在了，不能修改这一条")
    # A file of thousands of entries takes long enough to read that nobody should wait for it.
    return await asyncio.to_thread(_loaded, file, raw, entry)


def _loaded(file: str, raw: bytes, entry: Entry) -> EntryRevision:
    parsed = parse_file(file, raw)
    for problem in parsed.problems:
        if problem.is_error:
            raise EditError(f"文件里有错误，要先改好。{problem.place}：{problem.message}")
    found = next((e for e in parsed.entries if _same(e, entry)), None)
    if found is None:
        raise EditError(f"{file} 里已经没有这一条：它可能刚被改名或删除")
    text = entry_editor.entry_text(raw, found.id, name=file)
    return EntryRevision(file, raw, found, f"{_hash(raw)}-{_hash(text.encode())}")


def as_written(workspace: Books, entry: Entry) -> Entry:
    """A live entry as its file has it: facts not filled in, with its id within the file, as the journal of edits."""
    file = workspace.snapshot.good.get(workspace.file_name(entry.place.file))
    return next((e for e in file.entries if _same(e, entry)), entry) if file else entry


def _same(found: Entry, wanted: Entry) -> bool:
    if wanted.id_given or found.id_given:
        return found.id == wanted.id
    # Ids that nobody wrote may differ between a file by itself and all files together; and on the line of an entry
    # another one may stand by now.
    return (found.place.line, found.question) == (wanted.place.line, wanted.question)


async def trial(workspace: Books, proposal: Proposal) -> tuple[Snapshot, tuple[Problem, ...]]:
    """All files with the changed one among them, and the problems that are not there today."""
    files = {**await workspace.shelf.read(), proposal.file: proposal.after}
    return await trial_of(workspace, files)


async def trial_of(workspace: Books, files: Mapping[str, bytes]) -> tuple[Snapshot, tuple[Problem, ...]]:
    """These files as they would be live, and the problems that are not there today."""
    # Of a file that is broken today its last good version is live, and it would be after the change.
    found = await asyncio.to_thread(
        assemble, files, label=workspace.shelf.label, today=workspace.today(), last=workspace.snapshot
    )
    known = {p.key for p in workspace.snapshot.problems}
    return found, tuple(p for p in found.problems if p.key not in known)


async def save(workspace: Books, who: str, proposal: Proposal, kind: str, userid: str = "") -> Entry | None:
    """Write the file if it still is what the proposal began with; the entry as it is live then.

    `kind` and `userid` are those of an Edit. Raises Overtaken, ShelfError.
    """
    try:
        await workspace.shelf.write(proposal.file, proposal.after, proposal.before)
    except FileConflict as exc:
        raise StaleEdit(proposal.file, exc.present) from exc
    before = await asyncio.to_thread(_text, proposal.before, proposal)
    after = await asyncio.to_thread(_text, proposal.after, proposal)
    await after_writing(workspace, [Edit(who, proposal.file, proposal.entry_id, kind, before, after, userid)])
    return await live_entry(workspace, proposal)


async def after_writing(workspace: Books, lines: Iterable[Edit]) -> None:
    """Make live what was written to the shelf, and write down who did it.

    A store that is away is no error here: the files are changed, and whoever is told must not believe that they are
    not. The watch over the files makes them live a little later and writes the lines down, without the name.
    """
    try:
        await workspace.library.refresh()
        for line in lines:
            await write_down(workspace.store, workspace.clock(), line)
    except StoreError as exc:
        log.error("changes.not_noted", reason=str(exc))


def _text(raw: bytes | None, proposal: Proposal) -> str:
    """How the entry is written in a version of its file; nothing where it is not in it."""
    if raw is None:
        return ""
    try:
        return entry_editor.entry_text(raw, proposal.entry_id, name=proposal.file)
    except EditError:
        return ""


async def live_entry(workspace: Books, proposal: Proposal) -> Entry | None:
    """The entry of a saved proposal among all that are live."""
    parsed = await asyncio.to_thread(parse_file, proposal.file, proposal.after)
    line = next((e.place.line for e in parsed.entries if e.id == proposal.entry_id), 0)
    entries = workspace.snapshot.entries
    return next(
        (e for e in entries if workspace.file_name(e.place.file) == proposal.file and e.place.line == line), None
    )


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:24]
