"""What happened to each person on each day: made up from a seed, always the same, and told to tests as the truth."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

Kind = Literal["normal", "late", "serious", "early", "no_on", "no_off", "absent", "leave", "half", "trip"]

_KINDS: tuple[Kind, ...] = ("normal", "late", "serious", "early", "no_on", "no_off", "absent", "leave", "half", "trip")
_WEIGHTS = (860, 45, 8, 15, 15, 15, 4, 20, 8, 10)
# Leave is booked in the unit of its kind, a whole day being 1 or 8.
LEAVE_UNITS = {"年假": 1.0, "病假": 1.0, "事假": 8.0, "调休": 8.0}


@dataclass(frozen=True, slots=True)
class Day:
    """One shift: `minutes` late or early, `leave` its kind where there is one, `overtime` in hours."""

    kind: Kind
    minutes: int = 0
    leave: str = ""
    overtime: float = 0.0

    @property
    def off(self) -> float:
        """The part of the day that was approved leave or a trip."""
        return {"leave": 1.0, "trip": 1.0, "half": 0.5}.get(self.kind, 0.0)


@dataclass(frozen=True, slots=True)
class Check:
    """One planned punch; `actual` is None where there was none. Times are epoch seconds."""

    on_duty: bool
    planned: float
    actual: float | None
    result: str
    shown_at: float


@dataclass
class Workdays:
    """The days of `calendar` (Monday to Friday) but for `holidays`, and `makeup` days; those in `night` begin at 22:00.

    `days` overrides what was made up, by userId and day.
    """

    seed: int = 1
    calendar: Callable[[date], bool] = lambda day: day.weekday() < 5
    holidays: set[date] = field(default_factory=set)
    makeup: set[date] = field(default_factory=set)
    night: set[str] = field(default_factory=set)
    days: dict[tuple[str, date], Day] = field(default_factory=dict)
    _made_up: dict[tuple[str, date], Day] = field(default_factory=dict, repr=False)

    def works(self, day: date) -> bool:
        return day in self.makeup or (day not in self.holidays and self.calendar(day))

    def day(self, userid: str, day: date) -> Day | None:
        """What happened; None on a day off."""
        if (userid, day) in self.days:
            return self.days[userid, day]
        if not self.works(day):
            return None
        if (userid, day) not in self._made_up:
            self._made_up[userid, day] = self._make_up(userid, day)
        return self._made_up[userid, day]

    def _make_up(self, userid: str, day: date) -> Day:
        chance = random.Random(f"{self.seed}|{userid}|{day}")
        kind = chance.choices(_KINDS, _WEIGHTS)[0]
        minutes = {"late": chance.randint(1, 30), "serious": chance.randint(31, 90), "early": chance.randint(5, 60)}
        leave = chance.choice(list(LEAVE_UNITS)) if kind in ("leave", "half") else ""
        overtime = chance.choice((1.5, 2.0, 3.0)) if kind == "normal" and chance.random() < 0.12 else 0.0
        return Day(kind, minutes.get(kind, 0), leave, overtime)

    def checks(self, userid: str, day: date) -> Iterator[Check]:
        """The planned punches of a shift and what became of them."""
        happened = self.day(userid, day)
        if happened is None:
            return
        begin = datetime.combine(day, time(22) if userid in self.night else time(9), SHANGHAI)
        end = begin + timedelta(hours=8 if userid in self.night else 9)
        jitter = zlib.crc32(f"{self.seed}|{userid}|{day}".encode()) % 10
        came = {"late": happened.minutes, "serious": happened.minutes}.get(happened.kind, -jitter)
        left = happened.overtime * 60 + jitter - (happened.minutes if happened.kind == "early" else 0)
        result_on = {"late": "Late", "serious": "SeriousLate"}.get(happened.kind, "Normal")
        result_off = "Early" if happened.kind == "early" else "Normal"
        away = happened.kind in ("absent", "leave", "trip")
        no_on, no_off = away or happened.kind == "no_on", away or happened.kind in ("no_off", "half")
        # A missing punch is noticed long after the time it was due (platform notes, attendance).
        yield _check(True, begin, None if no_on else came, result_on, begin + timedelta(hours=4.5))
        yield _check(False, end, None if no_off else left, result_off, end + timedelta(hours=7.5))


def _check(on_duty: bool, planned: datetime, minutes: float | None, result: str, noticed: datetime) -> Check:
    at = planned.timestamp()
    if minutes is None:
        return Check(on_duty, at, None, "NotSigned", noticed.timestamp())
    actual = at + minutes * 60
    return Check(on_duty, at, actual, result, actual)


def each_day(first: date, last: date) -> Iterator[date]:
    """The days from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
