"""Decisions on a draft: approve it, send it back, withdraw an approval."""

from __future__ import annotations

from dataclasses import replace

from faqbot.errors import EditError, NotAllowed
from faqbot.knowledge.editing.entry_editor import change_entry, entry_text, restore_entry
from faqbot.knowledge.editing.entry_fields import entry_to_fields
from faqbot.knowledge.editing.revision import EntryRevision, Proposal
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.model.entries import Entry
from faqbot.review.draft_records import (
    DraftReview,
    Reviewer,
    ReviewState,
    content_hash,
    latest_review,
    number_drafts,
    save_review,
)


async def propose_approval(revision: EntryRevision) -> Proposal:
    """Propose the file without the draft line of the entry. Raises EditError."""
    return await _propose_draft_flag(revision, draft=False)


async def approve(workspace: Workspace, entry: Entry, by: Reviewer, seen: str = "") -> DraftReview:
    """Make the entry live; an entry that is live already is not changed.

    `seen` is the state of the file that the person looked at, if any. Raises StaleEdit where it is another one now,
    EditError, FileSourceError and StoreError.
    """
    review = latest_review(await number_drafts(workspace), entry.id)
    if review is None:
        raise EditError("现在不能通过这份草稿，请过一会儿再试")
    revision = await workspace.load(entry)
    if seen:
        revision.check_seen(seen)
    proposal = await propose_approval(revision)
    if proposal.is_unchanged:
        return review
    _, new_problems = await workspace.trial(proposal)
    if errors := [p.message for p in new_problems if p.is_error]:
        raise EditError(f"通过以后文件会有错误：{'；'.join(errors)}")
    approved = replace(
        review,
        state=ReviewState.APPROVED,
        by=by.name,
        userid=by.userid,
        at=workspace.clock(),
        before=revision.text,
        after=entry_text(proposal.after, proposal.entry_id),
    )
    # Stored before the file is written: after a crash in between, a repeated approval still knows who approved first.
    await save_review(workspace, approved)
    await workspace.save(by.name, proposal, "approve", by.userid)
    return approved


async def send_back(workspace: Workspace, entry: Entry, by: Reviewer, why: str) -> DraftReview:
    """Record why the draft is not approved; it is pending again once it is changed. Raises NotAllowed, StoreError."""
    review = latest_review(await number_drafts(workspace), entry.id)
    if review is None or not entry.draft:
        raise NotAllowed("这一条已经不是草稿了")
    sent_back = replace(
        review,
        state=ReviewState.SENT_BACK,
        content_hash=content_hash(entry),
        by=by.name,
        userid=by.userid,
        at=workspace.clock(),
        why=why,
    )
    await save_review(workspace, sent_back)
    return sent_back


async def withdraw(workspace: Workspace, review: DraftReview, by: Reviewer) -> Entry:
    """Make an entry that was approved within UNDO_SECONDS a draft again; a draft is returned unchanged.

    Raises NotAllowed, EditError, StaleEdit, FileSourceError, StoreError.
    """
    entry = workspace.snapshot.entry(review.entry_id)
    if entry is not None and entry.draft:
        return entry
    if entry is None or not review.can_be_withdrawn(entry, workspace.clock()):
        raise NotAllowed("通过超过 24 小时，或者这一条已经不在了，不能撤销；可以在控制台里把它改成草稿")
    revision = await workspace.load(entry)
    if revision.text == review.after:
        proposal = await revision.propose(restore_entry, review.before)
    else:
        # The entry was changed since the approval; the change stays.
        proposal = await _propose_draft_flag(revision, draft=True)
    await workspace.save(by.name, proposal, "withdraw", by.userid)
    reset = replace(review, state=ReviewState.NONE, by="", userid="", at=0.0, before="", after="")
    await save_review(workspace, reset)
    return entry


async def _propose_draft_flag(revision: EntryRevision, *, draft: bool) -> Proposal:
    return await revision.propose(change_entry, replace(entry_to_fields(revision.entry), draft=draft))
