"""Where the text of the knowledge lives when replicas share a store; the folder beside each is its seed."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

from faqbot.errors import FileConflict, FileSourceError, KnowledgeMissing, StoreError
from faqbot.knowledge.files.atomic_write import conflict
from faqbot.knowledge.files.folder import faq_first, must_be_ours
from faqbot.model.entries import Place, Problem
from faqbot.model.shared_text import SharedText, SharedTextStore, merge_deployed, resolve_conflict
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

LABEL = "共享知识"


class Seed(Protocol):
    """The folder of a deployment."""

    @property
    def label(self) -> str: ...
    async def version(self) -> Hashable: ...
    async def read(self) -> Mapping[str, bytes]: ...
    async def remarks(self) -> Sequence[Problem]: ...


class ReplicatedSource:
    """Serves the shared text, and brings what changes in `seed` into it; without a seed it only reads and writes.

    `place` names the folder among all machines: what was deployed there before is not deployed again, so that a
    replica of an older deployment may restart without undoing a newer one.
    """

    def __init__(self, texts: SharedTextStore, seed: Seed | None = None, *, place: str = "") -> None:
        self._texts = texts
        self._seed = seed
        self._place = place
        self._sown: Hashable = None
        self._shared = SharedText()

    @property
    def label(self) -> str:
        """What stands before a name in messages to people."""
        return LABEL

    async def version(self) -> Hashable:
        """Change whenever a file is written or deleted by anybody. Raises KnowledgeMissing, StoreError."""
        version = await self._texts.version()
        if not version and self._shared.version:
            await self._give_back()
        if self._seed is not None:
            await self._follow(self._seed, first=not version)
        version = await self._texts.version()
        if not version:
            raise KnowledgeMissing("存储里没有知识，知识目录里也没有；请把知识文件放进 FAQBOT_KNOWLEDGE 再启动")
        return version

    async def read(self) -> Mapping[str, bytes]:
        """Read all files. Raises StoreError."""
        return dict(sorted((await self._load()).texts.items(), key=faq_first))

    async def remarks(self) -> list[Problem]:
        """What is to be decided about, and what the folder beside has to say."""
        beside = await self._seed.remarks() if self._seed is not None else ()
        return [*beside, *await self.disputes()]

    async def disputes(self) -> list[Problem]:
        """Files that were deployed but not taken over, because they had been changed in the console."""
        disputed = (await self._load()).open_conflicts
        return [_remark(name, new, self._shared) for name, new in sorted(disputed.items())]

    async def disputed(self) -> Mapping[str, tuple[bytes | None, bytes | None]]:
        """By file, the live and the deployed text that somebody has to decide about; None is no file."""
        shared = await self._load()
        return {name: (shared.texts.get(name), new) for name, new in sorted(shared.open_conflicts.items())}

    async def settle(self, name: str, live: bytes | None, deployed: bytes | None, *, take_deployed: bool) -> None:
        """Decide about a file as it was shown. Raises Conflict, ShelfError."""
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
            raise _away(exc) from exc

    async def write(self, name: str, content: bytes, expected: bytes | None) -> None:
        """Put `content` in the place of `expected` (None: a new file). Raises Conflict, ShelfError."""
        await self._put({name: expected}, {name: content})

    async def delete(self, name: str, expected: bytes) -> None:
        """Delete the file that holds `expected`. Raises Conflict, ShelfError."""
        await self._put({name: expected}, {name: None})

    async def write_all(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        """Write what differs, all or nothing. Raises Conflict, ShelfError."""
        changed = [name for name, content in after.items() if before.get(name) != content]
        if changed:
            await self._put({name: before.get(name) for name in changed}, {name: after[name] for name in changed})

    async def _put(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> None:
        for name in after:
            must_be_ours(name)
        try:
            taken = await self._texts.put(before, after)
            if taken is not None:
                raise conflict(taken, before[taken], (await self._load()).texts.get(taken))
        except StoreError as exc:
            raise _away(exc) from exc

    async def _load(self) -> SharedText:
        if self._shared.version != await self._texts.version():
            self._shared = await self._texts.load()
        return self._shared

    async def _give_back(self) -> None:
        """The store has lost everything, as after a restart without its data: what was live here is put back."""
        if await self._texts.swap(SharedText(), self._shared):
            log.warning("shelf.given_back", files=len(self._shared.texts))

    async def _follow(self, seed: Seed, *, first: bool) -> None:
        """Bring the folder into the shared text, if it changed since this place was looked at last."""
        try:
            seen = await seed.version()
            if seen == self._sown and not first:
                return
            deployed, unread = await seed.read(), [p for p in await seed.remarks() if p.is_error]
        except KnowledgeMissing:
            if first:
                raise
            # Replicas need no folder once there is shared text.
            return
        if unread:
            # What cannot be read must not count as deployed no more.
            if first:
                raise KnowledgeMissing(f"{unread[0].place}：{unread[0].message}")
            return
        digest = _digest(deployed)
        if first or await self._texts.deployed(self._place) != digest:
            await self._sow(deployed)
            await self._texts.note_deployed(self._place, digest)
        self._sown = seen

    async def _sow(self, deployed: Mapping[str, bytes]) -> None:
        while True:
            shared = await self._load()
            if any(map(_is_faq, shared.base)) and not any(map(_is_faq, deployed)):
                # Rather a folder that was not copied than the wish to have no knowledge any more.
                log.warning("shelf.empty_seed_ignored")
                return
            after = merge_deployed(shared, deployed)
            if after == shared:
                return
            if await self._texts.swap(shared, after):
                changed = [n for n in {*shared.texts, *after.texts} if shared.texts.get(n) != after.texts.get(n)]
                log.info("shelf.sown", changed=len(changed), kept=len(after.open_conflicts))
                return


def _remark(name: str, new: bytes | None, shared: SharedText) -> Problem:
    """Says what was not taken over, and where to decide."""
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


def _away(exc: StoreError) -> FileSourceError:
    return FileSourceError(f"存储现在写不进去（{exc}），没有保存；请过一会儿再试")
