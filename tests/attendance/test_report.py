"""The monthly report against the stand-in's limits: totals, calls, who is told what, and confirmations."""

from __future__ import annotations

import asyncio
import io
import math
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import aiohttp
import pytest
from openpyxl import load_workbook

from faqbot.attendance.collector import Collector, ReportRefused
from faqbot.attendance.report import AttendanceReports
from faqbot.attendance.workbook import BY_DEPARTMENT, BY_PERSON, DAYS, NOTES
from faqbot.dingtalk.api import attendance, contacts
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.group_robots import GroupRobotSender, RobotKeys
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import Robot
from faqbot.errors import DeliveryError
from faqbot.model.notices import Address
from faqbot.outbox.channels import PersonChannel, RobotChannel
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.metrics import Metrics
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.workdays import SHANGHAI, Shift
from tests.company import Company, open_api

NOW = datetime(2026, 11, 2, 9, 40, tzinfo=SHANGHAI).timestamp()
OCTOBER = [date(2026, 10, n) for n in range(1, 32)]
ROBOT = Address("robot", "all-hands")
PUNCHES, VALUES = attendance.PUNCHES, attendance.COLUMN_VALUES


@dataclass
class Office:
    """The bot's own parts for the report, at work on the stand-in's company; HR is 张姐."""

    ding: FakeDingTalk
    reports: AttendanceReports
    collector: Collector
    directory: ContactsCache
    outbox: Outbox
    quota: Quota
    now: float = NOW
    slept: float = 0.0

    def calls(self, *paths: str) -> int:
        return sum(call.path in (paths or (PUNCHES, VALUES, attendance.COLUMNS)) for call in self.ding.oapi.calls)

    async def send(self) -> None:
        await self.outbox.poll()
        await self.outbox.idle()
        while await self.outbox.waiting():
            await self.outbox.poll()
            await self.outbox.idle()

    def told(self, userid: str) -> list[str]:
        """What the robot wrote to one person."""
        conversation = self.ding.world.single(self.ding.world.people[userid]).id
        return [m.text for m in self.ding.replies if m.conversation == conversation]


@pytest.fixture
async def office(company: Company) -> AsyncIterator[Office]:
    ding = company.ding
    ding.contacts.hire("张姐", userid="hr")
    ding.attendance.workdays.holidays |= {date(2026, 10, n) for n in range(1, 8)}
    ding.attendance.workdays.makeup.add(date(2026, 10, 10))
    async with aiohttp.ClientSession() as session:
        quota = Quota(
            company.store, Metrics(), calls=5000, messages=3000, today=lambda: datetime.fromtimestamp(made.now).date()
        )
        api = open_api(ding, session, company.store, quota.call)
        directory = ContactsCache(api, company.store)
        key = ding.robots.add("全员机器人", "全员群", secret="SEC" + "0" * 64)
        ways = {
            "person": PersonChannel(Robot(api, ding.client_id), Metrics()),
            "robot": RobotChannel(
                GroupRobotSender(session, ding.url), lambda name: RobotKeys(key.token, key.secret), Metrics(), quota
            ),
        }
        outbox = Outbox(company.store, ways)

        async def sleep(seconds: float) -> None:
            made.slept += seconds

        collector = Collector(directory, company.store, quota, SHANGHAI, clock=lambda: made.now, sleep=sleep)
        reports = AttendanceReports(
            directory, collector, company.store, outbox, timezone=SHANGHAI, admins={"hr"}, clock=lambda: made.now
        )
        made = Office(ding, reports, collector, directory, outbox, quota)
        ding.attendance.now = lambda: made.now
        yield made


def quiet(office: Office) -> None:
    """Everybody's October was ordinary; a test says what was not."""
    for member in office.ding.contacts.everybody():
        for day in OCTOBER:
            if office.ding.attendance.workdays.works(day):
                office.ding.attendance.workdays.days[member.userid, day] = Shift("normal")


def happens(office: Office, userid: str, day: int, what: Shift) -> None:
    office.ding.attendance.workdays.days[userid, date(2026, 10, day)] = what


# -- two hundred and thirty people ------------------------------------------------------------------------


