"""Attendance data: punches, approvals, and the columns of the company's attendance report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

HOURS_A_DAY = 8.0


class PunchResult(StrEnum):
    """DingTalk's result of one planned punch (`timeResult`)."""

    NORMAL = "Normal"
    EARLY = "Early"
    LATE = "Late"
    SERIOUS_LATE = "SeriousLate"
    ABSENT = "Absenteeism"
    MISSING = "NotSigned"


@dataclass(frozen=True, slots=True)
class Punch:
    """One planned punch. Times are epoch seconds, 0 for none; `excused` means that an approval covers it."""

    userid: str
    day: date
    on_duty: bool
    result: PunchResult
    planned: float = 0.0
    actual: float = 0.0
    excused: bool = False


class ApprovalKind(StrEnum):
    """The kinds of approvals that concern attendance."""

    LEAVE = "leave"
    TRIP = "trip"
    OVERTIME = "overtime"


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval for one day: leave and trips in days, overtime in hours; `name` is the kind of leave."""

    userid: str
    day: date
    kind: ApprovalKind
    name: str
    amount: float


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the company's attendance report; an administrator chose its name."""

    id: str
    name: str

    @property
    def plain(self) -> str:
        """The name without its unit."""
        return re.sub(r"[（(].*?[）)]", "", self.name).strip()

    @property
    def unit(self) -> str:
        match = re.search(r"[（(](天|小时|分钟)[）)]", self.name)
        return match.group(1) if match else ""


def windows(first: date, last: date, max_days: int) -> list[tuple[date, date]]:
    """Split the days from `first` to `last` into ranges of at most `max_days`; both ends of a range are included."""
    ranges = []
    while first <= last:
        end = min(first + timedelta(days=max_days - 1), last)
        ranges.append((first, end))
        first = end + timedelta(days=1)
    return ranges
