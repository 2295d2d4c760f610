"""Knowledge text shared by replicas, and the three-way merge of a new deployment into it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SharedText:
    """The shared text at one moment.

    version: grows with each change; 0 while there is no text.
    texts: the live content of each file.
    base: the deployed content of each file that was last merged or agreed with.
    conflicts: deployed content that was not merged, as the file had been changed in the console; None for a file that
    is not deployed any more.
    """

    version: int = 0
    texts: Mapping[str, bytes] = field(default_factory=dict)
    base: Mapping[str, bytes] = field(default_factory=dict)
    conflicts: Mapping[str, bytes | None] = field(default_factory=dict)

    @property
    def open_conflicts(self) -> Mapping[str, bytes | None]:
        """The conflicts whose deployed content still differs from the live one."""
        return {name: deployed for name, deployed in self.conflicts.items() if self.texts.get(name) != deployed}


class SharedTextStore(Protocol):
    """Stores the shared text. Each method is one atomic step; all raise StoreError."""

    async def version(self) -> int:
        """Return the version of the shared text without loading the text."""
        ...

    async def load(self) -> SharedText: ...

    async def put(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> str | None:
        """Replace all files, None being no file, if each has the content in `before`; else none.

        Return the name of a file that has another content, or None on success. Both mappings have the same names.
        """
        ...

    async def swap(self, before: SharedText, after: SharedText) -> bool:
        """Replace everything if the version is still that of `before`; return False otherwise."""
        ...

    async def deployed(self, place: str) -> str:
        """Return the digest that was noted last for a place of deployment; empty if there is none."""
        ...

    async def note_deployed(self, place: str, digest: str) -> None:
        """Note the digest of the text that is deployed at a place."""
        ...


def merge_deployed(shared: SharedText, deployed: Mapping[str, bytes]) -> SharedText:
    """Merge newly deployed text: a file that nobody changed since follows it, a changed one stays and is a conflict."""
    texts, base, conflicts = dict(shared.texts), dict(shared.base), dict(shared.conflicts)
    for name in sorted({*texts, *base, *conflicts, *deployed}):
        new, live, old = deployed.get(name), texts.get(name), base.get(name)
        conflicts.pop(name, None)
        if new == old:
            continue
        if live in (old, new):
            _put(texts, name, new)
            _put(base, name, new)
        else:
            conflicts[name] = new
    return replace(shared, texts=texts, base=base, conflicts=conflicts)


def resolve_conflict(shared: SharedText, name: str, *, take_deployed: bool) -> SharedText:
    """Resolve the conflict of a file by taking the deployed content over or by keeping the live one."""
    texts, base, conflicts = dict(shared.texts), dict(shared.base), dict(shared.conflicts)
    deployed = conflicts.pop(name)
    _put(base, name, deployed)
    if take_deployed:
        _put(texts, name, deployed)
    return replace(shared, texts=texts, base=base, conflicts=conflicts)


def _put(files: dict[str, bytes], name: str, content: bytes | None) -> None:
    if content is None:
        files.pop(name, None)
    else:
        files[name] = content
