"""Drafts that wait for a word: their numbers, who may approve them, going live, being sent back, being withdrawn."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum

from faqbot.errors import EditError, NotAllowed
from faqbot.knowledge.editing import entry_editor
from faqbot.knowledge.editing.audit_log import edits
from faqbot.knowledge.editing.entry_fields import draft_of
from faqbot.knowledge.editing.revision import EntryRevision, Proposal, StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.model.entries import Entry
from faqbot.model.group_settings import Groups

# So long an approval can be withdrawn.
UNDO_SECONDS = 86400.0
_MARKS, _LAST = "drafts", "last-draft"
_WRITING = ("add", "change", "restore")
_LOCK = "drafts:numbers"
_LOCK_SECONDS = 30.0


class ReviewState(StrEnum):
    """What was said about a draft."""

    NONE = "none"
    APPROVED = "approved"
    SENT_BACK = "sent_back"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who says it. The userid is empty at the console, where everybody who signed in may approve."""

    name: str
    userid: str = ""


@dataclass(frozen=True, slots=True)
class DraftReview:
    """One draft under its number: the entry, a mark of what it says, and what was said about it, by whom and when.

    `before` and `after` are the entry as it was written with its draft line and without.
    """

    number: int
    entry: str
    text: str
    word: ReviewState = ReviewState.NONE
    by: str = ""
    userid: str = ""
    at: float = 0.0
    why: str = ""
    before: str = ""
    after: str = ""
    announced: bool = False

    def waits(self, entry: Entry | None) -> bool:
        """Whether the draft waits for a word: it is one, and was not sent back as it is now."""
        return (
            entry is not None
            and entry.draft
            and not (self.word is ReviewState.SENT_BACK and self.text == mark_of(entry))
        )

    def can_be_withdrawn(self, entry: Entry | None, now: float) -> bool:
        live = entry is not None and not entry.draft
        return self.word is ReviewState.APPROVED and live and now <= self.at + UNDO_SECONDS


