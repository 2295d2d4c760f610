"""One entry as its file has it now, and the changed file that a person proposes. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from faqbot.errors import EditError, FaqbotError
from faqbot.knowledge.editing import entry_editor
from faqbot.knowledge.entry_parser import parse_file
from faqbot.model.entries import Entry


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file as it is and as it would be. `before` is None for a new file; `entry_id` is the entry that is changed,
    by its id within the file, and empty for a new one."""

    file: str
    before: bytes | None
    after: bytes
    entry_id: str = ""


class StaleEdit(FaqbotError):
    """The file changed since the person opened it: nothing was written. `present` is what it holds, where that is
    known better than by reading the files."""

    def __init__(self, file: str, present: bytes | None = None) -> None:
        super().__init__(f"{file} 刚才被改过")
        self.present = present


@dataclass(frozen=True, slots=True)
class EntryRevision:
    """An entry as its file has it now: facts not filled in, with its id within the file.

    `seen` is what the form carries, to tell later whether the file changed, and whether this entry did.
    """

    file: str
    raw: bytes
    entry: Entry
    seen: str


def open_revision(file: str, raw: bytes, entry: Entry) -> EntryRevision:
    """Find a live entry in the text of its file. Raises EditError where the file is broken or the entry is gone."""
    parsed = parse_file(file, raw)
    for problem in parsed.problems:
        if problem.is_error:
            raise EditError(f"文件里有错误，要先改好。{problem.place}：{problem.message}")
    found = next((e for e in parsed.entries if is_same(e, entry)), None)
    if found is None:
        raise EditError(f"{file} 里已经没有这一条：它可能刚被改名或删除")
    text = entry_editor.entry_text(raw, found.id, name=file)
    return EntryRevision(file, raw, found, f"{_hash(raw)}-{_hash(text.encode())}")


def text_in(raw: bytes | None, proposal: Proposal) -> str:
    """Return how the proposal's entry is written in a version of its file; empty where it is not in it."""
    if raw is None:
        return ""
    try:
        return entry_editor.entry_text(raw, proposal.entry_id, name=proposal.file)
    except EditError:
        return ""


def is_same(one: Entry, other: Entry) -> bool:
    """Return True if both are the same entry, once by itself in its file and once among all files."""
    if other.id_given or one.id_given:
        return one.id == other.id
    # Ids that nobody wrote may differ between a file by itself and all files together; and on the line of an entry
    # another one may stand by now.
    return (one.place.line, one.question) == (other.place.line, other.question)


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:24]
