"""Commands 打卡 (one day of a person or department, for administrators) and 我的打卡 (the asker's last days)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta, tzinfo

from faqbot.access.authorization import not_possible, only_alone, refusal
from faqbot.attendance.month import MonthReport, summarise
from faqbot.attendance.report_texts import format_amount, format_clock_time, incident_in_words
from faqbot.dingtalk.api import attendance
from faqbot.dingtalk.api.attendance import PunchQuery
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.errors import DeliveryError, NeedsAdmin
from faqbot.markup.escaping import escape_markdown
from faqbot.model.attendance import ApprovalKind, Approved, Punch, PunchResult
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message
from faqbot.model.notices import Address, Notice
from faqbot.model.org_chart import Employee, NoSuchDepartment
from faqbot.outbox.outbox import Outbox
from faqbot.store.protocol import NoteStore

_DAYS = {"今天": 0, "昨天": 1, "前天": 2}
_DATE = re.compile(r"(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})[日号]?")
# 小李昨天 is typed without the blank, too.
_NAME_AND_DAY = re.compile(rf"(.*?\S)\s*的?\s*({'|'.join(_DAYS)}|(?<!\d){_DATE.pattern})")
_RESULT_NAMES = {
    PunchResult.NORMAL: "正常",
    PunchResult.LATE: "迟到",
    PunchResult.SERIOUS_LATE: "严重迟到",
    PunchResult.EARLY: "早退",
    PunchResult.ABSENT: "旷工",
    PunchResult.MISSING: "没有打卡",
}
_WEEKDAYS = "一二三四五六日"
_OWN_DAYS = 7
# Each reading costs a call of the company's quota, so an answer is repeated for this long.
_CACHE_SECONDS = 600.0
_MAX_PEOPLE = 200
_NO_PUNCHES = "没有打卡记录：可能是休息日，还没到时间，或者钉钉的结果还没出来。"


class PunchLookupCommand:
    """Sends the punches of others to the administrator alone, also where the command was given in a group."""

    def __init__(
        self,
        contacts: ContactsCache,
        outbox: Outbox,
        admins: Collection[str],
        timezone: tzinfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._contacts = contacts
        self._outbox = outbox
        self._admins = admins
        self._timezone = timezone
        self._clock = clock

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        if refused := refusal(message, self._admins, "查打卡"):
            return refused
        name, day = self._parse(command.text)
        try:
            body = await self._look_up(name, day)
        except (NoSuchDepartment, DeliveryError) as exc:
            return not_possible("查打卡", exc)
        if not message.is_group:
            return CommandResult("打卡", body)
        await self._outbox.post(Notice(f"punches:{message.key}", Address("person", message.staff_id), "打卡", body))
        return CommandResult("打卡", "打卡情况已经私聊发给您。")

    def _parse(self, text: str) -> tuple[str, date]:
        """Return the name of a person or department, and the day; today where none is given."""
        today = datetime.fromtimestamp(self._clock(), self._timezone).date()
        match = _NAME_AND_DAY.fullmatch(text.strip())
        day = parse_day(match[2], today) if match else None
        return (match[1], day) if match and day else (text, today)

    async def _look_up(self, name: str, day: date) -> str:
        """Return the punches of a person or a department in words. Raises NoSuchDepartment, DeliveryError."""
        if day < attendance.oldest_day(datetime.fromtimestamp(self._clock(), self._timezone).date()):
            return "钉钉只提供最近半年的打卡记录。"
        tree = await self._contacts.tree()
        people = await self._contacts.find_people(name)
        if len(people) > 1:
            choices = "；".join(
                f"{escape_markdown(tree.path(next(iter(p.departments), 0)))} 打卡 {p.userid}" for p in people[:5]
            )
            return f"叫“{escape_markdown(name)}”的有 {len(people)} 位，请写 userId：{choices}"
        if people:
            return await self._person(people[0], day)
        try:
            (dept_id,) = await self._contacts.find_departments([name])
            if dept_id not in tree.departments:
                raise NoSuchDepartment(f"通讯录里没有编号 {dept_id}")
        except NoSuchDepartment:
            how = "请这样写：「打卡 姓名」或「打卡 姓名 昨天」"
            raise NoSuchDepartment(f"通讯录里没有叫“{escape_markdown(name)}”的人或部门。{how}") from None
        return await self._department(tree.path(dept_id), await self._contacts.people_below([dept_id]), day)

    async def _person(self, person: Employee, day: date) -> str:
        punches, approved = await attendance.day_of_person(self._contacts.api, person.userid, day, self._timezone)
        lines = [f"**{escape_markdown(person.name)}** {_day_in_words(day)}"]
        lines += [f"- {_punch_in_words(punch, self._timezone)}" for punch in punches]
        lines += [f"- {_approval_in_words(a)}" for a in approved]
        return "\n".join([lines[0], "", *(lines[1:] or [_NO_PUNCHES])])

    async def _department(self, name: str, people: Sequence[Employee], day: date) -> str:
        if len(people) > _MAX_PEOPLE:
            return f"{escape_markdown(name)}有 {len(people)} 人，太多了：请写人数不超过 {_MAX_PEOPLE} 的部门。"
        punches: list[Punch] = []
        for query in attendance.split_into_queries([p.userid for p in people], day, day):
            punches += await attendance.punches(self._contacts.api, query, self._timezone)
        # Leave is not read: it would cost one call a person, which is too much for a department.
        report = summarise(people, punches, [], day, day, approvals_known=False)
        return self._department_in_words(name, report, day)

    def _department_in_words(self, name: str, report: MonthReport, day: date) -> str:
        with_shifts = [p for p in report.persons if p.totals.shifts]
        with_incidents = [p for p in with_shifts if p.incidents]
        lines = [f"**{escape_markdown(name)}** {_day_in_words(day)}：共 {len(report.persons)} 人"]
        if report.days_off or not with_shifts:
            return f"{lines[0]}\n\n{_NO_PUNCHES}"
        lines += ["", f"- 目前正常：{len(with_shifts) - len(with_incidents)} 人"]
        for p in with_incidents:
            incidents = "，".join(
                incident_in_words(i, self._timezone, known=False).partition(" ")[2] for i in p.incidents
            )
            lines.append(f"- {escape_markdown(p.person.name)}：{incidents}")
        without_shifts = [escape_markdown(p.person.name) for p in report.persons if not p.totals.shifts]
        if without_shifts:
            lines.append(f"- 没有记录：{'、'.join(without_shifts)}")
        if any(p.totals.absent for p in with_incidents):
            lines.append("\n整天没有打卡的人可能在请假，请用「打卡 姓名」看。")
        return "\n".join(lines)


class OwnPunchesCommand:
    """Answers with the asker's own last seven days, in a single chat only."""

    def __init__(
        self, contacts: ContactsCache, notes: NoteStore, timezone: tzinfo, clock: Callable[[], float] = time.time
    ) -> None:
        self._contacts = contacts
        self._notes = notes
        self._timezone = timezone
        self._clock = clock

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        if refused := only_alone(message, "我的打卡"):
            return refused
        key = f"my-punches:{message.staff_id}"
        body = await self._notes.note(key)
        if body is None:
            try:
                body = await self._look_up(message.staff_id)
            except NeedsAdmin:
                return not_possible(
                    "查打卡", "机器人还没有看打卡记录的权限，请联系 HR。您也可以在钉钉「考勤打卡」里看。"
                )
            except DeliveryError as exc:
                return not_possible("查打卡", f"{exc}。您也可以在钉钉「考勤打卡」里看。")
            await self._notes.put_note(key, body, _CACHE_SECONDS)
        return CommandResult("我的打卡", body)

    async def _look_up(self, userid: str) -> str:
        today = datetime.fromtimestamp(self._clock(), self._timezone).date()
        query = PunchQuery((userid,), today - timedelta(days=_OWN_DAYS - 1), today)
        punches = await attendance.punches(self._contacts.api, query, self._timezone)
        if not punches:
            return f"最近 {_OWN_DAYS} 天{_NO_PUNCHES}"
        days = sorted({p.day for p in punches}, reverse=True)
        lines = [f"您最近 {_OWN_DAYS} 天的打卡："]
        for day in days:
            day_punches = "；".join(_punch_in_words(p, self._timezone) for p in punches if p.day == day)
            lines.append(f"- {_day_in_words(day)} {day_punches}")
        lines.append("\n请假和补卡审批通过之后，结果可能晚一点更新；以钉钉「考勤打卡」为准。")
        return "\n".join([lines[0], "", *lines[1:]])


