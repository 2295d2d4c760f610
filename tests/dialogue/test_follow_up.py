"""A short question after an answer or a list: another entry of the subject, a sentence of the answer, or an honest
no."""

from __future__ import annotations

from datetime import date

import pytest

from faqbot.dialogue.decision_context import DecisionRequest
from faqbot.dialogue.manager import decide
from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.model.commands import Command, Interpretation
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, Likely, Offered, Unanswered
from faqbot.model.entries import Entry, FollowUp
from faqbot.model.messages import Message, MessageKind
from faqbot.model.plain_replies import Menu
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS

LOCKER = Entry(
    "locker",
    "柜子钥匙丢了怎么办",
    "在小程序提交「补钥匙」，第二天到 2 楼物业窗口领；每把收 **15 元**。\n周六日不办。有问题打分机 6021。",
    also=("钥匙不见了",),
    topic="物业",
)
LOCKER_WHO = Entry("locker-lend", "柜子钥匙可以借给别人吗", "不可以。", topic="物业")
PARK = Entry("park", "停车位怎么申请", "找行政登记车牌。", topic="物业")
PARK_FEE = Entry("park-fee", "停车位一个月多少钱", "每月 300 元。", topic="物业")
GYM = Entry("gym", "健身房几点开门", "7:00 开门，22:00 关门，免费。", topic="物业")
SALARY = Entry("salary", "工资条在哪里看", "工资条在「智能薪酬」里看。", topic="薪酬")
BONUS = Entry("bonus", "年终奖有多少钱", "一般是一到三个月工资。", topic="薪酬")
MEAL = Entry(
    "meal",
    "餐补有多少",
    "",
    topic="薪酬",
    ask=FollowUp("site", "您在哪个厂区？"),
    variants={"东区": "每天 20 元，按出勤天数发，夜班加 5 元。", "西区": "食堂免费吃，没有餐补。"},
)
ENTRIES = (LOCKER, LOCKER_WHO, PARK, PARK_FEE, GYM, SALARY, BONUS, MEAL)
INDEX = Index(ENTRIES)
TODAY = date(2026, 6, 1)


def talk(*texts: str, index: Index = INDEX) -> Interpretation:
    """Return what the last of the texts comes to, all said by one person within a few minutes."""
    state, decision = ConversationState(), None
    for n, text in enumerate(texts):
        message = Message(f"m{n}", "r", "", is_group=False, kind=MessageKind.TEXT, text=text, staff_id="u1")
        limits = FITTED_THRESHOLDS["balanced"]
        decision = decide(DecisionRequest(message, state), index, limits=limits, now=1000.0 + n, today=TODAY)
        if not isinstance(decision, Command):
            state = state_after_reply(state, decision, message.id, 1000.0 + n)
    assert decision is not None
    return decision


@pytest.mark.parametrize(
    ("before", "text", "excerpt"),
    [
        ("柜子钥匙丢了怎么办", "多少钱", "每把收 **15 元**"),
        ("柜子钥匙丢了怎么办", "要多久啊", "第二天到 2 楼物业窗口领"),
        ("柜子钥匙丢了怎么办", "那在哪拿", "2 楼物业窗口"),
        ("柜子钥匙丢了怎么办", "好的，在哪里领？", "2 楼物业窗口"),
        ("柜子钥匙丢了怎么办", "周末算吗", "周六日不办"),
        ("柜子钥匙丢了怎么办", "找谁", "分机 6021"),
        ("健身房几点开门", "要钱吗", "免费"),
    ],
)
def test_the_sentence_of_the_same_answer_replies(before: str, text: str, excerpt: str) -> None:
    decision = talk(before, text)
    assert isinstance(decision, Answered)
    assert decision.is_follow_up and excerpt in decision.excerpt


@pytest.mark.parametrize(
    ("before", "text", "entry"),
    [
        ("停车位怎么申请", "多少钱", "park-fee"),
        ("停车位一个月多少钱", "怎么申请", "park"),
        ("柜子钥匙丢了怎么办", "可以借给别人吗", "locker-lend"),
    ],
)
def test_another_entry_of_the_same_subject_replies(before: str, text: str, entry: str) -> None:
    decision = talk(before, text)
    assert isinstance(decision, Answered) and decision.entry.id == entry and not decision.excerpt


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("工资条在哪里看", "多少钱"),
        ("停车位怎么申请", "多久能批"),
        ("健身房几点开门", "能带家属吗"),
    ],
)
def test_what_nothing_tells_of_the_topic_is_admitted_under_its_name(before: str, text: str) -> None:
    decision = talk(before, text)
    assert isinstance(decision, Unanswered), decision
    assert decision.asked == f"{before}：{text}" and decision.logged_match.question == decision.asked


@pytest.mark.parametrize(
    ("before", "text", "entry"),
    [
        ("柜子钥匙丢了怎么办", "健身房几点开门", "gym"),
        ("柜子钥匙丢了怎么办", "停车位多少钱", "park-fee"),
        ("停车位怎么申请", "工资条在哪看", "salary"),
    ],
)
def test_a_question_with_a_subject_of_its_own_is_no_follow_up(before: str, text: str, entry: str) -> None:
    decision = talk(before, text)
    assert isinstance(decision, Answered | Likely) and decision.entry.id == entry
    assert not getattr(decision, "excerpt", "")


def test_a_long_text_is_not_read_into_the_topic() -> None:
    decision = talk("柜子钥匙丢了怎么办", "明天会下雨吗")
    assert not isinstance(decision, Answered | Likely)
    assert not (isinstance(decision, Unanswered) and decision.asked)


def test_without_anything_before_the_topic_is_asked_for() -> None:
    assert isinstance(talk("多少钱"), Menu)


def test_after_a_list_its_lines_are_the_topic() -> None:
    listed = talk("停车位")
    assert isinstance(listed, Offered | Likely)
    decision = talk("停车位", "多少钱")
    assert isinstance(decision, Answered | Likely) and decision.entry.id == "park-fee"


def test_the_sentence_is_that_of_the_case_which_holds() -> None:
    decision = talk("餐补有多少", "东区", "夜班呢")
    assert isinstance(decision, Answered)
    assert (decision.entry.id, decision.case, decision.slot_value) == ("meal", "东区", "东区")
    assert decision.excerpt == "每天 20 元，按出勤天数发，夜班加 5 元。"
    assert isinstance(talk("餐补有多少", "西区", "夜班呢"), Unanswered)
