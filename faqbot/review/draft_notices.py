"""New drafts, told once to those who keep them, by direct message."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace

from faqbot.knowledge.editing.audit_log import FILES
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.blocks import line_breaks
from faqbot.markup.escaping import neutralise
from faqbot.markup.picture_links import named_only
from faqbot.model.entries import Entry
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.review.draft_review import DraftReview, Reviewer, keep, made_by, number_drafts
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_on_change

log = EventLog(__name__)

# Drafts that wait again without a change of the knowledge, such as after an approval that ended, are found this late.
_MAX_AGE_SECONDS = 60.0
# More drafts at once are only counted, as after a first start with many.
_SHOWN = 5
_LONGEST_ANSWER = 800


async def tell_of_drafts(workspace: Workspace, outbox: Outbox, admins: Collection[str]) -> None:
    """Announce new drafts whenever the knowledge changes, until cancelled."""
    await run_on_change(
        lambda: announce_drafts(workspace, outbox, admins),
        lambda: workspace.snapshot.version,
        lambda exc: log.error("drafts.not_announced", cause=exc),
        clock=workspace.clock,
        max_age=_MAX_AGE_SECONDS,
    )


async def announce_drafts(workspace: Workspace, outbox: Outbox, admins: Collection[str]) -> None:
    """Tell the keepers of each draft not announced yet, each person in one message. Raises StoreError."""
    entries = {e.id: e for e in workspace.snapshot.entries}
    found = await number_drafts(workspace)
    new = [p for p in found.values() if not p.announced and p.waits(entries.get(p.entry))]
    if not new:
        return
    makers = await made_by(workspace, {p.entry for p in new})
    for userid, mine in _by_keeper(workspace, new, entries, makers, admins).items():
        told = [(p, entries[p.entry], makers.get(p.entry, Reviewer(""))) for p in mine]
        title = f"草稿 {mine[0].number} 等您看" if len(mine) == 1 else f"有 {len(mine)} 份草稿等您看"
        key = hashlib.sha256(",".join(str(p.number) for p in mine).encode()).hexdigest()[:16]
        await outbox.post(Notice(f"drafts:{key}:{userid}", Address("person", userid), title, message(told)))
    # After the outbox took them: who is killed before tells again, under the same keys.
    for paper in new:
        await keep(workspace, replace(paper, announced=True))
    log.info("drafts.announced", drafts=len(new))


def _by_keeper(
    workspace: Workspace,
    new: Collection[DraftReview],
    entries: Mapping[str, Entry],
    makers: Mapping[str, Reviewer],
    admins: Collection[str],
) -> dict[str, list[DraftReview]]:
    """Who is told of what. Who wrote a draft in chat knows; where nobody else keeps it, it is the administrators."""
    result: dict[str, list[DraftReview]] = {}
    for paper in new:
        maker = makers.get(paper.entry, Reviewer("")).userid
        keepers = [
            userid for userid in workspace.snapshot.groups.owner_userids(entries[paper.entry].owner) if userid != maker
        ]
        for userid in keepers or [admin for admin in admins if admin != maker]:
            result.setdefault(userid, []).append(paper)
    return result


def message(told: Collection[tuple[DraftReview, Entry, Reviewer]]) -> str:
    """The drafts with question, answer and maker, and how to say a word about them, in markdown."""
    parts = [_one(paper, entry, maker) for paper, entry, maker in list(told)[:_SHOWN]]
    if len(told) > _SHOWN:
        parts.append(f"还有 {len(told) - _SHOWN} 份，请到控制台「今天」里看。")
    number = next(iter(told))[0].number
    parts.append(
        f"没有问题就回复「通过 {number}」，机器人马上用它回答，24 小时内可以撤销；"
        f"不合适就回复「退回 {number}：原因」。也可以在控制台「今天」里处理。"
    )
    return "\n\n".join(parts)


def _one(paper: DraftReview, entry: Entry, maker: Reviewer) -> str:
    answers = [f"{'其他' if word == 'else' else word}：{text}" for word, text in entry.variants.items()]
    answer = named_only("\n\n".join(answers) or entry.answer)
    if len(answer) > _LONGEST_ANSWER:
        answer = answer[:_LONGEST_ANSWER].rstrip() + "……（全文请到控制台看）"
    # A change in the files is written down a moment later than it is seen here, and has no name anyway.
    by = f"{neutralise(maker.name)} 写的" if maker.name not in ("", FILES) else "新的"
    return f"**草稿 {paper.number}**（{by}）：{neutralise(entry.question, 120)}\n\n{line_breaks(answer)}"
