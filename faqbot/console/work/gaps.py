"""The page 未答: groups of unanswered questions; add one to an entry, make it an entry, or decline it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from faqbot.access.privacy import withheld_topic
from faqbot.analytics.gaps import PERIODS, STATE_NAMES, USUAL, Gap, Gaps, GapState, decline, gap_json, reopen
from faqbot.analytics.suggested_wordings import open_suggestions
from faqbot.console.entries.browse import bubble_of, summary
from faqbot.console.web.context import context_of, workspace_of
from faqbot.console.web.edit_errors import notice_on_edit_error
from faqbot.console.web.pages import add_page, entry_url, notice, person, query, read_form, redirect, show
from faqbot.console.work import wording_trial
from faqbot.console.work.suggestions import is_declined, suggestion_url
from faqbot.console.work.wording_trial import WordingChoice
from faqbot.knowledge.editing.entry_editor import add_wording
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.entry_search import EntryFilter, find
from faqbot.knowledge.impact.preview import preview_effects

TAB = "/missed"
_PER_PAGE = 20
_MAX_SEARCH_RESULTS = 15
# Wordings in a link to the form of a new entry; more make it too long for some proxies.
_MAX_LINKED_WORDINGS = 8
GAPS: web.AppKey[Gaps] = web.AppKey("gaps", Gaps)


def add_routes(app: web.Application) -> None:
    app[GAPS] = Gaps()
    add_page(app, TAB, page)
    add_page(app, "/missed/{key}", one)
    app.router.add_get("/missed/{key}/add", check)
    app.router.add_post("/missed/{key}/add", add)
    app.router.add_post("/missed/{key}/take-back", take_back)
    app.router.add_post("/missed/{key}/decline", decline_it)
    app.router.add_post("/missed/{key}/reopen", reopen_it)


async def page(request: web.Request) -> web.StreamResponse:
    """List the groups of a period in one state."""
    days, shown_state, unwanted = _days(request), _state(request), request.query.get("unwanted", "")
    gaps = await request.app[GAPS].find(workspace_of(request), days)
    chosen = [gap for gap in gaps if gap.state is shown_state]
    pages = max(1, -(-len(chosen) // _PER_PAGE))
    number = min(max(int(_digits(request.query.get("page", "")) or 1), 1), pages)
    return show(
        request,
        "missed.html",
        title="未答",
        tab=TAB,
        as_json=lambda: {
            "days": days,
            "state": shown_state.value,
            "total": len(chosen),
            "gaps": list(map(gap_json, chosen)),
        },
        days=days,
        periods=PERIODS,
        wanted=shown_state,
        states=[(state, name, sum(g.state is state for g in gaps)) for state, name in STATE_NAMES.items()],
        gaps=chosen[(number - 1) * _PER_PAGE : number * _PER_PAGE],
        total=len(chosen),
        page=number,
        pages=pages,
        first=(number - 1) * _PER_PAGE + 1,
        suggested=await open_suggestions(workspace_of(request)) if shown_state is GapState.OPEN else [],
        suggestion_url=suggestion_url,
        unwanted=await is_declined(workspace_of(request), unwanted) and unwanted,
        declined=_by_key(gaps, request.query.get("declined", "")),
        new_url=new_url,
        gap_url=gap_url,
    )


async def one(request: web.Request) -> web.StreamResponse:
    """Show one group: its wordings, which are answered by now, and the entries it could belong to."""
    workspace, days = workspace_of(request), _days(request)
    gaps, gap = await _requested_gap(request)
    answers = await wording_trial.answers(workspace, gap)
    unanswered = [a.text for a in answers if not a.answered]
    text = _wording(request.query.get("text", "")) or _wording(next(iter(unanswered), gap.cluster.text))
    search_text = request.query.get("q", "").strip()[:200]
    added, wording = workspace.snapshot.entry(request.query.get("added", "")), request.query.get("wording", "")
    return show(
        request,
        "missed_one.html",
        title=gap.cluster.text,
        tab=TAB,
        as_json=lambda: gap_json(gap) | {"answers": [a.as_json() for a in answers]},
        gap=gap,
        days=days,
        text=text,
        sought=search_text,
        asked=answers,
        candidates=await wording_trial.candidates(context_of(request), text) if not search_text else [],
        found=_search_entries(workspace, search_text),
        # Shown only if it is true: anybody can make such a link.
        added=added if added and wording in added.also else None,
        added_text=wording,
        all_answered=not unanswered,
        undone="undone" in request.query,
        following=next((g for g in gaps if g.state is GapState.OPEN and g.cluster.key != gap.cluster.key), None),
        new_url=new_url,
        gap_url=gap_url,
    )


async def check(request: web.Request) -> web.StreamResponse:
    """Preview adding the wording; nothing is written."""
    _, gap = await _requested_gap(request)
    return await _preview_page(request, gap, request.query)


async def add(request: web.Request) -> web.StreamResponse:
    """Add the wording to the entry, if the file is still the version that was shown."""
    workspace, fields = workspace_of(request), await read_form(request)
    _, gap = await _requested_gap(request)
    choice = _chosen_wording(workspace, fields)
    if isinstance(choice, str):
        return notice(request, 409, "没有加上", choice, back=gap_url(gap, _days(request)))

    async def check_again(exc: StaleEdit) -> web.StreamResponse:
        await workspace.base.refresh()
        return await _preview_page(request, gap, fields, stale=True)

    notice_on_edit_error(request, "没有加上", back=gap_url(gap, _days(request)), stale=check_again)
    saved = await wording_trial.add(workspace, person(request), choice, fields.get("seen", ""))
    raise redirect(gap_url(gap, _days(request), added=saved.id, wording=choice.text), done="wording")


async def take_back(request: web.Request) -> web.StreamResponse:
    """Undo: remove the wording from the entry."""
    workspace, fields = workspace_of(request), await read_form(request)
    _, gap = await _requested_gap(request)
    back = gap_url(gap, _days(request))
    entry = workspace.snapshot.entry(fields.get("entry", ""))
    if entry is None:
        return notice(request, 409, "没有撤销", "那一条已经不在了。", back=back)
    notice_on_edit_error(request, "没有撤销", back=entry_url(entry.id))
    await wording_trial.take_back(workspace, person(request), WordingChoice(entry, _wording(fields.get("text", ""))))
    raise redirect(gap_url(gap, _days(request), undone="1"))


async def decline_it(request: web.Request) -> web.StreamResponse:
    """Decline a group (不归我们管), with who did so and when."""
    _, gap = await _requested_gap(request)
    await decline(workspace_of(request), gap, person(request))
    raise redirect(TAB + query(_link_values(request) | {"declined": gap.cluster.key}))


async def reopen_it(request: web.Request) -> web.StreamResponse:
    """Undo a decline."""
    _, gap = await _requested_gap(request)
    await reopen(workspace_of(request), gap)
    raise redirect(gap_url(gap, _days(request)))


async def _preview_page(
    request: web.Request, gap: Gap, fields: Mapping[str, str], *, stale: bool = False
) -> web.StreamResponse:
    workspace, days = workspace_of(request), _days(request)
    choice = _chosen_wording(workspace, fields)
    if isinstance(choice, str):
        return notice(request, 409, "加不上去", choice, back=gap_url(gap, days))
    notice_on_edit_error(request, "加不上去", back=gap_url(gap, days))
    revision = await workspace.load(choice.entry)
    proposal = await revision.propose(add_wording, choice.text)
    effects = await preview_effects(workspace, context_of(request).past_questions, proposal)
    answers = await wording_trial.answers(workspace, gap, proposal, choice)
    return show(
        request,
        "missed_add.html",
        title="加到已有条目",
        tab=TAB,
        status=409 if stale else 200,
        gap=gap,
        days=days,
        wish=choice,
        summary=summary(choice.entry, workspace),
        seen=revision.seen,
        effects=effects,
        asked=answers,
        bubble=bubble_of(choice.entry),
        stale=stale,
        back=gap_url(gap, days, text=choice.text),
    )


def _chosen_wording(workspace: Workspace, fields: Mapping[str, str]) -> WordingChoice | str:
    """Return the chosen entry and wording, or the reason why that is not possible."""
    entry, text = workspace.snapshot.entry(fields.get("entry", "")), _wording(fields.get("text", ""))
    if entry is None:
        return "那一条已经不在了：它可能刚被删掉，或者换了编号。请另选一条。"
    return wording_trial.objection(workspace, entry, text) or WordingChoice(entry, text)


def _search_entries(workspace: Workspace, text: str) -> Sequence[Mapping[str, Any]]:
    if not text:
        return []
    return [
        summary(e, workspace)
        for e in find(workspace.snapshot, EntryFilter(text=text), workspace.today())[:_MAX_SEARCH_RESULTS]
    ]


async def _requested_gap(request: web.Request) -> tuple[list[Gap], Gap]:
    """Find the group of the address by any of its wordings, in the chosen or the longest period. Raises 404."""
    key = request.match_info["key"].removesuffix(".json")
    days = _days(request)
    gaps: list[Gap] = []
    for period in dict.fromkeys((days, max(PERIODS))):
        gaps = await request.app[GAPS].find(workspace_of(request), period)
        if gap := _by_key(gaps, key):
            return gaps, gap
    raise web.HTTPNotFound(text="没有这一组提问：它们可能已经太久，或者已经有人回答了。")


def _by_key(gaps: Sequence[Gap], key: str) -> Gap | None:
    exact = (g for g in gaps if g.cluster.key == key)
    return next(exact, None) or next((g for g in gaps if key in g.cluster.keys), None)


def gap_url(gap: Gap, days: int = USUAL, action: str = "", **values: str) -> str:
    """Return the address of the page of a group."""
    parameters = {"days": "" if days == USUAL else days, **values}
    return f"{TAB}/{gap.cluster.key}{f'/{action}' if action else ''}{query(parameters)}"


def new_url(gap: Gap) -> str:
    """Return the address of the form of a new entry with the question and its other wordings filled in."""
    others = [w.text for w in gap.cluster.wordings if w.text != gap.cluster.text][:_MAX_LINKED_WORDINGS]
    filled = {"question": _wording(gap.cluster.text), "also": "\n".join(map(_wording, others))}
    return f"/entries/new?{urlencode(filled)}"


def _link_values(request: web.Request) -> dict[str, Any]:
    days = _days(request)
    return {"days": "" if days == USUAL else days}


def _days(request: web.Request) -> int:
    days = _digits(request.query.get("days", ""))
    return int(days) if days and int(days) in PERIODS else USUAL


def _state(request: web.Request) -> GapState:
    name = request.query.get("show", "")
    return GapState(name) if name in list(GapState) else GapState.OPEN


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) < 7 else ""


def _wording(text: str) -> str:
    # Of a private question only the topic is on record, which is no wording.
    return "" if withheld_topic(text) else " ".join(text.split())[: wording_trial.MAX_WORDING_CHARS]
