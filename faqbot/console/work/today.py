"""The page 今天: list all open tasks; each links to the page where it is done."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from aiohttp import web

from faqbot.analytics.gaps import USUAL, Gap, GapState
from faqbot.analytics.stats import Stats
from faqbot.analytics.suggested_wordings import open_suggestions
from faqbot.console.web.context import ConsoleContext, context_of
from faqbot.console.web.pages import add_page, show
from faqbot.console.work import complaints, tickets
from faqbot.console.work.deploy_conflicts import waiting, without_disputes
from faqbot.console.work.gaps import GAPS, gap_url
from faqbot.console.work.suggestions import as_section
from faqbot.console.work.tasks import (
    Item,
    Meter,
    Section,
    aging,
    approved,
    drafts,
    file_errors,
    file_warnings,
    meters,
    over_quota,
    section,
    undelivered,
    unsent,
)
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.dingtalk.api.quota import CALLS, MESSAGES
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.outbox.queued_notice import FAILED_NOTICES, SendFailure
from faqbot.review.draft_records import last_authors, number_drafts
from faqbot.store.json_records import from_json

TAB = "/"
_MAX_GAPS = 5
# The time for which failed and unhelpful answers are listed.
_RECENT_PERIOD = timedelta(days=7)
_WEEKDAYS = "一二三四五六日"


def add_routes(app: web.Application) -> None:
    add_page(app, TAB, page)
    app.router.add_get("/today.json", page)


async def page(request: web.Request) -> web.StreamResponse:
    """Show all open tasks, the most urgent kind first."""
    context = context_of(request)
    workspace = context.workspace
    gaps = await request.app[GAPS].find(workspace, USUAL)
    quota = await _quota(context)
    sections = [s for s in await _sections(context, gaps, quota) if s.items]
    day = workspace.today()
    return show(
        request,
        "today.html",
        title="今天",
        tab=TAB,
        as_json=lambda: {
            "day": day.isoformat(),
            "sections": [s.as_json() for s in sections],
            "quota": {m.kind: {"used": m.usage.used, "limit": m.usage.limit} for m in quota},
        },
        day=f"{day.month} 月 {day.day} 日，星期{_WEEKDAYS[day.weekday()]}",
        sections=sections,
        quota=quota,
        settled=await _settled_task(workspace, request.query.get("settled", "")),
        entries=len(workspace.snapshot.entries),
    )


async def _sections(context: ConsoleContext, gaps: list[Gap], quota: list[Meter]) -> list[Section]:
    workspace = context.workspace
    snapshot, day = workspace.snapshot, workspace.today()
    entries = {e.id: e for e in snapshot.entries}
    stats = await _recent_stats(context)
    reviews = await number_drafts(workspace)
    settled = await without_disputes(workspace, snapshot)
    return [
        file_errors(settled, workspace.source.label),
        over_quota(quota),
        undelivered(stats, entries),
        unsent(
            [
                from_json(SendFailure, line.text)
                for line in await workspace.store.journal(
                    FAILED_NOTICES, workspace.clock() - _RECENT_PERIOD.total_seconds()
                )
            ]
        ),
        await waiting(workspace),
        _gap_section(gaps),
        await tickets.waiting_tickets(workspace),
        await complaints.complaints(workspace),
        as_section(await open_suggestions(workspace)),
        aging(snapshot.entries, day),
        drafts(snapshot.entries, reviews, await last_authors(workspace, {e.id for e in snapshot.entries if e.draft})),
        # Last, because warnings can wait; an error keeps something from going live.
        file_warnings(settled, workspace.source.label, day),
        approved(entries, reviews, workspace.clock()),
    ]


async def _settled_task(workspace: Workspace, reference: str) -> tuple[str, str] | None:
    """Return path and key of the task that was just marked as done, if it is."""
    path, _, key = reference.partition(" ")
    settled = {complaints.PATH: complaints.settled, tickets.PATH: tickets.settled}
    return (path, key) if path in settled and await settled[path](workspace, key) else None


async def _recent_stats(context: ConsoleContext) -> Stats:
    workspace = context.workspace
    now = datetime.fromtimestamp(workspace.clock(), context.settings.timezone)
    since = now - _RECENT_PERIOD
    records = await workspace.store.questions(since.timestamp() - OPTIONS_SECONDS)
    entries = {e.id: e for e in workspace.snapshot.entries}
    return await asyncio.to_thread(Stats, records, since, now + timedelta(seconds=1), entries)


def _gap_section(gaps: list[Gap]) -> Section:
    open_ = [gap for gap in gaps if gap.state is GapState.OPEN]
    items = [Item(gap.cluster.text, _gap_note(gap), gap_url(gap), f"{gap.cluster.people} 人") for gap in open_]
    return section("missed", "员工问了、没有答上来的", items, "/missed", "组", _MAX_GAPS)


def _gap_note(gap: Gap) -> str:
    others = len(gap.cluster.wordings) - 1
    more = f"，有 {others + 1} 种问法" if others else ""
    return f"最近 {USUAL} 天问了 {gap.cluster.times} 次{more}"


async def _quota(context: ConsoleContext) -> list[Meter]:
    """Return this month's use by all replicas, as far as it is stored; that happens every few seconds."""
    workspace = context.workspace
    month = f"{workspace.today():%Y-%m}"
    limits = {CALLS: context.settings.quota_calls, MESSAGES: context.settings.quota_messages}
    return meters(await workspace.store.counts(f"{month}|"), month, limits)
