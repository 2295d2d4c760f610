"""A month of attendance added up: every kind of day, leave that covers punches, and what nobody is accused of."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from faqbot.attendance.approvals import approval_columns, approvals_of
from faqbot.attendance.month import ABSENT, EARLY, LATE, NO_CLOCK_IN, NO_CLOCK_OUT, SERIOUS_LATE, PersonMonth, summarise
from faqbot.attendance.month_names import days_of_month
from faqbot.model.attendance import ApprovalKind, Approved, Column, Punch, PunchResult, windows
from faqbot.model.org_chart import Employee

SHANGHAI = ZoneInfo("Asia/Shanghai")
LI, WANG = Employee("li", "小李", (3,)), Employee("wang", "小王", (4, 3))
DAY = date(2026, 10, 12)
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


def at(hour: int, minute: int = 0, day: date = DAY) -> float:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI).timestamp()


def shift(on: str = "Normal", off: str = "Normal", *, userid: str = "li", day: date = DAY) -> list[Punch]:
    came, left = (
        at(9, 12, day) if "Late" in on else at(8, 55, day),
        at(17, 30, day) if off == "Early" else at(18, 1, day),
    )
    return [
        Punch(userid, day, True, PunchResult(on), at(9, 0, day), 0.0 if on == "NotSigned" else came),
        Punch(userid, day, False, PunchResult(off), at(18, 0, day), 0.0 if off == "NotSigned" else left),
    ]


def off(days: float, kind: ApprovalKind = ApprovalKind.LEAVE, name: str = "年假") -> Approved:
    return Approved("li", DAY, kind, name, days)


def of_li(punches: list[Punch], *approved: Approved) -> PersonMonth:
    # Somebody else was there, so that the day was none off.
    report = summarise([LI, WANG], [*punches, *shift(userid="wang")], approved, FIRST, LAST)
    return report.persons[0]


@pytest.mark.parametrize(
    ("punches", "whats"),
    [
        (shift(), []),
        (shift("Late"), [LATE]),
        (shift("SeriousLate"), [SERIOUS_LATE]),
        (shift("Normal", "Early"), [EARLY]),
        (shift("Late", "Early"), [LATE, EARLY]),
        (shift("NotSigned"), [NO_CLOCK_IN]),
        (shift("Normal", "NotSigned"), [NO_CLOCK_OUT]),
        (shift("Late", "NotSigned"), [LATE, NO_CLOCK_OUT]),
        (shift("NotSigned", "NotSigned"), [ABSENT]),
        (shift("Absenteeism", "Normal"), [ABSENT]),
        ([], []),
    ],
)
def test_each_kind_of_day_is_counted_as_what_it_is(punches: list[Punch], whats: list[str]) -> None:
    assert [i.what for i in of_li(punches).incidents] == whats


@pytest.mark.parametrize(
    ("punches", "approved", "whats"),
    [
        (shift("NotSigned", "NotSigned"), [off(1)], []),
        (shift("NotSigned", "NotSigned"), [off(1, ApprovalKind.TRIP, "出差")], []),
        (shift("NotSigned", "NotSigned"), [off(0.5), off(0.5, name="事假")], []),
        (shift("NotSigned", "NotSigned"), [off(0.5)], [NO_CLOCK_OUT]),
        (shift("Normal", "NotSigned"), [off(0.5)], []),
        (shift("Late", "NotSigned"), [off(0.5)], [LATE]),
        (shift("Late", "Normal"), [off(1)], []),
        (shift("NotSigned", "NotSigned"), [off(2, ApprovalKind.OVERTIME)], [ABSENT]),
    ],
)
def test_leave_is_counted_as_leave_and_not_as_missing(
    punches: list[Punch], approved: list[Approved], whats: list[str]
) -> None:
    assert [i.what for i in of_li(punches, *approved).incidents] == whats


def test_leave_trips_and_overtime_are_added_up_by_name() -> None:
    month = of_li(
        [], off(1), off(0.5), off(0.5, name="事假"), off(1, ApprovalKind.TRIP), off(2.5, ApprovalKind.OVERTIME, "加班")
    )
    assert month.totals.leave == {"年假": 1.5, "事假": 0.5} and month.totals.leave_days == 2.0
    assert (month.totals.trip, month.totals.overtime) == (1.0, 2.5)


def test_a_missing_punch_with_an_approval_of_its_own_is_nobodys_fault() -> None:
    excused = [Punch("li", DAY, True, PunchResult.MISSING, at(9), excused=True), shift()[1]]
    assert of_li(excused).incidents == ()


def test_minutes_late_are_told_where_both_times_are_known() -> None:
    (late,) = of_li(shift("Late")).incidents
    assert late.minutes == 12 and of_li(shift("NotSigned")).incidents[0].minutes == 0


def test_a_day_on_which_nobody_came_is_taken_for_a_day_off_and_told_of() -> None:
    sunday = date(2026, 10, 11)
    nobody = [*shift("NotSigned", "NotSigned", day=sunday), *shift("NotSigned", "NotSigned", userid="wang", day=sunday)]
    report = summarise([LI, WANG], [*nobody, *shift()], [], FIRST, LAST)
    assert report.days_off == (sunday,) and report.totals.absent == 0 and report.totals.shifts == 1


def test_a_single_person_who_did_not_come_is_absent() -> None:
    report = summarise([LI], shift("NotSigned", "NotSigned"), [], FIRST, LAST)
    assert report.totals.absent == 1 and report.days_off == ()


def test_the_same_row_read_twice_counts_once() -> None:
    assert of_li([*shift("Late"), *shift("Late")]).totals.late == 1


def test_punches_of_other_months_do_not_count() -> None:
    assert of_li(shift("Late", day=date(2026, 11, 2))).totals.shifts == 0


def test_a_person_of_two_departments_counts_in_the_first_that_was_asked_for() -> None:
    report = summarise([LI, WANG], shift("Late", userid="wang"), [], FIRST, LAST, departments={3})
    assert report.by_department()[3].people == 2 and report.by_department()[3].late == 1
    assert set(summarise([LI, WANG], [], [], FIRST, LAST, departments={3, 4}).by_department()) == {3, 4}
    assert report.totals.people == 2


# -- the company's own columns ------------------------------------------------------------------------

COLUMNS = [
    Column(str(n), name)
    for n, name in enumerate(
        ["姓名", "出勤天数", "迟到次数", "出差时长(天)", "外出时长", "年假（天）", "事假(小时)", "调休", "假期",
         "加班次数", "加班-审批单统计", "加班总时长(小时)", "工作日加班"]
    )
]  # fmt: skip


def test_the_columns_of_leave_trips_and_overtime_are_known_by_their_names() -> None:
    found = {column.plain: kind for column, kind in approval_columns(COLUMNS).items()}
    assert found == {
        "年假": ApprovalKind.LEAVE, "事假": ApprovalKind.LEAVE, "调休": ApprovalKind.LEAVE,
        "出差时长": ApprovalKind.TRIP, "外出时长": ApprovalKind.TRIP, "加班总时长": ApprovalKind.OVERTIME,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "amounts", "kind", "expected"),
    [
        ("年假(天)", [0.5, 1], ApprovalKind.LEAVE, [0.5, 1]),
        ("事假(小时)", [4, 1], ApprovalKind.LEAVE, [0.5, 0.125]),
        ("调休", [1, 0.5], ApprovalKind.LEAVE, [1, 0.5]),
        ("调休", [1, 4], ApprovalKind.LEAVE, [0.125, 0.5]),
        ("加班总时长", [2], ApprovalKind.OVERTIME, [2]),
        ("加班(分钟)", [90], ApprovalKind.OVERTIME, [1.5]),
        ("加班(天)", [0.5], ApprovalKind.OVERTIME, [4]),
    ],
)
def test_amounts_are_days_of_leave_and_hours_of_overtime(
    name: str, amounts: list[float], kind: ApprovalKind, expected: list[float]
) -> None:
    values = [("li", "9", DAY, float(amount)) for amount in amounts]
    found = approvals_of({Column("9", name): kind}, values)
    assert [a.amount for a in found] == expected


# -- months -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "month", "last"), [(2026, 2, 28), (2028, 2, 29), (2026, 10, 31), (2026, 12, 31), (2026, 4, 30)]
)
def test_a_month_has_its_own_last_day(year: int, month: int, last: int) -> None:
    assert days_of_month(year, month) == (date(year, month, 1), date(year, month, last))


def test_a_month_is_cut_into_weeks_without_a_gap() -> None:
    found = windows(FIRST, LAST, 7)
    assert [(a.day, b.day) for a, b in found] == [(1, 7), (8, 14), (15, 21), (22, 28), (29, 31)]
