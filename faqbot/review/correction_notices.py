"""Notices to people whose answer has since been corrected; corrections close together are merged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.language.answer_diff import Correction, correction
from faqbot.markup.escaping import escape_markdown
from faqbot.markup.picture_links import replace_by_names
from faqbot.model.entries import Entry
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.review.pending_corrections import (
    PendingCorrection,
    answer_text,
    delete_pending,
    load_pending,
    lock_pending,
    save_pending,
    unlock_pending,
)
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_periodically

log = EventLog(__name__)

# Corrections within this time go out in one message; one that is taken back within it is not sent at all.
MERGE_SECONDS = 300.0
_POLL_SECONDS = 5.0


async def run_correction_notices(workspace: Workspace, outbox: Outbox) -> None:
    """Send the corrections that are due, until cancelled."""

    async def poll() -> float:
        await send_due_corrections(workspace, outbox)
        return _POLL_SECONDS

    await run_periodically(poll, lambda exc: log.error("corrections.failed", cause=exc), error_delay=_POLL_SECONDS)


async def send_due_corrections(workspace: Workspace, outbox: Outbox) -> None:
    """Post all pending corrections once the oldest of them waited MERGE_SECONDS. Raises StoreError."""
    pending = await load_pending(workspace.store)
    if not any(p.batch or workspace.clock() - p.at >= MERGE_SECONDS for p in pending):
        return
    if not await lock_pending(workspace.store):
        return
    try:
        await _send_batch(workspace, outbox)
    finally:
        await unlock_pending(workspace.store)


async def _send_batch(workspace: Workspace, outbox: Outbox) -> None:
    all_pending = await load_pending(workspace.store)
    # A batch that was begun before a crash keeps its members, so that its notices have the same keys.
    batch = next((p.batch for p in all_pending if p.batch), "")
    if not batch:
        batch = hashlib.sha256("".join(p.id for p in all_pending).encode()).hexdigest()[:16]
        all_pending = [replace(p, batch=batch) for p in all_pending]
        for pending in all_pending:
            await save_pending(workspace.store, pending)
    members = [p for p in all_pending if p.batch == batch]
    notices = _notices(members, {e.id: e for e in workspace.snapshot.entries}, batch)
    await outbox.post(*notices)
    for pending in members:
        await delete_pending(workspace.store, pending)
    log.info("corrections.posted", corrections=len(members), people=len(notices))


def _notices(members: Sequence[PendingCorrection], entries: Mapping[str, Entry], batch: str) -> list[Notice]:
    """Return one notice per person, with all entries whose answer differs from the one the person got."""
    before_by_person: dict[str, dict[str, str]] = {}
    for pending in members:
        for userid in pending.people:
            # The oldest correction of an entry has the answer that the person knows.
            before_by_person.setdefault(userid, {}).setdefault(pending.entry, pending.before)
    notices: list[Notice] = []
    for userid, before in before_by_person.items():
        corrections = [
            (entry, changed)
            for entry_id, text in before.items()
            if (entry := entries.get(entry_id)) and not (entry.draft or entry.held)
            if (changed := correction(text, answer_text(entry)))
        ]
        if corrections:
            title, body = correction_message(corrections)
            notices.append(Notice(f"correction:{batch}:{userid}", Address("person", userid), title, body))
    return notices


def correction_message(corrections: Sequence[tuple[Entry, Correction]]) -> tuple[str, str]:
    """Return title and markdown of the notice to one person."""
    first = escape_markdown(corrections[0][0].question)
    title = f"更正：{first}" if len(corrections) == 1 else f"有 {len(corrections)} 个回答更正了"
    parts = [
        f"**{escape_markdown(entry.question)}**\n\n原来说：{replace_by_names(changed.before)}\n\n现在是：{replace_by_names(changed.after)}"
        for entry, changed in corrections
    ]
    lead = "您最近问过的问题，答案有更正，请以现在的为准。"
    return title, "\n\n".join([lead, *parts])
