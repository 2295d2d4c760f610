"""Workspace: the editing operations behind the console: load, preview, save, publish and audit an entry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from faqbot.errors import EditError, FileConflict, StoreError
from faqbot.knowledge.editing.audit_log import Edit, append_edit
from faqbot.knowledge.editing.revision import EntryRevision, Proposal, StaleEdit, is_same, open_revision, text_in
from faqbot.knowledge.entry_parser import ParsedFile
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.entries import Entry, Problem
from faqbot.runtime.log import EventLog
from faqbot.search.thresholds import Thresholds
from faqbot.store.protocol import Store

log = EventLog(__name__)


class EditableSource(Protocol):
    """A source of knowledge files that can be read and written."""

    @property
    def label(self) -> str: ...
    async def read(self) -> Mapping[str, bytes]: ...
    async def problems(self) -> Sequence[Problem]: ...

    async def write(self, name: str, content: bytes, expected: bytes | None, /) -> object:
        """Replace a file that holds `expected` (None: there is none yet). Raises FileConflict, FileSourceError."""
        ...

    async def write_all(self, before: Mapping[str, bytes], after: Mapping[str, bytes], /) -> object:
        """Replace all files that differ, or none if one does not hold `before` any more. Raises FileSourceError."""
        ...


@dataclass(frozen=True, slots=True)
class Workspace:
    """The live knowledge, its files, the store that holds the records, and the clock.

    `today` is the date in the company's time zone, `clock` the time in epoch seconds.
    """

    base: KnowledgeBase
    source: EditableSource
    store: Store
    today: Callable[[], date]
    clock: Callable[[], float] = time.time

    @property
    def snapshot(self) -> Snapshot:
        """The knowledge that is live now; take it once for a page."""
        return self.base.current

    def limits(self, snapshot: Snapshot) -> Thresholds:
        """Return how sure the bot must be with this knowledge, by words alone."""
        return self.base.thresholds_for(snapshot)

    def limits_by_meaning(self, snapshot: Snapshot) -> Thresholds | None:
        """Return how sure it must be about a question with an embedding; None while the knowledge has none."""
        return self.base.thresholds_by_meaning(snapshot)

    def file_name(self, path: str) -> str:
        """Return the name in the source of a file as a Place shows it."""
        return path.removeprefix(f"{self.source.label}/")

    # -- one entry ---------------------------------------------------------------------------------

    async def load(self, entry: Entry, present: bytes | None = None) -> EntryRevision:
        """Open a live entry in its file as the source has it now, or in `present`.

        Raises EditError where it cannot be read.
        """
        file = self.file_name(entry.place.file)
        raw = present if present is not None else (await self.source.read()).get(file)
        if raw is None:
            raise EditError(f"文件 {file} 不在了，不能修改这一条")
        # In a thread: a file of thousands of entries takes a while to parse.
        return await asyncio.to_thread(open_revision, file, raw, entry)

    def as_written(self, entry: Entry) -> Entry:
        """Return a live entry as its file has it: facts not filled in, with its id within the file."""
        file = self.snapshot.good.get(self.file_name(entry.place.file))
        return next((e for e in file.entries if is_same(e, entry)), entry) if file else entry

    def live_entry(self, proposal: Proposal) -> Entry | None:
        """Return the entry of a saved proposal among all that are live."""
        line = next((e.place.line for e in proposal.after.entries if e.id == proposal.entry_id), 0)
        here = (e for e in self.snapshot.entries if self.file_name(e.place.file) == proposal.file)
        return next((e for e in here if e.place.line == line), None)

    # -- trying a change ---------------------------------------------------------------------------

    async def trial(self, proposal: Proposal) -> tuple[Snapshot, tuple[Problem, ...]]:
        """Build the knowledge with the changed file; return it and the problems that are new."""
        files = {**await self.source.read(), proposal.file: proposal.after.raw}
        return await self.trial_files(files, {proposal.file: proposal.after.parsed})

    async def trial_files(
        self, files: Mapping[str, bytes], parsed: Mapping[str, ParsedFile] | None = None
    ) -> tuple[Snapshot, tuple[Problem, ...]]:
        """Build the knowledge from these files; return it and the problems that are new.

        `parsed` are files that were parsed already.
        """
        known = {p.key for p in self.snapshot.problems}
        tried = await self.base.trial(files, parsed)
        return tried, tuple(p for p in tried.problems if p.key not in known)

    # -- writing -----------------------------------------------------------------------------------

    async def save(self, who: str, proposal: Proposal, kind: str, userid: str = "") -> Entry | None:
        """Write the file if it has not changed since the proposal began; return the entry as it is live then.

        `kind` and `userid` are those of an Edit. Raises StaleEdit, FileSourceError.
        """
        try:
            await self.source.write(proposal.file, proposal.after.raw, proposal.before.raw if proposal.before else None)
        except FileConflict as exc:
            raise StaleEdit(proposal.file, exc.present) from exc
        before, after = (text_in(outline, proposal.entry_id) for outline in (proposal.before, proposal.after))
        await self.make_live([Edit(who, proposal.file, proposal.entry_id, kind, before, after, userid)])
        return self.live_entry(proposal)

    async def make_live(self, edits: Iterable[Edit]) -> None:
        """Make the files live that were written to the source, and record who changed them.

        An unavailable store is no error here: the files are changed, and an error would tell the person that they are
        not. The watch over the files makes them live a little later and records the edits, without the name.
        """
        try:
            await self.base.refresh()
            for edit in edits:
                await append_edit(self.store, self.clock(), edit)
        except StoreError as exc:
            log.error("changes.not_noted", reason=str(exc))
