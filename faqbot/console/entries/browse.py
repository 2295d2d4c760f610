"""The page 问答 for reading: list entries, show one entry, try a sentence out."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from faqbot.analytics.try_out import TrialResult, try_out
from faqbot.console.web.context import ConsoleContext, context_of, workspace_of
from faqbot.console.web.pages import add_page, fragment, requested_id, show
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.entry_search import (
    PER_PAGE,
    STATUS_NAMES,
    EntryFilter,
    entry_at,
    find,
    owners,
    status_of,
    statuses,
    topic_of,
    topics,
)
from faqbot.knowledge.snapshot import Snapshot
from faqbot.markup.to_html import markdown_to_html
from faqbot.model.decisions import Answered
from faqbot.model.entries import Entry
from faqbot.replies.render import plain_body

TAB = "/entries"


def add_routes(app: web.Application) -> None:
    add_page(app, "/entries", entries_page)
    add_page(app, "/try", try_page)
    add_page(app, "/entries/{id}", entry_page)


async def entries_page(request: web.Request) -> web.StreamResponse:
    """Show all entries, or those that match a search."""
    workspace, snapshot = workspace_of(request), workspace_of(request).snapshot
    entry_filter, day = EntryFilter.of(request.query), workspace.today()
    entries = find(snapshot, entry_filter, day)
    pages = max(1, -(-len(entries) // PER_PAGE))
    page = min(max(_number(request.query.get("page", "")), 1), pages)
    return show(
        request,
        "entries.html",
        title="问答",
        tab=TAB,
        as_json=lambda: {"total": len(entries), "entries": [entry_json(e, workspace) for e in entries]},
        wanted=entry_filter,
        shown=[summary(e, workspace) for e in entries[(page - 1) * PER_PAGE : page * PER_PAGE]],
        total=len(entries),
        page=page,
        pages=pages,
        topics=topics(snapshot.entries),
        owners=owners(snapshot.entries),
        statuses=statuses(snapshot.entries, day),
        broken=broken_files(snapshot),
    )


async def entry_page(request: web.Request) -> web.StreamResponse:
    """Show one entry with all its fields, as a message bubble too, and a field to try sentences."""
    workspace, snapshot = workspace_of(request), workspace_of(request).snapshot
    entry = find_entry(request)
    text = request.query.get("try", "").strip()
    return show(
        request,
        "entry.html",
        title=entry.question,
        tab=TAB,
        as_json=lambda: entry_json(entry, workspace),
        entry=entry,
        summary=summary(entry, workspace),
        bubble=bubble_of(entry),
        related=[(other, snapshot.entry(other)) for other in entry.related],
        problems=[
            p
            for p in snapshot.problems
            if not p.is_error and p.place.file == entry.place.file and entry_at(p.place, snapshot) is entry
        ],
        broken=[p for p in broken_files(snapshot) if p.place.file == entry.place.file],
        text=text,
        tried=await try_sentence(context_of(request), text) if text else None,
        current=entry.id,
    )


async def try_page(request: web.Request) -> web.StreamResponse:
    """Show how the bot would answer a sentence; `part=1` returns only the result, for the script."""
    text = request.query.get("q", "").strip()
    result = await try_sentence(context_of(request), text) if text else None
    current = request.query.get("entry", "")
    if request.query.get("part"):
        return fragment("_tried.html", tried=result, current=current)
    return show(
        request,
        "try.html",
        title="试一试",
        tab=TAB,
        as_json=lambda: result.as_json() if result else {},
        text=text,
        tried=result,
        current=current,
    )


async def try_sentence(context: ConsoleContext, text: str) -> TrialResult:
    """Try `text` with the live knowledge."""
    workspace = context.workspace
    snapshot = workspace.snapshot
    meaning, by_meaning = await context.meaning(text), workspace.limits_by_meaning(snapshot)
    return try_out(text, snapshot, workspace.limits(snapshot), workspace.today(), meaning, by_meaning)


def find_entry(request: web.Request) -> Entry:
    """Return the entry that the address names. Raises 404 if there is none."""
    entry = workspace_of(request).snapshot.entry(requested_id(request))
    if entry is None:
        raise web.HTTPNotFound(text="没有这一条：它可能已经被删掉，或者换了编号。")
    return entry


def bubble_of(entry: Entry) -> Any:
    """Render the answer as DingTalk shows it in a single chat."""
    return markdown_to_html(plain_body(Answered(entry, 1.0, entry.question), entry.question))


def broken_files(snapshot: Snapshot) -> list[Any]:
    """Return the errors that keep a file from going live; in automations.yaml only the broken rule stops."""
    return [p for p in snapshot.problems if p.is_error and not p.place.file.endswith("automations.yaml")]


def summary(entry: Entry, workspace: Workspace) -> dict[str, Any]:
    """Return the fields of an entry that a list shows."""
    status = status_of(entry, workspace.today())
    return {
        "entry": entry,
        "topic": topic_of(entry),
        "status": status.value,
        "status_name": STATUS_NAMES[status],
        "file": workspace.file_name(entry.place.file),
    }


def entry_json(entry: Entry, workspace: Workspace) -> dict[str, Any]:
    """Return an entry as JSON values."""
    days = {"from": entry.valid.start, "until": entry.valid.end}
    return {
        "id": entry.id,
        "question": entry.question,
        "also": list(entry.also),
        "not": list(entry.not_),
        "answer": entry.answer,
        "ask": {entry.ask.name: entry.ask.question} if entry.ask else {},
        "answers": dict(entry.variants),
        "topic": entry.topic,
        "owner": entry.owner,
        "source": entry.source,
        "related": list(entry.related),
        "valid": {name: day.isoformat() for name, day in days.items() if day},
        "review": entry.review.isoformat() if entry.review else None,
        "groups": list(entry.groups),
        "departments": list(entry.departments),
        "private": entry.private,
        "draft": entry.draft,
        "held": entry.held,
        "status": status_of(entry, workspace.today()).value,
        "file": workspace.file_name(entry.place.file),
        "line": entry.place.line,
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
