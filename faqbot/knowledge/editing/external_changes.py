"""Find changes made in the files rather than in the console, and record them in the audit log."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from faqbot.errors import EditError, FaqbotError
from faqbot.knowledge.editing.audit_log import FILES, Edit, append_edit, load_edits
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.knowledge.editing.versions import is_same_version
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.model.entries import Entry, Place
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

_POLL_SECONDS = 1.0
# The console records a change only a moment after it is live.
_SETTLE_SECONDS = 2.0
# A record of the console this old may still explain a difference: longer than one poll and its pause take.
_RECENT_SECONDS = 120.0
# Replicas see a change at about the same time; the later one finds the record of the first.
_CLAIM_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """An entry as a file has it: its lines, and the entry without its place."""

    text: str
    said: Entry


async def watch_files(
    workspace: Workspace, before: Mapping[str, bytes] | None = None, settle: float = _SETTLE_SECONDS
) -> None:
    """Record the changes of the files, until cancelled.

    `before` are the files that were live in an earlier run, so that changes while the bot was down are found too.
    """
    present = await workspace.source.read()
    # The store also keeps files that were deleted long ago.
    known = {name: raw for name, raw in before.items() if name in present} if before else dict(present)
    recorded = ""
    while True:
        try:
            if recorded != (version := workspace.snapshot.version):
                await asyncio.sleep(settle)
                known = await record_differences(workspace, known)
                recorded = version
        except FaqbotError as exc:
            # The next poll tries again, from the same known files.
            log.warning("history.files_not_noted", reason=str(exc))
        except Exception as exc:
            log.error("history.failed", cause=exc)
        await asyncio.sleep(min(_POLL_SECONDS, settle))


async def record_differences(workspace: Workspace, known: Mapping[str, bytes]) -> dict[str, bytes]:
    """Record entries that differ from `known` and were not changed through the console; return the files as known now.

    A file that cannot be read counts as unchanged.
    """
    files = {name: raw for name, raw in (await workspace.source.read()).items() if name.startswith("faq/")}
    old = {name: raw for name, raw in known.items() if name.startswith("faq/")}
    changed = [name for name in sorted(old.keys() | files.keys()) if old.get(name) != files.get(name)]
    if not changed:
        return old
    recent = await load_edits(workspace.store, workspace.clock() - _RECENT_SECONDS)
    result = dict(old)
    for name in changed:
        try:
            edits = await asyncio.to_thread(differences, name, old.get(name), files.get(name))
        except EditError:
            continue
        for edit in edits:
            await _note(workspace, edit, recent)
        if name in files:
            result[name] = files[name]
        else:
            del result[name]
    return result


def differences(name: str, before: bytes | None, after: bytes | None, who: str = FILES) -> list[Edit]:
    """Return the changes between two states of a file. Raises EditError for a file that is not readable."""
    old, new = _entries(name, before), _entries(name, after)
    edits: list[Edit] = []
    for entry_id in dict.fromkeys([*old, *new]):
        a, b = old.get(entry_id), new.get(entry_id)
        if a and b and (a.said == b.said or is_same_version(a.text, b.text)):
            continue
        kind = "change" if a and b else "add" if b else "remove"
        edits.append(Edit(who, name, entry_id, kind, a.text if a else "", b.text if b else ""))
    return edits


def _entries(name: str, raw: bytes | None) -> dict[str, WrittenEntry]:
    if raw is None:
        return {}
    file = Outline(raw, name)
    entries: dict[str, WrittenEntry] = {}
    for number, entry in enumerate(file.entries):
        span = file.span(number)
        content = replace(entry, place=Place("", 0), id_given=True)
        entries[entry.id] = WrittenEntry(file.edits.text(span.first, span.last), content)
    return entries


async def _note(workspace: Workspace, edit: Edit, recent: list[Edit]) -> None:
    """Record a change, unless it was made at the console or another replica has recorded it."""
    last = next((e for e in reversed(recent) if (e.file, e.entry) == (edit.file, edit.entry)), None)
    if last is not None:
        if is_same_version(last.after, edit.after):
            return
        # Changes made at the console in between are on record already.
        edit = replace(edit, before=last.after, kind=_kind_of_change(last.after, edit.after))
    mark = hashlib.sha256("\0".join((edit.file, edit.entry, edit.before, edit.after)).encode()).hexdigest()
    if not await workspace.store.claim(f"history:{mark}", _CLAIM_SECONDS):
        return
    await append_edit(workspace.store, workspace.clock(), edit)


def _kind_of_change(before: str, after: str) -> str:
    if not before:
        return "add"
    return "change" if after else "remove"
