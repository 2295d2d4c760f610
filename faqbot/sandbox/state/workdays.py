"""Generates each person's working days from a seed; tests take them as ground truth."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

ShiftKind = Literal["normal", "late", "serious", "early", "no_on", "no_off", "absent", "leave", "half", "trip"]

_KINDS: tuple[ShiftKind, ...] = get_args(ShiftKind)
_WEIGHTS = (860, 45, 8, 15, 15, 15, 4, 20, 8, 10)
# By kind of leave: what one day is in its unit, days or hours.
LEAVE_UNITS = {"年假": 1.0, "病假": 1.0, "事假": 8.0, "调休": 8.0}


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift: `minutes` late or early, `leave` the kind of leave if any, `overtime` in hours."""

    kind: ShiftKind
    minutes: int = 0
    leave: str = ""
    overtime: float = 0.0

    @property
    def off(self) -> float:
        """The part of the day, 0 to 1, that was approved leave or a trip."""
        return {"leave": 1.0, "trip": 1.0, "half": 0.5}.get(self.kind, 0.0)


@dataclass(frozen=True, slots=True)
class PlannedPunch:
    """One planned punch and its result; `actual` is None if the person did not punch. Times are epoch seconds.

    `shown_at` is when DingTalk knows the result.
    """

    on_duty: bool
    planned: float
    actual: float | None
    result: str
    shown_at: float


@dataclass
class Workdays:
    """Working days are those of `calendar`, without `holidays`, and the `makeup` days.

    The userIds in `night` start at 22:00. `days` overrides generated shifts, by userId and day.
    """

    seed: int = 1
    calendar: Callable[[date], bool] = lambda day: day.weekday() < 5
    holidays: set[date] = field(default_factory=set)
    makeup: set[date] = field(default_factory=set)
    night: set[str] = field(default_factory=set)
    days: dict[tuple[str, date], Shift] = field(default_factory=dict)
    _generated: dict[tuple[str, date], Shift] = field(default_factory=dict, repr=False)

    def works(self, day: date) -> bool:
        return day in self.makeup or (day not in self.holidays and self.calendar(day))

    def day(self, userid: str, day: date) -> Shift | None:
        """Return the shift of a person; None on a day off."""
        if (userid, day) in self.days:
            return self.days[userid, day]
        if not self.works(day):
            return None
        if (userid, day) not in self._generated:
            self._generated[userid, day] = self._generate(userid, day)
        return self._generated[userid, day]

    def _generate(self, userid: str, day: date) -> Shift:
        chance = random.Random(f"{self.seed}|{userid}|{day}")
        kind = chance.choices(_KINDS, _WEIGHTS)[0]
        minutes = {"late": chance.randint(1, 30), "serious": chance.randint(31, 90), "early": chance.randint(5, 60)}
        leave = chance.choice(list(LEAVE_UNITS)) if kind in ("leave", "half") else ""
        overtime = chance.choice((1.5, 2.0, 3.0)) if kind == "normal" and chance.random() < 0.12 else 0.0
        return Shift(kind, minutes.get(kind, 0), leave, overtime)

    def checks(self, userid: str, day: date) -> Iterator[PlannedPunch]:
        """Return the planned punches of a shift with their results."""
        shift = self.day(userid, day)
        if shift is None:
            return
        begin = datetime.combine(day, time(22) if userid in self.night else time(9), SHANGHAI)
        end = begin + timedelta(hours=8 if userid in self.night else 9)
        jitter = zlib.crc32(f"{self.seed}|{userid}|{day}".encode()) % 10
        on_minutes = {"late": shift.minutes, "serious": shift.minutes}.get(shift.kind, -jitter)
        off_minutes = shift.overtime * 60 + jitter - (shift.minutes if shift.kind == "early" else 0)
        result_on = {"late": "Late", "serious": "SeriousLate"}.get(shift.kind, "Normal")
        result_off = "Early" if shift.kind == "early" else "Normal"
        absent = shift.kind in ("absent", "leave", "trip")
        no_on, no_off = absent or shift.kind == "no_on", absent or shift.kind in ("no_off", "half")
        # DingTalk reports a missing punch hours after it was due (platform notes, attendance).
        yield _check(True, begin, None if no_on else on_minutes, result_on, begin + timedelta(hours=4.5))
        yield _check(False, end, None if no_off else off_minutes, result_off, end + timedelta(hours=7.5))


def _check(on_duty: bool, planned: datetime, minutes: float | None, result: str, noticed: datetime) -> PlannedPunch:
    at = planned.timestamp()
    if minutes is None:
        return PlannedPunch(on_duty, at, None, "NotSigned", noticed.timestamp())
    actual = at + minutes * 60
    return PlannedPunch(on_duty, at, actual, result, actual)


def each_day(first: date, last: date) -> Iterator[date]:
    """Return the days from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
