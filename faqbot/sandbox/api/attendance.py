"""The fake attendance API: punches page by page, report columns, one person's day, and leave balances."""

from __future__ import annotations

import time as clock
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from aiohttp import web

from faqbot.sandbox.api.contacts import Contacts
from faqbot.sandbox.api.old_api import OldApi, OldApiRefusal
from faqbot.sandbox.state.workdays import LEAVE_UNITS, SHANGHAI, PlannedPunch, Workdays, each_day

_DATA, _BASE, _HOLIDAY = "qyapi_get_attendance_data", "qyapi_base", "qyapi_holiday_readonly"
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
_MAX_USERS, _MAX_DAYS, _MAX_PAGE, _MAX_COLUMNS, _MAX_COLUMN_DAYS = 50, 7, 50, 20, 31
_HISTORY_DAYS = 180
# Column ids differ from company to company; only some names contain the unit.
COLUMNS = {
    8001: "姓名", 8002: "考勤组", 8003: "出勤天数", 8004: "休息天数", 8005: "工作时长", 8006: "迟到次数",
    8007: "迟到时长", 8008: "早退次数", 8009: "旷工天数", 8010: "出差时长(天)", 8011: "外出时长(小时)",
    8020: "年假(天)", 8021: "病假(天)", 8022: "事假(小时)", 8023: "调休",
    8030: "加班-审批单统计", 8031: "加班总时长(小时)", 8032: "工作日加班(小时)", 8033: "休息日加班(小时)",
}  # fmt: skip
_LEAVE_CODES = {name: f"code-{number}" for number, name in enumerate(LEAVE_UNITS)}


