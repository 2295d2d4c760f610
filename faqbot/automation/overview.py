"""Describe rules for people: trigger, actions, next time due, and result of the last run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from faqbot.automation.run_log import OUTCOME_LABELS, Run
from faqbot.model.notice_keys import receiver_of
from faqbot.outbox.queued_notice import Delay, SendOutcome
from faqbot.rules.definitions import (
    Action,
    AddContact,
    AttendanceReport,
    Automations,
    Digest,
    EnvironmentLookup,
    EventTrigger,
    Notify,
    Rule,
    Trigger,
)
from faqbot.rules.schedule import Cron, Daily, Days, Monthly, firings

# The number of next firings that are shown.
UPCOMING_COUNT = 5
_RECEIVERS = {"robot": "机器人", "group": "群", "person": "单聊"}
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Job:
    """A rule and its state: `why_not` says why it cannot run now, `upcoming` are its next firings in epoch seconds."""

    rule: Rule
    why_not: str
    upcoming: tuple[float, ...]
    last: Run | None


def list_jobs(
    automations: Automations, runs: Iterable[Run], now: float, zone: ZoneInfo, variable: EnvironmentLookup
) -> tuple[Job, ...]:
    """Return all rules in the order of the file."""
    last = {run.rule_id: run for run in runs}
    return tuple(
        Job(
            rule, automations.blocked_reason(rule, variable), _upcoming(rule, automations, now, zone), last.get(rule.id)
        )
        for rule in automations.rules
    )


def years_without_holidays(automations: Automations, jobs: Sequence[Job], zone: ZoneInfo) -> tuple[int, ...]:
    """Return the years of next firings whose public holidays are not known yet."""
    years = {datetime.fromtimestamp(at, zone).year for job in jobs for at in job.upcoming}
    return tuple(sorted(year for year in years if not automations.calendar.knows(year)))


def calendar_warning(year: int) -> str:
    """Return advice about a year whose holidays are not known."""
    return (
        f"还不知道 {year} 年的节假日安排，暂时按周一到周五算工作日；请升级 faqbot（或其中的 chinesecalendar），"
        "也可以在 automations.yaml 的 calendar 里写上放假和补班的日子"
    )


def describe_trigger(rule: Rule) -> str:
    """Describe the trigger of a rule in a few words: `工作日 09:00`."""
    condition = f"，如果 {rule.condition.text}" if rule.condition else ""
    return f"{_trigger(rule.trigger)}{condition}" if rule.trigger else "没有读懂什么时候做"


def describe_actions(rule: Rule) -> str:
    """Describe the actions of a rule in a few words."""
    return "；".join(map(_action, rule.actions)) or "没有读懂做什么"


def format_moment(at: float, zone: ZoneInfo) -> str:
    """Format a time within about a year: `11-26（周四）09:00`."""
    moment = datetime.fromtimestamp(at, zone)
    return f"{moment:%m-%d}（周{_WEEKDAYS[moment.weekday()]}）{moment:%H:%M}"


def describe_receiver(key: str) -> str:
    """Describe the receiver of a notice of a run, by the key of the notice."""
    receiver = receiver_of(key)
    return f"{_RECEIVERS[receiver[0]]} {receiver[1]}" if receiver else "通知"


def describe_status(status: SendOutcome | Delay | None, zone: ZoneInfo) -> str:
    """Describe the outcome of sending a notice, or its delay; None is one that only waits for its turn."""
    if status is None:
        return "等待发送（群机器人每分钟最多 20 条，多了合并成一条）"
    if isinstance(status, Delay):
        when = format_moment(status.until, zone)
        return f"等待发送：钉钉限制了发送的频率，{when} 以后再发" if status.limited else f"等待发送：{when} 以后发"
    return "已发出" if status.sent else f"没有发出：{status.why}"


def status_as_json(key: str, status: SendOutcome | Delay | None, zone: ZoneInfo) -> dict[str, Any]:
    """Return the same as a JSON object."""
    if status is None:
        return {"key": key, "state": "waiting"}
    if isinstance(status, Delay):
        why = {"why": "rate_limit"} if status.limited else {}
        return {"key": key, "state": "waiting", **why, "until": _iso(status.until, zone)}
    return {"key": key, "state": "sent"} if status.sent else {"key": key, "state": "failed", "why": status.why}


def job_as_json(job: Job, zone: ZoneInfo) -> dict[str, Any]:
    """Return the job as a JSON object; times have their UTC offset."""
    last = job.last
    return {
        "id": job.rule.id,
        "file": job.rule.place.file,
        "line": job.rule.place.line,
        "when": describe_trigger(job.rule),
        "does": describe_actions(job.rule),
        "runs": not job.why_not,
        "why_not": job.why_not,
        "next": [_iso(at, zone) for at in job.upcoming],
        "last": run_as_json(last, zone) if last else None,
    }


def run_as_json(run: Run, zone: ZoneInfo) -> dict[str, Any]:
    """Return the run as a JSON object."""
    return {
        "key": run.key,
        "due": _iso(run.due, zone),
        "at": _iso(run.at, zone),
        "outcome": run.outcome,
        "shown": OUTCOME_LABELS[run.outcome],
        "why": run.why,
    }


def _upcoming(rule: Rule, automations: Automations, now: float, zone: ZoneInfo) -> tuple[float, ...]:
    if rule.trigger is None or isinstance(rule.trigger, EventTrigger) or rule.problem:
        return ()
    return tuple(islice(firings(rule.trigger, now, zone, automations.calendar), UPCOMING_COUNT))


def _trigger(trigger: Trigger) -> str:
    match trigger:
        case EventTrigger(event):
            return f"收到事件 {event}"
        case Daily(at, on):
            return f"{_days(on)} {at:%H:%M}"
        case Cron(expression, on):
            return f"cron {expression}" + (f"（只在{_days(on)}）" if on.kind != "every-day" else "")
        case Monthly(0, at, _):
            return f"每月最后一个工作日 {at:%H:%M}"
        case Monthly(day, at, on_workday):
            return f"每月 {day} 日{'起的第一个工作日' if on_workday else ''} {at:%H:%M}"


def _days(days: Days) -> str:
    if days.kind == "weekdays":
        return "、".join(f"周{_WEEKDAYS[day]}" for day in sorted(days.weekdays))
    return {"workday": "工作日", "holiday": "休息日"}.get(days.kind, "每天")


def _action(action: Action) -> str:
    match action:
        case Notify():
            to = [f"机器人 {name}" for name in action.robots] + ["群"] * bool(action.groups)
            to += [template.text for template in action.people]
            return f"通知 {'、'.join(to)}"
        case AddContact():
            return "加入通讯录"
        case AttendanceReport():
            return "考勤报表"
        case Digest():
            return "问答周报"
        case _:
            return f"告诉 {action.url.text.split('?')[0]}"


def _iso(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")
