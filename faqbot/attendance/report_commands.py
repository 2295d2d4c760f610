"""The commands 报表, 确认情况 and a supervisor's 确认: ask for an attendance report, and confirm one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime, tzinfo

from faqbot.access.authorization import refusal
from faqbot.attendance.month import read_month
from faqbot.attendance.report import AttendanceReports
from faqbot.attendance.report_requests import ReportRequest, ReportRequests
from faqbot.markup.escaping import neutralise
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message


class ReportCommands:
    """`admins` may ask for reports and see the confirmations. `clock` is epoch seconds."""

    def __init__(
        self,
        requests: ReportRequests,
        reports: AttendanceReports,
        admins: Collection[str],
        timezone: tzinfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._requests = requests
        self._reports = reports
        self._admins = admins
        self._timezone = timezone
        self._clock = clock

    async def __call__(self, message: Message, order: Command) -> CommandResult:
        """报表: store the request; the report is made in the background and sent to whoever asked."""
        if no := refusal(message, self._admins, "做考勤报表"):
            return no
        today = datetime.fromtimestamp(self._clock(), self._timezone).date()
        words = order.text.split()
        months = [word for word in words if read_month(word, today)]
        month = months[0] if months else "last"
        departments = [word for word in words if word not in months] or ["1"]
        request = ReportRequest(message.staff_id, month, tuple(departments), self._clock())
        await self._requests.add(message.key, request)
        year, number = read_month(month, today) or (today.year, today.month)
        who = "、".join(neutralise(d) for d in departments) if departments != ["1"] else "全公司"
        return CommandResult("考勤报表", f"正在统计 {year} 年 {number} 月{who}的考勤，几分钟后私聊把 Excel 发给您。")

    async def confirmations(self, message: Message, order: Command) -> CommandResult:
        """确认情况: list the supervisors who have not confirmed yet."""
        if no := refusal(message, self._admins, "看确认情况"):
            return no
        latest = await self._reports.latest()
        if not latest:
            return CommandResult("确认情况", "还没有请主管确认过考勤。")
        waiting = [neutralise(c.name) for c in latest if not c.confirmed]
        done = [neutralise(c.name) for c in latest if c.confirmed]
        lines = [f"{latest[0].month} 的考勤，{len(latest)} 位主管里 {len(done)} 位已确认。", ""]
        lines += [f"- 还没有确认：{'、'.join(waiting)}"] if waiting else ["都确认了。"]
        lines += [f"- 已确认：{'、'.join(done)}"] if done and waiting else []
        return CommandResult("确认情况", "\n".join(lines))

    async def confirm(self, message: Message) -> CommandResult | None:
        """确认: record a supervisor's confirmation; return None for somebody who was not asked for one."""
        given = await self._reports.confirm(message.staff_id) if message.staff_id else None
        if given is None:
            return None
        if not given:
            return CommandResult("已经确认过", "您已经确认过了，不用再发。")
        months = "、".join(sorted(c.month for c in given))
        return CommandResult("已确认", f"已记下：您确认了 {months} 的考勤。谢谢！")
