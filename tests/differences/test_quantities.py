"""Numbers are the same in every script, with every unit and limit that mean the same, and differ in nothing else."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.differences.finder import DifferenceFinder
from faqbot.differences.reading import read_figures
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.language.normalize import Synonyms
from faqbot.language.vocabulary import builtin_synonyms
from faqbot.model.differences import DifferenceKind
from faqbot.model.entries import Entry
from tests.conftest import SAMPLE

SNAPSHOT = build_snapshot(FolderSource(SAMPLE).read_now(), label="sample", today=date(2026, 11, 25))
FINDER = DifferenceFinder(SNAPSHOT.entries, Synonyms((*SNAPSHOT.synonyms, *builtin_synonyms().groups)))
# The wordings that have a number in digits which is not a part of a name.
NUMBERED = [(entry, w) for entry in SNAPSHOT.entries for w in entry.wordings if re.search(r"\d", w)]


def kinds(question: str, wording: str) -> list[DifferenceKind]:
    entry = Entry("x", wording, "见制度。")
    return [difference.kind for difference in FINDER.differences(FINDER.read(question), wording, entry)]


@pytest.mark.parametrize(
    "same",
    [
        ["奖励五千元", "奖励5000元", "奖励 5,000 元", "奖励5k元", "奖励5千块"],
        ["预算一万", "预算1万", "预算1w", "预算10000"],
        ["扣百分之五", "扣5%", "扣 5 %", "扣5个点"],
        ["二〇二六年排班", "2026年排班", "2026 年排班", "26年排班"],
        ["干满1年", "干满一年", "干满12个月", "干满十二个月"],
        ["Q1的目标", "一季度的目标", "第一季度的目标", "第1季度的目标"],
        ["周一至周五开放", "星期一到星期五开放", "礼拜一到礼拜五开放"],
        ["押金1000元以上", "押金超过1000元", "押金1000+", "押金大于一千块"],
        ["不满三天", "不足3天", "不到三天", "3天以下"],
        ["通勤两公里", "通勤2000米", "通勤2km"],
        ["假期一年半", "假期18个月"],
        ["第2条", "第二条", "第 2 条"],
        ["早上九点半开门", "早上9:30开门"],
    ],
)
def test_one_number_is_the_same_however_it_is_written(same: list[str]) -> None:
    assert {(one, other): kinds(one, other) for one in same for other in same if kinds(one, other)} == {}


@pytest.mark.parametrize(
    ("question", "wording", "kind"),
    [
        ("押金500元怎么退", "押金5000元怎么退", DifferenceKind.NUMBER),
        ("押金500美元怎么退", "押金500元怎么退", DifferenceKind.UNIT),
        ("请8天假", "请8小时假", DifferenceKind.UNIT),
        ("2025年排班", "2026年排班", DifferenceKind.DATE),
        ("明年排班", "2026年排班", DifferenceKind.DATE),
        ("二季度的目标", "一季度的目标", DifferenceKind.DATE),
        ("周六至周日开放", "周一至周五开放", DifferenceKind.DATE),
        ("3级权限", "2级权限", DifferenceKind.LEVEL),
        ("三楼的门禁", "二楼的门禁", DifferenceKind.ORDINAL),
        ("不满三天怎么算", "满三天怎么算", DifferenceKind.LIMIT),
        ("不超过1000元谁批", "超过1000元谁批", DifferenceKind.LIMIT),
        ("1000元以内谁批", "1000元以上谁批", DifferenceKind.LIMIT),
    ],
)
def test_another_number_unit_or_limit_differs(question: str, wording: str, kind: DifferenceKind) -> None:
    assert kind in kinds(question, wording)


@pytest.mark.parametrize(
    ("question", "wording"),
    [
        ("年假有几天", "工作满十年年假有几天"),
        ("三月份的票还能报吗", "票还能报吗"),
        ("今年怎么排班", "2026年怎么排班"),
        ("五险一金交多少", "社保交多少"),
        ("想申请一个车位", "车位怎么申请"),
        ("万一丢了一张怎么办", "丢了怎么办"),
    ],
)
def test_a_number_that_only_one_of_the_two_has_is_no_difference(question: str, wording: str) -> None:
    assert kinds(question, wording) == []


def test_a_difference_is_in_the_words_of_the_texts() -> None:
    entry = Entry("x", "报销不超过5000元找谁", "找主管。")
    (found,) = FINDER.differences(FINDER.read("报销不超过800元找谁"), entry.question, entry)
    assert (found.asked, found.written) == ("不超过800元", "不超过5000元")


def test_what_another_wording_says_is_no_difference() -> None:
    entry = Entry("x", "三年合同试用期多久", "最长六个月。", also=("一年合同试用期多久",))
    assert FINDER.differences(FINDER.read("一年合同的试用期多久"), entry.question, entry) == ()
    assert FINDER.differences(FINDER.read("两年合同的试用期多久"), entry.question, entry) != ()


@given(st.sampled_from(NUMBERED), st.integers(2, 10**6))
def test_another_number_in_any_wording_always_differs(numbered: tuple[Entry, str], other: int) -> None:
    entry, wording = numbered
    match = re.search(r"\d+(?:\.\d+)?", wording)
    assert match
    question = wording[: match.start()] + str(other) + wording[match.end() :]
    read = [read_figures(w) for w in entry.wordings]
    known = {q.value for figures in read for q in figures.quantities} | {c for figures in read for c in figures.codes}
    asked = read_figures(question)
    if {q.value for q in asked.quantities} <= known and set(asked.codes) <= known:
        return  # another wording of the entry has this number
    assert FINDER.differences(FINDER.read(question), wording, entry)
