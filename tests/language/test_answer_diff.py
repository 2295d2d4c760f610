"""What corrects an answer and what only says the same in other words."""

from __future__ import annotations

import pytest

from faqbot.language.answer_diff import Correction, correction

CORRECTED = [
    # amounts
    ("年假 5 天。", "年假 10 天。"),
    ("最高报销 300 元。", "最高报销 350 元。"),
    ("上限 37,302 元。", "上限 36,549 元。"),
    ("补贴 3 万。", "补贴 3.5 万。"),
    ("分机 8001。", "分机 8002。"),
    ("基数是 36549", "基数是 37302"),
    ("双倍工资。2 倍。", "双倍工资。3 倍。"),
    # Chinese numerals
    ("年假五天。", "年假十天。"),
    ("五个工作日内到账。", "三个工作日内到账。"),
    ("提前半天申请。", "提前一天申请。"),
    ("打八折。", "打九折。"),
    # percentages
    ("按 50% 报销。", "按 60% 报销。"),
    ("按百分之五十报销。", "按百分之六十报销。"),
    # dates and times
    ("每月 10 日发薪。", "每月 15 日发薪。"),
    ("截止到 2026-03-31。", "截止到 2026-04-30。"),
    ("顺延到次年 3 月 31 日。", "顺延到次年 6 月 30 日。"),
    ("9 点上班。", "9 点半上班。"),
    ("每周三发放。", "每周五发放。"),
    ("每月报一次。", "每季度报一次。"),
    ("当月底前交。", "次月底前交。"),
    # what is allowed and asked for
    ("离职可以折现。", "离职不可以折现。"),
    ("试用期不能请年假。", "试用期能请年假。"),
    ("可以带家属。", "不能带家属。"),
    ("需要提交发票。", "无需提交发票。"),
    ("病假必须有证明。", "病假不用证明。"),
    ("打车可报销，停车不报销。", "打车不报销，停车可报销。"),
    # the same values for other things
    ("满 1 年的 5 天，满 10 年的 10 天。", "满 1 年的 10 天，满 10 年的 5 天。"),
    # something more, something less
    ("年假 5 天。", "年假 5 天，司龄满 10 年的 10 天。"),
    ("年假 5 天。最多顺延 3 天。", "年假 5 天。"),
]


@pytest.mark.parametrize(("before", "after"), CORRECTED)
def test_other_facts_are_a_correction_both_ways(before: str, after: str) -> None:
    assert correction(before, after) is not None
    assert correction(after, before) is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("年假 5 天。", "年假 5 天。"),
        ("年假 5 天。", "每人有 **5 天** 年假。"),
        ("年假五天。", "年假 5 天。"),
        ("最高 37,302 元。", "最高 37302元。"),
        ("补贴 3 万。", "补贴 30000。"),
        ("按百分之五十报销。", "按 50% 报销。"),
        ("9 点半上班。", "9:30 上班。"),
        ("半天起请。", "0.5 天起请。"),
        ("可以折现。", "可以折现，具体请问薪酬组。"),
        ("可以请病假，可以用年假。", "可以请病假或用年假。"),
        ("先填表。再交给主管。", "1. 先填表\n2. 再交给主管"),
        ("见《员工手册》第 5 章。", "见《员工手册》第 6 章。"),
        ("见 [说明](https://a.example/2024)。", "见 [说明](https://a.example/2025)。"),
        ("在钉钉日历里新建日程。", "打开钉钉，进入「日历」，新建一个日程。"),
        ("每礼拜三发放。", "每周三发放。"),
        ("", ""),
    ],
)
def test_other_words_are_none(before: str, after: str) -> None:
    assert correction(before, after) is None
    assert correction(after, before) is None


def test_only_the_sentences_that_changed_are_quoted() -> None:
    found = correction("在钉钉里申请。年假 5 天。请问休假组。", "在钉钉里申请。年假 10 天。请问休假组。")
    assert found == Correction("年假 5 天。", "年假 10 天。")


def test_lists_and_emphasis_become_plain_sentences() -> None:
    found = correction("- 满 1 年：**5 天**\n- 满 10 年：10 天", "- 满 1 年：**6 天**\n- 满 10 年：12 天")
    assert found == Correction("满 1 年：5 天；满 10 年：10 天", "满 1 年：6 天；满 10 年：12 天")


def test_where_a_sentence_only_went_the_rest_says_what_holds_now() -> None:
    found = correction("年假 5 天。最多顺延 3 天。", "年假 5 天。")
    assert found == Correction("最多顺延 3 天。", "年假 5 天。")


def test_what_is_quoted_is_not_endless() -> None:
    found = correction("年假 5 天，" + "很" * 999, "年假 6 天。")
    assert found is not None and len(found.before) < 450
