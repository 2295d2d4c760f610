"""The same question under two entries is told, with its line and what the answers disagree in; others are not."""

from __future__ import annotations

from datetime import date

import pytest

from faqbot.knowledge.snapshot import build_snapshot
from faqbot.language.claims import contradiction, permits, stated

TODAY = date(2026, 6, 1)


def entry(question, answer="见手册", **more):
    lines = [f"- question: {question}", f"  answer: {answer}", *(f"  {key}: {value}" for key, value in more.items())]
    return "\n".join(lines) + "\n"


def warnings(*entries, beside=None):
    files = {"faq/a.yaml": "".join(entries).encode()} | {name: text.encode() for name, text in (beside or {}).items()}
    return build_snapshot(files, label="knowledge", today=TODAY).problems


# -- wordings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("年假有几天", "年假一共几天"),
        ("年假有几天？", "我们公司的年假有多少天呢"),
        ("年假怎么申请", "怎么申请年假？"),
        ("病假工资怎么发", "员工的病假工资应该怎么发"),
        ("离职证明什么时候可以拿到", "离职证明什么时候能拿到"),
        ("忘记密码怎么办", "忘了密码如何处理"),
        ("车位怎麼申請", "怎么申请车位"),
    ],
)
def test_wordings_that_ask_nearly_the_same_are_told(one, other):
    (problem,) = warnings(entry(one), entry("食堂几点开门", also=f"[{other}]"))
    assert problem.level == "warning" and problem.place.line == 5
    assert f"“{other}”和“{one}”（knowledge/faq/a.yaml:1）问的几乎一样" in problem.message
    assert problem.quote == f"also: [{other}]"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("产假有几天", "陪产假有几天"),
        ("年假有几天", "婚假有几天"),
        ("年假怎么申请", "年假有几天"),
        ("在职证明怎么开", "离职证明怎么开"),
        ("试用期可以请年假吗", "试用期可以请病假吗"),
        ("报销多久到账", "报销不到账怎么办"),
        ("上海的社保基数是多少", "北京的社保基数是多少"),
        ("入职第 1 年年假几天", "入职第 10 年年假几天"),
        ("打车能报销吗", "打车不能报销怎么办"),
        ("发票丢了还能报销吗", "发票过期了还能报销吗"),
        ("公司有健身房吗", "公司有没有健身房补贴"),
        ("密码忘了怎么办", "密码改不了怎么办"),
        ("医保怎么转入", "医保怎么转出"),
    ],
)
def test_other_questions_are_not(one, other):
    assert warnings(entry(one), entry(other)) == ()


@pytest.mark.parametrize(
    "told_apart",
    [
        {"not": "[年假有几天]"},
        {"valid": "{from: 2027-01-01}", "_": "{until: 2026-12-31}"},
        {"groups": "[cidB]", "_": "[cidA]"},
        {"departments": "[2]", "_": "[1]"},
        {"draft": "true"},
        {"valid": "{until: 2026-01-01}", "expired": True},
    ],
)
def test_entries_that_are_told_apart_are_not(told_apart):
    key = next(iter(told_apart))
    first = entry("年假有几天", **({key: told_apart["_"]} if "_" in told_apart else {}))
    second = entry("年假一共几天", **{key: told_apart[key]})
    found = warnings(first, second)
    assert [p for p in found if "几乎一样" in p.message] == []
    assert len(found) == ("expired" in told_apart)


def test_two_entries_are_told_of_once_however_many_wordings_are_alike():
    found = warnings(
        entry("年假有几天", also="[怎么申请年假, 年假能留到明年吗]"),
        entry("年假一共几天", also="[年假怎么申请, 年假可以留到明年吗]"),
    )
    assert len(found) == 1


def test_a_synonym_makes_two_wordings_one_question():
    pair = (entry("弹性福利怎么选"), entry("福利豆怎么选"))
    assert warnings(*pair) == ()
    assert len(warnings(*pair, beside={"synonyms.yaml": "- [弹性福利, 福利豆]\n"})) == 1


