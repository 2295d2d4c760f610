"""Build the proposed edit from a submitted form: a changed entry in its file, or a new one in a chosen file."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace

from faqbot.errors import EditError
from faqbot.knowledge.editing.entry_editor import add_entry, change_entry
from faqbot.knowledge.editing.entry_fields import EntryFields, entry_to_fields
from faqbot.knowledge.editing.entry_form import EntryForm, new_file_name
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.knowledge.editing.revision import EntryRevision, Proposal
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.yamltext.key_names import SHARED_KEYS


async def propose_change(revision: EntryRevision, form: EntryForm) -> Proposal:
    """Write the form into the entry. Raises EditError, StaleEdit."""
    revision.check_seen(form.seen)
    fields = form.meant(entry_to_fields(revision.entry))
    proposal = await revision.propose(change_entry, fields)
    return replace(proposal, entry_id=fields.id or revision.entry.id)


async def propose_new(workspace: Workspace, form: EntryForm) -> Proposal:
    """Add the form as a new entry to the chosen file, or to a new one. Raises EditError."""
    files = await workspace.source.read()
    file = chosen_file(form, files)
    return await propose_entry(file, files.get(file), form.meant())


async def propose_entry(file: str, raw: bytes | None, fields: EntryFields) -> Proposal:
    """Add an entry at the end of a file, or to a new file (None). Raises EditError."""
    return await asyncio.to_thread(_added, file, raw, fields)


def _added(file: str, raw: bytes | None, fields: EntryFields) -> Proposal:
    before = None if raw is None else Outline(raw, file)
    known: set[str] = set()
    if before is not None:
        # An empty field means the value at the top of the file, not that there is none.
        top = before.shared()
        fields = replace(fields, **{key: getattr(fields, key) or getattr(top, key) for key in SHARED_KEYS})
        known = {e.id for e in before.entries}
    after = add_entry(before, fields, name=file)
    return Proposal(file, before, after, next((e.id for e in after.entries if e.id not in known), ""))


def chosen_file(form: EntryForm, names: Collection[str]) -> str:
    """Return one of the files there are, or a new one with a plain name; never a path. Raises EditError."""
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
    """Return the files that hold entries."""
    return [name for name in names if name.startswith("faq/")]
