"""A case is the speaker's own, merely named, supposed, somebody else's or ruled out; other texts state no case."""

from __future__ import annotations

import pytest

from faqbot.dialogue.case_mentions import case_mentions, says_only_cases, stated_kind, without_cases

WORDS = ("正式员工", "正式", "外包员工", "外包", "实习生", "一厂", "二厂", "焊工", "夜班", "3号楼")


def read(text: str) -> dict[str, str]:
    return {mention.name: str(mention.stance) for mention in case_mentions(text, WORDS, with_places=True)}


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("我在深圳", "深圳"),
        ("我人在苏州", "苏州"),
        ("我base北京", "北京"),
        ("坐标深圳", "深圳"),
        ("坐标：魔都", "上海"),
        ("在上海这边", "上海"),
        ("我们上海这边", "上海"),
        ("我是北京的", "北京"),
        ("我们在北京分公司", "北京"),
        ("我是上海分公司的", "上海"),
        ("我也在北京", "北京"),
        ("我在北京呢", "北京"),
        ("说错了，我在北京", "北京"),
        ("已经搬到杭州了", "杭州"),
        ("我在北京，产假多少天", "北京"),
        ("在北京，公积金交多少", "北京"),
        ("我在北京上班公积金交多少", "北京"),
        ("谢谢，我在北京", "北京"),
        ("我是外包", "外包"),
        ("我这个月上夜班", "夜班"),
        ("我是正式员工", "正式员工"),
        ("我在3号楼", "3号楼"),
        ("我做焊工的", "焊工"),
        ("我上夜班，餐补怎么算", "夜班"),
    ],
)
def test_a_case_is_stated_as_the_speakers_own(text, case):
    assert read(text) == {case: "own"}


@pytest.mark.parametrize(
    ("text", "case", "stance"),
    [
        ("北京公积金交多少", "北京", "named"),
        ("北京", "北京", "named"),
        ("北京出差住宿标准", "北京", "named"),
        ("我在北京出差", "北京", "named"),
        ("我在北京的房子", "北京", "named"),
        ("我是北京人", "北京", "named"),
        ("我想问北京的公积金", "北京", "named"),
        ("对不起，是北京", "北京", "named"),
        ("杭州的二胎呢", "杭州", "named"),
        ("那杭州的呢", "杭州", "supposed"),
        ("上海的呢", "上海", "supposed"),
        ("换成北京呢", "北京", "supposed"),
        ("那要是在帝都呢", "北京", "supposed"),
        ("如果我在北京的话", "北京", "supposed"),
        ("下个月调到北京", "北京", "supposed"),
        ("我明年去上海", "上海", "supposed"),
        ("那我同事在北京呢", "北京", "supposed"),
        ("外包的呢", "外包", "supposed"),
        ("我老婆在北京", "北京", "others"),
        ("我同事在北京", "北京", "others"),
        ("他也在北京", "北京", "others"),
        ("我老婆上夜班", "夜班", "others"),
        ("户口在上海", "上海", "others"),
        ("我家在上海", "上海", "others"),
        ("不在上海", "上海", "ruled_out"),
        ("我不在上海了", "上海", "ruled_out"),
        ("离开上海了", "上海", "ruled_out"),
        ("除了上海", "上海", "ruled_out"),
        ("上海以外的", "上海", "ruled_out"),
        ("以前在上海", "上海", "ruled_out"),
        ("不是正式员工", "正式员工", "ruled_out"),
        ("我不上夜班", "夜班", "ruled_out"),
    ],
)
def test_a_case_is_named_in_another_sense(text, case, stance):
    assert read(text) == {case: stance}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("不在上海，在北京", {"上海": "ruled_out", "北京": "own"}),
        ("我刚从上海调到北京，想问产假", {"上海": "ruled_out", "北京": "own"}),
        ("我从上海调到北京了", {"上海": "ruled_out", "北京": "own"}),
        ("不是北京是上海", {"北京": "ruled_out", "上海": "named"}),
        ("公司总部在上海，我在北京", {"上海": "others", "北京": "own"}),
        ("我是二厂的焊工", {"二厂": "own", "焊工": "own"}),
    ],
)
def test_each_of_several_cases_has_its_own_sense(text, named):
    assert read(text) == named


@pytest.mark.parametrize("text", ["十二厂", "13号楼", "今天好冷", "上海迪士尼门票", "年假几天"])
def test_no_case_is_read_in_other_words(text):
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("我人在苏州", True),
        ("那要是在帝都呢", True),
        ("上海浦东这边的", True),
        ("我从上海调到北京了", True),
        ("北京也一样吗", True),
        ("我老婆在北京", True),
        ("杭州的二胎呢", False),
        ("我在北京，产假多少天有人知道吗", False),
        ("深圳好冷", False),
        ("我在北京出差", False),
        ("北京怎么走", False),
    ],
)
def test_a_statement_says_nothing_but_its_cases(text, only):
    assert says_only_cases(text, WORDS, with_places=True) is only


def test_in_reply_to_a_question_about_it_what_one_has_elsewhere_is_ones_own() -> None:
    asked = case_mentions("户口在上海", (), with_places=True, asked="您的户口在哪里？")
    assert [str(mention.stance) for mention in asked] == ["named"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我是外包员工", "外包员工"),
        ("我属于派遣员工的", "派遣员工"),
        ("我是不是要交", ""),
        ("外包员工", ""),
        ("我叫小王", ""),
    ],
)
def test_what_speakers_say_they_are_is_read(text, word):
    assert stated_kind(text) == word


@pytest.mark.parametrize(
    ("text", "rest"), [("杭州的二胎呢", "二胎呢"), ("那要是在北京，怎么申请", "怎么申请"), ("年假几天", "年假几天")]
)
def test_a_question_without_its_cases_is_left(text, rest):
    assert without_cases(text, WORDS, with_places=True) == rest