def test_a_wording_of_two_departments_is_no_double():
    pair = [entry("几点上班", answer=f"{n} 点", departments=f"[{n}]") for n in (8, 9)]
    assert warnings(*pair) == ()


def test_a_wording_that_an_entry_claims_and_denies_is_told():
    (problem,) = warnings(entry("年假有几天", also="[年假天数]", **{"not": "[年假天数？]"}))
    assert problem.place.line == 4 and "“年假天数”既是这一条的问法，又写在“不是”" in problem.message


def test_a_warning_stays_the_same_when_lines_above_are_added():
    pair = [entry("年假有几天"), entry("年假一共几天")]
    before, after = warnings(*pair), warnings("# 说明\n", *pair)
    assert [p.key for p in before] == [p.key for p in after] and before != after


# -- answers -----------------------------------------------------------------------------------


def test_what_the_answers_disagree_in_is_told_with_the_double():
    (problem,) = warnings(entry("年假有几天", "满一年的 5 天"), entry("年假一共几天", "每年 **7 天**"))
    assert "两边的答案还不一样：这里“7 天”，那里“5 天”，请先核对" in problem.message


@pytest.mark.parametrize(
    ("here", "there", "differ"),
    [
        ("五天", "7 天", ("5 天", "7 天")),
        ("5天，10天", "5 天，15 天", ("10 天", "15 天")),
        ("每月 10 日前", "每月 10 日前交 2 份", None),
        ("满 1 年 5 天，满 10 年 10 天", "5 天", None),
        ("37,302 元", "37302 元", None),
        ("3.6 万元", "36000元", None),
        ("上限 36549 元", "上限 37302 元", ("36549 元", "37302 元")),
        ("6 月 30 日前交", "2026-06-30 前交", None),
        ("2026年6月30日", "2025/6/30", ("2026年6月30日", "2025/6/30")),
        ("6月30日", "7 月 1 日", ("6月30日", "7 月 1 日")),
        ("9:00 上班", "09：30 上班", ("9:00", "09:30")),
        ("分机 8101", "请打分机 8501", ("分机 8101", "分机 8501")),
        ("五险一金都交", "三险一金", None),
        ("可以，先找上级批", "不可以", ("可以", "不可以")),
        ("不能报销。", "可以报销，附行程单。", ("不可以", "可以")),
        ("可以，但是不能超过 3 天", "不可以", None),
        ("见手册", "找 HR", None),
        ("80%", "百分之八十", None),
        ("100%", "80 %", ("100 %", "80 %")),
    ],
)
def test_two_answers_contradict_each_other_where_both_cannot_be_right(here, there, differ):
    found = contradiction(here, there)
    assert (found and (found.here, found.there)) == differ


def test_what_is_stated_is_sorted_by_what_it_counts():
    assert stated("满 1 年：**5 天**；6 月 30 日 18:00 前，打分机 8101") == {
        "日期": {"6-30": "6 月 30 日"},
        "时刻": {"18:00": "18:00"},
        "电话": {"8101": "分机 8101"},
        "年": {"1": "1 年"},
        "天": {"5": "5 天"},
    }


@pytest.mark.parametrize(
    ("answer", "permitted"),
    [("可以。", True), ("能报销", True), ("不行", False), ("原则上不允许", False), ("看情况", None), ("", None)],
)
def test_yes_and_no_are_read_from_the_first_sentence(answer, permitted):
    assert permits(answer) is permitted


def test_many_copies_take_no_longer_than_other_entries():
    copies = [
        f"- id: e{n}\n  question: 年假有几天\n  also: [年假一共几天, 年假天数]\n  answer: 五天\n" for n in range(800)
    ]
    found = warnings(*copies)
    assert len(found) == 799 * 3 and all("重复" in p.message for p in found)
