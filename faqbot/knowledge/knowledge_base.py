"""Keeps the live snapshot of the knowledge: polls the files, rebuilds it, calibrates its thresholds."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from faqbot.errors import FaqbotError
from faqbot.knowledge.entry_parser import ParsedFile
from faqbot.knowledge.files.picture_folder import PictureFolder
from faqbot.knowledge.snapshot import Snapshot, build_snapshot
from faqbot.model.entries import Problem
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.retry import backoff
from faqbot.search.arrays import Floats
from faqbot.search.thresholds import FITTED_THRESHOLDS, Thresholds, learn
from faqbot.store.protocol import DocumentStore

log = EventLog(__name__)

# The interval at which the files are polled. A poll costs one stat per file and works on network disks.
POLL_SECONDS = 0.5
# Pauses after which embeddings that could not be had are tried again: the first, doubled each time, and the longest.
_EMBED_AGAIN_SECONDS, _EMBED_AGAIN_MAX_SECONDS = 30.0, 600.0

# Returns the embeddings of texts, one row each.
Embed = Callable[[Sequence[str]], Awaitable[Floats]]


class FileSource(Protocol):
    """Serves the text of the knowledge files."""

    @property
    def label(self) -> str: ...
    async def version(self) -> Hashable: ...
    async def read(self) -> Mapping[str, bytes]: ...

    async def problems(self) -> Sequence[Problem]:
        """Return the problems of the place of the files, not those of their content."""
        ...


@dataclass(frozen=True, slots=True)
class _Trial:
    """The last snapshot that was built on trial, and all that it was built from."""

    files: Mapping[str, bytes]
    today: date
    last: Snapshot
    snapshot: Snapshot

    def holds_for(self, files: Mapping[str, bytes], today: date, last: Snapshot | None) -> bool:
        """Return True if building these files now would give this snapshot."""
        # Vectors that were added to the live snapshot meanwhile do not change the content of its files.
        same_last = last is not None and last.good is self.last.good
        return same_last and today == self.today and files == self.files


@dataclass(frozen=True, slots=True)
class _Calibrated:
    """A snapshot and the thresholds calibrated on it: by words alone, and with embeddings where it has them."""

    snapshot: Snapshot
    by_words: Thresholds
    by_meaning: Thresholds | None = None


class KnowledgeBase:
    """Holds the current Snapshot; readers take `current` once per message and keep it.

    A file with an error stays live in its last good version, which `last_good` keeps beyond the end of the process.
    """

    def __init__(
        self,
        source: FileSource,
        today: Callable[[], date],
        strictness: str = "balanced",
        embed: Embed | None = None,
        last_good: DocumentStore | None = None,
        metrics: Metrics | None = None,
        pictures: PictureFolder | None = None,
    ) -> None:
        self._source = source
        self._today = today
        self._strictness = strictness
        self._embed = embed
        self._last_good = last_good
        self._metrics = metrics or Metrics()
        self._pictures = pictures
        self._stored: dict[str, bytes] = {}
        self._to_store: dict[str, bytes] = {}
        self._calibrated: _Calibrated | None = None
        self._calibration: asyncio.Task[None] | None = None
        self._embedding: asyncio.Task[None] | None = None
        self._version: Hashable = None
        self._refresh_lock = asyncio.Lock()
        self._current: Snapshot | None = None
        self._trial: _Trial | None = None

    @property
    def current(self) -> Snapshot:
        if self._current is None:
            raise RuntimeError("refresh() the knowledge base before it is read")
        return self._current

    def thresholds_for(self, snapshot: Snapshot) -> Thresholds:
        """Return the thresholds calibrated on this snapshot by words alone; until they are, the fitted ones."""
        if self._calibrated is not None and self._calibrated.snapshot is snapshot:
            return self._calibrated.by_words
        return FITTED_THRESHOLDS[self._strictness]

    def thresholds_by_meaning(self, snapshot: Snapshot) -> Thresholds | None:
        """Return the thresholds for queries with an embedding; None for a snapshot without embeddings."""
        if self._calibrated is not None and self._calibrated.snapshot is snapshot:
            return self._calibrated.by_meaning
        return None

    async def wait_until_calibrated(self) -> None:
        """Wait until the thresholds of the live knowledge are calibrated by words alone, or calibration failed."""
        while self._calibration is not None and not self._calibration.done():
            await asyncio.wait({self._calibration})

    async def wait_until_embedded(self) -> None:
        """Wait until the live knowledge has embeddings, or failed to get them."""
        await self.wait_until_calibrated()
        while self._embedding is not None and not self._embedding.done():
            await asyncio.wait({self._embedding})

    async def refresh(self) -> bool:
        """Read the files again if anything changed; return True if a new snapshot is live.

        Raises KnowledgeMissing, StoreError.
        """
        # Two refreshes at once could put the older version back.
        async with self._refresh_lock:
            return await self._refresh()

    async def trial(self, files: Mapping[str, bytes], parsed: Mapping[str, ParsedFile] | None = None) -> Snapshot:
        """Build `files` as they would be live; refresh() makes the result live if these are the files it finds then.

        `parsed` are files that were parsed already.
        """
        # A file that is broken now is live in its last good version, and would be after the change.
        today, last, trial = self._today(), self.current, self._trial
        if trial is not None and trial.holds_for(files, today, last):
            return trial.snapshot
        snapshot = await asyncio.to_thread(
            build_snapshot, files, label=self._source.label, today=today, last=last, parsed=parsed
        )
        self._trial = _Trial(dict(files), today, last, snapshot)
        return snapshot

    async def _refresh(self) -> bool:
        today = self._today()
        # A new day is a change too: entries expire and reviews fall due.
        pictures = await asyncio.to_thread(self._pictures.version) if self._pictures else None
        version = (await self._source.version(), today, pictures)
        if version == self._version:
            # Store the files now that the store refused the last time.
            await self._store_last_good()
            return False
        files, place_problems = dict(await self._source.read()), await self._source.problems()
        before = self._current
        last = before or await self._from_last_run(files, today)
        # A file that cannot be read at all stays as it was in an earlier run.
        unreadable = (p.place.file.removeprefix(f"{self._source.label}/") for p in place_problems if p.is_error)
        files |= {name: self._stored[name] for name in unreadable if name in self._stored and name not in files}
        trial, self._trial = self._trial, None
        if trial is not None and trial.holds_for(files, today, last):
            snapshot = trial.snapshot
        else:
            # Parsing and indexing take a while with thousands of entries; in a thread they do not delay answers.
            snapshot = await asyncio.to_thread(build_snapshot, files, label=self._source.label, today=today, last=last)
        picture_problems = await asyncio.to_thread(self._pictures.problems, snapshot.entries) if self._pictures else []
        snapshot = replace(snapshot, problems=(*snapshot.problems, *place_problems, *picture_problems))
        self._version = version
        self._current = snapshot
        self._report(snapshot, {p.key for p in before.problems} if before else set())
        self._cancel_background()
        self._calibration = asyncio.create_task(self._calibrate(snapshot))
        self._to_store |= self._not_stored(files, snapshot)
        await self._store_last_good()
        return True

    async def _from_last_run(self, files: Iterable[str], today: date) -> Snapshot | None:
        """Build the snapshot that an earlier process had live, for files that are broken now."""
        if self._last_good is None:
            return None
        self._stored = dict(await self._last_good.documents())
        # The store also keeps files that were deleted since; their ids must not clash with those of the present ones.
        stored = {name: self._stored[name] for name in files if name in self._stored}
        if not stored:
            return None
        return await asyncio.to_thread(build_snapshot, stored, label=self._source.label, today=today)

    def _not_stored(self, files: Mapping[str, bytes], snapshot: Snapshot) -> dict[str, bytes]:
        """Return the files without an error whose content is not stored yet."""
        broken = {p.place.file for p in snapshot.problems if p.is_error}
        return {
            name: content
            for name, content in files.items()
            if f"{self._source.label}/{name}" not in broken and self._stored.get(name) != content
        }

    async def _store_last_good(self) -> None:
        """Store the files that are not stored yet; after a StoreError the next refresh tries again."""
        if self._last_good is not None and self._to_store:
            await self._last_good.put_documents(self._to_store)
            self._stored |= self._to_store
            self._to_store = {}

    async def close(self) -> None:
        """Stop the calibration and the embedding."""
        running = self._cancel_background()
        await asyncio.gather(*running, return_exceptions=True)

    def _cancel_background(self) -> list[asyncio.Task[None]]:
        """Cancel what is still done for a snapshot, and return these tasks."""
        running = [task for task in (self._calibration, self._embedding) if task is not None]
        for task in running:
            task.cancel()
        self._embedding = None
        return running

    async def _calibrate(self, snapshot: Snapshot) -> None:
        """Calibrate the thresholds of a snapshot that answers already, and have embeddings added to it."""
        try:
            thresholds = await asyncio.to_thread(learn, snapshot.index, self._strictness)
        except Exception as exc:
            # The edge of a background task: log the reason and keep the fitted thresholds.
            log.error("knowledge.not_calibrated", cause=exc)
            thresholds = FITTED_THRESHOLDS[self._strictness]
        else:
            log.info("knowledge.calibrated", answer_at=thresholds.answer_at, offer_at=thresholds.offer_at)
        self._calibrated = _Calibrated(snapshot, thresholds)
        if self._embed is not None and snapshot.index.wordings:
            self._embedding = asyncio.create_task(self._add_embeddings(self._embed, self._calibrated))

    async def _add_embeddings(self, embed: Embed, calibrated: _Calibrated) -> None:
        """Give a snapshot embeddings and the thresholds for them; meanwhile it answers by words alone."""
        snapshot = calibrated.snapshot
        for attempt in itertools.count():
            try:
                vectors = await embed(snapshot.index.embedded_texts)
                index = await asyncio.to_thread(snapshot.index.with_embeddings, vectors)
                by_meaning = await asyncio.to_thread(learn, index, self._strictness)
                break
            except Exception as exc:
                # The edge of a background task. Search goes on by words alone, and the store keeps what was embedded.
                # Logged once, not at each attempt, while it lasts.
                if attempt == 0:
                    is_expected = isinstance(exc, FaqbotError)
                    log.error("knowledge.not_embedded", cause=None if is_expected else exc, reason=str(exc))
            await asyncio.sleep(backoff(attempt, first=_EMBED_AGAIN_SECONDS, longest=_EMBED_AGAIN_MAX_SECONDS))
        # An edit may have gone live meanwhile; an older snapshot must never replace it.
        if self._current is snapshot:
            self._current = embedded = replace(snapshot, index=index)
            self._calibrated = _Calibrated(embedded, calibrated.by_words, by_meaning)
            log.info("knowledge.embedded", texts=len(vectors), answer_at=by_meaning.answer_at)

    async def watch(self) -> None:
        """Poll the files until cancelled; while the folder is missing the live knowledge stays."""
        last_failure = ""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.refresh()
                last_failure = ""
            except Exception as exc:
                # Logged once, not twice a second, while it lasts.
                if str(exc) != last_failure:
                    is_expected = isinstance(exc, FaqbotError)
                    log.error("knowledge.refresh_failed", cause=None if is_expected else exc, reason=str(exc))
                last_failure = str(exc)

    def _report(self, snapshot: Snapshot, reported: set[tuple[str, str]]) -> None:
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
            if problem.key not in reported:
                write = log.error if problem.is_error else log.warning
                write("knowledge.problem", place=str(problem.place), problem=problem.message)
