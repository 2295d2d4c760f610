"""Changing the files: propose, look whether somebody was quicker, write, make it live, write down who did it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from faqbot.console.effects import Proposal
from faqbot.console.forms import EntryForm, new_file_name
from faqbot.console.office import Office
from faqbot.errors import Conflict, EditError, FaqbotError
from faqbot.knowledge import edit
from faqbot.knowledge.keys import SHARED_KEYS
from faqbot.knowledge.outline import Outline
from faqbot.knowledge.parse import parse_file
from faqbot.model import Entry

JOURNAL = "edits"


class Overtaken(FaqbotError):
    """The file changed since the person opened it: nothing was written. `present` is what it holds, where that is
    known better than by reading the shelf."""

    def __init__(self, file: str, present: bytes | None = None) -> None:
        super().__init__(f"{file} 刚才被改过")
        self.present = present


@dataclass(frozen=True, slots=True)
class Loaded:
    """An entry as its file has it now: facts not filled in, with its id within the file."""

    file: str
    raw: bytes
    entry: Entry

    @property
    def seen(self) -> str:
        """What the form carries, to tell later whether the file changed, and whether this entry did."""
        text = edit.entry_text(self.raw, self.entry.id, name=self.file)
        return f"{_hash(self.raw)}-{_hash(text.encode())}"


async def load(at: Office, entry: Entry, present: bytes | None = None) -> Loaded:
    """The entry in its file as it lies on the shelf now, or in `present`. Raises EditError where it cannot be read."""
    file = at.file_name(entry.place.file)
    raw = present if present is not None else (await at.shelf.read()).get(file)
    if raw is None:
        raise EditError(f"文件 {file} 不在了，不能修改这一条")
    parsed = parse_file(file, raw)
    for problem in parsed.problems:
        if problem.is_error:
            raise EditError(f"文件里有错误，要先改好。{problem.place}：{problem.message}")
    found = next((e for e in parsed.entries if _same(e, entry)), None)
    if found is None:
        raise EditError(f"{file} 里已经没有这一条：它可能刚被改名或删除")
    return Loaded(file, raw, found)


def _same(found: Entry, wanted: Entry) -> bool:
    if wanted.id_given or found.id_given:
        return found.id == wanted.id
    # Ids that nobody wrote may differ between a file by itself and all files together.
    return found.place.line == wanted.place.line


def propose_change(loaded: Loaded, form: EntryForm) -> Proposal:
    """The file with the entry as the form has it. Raises EditError, Overtaken."""
    if form.seen != loaded.seen:
        raise Overtaken(loaded.file)
    draft = form.meant()
    after = edit.change_entry(loaded.raw, loaded.entry.id, draft, name=loaded.file)
    return Proposal(loaded.file, loaded.raw, after, draft.id or loaded.entry.id)


async def propose_new(at: Office, form: EntryForm) -> Proposal:
    """The chosen file, or a new one, with one entry more. Raises EditError."""
    files = await at.shelf.read()
    file = chosen_file(form, files)
    raw = files.get(file)
    draft = form.meant()
    if raw is not None:
        # A field that was left empty means what the top of the file says, not that nothing holds.
        top = Outline(raw, file).shared()
        draft = replace(draft, **{key: getattr(draft, key) or getattr(top, key) for key in SHARED_KEYS})
    after = edit.add_entry(raw, draft, name=file)
    known = {e.id for e in parse_file(file, raw).entries} if raw is not None else set()
    made = next((e.id for e in parse_file(file, after).entries if e.id not in known), "")
    return Proposal(file, raw, after, made)


def propose_removal(loaded: Loaded, seen: str) -> Proposal:
    """The file without the entry. Raises EditError, Overtaken."""
    if seen != loaded.seen:
        raise Overtaken(loaded.file)
    after = edit.remove_entry(loaded.raw, loaded.entry.id, name=loaded.file)
    return Proposal(loaded.file, loaded.raw, after, loaded.entry.id)


def propose_wording(loaded: Loaded, text: str) -> Proposal:
    """The file with `text` among the wordings of the entry. Raises EditError."""
    after = edit.add_wording(loaded.raw, loaded.entry.id, text, name=loaded.file)
    return Proposal(loaded.file, loaded.raw, after, loaded.entry.id)


def chosen_file(form: EntryForm, names: Collection[str]) -> str:
    """One of the files there are, or a new one with a plain name; never a path. Raises EditError."""
    if form.new_file.strip():
        new = new_file_name(form.new_file)
        if new is None:
            raise EditError("新文件的名字只能用汉字、字母、数字、- 和 _，最多 40 个字")
        if new.casefold() in map(str.casefold, names):
            raise EditError(f"已经有 {new} 这个文件，请从列表里选它")
        return new
    if form.file not in faq_files(names):
        raise EditError("请选一个文件，或者写下新文件的名字")
    return form.file


def faq_files(names: Collection[str]) -> list[str]:
    """The files that hold entries."""
    return [name for name in names if name.startswith("faq/")]


async def save(at: Office, who: str, proposal: Proposal, kind: str) -> Entry | None:
    """Write the file if it still is what the proposal began with; the entry as it is live then.

    `kind` is change, add, remove or restore. Raises Overtaken, ShelfError.
    """
    try:
        await at.shelf.write(proposal.file, proposal.after, proposal.before)
    except Conflict as exc:
        raise Overtaken(proposal.file, exc.present) from exc
    await at.library.refresh()
    await _write_down(at, who, proposal, kind)
    return live_entry(at, proposal)


async def _write_down(at: Office, who: str, proposal: Proposal, kind: str) -> None:
    line: Mapping[str, str] = {
        "who": who,
        "file": proposal.file,
        "entry": proposal.entry_id,
        "kind": kind,
        "before": _text(proposal.before, proposal),
        "after": _text(proposal.after, proposal),
    }
    await at.store.write_journal(JOURNAL, at.clock(), json.dumps(line, ensure_ascii=False))


def _text(raw: bytes | None, proposal: Proposal) -> str:
    """How the entry is written in a version of its file; nothing where it is not in it."""
    if raw is None:
        return ""
    try:
        return edit.entry_text(raw, proposal.entry_id, name=proposal.file)
    except EditError:
        return ""


def live_entry(at: Office, proposal: Proposal) -> Entry | None:
    """The entry of a saved proposal among all that are live."""
    parsed = parse_file(proposal.file, proposal.after)
    line = next((e.place.line for e in parsed.entries if e.id == proposal.entry_id), 0)
    entries = at.snapshot.entries
    return next((e for e in entries if at.file_name(e.place.file) == proposal.file and e.place.line == line), None)


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:24]
