"""The action `attendance_report`: make and send the report, and tell HR if it cannot be made."""

from __future__ import annotations

from dataclasses import dataclass

from faqbot.attendance.collector import ReportRefused
from faqbot.attendance.report import AttendanceReports
from faqbot.automation.executor import ActionFailed, ActionResult
from faqbot.automation.payloads import PeopleLookup
from faqbot.model.notice_keys import part_key
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.rules.definitions import AttendanceReport


@dataclass(frozen=True, slots=True)
class AttendanceReportAction:
    """`hr` are the userIds of the people who get the file if the rule names nobody."""

    reports: AttendanceReports
    outbox: Outbox
    people: PeopleLookup
    hr: tuple[str, ...]

    async def report(self, action: AttendanceReport, key: str) -> ActionResult:
        """Make the report under `key`; a repeat reads and sends only the missing parts.

        Raises DeliveryError, ActionFailed, StoreError.
        """
        hr = tuple(dict.fromkeys(userid for who in action.hr for userid in self.people(who))) or self.hr
        try:
            report = await self.reports.report(
                action.month,
                action.departments,
                run=key,
                to=Address("robot", action.robot) if action.robot else None,
                ask_supervisors=action.at_supervisors,
                hr=hr,
            )
        except ReportRefused as exc:
            notices = [
                Notice(
                    part_key(key, "refused", userid),
                    Address("person", userid),
                    "考勤报表没有做成",
                    f"考勤报表没有做成：{exc}",
                )
                for userid in hr
            ]
            await self.outbox.post(*notices)
            raise ActionFailed(str(exc)) from exc
        return ActionResult(report.line)
