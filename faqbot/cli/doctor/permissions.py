"""Checks the DingTalk permissions that the knowledge and the rules in use need, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import date

from faqbot.cli.doctor.findings import Finding, Level
from faqbot.dingtalk.api import attendance, contacts
from faqbot.dingtalk.api.attendance import PunchQuery
from faqbot.dingtalk.api.client import OpenApi
from faqbot.errors import DeliveryError, NeedsAdmin
from faqbot.knowledge.snapshot import Snapshot
from faqbot.model.org_chart import ROOT
from faqbot.rules.definitions import AddContact, AttendanceReport
from faqbot.settings import Settings

# Nobody has these: the probes ask for them only to see whether the call is permitted.
_UNKNOWN_USERID = "nobody-0"
_UNKNOWN_MOBILE = "10000000000"
_WHERE = "请到 开发者后台 > 权限管理 开通"
_PUBLISH = "，再到 版本管理与发布 发布新版本"
# The old API's code for a permission that the app does not have.
_MISSING_PERMISSION = "60011"

MEMBER, TREE, MEMBERS = "qyapi_get_member", "qyapi_get_department_list", "qyapi_get_department_member"
BY_MOBILE, WRITE = "qyapi_get_member_by_mobile", "qyapi_manage_addresslist"
PUNCHES, COLUMNS, BALANCES = "qyapi_get_attendance_data", "qyapi_base", "qyapi_holiday_readonly"

Probe = Callable[[], Awaitable[object]]


async def check_permissions(
    api: OpenApi, settings: Settings, snapshot: Snapshot, today: date
) -> AsyncIterator[Finding]:
    """Yield one finding for each feature in use; checking attendance costs one or two calls of the monthly quota."""
    probes = _probes(api, settings, today)
    actions = [action for rule in snapshot.automations.rules for action in rule.actions]
    if any(entry.departments for entry in snapshot.entries):
        problem = "有条目写了部门（departments），现在没有人能看到它们"
        yield await _check("通讯录权限", probes, (MEMBER, TREE), problem, "可用：能知道提问的人在哪个部门")
    if any(isinstance(action, AddContact) for action in actions):
        problem = "有任务要加新同事（add_contact），现在做不了"
        needed: tuple[str, ...] = (WRITE, MEMBER, BY_MOBILE, TREE)
        yield await _check("加人权限", probes, needed, problem, "可用：能把新同事加进通讯录")
    if any(isinstance(action, AttendanceReport) for action in actions):
        problem = "有任务要做考勤报表（attendance_report），现在做不全"
        needed = (TREE, MEMBERS, MEMBER, PUNCHES, COLUMNS)
        yield await _check("考勤权限", probes, needed, problem, "可用：能读打卡、请假和加班")
    if settings.admins:
        needed = (TREE, MEMBERS, MEMBER, PUNCHES, BALANCES)
        finding = await _check("吩咐用的权限", probes, needed, "", "名单、打卡、我的年假都可用")
        # A missing one is not a fault: nobody has to use these commands.
        unused = f"名单、打卡、我的年假要用到的还没有开通，用不到就不用管{finding.text}"
        yield finding if finding.level is not Level.BAD else Finding(finding.name, Level.GOOD, unused)


def _probes(api: OpenApi, settings: Settings, today: date) -> Mapping[str, Probe]:
    """Return for each permission a call that is refused without it, asks about nobody real and changes nothing."""
    operator = min(settings.admins, default=_UNKNOWN_USERID)
    return {
        MEMBER: lambda: contacts.user(api, _UNKNOWN_USERID),
        TREE: lambda: contacts.subdepartments(api, ROOT),
        MEMBERS: lambda: api.old(contacts.USER_LIST, {"dept_id": ROOT, "cursor": 0, "size": 1}),
        BY_MOBILE: lambda: contacts.userid_by_mobile(api, _UNKNOWN_MOBILE),
        # Without a name and a mobile nobody is created, and DingTalk checks the permission first.
        WRITE: lambda: api.old(contacts.USER_CREATE, {}),
        PUNCHES: lambda: attendance.punches_page(
            api, PunchQuery((_UNKNOWN_USERID,), today, today), 0, settings.timezone
        ),
        COLUMNS: lambda: attendance.columns(api),
        BALANCES: lambda: attendance.leave_types(api, operator),
    }


async def _check(name: str, probes: Mapping[str, Probe], needed: Sequence[str], problem: str, good: str) -> Finding:
    """Run the probes of the `needed` permissions; `problem` names the functions that do not work without them."""
    missing: list[str] = []
    advice: list[str] = []
    for permission in needed:
        try:
            await probes[permission]()
        except NeedsAdmin as exc:
            if exc.code != _MISSING_PERMISSION and not exc.code.endswith("AccessTokenPermissionDenied"):
                return Finding(name, Level.WARNING, f"没能检查：{exc}")
            missing.append(permission)
        except DeliveryError as exc:
            if not exc.permanent:
                return Finding(name, Level.WARNING, f"没能检查：{exc}")
            # Any other refusal is about the arguments, which are made up, and not about the permission.
            if permission == COLUMNS:
                advice.append(f"读不到考勤报表的列（{exc}）：请在管理后台的考勤里开通智能统计")
            elif permission == BALANCES:
                advice.append(f"读不到假期类型（{exc}）：FAQBOT_ADMINS 里要有一位考勤管理员")
    if missing:
        advice.insert(0, f"{_WHERE} {'、'.join(missing)}{_PUBLISH}")
    if advice:
        return Finding(name, Level.BAD, f"{problem}：{'；'.join(advice)}")
    return Finding(name, Level.GOOD, good)
