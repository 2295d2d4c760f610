"""Read punches, report columns and leave balances over the server API. Each call counts in the monthly quota.

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

MAX_PEOPLE, MAX_DAYS, PAGE_SIZE = 50, 7, 50
MAX_COLUMNS, MAX_COLUMN_DAYS = 20, 31
# DingTalk keeps punches for half a year.
HISTORY_DAYS = 180
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
_HOURS_A_DAY = 8.0
_APPROVED = {
    "加班": ApprovalKind.OVERTIME,
    "出差": ApprovalKind.TRIP,
    "外出": ApprovalKind.TRIP,
    "请假": ApprovalKind.LEAVE,
}


@dataclass(frozen=True, slots=True)
class PunchQuery:
    """The people and days, first and last included, of one paged query of punches."""

    people: tuple[str, ...]
    first: date
    last: date


def split_into_queries(people: Sequence[str], first: date, last: date) -> list[PunchQuery]:
    """Return the fewest queries that cover these people and days."""
    groups = [tuple(people[start : start + MAX_PEOPLE]) for start in range(0, len(people), MAX_PEOPLE)]
    return [PunchQuery(group, *window) for window in windows(first, last, MAX_DAYS) for group in groups]


def count_pages(query: PunchQuery, shifts: int) -> int:
    """Estimate the calls of one query, with two punches for each person on each of `shifts` days."""
    return max(1, math.ceil(len(query.people) * shifts * 2 / PAGE_SIZE))


async def punches(api: OpenApi, query: PunchQuery, timezone: tzinfo) -> tuple[Punch, ...]:
    """Run one query, page by page. Raises DeliveryError and its children."""
    punches: list[Punch] = []
    has_more = True
    while has_more:
        page, has_more = await punches_page(api, query, len(punches), timezone)
        punches += page
    return tuple(punches)


async def punches_page(
    api: OpenApi, query: PunchQuery, offset: int, timezone: tzinfo
) -> tuple[tuple[Punch, ...], bool]:
    """Return the punches of a query from number `offset` on, and True if there are more.

    Raises DeliveryError and its children.
    """
    body = {
        "workDateFrom": f"{query.first} 00:00:00",
        "workDateTo": f"{query.last} 00:00:00",
        "userIdList": list(query.people),
        "offset": offset,
        "limit": PAGE_SIZE,
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
    """Read the result of a punch; a word that is not known yet counts as normal, so that it accuses nobody."""
    return PunchResult(word) if word in set(PunchResult) else PunchResult.NORMAL


async def day_of_person(
    api: OpenApi, userid: str, day: date, timezone: tzinfo
) -> tuple[tuple[Punch, ...], tuple[Approved, ...]]:
    """Return the punches of one person's shift and the approvals for it, in one call.

    Raises DeliveryError and its children.
    """
    answer = await api.old(DAY_OF_PERSON, {"userid": userid, "work_date": f"{day} 00:00:00"})
    result = answer.get("result") or {}
    punches = [
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
    return tuple(punches), tuple(approved)


def _approved(userid: str, day: date, row: Mapping[str, Any]) -> Approved | None:
    kind = _APPROVED.get(str(row.get("tag_name")))
    if kind is None:
        return None
    amount = _number(row.get("duration"))
    hours = amount * _HOURS_A_DAY if str(row.get("duration_unit", "")).lower() in ("day", "halfday") else amount
    name = str(row.get("sub_type") or row["tag_name"])
    return Approved(userid, day, kind, name, hours if kind is ApprovalKind.OVERTIME else hours / _HOURS_A_DAY)


async def columns(api: OpenApi) -> tuple[Column, ...]:
    """Return the columns of the company's own report. Raises DeliveryError and its children."""
    answer = await api.old(COLUMNS, {})
    rows = (answer.get("result") or {}).get("columns") or ()
    # The other number a column carries, `expression_id`, is refused by the next call.
    return tuple(Column(str(c["id"]), str(c["name"])) for c in rows if c.get("id") is not None and c.get("name"))


