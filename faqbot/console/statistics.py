"""The page 统计: count questions and their outcomes, and list the questions behind each number, without names."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from faqbot.analytics import dashboard
from faqbot.analytics.charts import LABELS
from faqbot.analytics.dashboard import DashboardPeriod, Figures, FiguresCache, StatisticsQuery
from faqbot.analytics.report import reader_notes
from faqbot.analytics.stats import QuestionOutcome
from faqbot.console.web.context import context_of, workspace_of
from faqbot.console.web.pages import add_page, show
from faqbot.dialogue.choices import OPTIONS_SECONDS

TAB = "/stats"
PER_PAGE = 50
_FIGURES_CACHE: web.AppKey[FiguresCache] = web.AppKey("figures", FiguresCache)


def add_routes(app: web.Application) -> None:
    app[_FIGURES_CACHE] = FiguresCache()
    add_page(app, TAB, page)
    add_page(app, f"{TAB}/questions", questions_page)
    app.router.add_get(f"{TAB}/records.csv", download)


async def page(request: web.Request) -> web.StreamResponse:
    """Show the numbers of a period."""
    figures = await requested_figures(request)
    return show(
        request,
        "stats.html",
        title="统计",
        tab=TAB,
        as_json=figures.as_json,
        found=figures,
        periods=dashboard.PERIODS,
        tiles=tiles(figures),
        fates=[(fate, LABELS[fate]) for fate in QuestionOutcome],
        # Made by charts.py, which escapes every word in it.
        weekly=Markup(figures.weekly),
        by_topic=Markup(figures.by_topic),
        notes=remarks(request, figures.period),
    )


async def questions_page(request: web.Request) -> web.StreamResponse:
    """List the questions behind a number."""
    figures, filters = await requested_figures(request), StatisticsQuery.of(request.query)
    listed = await asyncio.to_thread(dashboard.questions_behind, figures, filters)
    pages = max(1, -(-len(listed) // PER_PAGE))
    number = min(max(_number(request.query.get("page", "")), 1), pages)
    rows = [dashboard.row_of(a, figures) for a in listed[(number - 1) * PER_PAGE : number * PER_PAGE]]
    return show(
        request,
        "questions.html",
        title="提问",
        tab=TAB,
        as_json=lambda: {
            "total": len(listed),
            "page": number,
            "pages": pages,
            "questions": [r.as_json() for r in rows],
        },
        rows=rows,
        total=len(listed),
        told=filters.in_words(figures),
        wanted=filters,
        kept=filters.as_query(figures.period.days),
        days=figures.period.days,
        page=number,
        pages=pages,
    )


async def download(request: web.Request) -> web.StreamResponse:
    """Send all records of the period as CSV for spreadsheets."""
    figures = await requested_figures(request)
    body = await asyncio.to_thread(figures.csv)
    name = f"faqbot-{figures.period.since:%Y-%m-%d}-{figures.period.until:%Y-%m-%d}.csv"
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, headers=headers)


async def requested_figures(request: web.Request) -> Figures:
    """Return the figures of the requested period, computed in a thread."""
    workspace, snapshot = workspace_of(request), workspace_of(request).snapshot
    period = DashboardPeriod.of(request.query.get("days", ""), workspace.clock(), context_of(request).settings.timezone)
    # An entry picked at the very beginning may be from a list sent before.
    records = await workspace.store.questions(period.since.timestamp() - OPTIONS_SECONDS)
    cache = request.app[_FIGURES_CACHE]
    return await asyncio.to_thread(cache.figures, records, period, snapshot.version, snapshot.entries)


@dataclass(frozen=True, slots=True)
class Tile:
    """One big number: its name, its share of all, and the query for the questions behind it."""

    name: str
    value: int
    share: str = ""
    fate: str = ""
    order: str = ""


def tiles(figures: Figures) -> list[Tile]:
    outcome_tiles = [
        Tile(LABELS[outcome], len(questions), figures.share(outcome), outcome.value)
        for outcome, questions in figures.fates.items()
    ]
    return [
        Tile("提问", figures.asked),
        *outcome_tiles,
        Tile("评价没有帮助", len(figures.stats.disliked), fate=dashboard.DISLIKED),
        Tile("提问的人", figures.people, order="person"),
    ]


def remarks(request: web.Request, period: DashboardPeriod) -> list[str]:
    return reader_notes(context_of(request).settings, period.since, period.until)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
