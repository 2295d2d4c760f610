"""Direct messages about new drafts, once to each owner."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace

from faqbot.knowledge.editing.audit_log import FILES
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.blocks import grey, line_breaks
from faqbot.markup.escaping import escape_markdown
from faqbot.markup.picture_links import replace_by_names
from faqbot.model.entries import Entry
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.review.draft_records import DraftReview, Reviewer, last_authors, number_drafts, save_review
from faqbot.review.personal_details import details_remark
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_on_change

log = EventLog(__name__)

# Approvals expire and reviews change without a change of the knowledge; that is looked at once a minute.
_MAX_AGE_SECONDS = 60.0
# The journal names the author of a draft a moment after the draft is live; without one it is from before the journal.
_AUTHOR_WAIT_SECONDS, _AUTHOR_POLL_SECONDS = 3.0, 0.05
# A message shows this many drafts and counts the rest: a first start may find many.
_MAX_SHOWN = 5
_MAX_ANSWER_CHARS = 800


async def run_draft_notices(workspace: Workspace, outbox: Outbox, admins: Collection[str]) -> None:
    """Announce new drafts whenever the knowledge changes, until cancelled."""
    await run_on_change(
        lambda: announce_drafts(workspace, outbox, admins, author_wait=_AUTHOR_WAIT_SECONDS),
        lambda: workspace.snapshot.version,
        lambda exc: log.error("drafts.not_announced", cause=exc),
        clock=workspace.clock,
        max_age=_MAX_AGE_SECONDS,
    )


async def announce_drafts(
    workspace: Workspace, outbox: Outbox, admins: Collection[str], *, author_wait: float = 0.0
) -> None:
    """Send the owners the pending drafts not announced yet, one message a person. Raises StoreError.

    Wait up to `author_wait` seconds until the authors are on record, who are not asked to approve their own drafts.
    """
    entries = {e.id: e for e in workspace.snapshot.entries}
    reviews = await number_drafts(workspace)
    new = [r for r in reviews.values() if not r.announced and r.is_pending(entries.get(r.entry_id))]
    if not new:
        return
    authors = await _authors(workspace, {r.entry_id for r in new}, author_wait)
    for userid, theirs in _by_recipient(workspace, new, entries, authors, admins).items():
        drafts = [(r, entries[r.entry_id], authors.get(r.entry_id, Reviewer(""))) for r in theirs]
        title = f"草稿 {theirs[0].number} 等您看" if len(theirs) == 1 else f"有 {len(theirs)} 份草稿等您看"
        key = hashlib.sha256(",".join(str(r.number) for r in theirs).encode()).hexdigest()[:16]
        await outbox.post(Notice(f"drafts:{key}:{userid}", Address("person", userid), title, drafts_message(drafts)))
    # After posting: a crash in between repeats the notices under the same keys, and the outbox drops them.
    for review in new:
        await save_review(workspace, replace(review, announced=True))
    log.info("drafts.announced", drafts=len(new))


async def _authors(workspace: Workspace, entry_ids: Collection[str], seconds: float) -> dict[str, Reviewer]:
    """Return who wrote each entry last, once all are on record or `seconds` have passed."""
    authors = await last_authors(workspace, entry_ids)
    while seconds > 0 and len(authors) < len(entry_ids):
        await asyncio.sleep(_AUTHOR_POLL_SECONDS)
        seconds -= _AUTHOR_POLL_SECONDS
        authors = await last_authors(workspace, entry_ids)
    return authors


def _by_recipient(
    workspace: Workspace,
    new: Collection[DraftReview],
    entries: Mapping[str, Entry],
    authors: Mapping[str, Reviewer],
    admins: Collection[str],
) -> dict[str, list[DraftReview]]:
    """Group drafts by recipient: the owners except the author, or the administrators if there is no other owner."""
    reviews: dict[str, list[DraftReview]] = {}
    for review in new:
        author = authors.get(review.entry_id, Reviewer("")).userid
        owners = [u for u in workspace.snapshot.groups.owner_userids(entries[review.entry_id].owner) if u != author]
        for userid in owners or [admin for admin in admins if admin != author]:
            reviews.setdefault(userid, []).append(review)
    return reviews


def drafts_message(drafts: Collection[tuple[DraftReview, Entry, Reviewer]]) -> str:
    """Return markdown with question, answer and author of each draft, and how to approve it or send it back."""
    parts = [_draft_message(*draft) for draft in list(drafts)[:_MAX_SHOWN]]
    if len(drafts) > _MAX_SHOWN:
        parts.append(f"还有 {len(drafts) - _MAX_SHOWN} 份，请到控制台「今天」里看。")
    number = next(iter(drafts))[0].number
    parts.append(
        f"没有问题就回复「通过 {number}」，机器人马上用它回答，24 小时内可以撤销；"
        f"不合适就回复「退回 {number}：原因」。也可以在控制台「今天」里处理。"
    )
    return "\n\n".join(parts)


def _draft_message(review: DraftReview, entry: Entry, author: Reviewer) -> str:
    answers = [f"{'其他' if case == 'else' else case}：{text}" for case, text in entry.variants.items()]
    answer = replace_by_names("\n\n".join(answers) or entry.answer)
    if len(answer) > _MAX_ANSWER_CHARS:
        answer = answer[:_MAX_ANSWER_CHARS].rstrip() + "……（全文请到控制台看）"
    # A change made in the files is recorded a moment after it is seen here, and without a name.
    by = f"{escape_markdown(author.name)} 写的" if author.name not in ("", FILES) else "新的"
    shown = f"**草稿 {review.number}**（{by}）：{escape_markdown(entry.question, 120)}\n\n{line_breaks(answer)}"
    return f"{shown}{grey(escape_markdown(remark))}" if (remark := details_remark(entry)) else shown
