"""同问 gets the last answer of the group as far as its sender may see it; the introduction shows real questions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.dialogue.manager import DecisionRequest, decide_many
from faqbot.model.commands import Command, CommandKind
from faqbot.model.conversation import GroupAnswer
from faqbot.model.decisions import Answered, AskedBack, Likely, MultiAnswer, Unanswered
from faqbot.model.entries import Entry, FollowUp
from faqbot.model.messages import Message, MessageKind
from faqbot.model.plain_replies import Introduction, SmallTalk, SmallTalkKind
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS

ANNUAL = Entry("annual", "年假有几天", "五天", topic="休假")
PAY = Entry("pay", "几号发工资", "十号", topic="薪酬", departments=("7",))
FUND = Entry("fund", "公积金交多少", "", ask=FollowUp("city", "哪个城市？"), variants={"上海": "7%", "else": "5%"})
SLIP = Entry("slip", "工资条在哪看", "手机上", topic="薪酬", private=True)
BADGE = Entry("badge", "工牌丢了找谁", "行政", topic="行政", groups=("other",))
NOTHING = SmallTalk(SmallTalkKind.NOTHING_TO_REPEAT)


def say(text, *ids, is_guess=False, entries=(ANNUAL, PAY, FUND, SLIP, BADGE), departments=(), had_insult=False):
    message = Message("m", "r", "cid", True, MessageKind.TEXT, text, staff_id="u1")
    answer = GroupAnswer(ids, is_guess) if ids else None
    request = DecisionRequest(message, departments=frozenset(departments), group_answer=answer, had_insult=had_insult)
    limits = FITTED_THRESHOLDS["balanced"]
    return decide_many([request], Index(entries), limits=limits, now=1.0, today=date(2026, 6, 1))[0]


@pytest.mark.parametrize("text", ["同问", "+1", "我也想知道", "同问+1", "我也想问这个问题"])
def test_the_last_answer_of_the_group_is_given_in_full(text):
    assert say(text, "annual") == Answered(ANNUAL, 1.0, ANNUAL.question, repeated=True)


def test_an_answer_that_depends_on_the_asker_is_asked_back():
    decision = say("同问", "fund")
    assert isinstance(decision, AskedBack) and decision.logged_match.question == FUND.question


def test_several_answers_and_a_guess_are_given_as_they_were():
    decision = say("同问", "annual", "fund")
    assert isinstance(decision, MultiAnswer) and [a.entry for a in decision.answered] == [ANNUAL, FUND]
    assert isinstance(say("同问", "annual", is_guess=True), Likely)


@pytest.mark.parametrize("ids", [(), ("slip",), ("gone",), ("pay",), ("badge",)])
def test_nothing_is_given_that_its_sender_may_not_see(ids):
    assert say("同问", *ids) == NOTHING
    assert say("我也想知道", *ids) == NOTHING


def test_departments_count_for_the_one_who_asks_now():
    assert say("同问", "pay", departments=("7",)) == Answered(PAY, 1.0, PAY.question, repeated=True)


@pytest.mark.parametrize("text", ["我也想知道年假有几天", "同问卷", "1", "+1天"])
def test_other_messages_do_not_ask_for_the_last_answer(text):
    decision = say(text, "fund")
    assert decision != NOTHING and getattr(decision, "entry", None) is not FUND


def test_a_wording_of_hr_wins():
    own = Entry("own", "同问", "一个词")
    assert say("同问", "annual", entries=(ANNUAL, own)).entry is own


@pytest.mark.parametrize("text", ["你是谁", "你能干嘛", "你会什么？"])
def test_the_introduction_shows_three_questions_that_may_be_seen(text):
    assert say(text, departments=("7",)) == Introduction((ANNUAL, PAY, FUND))
    assert say(text) == Introduction((ANNUAL, FUND))


@pytest.mark.parametrize("text", ["你确定吗", "真的吗", "依据是什么"])
def test_a_doubt_asks_what_the_answer_rests_on(text):
    assert say(text) == Command(CommandKind.WHY)


def test_a_wording_of_hr_is_no_remark():
    for text in ("收到", "你确定吗", "没用", "你是谁", "滚"):
        own = replace(ANNUAL, id="own", question=text)
        assert say(text, entries=(own,)).entry is own


def test_what_an_insult_leaves_behind_is_only_recorded_if_it_asks():
    assert say("这家公司", had_insult=True) == SmallTalk(SmallTalkKind.COMPLAINT)
    assert isinstance(say("附近哪家公司的咖啡好喝", had_insult=True), Unanswered)
    assert say("年假有几天", had_insult=True).entry is ANNUAL
