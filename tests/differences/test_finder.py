"""A question that says the opposite, or asks for another condition, is never answered outright by what is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from faqbot.dialogue.answer_policy import judge_many
from faqbot.differences.finder import apart, opposed
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import Snapshot, build_snapshot
from faqbot.model.decisions import Answered, Offered
from faqbot.model.entries import Entry, FollowUp
from faqbot.search.thresholds import FITTED_THRESHOLDS
from tests.conftest import SAMPLE

TODAY = date(2026, 11, 25)
ROWS = [
    [cell.strip() for cell in line.split("|")]
    for line in (Path(__file__).parents[1] / "opposites.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@cache
def sample() -> Snapshot:
    return build_snapshot(FolderSource(SAMPLE).read_now(), label="knowledge", today=TODAY)


def answers(questions: list[str]) -> list[str]:
    """The entry each question is answered with outright, or nothing."""
    judged = judge_many(questions, sample().index, limits=FITTED_THRESHOLDS["balanced"], today=TODAY)
    return [d.entry.id if isinstance(d, Answered) else "" for d, _ in judged]


def test_there_are_sixty_pairs_about_entries_that_exist() -> None:
    assert len({question for row in ROWS for question in (row[0], row[2])}) >= 120
    assert {id_ for row in ROWS for id_ in (row[1], row[3]) if id_} <= {e.id for e in sample().entries}


def test_no_opposite_is_answered_outright_with_the_wrong_entry() -> None:
    found = zip([row[2] for row in ROWS], answers([row[2] for row in ROWS]), [row[3] for row in ROWS], strict=True)
    assert [(question, got) for question, got, right in found if got not in ("", right)] == []


def test_hardly_a_straight_question_is_lost() -> None:
    found = zip([row[0] for row in ROWS], answers([row[0] for row in ROWS]), [row[1] for row in ROWS], strict=True)
    assert sum(got != right for _, got, right in found) <= 5


LEAVE = Entry("leave", "年假没休完怎么办？", "可以顺延。", also=("没休的年假会清零吗",))


@pytest.mark.parametrize(
    ("question", "wording", "is_opposed"),
    [
        ("年假没休完怎么办", "年假没休完怎么办？", False),
        ("年假要是没休完怎么办", "年假没休完怎么办？", False),
        ("年假休完了怎么办", "年假没休完怎么办？", True),
        ("可以不打卡吗", "可以打卡吗", True),
        ("可以打卡吗", "可以不打卡吗", True),
        ("能不能打卡", "可以打卡吗", False),
        ("要不要打卡", "需要打卡吗", False),
        ("打卡没有", "打卡了吗", False),
        ("没打卡怎么办", "忘记打卡怎么办", False),
        ("没交社保怎么办", "社保能补交吗", False),
        ("没有年假怎么办", "年假有几天", True),
        ("不知道年假有几天", "年假有几天", False),
        ("不好意思，年假有几天", "年假有几天", False),
        ("有没有年假", "有年假吗", False),
        ("在职证明怎么开", "离职证明怎么开", True),
        ("辞职证明怎么开", "离职证明怎么开", False),
        ("转正后工资打折吗", "试用期工资打折吗", True),
        ("没转正工资打折吗", "试用期工资打折吗", False),
        ("涨工资怎么申请", "扣工资怎么申请", True),
        ("女员工有几天", "男员工有几天", True),
        ("子女教育怎么填", "男员工怎么填", False),
        ("年假怎么取消", "年假怎么申请", True),
        ("年假怎么请", "年假怎么申请", False),
    ],
)
def test_what_is_denied_and_the_side_that_is_meant_must_agree(question: str, wording: str, is_opposed: bool) -> None:
    assert opposed(question, wording, Entry("x", wording, "是这样的。")) is is_opposed


@pytest.mark.parametrize(
    ("question", "answer", "is_opposed"),
    [
        ("试用期病假怎么请", "在 OA 提交。", True),
        ("试用期病假怎么请", "在 OA 提交，试用期也一样。", False),
        ("实习生病假怎么请", "在 OA 提交。", True),
        ("病假怎么请", "在 OA 提交。", False),
    ],
)
def test_a_condition_that_the_entry_does_not_speak_of_leaves_doubt(
    question: str, answer: str, is_opposed: bool
) -> None:
    assert opposed(question, "病假怎么请", Entry("x", "病假怎么请", answer)) is is_opposed


def test_a_condition_in_one_of_the_cases_of_an_answer_counts() -> None:
    entry = Entry("x", "病假怎么请", "", variants={"上海": "试用期也一样。", "else": "问人事。"})
    assert not opposed("试用期病假怎么请", "病假怎么请", entry)


def test_the_question_itself_may_stand_for_both_sides() -> None:
    entry = Entry("x", "几点上班、几点下班？", "9 点到 18 点。", also=("上班时间",))
    assert not opposed("下班时间", "上班时间", entry)
    assert opposed("下班时间", "上班时间", replace(entry, question="工作时间？"))


def test_what_stands_on_different_sides_is_apart() -> None:
    assert apart("正式员工离职要提前几天", "试用期离职要提前几天")
    assert not apart("离职要提前几天", "试用期离职要提前几天")


def test_a_doubtful_answer_is_offered_instead() -> None:
    index = sample().index
    ((decision, _),) = judge_many(["年假休完了怎么办"], index, limits=FITTED_THRESHOLDS["balanced"], today=TODAY)
    assert isinstance(decision, Offered) and decision.candidates[0].entry.id == "annual-leave-carry-over"


CITIES = Entry("x", "产假有多少天", "", ask=FollowUp("city", "城市？"), variants={"上海": "158 天", "else": "98 天"})


@pytest.mark.parametrize(
    ("question", "entry", "is_opposed"),
    [
        ("产假没休完可以折现吗", Entry("x", "未休年假可以折现吗", "按 300% 付。"), True),
        ("产假没休完可以折现吗", Entry("x", "未休年假可以折现吗", "产假不能。"), False),
        ("年假没休完可以转调休吗", Entry("x", "年假没休完怎么办", "可以顺延。"), False),
        ("陪产假有几天", Entry("x", "产假有几天", "158 天。"), True),
        ("怎么请假", Entry("x", "病假怎么请", "在 OA 提交。"), True),
        ("请假要提前几天", Entry("x", "年假怎么申请", "提前 1 天。"), True),
        ("生病怎么请假", Entry("x", "病假怎么请", "在 OA 提交。"), False),
        ("怎么请假", Entry("x", "请假走什么流程", "在 OA 提交。"), False),
        ("病假的人事假条交给谁", Entry("x", "病假假条交给谁", "交给休假组。"), False),
        ("广州婚假几天", Entry("x", "婚假几天", "上海 10 天。"), True),
        ("广州婚假几天", Entry("x", "婚假几天", "10 天。"), False),
        ("广州产假有多少天", CITIES, False),
    ],
)
def test_an_entry_about_another_kind_leaves_doubt_unless_it_speaks_of_this_one(
    question: str, entry: Entry, is_opposed: bool
) -> None:
    assert opposed(question, entry.question, entry) is is_opposed
