"""Punches, report columns and holiday balances over the server API; each call counts in the monthly quota.

Limits of each call: platform notes, attendance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from faqbot.dingtalk.api.client import OpenApi
from faqbot.model.attendance import ApprovalKind, Approved, Column, Punch, PunchResult, windows

PUNCHES = "/attendance/list"
DAY_OF_PERSON = "/topapi/attendance/getupdatedata"
COLUMNS = "/topapi/attendance/getattcolumns"
COLUMN_VALUES = "/topapi/attendance/getcolumnval"
LEAVE_TIMES = "/topapi/attendance/getleavetimebynames"
LEAVE_TYPES = "/topapi/attendance/vacation/type/list"
LEAVE_BALANCES = "/topapi/attendance/vacation/quota/list"

MOST_PEOPLE, MOST_DAYS, PAGE = 50, 7, 50
MOST_COLUMNS, MOST_COLUMN_DAYS = 20, 31
# "The last half year only".
KEPT_DAYS = 180
_WIRE = "%Y-%m-%d %H:%M:%S"
_HOURS_A_DAY = 8.0
_APPROVED = {
    "加班": ApprovalKind.OVERTIME,
    "出差": ApprovalKind.TRIP,
    "外出": ApprovalKind.TRIP,
    "请假": ApprovalKind.LEAVE,
}


@dataclass(frozen=True, slots=True)
class Query:
    """What one paged reading of punches covers: people and days, both ends included."""

    people: tuple[str, ...]
    first: date
    last: date


def queries(people: Sequence[str], first: date, last: date) -> list[Query]:
    """The fewest readings that cover these people and days."""
    groups = [tuple(people[at : at + MOST_PEOPLE]) for at in range(0, len(people), MOST_PEOPLE)]
    return [Query(group, *window) for window in windows(first, last, MOST_DAYS) for group in groups]


def pages(query: Query, shifts: int) -> int:
    """The calls of one reading where each person has two punches on each of `shifts` days."""
    return max(1, math.ceil(len(query.people) * shifts * 2 / PAGE))


async def punches(api: OpenApi, query: Query, timezone: tzinfo) -> tuple[Punch, ...]:
    """One reading, page by page. Raises DeliveryError and its children."""
    found: list[Punch] = []
    more = True
    while more:
        page, more = await punches_page(api, query, len(found), timezone)
        found += page
    return tuple(found)


async def punches_page(api: OpenApi, query: Query, offset: int, timezone: tzinfo) -> tuple[tuple[Punch, ...], bool]:
    """The punches of a reading from number `offset` on, and whether there are more. Raises DeliveryError, children."""
    body = {
        "workDateFrom": f"{query.first} 00:00:00",
        "workDateTo": f"{query.last} 00:00:00",
        "userIdList": list(query.people),
        "offset": offset,
        "limit": PAGE,
        "isI18n": False,
    }
    answer = await api.old(PUNCHES, body)
    rows = answer.get("recordresult") or ()
    return tuple(_punch(row, timezone) for row in rows), bool(rows and answer.get("hasMore"))


def _punch(row: Mapping[str, Any], timezone: tzinfo) -> Punch:
    result = _result(row.get("timeResult"))
    missing = result is PunchResult.MISSING
    return Punch(
        str(row["userId"]),
        datetime.fromtimestamp(int(row["workDate"]) / 1000, timezone).date(),
        row.get("checkType") == "OnDuty",
        result,
        int(row.get("baseCheckTime") or 0) / 1000,
        # Without a punch, this field repeats the planned time.
        0.0 if missing else int(row.get("userCheckTime") or 0) / 1000,
        missing and (row.get("sourceType") == "APPROVE" or bool(row.get("approveId"))),
    )


def _result(word: Any) -> PunchResult:
    """A word that is not known yet accuses nobody."""
    return PunchResult(word) if word in set(PunchResult) else PunchResult.NORMAL


async def day_of_person(
    api: OpenApi, userid: str, day: date, timezone: tzinfo
) -> tuple[tuple[Punch, ...], tuple[Approved, ...]]:
    """One person's shift and what was approved for it, in one call. Raises DeliveryError and its children."""
    answer = await api.old(DAY_OF_PERSON, {"userid": userid, "work_date": f"{day} 00:00:00"})
    result = answer.get("result") or {}
    found = [
        Punch(
            userid,
            day,
            row.get("check_type") == "OnDuty",
            _result(row.get("time_result")),
            _moment(row.get("plan_check_time"), timezone),
            _moment(row.get("user_check_time"), timezone),
        )
        for row in result.get("attendance_result_list") or ()
    ]
    approved = [a for row in result.get("approve_list") or () if (a := _approved(userid, day, row)) is not None]
    return tuple(found), tuple(approved)


