"""A case stands for places, for those in them and for offices there, and never for what is only near to it."""

from __future__ import annotations

import pytest

from faqbot.dialogue.clarification import case_of, mentions_for
from faqbot.model.entries import Entry, FollowUp


def case_in(cases: tuple[str, ...], text: str) -> str | None:
    entry = Entry("e", "补贴多少", "", ask=FollowUp("city", "您在哪里？"), variants=dict.fromkeys(cases, "x"))
    mentions = mentions_for(entry, text)
    assert len(mentions) == 1
    return case_of(entry, mentions[0])


@pytest.mark.parametrize(
    ("cases", "text", "case"),
    [
        (("上海", "北京", "else"), "我在帝都", "北京"),
        (("上海", "北京市", "else"), "北京的补贴", "北京市"),
        (("上海", "北京", "else"), "苏州补贴", "else"),
        (("北京、上海、深圳", "else"), "北京补贴", "北京、上海、深圳"),
        (("北上广深", "else"), "广州补贴", "北上广深"),
        (("广东省", "else"), "深圳补贴", "广东省"),
        (("广东省", "深圳市", "else"), "深圳补贴", "深圳市"),
        (("上海总部", "苏州工厂", "else"), "苏州补贴", "苏州工厂"),
        (("浦东", "徐汇", "else"), "我在浦东", "浦东"),
        (("上海以外", "上海"), "杭州补贴", "上海以外"),
        (("上海以外", "上海"), "上海补贴", "上海"),
        (("正式员工", "外包员工"), "外包补贴", "外包员工"),
        (("1号厂区", "2号厂区"), "2号厂区补贴", "2号厂区"),
    ],
)
def test_the_case_is_the_one_that_holds(cases, text, case):
    assert case_in(cases, text) == case


@pytest.mark.parametrize(
    ("cases", "text"),
    [
        (("杭州", "else"), "浙江补贴"),
        (("浦东", "徐汇", "else"), "上海补贴"),
        (("上海", "北京"), "苏州补贴"),
        (("上海", "研发中心", "else"), "苏州补贴"),
        (("上海以外", "else"), "上海补贴"),
    ],
)
def test_what_cannot_be_told_is_no_case(cases, text):
    assert case_in(cases, text) is None
