"""The page 可以加的问法: preview, add or decline the wordings suggested from askers' picks in lists."""

from __future__ import annotations

import json

from aiohttp import web

from faqbot.analytics.suggested_wordings import MARKS, Suggestion, open_suggestions
from faqbot.console.entries.browse import bubble_of, summary
from faqbot.console.web.context import context_of, workspace_of
from faqbot.console.web.edit_errors import notice_on_edit_error
from faqbot.console.web.pages import entry_url, notice, person, query, read_form, redirect, show
from faqbot.console.work import wording_trial
from faqbot.console.work.tasks import Item, Section, section
from faqbot.knowledge.editing.entry_editor import add_wording
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.preview import preview_effects

TAB = "/missed"


def add_routes(app: web.Application) -> None:
    app.router.add_get("/suggested/{key}", page)
    app.router.add_post("/suggested/{key}/add", add)
    app.router.add_post("/suggested/{key}/decline", decline)
    app.router.add_post("/suggested/{key}/reopen", reopen)


def as_section(suggestions: list[Suggestion]) -> Section:
    """Return the section for the page 今天."""
    items = [
        Item(f"「{s.text}」", f"{s.people} 人从列表里选了「{s.entry.question}」", suggestion_url(s), "加为问法")
        for s in suggestions
    ]
    return section("suggested", "可以加的问法", items, f"{TAB}#suggested", "个")


def suggestion_url(suggestion: Suggestion, action: str = "") -> str:
    return f"/suggested/{suggestion.key}{f'/{action}' if action else ''}"


async def page(request: web.Request) -> web.StreamResponse:
    """Preview adding the wording; nothing is written."""
    return await _show(request, await _requested_suggestion(request))


async def add(request: web.Request) -> web.StreamResponse:
    workspace, fields = workspace_of(request), await read_form(request)
    suggestion = await _requested_suggestion(request)
    choice = wording_trial.WordingChoice(suggestion.entry, suggestion.text)

    async def show_again(exc: StaleEdit) -> web.StreamResponse:
        await workspace.base.refresh()
        return await _show(request, await _requested_suggestion(request), stale=True)

    notice_on_edit_error(request, "没有加上", back=TAB, stale=show_again)
    if why := wording_trial.objection(workspace, choice.entry, choice.text):
        return notice(request, 409, "没有加上", why, back=TAB)
    saved = await wording_trial.add(workspace, person(request), choice, fields.get("seen", ""))
    raise redirect(entry_url(saved.id), done="wording")


async def decline(request: web.Request) -> web.StreamResponse:
    """Decline a suggestion (不要), with who did so and when."""
    workspace, suggestion = workspace_of(request), await _requested_suggestion(request)
    mark = json.dumps({"who": person(request), "at": workspace.clock()}, ensure_ascii=False)
    await workspace.store.put_mark(MARKS, suggestion.key, mark)
    raise redirect(TAB + query({"unwanted": suggestion.key}))


async def reopen(request: web.Request) -> web.StreamResponse:
    """Undo a decline."""
    await workspace_of(request).store.put_mark(MARKS, request.match_info["key"], None)
    raise redirect(f"{TAB}#suggested")


async def is_declined(workspace: Workspace, key: str) -> bool:
    return bool(key) and key in await workspace.store.marks(MARKS)


async def _requested_suggestion(request: web.Request) -> Suggestion:
    suggestion = next(
        (s for s in await open_suggestions(workspace_of(request)) if s.key == request.match_info["key"]), None
    )
    if suggestion is None:
        raise web.HTTPNotFound(text="没有这个问法：它可能已经加上了，或者标了「不要」。")
    return suggestion


async def _show(request: web.Request, suggestion: Suggestion, *, stale: bool = False) -> web.StreamResponse:
    workspace = workspace_of(request)
    notice_on_edit_error(request, "加不上去", back=TAB)
    revision = await workspace.load(suggestion.entry)
    proposal = await revision.propose(add_wording, suggestion.text)
    effects = await preview_effects(workspace, context_of(request).past_questions, proposal)
    return show(
        request,
        "suggested.html",
        title="加为问法",
        tab=TAB,
        status=409 if stale else 200,
        found=suggestion,
        summary=summary(suggestion.entry, workspace),
        seen=revision.seen,
        effects=effects,
        stale=stale,
        bubble=bubble_of(suggestion.entry),
        suggestion_url=suggestion_url,
    )