def grow(office: Office) -> None:
    """Ten teams in two divisions, 230 people in all; some work at night."""
    book = office.ding.contacts
    divisions = [book.add_department(name) for name in ("制造中心", "营销中心")]
    for number, division in enumerate(divisions):
        book.hire(f"总监{number}", [division], userid=f"head-{number}", leads=[division])
    teams = [book.add_department(f"第{n}组", divisions[n % 2]) for n in range(10)]
    number = 0
    while len(book.everybody()) < 230:
        team = teams[number % 10]
        leads = [team] if number < 10 else []
        book.hire(f"员工{number:03d}", [team], userid=f"e{number:03d}", leads=leads)
        number += 1
    office.ding.attendance.workdays.night |= {"e020", "e021", "e022"}


def counted(ding: FakeDingTalk) -> Counter[str]:
    """What really happened in October, straight from what the stand-in made up."""
    found: Counter[str] = Counter()
    for member in ding.contacts.everybody():
        for day in OCTOBER:
            happened = ding.attendance.workdays.day(member.userid, day)
            if happened is None:
                continue
            found["shifts"] += 1
            found[happened.kind] += 1
            found["overtime x2"] += int(happened.overtime * 2)
            if happened.leave:
                found[f"{happened.leave} x2"] += 2 if happened.kind == "leave" else 1
    return found


async def test_a_month_of_230_people_has_the_right_totals_with_hardly_a_call_too_many(office: Office) -> None:
    grow(office)
    plan = await office.collector.plan("last", ["1"])
    reading = office.calls()
    collected = await office.collector.collect(plan, "run-1")
    truth, total = counted(office.ding), collected.report.totals

    assert (total.people, total.shifts) == (230, truth["shifts"])
    assert (total.late, total.serious_late, total.early) == (truth["late"], truth["serious"], truth["early"])
    assert total.missing == truth["no_on"] + truth["no_off"] and total.absent == truth["absent"]
    assert total.leave == {name: truth[f"{name} x2"] / 2 for name in ("年假", "病假", "事假", "调休")}
    assert total.trip == truth["trip"] and total.overtime == truth["overtime x2"] / 2
    assert total.present == truth["shifts"] - truth["absent"] - truth["leave"] - truth["trip"]
    assert min(truth.values()) > 0

    # Rows come fifty a call at the most; each person's columns take one, and so does the list of columns.
    least = math.ceil(2 * truth["shifts"] / 50) + 230 + 1
    calls = office.calls()
    print(f"\n230 people, October: {calls} calls, {least} is the least, {plan.calls} were planned")
    assert reading == 0 and calls == collected.calls
    assert least <= calls <= least + len(plan.queries)
    assert abs(plan.calls - calls) < 0.2 * calls
    await office.quota.flush()
    assert (await office.quota.usage())["calls"].used == calls


async def test_a_run_that_was_killed_goes_on_where_it_stopped(office: Office) -> None:
    quiet(office)
    happens(office, "li", 30, Shift("late", minutes=12))
    plan = await office.collector.plan("2026-10", ["1"])
    run = asyncio.create_task(office.collector.collect(plan, "run-1"))
    assert await office.ding.world.until(lambda: office.calls(PUNCHES) == 3, 60)
    run.cancel()
    await asyncio.wait([run])
    done = await office.collector.collect(plan, "run-1")
    assert done.report.totals.late == 1 and done.report.totals.people == 4
    # The call that was under way when it was killed is the only one that is made twice.
    assert office.calls() <= len(plan.queries) + 1 + 4 + 1


async def test_leave_that_could_not_be_read_is_read_when_the_permission_is_there(office: Office) -> None:
    quiet(office)
    office.ding.oapi.granted.discard("qyapi_base")
    plan = await office.collector.plan("2026-10", ["1"])
    first = await office.collector.collect(plan, "run-1")
    read = office.calls(PUNCHES)
    office.ding.oapi.granted.add("qyapi_base")
    again = await office.collector.collect(plan, "run-1")
    assert (first.report.approvals_known, again.report.approvals_known) == (False, True)
    assert office.calls(PUNCHES) == read
    await office.collector.collect(plan, "run-2")
    assert office.calls(PUNCHES) == 2 * read


