"""What can be asked for in chat about people and attendance: by administrators, and by everybody about themselves."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from faqbot.app.running import Running, running
from faqbot.attendance.punch_commands import parse_day
from faqbot.dialogue.command_parser import parse_command
from faqbot.model.commands import Command, CommandKind
from faqbot.model.messages import Message, MessageKind
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.workdays import Shift
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from tests.automation.replica import Clock
from tests.conftest import Talk

RULES = """\
robots:
  all-hands: {token: $TOKEN, secret: $SECRET}
  sales: {token: $TOKEN, secret: $SECRET}
"""
MONDAY = date(2026, 10, 12)
NOW = "2026-10-13 15:00"


@pytest.fixture
def ready(ding: FakeDingTalk, settings: Settings, knowledge: Path) -> Settings:
    """研发中心 with 后端组; 张姐 is the administrator; it is Tuesday afternoon."""
    book = ding.contacts
    research = book.add_department("研发中心")
    backend = book.add_department("后端组", research)
    book.hire("老周", [research], userid="zhou", leads=[research], title="总监")
    book.hire("小李", [backend], userid="li", supervisor="zhou")
    book.hire("小王", [backend], userid="wang", supervisor="zhou")
    book.hire("张姐", userid="zhang")
    for userid in ("zhou", "li", "wang", "zhang"):
        for day in (MONDAY, date(2026, 10, 13)):
            ding.attendance.workdays.days[userid, day] = Shift("normal")
    ding.robots.clock = ding.attendance.now = Clock(NOW)
    ding.attendance.admins.add("zhang")
    robot = ding.robots.add("all-hands", "全员群", secret="SEC" + "0" * 61)
    (knowledge / "automations.yaml").write_text(RULES, encoding="utf-8")
    return replace(settings, environ={"TOKEN": robot.token, "SECRET": robot.secret}, admins=frozenset({"zhang"}))


@pytest.fixture
async def app(ding: FakeDingTalk, ready: Settings) -> AsyncIterator[Running]:
    async with running(ready, Clock(NOW)) as started:
        assert await ding.until_connected()
        # The draft among the knowledge is told of first.
        assert await ding.world.until(lambda: any("草稿" in m.text for m in ding.replies), 60)
        yield started


@pytest.fixture
def say(ding: FakeDingTalk, app: Running) -> Talk:
    return Talk(ding)


def message(text: str) -> Message:
    return Message("m", "r", "c", False, MessageKind.TEXT, text)


# -- reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("名单 研发中心", Command(CommandKind.MEMBERS, "研发中心")),
        ("打卡：小李 昨天", Command(CommandKind.PUNCHES, "小李 昨天")),
        ("报表", Command(CommandKind.REPORT)),
        ("考勤报表 上月 后端组", Command(CommandKind.REPORT, "上月 后端组")),
        ("公告 all-hands：明天几点停电？", Command(CommandKind.ANNOUNCE, "all-hands：明天几点停电？")),
        ("公告\n第一行\n第二行", Command(CommandKind.ANNOUNCE, "第一行\n第二行")),
        ("我的打卡", Command(CommandKind.MY_PUNCHES)),
        ("我的年假", Command(CommandKind.MY_LEAVE)),
        ("确认", Command(CommandKind.CONFIRM)),
        ("取消", Command(CommandKind.CANCEL)),
        ("确认情况", Command(CommandKind.CONFIRMATIONS)),
    ],
)
def test_an_order_is_known_by_its_first_word(text: str, order: Command) -> None:
    assert parse_command(message(text)) == order


@pytest.mark.parametrize(
    "text",
    ["打卡", "打卡 忘了怎么办", "打卡 几点算迟到", "打卡时间", "名单", "公告", "公告在哪里看", "报表怎么填",
     "我的年假有几天", "打卡 规定", "名单 在哪里", "确认收货地址", "取消请假"],
)  # fmt: skip
def test_a_question_stays_a_question(text: str) -> None:
    assert parse_command(message(text)) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("今天", date(2026, 10, 13)),
        ("昨天", date(2026, 10, 12)),
        ("10-12", date(2026, 10, 12)),
        ("10月12日", date(2026, 10, 12)),
        ("12-31", date(2025, 12, 31)),
        ("2026/9/1", date(2026, 9, 1)),
        ("2-30", None),
        ("小李", None),
    ],
)
def test_a_day_is_read_as_people_write_it(text: str, day: date | None) -> None:
    assert parse_day(text, date(2026, 10, 13)) == day


# -- by administrators --------------------------------------------------------------------------------


async def test_anybody_else_gets_a_polite_no(say: Talk, ding: FakeDingTalk) -> None:
    for text in ("名单 研发中心", "打卡 小李", "报表", "公告 all-hands：停电", "确认情况"):
        said = await say("小李", text, group=None)
        assert "不好意思" in said and "管理员" in said
    assert not ding.oapi.calls


async def test_the_members_of_a_department_are_listed_with_those_below(say: Talk) -> None:
    said = await say("张姐", "名单 研发中心")
    assert "研发中心** （含下级）共 3 人" in said.replace("**（", "** （")
    assert "研发中心（1）：老周（总监，负责人）" in said and "后端组（2）：小李、小王" in said
    assert "没有叫“财务部”的部门" in await say("张姐", "名单 财务部")


async def test_a_persons_day_is_told_with_what_was_approved(say: Talk, ding: FakeDingTalk) -> None:
    ding.attendance.workdays.days["li", MONDAY] = Shift("half", leave="年假")
    said = await say("张姐", "打卡 小李 昨天", group=None)
    assert "**小李** 10-12（周一）" in said and "上班 9:00，8:" in said and "请假（年假） 0.5 天" in said
    assert "没有打卡记录" in await say("张姐", "打卡 小李 10-11", group=None)
    assert "没有叫“小赵”的人或部门" in await say("张姐", "打卡 小赵", group=None)


async def test_a_departments_day_takes_one_call_and_accuses_nobody(say: Talk, ding: FakeDingTalk) -> None:
    ding.attendance.workdays.days["li", MONDAY] = Shift("late", minutes=12)
    ding.attendance.workdays.days["wang", MONDAY] = Shift("absent")
    said = await say("张姐", "打卡 研发中心 10-12", group=None)
    assert "目前正常：1 人" in said and "小李：迟到 12 分钟（9:12）" in said and "小王：整天没有打卡" in said
    assert "旷工" not in said and sum(c.path == "/attendance/list" for c in ding.oapi.calls) == 1


async def test_what_others_punched_is_not_said_in_a_group(say: Talk, ding: FakeDingTalk) -> None:
    said = await say("张姐", "打卡 小李 昨天")
    assert "私聊发给您" in said and "小李**" not in said
    single = ding.world.single(ding.world.people["zhang"]).id
    await say.until(lambda: any("**小李**" in m.text for m in ding.replies if m.conversation == single))


async def test_two_people_of_one_name_are_told_apart_by_userid(say: Talk, ding: FakeDingTalk) -> None:
    ding.contacts.hire("小李", userid="li-2")
    said = await say("张姐", "打卡 小李", group=None)
    assert "有 2 位" in said and "打卡 li-2" in said
    assert "**小李**" in await say("张姐", "打卡 li-2", group=None)


async def test_a_report_is_made_now_and_sent_to_the_one_who_asked(say: Talk, ding: FakeDingTalk) -> None:
    ding.attendance.workdays.days["li", MONDAY] = Shift("late", minutes=12)
    said = await say("张姐", "报表 本月 研发中心")
    assert "正在统计 2026 年 10 月研发中心的考勤" in said
    await say.until(lambda: bool(ding.media.files) and any(m.kind == "file" for m in ding.replies), 60)
    (_, content) = next(iter(ding.media.files.values()))
    rows = list(load_workbook(io.BytesIO(content))["按人"].values)
    assert {row[1] for row in rows[1:]} == {"老周", "小李", "小王"}
    others = {ding.world.single(ding.world.people[userid]).id for userid in ("zhou", "li")}
    assert not [m for m in ding.replies if m.conversation in others]


async def test_a_report_that_cannot_be_made_is_explained(say: Talk, ding: FakeDingTalk) -> None:
    await say("张姐", "报表 2026-01", group=None)
    await say.until(lambda: any("最近半年" in m.text for m in ding.replies))


async def test_a_report_that_was_asked_for_is_made_after_a_restart(ding: FakeDingTalk, ready: Settings) -> None:
    store = await open_store(ready.store)
    asked = {"userid": "zhang", "month": "this", "departments": ["1"], "at": Clock(NOW)()}
    await store.put_mark("attendance-asked", "m1", json.dumps(asked))
    await store.close()
    async with running(ready, Clock(NOW)) as app:
        assert await ding.world.until(lambda: any(m.kind == "file" for m in ding.replies), 60)
        async with asyncio.timeout(60):
            while await app.store.marks("attendance-asked"):
                await asyncio.sleep(0.01)


# -- announcements ----------------------------------------------------------------------------------------


async def test_an_announcement_is_shown_first_and_sent_once_after_the_word(say: Talk, ding: FakeDingTalk) -> None:
    shown = await say("张姐", "公告 all-hands、sales：明天 10 点停电\n请存好文件", group=None)
    assert "**all-hands、sales**" in shown and "明天 10 点停电" in shown and "「确认」" in shown
    assert not ding.robots.calls
    assert "共 2 处" in await say("张姐", "确认", group=None)
    await say.until(lambda: len(ding.robots.calls) == 2, 60)
    assert "没有等您确认" in await say("张姐", "确认", group=None)
    assert all(call.body["markdown"]["text"] == "明天 10 点停电  \n请存好文件" for call in ding.robots.calls)


async def test_an_announcement_can_be_taken_back(say: Talk, ding: FakeDingTalk) -> None:
    assert "发「@我 确认」就发出，发「@我 取消」就不发" in await say("张姐", "公告 本群：明天停电")
    assert "没有发出" in await say("张姐", "取消")
    assert "没有等您确认" in await say("张姐", "确认")
    assert "没有等您确认的公告" in await say("张姐", "取消")


async def test_the_group_itself_can_be_told(say: Talk, ding: FakeDingTalk) -> None:
    await say("张姐", "公告 本群：明天停电")
    await say("张姐", "确认")
    await say.until(lambda: any(m.text == "明天停电" for m in ding.replies))


async def test_an_announcement_to_nowhere_asks_where(say: Talk) -> None:
    said = await say("张姐", "公告 明天停电", group=None)
    assert "发到哪里" in said and "all-hands、sales" in said


async def test_nobody_confirms_what_somebody_else_wrote(say: Talk, ding: FakeDingTalk) -> None:
    await say("张姐", "公告 all-hands：停电")
    assert "没有等您确认" in await say("小李", "确认")
    assert not ding.robots.calls


# -- a supervisor's word ------------------------------------------------------------------------------------


async def test_a_supervisor_confirms_in_chat_and_the_administrator_sees_it(say: Talk, app: Running) -> None:
    assert "还没有请主管确认过" in await say("张姐", "确认情况", group=None)
    await app.services.reports.report("this", ["1"], run="r", ask_supervisors=True)
    # What the supervisor is sent must not be taken for a reply.
    while await app.outbox.waiting():
        await asyncio.sleep(0.02)
    assert "还没有确认：老周" in await say("张姐", "确认情况", group=None)
    assert "您确认了 2026-10 的考勤" in await say("老周", "确认")
    assert "已经确认过" in await say("老周", "确认", group=None)
    assert "都确认了" in await say("张姐", "确认情况", group=None)
    assert "没有等您确认" in await say("小李", "确认", group=None)


# -- about oneself ----------------------------------------------------------------------------------------


async def test_ones_own_punches_are_told_alone_and_cost_one_call(say: Talk, ding: FakeDingTalk) -> None:
    ding.attendance.workdays.days["li", MONDAY] = Shift("no_off")
    assert "请点我的头像" in await say("小李", "我的打卡") and not ding.oapi.calls
    for _ in range(2):
        said = await say("小李", "我的打卡", group=None)
        assert "10-12（周一）" in said and "下班 18:00，没有打卡" in said and said.index("10-13") < said.index("10-12")
    assert [c.path for c in ding.oapi.calls] == ["/attendance/list"]


async def test_ones_own_annual_leave_is_told_alone(say: Talk, ding: FakeDingTalk) -> None:
    ding.attendance.balances["li"] = (10.0, 3.5)
    assert "请点我的头像" in await say("小李", "我的年假")
    assert "共 10 天，已用 3.5 天，还剩 **6.5 天**" in await say("小李", "我的年假", group=None)
    assert "没有您的年假余额" in await say("小王", "我的年假", group=None)


@pytest.mark.parametrize(
    ("order", "permission"), [("我的打卡", "qyapi_get_attendance_data"), ("我的年假", "qyapi_holiday_readonly")]
)
async def test_without_the_permission_the_asker_is_told_where_else_to_look(
    say: Talk, ding: FakeDingTalk, order: str, permission: str
) -> None:
    ding.oapi.granted.discard(permission)
    said = await say("小李", order, group=None)
    assert "请联系 HR" in said and "钉钉「考勤打卡" in said and permission not in said


async def test_where_no_administrator_of_attendance_is_known_it_is_said_so(say: Talk, ding: FakeDingTalk) -> None:
    ding.attendance.admins.clear()
    assert "请联系 HR" in await say("小李", "我的年假", group=None)


async def test_somebody_from_outside_sees_nothing(say: Talk) -> None:
    assert "只有本公司" in await say("外人", "我的打卡", group=None, external=True)
