"""`faqbot doctor` looks at the permissions that are used, and names those that are missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.cli.doctor.checks import examine
from faqbot.cli.doctor.findings import Finding, Level
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings

ONBOARDING = """\
automations:
  - id: join
    when: {event: hr.joined}
    do: [{add_contact: {name: "{name}", mobile: "{mobile}", departments: [1]}}]
"""
ATTENDANCE = """\
automations:
  - id: month
    when: {monthly: 1}
    do: [{attendance_report: {month: last, departments: [1]}}]
"""


async def look(settings: Settings, name: str, automations: str = "") -> Finding | None:
    (Path(settings.knowledge) / "automations.yaml").write_text(automations, encoding="utf-8")
    return next((f for f in [f async for f in examine(settings)] if f.name == name), None)


@pytest.mark.parametrize(("name", "automations"), [("加人权限", ONBOARDING), ("考勤权限", ATTENDANCE)])
async def test_a_rule_has_its_permissions_looked_at(
    ding: FakeDingTalk, settings: Settings, name: str, automations: str
) -> None:
    found = await look(settings, name, automations)
    assert found is not None and found.level is Level.GOOD
    assert await look(settings, name) is None
    assert not ding.contacts.members and not ding.replies


@pytest.mark.parametrize(
    ("name", "automations", "permission"),
    [
        ("加人权限", ONBOARDING, "qyapi_manage_addresslist"),
        ("加人权限", ONBOARDING, "qyapi_get_member_by_mobile"),
        ("考勤权限", ATTENDANCE, "qyapi_get_attendance_data"),
        ("考勤权限", ATTENDANCE, "qyapi_get_department_member"),
        ("考勤权限", ATTENDANCE, "qyapi_base"),
    ],
)
async def test_a_missing_permission_is_named_with_where_to_open_it(
    ding: FakeDingTalk, settings: Settings, name: str, automations: str, permission: str
) -> None:
    ding.oapi.granted.discard(permission)
    found = await look(settings, name, automations)
    assert found is not None and found.level is Level.BAD
    assert permission in found.text and "权限管理" in found.text and "发布新版本" in found.text


async def test_a_report_without_its_columns_is_said_to_need_them(ding: FakeDingTalk, settings: Settings) -> None:
    ding.attendance.smart_report = False
    found = await look(settings, "考勤权限", ATTENDANCE)
    assert found is not None and found.level is Level.BAD and "智能统计" in found.text


async def test_what_administrators_may_ask_for_in_chat_is_no_fault_where_it_is_not_opened(
    ding: FakeDingTalk, settings: Settings
) -> None:
    settings = replace(settings, admins=frozenset({"zhang"}))
    ding.attendance.admins.add("zhang")
    found = await look(settings, "吩咐用的权限")
    assert found is not None and found.level is Level.GOOD and "都可用" in found.text
    ding.oapi.granted.discard("qyapi_holiday_readonly")
    found = await look(settings, "吩咐用的权限")
    assert found is not None and found.level is Level.GOOD and "qyapi_holiday_readonly" in found.text
    ding.oapi.granted.add("qyapi_holiday_readonly")
    ding.attendance.admins.clear()
    found = await look(settings, "吩咐用的权限")
    assert found is not None and "考勤管理员" in found.text


async def test_what_cannot_be_looked_at_now_is_a_warning(ding: FakeDingTalk, settings: Settings) -> None:
    ding.faults.update({"api_fault": "busy", "api_fail_next": -1})
    found = await look(settings, "考勤权限", ATTENDANCE)
    assert found is not None and found.level is Level.WARNING
