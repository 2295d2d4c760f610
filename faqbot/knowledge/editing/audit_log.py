"""The journal of who changed which entry, when and how: written by whatever changes one, read by whoever asks."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from faqbot.knowledge.entry_parser import parse_file
from faqbot.model.entries import Entry
from faqbot.store.protocol import JournalLine, JournalStore

_JOURNAL = "edits"
# Who changed an entry in the files and not through us.
FILES = "文件"
_TEXTS = ("who", "file", "entry", "kind", "before", "after", "userid")


@dataclass(frozen=True, slots=True)
class Edit:
    """One line of the journal: `before` and `after` are the entry as it was written, empty where it was not there.

    `entry` is its id within its file, `kind` is change, add, remove, restore, approve or withdraw; `userid` is known of
    those who gave the order in chat. `number` and `at` (epoch seconds) are those of the line, 0 before it is written.
    """

    who: str
    file: str
    entry: str
    kind: str
    before: str
    after: str
    userid: str = ""
    number: int = 0
    at: float = 0.0

    @property
    def text(self) -> str:
        return self.after or self.before


async def write_down(store: JournalStore, at: float, edit: Edit) -> None:
    """Append a line. Raises StoreError."""
    line = {name: text for name in _TEXTS if (text := getattr(edit, name)) or name != "userid"}
    await store.write_journal(_JOURNAL, at, json.dumps(line, ensure_ascii=False))


async def edits(store: JournalStore, since: float = 0.0) -> list[Edit]:
    """All that is on record, oldest first. Raises StoreError."""
    lines = await store.journal(_JOURNAL, since)
    # Years of changes are some megabytes of JSON; meanwhile others are answered.
    return await asyncio.to_thread(lambda: list(_read(lines)))


def _read(lines: Iterable[JournalLine]) -> Iterator[Edit]:
    """The lines as edits; what another version wrote differently is left out."""
    for line in lines:
        try:
            said = json.loads(line.text)
        except ValueError:
            continue
        if isinstance(said, Mapping):
            yield Edit(**{name: str(said.get(name, "")) for name in _TEXTS}, number=line.number, at=line.at)


def written(text: str) -> Entry | None:
    """What a kept text says; None where it cannot be read by itself."""
    if not text.strip():
        return None
    found = parse_file("", f"entries:\n{textwrap.dedent(text)}".encode("utf-8", "replace"))
    return found.entries[0] if found.ok and len(found.entries) == 1 else None


def last_change(found: Iterable[Edit], file: str, entry_id: str) -> Edit | None:
    """The edit that an answer is as it is by; one that only touched its wordings or its dates is none."""
    mine = [edit for edit in found if (edit.file, edit.entry) == (file, entry_id)]
    # Where it ends with a removal, the journal does not know yet what is there now.
    if not mine or not mine[-1].after:
        return None
    return next((edit for edit in reversed(mine) if edit.kind != "change" or _says_other(edit)), None)


def _says_other(edit: Edit) -> bool:
    old, new = written(edit.before), written(edit.after)
    if old is None or new is None:
        return True
    return (old.question, old.answer, old.ask, old.variants) != (new.question, new.answer, new.ask, new.variants)