async def test_what_fails_for_a_moment_is_tried_again(office: Office) -> None:
    quiet(office)
    plan = await office.collector.plan("last", ["1"])
    office.ding.faults.update({"api_fault": "qps", "api_fail_next": 2})
    assert (await office.collector.collect(plan, "run-1")).report.totals.people == 4 and office.slept >= 2
    office.ding.faults.update({"api_fault": "busy", "api_fail_next": -1})
    with pytest.raises(DeliveryError) as caught:
        await office.collector.collect(plan, "run-2")
    assert not caught.value.permanent


# -- what cannot be reported ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "departments", "says"),
    [
        ("2026-04", ["1"], "半年"),
        ("this", ["1"], ""),
        ("2026-12", ["1"], "还没有可以统计的日子"),
        ("明年", ["1"], "看不懂月份“明年”"),
        ("last", ["财务部"], "没有叫“财务部”的部门"),
        ("last", ["前端组"], "没有人"),
    ],
)
async def test_a_report_that_cannot_be_made_says_why_before_any_call(
    office: Office, month: str, departments: list[str], says: str
) -> None:
    if not says:
        assert (await office.collector.plan(month, departments)).last == date(2026, 11, 1)
        return
    with pytest.raises(ReportRefused, match=says):
        await office.collector.plan(month, departments)
    assert office.calls() == 0


async def test_a_report_the_quota_does_not_allow_is_not_begun(office: Office) -> None:
    for _ in range(4995):
        office.quota.call(PUNCHES, "ok")
    await office.quota.flush()
    plan = await office.collector.plan("last", ["1"])
    with pytest.raises(ReportRefused, match="只剩 5 次"):
        await office.collector.collect(plan, "run-1")
    assert office.calls() == 0


@pytest.mark.parametrize("permission", ["qyapi_get_attendance_data", "qyapi_get_department_member", "qyapi_get_member"])
async def test_a_missing_permission_is_named_with_where_to_open_it(office: Office, permission: str) -> None:
    office.ding.oapi.granted.discard(permission)
    with pytest.raises(ReportRefused, match=f"{permission}.*权限管理"):
        await office.reports.report("last", ["1"], run="r", to=ROBOT)
    assert not office.ding.replies


async def test_without_the_columns_nobody_is_called_absent(office: Office) -> None:
    quiet(office)
    happens(office, "li", 20, Shift("leave", leave="年假"))
    office.ding.attendance.smart_report = False
    await office.reports.report("last", ["1"], run="r", to=ROBOT)
    await office.send()
    shown = "\n".join(m.text for m in office.ding.replies)
    assert "旷工" not in shown and "整天没有打卡" in shown and "智能统计" in shown and "可能有请假的人" in shown


# -- who is told what ---------------------------------------------------------------------------------------


async def report(office: Office, run: str = "r") -> None:
    await office.reports.report("last", ["1"], run=run, to=ROBOT, ask_supervisors=True)
    await office.send()


async def test_the_group_sees_totals_and_no_names_and_the_supervisors_are_mentioned(office: Office) -> None:
    quiet(office)
    happens(office, "li", 20, Shift("late", minutes=12))
    happens(office, "wang", 21, Shift("absent"))
    await report(office)
    (post,) = office.ding.robots.calls
    (shown,) = [m.text for m in office.ding.replies if "考勤汇总" in m.text]
    assert "2026 年 10 月考勤汇总" in shown and "共 **4** 人" in shown and "迟到 **1** 次" in shown
    assert "研发中心/后端组（1 人）：迟到 1 次" in shown and "小李" not in shown and "小王" not in shown
    assert post.body["at"]["atUserIds"] == ["zhou"]


async def test_a_supervisor_is_told_of_their_own_people_only(office: Office) -> None:
    quiet(office)
    happens(office, "li", 20, Shift("late", minutes=12))
    happens(office, "wang", 21, Shift("absent"))
    await report(office)
    (shown,) = office.told("zhou")
    assert "**小李**：10-20 迟到 12 分钟（9:12）" in shown and "确认" in shown and "小王" not in shown
    assert office.told("wang") == office.told("li") == []


