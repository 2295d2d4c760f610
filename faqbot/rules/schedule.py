"""When a rule is due: times of day on working days, cron, days of the month. Pure; times are epoch seconds.

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

# Longer than any wait there can be: a leap day for cron, and a holiday in the way of it.
_YEARS_AHEAD = 9
_CHINESE = {holiday.value: holiday.chinese for holiday in Holiday}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked: the company's own exceptions before the public holidays."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Whether `day` is worked; in a year whose holidays are not known, Monday to Friday."""
        return not self.day_off(day)

    def day_off(self, day: date) -> str:
        """Why nobody works on `day`, in a word; empty for a working day."""
        if day in self.workdays:
            return ""
        if day in self.holidays:
            return "公司假日"
        weekend = "周末" if day.weekday() >= 5 else ""
        try:
            off, name = get_holiday_detail(day)
        except NotImplementedError:
            # The calendar's word for a year that it does not know.
            return weekend
        return (_CHINESE.get(name or "", weekend) or "休息日") if off else ""

    def knows(self, year: int) -> bool:
        """Whether the public holidays of that year are known."""
        try:
            get_holiday_detail(date(year, 1, 1))
        except NotImplementedError:
            # As above.
            return False
        return True


@dataclass(frozen=True, slots=True)
class Days:
    """Which days count: all, those worked, those off, or some days of the week (Monday is 0)."""

    kind: Literal["every-day", "workday", "holiday", "weekdays"] = "every-day"
    weekdays: frozenset[int] = frozenset()

    def why_not(self, day: date, calendar: Calendar) -> str:
        """Why `day` does not count; empty if it does."""
        off = calendar.day_off(day)
        if self.kind == "workday" and off:
            return f"{day} 是{off}，不是工作日"
        if self.kind == "holiday" and not off:
            return f"{day} 是工作日，不是休息日"
        return f"{day} 不在选定的星期里" if self.kind == "weekdays" and day.weekday() not in self.weekdays else ""


@dataclass(frozen=True, slots=True)
class Daily:
    """A time of day on certain days."""

    at: time
    on: Days = Days()


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields as cron knows them, on certain days (days of the week stand in the fields)."""

    expression: str
    on: Days = Days()


@dataclass(frozen=True, slots=True)
class Monthly:
    """A day of the month, the last one where the month is shorter; 0 is the last working day.

    With `on_workday` it is the first working day from then.
    """

    day: int
    at: time
    on_workday: bool = False


Timed = Daily | Cron | Monthly


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A moment a rule's clock comes round; with `why_not` it lets it pass."""

    at: float
    why_not: str = ""


# What cronsim says of a field it does not understand, in the order of the fields.
_CRON_FIELDS = {
    "Bad minute": "第 1 段（分，0–59）",
    "Bad hour": "第 2 段（时，0–23）",
    "Bad day-of-month": "第 3 段（日，1–31）",
    "Bad month": "第 4 段（月，1–12）",
    "Bad day-of-week": "第 5 段（星期，0–6，0 是周日）",
}


def check_cron(expression: str) -> str:
    """What is wrong with a cron expression, empty if nothing is."""
    fields = expression.split()
    if len(fields) != 5:
        return f"cron 应有 5 段（分 时 日 月 星期），这里有 {len(fields)} 段；例如 0 9 * * 1-5"
    try:
        first = next(CronSim(expression, datetime(2024, 1, 1)), None)
    except CronSimError as exc:
        wrong = _CRON_FIELDS.get(str(exc), "")
        return f"cron “{expression}”{wrong}读不懂；例如 0 9 * * 1-5 是周一到周五 9:00"
    return "" if first else f"cron “{expression}”永远不会触发"


def occasions(trigger: Timed, after: float, until: float, zone: ZoneInfo, calendar: Calendar) -> Iterator[Occurrence]:
    """Every time the rule's clock comes round after `after`, up to and including `until`, oldest first."""
    for moment, why_not in _moments(trigger, datetime.fromtimestamp(after, zone), calendar):
        # The clock may be put back in between, so only the absolute time tells what is later.
        at = moment.timestamp()
        if at > until:
            return
        if at > after:
            yield Occurrence(at, why_not)


def next_firing(trigger: Timed, after: float, zone: ZoneInfo, calendar: Calendar) -> float | None:
    """When the rule fires next after `after`; None if it does not within years."""
    return next(iter(firings(trigger, after, zone, calendar)), None)


def firings(trigger: Timed, after: float, zone: ZoneInfo, calendar: Calendar) -> Iterator[float]:
    """The times the rule fires after `after`, for years ahead."""
    end = after + _YEARS_AHEAD * 366 * 86400
    return (o.at for o in occasions(trigger, after, end, zone, calendar) if not o.why_not)


def _moments(trigger: Timed, after: datetime, calendar: Calendar) -> Iterator[tuple[datetime, str]]:
    zone = after.tzinfo
    if isinstance(trigger, Cron):
        yield from (
            (moment, trigger.on.why_not(moment.date(), calendar)) for moment in CronSim(trigger.expression, after)
        )
        return
    days = _days_of_months(trigger, after.date(), calendar) if isinstance(trigger, Monthly) else _all_days(after.date())
    for day in days:
        why_not = trigger.on.why_not(day, calendar) if isinstance(trigger, Daily) else ""
        # Nobody asks why Monday's job is silent on a Tuesday.
        if why_not and isinstance(trigger, Daily) and trigger.on.kind == "weekdays":
            continue
        yield datetime.combine(day, trigger.at, zone), why_not


def _all_days(first: date) -> Iterator[date]:
    while True:
        yield first
        first += timedelta(days=1)


def _days_of_months(trigger: Monthly, first: date, calendar: Calendar) -> Iterator[date]:
    """The one day of each month from the month before `first` on: its working day may fall into the next month."""
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
