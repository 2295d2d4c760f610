"""The part of `faqbot doctor` that looks at permissions: those that what is written down needs, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import date

from faqbot.cli.doctor.findings import Finding, Level
from faqbot.dingtalk.api import attendance, contacts
from faqbot.dingtalk.api.attendance import Query
from faqbot.dingtalk.api.client import OpenApi
from faqbot.errors import DeliveryError, NeedsAdmin
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.org_chart import ROOT
from faqbot.rules.definitions import AddContact, AttendanceReport
from faqbot.settings import Settings

# Asked for to see whether people may be asked for.
_NOBODY = "nobody-0"
_NO_MOBILE = "10000000000"
_WHERE = "请到 开发者后台 > 权限管理 开通"
_ELSEWHERE = "，再到 版本管理与发布 发布新版本"
_MISSING = "60011"

MEMBER, TREE, MEMBERS = "qyapi_get_member", "qyapi_get_department_list", "qyapi_get_department_member"
BY_MOBILE, WRITE = "qyapi_get_member_by_mobile", "qyapi_manage_addresslist"
PUNCHES, COLUMNS, BALANCES = "qyapi_get_attendance_data", "qyapi_base", "qyapi_holiday_readonly"

Look = Callable[[], Awaitable[object]]


async def look_at_permissions(
    api: OpenApi, settings: Settings, snapshot: Snapshot, today: date
) -> AsyncIterator[Finding]:
    """One finding for each thing in use; what needs attendance costs a counted call or two."""
    looks = _looks(api, settings, today)
    actions = [action for rule in snapshot.automations.rules for action in rule.actions]
    if any(entry.departments for entry in snapshot.entries):
        why = "有条目写了部门（departments），现在没有人能看到它们"
        yield await _finding("通讯录权限", looks, (MEMBER, TREE), why, "可用：能知道提问的人在哪个部门")
    if any(isinstance(action, AddContact) for action in actions):
        why = "有任务要加新同事（add_contact），现在做不了"
        yield await _finding("加人权限", looks, (WRITE, MEMBER, BY_MOBILE, TREE), why, "可用：能把新同事加进通讯录")
    if any(isinstance(action, AttendanceReport) for action in actions):
        why = "有任务要做考勤报表（attendance_report），现在做不全"
        needed = (TREE, MEMBERS, MEMBER, PUNCHES, COLUMNS)
        yield await _finding("考勤权限", looks, needed, why, "可用：能读打卡、请假和加班")
    if settings.admins:
        found = await _finding(
            "吩咐用的权限", looks, (TREE, MEMBERS, MEMBER, PUNCHES, BALANCES), "", "名单、打卡、我的年假都可用"
        )
        # Not a fault: nobody has to use them.
        unused = f"名单、打卡、我的年假要用到的还没有开通，用不到就不用管{found.text}"
        yield found if found.level is not Level.BAD else Finding(found.name, Level.GOOD, unused)


def _looks(api: OpenApi, settings: Settings, today: date) -> Mapping[str, Look]:
    """What is asked to see whether a permission is there: about nobody, and nothing is changed."""
    operator = min(settings.admins, default=_NOBODY)
    return {
        MEMBER: lambda: contacts.user(api, _NOBODY),
        TREE: lambda: contacts.below(api, ROOT),
        MEMBERS: lambda: api.old(contacts.USER_LIST, {"dept_id": ROOT, "cursor": 0, "size": 1}),
        BY_MOBILE: lambda: contacts.userid_by_mobile(api, _NO_MOBILE),
        # Without a name and a mobile nobody is created; the permission is looked at first.
        WRITE: lambda: api.old(contacts.USER_CREATE, {}),
        PUNCHES: lambda: attendance.punches_page(api, Query((_NOBODY,), today, today), 0, settings.timezone),
        COLUMNS: lambda: attendance.columns(api),
        BALANCES: lambda: attendance.leave_types(api, operator),
    }


async def _finding(name: str, looks: Mapping[str, Look], needed: Sequence[str], why: str, good: str) -> Finding:
    missing: list[str] = []
    said: list[str] = []
    for permission in needed:
        try:
            await looks[permission]()
        except NeedsAdmin as exc:
            if exc.code != _MISSING and not exc.code.endswith("AccessTokenPermissionDenied"):
                return Finding(name, Level.WARNING, f"没能检查：{exc}")
            missing.append(permission)
        except DeliveryError as exc:
            if not exc.permanent:
                return Finding(name, Level.WARNING, f"没能检查：{exc}")
            # Anything else that is refused is refused for what was asked, not for who asks.
            if permission == COLUMNS:
                said.append(f"读不到考勤报表的列（{exc}）：请在管理后台的考勤里开通智能统计")
            elif permission == BALANCES:
                said.append(f"读不到假期类型（{exc}）：FAQBOT_ADMINS 里要有一位考勤管理员")
    if missing:
        said.insert(0, f"{_WHERE} {'、'.join(missing)}{_ELSEWHERE}")
    if said:
        return Finding(name, Level.BAD, f"{why}：{'；'.join(said)}")
    return Finding(name, Level.GOOD, good)
