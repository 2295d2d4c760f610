"""Schedules of rules (daily, cron, monthly) and the occurrences they have. Pure; times are epoch seconds.

Chinese public holidays and make-up working days come from `chinesecalendar`, which raises for years it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from chinese_calendar import Holiday, get_holiday_detail
from cronsim import CronSim, CronSimError

# The longest wait between two firings is shorter: from one leap day to the next, of which one may be a holiday.
_MAX_YEARS_AHEAD = 9
_HOLIDAY_NAMES = {holiday.value: holiday.chinese for holiday in Holiday}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days and holidays: the company's own days override the public calendar."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Return True for a working day; in a year whose holidays are not known, for Monday to Friday."""
        return not self.day_off_reason(day)

    def day_off_reason(self, day: date) -> str:
        """Return why `day` is off, in a word; empty for a working day."""
        if day in self.workdays:
            return ""
        if day in self.holidays:
            return "公司假日"
        weekend = "周末" if day.weekday() >= 5 else ""
        try:
            off, name = get_holiday_detail(day)
        except NotImplementedError:
            # chinesecalendar raises it for a year that it does not know.
            return weekend
        return (_HOLIDAY_NAMES.get(name or "", weekend) or "休息日") if off else ""

    def knows(self, year: int) -> bool:
        """Return True if the public holidays of that year are known."""
        try:
            get_holiday_detail(date(year, 1, 1))
        except NotImplementedError:
            # The year is unknown to the public calendar, as in day_off_reason.
            return False
        return True


@dataclass(frozen=True, slots=True)
class Days:
    """A filter of days: every day, working days, days off, or certain days of the week (Monday is 0).

    The scheduler stores a hash of a trigger's `repr`: if this class, the schedules below or their fields are renamed,
    every rule counts as rescheduled, and occurrences during the update are skipped.
    """

    kind: Literal["every-day", "workday", "holiday", "weekdays"] = "every-day"
    weekdays: frozenset[int] = frozenset()

    def skip_reason(self, day: date, calendar: Calendar) -> str:
        """Return why the filter excludes `day`, for people; empty if it does not."""
        day_off_reason = calendar.day_off_reason(day)
        if self.kind == "workday" and day_off_reason:
            return f"{day} 是{day_off_reason}，不是工作日"
        if self.kind == "holiday" and not day_off_reason:
            return f"{day} 是工作日，不是休息日"
        return f"{day} 不在选定的星期里" if self.kind == "weekdays" and day.weekday() not in self.weekdays else ""


@dataclass(frozen=True, slots=True)
class Daily:
    """A time of day on certain days."""

    at: time
    on: Days = Days()


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of five fields, on certain days (days of the week are in the expression)."""

    expression: str
    on: Days = Days()


@dataclass(frozen=True, slots=True)
class Monthly:
    """A time on a day of the month: the last day of a shorter month; for 0, the last working day.

    With `on_workday` it is the first working day from that day on.
    """

    day: int
    at: time
    on_workday: bool = False


Schedule = Daily | Cron | Monthly


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A time that a schedule yields. With a `skip_reason` (for people) the rule does not fire then."""

    at: float
    skip_reason: str = ""


# The messages of cronsim about fields that it cannot read, in the order of the fields.
_CRON_FIELDS = {
    "Bad minute": "第 1 段（分，0–59）",
    "Bad hour": "第 2 段（时，0–23）",
    "Bad day-of-month": "第 3 段（日，1–31）",
    "Bad month": "第 4 段（月，1–12）",
    "Bad day-of-week": "第 5 段（星期，0–6，0 是周日）",
}


def cron_problem(expression: str) -> str:
    """Return the problem of a cron expression, for people; empty if there is none."""
    fields = expression.split()
    if len(fields) != 5:
        return f"cron 应有 5 段（分 时 日 月 星期），这里有 {len(fields)} 段；例如 0 9 * * 1-5"
    try:
        first = next(CronSim(expression, datetime(2024, 1, 1)), None)
    except CronSimError as exc:
        field = _CRON_FIELDS.get(str(exc), "")
        return f"cron “{expression}”{field}读不懂；例如 0 9 * * 1-5 是周一到周五 9:00"
    return "" if first else f"cron “{expression}”永远不会触发"


def occurrences(
    trigger: Schedule, after: float, until: float, zone: ZoneInfo, calendar: Calendar
) -> Iterator[Occurrence]:
    """Yield every occurrence after `after`, up to and including `until`, oldest first."""
    for moment, skip_reason in _occurrence_times(trigger, datetime.fromtimestamp(after, zone), calendar):
        # When the clock is set back for winter, local times repeat: only absolute times are ordered.
        at = moment.timestamp()
        if at > until:
            return
        if at > after:
            yield Occurrence(at, skip_reason)


def next_firing(trigger: Schedule, after: float, zone: ZoneInfo, calendar: Calendar) -> float | None:
    """Return the first firing after `after`; None if there is none for years."""
    return next(iter(firings(trigger, after, zone, calendar)), None)


def firings(trigger: Schedule, after: float, zone: ZoneInfo, calendar: Calendar) -> Iterator[float]:
    """Yield the times at which the rule fires after `after`, for years ahead."""
    end = after + _MAX_YEARS_AHEAD * 366 * 86400
    return (o.at for o in occurrences(trigger, after, end, zone, calendar) if not o.skip_reason)


def _occurrence_times(trigger: Schedule, after: datetime, calendar: Calendar) -> Iterator[tuple[datetime, str]]:
    zone = after.tzinfo
    if isinstance(trigger, Cron):
        yield from (
            (moment, trigger.on.skip_reason(moment.date(), calendar)) for moment in CronSim(trigger.expression, after)
        )
        return
    days = _monthly_days(trigger, after.date(), calendar) if isinstance(trigger, Monthly) else _all_days(after.date())
    for day in days:
        skip_reason = trigger.on.skip_reason(day, calendar) if isinstance(trigger, Daily) else ""
        # The other days of the week are no occurrences at all, and nobody needs a reason for them.
        if skip_reason and isinstance(trigger, Daily) and trigger.on.kind == "weekdays":
            continue
        yield datetime.combine(day, trigger.at, zone), skip_reason


def _all_days(first: date) -> Iterator[date]:
    while True:
        yield first
        first += timedelta(days=1)


def _monthly_days(trigger: Monthly, first: date, calendar: Calendar) -> Iterator[date]:
    """Yield one day of each month, from the month before `first` on: its working day may fall into the next month."""
    month = (first.replace(day=1) - timedelta(days=1)).replace(day=1)
    while True:
        following = (month + timedelta(days=32)).replace(day=1)
        last = following - timedelta(days=1)
        day = month.replace(day=min(trigger.day or last.day, last.day))
        step = timedelta(days=1 if trigger.day else -1)
        while (trigger.on_workday or not trigger.day) and not calendar.is_workday(day):
            day += step
        yield day
        month = following
