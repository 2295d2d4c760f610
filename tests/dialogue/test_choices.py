"""What a pick from a list decides: one line, several, all, the last, a line named by a word, none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.dialogue.choices import list_message_id
from faqbot.dialogue.manager import DecisionRequest, decide_many
from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, AskedBack, MultiAnswer, NoneOfThese, Offered, PrivateReply, Unanswered
from faqbot.model.entries import Candidate, Entry, FollowUp
from faqbot.model.messages import Message, MessageKind
from faqbot.model.plain_replies import Menu, OutOfList, SmallTalk, SmallTalkKind, TopicList
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS

TODAY, NOW = date(2026, 6, 1), 1_000.0
ANNUAL = Entry("annual", "年假有几天", "五天", topic="休假")
TRIP = Entry("trip", "出差怎么订酒店", "用商旅", topic="差旅", related=("trip-meal",))
MEAL = Entry("trip-meal", "餐补有多少", "100 元", topic="差旅")
FUND = Entry(
    "fund",
    "公积金交多少",
    "",
    topic="薪酬",
    ask=FollowUp("city", "在哪个城市？"),
    variants={"上海": "7%", "北京": "12%"},
)
PAYSLIP = Entry("payslip", "工资条在哪看", "手机上", topic="薪酬", private=True)
BADGE = Entry("badge", "工牌丢了找谁", "行政", topic="行政")
ENTRIES = (ANNUAL, TRIP, MEAL, FUND, PAYSLIP, BADGE)
LISTED = Offered(tuple(Candidate(e, 0.3, e.question) for e in (ANNUAL, TRIP, FUND, BADGE)))
MENU = Menu((("休假", 1, ""), ("差旅", 2, ""), ("薪酬", 2, "")))


def after(*replies, state: ConversationState | None = None) -> ConversationState:
    """The state after replies to the messages m0, m1 and so on, a second apart."""
    state = state or ConversationState()
    for n, reply in enumerate(replies):
        state = state_after_reply(state, reply, f"m{n}", NOW - len(replies) + n)
    return state


def say(text: str, state: ConversationState, *, entries=ENTRIES, is_group: bool = True):
    message = Message("m", "r", "cid", is_group, MessageKind.TEXT, text, staff_id="u1")
    request = DecisionRequest(message, state)
    limits = FITTED_THRESHOLDS["balanced"]
    return decide_many([request], Index(entries), limits=limits, now=NOW, today=TODAY)[0]


def picked_ids(decision) -> list[str]:
    match decision:
        case Answered(entry, picked=True) | AskedBack(entry, picked=True):
            return [entry.id]
        case MultiAnswer(parts, picked=True):
            return [part.decision.entry.id for part in parts]
        case _:
            raise AssertionError(decision)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("就第一个", ["annual"]), ("最后一个", ["badge"]), ("第五个", None), ("1和2", ["annual", "trip"]),
        ("第一个和最后一个", ["annual", "badge"]), ("2、1都要", ["trip", "annual"]),
        ("1到3", ["annual", "trip", "fund"]),
        ("都看看", ["annual", "trip", "fund"]), ("四个都看看", ["annual", "trip", "fund"]), ("1、5", ["annual"]),
        ("出差的", ["trip"]), ("年假那个", ["annual"]), ("我要看工牌那条吧", ["badge"]), ("公積金那個", ["fund"]),
        ("出差那个谢谢", ["trip"]),
        ("初差那个", ["trip"]), ("公基金的", ["fund"]), ("酒店那个吧", ["trip"]),
    ],
)  # fmt: skip
def test_lines_of_the_list_are_answered_together(text, ids):
    decision = say(text, after(LISTED))
    if ids is None:
        assert isinstance(decision, NoneOfThese)
    else:
        assert picked_ids(decision) == ids


@pytest.mark.parametrize("text", ["都看看", "1、2、3、4", "前4个"])
def test_no_more_than_three_are_answered_at_once(text):
    decision = say(text, after(LISTED))
    assert isinstance(decision, MultiAnswer) and len(decision.parts) == 3 and decision.left_out == 1


@pytest.mark.parametrize(
    ("text", "size"), [("6", 5), ("1和7", 5), ("第九个", 5), ("两个都要", 4), ("上面那个", 4), ("就那个", 4)]
)
def test_who_picks_no_line_of_the_list_is_asked_which(text, size):
    decision = say(text, after(LISTED))
    assert isinstance(decision, OutOfList) and decision.size == size
    assert decision.unclear is (size == 4)


def test_the_one_above_is_the_only_line_or_the_answer_given_since():
    only = Offered(LISTED.candidates[:1])
    assert picked_ids(say("上面那个", after(only))) == ["annual"]
    again = say("上面那个", after(LISTED, Answered(MEAL, 1.0, MEAL.question, picked=True)))
    assert isinstance(again, Answered) and again.entry is MEAL and again.repeated
    assert again.logged_match.question == MEAL.question
    assert say("上面那个", ConversationState()) == SmallTalk(SmallTalkKind.NOTHING_TO_PICK)


@pytest.mark.parametrize("text", ["出差的", "年假那个", "都看看", "1和3", "最后一个", "就第一个"])
def test_nothing_can_be_picked_without_a_list(text):
    decision = say(text, ConversationState())
    assert not isinstance(decision, MultiAnswer | OutOfList) and not getattr(decision, "picked", False)


@pytest.mark.parametrize(
    "text",
    [
        "有的", "怎么的", "那病假的呢", "差的", "酒店和工牌那个", "多少那个", "不是出差的", "天那个", "我的", "好的",
        "出差的人多吗", "在哪看的",
    ],
)  # fmt: skip
def test_a_word_that_fits_no_line_or_several_picks_nothing(text):
    decision = say(text, after(Offered((*LISTED.candidates, Candidate(MEAL, 0.2, MEAL.question)))))
    assert not getattr(decision, "picked", False)


def test_a_wording_of_hr_is_a_question_even_after_a_list():
    own = Entry("own", "出差的", "看制度")
    decision = say("出差的", after(LISTED), entries=(*ENTRIES, own))
    assert isinstance(decision, Answered) and decision.entry is own and not decision.picked


def test_a_question_stays_a_question_after_a_list():
    child = Entry("child", "第二个孩子能休几天", "98 天")
    decision = say("第二个孩子能休几天", after(LISTED), entries=(*ENTRIES, child))
    assert isinstance(decision, Answered) and decision.entry is child and not decision.picked


def test_an_entry_that_became_private_is_answered_in_private_and_with_it_all():
    listed = after(Offered(tuple(Candidate(e, 0.3, e.question) for e in (ANNUAL, PAYSLIP))))
    for text, ids in (("1和2", ["annual", "payslip"]), ("都看看", ["annual", "payslip"]), ("2", ["payslip"])):
        decision = say(text, listed)
        assert isinstance(decision, PrivateReply) and picked_ids(decision.decision) == ids
        assert picked_ids(say(text, listed, is_group=False)) == ids


def test_entries_that_are_gone_are_left_out():
    listed = after(LISTED)
    assert picked_ids(say("1和2", listed, entries=(ANNUAL, BADGE))) == ["annual"]
    assert say("2和3", listed, entries=(ANNUAL, BADGE)) == Unanswered()


def test_several_cases_are_answered_each_under_its_name_and_tell_nothing_of_the_asker():
    asked = after(AskedBack(FUND, 1.0, FUND.question, FUND.ask))
    decision = say("1和2", asked)
    assert isinstance(decision, MultiAnswer) and [p.decision.case for p in decision.parts] == ["上海", "北京"]
    assert all(not slot.value for slot in state_after_reply(asked, decision, "m1", NOW).slots)
    assert list_message_id(asked, "1和2", decision) == "m0"


def test_several_topics_of_the_menu_are_opened_together():
    assert say("1和2", after(MENU)) == TopicList("休假、差旅", (ANNUAL, TRIP, MEAL), 3)
    assert isinstance(say("都看看", after(MENU)), OutOfList)


def test_the_list_stays_open_below_an_answer_with_related_questions():
    answered = Answered(TRIP, 1.0, TRIP.question, picked=True, related=(MEAL,))
    state = after(LISTED, answered)
    assert picked_ids(say("1", state)) == ["trip-meal"]
    for text, entry_id in (("再看看第1个", "annual"), ("第四个", "badge"), ("还要1和4", "annual")):
        decision = say(text, state)
        assert picked_ids(decision)[0] == entry_id
        assert list_message_id(state, text, decision) == "m0"
    # A list for another question closes it.
    other = state_after_reply(state, replace(LISTED, candidates=LISTED.candidates[2:]), "m9", NOW)
    assert picked_ids(say("再看看第1个", other)) == ["fund"]


def test_a_pick_of_several_stands_for_the_question_of_the_list():
    state = after(LISTED)
    for text in ("1和2", "都看看", "出差的", "公积金那个"):
        assert list_message_id(state, text, say(text, state)) == "m0"


@pytest.mark.parametrize(
    "text", ["不是", "不对", "不是这个", "没用", "都不是", "答非所问", "不太对啊", "没有我要的", "不是的"]
)
def test_a_list_is_refused_right_after_it(text):
    assert say(text, after(LISTED)) == NoneOfThese()


@pytest.mark.parametrize("text", ["不是", "不对", "no"])
def test_the_cases_of_a_question_back_are_refused_too(text):
    assert FUND.ask is not None
    assert say(text, after(AskedBack(FUND, 1.0, FUND.question, FUND.ask))) == NoneOfThese()


@pytest.mark.parametrize("text", ["不是", "没用", "不太对"])
def test_the_answer_after_the_list_is_meant_instead(text):
    decision = say(text, after(LISTED, Answered(MEAL, 1.0, MEAL.question, picked=True)))
    assert decision.outcome == "rate"
    decision = say(text, after(Answered(TRIP, 1.0, TRIP.question, related=(MEAL,))))
    assert decision.outcome == "rate"
