"""Notices to recent askers of a ticket's question, once the entry made from its answer is live."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, tzinfo

from faqbot.access.visibility import open_to
from faqbot.analytics.stats import cluster_gaps, key_of
from faqbot.handoff.tickets import Ticket, TicketState, delete_ticket, load_tickets, save_ticket
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.blocks import line_breaks
from faqbot.markup.escaping import escape_markdown
from faqbot.markup.picture_links import replace_by_names
from faqbot.model.entries import Entry
from faqbot.model.group_settings import looks_like_userid
from faqbot.model.notices import Address, Notice
from faqbot.model.question_log import QuestionRecord
from faqbot.outbox.outbox import Outbox
from faqbot.rules.working_hours import is_working_time, next_working_morning
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_on_change

log = EventLog(__name__)

# Tickets change without a change of the knowledge; those are found this late.
_MAX_AGE_SECONDS = 60.0
# People who asked within this time still want to know.
_ASKER_SECONDS = 14 * 86400.0
_MAX_PEOPLE = 50


async def run_answer_notices(workspace: Workspace, outbox: Outbox, timezone: tzinfo, keep_days: int) -> None:
    """Announce answers whenever the knowledge changes, until cancelled."""
    await run_on_change(
        lambda: announce_answers(workspace, outbox, timezone, keep_days),
        lambda: workspace.snapshot.version,
        lambda exc: log.error("answers.not_announced", cause=exc),
        clock=workspace.clock,
        max_age=_MAX_AGE_SECONDS,
    )


async def announce_answers(workspace: Workspace, outbox: Outbox, timezone: tzinfo, keep_days: int) -> None:
    """Announce the answers that are live now, and delete tickets older than `keep_days`. Raises StoreError."""
    for ticket in (await load_tickets(workspace.store)).values():
        if ticket.at < workspace.clock() - keep_days * 86400:
            await delete_ticket(workspace.store, ticket)
            continue
        entry = workspace.snapshot.entry(ticket.draft) if ticket.draft else None
        if ticket.state is TicketState.ANSWERED and not ticket.announced and entry and not entry.draft:
            await _announce(workspace, outbox, ticket, entry, timezone)
            # After posting: a crash in between repeats the notices under the same keys, and the outbox drops them.
            await save_ticket(workspace.store, replace(ticket, announced=True))


async def _announce(workspace: Workspace, outbox: Outbox, ticket: Ticket, entry: Entry, timezone: tzinfo) -> None:
    if entry.private or entry.departments:
        # The question log does not tell who may see such an entry.
        return
    records = await workspace.store.questions(workspace.clock() - _ASKER_SECONDS)
    same_question = await asyncio.to_thread(_records_of_question, records, ticket.question, workspace)
    now = datetime.fromtimestamp(workspace.clock(), timezone)
    calendar = workspace.snapshot.automations.calendar
    not_before = 0.0 if is_working_time(now, calendar) else next_working_morning(now, calendar).timestamp()
    recipients = _recipients(same_question, ticket, entry, workspace.today())
    await outbox.post(*(_notice(record, entry, not_before, timezone) for record in recipients))
    log.info("answer.announced", ticket=ticket.number, people=len(recipients))


def _records_of_question(
    records: Sequence[QuestionRecord], question: str, workspace: Workspace
) -> Sequence[QuestionRecord]:
    """Return the records of those who asked the same and got no answer."""
    key = key_of(question)
    unanswered = cluster_gaps(records, workspace.snapshot.index.fold)
    return next((cluster.records for cluster in unanswered if key in cluster.keys), ())


def _recipients(records: Sequence[QuestionRecord], ticket: Ticket, entry: Entry, day: date) -> list[QuestionRecord]:
    """Return the last record of each asker who can be written to and may see the entry, without the ticket's asker."""
    last = {
        r.asker: r
        for r in records
        if r.asker != ticket.asker and looks_like_userid(r.asker) and open_to(entry, day, r.conversation_id)
    }
    return list(last.values())[:_MAX_PEOPLE]


def _notice(record: QuestionRecord, entry: Entry, not_before: float, timezone: tzinfo) -> Notice:
    day = datetime.fromtimestamp(record.asked_at, timezone)
    body = (
        f"您 {day.month} 月 {day.day} 日问过「{escape_markdown(record.text)}」，现在有答案了：\n\n"
        f"**{escape_markdown(entry.question)}**\n\n{line_breaks(replace_by_names(entry.answer))}"
    )
    key = hashlib.sha256(f"{entry.id}|{record.asker}".encode()).hexdigest()[:24]
    return Notice(f"answered:{key}", Address("person", record.asker), "您问过的，有答案了", body, not_before=not_before)
