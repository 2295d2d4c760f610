"""Computes each person's monthly totals and incidents from punches and approvals. Pure.

A shift belongs to the day on which it begins, also where it ends on the next one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from faqbot.model.attendance import ApprovalKind, Approved, Punch, PunchResult
from faqbot.model.org_chart import Employee

# Approved absence from this part of a day on is a whole day; the rest is rounding.
_WHOLE_DAY = 0.99


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing to check about a shift; `planned` and `actual` are epoch seconds, 0 where not known."""

    day: date
    what: str
    planned: float = 0.0
    actual: float = 0.0

    @property
    def minutes(self) -> int:
        """Minutes late or early, 0 where a time is not known."""
        return int(abs(self.actual - self.planned) // 60) if self.actual and self.planned else 0


LATE = "迟到"
SERIOUS_LATE = "严重迟到"
EARLY = "早退"
NO_CLOCK_IN = "上班缺卡"
NO_CLOCK_OUT = "下班缺卡"
ABSENT = "旷工"
_INCIDENTS = {
    PunchResult.LATE: LATE,
    PunchResult.SERIOUS_LATE: SERIOUS_LATE,
    PunchResult.EARLY: EARLY,
    PunchResult.ABSENT: ABSENT,
}
# The punches of one person by day.
_Shifts = Mapping[date, Sequence[Punch]]


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts, days of leave and trips, and hours of overtime, of one person or of several together."""

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
    """The totals and incidents of one person, who counts in `department`."""

    person: Employee
    department: int
    totals: Totals
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthReport:
    """The months of all persons from `first` to `last`, both included.

    `days_off` are days on which nobody punched although shifts were planned: they are taken for days off and not
    counted. If approvals are not known, a day without a punch may be leave.
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
        """Return the totals of the people directly in each department, without the departments below it."""
        totals: dict[int, Totals] = {}
        for p in self.persons:
            totals[p.department] = totals.get(p.department, Totals()) + p.totals
        return totals


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
    """Add up a month. A person of several departments counts in the first one that is among `departments`."""
    shifts = _group_punches(punch for punch in punches if first <= punch.day <= last)
    approvals: dict[str, list[Approved]] = defaultdict(list)
    for approval in approved:
        if first <= approval.day <= last:
            approvals[approval.userid].append(approval)
    days_off = _days_off(shifts)
    persons = []
    for person in people:
        worked = {day: punches for day, punches in shifts.get(person.userid, {}).items() if day not in days_off}
        totals, incidents = _person_totals(worked, approvals[person.userid])
        home = next((d for d in person.departments if d in departments), None)
        department = home if home is not None else next(iter(person.departments), 0)
        persons.append(PersonMonth(person, department, totals, incidents))
    return MonthReport(first, last, tuple(persons), tuple(sorted(days_off)), approvals_known)


def _group_punches(punches: Iterable[Punch]) -> Mapping[str, _Shifts]:
    """Group punches by userId and day; of several for one planned time the last one counts."""
    by_time: dict[str, dict[date, dict[tuple[bool, float], Punch]]] = defaultdict(lambda: defaultdict(dict))
    for punch in punches:
        by_time[punch.userid][punch.day][punch.on_duty, punch.planned] = punch
    return {userid: {day: list(d.values()) for day, d in days.items()} for userid, days in by_time.items()}


def _days_off(shifts: Mapping[str, _Shifts]) -> set[date]:
    """Return the days planned for two people or more on which not one of them punched."""
    planned: Counter[date] = Counter()
    attended: set[date] = set()
    for shifts_of_person in shifts.values():
        for day, punches in shifts_of_person.items():
            planned[day] += 1
            if any(p.result != PunchResult.MISSING or p.excused for p in punches):
                attended.add(day)
    return {day for day, people in planned.items() if people > 1 and day not in attended}


def _person_totals(shifts: _Shifts, approvals: Sequence[Approved]) -> tuple[Totals, tuple[Incident, ...]]:
    absent_part: dict[date, float] = defaultdict(float)
    leave: dict[str, float] = defaultdict(float)
    trip = overtime = 0.0
    for approval in approvals:
        match approval.kind:
            case ApprovalKind.OVERTIME:
                overtime += approval.amount
            case ApprovalKind.LEAVE:
                leave[approval.name] += approval.amount
                absent_part[approval.day] += approval.amount
            case ApprovalKind.TRIP:
                trip += approval.amount
                absent_part[approval.day] += approval.amount
    incidents: list[Incident] = []
    present = 0
    for day in sorted(shifts):
        incidents += _shift_incidents(day, shifts[day], min(1.0, absent_part[day]))
        present += any(p.result not in (PunchResult.MISSING, PunchResult.ABSENT) and not p.excused for p in shifts[day])
    count = Counter(incident.what for incident in incidents)
    totals = Totals(
        people=1,
        shifts=len(shifts),
        present=present,
        late=count[LATE],
        serious_late=count[SERIOUS_LATE],
        early=count[EARLY],
        missing=count[NO_CLOCK_IN] + count[NO_CLOCK_OUT],
        absent=count[ABSENT],
        leave=dict(leave),
        trip=trip,
        overtime=overtime,
    )
    return totals, tuple(incidents)


def _shift_incidents(day: date, punches: Sequence[Punch], approved: float) -> list[Incident]:
    """Return the incidents of a shift of which the part `approved` (0 to 1) is leave or a trip."""
    if approved >= _WHOLE_DAY:
        return []
    punches = sorted((p for p in punches if not p.excused), key=lambda p: (p.planned, not p.on_duty))
    missing = [p for p in punches if p.result == PunchResult.MISSING]
    if any(p.result == PunchResult.ABSENT for p in punches) or (
        missing and len(missing) == len(punches) and not approved
    ):
        return [Incident(day, ABSENT, punches[0].planned)]
    # Half a day of leave covers half of the punches.
    missing = missing[math.ceil(len(punches) * approved) :]
    incidents = [Incident(day, _INCIDENTS[p.result], p.planned, p.actual) for p in punches if p.result in _INCIDENTS]
    incidents += [Incident(day, NO_CLOCK_IN if p.on_duty else NO_CLOCK_OUT, p.planned) for p in missing]
    return sorted(incidents, key=lambda incident: incident.planned)


# -- the columns of the company's own attendance report ------------------------------------------------


# -- months and calls -----------------------------------------------------------------------------------
