"""Changes made in the files and not through the console, found between two states of the shelf and written down."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from faqbot.errors import EditError, FaqbotError
from faqbot.knowledge.editing.audit_log import FILES, Edit, edits, write_down
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.knowledge.editing.versions import same
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.model.entries import Entry, Place
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

_EVERY = 1.0
# What the console writes is on record only a moment after it is live.
_SETTLE = 2.0
# How far back a line of the console may lie that explains a difference: longer than a look and its pause take.
_RECENT = 120.0
# Replicas see a change at about the same time; who comes later finds the line of the first.
_CLAIMED = 10.0


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as a file has it: its lines, and what they say wherever they stand."""

    text: str
    said: Entry


async def watch_files(workspace: Workspace, before: Mapping[str, bytes] | None = None, settle: float = _SETTLE) -> None:
    """Write down what changes in the files, until cancelled.

    `before` is what was live in an earlier run, so that what happened meanwhile is found too.
    """
    present = await workspace.source.read()
    # The store keeps files that were deleted long ago as well.
    known = {name: raw for name, raw in before.items() if name in present} if before else dict(present)
    seen = ""
    while True:
        try:
            if seen != (version := workspace.snapshot.version):
                await asyncio.sleep(settle)
                known = await note_differences(workspace, known)
                seen = version
        except FaqbotError as exc:
            # The next look tries again, from what was known.
            log.warning("history.files_not_noted", reason=str(exc))
        except Exception as exc:
            log.error("history.failed", cause=exc)
        await asyncio.sleep(min(_EVERY, settle))


async def note_differences(workspace: Workspace, known: Mapping[str, bytes]) -> dict[str, bytes]:
    """Write a line for each entry that differs from `known` and that the console does not account for; what is known
    from now on. A file that cannot be read counts as unchanged."""
    files = {name: raw for name, raw in (await workspace.source.read()).items() if name.startswith("faq/")}
    old = {name: raw for name, raw in known.items() if name.startswith("faq/")}
    changed = [name for name in sorted(old.keys() | files.keys()) if old.get(name) != files.get(name)]
    if not changed:
        return old
    recent = await edits(workspace.store, workspace.clock() - _RECENT)
    result = dict(old)
    for name in changed:
        try:
            found = await asyncio.to_thread(differences, name, old.get(name), files.get(name))
        except EditError:
            continue
        for edit in found:
            await _note(workspace, edit, recent)
        if name in files:
            result[name] = files[name]
        else:
            del result[name]
    return result


def differences(name: str, before: bytes | None, after: bytes | None, who: str = FILES) -> list[Edit]:
    """The entries that two states of a file do not have in common. Raises EditError for a file that is not readable."""
    old, new = _entries(name, before), _entries(name, after)
    found: list[Edit] = []
    for entry_id in dict.fromkeys([*old, *new]):
        a, b = old.get(entry_id), new.get(entry_id)
        if a and b and (a.said == b.said or same(a.text, b.text)):
            continue
        kind = "change" if a and b else "add" if b else "remove"
        found.append(Edit(who, name, entry_id, kind, a.text if a else "", b.text if b else ""))
    return found


def _entries(name: str, raw: bytes | None) -> dict[str, Written]:
    if raw is None:
        return {}
    file = Outline(raw, name)
    found: dict[str, Written] = {}
    for number, entry in enumerate(file.entries):
        span = file.span(number)
        said = replace(entry, place=Place("", 0), id_given=True)
        found[entry.id] = Written(file.edits.text(span.first, span.last), said)
    return found


async def _note(workspace: Workspace, edit: Edit, recent: list[Edit]) -> None:
    """Write a line, unless somebody at the console made this change or another replica wrote it down."""
    last = next((e for e in reversed(recent) if (e.file, e.entry) == (edit.file, edit.entry)), None)
    if last is not None:
        if same(last.after, edit.after):
            return
        # What was changed at the console in between is on record already.
        edit = replace(edit, before=last.after, kind=_kind(last.after, edit.after))
    mark = hashlib.sha256("\0".join((edit.file, edit.entry, edit.before, edit.after)).encode()).hexdigest()
    if not await workspace.store.claim(f"history:{mark}", _CLAIMED):
        return
    await write_down(workspace.store, workspace.clock(), edit)


def _kind(before: str, after: str) -> str:
    if not before:
        return "add"
    return "change" if after else "remove"