class Attendance:
    """Answers from `workdays`. `admins` are userIds that may ask for leave balances; columns need `smart_report`.

    `balances` are the days of 年假 granted and used, by userId. `now` is epoch seconds.
    """

    def __init__(self, contacts: Contacts, oapi: OldApi, now: Callable[[], float] = clock.time) -> None:
        self._contacts = contacts
        self._oapi = oapi
        self.now = now
        self.workdays = Workdays()
        self.admins: set[str] = set()
        self.smart_report = True
        self.balances: dict[str, tuple[float, float]] = {}

    def routes(self) -> list[web.RouteDef]:
        post = self._oapi.post
        return [
            post("/attendance/list", _DATA, self._list),
            post("/topapi/attendance/getupdatedata", _DATA, self._update_data),
            post("/topapi/attendance/getattcolumns", _BASE, self._columns),
            post("/topapi/attendance/getcolumnval", _BASE, self._column_values),
            post("/topapi/attendance/getleavetimebynames", _BASE, self._leave_times),
            post("/topapi/attendance/vacation/type/list", _HOLIDAY, self._leave_types),
            post("/topapi/attendance/vacation/quota/list", _HOLIDAY, self._leave_quotas),
        ]

    # -- punches ----------------------------------------------------------------------------------

    def _list(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        first, last = _day(body.get("workDateFrom")), _day(body.get("workDateTo"))
        users, offset, limit = (body.get(name) for name in ("userIdList", "offset", "limit"))
        if not isinstance(users, list) or not 1 <= len(users) <= _MAX_USERS:
            raise OldApiRefusal(40035, f"不合法的参数：userIdList 最多 {_MAX_USERS} 个")
        if not isinstance(offset, int) or not isinstance(limit, int) or offset < 0 or not 1 <= limit <= _MAX_PAGE:
            raise OldApiRefusal(40035, f"不合法的参数：limit 最多 {_MAX_PAGE}")
        if last < first or (last - first).days + 1 > _MAX_DAYS:
            raise OldApiRefusal(40035, f"不合法的参数：起止时间跨度不能超过 {_MAX_DAYS} 天")
        self._check_kept(first)
        rows = list(self.rows(users, first, last))
        return {"recordresult": rows[offset : offset + limit], "hasMore": offset + limit < len(rows)}

    def rows(self, users: Iterable[str], first: date, last: date) -> Iterator[dict[str, Any]]:
        """Return one row for each planned punch, day by day."""
        for day in each_day(first, last):
            for userid in users:
                for check in self._known_punches(userid, day):
                    number = zlib.crc32(f"{userid}|{day}|{check.on_duty}".encode())
                    row = {
                        "id": number,
                        "recordId": number + 1,
                        "planId": number + 2,
                        "groupId": 77001,
                        "userId": userid,
                        "workDate": int(_midnight(day).timestamp() * 1000),
                        "checkType": "OnDuty" if check.on_duty else "OffDuty",
                        "timeResult": check.result,
                        "locationResult": "NotSigned" if check.actual is None else "Normal",
                        "baseCheckTime": int(check.planned * 1000),
                        "sourceType": "SYSTEM" if check.actual is None else "USER",
                    }
                    # Without a punch, DingTalk repeats the planned time here.
                    row["userCheckTime"] = int((check.actual or check.planned) * 1000)
                    yield row

    def _known_punches(self, userid: str, day: date) -> list[PlannedPunch]:
        """Return the planned punches whose result DingTalk knows by now."""
        if self._contacts.find(userid) is None:
            return []
        return [check for check in self.workdays.checks(userid, day) if check.shown_at <= self.now()]

    def _update_data(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        userid, day = self._userid(body.get("userid")), _day(body.get("work_date"))
        self._check_kept(day)
        results = [
            {
                "check_type": "OnDuty" if check.on_duty else "OffDuty",
                "time_result": check.result,
                "plan_check_time": _format_time(check.planned),
                "location_result": "Normal",
            }
            | ({"user_check_time": _format_time(check.actual)} if check.actual is not None else {})
            for check in self._known_punches(userid, day)
        ]
        result = {
            "work_date": f"{day} 00:00:00",
            "userid": userid,
            "corpId": "dingsandboxcorp",
            "attendance_result_list": results,
            "check_record_list": [],
            "approve_list": list(self._approvals(userid, day)),
        }
        return {"result": result}

    def _approvals(self, userid: str, day: date) -> Iterator[Mapping[str, Any]]:
        shift = self.workdays.day(userid, day)
        if shift is None:
            return
        if shift.off:
            trip = shift.kind == "trip"
            begin = _midnight(day) + timedelta(hours=13 if shift.kind == "half" else 9)
            yield {
                "biz_type": 2 if trip else 3,
                "tag_name": "出差" if trip else "请假",
                "sub_type": "" if trip else shift.leave,
                "duration": str(shift.off),
                "duration_unit": "day",
                "begin_time": _format_time(begin.timestamp()),
                "end_time": f"{day} 18:00:00",
            }
        if shift.overtime:
            yield {
                "biz_type": 1,
                "tag_name": "加班",
                "sub_type": "",
                "duration": str(shift.overtime),
                "duration_unit": "hour",
                "begin_time": f"{day} 18:00:00",
                "end_time": _format_time((_midnight(day) + timedelta(hours=18 + shift.overtime)).timestamp()),
            }

    # -- report columns -----------------------------------------------------------------------------

    def _columns(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._check_smart_report()
        return {
            "result": {
                "columns": [
                    {"id": number, "name": name, "alias": f"c{number}", "type": 0, "sub_type": 0, "status": 1}
                    | {"expression_id": number + 500}
                    for number, name in COLUMNS.items()
                ]
            }
        }

    def _column_values(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._check_smart_report()
        userid = self._userid(body.get("userid"))
        ids = str(body.get("column_id_list") or "").split(",")
        if len(ids) > _MAX_COLUMNS or not all(part.isdigit() for part in ids):
            raise OldApiRefusal(40035, f"不合法的参数：column_id_list 最多 {_MAX_COLUMNS} 个")
        if not all(int(part) in COLUMNS for part in ids):
            raise OldApiRefusal(850015, "列不存在")
        days = self._month(body)
        values = [
            {
                "column_vo": {"id": int(part), "name": COLUMNS[int(part)]},
                "column_vals": [
                    {"date": f"{day} 00:00:00", "value": str(self._value(int(part), userid, day))} for day in days
                ],
            }
            for part in ids
        ]
        return {"result": {"column_vals": values}}

    def _value(self, column: int, userid: str, day: date) -> float | str:
        shift = self.workdays.day(userid, day)
        name = COLUMNS[column]
        if shift is None or day > self._today():
            return 0.0
        leave = name.partition("(")[0]
        if leave in LEAVE_UNITS:
            return shift.off * LEAVE_UNITS[leave] if shift.leave == leave else 0.0
        if name.startswith("出差"):
            return 1.0 if shift.kind == "trip" else 0.0
        if name.startswith("加班") or name.startswith("工作日加班"):
            return shift.overtime
        return 0.0

    def _leave_times(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        userid = self._userid(body.get("userid"))
        names = str(body.get("leave_names") or "").split(",")
        if len(names) > _MAX_COLUMNS:
            raise OldApiRefusal(40035, f"不合法的参数：leave_names 最多 {_MAX_COLUMNS} 个")
        days = self._month(body)
        columns = {name.partition("(")[0]: number for number, name in COLUMNS.items()}
        return {
            "result": {
                "columns": [
                    {
                        "columnvo": {"name": name, "type": 0},
                        "columnvals": [
                            {"date": f"{day} 00:00:00", "value": str(self._value(columns[name], userid, day))}
                            for day in days
                        ],
                    }
                    for name in names
                    if name in LEAVE_UNITS
                ]
            }
        }

    # -- leave balances -- -----------------------------------------------------------------------------

    def _leave_types(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._check_admin(body)
        return {
            "result": [
                {"leave_code": code, "leave_name": name, "leave_view_unit": "day" if LEAVE_UNITS[name] == 1 else "hour"}
                for name, code in _LEAVE_CODES.items()
            ]
        }

    def _leave_quotas(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._check_admin(body)
        size, users = body.get("size"), str(body.get("userids") or "").split(",")
        if not isinstance(size, int) or not 1 <= size <= _MAX_PAGE or len(users) > _MAX_USERS:
            raise OldApiRefusal(40035, f"不合法的参数：size 最多 {_MAX_PAGE}")
        if body.get("leave_code") not in _LEAVE_CODES.values():
            raise OldApiRefusal(40035, "不合法的参数：leave_code")
        known = {user: self.balances[user] for user in users if user in self.balances}
        if body["leave_code"] != _LEAVE_CODES["年假"]:
            known = {}
        year = self._today().year
        quotas = [
            {
                "userid": user,
                "leave_code": body["leave_code"],
                "quota_num_per_day": round(granted * 100),
                "quota_num_per_hour": 0,
                "used_num_per_day": round(used * 100),
                "used_num_per_hour": 0,
                "quota_cycle": str(year),
                "start_time": int(_midnight(date(year, 1, 1)).timestamp() * 1000),
                "end_time": int(_midnight(date(year, 12, 31)).timestamp() * 1000),
            }
            for user, (granted, used) in known.items()
        ]
        return {"result": {"leave_quotas": quotas, "has_more": False}}

    # -- limits ---------------------------------------------------------------------------------------

    def _today(self) -> date:
        return datetime.fromtimestamp(self.now(), SHANGHAI).date()

    def _check_kept(self, first: date) -> None:
        if first < self._today() - timedelta(days=_HISTORY_DAYS):
            raise OldApiRefusal(40035, "不合法的参数：只能查询近半年的数据")

    def _check_smart_report(self) -> None:
        if not self.smart_report:
            raise OldApiRefusal(850001, "企业未开启智能统计")

    def _check_admin(self, body: Mapping[str, Any]) -> None:
        if body.get("op_userid") not in self.admins:
            raise OldApiRefusal(880001, "操作人没有权限")

    def _userid(self, userid: Any) -> str:
        if not isinstance(userid, str) or self._contacts.find(userid) is None:
            raise OldApiRefusal(33012, "无效的USERID")
        return userid

    def _month(self, body: Mapping[str, Any]) -> list[date]:
        first, last = _day(body.get("from_date")), _day(body.get("to_date"))
        if last < first or (last - first).days + 1 > _MAX_COLUMN_DAYS:
            raise OldApiRefusal(40035, f"不合法的参数：起止时间跨度不能超过 {_MAX_COLUMN_DAYS} 天")
        return list(each_day(first, last))


def _day(text: Any) -> date:
    try:
        return datetime.strptime(str(text), _TIME_FORMAT).date()
    except ValueError:
        raise OldApiRefusal(40035, "不合法的参数：时间格式 yyyy-MM-dd HH:mm:ss") from None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _format_time(at: float) -> str:
    return datetime.fromtimestamp(at, SHANGHAI).strftime(_TIME_FORMAT)