def _approved(userid: str, day: date, row: Mapping[str, Any]) -> Approved | None:
    kind = _APPROVED.get(str(row.get("tag_name")))
    if kind is None:
        return None
    amount = _number(row.get("duration"))
    hours = amount * _HOURS_A_DAY if str(row.get("duration_unit", "")).lower() in ("day", "halfday") else amount
    name = str(row.get("sub_type") or row["tag_name"])
    return Approved(userid, day, kind, name, hours if kind is ApprovalKind.OVERTIME else hours / _HOURS_A_DAY)


async def columns(api: OpenApi) -> tuple[Column, ...]:
    """The columns of the company's own report. Raises DeliveryError and its children."""
    answer = await api.old(COLUMNS, {})
    found = (answer.get("result") or {}).get("columns") or ()
    # The other number a column carries, `expression_id`, is refused by the next call.
    return tuple(Column(str(c["id"]), str(c["name"])) for c in found if c.get("id") is not None and c.get("name"))


async def column_values(
    api: OpenApi, userid: str, column_ids: Sequence[str], first: date, last: date
) -> tuple[tuple[str, date, float], ...]:
    """Column id, day and number, for one person and a month at most. Raises DeliveryError and its children."""
    body = {"userid": userid, "column_id_list": ",".join(column_ids), **_span(first, last)}
    answer = await api.old(COLUMN_VALUES, body)
    found = (answer.get("result") or {}).get("column_vals") or ()
    return tuple(
        (str(column["column_vo"]["id"]), *value) for column in found for value in _days(column.get("column_vals"))
    )


async def leave_times(
    api: OpenApi, userid: str, names: Sequence[str], first: date, last: date
) -> tuple[tuple[str, date, float], ...]:
    """Kind of leave, day and number, for one person and a month at most. Raises DeliveryError and its children."""
    body = {"userid": userid, "leave_names": ",".join(names), **_span(first, last)}
    answer = await api.old(LEAVE_TIMES, body)
    found = (answer.get("result") or {}).get("columns") or ()
    return tuple(
        (str(column["columnvo"]["name"]), *value) for column in found for value in _days(column.get("columnvals"))
    )


@dataclass(frozen=True, slots=True)
class LeaveType:
    """A kind of leave with a balance; `unit` is 天 or 小时."""

    code: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What one person has of a kind of leave, in its unit."""

    granted: float
    used: float

    @property
    def left(self) -> float:
        return self.granted - self.used


async def leave_types(api: OpenApi, operator: str) -> tuple[LeaveType, ...]:
    """The company's kinds of leave; `operator` is an administrator of attendance.

    Raises DeliveryError and its children.
    """
    answer = await api.old(LEAVE_TYPES, {"op_userid": operator, "vacation_source": "all"})
    return tuple(
        LeaveType(str(t["leave_code"]), str(t["leave_name"]), "小时" if t.get("leave_view_unit") == "hour" else "天")
        for t in answer.get("result") or ()
    )


async def balance(api: OpenApi, operator: str, leave: LeaveType, userid: str, at: float) -> Balance | None:
    """What a person has of a kind of leave that is valid at `at` (epoch seconds); None if no balance is kept.

    Raises DeliveryError and its children.
    """
    body = {"leave_code": leave.code, "op_userid": operator, "userids": userid, "offset": 0, "size": PAGE}
    answer = await api.old(LEAVE_BALANCES, body)
    unit = "hour" if leave.unit == "小时" else "day"
    quotas = [
        q
        for q in (answer.get("result") or {}).get("leave_quotas") or ()
        if int(q.get("start_time") or 0) / 1000 <= at < int(q.get("end_time") or 10**14) / 1000 + 86400
    ]
    if not quotas:
        return None
    # In hundredths.
    granted = sum(_number(q.get(f"quota_num_per_{unit}")) for q in quotas) / 100
    used = sum(_number(q.get(f"used_num_per_{unit}")) for q in quotas) / 100
    return Balance(granted, used)


def oldest_day(today: date) -> date:
    """The first day DingTalk still tells punches of."""
    return today - timedelta(days=KEPT_DAYS)


def _span(first: date, last: date) -> dict[str, str]:
    return {"from_date": f"{first} 00:00:00", "to_date": f"{last} 00:00:00"}


def _days(values: Iterable[Mapping[str, Any]] | None) -> Iterable[tuple[date, float]]:
    for value in values or ():
        amount = _number(value.get("value"))
        if amount:
            yield date.fromisoformat(str(value["date"])[:10]), amount


def _moment(text: Any, timezone: tzinfo) -> float:
    try:
        return datetime.strptime(str(text), _WIRE).replace(tzinfo=timezone).timestamp()
    except ValueError:
        return 0.0


def _number(value: Any) -> float:
    """Numbers come as text; an empty one is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
