"""Records of drafts under review: number, state, and permitted approvers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from faqbot.knowledge.editing.audit_log import load_edits
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.model.entries import Entry
from faqbot.model.group_settings import Groups
from faqbot.store.json_records import from_json, stored_as, to_json

# An approval can be withdrawn for this long.
UNDO_SECONDS = 86400.0
_MARKS = "drafts"
_LAST_MARKS = "last-draft"
# The kinds of edits that make their editor the author of the entry.
_AUTHORING_KINDS = ("add", "change", "restore")
_LOCK = "drafts:numbers"
_LOCK_SECONDS = 30.0


class ReviewState(StrEnum):
    """The last decision on a draft."""

    NONE = "none"
    APPROVED = "approved"
    SENT_BACK = "sent_back"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person who decides on drafts. The userid is empty at the console, where everybody signed in may approve."""

    name: str
    userid: str = ""


@dataclass(frozen=True, slots=True)
class DraftReview:
    """One draft under its number, with the last decision: by whom, at what time (epoch seconds) and why.

    `content_hash` identifies the content of the draft at that time. `before` and `after` are the text of the entry with
    its draft line and without, kept for withdrawing the approval.
    """

    number: int
    entry_id: str = field(metadata=stored_as("entry"))
    content_hash: str = field(metadata=stored_as("text"))
    state: ReviewState = field(default=ReviewState.NONE, metadata=stored_as("word"))
    by: str = ""
    userid: str = ""
    at: float = 0.0
    why: str = ""
    before: str = ""
    after: str = ""
    announced: bool = False

    def is_pending(self, entry: Entry | None) -> bool:
        """Return True if the draft waits for a decision: not if it was sent back and is unchanged since."""
        if entry is None or not entry.draft:
            return False
        return self.state is not ReviewState.SENT_BACK or self.content_hash != content_hash(entry)

    def can_be_withdrawn(self, entry: Entry | None, now: float) -> bool:
        live = entry is not None and not entry.draft
        return self.state is ReviewState.APPROVED and live and now <= self.at + UNDO_SECONDS


def content_hash(entry: Entry) -> str:
    """Return a hash that changes with the question and the answer of the draft."""
    content = json.dumps([entry.question, entry.answer, dict(entry.variants), entry.also], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def may_approve(groups: Groups, admins: Collection[str], userid: str, entry: Entry) -> bool:
    """Return True if this person in chat is an administrator or an owner of the entry."""
    return bool(userid) and (userid in admins or groups.owns(userid, entry))


async def load_reviews(workspace: Workspace) -> dict[int, DraftReview]:
    """Return all stored reviews by number. Raises StoreError."""
    return {int(key): from_json(DraftReview, text) for key, text in (await workspace.store.marks(_MARKS)).items()}


async def save_review(workspace: Workspace, review: DraftReview) -> None:
    """Store a review under its number. Raises StoreError."""
    await workspace.store.put_mark(_MARKS, str(review.number), to_json(review))


def latest_review(reviews: Mapping[int, DraftReview], entry_id: str) -> DraftReview | None:
    """Return the review of an entry that has the highest number."""
    return max((r for r in reviews.values() if r.entry_id == entry_id), key=lambda r: r.number, default=None)


async def number_drafts(workspace: Workspace) -> dict[int, DraftReview]:
    """Number the new drafts, delete the reviews that are over, and return the stored reviews. Raises StoreError.

    While another replica does so, return the records stored already.
    """
    reviews = await load_reviews(workspace)
    entries = {e.id: e for e in workspace.snapshot.entries}
    over = [r for r in reviews.values() if _is_over(r, entries.get(r.entry_id), workspace.clock())]
    new = [e for e in entries.values() if e.draft and _needs_number(e, latest_review(reviews, e.id))]
    if not (over or new) or not await workspace.store.claim(_LOCK, _LOCK_SECONDS):
        return reviews
    try:
        # Another replica may have numbered them since the first reading.
        reviews = await load_reviews(workspace)
        last = int((await workspace.store.marks(_LAST_MARKS)).get("number", "0"))
        for entry in (e for e in new if _needs_number(e, latest_review(reviews, e.id))):
            last += 1
            if previous := latest_review(reviews, entry.id):
                over.append(previous)
            # Numbers are not used again: somebody may still quote the old message.
            await workspace.store.put_mark(_LAST_MARKS, "number", str(last))
            reviews[last] = DraftReview(last, entry.id, content_hash(entry))
            await save_review(workspace, reviews[last])
        for review in over:
            await workspace.store.put_mark(_MARKS, str(review.number), None)
            reviews.pop(review.number, None)
        return reviews
    finally:
        await workspace.store.release(_LOCK)


async def last_authors(workspace: Workspace, entry_ids: Collection[str]) -> dict[str, Reviewer]:
    """Return who wrote each entry last; entries that the journal has no line of are missing. Raises StoreError."""
    authors: dict[str, Reviewer] = {}
    for edit in await load_edits(workspace.store) if entry_ids else ():
        if edit.entry in entry_ids and edit.kind in _AUTHORING_KINDS:
            authors[edit.entry] = Reviewer(edit.who, edit.userid)
    return authors


def _needs_number(entry: Entry, review: DraftReview | None) -> bool:
    """Return True for a draft that has no number yet or was changed since it was sent back."""
    if review is None:
        return True
    return review.state is ReviewState.SENT_BACK and review.content_hash != content_hash(entry)


def _is_over(review: DraftReview, entry: Entry | None, now: float) -> bool:
    if entry is not None and entry.draft:
        return False
    return review.state is not ReviewState.APPROVED or now > review.at + UNDO_SECONDS
