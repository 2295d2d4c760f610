"""A quote sets the topic for its message; where it is not known what is quoted, that is asked for."""

from __future__ import annotations

import pytest

from faqbot.dialogue.quoted_context import revised_by_quote, state_going_on, state_to_decide_by
from faqbot.model.commands import Command, CommandKind
from faqbot.model.conversation import ConversationState, LastAnswer, LikelyAnswer, Option, Slot
from faqbot.model.decisions import Unanswered
from faqbot.model.plain_replies import Menu, SmallTalk, SmallTalkKind, UnclearQuote
from faqbot.model.quotes import OwnList, QuotedAnswer, QuotedList, QuotedQuestion, UnknownQuote

NOW, LATER = 1_000.0, 1_600.0
OWN = LastAnswer("own", "vpn", "VPN 怎么用？", 0.9, LATER)
QUOTED = LastAnswer("theirs", "badge", "工牌丢了怎么办？", 0.9, LATER)
STATE = ConversationState(
    options=(Option("entry", "a"), Option("none", "")),
    options_expire_at=LATER,
    options_message_id="own",
    last_answer=OWN,
    likely_answer=LikelyAnswer("own", (), LATER),
    slots=(Slot("city", "上海", "b", LATER), Slot("kind", "", "c", LATER)),
)
LINES = (Option("entry", "x"), Option("entry", "y"))
ANSWER, LIST, PERSON = QuotedAnswer(QUOTED), QuotedList(LINES), QuotedQuestion("停车费能报吗")
RATE, WHY = Command(CommandKind.RATE, "unhelpful"), Command(CommandKind.WHY)
HELP_ME, NO_LIST = Command(CommandKind.PERSON), SmallTalk(SmallTalkKind.NOTHING_TO_PICK)


@pytest.mark.parametrize("quote", [ANSWER, LIST, PERSON, UnknownQuote()], ids=lambda q: type(q).__name__)
def test_nothing_said_before_is_meant_beside_a_quote_but_what_the_asker_is(quote):
    state = state_to_decide_by(STATE, quote, NOW)
    assert state.options == (LINES if quote is LIST else ())
    assert state.options_message_id != "own" and state.likely_answer is None
    assert state.last_answer == (QUOTED if quote is ANSWER else None)
    assert state.slots == STATE.slots[:1]


@pytest.mark.parametrize("quote", [None, OwnList()])
def test_without_a_quote_or_with_that_of_the_own_list_all_stays(quote):
    assert state_to_decide_by(STATE, quote, NOW) == STATE == state_going_on(STATE, quote)


def test_a_quoted_answer_is_the_last_one_from_now_on_and_the_list_can_still_be_picked_from():
    state = state_going_on(STATE, ANSWER)
    assert (state.last_answer, state.likely_answer, state.options) == (QUOTED, None, STATE.options)


@pytest.mark.parametrize("quote", [LIST, PERSON, UnknownQuote()], ids=lambda q: type(q).__name__)
def test_other_quotes_leave_no_trace(quote):
    assert state_going_on(STATE, quote) == STATE


def test_a_quoted_guess_can_still_be_refused():
    quote = QuotedAnswer(OWN)
    assert state_to_decide_by(STATE, quote, NOW).likely_answer == STATE.likely_answer
    assert state_going_on(STATE, quote).likely_answer == STATE.likely_answer


def test_what_a_quoted_question_back_asks_may_be_replied_to():
    pending = Slot("city", "", "leave", LATER)
    state = state_to_decide_by(STATE, QuotedList(LINES, pending), NOW)
    assert state.slots == (pending,) and state.pending_entry_id == "leave"


@pytest.mark.parametrize(
    ("text", "quote", "decided", "revised"),
    [
        ("没用", ANSWER, RATE, None),
        ("没用", PERSON, RATE, UnclearQuote("answer")),
        ("没用", LIST, RATE, UnclearQuote("answer")),
        ("为什么", UnknownQuote(), WHY, UnclearQuote("answer")),
        ("没用", OwnList(), RATE, None),
        ("人工", ANSWER, HELP_ME, Command(CommandKind.PERSON, "工牌丢了怎么办？")),
        ("人工", PERSON, HELP_ME, Command(CommandKind.PERSON, "停车费能报吗")),
        ("人工", UnknownQuote(), HELP_ME, UnclearQuote("question")),
        ("人工 工资不对", UnknownQuote(), Command(CommandKind.PERSON, "工资不对"), None),
        ("2", UnknownQuote(), NO_LIST, UnclearQuote("list")),
        ("2", ANSWER, NO_LIST, UnclearQuote("list")),
        ("这个呢", UnknownQuote(), Menu(()), UnclearQuote("question")),
        ("", UnknownQuote(), Menu(()), UnclearQuote("question")),
        ("多少钱", UnknownQuote(), Menu((), unspecific=True), UnclearQuote("question")),
        ("多少钱", UnknownQuote(), Unanswered(), UnclearQuote("question")),
        ("多少钱", PERSON, Unanswered(), None),
        ("请问公司食堂的晚饭可以打包带走吗", UnknownQuote(), Unanswered(), None),
        ("热门", UnknownQuote(), Command(CommandKind.HOTTEST), None),
    ],
)
def test_what_depends_on_an_unknown_quote_is_asked_for(text, quote, decided, revised):
    assert revised_by_quote(text, quote, decided) == revised


@pytest.mark.parametrize("decided", [RATE, WHY, Command(CommandKind.ANNOUNCE, "all：放假"), NO_LIST], ids=str)
def test_a_command_or_a_number_that_was_quoted_is_not_carried_out(decided):
    quoted = QuotedQuestion("公告 all：放假")
    assert revised_by_quote(quoted.text, quoted, decided) == UnclearQuote("question")


def test_a_quoted_question_goes_to_the_person_whom_its_asker_asked_for_before():
    assert revised_by_quote(PERSON.text, PERSON, Command(CommandKind.PERSON, PERSON.text)) is None
