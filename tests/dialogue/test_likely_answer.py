"""An entry that probably is the answer is shown as a guess, which 不是 refuses and 是 confirms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.dialogue.answer_policy import apply_thresholds, judge
from faqbot.dialogue.manager import DecisionRequest, decide_many
from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.model.commands import Command, CommandKind, CommandResult
from faqbot.model.conversation import ConversationState, Option
from faqbot.model.decisions import Answered, Likely, LikelyRefused, MultiAnswer, NoneOfThese, Offered, Unanswered
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.model.entries import Candidate, Entry, FollowUp
from faqbot.model.messages import Message, MessageKind
from faqbot.model.question_log import Rating
from faqbot.search.index import Index
from faqbot.search.thresholds import Thresholds

LIMITS = Thresholds(answer_at=0.8, likely_at=0.5, offer_at=0.2)
# Nearly everything that is found at all is only likely.
GUESSING = Thresholds(answer_at=1.1, likely_at=0.02, offer_at=0.01)
TODAY = date(2026, 6, 1)
NOW = 1_000.0
HOTEL = Entry("hotel", "出差住宿标准是多少？", "每晚 500 元。", review=date(2026, 1, 1))
MEALS = Entry("meals", "出差餐补有多少？", "每天 100 元。")
VISA = Entry("visa", "怎么开收入证明？", "找 HR。", private=True)
ENTRIES = (HOTEL, MEALS, VISA)


def candidate(score: float, entry: Entry = HOTEL, **fields) -> Candidate:
    return Candidate(entry, score, entry.question, **fields)


def ranked(*scores: float) -> tuple[Candidate, ...]:
    return tuple(candidate(score, replace(HOTEL, id=str(n))) for n, score in enumerate(scores))


def after(*replies, message_id: str = "m1") -> ConversationState:
    state = ConversationState()
    for reply in replies:
        state = state_after_reply(state, reply, message_id, NOW)
    return state


def say(text: str, state: ConversationState | None = None, *, entries=ENTRIES, limits=LIMITS, group=True, now=NOW):
    message = Message("m2", "r", "cid", group, MessageKind.TEXT, text, staff_id="u1")
    request = DecisionRequest(message, state)
    return decide_many([request], Index(entries), limits=limits, now=now, today=TODAY)[0]


LIKELY = Likely(HOTEL, 0.6, HOTEL.question, (candidate(0.1, MEALS), candidate(0.05, VISA)))


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        ((0.5,), Likely),
        ((0.79, 0.1), Likely),
        ((0.79, 0.39), Likely),
        ((0.79, 0.4), Offered),
        ((0.5, 0.25), Offered),
        ((0.49,), Offered),
        ((0.8, 0.7), Answered),
        ((0.19,), Unanswered),
    ],
)
def test_a_guess_passes_its_own_threshold_and_stands_alone(scores, kind):
    assert isinstance(apply_thresholds(ranked(*scores), LIMITS), kind)


@pytest.mark.parametrize(
    "entry",
    [replace(HOTEL, private=True), replace(HOTEL, ask=FollowUp("city", "哪个城市？"), variants={"上海": "500"})],
)
def test_nobody_is_shown_a_private_answer_or_a_question_back_by_a_guess(entry):
    assert isinstance(apply_thresholds((candidate(0.7, entry),), LIMITS), Offered)
    assert isinstance(apply_thresholds((candidate(0.9, entry),), LIMITS), Answered)


@pytest.mark.parametrize("score", [0.6, 0.9])
def test_an_entry_that_differs_is_listed_and_never_shown_as_an_answer(score):
    differs = (Difference(DifferenceKind.NUMBER, "500元", "5000元"),)
    decision = apply_thresholds((candidate(score, differs=differs),), LIMITS)
    assert isinstance(decision, Offered) and decision.candidates[0].differs == differs


def test_an_entry_that_differs_does_not_compete_with_a_guess():
    differs = (Difference(DifferenceKind.OPPOSITE, "早班", "晚班"),)
    ranking = (candidate(0.6), candidate(0.5, MEALS, differs=differs))
    assert isinstance(apply_thresholds(ranking, LIMITS), Likely)
    assert isinstance(apply_thresholds((ranking[0], candidate(0.5, MEALS)), LIMITS), Offered)


@pytest.mark.parametrize("score", [0.7, 0.9])
def test_an_entry_with_hardly_a_word_of_the_question_is_listed_and_never_shown_as_an_answer(score):
    assert isinstance(apply_thresholds((candidate(score, covered=0.14),), LIMITS), Offered)
    assert not isinstance(apply_thresholds((candidate(score, covered=0.15),), LIMITS), Offered)


def test_what_follows_a_refusal_is_probable_once_the_guess_is_ruled_out():
    decision = apply_thresholds(ranked(0.7, 0.03, 0.01, 0.008), LIMITS)
    assert isinstance(decision, Likely) and [c.score for c in decision.others] == [0.03, 0.01]


def test_the_opposite_is_no_guess():
    entry = Entry("carry-over", "年假没休完怎么办？", "可以顺延。")
    decision, ranking = judge("年假休完了怎么办", Index((entry, MEALS)), limits=GUESSING, today=TODAY)
    assert isinstance(decision, Offered) and decision.candidates[0].differs
    # The ranking is what `ask` and `evaluate` show.
    assert ranking[0].entry == entry and ranking[0].differs == decision.candidates[0].differs


def test_a_guess_says_that_its_review_is_overdue():
    decision, _ = judge("住宿的标准", Index(ENTRIES), limits=GUESSING, today=TODAY)
    assert isinstance(decision, Likely) and decision.entry == HOTEL and decision.overdue
    assert say("住宿的标准", limits=GUESSING).overdue


def test_no_private_question_follows_a_guess_in_a_group():
    state = after(LIKELY)
    assert say("不是", state) == LikelyRefused((MEALS,))
    assert say("不是", state, group=False) == LikelyRefused((MEALS, VISA))


def test_several_questions_are_answered_with_a_list_instead_of_a_guess():
    decision = say("出差住宿标准是多少？餐补标准给多少", limits=Thresholds(0.999, 0.05, 0.02))
    assert isinstance(decision, MultiAnswer), decision
    assert [type(p.decision) for p in decision.parts] == [Answered, Offered]


# -- what is said after it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["不是", "不是。", "不是的", "不是这个", "不对", "不对啊", "都不是", "不是我问的", "答非所问"]
)
def test_a_refusal_lists_the_next_candidates(text):
    assert say(text, after(LIKELY)) == LikelyRefused((MEALS,))


@pytest.mark.parametrize("text", ["是", "是的", "对", "对的", "没错", "就是这个"])
def test_a_confirmation_is_a_rating(text):
    assert say(text, after(LIKELY)) == Command(CommandKind.RATE, Rating.HELPFUL)


@pytest.mark.parametrize("text", ["不是工作日出差怎么报", "是"])
def test_only_the_whole_message_right_after_a_guess_reacts_to_it(text):
    state = after(LIKELY) if text != "是" else after(Answered(HOTEL, 1.0, HOTEL.question))
    assert not isinstance(say(text, state), LikelyRefused | Command)


def test_a_guess_can_be_refused_for_as_long_as_a_list_can_be_picked_from():
    state = after(LIKELY)
    assert isinstance(say("不是", state, now=NOW + 599), LikelyRefused)
    assert not isinstance(say("不是", state, now=NOW + 600), LikelyRefused)


def test_a_wording_of_an_entry_is_a_question_all_the_same():
    entries = (*ENTRIES, Entry("no", "不是", "……"))
    assert isinstance(say("不是", after(LIKELY), entries=entries), Answered)


def test_the_refused_guess_is_no_answer_to_refer_to_and_its_list_belongs_to_the_question():
    refused = LikelyRefused((MEALS,))
    state = state_after_reply(after(LIKELY), refused, "m2", NOW)
    assert state.last_answer is None and state.likely_answer is None
    assert state.options == (Option("entry", "meals"), Option("none", "")) and state.options_message_id == "m1"
    assert say("1", state) == Answered(MEALS, 1.0, MEALS.question, picked=True)
    assert isinstance(say("都不是", state), NoneOfThese)


def test_a_guess_is_the_last_answer_that_a_follow_up_leans_on():
    last = after(LIKELY).last_answer
    assert last is not None and (last.entry_id, last.question, last.score) == ("hotel", HOTEL.question, 0.6)


@pytest.mark.parametrize(
    ("reply", "holds"),
    [
        (CommandResult("为什么这样回答", "……"), True),
        (Unanswered(), False),
        (Answered(MEALS, 1.0, MEALS.question), False),
        (Offered((candidate(0.4),)), False),
        (CommandResult("热门问题", "……", options=(Option("entry", "a"),)), False),
    ],
)
def test_another_reply_to_a_question_ends_it(reply, holds):
    assert (after(LIKELY, reply).likely_answer is not None) is holds


def test_two_refused_guesses_with_nothing_else_name_whom_to_ask():
    refused = LikelyRefused()
    state = after(LIKELY, refused, replace(LIKELY, others=()))
    entries = (replace(HOTEL, owner="差旅组"), MEALS)
    assert say("不是", state, entries=entries) == LikelyRefused(contact="")
    assert say("不是", after(replace(LIKELY, others=())), entries=entries) == LikelyRefused()
