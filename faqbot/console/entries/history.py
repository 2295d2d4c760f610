"""The page 历史: list the changes of entries, show both versions of one, restore either."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from faqbot.console.web.context import workspace_of
from faqbot.console.web.edit_errors import EditConflict, notice_on_edit_error
from faqbot.console.web.pages import add_page, moment, notice, person, read_form, redirect, show
from faqbot.errors import EditError
from faqbot.knowledge.editing import versions
from faqbot.knowledge.editing.audit_log import FILES, Edit, load_edits
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.editing.versions import Field, PresentEntry
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.preview import find_problems

TAB = "/history"
PER_PAGE = 20
_MAX_FILTER_CHARS = 200
KINDS = {
    "change": "修改",
    "add": "新增",
    "remove": "删除",
    "restore": "恢复",
    "approve": "通过",
    "withdraw": "撤销通过",
}
_DONE = {
    "restored": "已恢复，机器人现在就按这个版本回答。",
    "unchanged": "现在就是这个版本，文件没有改动。",
}


def add_routes(app: web.Application) -> None:
    add_page(app, TAB, page)
    add_page(app, TAB + r"/{number:\d{1,15}}", version_page)
    app.router.add_get(TAB + r"/{number:\d{1,15}}.json", version_page)
    app.router.add_post(TAB + r"/{number:\d{1,15}}", restore)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One change as the list shows it."""

    edit: Edit
    kind: str
    question: str
    fields: list[Field]

    def as_json(self) -> dict[str, Any]:
        e = self.edit
        return {
            "number": e.number,
            "at": e.at,
            "who": e.who,
            "kind": e.kind,
            "file": e.file,
            "entry": e.entry,
            "question": self.question,
            "before": e.before,
            "after": e.after,
        }


