"""What a form or a wording would make of a file; long files are worked on while others are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace

from faqbot.errors import EditError
from faqbot.knowledge.editing import entry_editor
from faqbot.knowledge.editing.entry_fields import EntryFields, draft_of
from faqbot.knowledge.editing.entry_form import EntryForm, new_file_name
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.knowledge.editing.revision import EntryRevision, Proposal, StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.entry_parser import parse_file
from faqbot.yamltext.key_names import SHARED_KEYS


async def propose_change(loaded: EntryRevision, form: EntryForm) -> Proposal:
    """The file with the entry as the form has it. Raises EditError, Overtaken."""
    if form.seen != loaded.seen:
        raise StaleEdit(loaded.file)
    draft = form.meant(draft_of(loaded.entry))
    after = await asyncio.to_thread(entry_editor.change_entry, loaded.raw, loaded.entry.id, draft, name=loaded.file)
    return Proposal(loaded.file, loaded.raw, after, draft.id or loaded.entry.id)


async def propose_new(workspace: Workspace, form: EntryForm) -> Proposal:
    """The chosen file, or a new one, with one entry more. Raises EditError."""
    files = await workspace.source.read()
    file = chosen_file(form, files)
    return await asyncio.to_thread(_added, file, files.get(file), form.meant())


def _added(file: str, raw: bytes | None, draft: EntryFields) -> Proposal:
    if raw is not None:
        # A field that was left empty means what the top of the file says, not that nothing holds.
        top = Outline(raw, file).shared()
        draft = replace(draft, **{key: getattr(draft, key) or getattr(top, key) for key in SHARED_KEYS})
    after = entry_editor.add_entry(raw, draft, name=file)
    known = {e.id for e in parse_file(file, raw).entries} if raw is not None else set()
    made = next((e.id for e in parse_file(file, after).entries if e.id not in known), "")
    return Proposal(file, raw, after, made)


async def propose_removal(loaded: EntryRevision, seen: str) -> Proposal:
    """The file without the entry. Raises EditError, Overtaken."""
    if seen != loaded.seen:
        raise StaleEdit(loaded.file)
    after = await asyncio.to_thread(entry_editor.remove_entry, loaded.raw, loaded.entry.id, name=loaded.file)
    return Proposal(loaded.file, loaded.raw, after, loaded.entry.id)


async def propose_wording(loaded: EntryRevision, text: str) -> Proposal:
    """The file with `text` among the wordings of the entry. Raises EditError."""
    after = await asyncio.to_thread(entry_editor.add_wording, loaded.raw, loaded.entry.id, text, name=loaded.file)
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
