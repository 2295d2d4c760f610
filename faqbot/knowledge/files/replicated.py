"""File source shared by replicas in the store; merges newly deployed folders into it."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

from faqbot.errors import FileConflict, FileSourceError, KnowledgeMissing, StoreError
from faqbot.knowledge.files.atomic_write import file_conflict
from faqbot.knowledge.files.folder import check_file_name, entries_first
from faqbot.model.entries import Place, Problem
from faqbot.model.shared_text import SharedText, SharedTextStore, merge_deployed, resolve_conflict
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

LABEL = "共享知识"


class DeployedFolder(Protocol):
    """The folder of a deployment, whose text is merged into the shared one."""

    @property
    def label(self) -> str: ...
    async def version(self) -> Hashable: ...
    async def read(self) -> Mapping[str, bytes]: ...
    async def problems(self) -> Sequence[Problem]: ...


class ReplicatedSource:
    """Serves the shared text and merges changes of the `deployed` folder into it; without one it only reads and writes.

    `place` names the folder among all machines: content that was deployed there before is not merged again, so that a
    replica of an older deployment may restart without undoing a newer one.
    """

    def __init__(self, texts: SharedTextStore, folder: DeployedFolder | None = None, *, place: str = "") -> None:
        self._texts = texts
        self._folder = folder
        self._place = place
        self._merged_version: Hashable = None
        self._shared = SharedText()

    @property
    def label(self) -> str:
        """Name of the place, shown before a file name in messages to people."""
        return LABEL

    async def version(self) -> Hashable:
        """Return a value that changes when anybody writes or deletes a file. Raises KnowledgeMissing, StoreError."""
        version = await self._texts.version()
        if not version and self._shared.version:
            await self._restore()
        if self._folder is not None:
            await self._merge_folder(self._folder, first=not version)
        version = await self._texts.version()
        if not version:
            raise KnowledgeMissing("存储里没有知识，知识目录里也没有；请把知识文件放进 FAQBOT_KNOWLEDGE 再启动")
        return version

    async def read(self) -> Mapping[str, bytes]:
        """Read all files. Raises StoreError."""
        return dict(sorted((await self._load()).texts.items(), key=entries_first))

    async def problems(self) -> list[Problem]:
        """Return the open conflicts, and the problems of the folder."""
        of_folder = await self._folder.problems() if self._folder is not None else ()
        return [*of_folder, *await self.conflict_problems()]

    async def conflict_problems(self) -> list[Problem]:
        """Report files that were deployed but not merged, because they had been changed in the console."""
        conflicts = (await self._load()).open_conflicts
        return [_conflict_problem(name, new, self._shared) for name, new in sorted(conflicts.items())]

    async def conflicts(self) -> Mapping[str, tuple[bytes | None, bytes | None]]:
        """Return the live and the deployed text of each file in conflict; None stands for no file."""
        shared = await self._load()
        return {name: (shared.texts.get(name), new) for name, new in sorted(shared.open_conflicts.items())}

    async def resolve(self, name: str, live: bytes | None, deployed: bytes | None, *, take_deployed: bool) -> None:
        """Resolve the conflict of a file as it was shown. Raises FileConflict, FileSourceError."""
        try:
            while True:
                shared = await self._load()
                if name not in shared.conflicts or (shared.texts.get(name), shared.conflicts[name]) != (live, deployed):
                    raise FileConflict(
                        f"{name} 刚刚又变了，没有改动；请看过新的内容后再选", present=shared.texts.get(name)
                    )
                if await self._texts.swap(shared, resolve_conflict(shared, name, take_deployed=take_deployed)):
                    return
        except StoreError as exc:
            raise _store_failed(exc) from exc

    async def write(self, name: str, content: bytes, expected: bytes | None) -> None:
        """Replace the file that holds `expected` (None: there is none) by `content`.

        Raises FileConflict, FileSourceError.
        """
        await self._put({name: expected}, {name: content})

    async def delete(self, name: str, expected: bytes) -> None:
        """Delete the file that holds `expected`. Raises FileConflict, FileSourceError."""
        await self._put({name: expected}, {name: None})

    async def write_all(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        """Write the files that differ, all or none. Raises FileConflict, FileSourceError."""
        changed = [name for name, content in after.items() if before.get(name) != content]
        if changed:
            await self._put({name: before.get(name) for name in changed}, {name: after[name] for name in changed})

    async def _put(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> None:
        for name in after:
            check_file_name(name)
        try:
            changed = await self._texts.put(before, after)
            if changed is not None:
                raise file_conflict(changed, before[changed], (await self._load()).texts.get(changed))
        except StoreError as exc:
            raise _store_failed(exc) from exc

    async def _load(self) -> SharedText:
        if self._shared.version != await self._texts.version():
            self._shared = await self._texts.load()
        return self._shared

    async def _restore(self) -> None:
        """Put the live text back into a store that lost everything, as after a restart without its data."""
        if await self._texts.swap(SharedText(), self._shared):
            log.warning("shelf.given_back", files=len(self._shared.texts))

    async def _merge_folder(self, folder: DeployedFolder, *, first: bool) -> None:
        """Merge the folder into the shared text, if it changed since it was merged from this place."""
        try:
            folder_version = await folder.version()
            if folder_version == self._merged_version and not first:
                return
            deployed, unread = await folder.read(), [p for p in await folder.problems() if p.is_error]
        except KnowledgeMissing:
            if first:
                raise
            # Replicas need no folder once there is shared text.
            return
        if unread:
            # A file that cannot be read must not count as removed.
            if first:
                raise KnowledgeMissing(f"{unread[0].place}：{unread[0].message}")
            return
        digest = _digest(deployed)
        if first or await self._texts.deployed(self._place) != digest:
            await self._merge(deployed)
            await self._texts.note_deployed(self._place, digest)
        self._merged_version = folder_version

    async def _merge(self, deployed: Mapping[str, bytes]) -> None:
        while True:
            shared = await self._load()
            if any(map(_is_faq, shared.base)) and not any(map(_is_faq, deployed)):
                # An empty folder is more likely one that was not copied than a wish to delete all knowledge.
                log.warning("shelf.empty_seed_ignored")
                return
            after = merge_deployed(shared, deployed)
            if after == shared:
                return
            if await self._texts.swap(shared, after):
                changed = [n for n in {*shared.texts, *after.texts} if shared.texts.get(n) != after.texts.get(n)]
                log.info("shelf.sown", changed=len(changed), kept=len(after.open_conflicts))
                return


def _conflict_problem(name: str, new: bytes | None, shared: SharedText) -> Problem:
    """Describe the part that was not merged, and where to decide about it."""
    where = "；现在用的是控制台里的。请到控制台「今天」里选用哪一个"
    if new is None:
        what = f"新部署的知识目录里没有 {name} 了，可是它在控制台里改过{where}"
    elif name not in shared.texts:
        what = f"新部署的 {name} 和以前不同，可是它在控制台里已经删除{where}"
    else:
        what = f"新部署的 {name} 和以前不同，可是它在控制台里也改过{where}"
    return Problem(Place(f"{LABEL}/{name}", 1), what, is_error=False)


def _is_faq(name: str) -> bool:
    return name.startswith("faq/")


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()


def _store_failed(exc: StoreError) -> FileSourceError:
    return FileSourceError(f"存储现在写不进去（{exc}），没有保存；请过一会儿再试")
