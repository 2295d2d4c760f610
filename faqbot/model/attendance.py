"""Punches, approvals and report columns, as DingTalk's attendance has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

HOURS_A_DAY = 8.0


class PunchResult(StrEnum):
    """What DingTalk made of one planned punch (`timeResult`)."""

    NORMAL = "Normal"
    EARLY = "Early"
    LATE = "Late"
    SERIOUS_LATE = "SeriousLate"
    ABSENT = "Absenteeism"
    MISSING = "NotSigned"


@dataclass(frozen=True, slots=True)
class Punch:
    """One planned punch. Times are epoch seconds, 0 where there is none; `excused` by an approval."""

    userid: str
    day: date
    on_duty: bool
    result: PunchResult
    planned: float = 0.0
    actual: float = 0.0
    excused: bool = False


class ApprovalKind(StrEnum):
    """What was approved for a part of a day."""

    LEAVE = "leave"
    TRIP = "trip"
    OVERTIME = "overtime"


@dataclass(frozen=True, slots=True)
class Approved:
    """Leave and trips in days, overtime in hours; `name` is the kind of leave."""

    userid: str
    day: date
    kind: ApprovalKind
    name: str
    amount: float


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the company's attendance report, by the name an administrator gave it."""

    id: str
    name: str

    @property
    def plain(self) -> str:
        """The name without its unit."""
        return re.sub(r"[（(].*?[）)]", "", self.name).strip()

    @property
    def unit(self) -> str:
        found = re.search(r"[（(](天|小时|分钟)[）)]", self.name)
        return found.group(1) if found else ""


def windows(first: date, last: date, most: int) -> list[tuple[date, date]]:
    """The days cut into pieces of `most` at the most, both ends included."""
    found = []
    while first <= last:
        end = min(first + timedelta(days=most - 1), last)
        found.append((first, end))
        first = end + timedelta(days=1)
    return found
