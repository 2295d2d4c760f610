"""The knowledge that is live now. refresh() swaps it whole; a bad file keeps its last good version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from faqbot.errors import EmbeddingsError, FaqbotError
from faqbot.knowledge.entry_parser import ParsedFile
from faqbot.knowledge.files.picture_folder import PictureFolder
from faqbot.knowledge.snapshot import Snapshot, assemble
from faqbot.model.entries import Problem
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.search.arrays import Floats
from faqbot.search.thresholds import FITTED_THRESHOLDS, Thresholds, learn
from faqbot.store.protocol import DocumentStore

log = EventLog(__name__)

# A save is seen within this many seconds; the poll costs one stat per file and works on network disks.
POLL_SECONDS = 0.5


class FileSource(Protocol):
    """Where the text lives."""

    @property
    def label(self) -> str: ...
    async def version(self) -> Hashable: ...
    async def read(self) -> Mapping[str, bytes]: ...

    async def remarks(self) -> Sequence[Problem]:
        """What is wrong with the place itself rather than with what the files say."""
        ...


@dataclass(frozen=True, slots=True)
class _Trial:
    """The last snapshot that was tried, and all that it was built from."""

    files: Mapping[str, bytes]
    today: date
    last: Snapshot
    snapshot: Snapshot

    def holds_for(self, files: Mapping[str, bytes], today: date, last: Snapshot | None) -> bool:
        """Return True if building these files now would give this snapshot."""
        # Vectors that were added to the live snapshot meanwhile leave what its files say as it was.
        same_last = last is not None and last.good is self.last.good
        return same_last and today == self.today and files == self.files


class KnowledgeBase:
    """Holds the current Snapshot; readers take `current` once per message and keep it."""

    def __init__(
        self,
        shelf: FileSource,
        today: Callable[[], date],
        strictness: str = "balanced",
        embed: Callable[[Sequence[str]], Awaitable[Floats]] | None = None,
        keep: DocumentStore | None = None,
        metrics: Metrics | None = None,
        pictures: PictureFolder | None = None,
    ) -> None:
        self._shelf = shelf
        self._today = today
        self._strictness = strictness
        self._embed = embed
        self._keep = keep
        self._metrics = metrics or Metrics()
        self._pictures = pictures
        self._kept: dict[str, bytes] = {}
        self._unkept: dict[str, bytes] = {}
        self._learnt: tuple[Snapshot, Thresholds] | None = None
        self._learning: asyncio.Task[None] | None = None
        self._seen: Hashable = None
        self._one_at_a_time = asyncio.Lock()
        self._current: Snapshot | None = None
        self._tried: _Trial | None = None

    @property
    def current(self) -> Snapshot:
        if self._current is None:
            raise RuntimeError("refresh() the library before it is read")
        return self._current

    def limits_for(self, snapshot: Snapshot) -> Thresholds:
        """The bars learnt from this snapshot; until they are, the fitted ones."""
        if self._learnt is not None and self._learnt[0] is snapshot:
            return self._learnt[1]
        return FITTED_THRESHOLDS[self._strictness]

    async def learnt(self) -> None:
        """Wait until the bars of the knowledge that is live now are learnt, or cannot be."""
        while self._learning is not None and not self._learning.done():
            await asyncio.wait({self._learning})

    async def refresh(self) -> bool:
        """Read again if anything changed; True if a new snapshot is live. Raises KnowledgeMissing."""
        # Two readers at once could put the older version back.
        async with self._one_at_a_time:
            return await self._refresh()

    async def trial(self, files: Mapping[str, bytes], parsed: Mapping[str, ParsedFile] | None = None) -> Snapshot:
        """Build `files` as they would be live; refresh() makes the result live if these are the files it finds then.

        `parsed` are files that were parsed already.
        """
        # Of a file that is broken today its last good version is live, and it would be after the change.
        today, last, tried = self._today(), self.current, self._tried
        if tried is not None and tried.holds_for(files, today, last):
            return tried.snapshot
        snapshot = await asyncio.to_thread(
            assemble, files, label=self._shelf.label, today=today, last=last, parsed=parsed
        )
        self._tried = _Trial(dict(files), today, last, snapshot)
        return snapshot

    async def _refresh(self) -> bool:
        today = self._today()
        # A new day is a change too: entries expire and fall due.
        pictures = await asyncio.to_thread(self._pictures.mark) if self._pictures else None
        seen = (await self._shelf.version(), today, pictures)
        if seen == self._seen:
            # What the store did not take the last time is not forgotten.
            await self._remember()
            return False
        files, remarks = dict(await self._shelf.read()), await self._shelf.remarks()
        before = self._current
        last = before or await self._from_last_run(files, today)
        # A file that cannot even be read is as it was in an earlier run.
        unread = (p.place.file.removeprefix(f"{self._shelf.label}/") for p in remarks if p.is_error)
        files |= {name: self._kept[name] for name in unread if name in self._kept and name not in files}
        tried, self._tried = self._tried, None
        if tried is not None and tried.holds_for(files, today, last):
            snapshot = tried.snapshot
        else:
            # Parsing and indexing take a while with thousands of entries; the loop goes on answering.
            snapshot = await asyncio.to_thread(assemble, files, label=self._shelf.label, today=today, last=last)
        unseen = await asyncio.to_thread(self._pictures.problems, snapshot.entries) if self._pictures else []
        snapshot = replace(snapshot, problems=(*snapshot.problems, *remarks, *unseen))
        self._seen = seen
        self._current = snapshot
        self._report(snapshot, {p.key for p in before.problems} if before else set())
        if self._learning is not None:
            self._learning.cancel()
        self._learning = asyncio.create_task(self._learn(snapshot))
        self._unkept |= self._changed(files, snapshot)
        await self._remember()
        return True

    async def _from_last_run(self, files: Iterable[str], today: date) -> Snapshot | None:
        """What an earlier process had live, for files that are broken now."""
        if self._keep is None:
            return None
        self._kept = dict(await self._keep.documents())
        # The store keeps files that were taken away as well; they must not stand in the way of those there are.
        kept = {name: self._kept[name] for name in files if name in self._kept}
        return await asyncio.to_thread(assemble, kept, label=self._shelf.label, today=today) if kept else None

    def _changed(self, files: Mapping[str, bytes], snapshot: Snapshot) -> dict[str, bytes]:
        """Each file that has no error, if it is not kept like this."""
        broken = {p.place.file for p in snapshot.problems if p.is_error}
        return {
            name: content
            for name, content in files.items()
            if f"{self._shelf.label}/{name}" not in broken and self._kept.get(name) != content
        }

    async def _remember(self) -> None:
        """Keep what is to be kept. Raises StoreError, and then it is tried again with the next refresh."""
        if self._keep is not None and self._unkept:
            await self._keep.put_documents(self._unkept)
            self._kept |= self._unkept
            self._unkept = {}

    async def close(self) -> None:
        """Stop learning."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)

    async def _learn(self, snapshot: Snapshot) -> None:
        """Find out the bars of a snapshot that answers already; before that, where vectors are wanted, add them."""
        try:
            snapshot = await self._with_meanings(snapshot)
            limits = await asyncio.to_thread(learn, snapshot.index, self._strictness)
        except Exception as exc:
            # The edge of a background task: the fitted bars go on deciding, and the reason is not lost.
            log.error("knowledge.not_calibrated", cause=exc)
            return
        self._learnt = (snapshot, limits)
        log.info("knowledge.calibrated", answer_at=limits.answer_at, offer_at=limits.offer_at)

    async def _with_meanings(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with vectors, live if no newer one is; the same one if there are none to be had."""
        if self._embed is None or not snapshot.index.wordings:
            return snapshot
        try:
            vectors = await self._embed(snapshot.index.wordings)
        except EmbeddingsError as exc:
            # The words alone go on deciding; the next change of a file tries again.
            log.error("knowledge.not_embedded", reason=str(exc))
            return snapshot
        embedded = replace(snapshot, index=await asyncio.to_thread(snapshot.index.with_embeddings, vectors))
        # An edit may have gone live meanwhile, and an older snapshot must never replace it.
        if self._current is snapshot:
            self._current = embedded
            log.info("knowledge.embedded", wordings=len(embedded.index.wordings))
        return embedded

    async def watch(self) -> None:
        """Keep the knowledge live until cancelled; a folder that is gone for a while changes nothing."""
        failed = ""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.refresh()
                failed = ""
            except Exception as exc:
                # Said once, not twice a second, while it lasts.
                if str(exc) != failed:
                    known = isinstance(exc, FaqbotError)
                    log.error("knowledge.refresh_failed", cause=None if known else exc, reason=str(exc))
                failed = str(exc)

    def _report(self, snapshot: Snapshot, known: set[tuple[str, str]]) -> None:
        errors = sum(p.is_error for p in snapshot.problems)
        warnings = len(snapshot.problems) - errors
        self._metrics.knowledge(snapshot.version, len(snapshot.entries), errors, warnings)
        log.info(
            "knowledge.loaded",
            version=snapshot.version,
            entries=len(snapshot.entries),
            errors=errors,
            warnings=warnings,
        )
        for problem in snapshot.problems:
            if problem.key not in known:
                tell = log.error if problem.is_error else log.warning
                tell("knowledge.problem", place=str(problem.place), problem=problem.message)