def parse_day(text: str, today: date) -> date | None:
    """Read 今天, 昨天, 10-20, 10月20日 or 2026-10-20; without a year the latest such day.

    Return None for anything else.
    """
    if text in _DAYS:
        return today - timedelta(days=_DAYS[text])
    match = _DATE.fullmatch(text)
    if not match:
        return None
    try:
        day = date(int(match[1] or today.year), int(match[2]), int(match[3]))
        return day.replace(year=day.year - 1) if day > today and not match[1] else day
    except ValueError:
        return None


def _day_in_words(day: date) -> str:
    return f"{day:%m-%d}（周{_WEEKDAYS[day.weekday()]}）"


def _punch_in_words(punch: Punch, timezone: tzinfo) -> str:
    planned = f" {format_clock_time(punch.planned, timezone)}" if punch.planned else ""
    actual = f"，{format_clock_time(punch.actual, timezone)} 打卡" if punch.actual else ""
    result = "已有审批" if punch.excused else _RESULT_NAMES[punch.result]
    return f"{'上班' if punch.on_duty else '下班'}{planned}{actual}，{result}"


def _approval_in_words(approved: Approved) -> str:
    unit = "小时" if approved.kind is ApprovalKind.OVERTIME else "天"
    what = {ApprovalKind.LEAVE: "请假", ApprovalKind.TRIP: "出差外出", ApprovalKind.OVERTIME: "加班"}[approved.kind]
    name = "" if approved.name in (what, "请假", "加班") else f"（{escape_markdown(approved.name)}）"
    return f"{what}{name} {format_amount(approved.amount)} {unit}"
