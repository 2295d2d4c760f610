"""The page 自动: show the automation rules, when each is due next, its runs, and why one does not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from faqbot.automation.overview import (
    Job,
    calendar_warning,
    describe_actions,
    describe_receiver,
    describe_status,
    describe_trigger,
    format_moment,
    job_as_json,
    list_jobs,
    run_as_json,
    years_without_holidays,
)
from faqbot.automation.run_log import OUTCOME_LABELS, RUNS_JOURNAL, Run, unpack_runs
from faqbot.console.web.context import context_of
from faqbot.console.web.pages import add_page, plain, show
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.outbox.outbox import Outbox

TAB = "/jobs"
_FILE = "automations.yaml"
_LOOK_BACK_SECONDS = 30 * 86400.0
_MAX_RUNS = 30


@dataclass(frozen=True, slots=True)
class AutomationRow:
    """One run of a rule; `notices` are receivers and delivery states in words."""

    run: Run
    notices: tuple[tuple[str, str], ...]


def add_routes(app: web.Application) -> None:
    add_page(app, TAB, page)


async def page(request: web.Request) -> web.StreamResponse:
    """Show all rules, or one of them with its latest runs."""
    context = context_of(request)
    workspace = context.workspace
    zone, automations = context.settings.timezone, workspace.snapshot.automations
    runs = unpack_runs(await workspace.store.journal(RUNS_JOURNAL, workspace.clock() - _LOOK_BACK_SECONDS))
    jobs = list_jobs(automations, runs, workspace.clock(), zone, context.settings.variable)
    rule_id = request.query.get("job", "")
    if rule_id:
        jobs = tuple(job for job in jobs if job.rule.id == rule_id)
        runs = [run for run in runs if run.rule_id == rule_id]
    lines = await _lines(workspace, zone, runs[-_MAX_RUNS:][::-1])
    problems = [p for p in workspace.snapshot.problems if p.place.file == f"{workspace.source.label}/{_FILE}"]

    def as_json() -> dict[str, Any]:
        return {
            "jobs": [{**job_as_json(job, zone), "why_not": plain(request, job.why_not)} for job in jobs],
            "runs": [{"id": line.run.rule_id, **run_as_json(line.run, zone)} for line in lines],
        }

    return show(
        request,
        "jobs.html",
        title="自动",
        tab=TAB,
        as_json=as_json,
        jobs=jobs,
        wanted=rule_id,
        lines=lines,
        # Problems of one rule are shown with the rule.
        problems=[p for p in problems if p not in _of_rules(jobs)],
        warnings=[calendar_warning(year) for year in years_without_holidays(automations, jobs, zone)],
        shown=OUTCOME_LABELS,
        colours={"done": "live", "failed": "held", "broken": "held", "missed": "review"},
        when=describe_trigger,
        what=describe_actions,
        time=lambda moment: format_moment(moment, zone),
    )


async def _lines(workspace: Workspace, zone: ZoneInfo, runs: Sequence[Run]) -> list[AutomationRow]:
    outbox = Outbox(workspace.store, {}, clock=workspace.clock)
    rows: list[AutomationRow] = []
    for run in runs:
        statuses = await outbox.statuses(run.notices)
        notices = [(describe_receiver(key), describe_status(statuses[key], zone)) for key in run.notices]
        rows.append(AutomationRow(run, tuple(notices)))
    return rows


def _of_rules(jobs: Sequence[Job]) -> list[object]:
    return [job.rule.problem for job in jobs if job.rule.problem]
