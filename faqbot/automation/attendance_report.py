"""The `attendance_report` of a rule: the report made and sent, and HR told where it cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from faqbot.attendance.collector import ReportRefused
from faqbot.attendance.report import AttendanceReports
from faqbot.automation.executor import ActionFailed, ActionResult, Outbox
from faqbot.automation.payloads import People
from faqbot.model.notice_keys import part_key
from faqbot.model.notices import Address, Notice
from faqbot.rules.definitions import AttendanceReport


@dataclass(frozen=True, slots=True)
class AttendanceReportAction:
    """`hr` are the userIds of those who get the file where the rule names nobody."""

    reports: AttendanceReports
    outbox: Outbox
    people: People
    hr: tuple[str, ...]

    async def report(self, action: AttendanceReport, name: str) -> ActionResult:
        """Make the report; what was read or sent is not again. Raises DeliveryError, ActionFailed, StoreError."""
        hr = tuple(dict.fromkeys(userid for who in action.hr for userid in self.people(who))) or self.hr
        try:
            made = await self.reports.report(
                action.month,
                action.departments,
                run=name,
                to=Address("robot", action.robot) if action.robot else None,
                ask_supervisors=action.at_supervisors,
                hr=hr,
            )
        except ReportRefused as exc:
            told = [
                Notice(
                    part_key(name, "refused", userid),
                    Address("person", userid),
                    "考勤报表没有做成",
                    f"考勤报表没有做成：{exc}",
                )
                for userid in hr
            ]
            await self.outbox.post(*told)
            raise ActionFailed(str(exc)) from exc
        return ActionResult(made.line)
