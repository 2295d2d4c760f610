"""An asker's context holds part by part, and grows by what was told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.dialogue.state_tracking import RATE_WINDOW_SECONDS, REPLIES_PER_WINDOW, state_after_reply
from faqbot.model.conversation import ConversationState, LastAnswer, LikelyAnswer, Option, Slot, drop_expired
from faqbot.model.decisions import Answered, Likely, LikelyRefused, NoneOfThese, Offered, Unanswered
from faqbot.model.entries import Candidate, Entry
from faqbot.model.plain_replies import SmallTalk, SmallTalkKind

NOW = 1_000.0
LATER = NOW + OPTIONS_SECONDS
ANNUAL = Entry("annual", "年假有几天", "五天")
OTHER = Entry("sick", "病假怎么请", "找主管")
FULL = ConversationState(
    options=(Option("entry", "a"),),
    options_expire_at=NOW + 10,
    options_message_id="m9",
    last_answer=LastAnswer("m0", "a", "年假", 0.9, NOW + 20),
    miss_expiries=(NOW + 5, NOW + 30),
    slots=(Slot("city", "上海", "a", NOW + 40),),
    reply_expiries=(NOW + 25, NOW + 35),
    likely_answer=LikelyAnswer("m0", ("b", "c"), NOW + 20),
)
NO_LIST = replace(FULL, options=(), options_expire_at=0.0, options_message_id="")


def test_a_context_ends_with_its_last_part():
    assert FULL.last_expiry == NOW + 40
    assert ConversationState().last_expiry == 0.0


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (0, FULL),
        (5, replace(FULL, miss_expiries=(NOW + 30,))),
        (10, replace(NO_LIST, miss_expiries=(NOW + 30,))),
        (
            20,
            replace(
                FULL,
                options=(),
                options_expire_at=0.0,
                options_message_id="",
                last_answer=None,
                miss_expiries=(NOW + 30,),
                likely_answer=None,
            ),
        ),
        (25, ConversationState(miss_expiries=(NOW + 30,), slots=FULL.slots, reply_expiries=(NOW + 35,))),
        (35, ConversationState(slots=FULL.slots)),
        (40, ConversationState()),
    ],
)
def test_each_part_is_void_after_its_own_time(after, left):
    assert drop_expired(FULL, NOW + after) == left


def test_nobody_said_anything_yet():
    assert drop_expired(None, NOW) == ConversationState()


@pytest.mark.parametrize(
    ("decision", "changes"),
    [
        (SmallTalk(SmallTalkKind.THANKS), {}),
        (
            Answered(ANNUAL, 0.9, "年休假天数"),
            {
                "last_answer": LastAnswer("m1", "annual", "年休假天数", 0.9, LATER),
                "miss_expiries": (),
                "likely_answer": None,
            },
        ),
        (
            Offered((Candidate(ANNUAL, 0.5, "年假"),)),
            {
                "options": (Option("entry", "annual"), Option("none", "")),
                "options_expire_at": LATER,
                "options_message_id": "m1",
                "likely_answer": None,
            },
        ),
        (Unanswered(), {"miss_expiries": (*FULL.miss_expiries, LATER), "likely_answer": None}),
        (NoneOfThese(), {"miss_expiries": (*FULL.miss_expiries, LATER), "likely_answer": None}),
        (
            Likely(ANNUAL, 0.6, "年休假天数", (Candidate(OTHER, 0.1, "病假"),)),
            {
                "last_answer": LastAnswer("m1", "annual", "年休假天数", 0.6, LATER),
                "likely_answer": LikelyAnswer("m1", ("sick",), LATER),
            },
        ),
        (
            LikelyRefused(),
            {"last_answer": None, "likely_answer": None, "miss_expiries": (*FULL.miss_expiries, LATER)},
        ),
        (
            LikelyRefused((OTHER,)),
            {
                "last_answer": None,
                "likely_answer": None,
                "options": (Option("entry", "sick"), Option("none", "")),
                "options_expire_at": LATER,
                "options_message_id": "m0",
            },
        ),
    ],
)
def test_what_was_told_is_remembered(decision, changes):
    replied = (*FULL.reply_expiries, NOW + RATE_WINDOW_SECONDS)
    assert state_after_reply(FULL, decision, "m1", NOW) == replace(FULL, reply_expiries=replied, **changes)


def test_no_more_replies_are_remembered_than_are_too_many():
    context = ConversationState()
    for second in range(REPLIES_PER_WINDOW + 5):
        context = state_after_reply(context, SmallTalk(SmallTalkKind.THANKS), "m1", NOW + second)
    assert len(context.reply_expiries) == REPLIES_PER_WINDOW
    assert context.reply_expiries[-1] == NOW + REPLIES_PER_WINDOW + 4 + RATE_WINDOW_SECONDS
