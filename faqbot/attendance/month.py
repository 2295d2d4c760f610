"""A month of attendance added up: punches and approvals in, what happened to each person out. Pure.

A day is the day of the shift, also where the shift ends on the next one.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from faqbot.model.attendance import HOURS_A_DAY, ApprovalKind, Approved, Column, Punch, PunchResult
from faqbot.model.org_chart import Employee

# So near to a whole day that rounding made the difference.
_WHOLE = 0.99


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing to look at. Times as in Punch."""

    day: date
    what: str
    planned: float = 0.0
    actual: float = 0.0

    @property
    def minutes(self) -> int:
        """How late or early, where both times are known."""
        return int(abs(self.actual - self.planned) // 60) if self.actual and self.planned else 0


LATE, SERIOUS_LATE, EARLY, NO_ON, NO_OFF, ABSENT = "迟到", "严重迟到", "早退", "上班缺卡", "下班缺卡", "旷工"
_WHAT = {
    PunchResult.LATE: LATE,
    PunchResult.SERIOUS_LATE: SERIOUS_LATE,
    PunchResult.EARLY: EARLY,
    PunchResult.ABSENT: ABSENT,
}


@dataclass(frozen=True, slots=True)
class Totals:
    """Times, days and hours of one person or of several together."""

    people: int = 0
    shifts: int = 0
    present: int = 0
    late: int = 0
    serious_late: int = 0
    early: int = 0
    missing: int = 0
    absent: int = 0
    leave: Mapping[str, float] = field(default_factory=dict)
    trip: float = 0.0
    overtime: float = 0.0

    @property
    def leave_days(self) -> float:
        return sum(self.leave.values())

    def __add__(self, other: Totals) -> Totals:
        leave = dict(self.leave)
        for name, days in other.leave.items():
            leave[name] = leave.get(name, 0.0) + days
        return Totals(
            self.people + other.people,
            self.shifts + other.shifts,
            self.present + other.present,
            self.late + other.late,
            self.serious_late + other.serious_late,
            self.early + other.early,
            self.missing + other.missing,
            self.absent + other.absent,
            leave,
            self.trip + other.trip,
            self.overtime + other.overtime,
        )


@dataclass(frozen=True, slots=True)
class PersonMonth:
    """One person's month."""

    person: Employee
    department: int
    totals: Totals
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthReport:
    """Everybody's days from `first` to `last`, both included.

    `days_off` are days on which nobody punched although punches were planned: taken for days off and not counted.
    Where approvals are not known, a day without a punch may be leave.
    """

    first: date
    last: date
    persons: tuple[PersonMonth, ...]
    days_off: tuple[date, ...] = ()
    approvals_known: bool = True

    @property
    def totals(self) -> Totals:
        return sum((p.totals for p in self.persons), Totals())

    def by_department(self) -> Mapping[int, Totals]:
        """Totals of the people who stand in each department, those below it not."""
        found: dict[int, Totals] = {}
        for p in self.persons:
            found[p.department] = found.get(p.department, Totals()) + p.totals
        return found


def summarise(
    people: Sequence[Employee],
    punches: Iterable[Punch],
    approved: Iterable[Approved],
    first: date,
    last: date,
    *,
    departments: Collection[int] = (),
    approvals_known: bool = True,
) -> MonthReport:
    """Add up a month. A person of several departments counts in the first of them that is among `departments`."""
    days: dict[str, dict[date, dict[tuple[bool, float], Punch]]] = defaultdict(lambda: defaultdict(dict))
    for punch in punches:
        if first <= punch.day <= last:
            days[punch.userid][punch.day][punch.on_duty, punch.planned] = punch
    approvals: dict[str, list[Approved]] = defaultdict(list)
    for approval in approved:
        if first <= approval.day <= last:
            approvals[approval.userid].append(approval)
    off = _nobody_came(days)
    persons = []
    for person in people:
        shifts = {day: list(found.values()) for day, found in days[person.userid].items() if day not in off}
        totals, incidents = _month(shifts, approvals[person.userid])
        home = next((d for d in person.departments if d in departments), None)
        department = home if home is not None else next(iter(person.departments), 0)
        persons.append(PersonMonth(person, department, totals, incidents))
    return MonthReport(first, last, tuple(persons), tuple(sorted(off)), approvals_known)


def _nobody_came(days: Mapping[str, Mapping[date, Mapping[tuple[bool, float], Punch]]]) -> set[date]:
    """Days planned for two people or more on which not one of them punched."""
    planned: Counter[date] = Counter()
    came: set[date] = set()
    for found in days.values():
        for day, punches in found.items():
            planned[day] += 1
            if any(p.result != PunchResult.MISSING or p.excused for p in punches.values()):
                came.add(day)
    return {day for day, number in planned.items() if number > 1 and day not in came}


def _month(
    shifts: Mapping[date, Sequence[Punch]], approvals: Sequence[Approved]
) -> tuple[Totals, tuple[Incident, ...]]:
    away: dict[date, float] = defaultdict(float)
    leave: dict[str, float] = defaultdict(float)
    trip = overtime = 0.0
    for approval in approvals:
        match approval.kind:
            case ApprovalKind.OVERTIME:
                overtime += approval.amount
            case ApprovalKind.LEAVE:
                leave[approval.name] += approval.amount
                away[approval.day] += approval.amount
            case ApprovalKind.TRIP:
                trip += approval.amount
                away[approval.day] += approval.amount
    incidents: list[Incident] = []
    present = 0
    for day in sorted(shifts):
        incidents += _shift(day, shifts[day], min(1.0, away[day]))
        present += any(p.result not in (PunchResult.MISSING, PunchResult.ABSENT) and not p.excused for p in shifts[day])
    count = Counter(incident.what for incident in incidents)
    totals = Totals(
        people=1,
        shifts=len(shifts),
        present=present,
        late=count[LATE],
        serious_late=count[SERIOUS_LATE],
        early=count[EARLY],
        missing=count[NO_ON] + count[NO_OFF],
        absent=count[ABSENT],
        leave=dict(leave),
        trip=trip,
        overtime=overtime,
    )
    return totals, tuple(incidents)


def _shift(day: date, punches: Sequence[Punch], away: float) -> list[Incident]:
    """What is to be looked at in one shift of which the part `away` (0–1) was approved as leave or a trip."""
    if away >= _WHOLE:
        return []
    punches = sorted((p for p in punches if not p.excused), key=lambda p: (p.planned, not p.on_duty))
    missing = [p for p in punches if p.result == PunchResult.MISSING]
    if any(p.result == PunchResult.ABSENT for p in punches) or (missing and len(missing) == len(punches) and not away):
        return [Incident(day, ABSENT, punches[0].planned)]
    # Half a day of leave covers half of the punches.
    missing = missing[math.ceil(len(punches) * away) :]
    found = [Incident(day, _WHAT[p.result], p.planned, p.actual) for p in punches if p.result in _WHAT]
    found += [Incident(day, NO_ON if p.on_duty else NO_OFF, p.planned) for p in missing]
    return sorted(found, key=lambda incident: incident.planned)


# -- the columns of the company's own attendance report ------------------------------------------------


def useful_columns(columns: Iterable[Column]) -> Mapping[Column, ApprovalKind]:
    """The columns that tell of leave, trips and overtime; of several for overtime the one that has the total."""
    found: dict[Column, ApprovalKind] = {}
    overtime: list[Column] = []
    for column in columns:
        name = column.plain
        if "加班" in name:
            if "次数" not in name:
                overtime.append(column)
        elif name.endswith("假") or name == "调休":
            found[column] = ApprovalKind.LEAVE
        elif re.fullmatch(r"(?:出差|外出)(?:时长|总时长)?", name):
            found[column] = ApprovalKind.TRIP
    total = [column for column in overtime if "总" in column.name]
    return found | dict.fromkeys(total[:1] or overtime[:1], ApprovalKind.OVERTIME)


def approvals_of(
    columns: Mapping[Column, ApprovalKind], values: Iterable[tuple[str, str, date, float]]
) -> tuple[Approved, ...]:
    """`values` are userId, column id, day and the number in it; those of all people together.

    Where a name tells no unit, a day on which somebody has more than one unit shows that it counts hours.
    """
    by_id = {column.id: column for column in columns}
    given = [value for value in values if value[3] > 0 and value[1] in by_id]
    highest: dict[str, float] = defaultdict(float)
    for _, column_id, _, amount in given:
        highest[column_id] = max(highest[column_id], amount)
    found = []
    for userid, column_id, day, amount in given:
        column = by_id[column_id]
        kind = columns[column]
        unit = column.unit or ("小时" if kind is ApprovalKind.OVERTIME or highest[column_id] > 1 else "天")
        hours = {"天": amount * HOURS_A_DAY, "小时": amount, "分钟": amount / 60}[unit]
        found.append(
            Approved(userid, day, kind, column.plain, hours if kind is ApprovalKind.OVERTIME else hours / HOURS_A_DAY)
        )
    return tuple(found)


# -- months and calls -----------------------------------------------------------------------------------


def month_days(year: int, month: int) -> tuple[date, date]:
    """The first and the last day of a month."""
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    return first, following - timedelta(days=1)


def read_month(text: str, today: date) -> tuple[int, int] | None:
    """`last`, `this`, 上月, 本月, 2026-10, 2026年10月 or 10月 (the latest one) → year and month; None if it is none."""
    words = re.sub(r"\s", "", text)
    if words in ("last", "上月", "上个月"):
        before = today.replace(day=1) - timedelta(days=1)
        return before.year, before.month
    if words in ("this", "本月", "这个月", "当月"):
        return today.year, today.month
    found = re.fullmatch(r"(?:(\d{4})[-年/.])?(\d{1,2})月?份?", words)
    if not found or not 1 <= int(found[2]) <= 12:
        return None
    month = int(found[2])
    return int(found[1]) if found[1] else today.year - (month > today.month), month
