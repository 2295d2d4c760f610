"""Commands for the rules of automations.yaml: jobs, jobs why, jobs run."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from faqbot.cli.common import cli, fail, read_knowledge, read_settings, run_to_end
from faqbot.settings import Settings

if TYPE_CHECKING:
    from faqbot.automation.overview import Job
    from faqbot.automation.run_log import Run
    from faqbot.outbox.queued_notice import Delay, SendOutcome
    from faqbot.rules.definitions import Automations, Rule

# The runs that `jobs` and `jobs why` look at, and how many of them `jobs why` prints.
_HISTORY_DAYS, _MAX_RUNS = 30, 20

jobs_cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
cli.add_typer(jobs_cli, name="jobs", help="自动的例行工作：什么时候做，上次怎样；why 问原因，run 现在做一次。")

AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
RuleId = Annotated[str, typer.Argument(metavar="ID", help="automations.yaml 里任务的 id")]


@jobs_cli.callback(invoke_without_command=True)
def jobs(context: typer.Context, as_json: AsJson = False) -> None:
    """列出每条任务：什么时候做、接下来五次、上次的结果，不能运行的说明原因。"""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings()
    from faqbot.automation.overview import calendar_warning, job_as_json, list_jobs, years_without_holidays

    automations = read_knowledge(settings).automations
    all_jobs = list_jobs(automations, _runs(settings), time.time(), settings.timezone, settings.variable)
    if as_json:
        typer.echo(json.dumps([job_as_json(job, settings.timezone) for job in all_jobs], ensure_ascii=False, indent=2))
    elif not all_jobs:
        typer.echo("还没有任务：请写在知识目录的 automations.yaml 里，写法见 README“自动的例行工作”。")
    else:
        for job in all_jobs:
            _print_job(job, settings.timezone)
        for year in years_without_holidays(automations, all_jobs, settings.timezone):
            typer.echo(calendar_warning(year), err=True)
    raise typer.Exit(1 if any(job.rule.problem for job in all_jobs) else 0)


@jobs_cli.command()
def why(rule_id: RuleId, as_json: AsJson = False) -> None:
    """一条任务最近做了没有，没有做的原因，发出的消息到了没有。"""
    settings = read_settings()
    from faqbot.automation.overview import (
        describe_receiver,
        describe_status,
        format_moment,
        job_as_json,
        list_jobs,
        run_as_json,
        status_as_json,
    )
    from faqbot.automation.run_log import OUTCOME_LABELS

    automations = read_knowledge(settings).automations
    _rule(automations, rule_id)
    runs = _runs(settings, rule_id)[-_MAX_RUNS:]
    statuses = _statuses(settings, runs)
    zone = settings.timezone
    (job,) = (j for j in list_jobs(automations, runs, time.time(), zone, settings.variable) if j.rule.id == rule_id)
    if as_json:
        lines = [
            {**run_as_json(run, zone), "notices": [status_as_json(k, statuses[k], zone) for k in run.notices]}
            for run in runs
        ]
        typer.echo(json.dumps({**job_as_json(job, zone), "runs": lines[::-1]}, ensure_ascii=False, indent=2))
        return
    _print_job(job, zone)
    if not runs:
        typer.echo(f"最近 {_HISTORY_DAYS} 天没有记录：还没有到时间，或没有收到它等的事件。")
    for run in reversed(runs):
        typer.echo(
            f"- {format_moment(run.due, zone)}  {OUTCOME_LABELS[run.outcome]}{f'：{run.why}' if run.why else ''}"
        )
        for key in run.notices:
            typer.echo(f"    {describe_receiver(key)}：{describe_status(statuses[key], zone)}")


@jobs_cli.command()
def run(
    rule_id: RuleId,
    dry: Annotated[bool, typer.Option("--dry-run", help="只显示会发什么，不发")] = False,
    data: Annotated[str, typer.Option("--data", metavar="JSON", help='事件的内容，例如 \'{"name": "小李"}\'')] = "",
    as_json: AsJson = False,
) -> None:
    """现在就做一次；加 --dry-run 只显示会发出的内容。"""
    settings = read_settings(need_credentials=not dry)
    from faqbot.automation.dry_run import dry_run, format_lines
    from faqbot.automation.payloads import moment_values

    snapshot = read_knowledge(settings)
    rule = _rule(snapshot.automations, rule_id)
    values = {**moment_values(datetime.now(settings.timezone)), **_values(data)}
    if rule.problem is not None:
        fail(f"{rule.problem.place} {rule.problem.message}")
    if not dry:
        _run_rule(settings, rule, values)
    items = dry_run(rule, snapshot.automations, values, snapshot.groups.owner_userids, settings.robot_code or "***")
    if as_json:
        typer.echo(json.dumps(items, ensure_ascii=False, indent=2))
    else:
        for line in format_lines(items, lambda body: json.dumps(body, ensure_ascii=False, indent=2)):
            typer.echo(line)
        if why_not := snapshot.automations.blocked_reason(rule, settings.variable):
            typer.echo(f"现在不能运行：{why_not}", err=True)
    raise typer.Exit(1 if any("problem" in item for item in items) else 0)


def _run_rule(settings: Settings, rule: Rule, values: dict[str, object]) -> NoReturn:
    from faqbot.app.run_job import run_job
    from faqbot.automation.overview import describe_receiver, describe_status
    from faqbot.automation.run_log import OUTCOME_LABELS
    from faqbot.outbox.queued_notice import SendOutcome

    async def act() -> int:
        run, statuses = await run_job(settings, rule.id, values)
        typer.echo(f"{OUTCOME_LABELS[run.outcome]}{f'：{run.why}' if run.why else ''}")
        for key in run.notices:
            typer.echo(f"  {describe_receiver(key)}：{describe_status(statuses.get(key), settings.timezone)}")
        all_sent = all(isinstance(status, SendOutcome) and status.sent for status in statuses.values())
        return 0 if run.outcome == "done" and all_sent else 1

    raise typer.Exit(run_to_end(act()))


def _rule(automations: Automations, rule_id: str) -> Rule:
    """Return the rule of that id; end the command if there is none."""
    if (rule := automations.rule(rule_id)) is not None:
        return rule
    known = "、".join(rule.id for rule in automations.rules)
    fail(f"没有叫“{rule_id}”的任务" + (f"，有的是：{known}" if known else "：automations.yaml 里还没有任务"))


def _values(data: str) -> dict[str, object]:
    try:
        values = json.loads(data or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        fail('--data 应是一个 JSON 对象，例如 --data \'{"name": "小李"}\'')
    return values


def _runs(settings: Settings, rule_id: str = "") -> list[Run]:
    from faqbot.automation.run_log import RUNS_JOURNAL, unpack_runs
    from faqbot.store.opening import open_store

    async def read() -> list[Run]:
        store = await open_store(settings.store)
        try:
            lines = await store.journal(RUNS_JOURNAL, time.time() - _HISTORY_DAYS * 86400)
        finally:
            await store.close()
        return unpack_runs(lines, rule_id)

    return run_to_end(read())


def _statuses(settings: Settings, runs: Sequence[Run]) -> dict[str, SendOutcome | Delay | None]:
    """Return by key the outcome of each notice of these runs, or the reason why it waits."""
    from faqbot.outbox.outbox import Outbox
    from faqbot.store.opening import open_store

    async def read() -> dict[str, SendOutcome | Delay | None]:
        store = await open_store(settings.store)
        try:
            return await Outbox(store, {}).statuses(key for run in runs for key in run.notices)
        finally:
            await store.close()

    return run_to_end(read())


def _print_job(job: Job, zone: ZoneInfo) -> None:
    from faqbot.automation.overview import describe_actions, describe_trigger, format_moment
    from faqbot.automation.run_log import OUTCOME_LABELS

    typer.echo(f"{job.rule.id}  {describe_trigger(job.rule)} → {describe_actions(job.rule)}")
    if job.why_not:
        typer.echo(f"    没有运行：{job.why_not}")
    elif job.upcoming:
        typer.echo(f"    接下来：{'、'.join(format_moment(at, zone) for at in job.upcoming)}")
    if job.last is not None:
        why = f"：{job.last.why}" if job.last.why else ""
        typer.echo(f"    上次：{format_moment(job.last.due, zone)} {OUTCOME_LABELS[job.last.outcome]}{why}")
