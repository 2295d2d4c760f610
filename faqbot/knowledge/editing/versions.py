"""Versions of entries in the audit log: show what changed in each, and restore one into its file."""

from __future__ import annotations

import asyncio
import hashlib
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from faqbot.errors import EditError
from faqbot.knowledge.editing.audit_log import Edit, parse_entry_text
from faqbot.knowledge.editing.entry_editor import entry_text, restore_entry
from faqbot.knowledge.editing.entry_fields import EntryFields, entry_to_fields
from faqbot.knowledge.editing.entry_form import differing
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.knowledge.editing.revision import Proposal, StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.language.text_diff import Piece, side_by_side

# A removed entry can be restored for this long.
RESTORABLE_SECONDS = 30 * 86400.0
# Characters of unchanged text that a list shows around a difference.
_AROUND = 24
_NOTHING = EntryFields(question="", answer="")


@dataclass(frozen=True, slots=True)
class DiffPiece:
    """One piece of a difference: `how` is `same`, `del` or `ins`."""

    text: str
    how: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field in which two versions differ: side by side, and as one text."""

    name: str
    old: Sequence[Piece]
    new: Sequence[Piece]

    @property
    def merged(self) -> list[DiffPiece]:
        return _shortened(_merged(self.old, self.new))


@dataclass(frozen=True, slots=True)
class PresentEntry:
    """An entry in its file as the source has it now; `outline` is None if there is no such file, `text` is empty if the
    entry is not in it."""

    file: str
    outline: Outline | None
    entry: str
    text: str

    @property
    def seen(self) -> str:
        """Version of the file. A form sends it back, so that a later change is noticed."""
        return "none" if self.outline is None else hashlib.sha256(self.outline.raw).hexdigest()[:24]


def filter_edits(edits: Iterable[Edit], *, entry: str = "", who: str = "", words: str = "") -> list[Edit]:
    """Return the changes of one entry, by one person, that mention all the words; newest first."""
    search_words = words.casefold().split()
    matching = [
        e
        for e in edits
        if (not entry or e.entry == entry)
        and (not who or e.who == who)
        and (not search_words or all(w in f"{e.entry}\n{e.before}\n{e.after}".casefold() for w in search_words))
    ]
    return matching[::-1]


def authors(edits: Iterable[Edit]) -> list[str]:
    return sorted({e.who for e in edits if e.who})


def question_of(change: Edit) -> str:
    entry = parse_entry_text(change.after) or parse_entry_text(change.before)
    return entry.question if entry else change.entry


def fields_of(before: str, after: str) -> list[Field]:
    """Return the differences, field by field if both texts can be parsed alone, else as one difference of the texts."""
    old, new = parse_entry_text(before), parse_entry_text(after)
    readable = (old or not before.strip()) and (new or not after.strip())
    plain = not any(e and (e.ask or e.variants) for e in (old, new))
    if readable and plain:
        pairs = differing(entry_to_fields(old) if old else _NOTHING, entry_to_fields(new) if new else _NOTHING)
        fields = [Field(name, *side_by_side(a, b)) for name, a, b in pairs]
        if fields:
            return fields
    a, b = _tidy(before), _tidy(after)
    return [Field("文件里的写法", *side_by_side(a, b))] if a != b else []


def is_same_version(a: str, b: str) -> bool:
    """Return True if two texts of entries are one version, at whatever place in a file."""
    return _tidy(a) == _tidy(b)


def _tidy(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def _merged(old: Sequence[Piece], new: Sequence[Piece]) -> list[DiffPiece]:
    """Merge both sides into one text: each deleted piece, then the piece inserted in its place."""
    left, right = list(old)[::-1], list(new)[::-1]
    pieces: list[DiffPiece] = []
    while left or right:
        if left and left[-1].changed:
            pieces.append(DiffPiece(left.pop().text, "del"))
        elif right and right[-1].changed:
            pieces.append(DiffPiece(right.pop().text, "ins"))
        elif left and right:
            # Unchanged text may be split at different places on the two sides.
            a, b = left.pop().text, right.pop().text
            size = min(len(a), len(b))
            pieces.append(DiffPiece(a[:size], "same"))
            left += [Piece(a[size:], False)] if a[size:] else []
            right += [Piece(b[size:], False)] if b[size:] else []
        else:
            pieces.append(DiffPiece((left or right).pop().text, "same"))
    return pieces


def _shortened(pieces: Sequence[DiffPiece]) -> list[DiffPiece]:
    """Cut long unchanged pieces to the words near a difference."""
    short: list[DiffPiece] = []
    for number, piece in enumerate(pieces):
        head = piece.text[:_AROUND] if number else ""
        tail = piece.text[-_AROUND:] if number < len(pieces) - 1 else ""
        cut = piece.how == "same" and len(pieces) > 1 and len(piece.text) > len(head) + len(tail) + 1
        short.append(DiffPiece(f"{head}…{tail}", "same") if cut else piece)
    return short


# -- putting a version back ---------------------------------------------------------------------


async def find_present(
    workspace: Workspace, change: Edit, newer: Mapping[str, bytes | None] | None = None
) -> PresentEntry:
    """Find the entry of a change as it is now: in the file of the change, or where it moved. Raises EditError.

    `newer` are files whose content is known better than by reading the source.
    """
    await workspace.base.refresh()
    files = {**await workspace.source.read(), **(newer or {})}
    live = workspace.snapshot.entry(change.entry)
    names = [change.file, *([workspace.file_name(live.place.file)] if live else [])]
    opened: dict[str, Outline] = {}
    for name in names:
        raw = files.get(name)
        if raw is None:
            continue
        opened[name] = outline = await asyncio.to_thread(Outline, raw, name)
        if any(e.id == change.entry for e in outline.entries):
            return PresentEntry(name, outline, change.entry, entry_text(outline, change.entry))
    return PresentEntry(change.file, opened.get(change.file), change.entry, "")


def restorable_until(edits: Iterable[Edit], change: Edit) -> float:
    """Return until when (epoch seconds) the entry of a change can be restored if it is gone."""
    removals = [e.at for e in edits if e.entry == change.entry and e.file == change.file and e.kind == "remove"]
    return max(removals, default=change.at) + RESTORABLE_SECONDS


async def propose_restore(now: PresentEntry, text: str, seen: str) -> Proposal:
    """Propose the file with this text in the place of the present one. Raises EditError, StaleEdit."""
    if seen != now.seen:
        raise StaleEdit(now.file, now.outline.raw if now.outline else None)
    if not text.strip():
        raise EditError("这个版本里没有这一条，要删除它请到「问答」里删")
    after = await asyncio.to_thread(restore_entry, now.outline, now.entry, text, name=now.file)
    entry = parse_entry_text(text)
    return Proposal(now.file, now.outline, after, entry.id if entry else now.entry)
