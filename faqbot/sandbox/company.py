"""The sample company of the sandbox: departments, leaders, leave balances, working days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from chinese_calendar import is_workday

from faqbot.sandbox.server import FakeDingTalk

# Department, its parent, its leader, and its other members.
_TEAMS = (
    ("研发中心", "", "老周", ()),
    ("后端组", "研发中心", "", ("小李", "小陈")),
    ("销售部", "", "孙经理", ("小王",)),
    ("人事行政部", "", "张姐", ()),
)
_KEEPERS_WORK_IN = "人事行政部"
_TITLES = {
    "老周": "研发总监",
    "孙经理": "销售经理",
    "张姐": "人事主管",
    "小李": "工程师",
    "小陈": "工程师",
    "小王": "销售",
}
HR = "张姐"
_ANNUAL_LEAVE = {"小李": (10.0, 3.5), "小陈": (5.0, 5.0), "小王": (10.0, 0.0), "张姐": (15.0, 6.0)}


def create_company(ding: FakeDingTalk, keepers: Iterable[tuple[str, str]] = ()) -> str:
    """Put everybody into the contacts; return the userId of HR. `keepers` are names and userIds of further people."""
    departments: dict[str, int] = {}
    for name, above, leader, others in _TEAMS:
        dept_id = ding.contacts.add_department(name, departments.get(above, 1))
        departments[name] = dept_id
        for person in filter(None, (leader, *others)):
            ding.contacts.hire(
                person,
                [dept_id],
                userid=ding.world.person(person).id,
                leads=[dept_id] if person == leader else (),
                title=_TITLES[person],
            )
    for name, userid in keepers:
        ding.contacts.hire(name, [departments[_KEEPERS_WORK_IN]], userid=userid)
    for name, balance in _ANNUAL_LEAVE.items():
        ding.attendance.balances[ding.world.person(name).id] = balance
    hr = ding.world.person(HR).id
    ding.attendance.admins.add(hr)
    ding.attendance.workdays.calendar = _is_workday
    return hr


def _is_workday(day: date) -> bool:
    try:
        return bool(is_workday(day))
    except NotImplementedError:
        # The holidays of that year are not published yet.
        return day.weekday() < 5
