"""The attendance API through the real client: paging, limits, night shifts, columns and balances."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from faqbot.dingtalk.api import attendance
from faqbot.dingtalk.api.attendance import LeaveType, PunchQuery
from faqbot.errors import DeliveryError, NeedsAdmin
from faqbot.model.attendance import ApprovalKind, PunchResult
from faqbot.sandbox.state.workdays import SHANGHAI, Shift
from tests.company import Company

MONDAY = date(2026, 10, 12)
NOW = datetime(2026, 10, 31, 9, 40, tzinfo=SHANGHAI).timestamp()


@pytest.fixture(autouse=True)
def clock(company: Company) -> None:
    company.ding.attendance.now = lambda: NOW


def happens(company: Company, userid: str, day: date, what: Shift) -> None:
    company.ding.attendance.workdays.days[userid, day] = what


def week(*people: str) -> PunchQuery:
    return PunchQuery(people, MONDAY, MONDAY + timedelta(days=6))


# -- punches ------------------------------------------------------------------------------------------


async def test_a_week_of_fifty_people_is_read_in_ten_pages(company: Company) -> None:
    people = [company.ding.contacts.hire(f"员工{n}").userid for n in range(50)]
    found = await attendance.punches(company.api, week(*people), SHANGHAI)
    assert len(found) == 500 == len({(p.userid, p.day, p.on_duty) for p in found})
    assert company.calls(attendance.PUNCHES) == 10 == attendance.count_pages(week(*people), 5)


async def test_a_punch_that_is_missing_has_no_time(company: Company) -> None:
    happens(company, "li", MONDAY, Shift("no_off"))
    on, off = (p for p in await attendance.punches(company.api, week("li"), SHANGHAI) if p.day == MONDAY)
    assert (on.on_duty, on.result, on.actual > 0) == (True, PunchResult.NORMAL, True)
    assert (off.on_duty, off.result, off.actual, off.planned > 0) == (False, PunchResult.MISSING, 0.0, True)


async def test_a_shift_that_ends_next_morning_belongs_to_the_day_it_began(company: Company) -> None:
    company.ding.attendance.workdays.night.add("li")
    happens(company, "li", MONDAY, Shift("early", minutes=30))
    off = next(p for p in await attendance.punches(company.api, week("li"), SHANGHAI) if p.result is PunchResult.EARLY)
    assert off.day == MONDAY and datetime.fromtimestamp(off.actual, SHANGHAI).date() == MONDAY + timedelta(days=1)


def test_the_readings_of_a_month_are_as_few_as_can_be() -> None:
    people = [str(n) for n in range(230)]
    found = attendance.split_into_queries(people, date(2026, 10, 1), date(2026, 10, 31))
    assert len(found) == 25 and {len(q.people) for q in found} == {50, 30}
    assert max((q.last - q.first).days + 1 for q in found) == 7


@pytest.mark.parametrize(
    "query",
    [
        PunchQuery(tuple(map(str, range(51))), MONDAY, MONDAY),
        PunchQuery(("li",), MONDAY, MONDAY + timedelta(days=7)),
        PunchQuery(("li",), date(2026, 4, 1), date(2026, 4, 2)),
    ],
)
async def test_the_stand_in_refuses_what_dingtalk_refuses(company: Company, query: PunchQuery) -> None:
    with pytest.raises(DeliveryError) as caught:
        await attendance.punches(company.api, query, SHANGHAI)
    assert (caught.value.code, caught.value.permanent) == ("40035", True)


async def test_a_missing_permission_is_named(company: Company) -> None:
    company.ding.oapi.granted.discard("qyapi_get_attendance_data")
    with pytest.raises(NeedsAdmin, match="qyapi_get_attendance_data"):
        await attendance.punches(company.api, week("li"), SHANGHAI)


# -- one person's day -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (Shift("leave", leave="年假"), (ApprovalKind.LEAVE, "年假", 1.0)),
        (Shift("half", leave="事假"), (ApprovalKind.LEAVE, "事假", 0.5)),
        (Shift("trip"), (ApprovalKind.TRIP, "出差", 1.0)),
        (Shift("normal", overtime=2.0), (ApprovalKind.OVERTIME, "加班", 2.0)),
    ],
)
async def test_one_call_tells_a_persons_day_and_what_was_approved(
    company: Company, what: Shift, expected: tuple[Any, ...]
) -> None:
    happens(company, "li", MONDAY, what)
    punches, (approved,) = await attendance.day_of_person(company.api, "li", MONDAY, SHANGHAI)
    assert len(punches) == 2 and punches[0].planned == datetime(2026, 10, 12, 9, tzinfo=SHANGHAI).timestamp()
    assert (approved.kind, approved.name, approved.amount) == expected


async def test_a_punch_is_not_missed_before_it_is_due(company: Company) -> None:
    company.ding.attendance.now = lambda: datetime(2026, 10, 12, 12, tzinfo=SHANGHAI).timestamp()
    happens(company, "li", MONDAY, Shift("absent"))
    assert await attendance.day_of_person(company.api, "li", MONDAY, SHANGHAI) == ((), ())


# -- columns and balances ---------------------------------------------------------------------------------


async def test_column_values_are_numbers_by_day(company: Company) -> None:
    happens(company, "li", MONDAY, Shift("half", leave="事假"))
    columns = {c.name: c.id for c in await attendance.columns(company.api)}
    found = await attendance.column_values(company.api, "li", [columns["事假(小时)"]], MONDAY, MONDAY)
    assert found == ((columns["事假(小时)"], MONDAY, 4.0),)
    assert await attendance.leave_times(company.api, "li", ["事假", "年假"], MONDAY, MONDAY) == (("事假", MONDAY, 4.0),)


@pytest.mark.parametrize(
    ("columns", "days", "code"), [(["8020"] * 21, 1, "40035"), (["8020"], 32, "40035"), (["8520"], 1, "850015")]
)
async def test_too_many_columns_or_days_are_refused(company: Company, columns: list[str], days: int, code: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        await attendance.column_values(company.api, "li", columns, MONDAY, MONDAY + timedelta(days=days - 1))
    assert caught.value.code == code


async def test_a_balance_is_told_in_days_and_only_to_an_administrator(company: Company) -> None:
    company.ding.attendance.admins.add("zhou")
    company.ding.attendance.balances["li"] = (10.0, 3.5)
    annual = next(t for t in await attendance.leave_types(company.api, "zhou") if t.name == "年假")
    found = await attendance.balance(company.api, "zhou", annual, "li", NOW)
    assert found is not None and (found.granted, found.used, found.left) == (10.0, 3.5, 6.5)
    assert await attendance.balance(company.api, "zhou", annual, "wang", NOW) is None
    assert await attendance.balance(company.api, "zhou", annual, "li", NOW + 86400 * 365) is None
    with pytest.raises(DeliveryError):
        await attendance.balance(company.api, "li", LeaveType("code-0", "年假", "天"), "li", NOW)
