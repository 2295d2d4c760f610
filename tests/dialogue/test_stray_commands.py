"""Which messages are meant as an administrator's order though they are not written as one."""

from __future__ import annotations

import pytest

from faqbot.dialogue.command_parser import parse_command
from faqbot.dialogue.stray_commands import stray_command
from faqbot.model.commands import Command, CommandKind
from faqbot.model.entries import Entry
from faqbot.model.messages import Message, MessageKind
from faqbot.search.index import Index

INDEX = Index((Entry("a", "年假有几天", "五天"),))


def sound(text: str) -> str:
    return INDEX.sound_of(INDEX.fold(text))


def read(text: str, *, is_admin: bool) -> str | None:
    message = Message("m", "r", "", False, MessageKind.TEXT, text)
    if parse_command(message):
        return None
    command = stray_command(text, sound, is_admin=is_admin)
    assert command is None or command.kind is CommandKind.EXPLAIN
    return command.text if command else None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("报表 上个月呢", "report"), ("小丽 打卡 昨天", "punches"), ("昨天 打卡 小丽", "punches"),
        ("打咔 小李", "punches"),
        ("大卡 小李 昨天", "punches"), ("报标 上月", "report"), ("名丹 研发部", "members"),
        ("研发部 名单", "members"), ("上个月 报表", "report"),
        ("打卡 小李 昨天呢", "punches"), ("打卡：王小明 昨天呢", "punches"), ("研发中心 打卡", "punches"),
        ("打咔 王小明 10-12", "punches"),
    ],
)  # fmt: skip
def test_an_order_in_parts_is_explained_to_everybody(text, kind):
    assert read(text, is_admin=True) == read(text, is_admin=False) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("小丽昨天打卡了吗", "punches"), ("打卡小李昨天", "punches"), ("小李打卡记录", "punches"),
        ("研发部名单", "members"),
        ("上个月报表", "report"), ("名单研发中心", "members"), ("报表上个月", "report"),
        ("小李昨天的打卡情况", "punches"),
    ],
)  # fmt: skip
def test_one_without_blanks_is_explained_to_administrators_only(text, kind):
    assert read(text, is_admin=True) == kind
    assert read(text, is_admin=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "打卡", "打卡忘了怎么办", "忘记 打卡", "外勤 打卡", "出差 打卡", "打卡 时间", "打卡 地点", "时间 打卡",
        "方式 打卡", "打卡 规定", "补 打卡", "加班 打卡",
        "打卡异常怎么处理", "几点打卡", "昨天忘打卡", "我昨天没打卡", "补昨天打卡", "报表怎么导出", "财务 报表",
        "报表 模板", "财务报表", "名单在哪看", "入围 名单",
        "公告在哪看", "公告栏", "公司 公告", "公告明天停电", "大卡 热量", "年假 昨天", "小李 年假", "研发部 年假",
        "午餐 打卡", "健身 打卡", "", "？", "打卡 打卡",
        "迟到 打卡", "周末打卡算加班吗", "打卡机坏了", "打卡范围多大",
    ],
)  # fmt: skip
def test_questions_about_the_same_words_stay_questions(text):
    assert read(text, is_admin=True) is None
    assert read(text, is_admin=False) is None


def test_orders_as_they_must_be_written_are_carried_out():
    for text in ("打卡 小李 昨天", "打卡 小丽昨天", "报表 上月 研发中心", "名单：研发中心"):
        message = Message("m", "r", "", False, MessageKind.TEXT, text)
        assert isinstance(parse_command(message), Command)
