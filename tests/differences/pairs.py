"""Reads the tables of pairs: questions that differ decisively from an entry, and questions that name the same thing.

`refuse` and `accept` are checked; `open` holds items of the same shape that the matcher does not judge rightly yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import Snapshot, build_snapshot
from faqbot.model.differences import DifferenceKind
from faqbot.model.entries import Entry
from tests.conftest import SAMPLE, SAMPLES

PAIRS = Path(__file__).with_name("pairs")
FOLDERS = {"sample": SAMPLE, "factory": SAMPLES / "factory" / "knowledge"}
TODAY = date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class Pair:
    """A question beside an entry: `kinds` are what may be named as the difference, `right` is the entry that fits."""

    group: str
    base: str
    entry_id: str
    question: str
    kinds: tuple[DifferenceKind, ...] = ()
    right: str | None = None

    @property
    def snapshot(self) -> Snapshot:
        return snapshot(self.base)

    @property
    def entry(self) -> Entry:
        return next(e for e in self.snapshot.entries if e.id == self.entry_id)

    def __str__(self) -> str:
        return f"{self.group}: {self.question} / {self.entry_id}"


@dataclass(frozen=True, slots=True)
class Table:
    group: str
    refuse: tuple[Pair, ...]
    accept: tuple[Pair, ...]
    open_refuse: tuple[Pair, ...]
    open_accept: tuple[Pair, ...]


@cache
def snapshot(base: str) -> Snapshot:
    return build_snapshot(FolderSource(FOLDERS[base]).read_now(), label=base, today=TODAY)


@cache
def tables() -> tuple[Table, ...]:
    return tuple(_table(path) for path in sorted(PAIRS.glob("*.yaml")))


def _table(path: Path) -> Table:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    waiting = content.get("open") or {}
    sources = (content["refuse"], content["accept"], waiting.get("refuse") or (), waiting.get("accept") or ())
    return Table(path.stem, *(_pairs(path.stem, items) for items in sources))


def _pairs(group: str, items: Sequence[Mapping[str, Any]]) -> tuple[Pair, ...]:
    return tuple(Pair(group, i["kb"], i["entry"], i["q"], _kinds(i.get("kind", ())), i.get("right")) for i in items)


def _kinds(named: str | Sequence[str]) -> tuple[DifferenceKind, ...]:
    return tuple(DifferenceKind(kind) for kind in ([named] if isinstance(named, str) else named))