async def test_hr_gets_the_file_and_who_has_no_supervisor(office: Office) -> None:
    quiet(office)
    office.ding.contacts.members["li"].name = "=小李\x0b"
    happens(office, "li", 20, Shift("half", leave="事假"))
    happens(office, "wang", 21, Shift("no_on"))
    await report(office)
    text, file = sorted(office.told("hr"), key=lambda t: t.startswith("[文件]"))
    assert "已请 1 位主管确认：老周" in text and "没有人替他们确认的：" in text
    assert all(name in text.partition("没有人替他们确认的：")[2] for name in ("张姐", "老周", "小王"))
    assert file == "[文件] 考勤报表 2026-10.xlsx"

    (_, content) = next(iter(office.ding.media.files.values()))
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == [BY_DEPARTMENT, BY_PERSON, DAYS, NOTES]
    persons = list(book[BY_PERSON].values)
    row = dict(zip(persons[0], next(r for r in persons if r[1] == "=小李"), strict=True))
    assert (row["部门"], row["应出勤天数"], row["缺卡次数"], row["事假（天）"]) == ("研发中心/后端组", 18, 0, 0.5)
    total = list(book[BY_DEPARTMENT].values)[-1]
    assert total[0] == "合计" and total[1] == 4
    (day,) = list(book[DAYS].values)[1:]
    assert day[:5] == ("市场部", "小王", "2026-10-21", "上班缺卡", "9:00")


async def test_the_same_run_again_sends_and_uploads_nothing_twice(office: Office) -> None:
    quiet(office)
    await report(office)
    before, calls = len(office.ding.replies), len(office.ding.oapi.calls)
    await report(office)
    assert len(office.ding.replies) == before and len(office.ding.media.files) == 1
    assert office.calls(PUNCHES, VALUES, "/media/upload") == sum(
        call.path in (PUNCHES, VALUES, "/media/upload") for call in office.ding.oapi.calls[:calls]
    )


# -- confirmations -----------------------------------------------------------------------------------------


async def test_a_word_of_confirmation_is_recorded_and_hr_sees_who_has_not_given_it(office: Office) -> None:
    quiet(office)
    office.ding.contacts.hire("阿强", [1004], userid="qiang", supervisor="wang")
    await report(office)
    assert [(c.name, c.confirmed) for c in await office.reports.confirmations.latest()] == [("小王", 0), ("老周", 0)]
    assert await office.reports.confirmations.confirm("li") is None
    (given,) = await office.reports.confirmations.confirm("zhou") or ()
    assert (given.month, given.name) == ("2026-10", "老周") and await office.reports.confirmations.confirm("zhou") == ()
    assert [(c.name, bool(c.confirmed)) for c in await office.reports.confirmations.latest()] == [
        ("小王", False),
        ("老周", True),
    ]
    await office.send()
    assert not any("都确认了" in text for text in office.told("hr"))
    await office.reports.confirmations.confirm("wang")
    await office.send()
    assert sum("2 位主管都确认了" in text for text in office.told("hr")) == 1


async def test_a_new_report_of_the_same_month_asks_again(office: Office) -> None:
    quiet(office)
    for run, still_confirmed in (("r", False), ("r", True), ("corrected", False)):
        await office.reports.report("last", ["1"], run=run, ask_supervisors=True)
        assert bool((await office.reports.confirmations.latest())[0].confirmed) is still_confirmed
        await office.reports.confirmations.confirm("zhou")


async def test_old_months_are_forgotten(office: Office, company: Company) -> None:
    quiet(office)
    for number in range(8):
        office.now = NOW + timedelta(days=30 * number).total_seconds()
        await office.reports.report("last", ["1"], run=f"run-{number}", ask_supervisors=True)
    assert len(await company.store.marks("attendance-confirmations")) == 6


async def test_contacts_are_asked_once_a_day(office: Office) -> None:
    quiet(office)
    await office.collector.plan("last", ["1"])
    before = office.calls(contacts.USER_GET)
    await office.collector.plan("last", ["1"])
    assert office.calls(contacts.USER_GET) == before == 4
