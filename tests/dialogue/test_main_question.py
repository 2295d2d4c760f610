"""The one question inside a long message is answered unless the rest of the message speaks against it."""

from __future__ import annotations

from datetime import date

import pytest

from faqbot.dialogue.answer_policy import explain, judge
from faqbot.dialogue.manager import DecisionRequest, decide
from faqbot.model.decisions import Answered, MultiAnswer, Offered
from faqbot.model.entries import Entry
from faqbot.model.messages import Message, MessageKind
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS

TODAY = date(2026, 6, 1)
ENTRIES = (
    Entry("annual", "年假有几天", "五天", also=("年休假天数", "一年有多少天年假")),
    Entry("sick", "病假怎么请", "找主管", also=("生病了怎么请假",)),
    Entry("badge", "工牌丢了怎么补办", "去前台", also=("工牌丢失补办",)),
    Entry("badge-fee", "补办工牌要交钱吗", "20 元", also=("工牌补办收费吗",)),
    Entry("payout", "报销多久到账", "5 个工作日", also=("报销款什么时候到",)),
    Entry("parking", "停车位怎么申请", "找行政"),
    Entry("resign", "离职要提前多久提", "30 天", also=("辞职提前几天说",)),
)
INDEX = Index(ENTRIES)
LIMITS = FITTED_THRESHOLDS["balanced"]


def decided(text: str):
    message = Message(
        id="m", robot_code="r", conversation_id="c", is_group=True, kind=MessageKind.TEXT, text=text, staff_id="u"
    )
    return decide(DecisionRequest(message), INDEX, limits=LIMITS, now=1.0, today=TODAY)


@pytest.mark.parametrize(
    ("story", "entry_id"),
    [
        (
            "大家好，我是刚入职的新同事，以后请多多指教！我想问一下咱们公司的年假有几天？因为想回趟老家。谢谢！",
            "annual",
        ),
        ("大家好我是刚来的新同事想请问一下咱们公司年假有几天因为我想早点安排", "annual"),
        ("HR老师好，打扰了，问了一圈都没人知道，请问报销多久到账啊，急用[流泪][流泪]", "payout"),
        ("在吗？我叫小周，市场部的，问了好几个人都不知道，停车位怎么申请呀？烦死了", "parking"),
        ("不好意思打扰一下，第一次用这个，不知道工牌丢了怎么补办，谢谢各位", "badge"),
    ],
)
def test_the_question_inside_a_story_is_answered(story: str, entry_id: str) -> None:
    decision = decided(story)
    assert isinstance(decision, Answered) and decision.entry.id == entry_id
    judged, ranking = judge(story, INDEX, limits=LIMITS, today=TODAY)
    assert isinstance(judged, Answered) and judged.entry.id == entry_id == ranking[0].entry.id


def test_the_ranking_of_the_question_inside_is_explained() -> None:
    story = "大家好，我是刚入职的新同事，以后请多多指教！我想问一下咱们公司的年假有几天？谢谢！"
    _, ranking = judge(story, INDEX, limits=LIMITS, today=TODAY)
    explained = explain(story, ranking, INDEX, today=TODAY)
    assert len(explained) == len(ranking)
    assert explained[0].folded == INDEX.fold("年假有几天")


@pytest.mark.parametrize(
    "story",
    [
        "大家好，我是新来的实习生，想问一下咱们公司的年假有几天？谢谢",
        "我是外包的同事，请问年假有几天？谢谢",
        "大家好，我刚被辞退，想问下年假有几天",
    ],
)
def test_what_is_told_around_the_question_may_speak_against_the_answer(story: str) -> None:
    assert not isinstance(decided(story), Answered)
    judged, _ = judge(story, INDEX, limits=LIMITS, today=TODAY)
    assert not isinstance(judged, Answered)


def test_two_questions_in_a_story_are_answered_in_one_message_and_judged_as_one() -> None:
    story = "您好，我是上个月来的。请问工牌丢了怎么补办？年假有几天？谢谢！"
    decision = decided(story)
    assert isinstance(decision, MultiAnswer)
    assert [answer.entry.id for answer in decision.answered] == ["badge", "annual"]
    judged, _ = judge(story, INDEX, limits=LIMITS, today=TODAY)
    assert not isinstance(judged, MultiAnswer)


def test_a_second_question_without_a_subject_takes_that_of_the_first() -> None:
    decision = decided("您好，打扰了。请问工牌丢了怎么补办？要交钱吗？谢谢！")
    assert isinstance(decision, MultiAnswer)
    first, second = decision.parts
    assert isinstance(first.decision, Answered) and first.decision.entry.id == "badge"
    assert isinstance(second.decision, Offered)
    assert second.decision.candidates[0].entry.id == "badge-fee"


def test_the_circumstances_of_a_question_may_name_its_subject() -> None:
    decision = decided("我们组的人工牌丢了，这个怎么补办")
    assert isinstance(decision, Answered | Offered)
    assert (decision.entry if isinstance(decision, Answered) else decision.candidates[0].entry).id == "badge"