async def page(request: web.Request) -> web.StreamResponse:
    """List the changes, newest first; a query selects those of one entry, by one person or with some words."""
    edits = await load_edits(workspace_of(request).store)
    query = request.query
    filters = {
        "entry": query.get("entry", ""),
        "who": query.get("who", ""),
        "q": query.get("q", "").strip()[:_MAX_FILTER_CHARS],
    }
    listed = versions.filter_edits(edits, entry=filters["entry"], who=filters["who"], words=filters["q"])
    pages = max(1, -(-len(listed) // PER_PAGE))
    number = min(max(_number(query.get("page", "")), 1), pages)
    listed_page = listed[(number - 1) * PER_PAGE : number * PER_PAGE]
    lines = await asyncio.to_thread(lambda: [line_of(e) for e in listed_page])
    return show(
        request,
        "history.html",
        title="历史",
        tab=TAB,
        as_json=lambda: {"total": len(listed), "page": number, "pages": pages, "edits": [i.as_json() for i in lines]},
        lines=lines,
        total=len(listed),
        kept=filters,
        people=versions.authors(edits),
        by=by,
        page=number,
        pages=pages,
        live={e.id for e in workspace_of(request).snapshot.entries},
        kept_for=versions.RESTORABLE_SECONDS,
        clock=workspace_of(request).clock(),
        done=_DONE.get(query.get("done", ""), ""),
    )


async def version_page(request: web.Request) -> web.StreamResponse:
    """Show both versions of a change, each with a button to restore it."""
    edits, change = await _requested_edit(request)
    return await _show_versions(request, edits, change)


async def restore(request: web.Request) -> web.StreamResponse:
    """Restore one of the two versions, with the same checks as any other change."""
    edits, change = await _requested_edit(request)
    workspace, fields = workspace_of(request), await read_form(request)
    side = "after" if fields.get("version") == "after" else "before"
    text = change.after if side == "after" else change.before
    back = f"{TAB}/{change.number}"

    async def show_conflict(exc: StaleEdit) -> web.StreamResponse:
        return await _show_versions(request, edits, change, stale_side=side, newer={exc.file: exc.present})

    notice_on_edit_error(request, "没有恢复", back=back, stale=show_conflict)
    now = await versions.find_present(workspace, change)
    if problem := _too_late(request, edits, change, now):
        return notice(request, 410, "没有恢复", problem, back=back)
    proposal = await versions.propose_restore(now, text, fields.get("seen", ""))
    effects = await find_problems(workspace, proposal)
    if not effects.ok:
        why = "；".join(p.message for p in effects.problems if p.is_error)
        return notice(request, 422, "没有恢复", f"恢复以后文件会有错误：{why}", back=back)
    if not proposal.is_unchanged:
        await workspace.save(person(request), proposal, "restore")
    raise redirect(TAB + "?" + entry_query(change.entry), done="unchanged" if proposal.is_unchanged else "restored")


async def _requested_edit(request: web.Request) -> tuple[list[Edit], Edit]:
    """Return all changes and the one that the address names. Raises 404 if there is none."""
    edits = await load_edits(workspace_of(request).store)
    number = int(request.match_info["number"])
    change = next((e for e in edits if e.number == number), None)
    if change is None:
        raise web.HTTPNotFound(text="历史里没有这一次修改。")
    return edits, change


async def _show_versions(
    request: web.Request,
    edits: list[Edit],
    change: Edit,
    *,
    stale_side: str = "",
    newer: Mapping[str, bytes | None] | None = None,
) -> web.StreamResponse:
    """Show both versions.

    `stale_side` is the side that was not restored because the file changed, `newer` the content of the file now.
    """
    workspace = workspace_of(request)
    now, problem = await _present(workspace, change, newer)
    if now and not problem:
        problem = _too_late(request, edits, change, now)
    conflict = None
    if stale_side and now:
        restored = change.after if stale_side == "after" else change.before
        conflict = EditConflict(versions.fields_of(now.text, restored), side=stale_side)
    line = await asyncio.to_thread(line_of, change)
    return show(
        request,
        "version.html",
        title=line.question,
        tab=TAB,
        status=409 if stale_side else 200,
        as_json=lambda: line.as_json() | {"present": now.text if now else None, "problem": problem},
        line=line,
        by=by,
        now=now,
        problem=problem,
        gone=now is not None and not now.text,
        conflict=conflict,
        until=moment(request, versions.restorable_until(edits, change)),
        later=sum(e.entry == change.entry and e.number > change.number for e in edits),
        is_present={side: _is_present(now, text) for side, text in _sides(change).items()},
        sides=_sides(change),
        history=f"{TAB}?{entry_query(change.entry)}",
    )


def _sides(change: Edit) -> dict[str, str]:
    return {"before": change.before, "after": change.after}


def _is_present(now: PresentEntry | None, text: str) -> bool:
    return now is not None and bool(text) and versions.is_same_version(now.text, text)


async def _present(
    workspace: Workspace, change: Edit, newer: Mapping[str, bytes | None] | None = None
) -> tuple[PresentEntry | None, str]:
    """Return the entry as it is now, or the reason why nothing can be restored at the moment."""
    try:
        return await versions.find_present(workspace, change, newer), ""
    except EditError as exc:
        return None, str(exc)


def _too_late(request: web.Request, edits: list[Edit], change: Edit, now: PresentEntry) -> str:
    """Return the reason why a removed entry cannot be restored any more; empty if it can."""
    last = versions.restorable_until(edits, change)
    if now.text or workspace_of(request).clock() <= last:
        return ""
    return f"这一条删掉已经超过 30 天，{moment(request, last)} 以前可以找回，现在不行了。"


def by(who: str) -> str:
    """Return the author of a change in words."""
    return "直接改的文件" if who == FILES else who or "（没有写名字）"


def line_of(change: Edit) -> HistoryLine:
    return HistoryLine(
        change,
        KINDS.get(change.kind, change.kind),
        versions.question_of(change),
        versions.fields_of(change.before, change.after),
    )


def entry_query(entry_id: str) -> str:
    return urlencode({"entry": entry_id})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
