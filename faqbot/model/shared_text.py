"""The knowledge text that replicas share, and how what is deployed is brought into it. Pure: who stores it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SharedText:
    """The shared text at one moment; `version` grows with each change and is 0 while there is none.

    `seeds` is, by file, the deployed text that was last taken over or agreed with. `aside` is deployed text that was
    not taken over because the file had been changed in the console (None: it is deployed no more).
    """

    version: int = 0
    texts: Mapping[str, bytes] = field(default_factory=dict)
    seeds: Mapping[str, bytes] = field(default_factory=dict)
    aside: Mapping[str, bytes | None] = field(default_factory=dict)

    @property
    def disputed(self) -> Mapping[str, bytes | None]:
        """What lies aside and still differs from the text that is live."""
        return {name: seed for name, seed in self.aside.items() if self.texts.get(name) != seed}


class SharedTexts(Protocol):
    """Where the shared text is kept. Each method is one atomic step; all raise StoreError."""

    async def version(self) -> int:
        """The version of the shared text, without the text."""
        ...

    async def load(self) -> SharedText: ...

    async def put(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> str | None:
        """Replace files, None being no file, if all hold what `before` says; else the name of one that does not.

        All are replaced or none. Both mappings have the same names.
        """
        ...

    async def swap(self, before: SharedText, after: SharedText) -> bool:
        """Replace everything if its version is still that of `before`."""
        ...

    async def deployed(self, place: str) -> str:
        """The digest noted for a place last; empty if none is remembered."""
        ...

    async def note_deployed(self, place: str, digest: str) -> None:
        """Remember the digest of the text deployed at a place."""
        ...


def sown(shared: SharedText, deployed: Mapping[str, bytes]) -> SharedText:
    """The shared text with what is deployed now: a file that was left alone since follows, one that was changed stays.

    Deployed text that does not get in lies aside.
    """
    texts, seeds, aside = dict(shared.texts), dict(shared.seeds), dict(shared.aside)
    for name in sorted({*texts, *seeds, *aside, *deployed}):
        new, text, base = deployed.get(name), texts.get(name), seeds.get(name)
        aside.pop(name, None)
        if new == base:
            continue
        if text in (base, new):
            _put(texts, name, new)
            _put(seeds, name, new)
        else:
            aside[name] = new
    return replace(shared, texts=texts, seeds=seeds, aside=aside)


def settled(shared: SharedText, name: str, *, take_deployed: bool) -> SharedText:
    """The shared text once somebody decided about what lies aside for a file: it is taken over, or it is done with."""
    texts, seeds, aside = dict(shared.texts), dict(shared.seeds), dict(shared.aside)
    new = aside.pop(name)
    _put(seeds, name, new)
    if take_deployed:
        _put(texts, name, new)
    return replace(shared, texts=texts, seeds=seeds, aside=aside)


def _put(files: dict[str, bytes], name: str, content: bytes | None) -> None:
    if content is None:
        files.pop(name, None)
    else:
        files[name] = content