def mark_of(entry: Entry) -> str:
    """Changes when what a draft says does."""
    said = json.dumps([entry.question, entry.answer, dict(entry.variants), entry.also], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def may_approve(groups: Groups, admins: Collection[str], userid: str, entry: Entry) -> bool:
    """Whether the person in chat is one of those who answer for the entry."""
    return bool(userid) and (userid in admins or groups.owns(userid, entry))


async def papers(workspace: Workspace) -> dict[int, DraftReview]:
    """What is on record, by number. Raises StoreError."""
    return {int(key): _unpack(text) for key, text in (await workspace.store.marks(_MARKS)).items()}


def paper_of(found: Mapping[int, DraftReview], entry_id: str) -> DraftReview | None:
    """The latest paper about an entry."""
    return max((p for p in found.values() if p.entry == entry_id), key=lambda p: p.number, default=None)


async def number_drafts(workspace: Workspace) -> dict[int, DraftReview]:
    """Give each new draft a number, and forget what is over; what is on record then. Raises StoreError.

    Where another replica is at it, what is on record already.
    """
    found = await papers(workspace)
    entries = {e.id: e for e in workspace.snapshot.entries}
    over = [p for p in found.values() if _is_over(p, entries.get(p.entry), workspace.clock())]
    new = [e for e in entries.values() if e.draft and _is_new(e, paper_of(found, e.id))]
    if not (over or new) or not await workspace.store.claim(_LOCK, _LOCK_SECONDS):
        return found
    try:
        # Another replica may have been quicker since the first look.
        found = await papers(workspace)
        last = int((await workspace.store.marks(_LAST)).get("number", "0"))
        for entry in (e for e in new if _is_new(e, paper_of(found, e.id))):
            last += 1
            if before := paper_of(found, entry.id):
                over.append(before)
            # Numbers are not used again: somebody may still quote the old message.
            await workspace.store.put_mark(_LAST, "number", str(last))
            found[last] = DraftReview(last, entry.id, mark_of(entry))
            await keep(workspace, found[last])
        for paper in over:
            await workspace.store.put_mark(_MARKS, str(paper.number), None)
            found.pop(paper.number, None)
        return found
    finally:
        await workspace.store.release(_LOCK)


async def keep(workspace: Workspace, paper: DraftReview) -> None:
    """Write a paper down. Raises StoreError."""
    await workspace.store.put_mark(_MARKS, str(paper.number), json.dumps(asdict(paper), ensure_ascii=False))


async def propose_approval(loaded: EntryRevision) -> Proposal:
    """The file without the draft line of the entry. Raises EditError."""
    draft = replace(draft_of(loaded.entry), draft=False)
    after = await asyncio.to_thread(entry_editor.change_entry, loaded.raw, loaded.entry.id, draft, name=loaded.file)
    return Proposal(loaded.file, loaded.raw, after, loaded.entry.id)


async def approve(workspace: Workspace, entry: Entry, by: Reviewer, seen: str = "") -> DraftReview:
    """The entry goes live; once more changes nothing. Raises EditError, Overtaken, ShelfError, StoreError.

    `seen` is the state of the file the person looked at, where they did.
    """
    paper = paper_of(await number_drafts(workspace), entry.id)
    if paper is None:
        raise EditError("现在不能通过这份草稿，请过一会儿再试")
    loaded = await workspace.load(entry)
    if seen and seen != loaded.seen:
        raise StaleEdit(loaded.file)
    proposal = await propose_approval(loaded)
    if proposal.after == proposal.before:
        return paper
    _, new = await workspace.trial(proposal)
    if errors := [p.message for p in new if p.is_error]:
        raise EditError(f"通过以后文件会有错误：{'；'.join(errors)}")
    # Before the file: whoever is killed in between finds, when it is done again, who approved it.
    approved = replace(
        paper,
        word=ReviewState.APPROVED,
        by=by.name,
        userid=by.userid,
        at=workspace.clock(),
        before=entry_editor.entry_text(loaded.raw, loaded.entry.id, name=loaded.file),
        after=entry_editor.entry_text(proposal.after, proposal.entry_id, name=loaded.file),
    )
    await keep(workspace, approved)
    await workspace.save(by.name, proposal, "approve", by.userid)
    return approved


async def send_back(workspace: Workspace, entry: Entry, by: Reviewer, why: str) -> DraftReview:
    """The draft stays one, with who said why; it waits for nobody until it is changed. Raises NotAllowed."""
    paper = paper_of(await number_drafts(workspace), entry.id)
    if paper is None or not entry.draft:
        raise NotAllowed("这一条已经不是草稿了")
    noted = replace(
        paper,
        word=ReviewState.SENT_BACK,
        text=mark_of(entry),
        by=by.name,
        userid=by.userid,
        at=workspace.clock(),
        why=why,
    )
    await keep(workspace, noted)
    return noted


async def withdraw(workspace: Workspace, paper: DraftReview, by: Reviewer) -> Entry:
    """An approved entry becomes a draft again, within a day. Raises NotAllowed, EditError, Overtaken, ShelfError."""
    entry = workspace.snapshot.entry(paper.entry)
    if entry is not None and entry.draft:
        return entry
    if entry is None or not paper.can_be_withdrawn(entry, workspace.clock()):
        raise NotAllowed("通过超过 24 小时，或者这一条已经不在了，不能撤销；可以在控制台里把它改成草稿")
    loaded = await workspace.load(entry)
    if entry_editor.entry_text(loaded.raw, loaded.entry.id, name=loaded.file) == paper.after:
        after = await asyncio.to_thread(
            entry_editor.restore_entry, loaded.raw, paper.before, entry_id=loaded.entry.id, name=loaded.file
        )
    else:
        # It was changed since: that stays.
        draft = replace(draft_of(loaded.entry), draft=True)
        after = await asyncio.to_thread(entry_editor.change_entry, loaded.raw, loaded.entry.id, draft, name=loaded.file)
    await workspace.save(by.name, Proposal(loaded.file, loaded.raw, after, loaded.entry.id), "withdraw", by.userid)
    await keep(workspace, replace(paper, word=ReviewState.NONE, by="", userid="", at=0.0, before="", after=""))
    return entry


async def made_by(workspace: Workspace, entry_ids: Collection[str]) -> dict[str, Reviewer]:
    """Who wrote the entries last, as far as the journal tells. Raises StoreError."""
    found: dict[str, Reviewer] = {}
    for line in await edits(workspace.store) if entry_ids else ():
        if line.entry in entry_ids and line.kind in _WRITING:
            found[line.entry] = Reviewer(line.who, line.userid)
    return found


def _is_new(entry: Entry, paper: DraftReview | None) -> bool:
    """Whether the draft has no number yet, or was changed since it was sent back."""
    return paper is None or (paper.word is ReviewState.SENT_BACK and paper.text != mark_of(entry))


def _is_over(paper: DraftReview, entry: Entry | None, now: float) -> bool:
    if entry is not None and entry.draft:
        return False
    return paper.word is not ReviewState.APPROVED or now > paper.at + UNDO_SECONDS


def _unpack(text: str) -> DraftReview:
    known = {f.name for f in fields(DraftReview)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    return DraftReview(**{**values, "word": ReviewState(values["word"])})
