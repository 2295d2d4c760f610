"""Commands 报表, 确认情况 and a supervisor's 确认: request, track and confirm attendance reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime, tzinfo

from faqbot.access.authorization import refusal
from faqbot.attendance.confirmations import Confirmations
from faqbot.attendance.month_names import parse_month
from faqbot.attendance.report_requests import ReportRequest, ReportRequests
from faqbot.markup.escaping import escape_markdown
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message


class ReportCommands:
    """`admins` may ask for reports and see the confirmations. `clock` is epoch seconds."""

    def __init__(
        self,
        requests: ReportRequests,
        confirmations: Confirmations,
        admins: Collection[str],
        timezone: tzinfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._requests = requests
        self._confirmations = confirmations
        self._admins = admins
        self._timezone = timezone
        self._clock = clock

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        """报表: store the request; the report is made in the background and sent to the one who asked."""
        if refused := refusal(message, self._admins, "做考勤报表"):
            return refused
        today = datetime.fromtimestamp(self._clock(), self._timezone).date()
        words = command.text.split()
        months = [word for word in words if parse_month(word, today)]
        month = months[0] if months else "last"
        departments = [word for word in words if word not in months] or ["1"]
        request = ReportRequest(message.staff_id, month, tuple(departments), self._clock())
        await self._requests.add(message.key, request)
        year, number = parse_month(month, today) or (today.year, today.month)
        who = "、".join(escape_markdown(d) for d in departments) if departments != ["1"] else "全公司"
        return CommandResult("考勤报表", f"正在统计 {year} 年 {number} 月{who}的考勤，几分钟后私聊把 Excel 发给您。")

    async def confirmations(self, message: Message, command: Command) -> CommandResult:
        """确认情况: list the supervisors who have not confirmed yet."""
        if refused := refusal(message, self._admins, "看确认情况"):
            return refused
        latest = await self._confirmations.latest()
        if not latest:
            return CommandResult("确认情况", "还没有请主管确认过考勤。")
        open_names = [escape_markdown(c.name) for c in latest if not c.confirmed]
        confirmed_names = [escape_markdown(c.name) for c in latest if c.confirmed]
        lines = [f"{latest[0].month} 的考勤，{len(latest)} 位主管里 {len(confirmed_names)} 位已确认。", ""]
        lines += [f"- 还没有确认：{'、'.join(open_names)}"] if open_names else ["都确认了。"]
        lines += [f"- 已确认：{'、'.join(confirmed_names)}"] if confirmed_names and open_names else []
        return CommandResult("确认情况", "\n".join(lines))

    async def confirm(self, message: Message) -> CommandResult | None:
        """确认: record a supervisor's confirmation; return None for somebody who was not asked for one."""
        newly_confirmed = await self._confirmations.confirm(message.staff_id) if message.staff_id else None
        if newly_confirmed is None:
            return None
        if not newly_confirmed:
            return CommandResult("已经确认过", "您已经确认过了，不用再发。")
        months = "、".join(sorted(c.month for c in newly_confirmed))
        return CommandResult("已确认", f"已记下：您确认了 {months} 的考勤。谢谢！")
