"""What is said now corrects what was said before: statements, other cases of the last answer, picks from lists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.dialogue.clarification import SLOT_SECONDS
from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.model.conversation import NamedCase
from faqbot.model.decisions import Answered, AskedBack, MultiAnswer, Offered
from faqbot.model.entries import Candidate, Entry, FollowUp
from faqbot.model.remembered import Remembered
from faqbot.replies.render import plain_body
from tests.dialogue.test_clarification import ENTRIES, FUND, LEAVE, PAY, Talk, chosen

TRADE = Entry(
    "gloves",
    "防护手套多久领一次",
    "",
    ask=FollowUp("trade", "您是什么工种？"),
    variants={"焊工": "每周", "钳工": "每月", "else": "每季"},
)
HIRED = Entry(
    "checkup",
    "体检安排在几月",
    "",
    ask=FollowUp("kind", "您是哪种用工？"),
    variants={"正式员工": "三月", "实习生": "没有", "else": "问人事"},
)
WITHDRAW = Entry("withdraw", "公积金怎么提取", "随申办", ask=None)
ALL = (*ENTRIES, TRADE, HIRED, WITHDRAW)


def told(*texts: str, entries=ALL) -> Talk:
    talk = Talk(entries)
    for text in texts:
        talk.say(text)
        talk.now += 1
    return talk


def show_list(talk: Talk, named: NamedCase, *entries: Entry) -> None:
    """Send a list for a question that names a case."""
    offered = Offered(tuple(Candidate(entry, 0.4, entry.question) for entry in entries), named_cases=(named,))
    talk.context = state_after_reply(talk.context, offered, "m0", talk.now)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("我在北京", "您在「北京」"),
        ("我base魔都", "您在「上海」"),
        ("坐标鹏城", "您在「深圳」"),
        ("我人在苏州工业园区", "您在「苏州」"),
        ("我是焊工", "您是「焊工」"),
        ("我是外包员工", "您是「外包员工」"),
        ("我是实习生", "您是「实习生」"),
    ],
)
def test_a_statement_with_nothing_open_is_remembered_and_no_question(text, shown):
    decision = Talk(ALL).say(text)
    assert isinstance(decision, Remembered) and decision.logged_match is None
    assert shown in plain_body(decision, text)


@pytest.mark.parametrize(
    ("statement", "question", "case", "value"),
    [
        ("我在帝都", "公积金交多少比例", "else", "北京"),
        ("我在上海浦东上班", "产假有多少天", "上海", "上海"),
        ("我是外包员工", "体检安排在几月", "else", "外包员工"),
        ("我是正式的", "体检安排在几月", "正式员工", "正式员工"),
    ],
)
def test_what_was_remembered_answers_the_next_question_that_depends_on_it(statement, question, case, value):
    decision = told(statement).say(question)
    assert isinstance(decision, Answered)
    assert (decision.case, decision.slot_value, decision.slot_reused) == (case, value, True)


@pytest.mark.parametrize(
    "text", ["我在开会", "我在上海出差", "我老婆在北京", "北京怎么走", "我明年去上海", "我在上海迪士尼"]
)
def test_other_texts_are_no_statement_about_the_asker(text):
    talk = Talk(ALL)
    assert not isinstance(talk.say(text), Remembered)
    assert not any(slot.value for slot in talk.context.slots)


@pytest.mark.parametrize("text", ["我在上海，也在北京", "我是焊工，又是钳工"])
def test_a_statement_of_two_cases_is_not_remembered(text):
    assert not isinstance(Talk(ALL).say(text), Remembered)


def test_a_question_behind_a_statement_is_not_lost() -> None:
    talk = Talk(ALL)
    assert talk.say("我是外包员工，几号发工资").logged_match.entry_id == "pay"
    assert talk.say("体检安排在几月").slot_value == "外包员工"


def test_a_reply_about_what_was_asked_is_the_askers_own() -> None:
    entry = replace(LEAVE, ask=FollowUp("city", "您的户口在哪里？"))
    talk = told("产假有多少天", entries=(entry, PAY))
    assert chosen(talk.say("户口在上海")) == ("leave", "上海")
    assert isinstance(told("产假有多少天").say("户口在上海"), AskedBack)


def test_without_entries_that_ask_nothing_is_remembered() -> None:
    assert not isinstance(Talk((PAY, WITHDRAW)).say("我在北京"), Remembered)


@pytest.mark.parametrize(
    ("text", "case", "value"),
    [
        ("那北京的呢", "北京市", "北京"),
        ("换成帝都呢", "北京市", "北京"),
        ("那要是在杭州呢", "else", "杭州"),
        ("苏州工业园区的呢", "else", "苏州"),
        ("北京也一样吗", "北京市", "北京"),
        ("那我同事在北京呢", "北京市", "北京"),
    ],
)
def test_another_case_is_answered_once_by_the_same_entry(text, case, value):
    talk = told("产假有多少天", "上海")
    decision = talk.say(text)
    assert chosen(decision) == ("leave", case) and decision.slot_value == value
    assert talk.say("公积金交多少比例").slot_value == "上海"


@pytest.mark.parametrize("text", ["我在北京", "说错了，是北京", "北京", "我调到北京了", "不在上海，在北京"])
def test_a_correction_answers_once_more_and_is_remembered(text):
    talk = told("产假有多少天", "上海")
    assert chosen(talk.say(text)) == ("leave", "北京市")
    assert talk.say("公积金交多少比例").slot_value == "北京"


def test_a_correction_counts_for_half_an_hour_and_only_if_the_last_answer_depends_on_it() -> None:
    talk = told("产假有多少天", "上海")
    talk.now += SLOT_SECONDS - 60
    assert chosen(talk.say("我在北京")) == ("leave", "北京市")
    assert isinstance(talk.say("我在北京"), Remembered)
    talk.say("几号发工资")
    assert isinstance(talk.say("我在上海"), Remembered)
    talk.say("产假有多少天")
    talk.now += SLOT_SECONDS + 1
    assert isinstance(talk.say("我在北京"), Remembered)


def test_what_is_denied_is_forgotten() -> None:
    talk = told("我在上海")
    decision = talk.say("我不在上海了")
    assert isinstance(decision, Remembered) and "不再按「上海」回答" in plain_body(decision, "")
    assert isinstance(talk.say("产假有多少天"), AskedBack)
    talk = told("产假有多少天", "上海")
    assert isinstance(talk.say("离开上海了"), AskedBack)
    assert not any(slot.value for slot in talk.context.slots)


def test_a_question_with_two_cases_does_not_forget_what_was_stated() -> None:
    talk = told("我在上海")
    assert isinstance(talk.say("北京和上海的取暖费发多少"), AskedBack)
    assert talk.say("公积金交多少比例").slot_value == "上海"


def test_a_statement_inside_a_question_is_remembered() -> None:
    talk = told("我在北京，产假有多少天")
    assert talk.say("公积金交多少比例").slot_value == "北京"
    talk = told("北京的产假有多少天")
    assert isinstance(talk.say("公积金交多少比例"), AskedBack)


def test_a_pick_is_answered_for_the_case_that_the_question_named() -> None:
    talk = told("我在上海")
    show_list(talk, NamedCase("北京"), FUND, WITHDRAW)
    picked = talk.say("1")
    assert chosen(picked) == ("fund", "else") and (picked.slot_value, picked.slot_supposed) == ("北京", True)
    assert talk.say("产假有多少天").slot_value == "上海"


def test_a_statement_after_the_list_counts_for_its_pick() -> None:
    talk = told("我在北京")
    show_list(talk, NamedCase("北京"), LEAVE, WITHDRAW)
    assert isinstance(talk.say("我在上海"), Remembered)
    assert talk.say("1").slot_value == "上海"


def test_a_pick_for_a_case_that_cannot_be_used_is_asked_back() -> None:
    talk = told("我在上海")
    show_list(talk, NamedCase("北京", is_usable=False), LEAVE)
    assert isinstance(talk.say("1"), AskedBack)


def test_each_of_several_questions_has_its_own_case() -> None:
    decision = Talk(ALL).say("北京产假有多少天？上海公积金交多少比例？")
    assert isinstance(decision, MultiAnswer)
    assert [(answer.entry.id, answer.slot_value) for answer in decision.answered] == [
        ("leave", "北京"),
        ("fund", "上海"),
    ]
    body = plain_body(decision, "")
    assert "按「北京」回答" in body and "按「上海」回答" in body
