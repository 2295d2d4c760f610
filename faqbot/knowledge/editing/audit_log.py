"""The audit log: record who changed which entry, when and how, and read it back."""

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
# The author of a change that was made in the files and not through the bot.
FILES = "文件"
_TEXTS = ("who", "file", "entry", "kind", "before", "after", "userid")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of an entry. `before` and `after` are its text in the file, empty where the entry did not exist.

    `entry` is its id within its file, `kind` is change, add, remove, restore, approve or withdraw; `userid` is known
    only of people who gave the command in chat. `number` and `at` (epoch seconds) are those of the record, 0 before it
    is stored.
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


async def append_edit(store: JournalStore, at: float, edit: Edit) -> None:
    """Append a change to the log. `at` is epoch seconds. Raises StoreError."""
    line = {name: text for name in _TEXTS if (text := getattr(edit, name)) or name != "userid"}
    await store.write_journal(_JOURNAL, at, json.dumps(line, ensure_ascii=False))


async def load_edits(store: JournalStore, since: float = 0.0) -> list[Edit]:
    """Return the changes since a time in epoch seconds, oldest first. Raises StoreError."""
    lines = await store.journal(_JOURNAL, since)
    # Years of changes are some megabytes of JSON; in a thread, so that the event loop goes on.
    return await asyncio.to_thread(lambda: list(_read(lines)))


def _read(lines: Iterable[JournalLine]) -> Iterator[Edit]:
    """Decode the records; leave out those that another version of the bot wrote in another form."""
    for line in lines:
        try:
            values = json.loads(line.text)
        except ValueError:
            continue
        if isinstance(values, Mapping):
            yield Edit(**{name: str(values.get(name, "")) for name in _TEXTS}, number=line.number, at=line.at)


def parse_entry_text(text: str) -> Entry | None:
    """Parse the text of one entry; return None if it cannot be read without the rest of its file."""
    if not text.strip():
        return None
    parsed = parse_file("", f"entries:\n{textwrap.dedent(text)}".encode("utf-8", "replace"))
    return parsed.entries[0] if parsed.ok and len(parsed.entries) == 1 else None


def last_change(edits: Iterable[Edit], file: str, entry_id: str) -> Edit | None:
    """Return the last change of an entry's answer; changes of its wordings or dates alone do not count."""
    entry_edits = [edit for edit in edits if (edit.file, edit.entry) == (file, entry_id)]
    # After a removal the log does not know yet which entry has this id now.
    if not entry_edits or not entry_edits[-1].after:
        return None
    return next((edit for edit in reversed(entry_edits) if edit.kind != "change" or _says_other(edit)), None)


def _says_other(edit: Edit) -> bool:
    old, new = parse_entry_text(edit.before), parse_entry_text(edit.after)
    if old is None or new is None:
        return True
    return (old.question, old.answer, old.ask, old.variants) != (new.question, new.answer, new.ask, new.variants)
