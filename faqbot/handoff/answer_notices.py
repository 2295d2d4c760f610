"""When an answer that somebody gave goes live, those who asked the same lately are told once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, tzinfo

from faqbot.access.visibility import open_to
from faqbot.analytics.stats import clusters, key_of
from faqbot.handoff.tickets import Progress, Ticket, drop, keep, tickets
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.blocks import line_breaks
from faqbot.markup.escaping import neutralise
from faqbot.markup.picture_links import named_only
from faqbot.model.entries import Entry
from faqbot.model.group_settings import looks_like_userid
from faqbot.model.notices import Address, Notice
from faqbot.model.question_log import QuestionRecord
from faqbot.outbox.outbox import Outbox
from faqbot.rules.working_hours import at_work, next_morning
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_on_change

log = EventLog(__name__)

# Tickets change without a change of the knowledge; those are found this late.
_MAX_AGE_SECONDS = 60.0
_ASKED_SECONDS = 14 * 86400.0
_MOST = 50


async def tell_of_answers(workspace: Workspace, outbox: Outbox, timezone: tzinfo, keep_days: int) -> None:
    """Announce answers whenever the knowledge changes, until cancelled."""
    await run_on_change(
        lambda: announce_answers(workspace, outbox, timezone, keep_days),
        lambda: workspace.snapshot.version,
        lambda exc: log.error("answers.not_announced", cause=exc),
        clock=workspace.clock,
        max_age=_MAX_AGE_SECONDS,
    )


async def announce_answers(workspace: Workspace, outbox: Outbox, timezone: tzinfo, keep_days: int) -> None:
    """Tell of what is live now, and forget tickets that are too old to be kept. Raises StoreError."""
    for ticket in (await tickets(workspace.store)).values():
        if ticket.at < workspace.clock() - keep_days * 86400:
            await drop(workspace.store, ticket)
            continue
        entry = workspace.snapshot.entry(ticket.draft) if ticket.draft else None
        if ticket.progress is Progress.ANSWERED and not ticket.announced and entry and not entry.draft:
            await _announce(workspace, outbox, ticket, entry, timezone)
            # After the outbox took them: who is killed before tells again, under the same keys.
            await keep(workspace.store, replace(ticket, announced=True))


async def _announce(workspace: Workspace, outbox: Outbox, ticket: Ticket, entry: Entry, timezone: tzinfo) -> None:
    if entry.private or entry.departments:
        # Who may know of it is not on record.
        return
    records = await workspace.store.questions(workspace.clock() - _ASKED_SECONDS)
    asked = await asyncio.to_thread(_same, records, ticket.question, workspace)
    now = datetime.fromtimestamp(workspace.clock(), timezone)
    calendar = workspace.snapshot.automations.calendar
    due = 0.0 if at_work(now, calendar) else next_morning(now, calendar).timestamp()
    told = _askers(asked, ticket, entry, workspace.today())
    await outbox.post(*(_notice(record, entry, due, timezone) for record in told))
    log.info("answer.announced", ticket=ticket.number, people=len(told))


def _same(records: Sequence[QuestionRecord], question: str, workspace: Workspace) -> Sequence[QuestionRecord]:
    """The records of those who asked the same and got no answer."""
    key = key_of(question)
    found = clusters(records, workspace.snapshot.index.fold)
    return next((cluster.records for cluster in found if key in cluster.keys), ())


def _askers(asked: Sequence[QuestionRecord], ticket: Ticket, entry: Entry, day: date) -> list[QuestionRecord]:
    """The last question of each who can be written to and may know; the asker of the ticket knows already."""
    last = {
        r.asker: r
        for r in asked
        if r.asker != ticket.asker and looks_like_userid(r.asker) and open_to(entry, day, r.conversation_id)
    }
    return list(last.values())[:_MOST]


def _notice(record: QuestionRecord, entry: Entry, due: float, timezone: tzinfo) -> Notice:
    day = datetime.fromtimestamp(record.asked_at, timezone)
    body = (
        f"您 {day.month} 月 {day.day} 日问过「{neutralise(record.text)}」，现在有答案了：\n\n"
        f"**{neutralise(entry.question)}**\n\n{line_breaks(named_only(entry.answer))}"
    )
    key = hashlib.sha256(f"{entry.id}|{record.asker}".encode()).hexdigest()[:24]
    return Notice(f"answered:{key}", Address("person", record.asker), "您问过的，有答案了", body, not_before=due)
