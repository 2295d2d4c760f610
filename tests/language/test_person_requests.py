"""Who asks for a person says so in many words; a question about 人工费 or 联系人 asks for nobody."""

from __future__ import annotations

import pytest

from faqbot.language.person_requests import requested_question, takes_back, team_named


@pytest.mark.parametrize(
    "text",
    [
        "人工", "转人工。", "找真人", "人工客服", "转人工服务", "我要人工", "有没有真人？", "能不能找个人问问",
        "真人呢", "轉人工",
        "你好，转人工", "帮我转接人工谢谢", "联系客服", "叫人来", "算了转人工", "我想找个真人聊聊", "来个人",
        "  人工  ",
    ],
)  # fmt: skip
def test_a_person_is_asked_for(text):
    assert requested_question(text) == ""


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("人工 我的 年假不对", "我的 年假不对"), ("转人工：证明怎么开", "证明怎么开"),
        ("我要找人工，工资没发", "工资没发"),
        ("人工\n工资条没收到", "工资条没收到"), ("找人，帮我看看门禁", "帮我看看门禁"),
    ],
)  # fmt: skip
def test_a_question_may_stand_behind_the_request(text, question):
    assert requested_question(text) == question


@pytest.mark.parametrize(
    "text",
    [
        "人工费怎么报销", "人工智能培训", "人工审批要多久", "客服", "有人吗", "联系人 怎么填", "接人 怎么报销",
        "找人内推", "找谁", "",
        "真人CS团建", "来人登记", "换人",
    ],
)  # fmt: skip
def test_nobody_is_asked_for(text):
    assert requested_question(text) is None


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("取消", True), ("算了", True), ("算了，不用了", True), ("不用了谢谢", True), ("没事儿了", True),
        ("当我没说吧", True),
        ("取消年假", False), ("不用打卡吗", False), ("没事可以早退吗", False), ("谢谢", False), ("", False),
    ],
)  # fmt: skip
def test_a_request_is_taken_back(text, back):
    assert takes_back(text) is back


TEAMS = [["薪酬组", "薪酬"], ["员工关系组", "离职与证明"], ["IT服务台", "办公与 IT"], []]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("薪酬组", 0), ("薪酬", 0), ("找薪酬组吧", 0), ("员工关系", 1), ("应该是员工关系组的", 1), ("IT", 2),
        ("it服务台", 2),
        ("办公与IT", 2), ("薪酬组（薪酬）", 0), ("薪酬怎么算", None), ("组", None), ("行政组", None),
    ],
)  # fmt: skip
def test_a_team_is_picked_by_a_name_of_it(text, number):
    assert team_named(text, TEAMS) == number


def test_a_name_of_two_teams_picks_none():
    assert team_named("人事", [["人事部"], ["人事科"]]) is None