async def column_values(
    api: OpenApi, userid: str, column_ids: Sequence[str], first: date, last: date
) -> tuple[tuple[str, date, float], ...]:
    """Return column id, day and value for one person and at most one month. Raises DeliveryError and its children."""
    body = {"userid": userid, "column_id_list": ",".join(column_ids), **_span(first, last)}
    answer = await api.old(COLUMN_VALUES, body)
    rows = (answer.get("result") or {}).get("column_vals") or ()
    return tuple(
        (str(column["column_vo"]["id"]), *value) for column in rows for value in _days(column.get("column_vals"))
    )


async def leave_times(
    api: OpenApi, userid: str, names: Sequence[str], first: date, last: date
) -> tuple[tuple[str, date, float], ...]:
    """Return kind of leave, day and value for one person and at most one month. Raises DeliveryError, its children."""
    body = {"userid": userid, "leave_names": ",".join(names), **_span(first, last)}
    answer = await api.old(LEAVE_TIMES, body)
    rows = (answer.get("result") or {}).get("columns") or ()
    return tuple(
        (str(column["columnvo"]["name"]), *value) for column in rows for value in _days(column.get("columnvals"))
    )


@dataclass(frozen=True, slots=True)
class LeaveType:
    """A kind of leave with a balance; `unit` is 天 or 小时."""

    code: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of one person in a kind of leave, in its unit."""

    granted: float
    used: float

    @property
    def left(self) -> float:
        return self.granted - self.used


async def leave_types(api: OpenApi, operator: str) -> tuple[LeaveType, ...]:
    """Return the company's kinds of leave; `operator` is the userId of an attendance administrator.

    Raises DeliveryError and its children.
    """
    answer = await api.old(LEAVE_TYPES, {"op_userid": operator, "vacation_source": "all"})
    return tuple(
        LeaveType(str(t["leave_code"]), str(t["leave_name"]), "小时" if t.get("leave_view_unit") == "hour" else "天")
        for t in answer.get("result") or ()
    )


async def balance(api: OpenApi, operator: str, leave: LeaveType, userid: str, now: float) -> Balance | None:
    """Return a person's balance that is valid at `now` (epoch seconds); None if DingTalk keeps none.

    Raises DeliveryError and its children.
    """
    body = {"leave_code": leave.code, "op_userid": operator, "userids": userid, "offset": 0, "size": PAGE_SIZE}
    answer = await api.old(LEAVE_BALANCES, body)
    unit = "hour" if leave.unit == "小时" else "day"
    quotas = [
        q
        for q in (answer.get("result") or {}).get("leave_quotas") or ()
        if int(q.get("start_time") or 0) / 1000 <= now < int(q.get("end_time") or 10**14) / 1000 + 86400
    ]
    if not quotas:
        return None
    # DingTalk counts in hundredths of the unit.
    granted = sum(_number(q.get(f"quota_num_per_{unit}")) for q in quotas) / 100
    used = sum(_number(q.get(f"used_num_per_{unit}")) for q in quotas) / 100
    return Balance(granted, used)


def oldest_day(today: date) -> date:
    """Return the first day of which DingTalk still has punches."""
    return today - timedelta(days=HISTORY_DAYS)


def _span(first: date, last: date) -> dict[str, str]:
    return {"from_date": f"{first} 00:00:00", "to_date": f"{last} 00:00:00"}


def _days(values: Iterable[Mapping[str, Any]] | None) -> Iterable[tuple[date, float]]:
    for value in values or ():
        amount = _number(value.get("value"))
        if amount:
            yield date.fromisoformat(str(value["date"])[:10]), amount


def _moment(text: Any, timezone: tzinfo) -> float:
    try:
        return datetime.strptime(str(text), _TIME_FORMAT).replace(tzinfo=timezone).timestamp()
    except ValueError:
        return 0.0


def _number(value: Any) -> float:
    """Read a number, which DingTalk sends as text; return 0 for an empty or odd one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
