"""An asker's context holds part by part, and grows by what was told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.dialogue.choices import CONTEXT_SECONDS
from faqbot.dialogue.context import PACE_SECONDS, PER_MINUTE, fresh, remember
from faqbot.model.conversation import ConversationState, LastAnswer, Option, Slot
from faqbot.model.decisions import Answered, NoneOfThese, Offered, SmallTalk, SmallTalkKind, Unanswered
from faqbot.model.entries import Candidate, Entry

NOW = 1_000.0
LATER = NOW + CONTEXT_SECONDS
ANNUAL = Entry("annual", "年假有几天", "五天")
FULL = ConversationState(
    options=(Option("entry", "a"),),
    until=NOW + 10,
    asked="m9",
    last=LastAnswer("m0", "a", "年假", 0.9, NOW + 20),
    misses=(NOW + 5, NOW + 30),
    facts=(Slot("city", "上海", "a", NOW + 40),),
    recent=(NOW + 25, NOW + 35),
)


def test_a_context_ends_with_its_last_part():
    assert FULL.ends == NOW + 40
    assert ConversationState().ends == 0.0


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (0, FULL),
        (5, replace(FULL, misses=(NOW + 30,))),
        (10, replace(FULL, options=(), until=0.0, asked="", misses=(NOW + 30,))),
        (20, replace(FULL, options=(), until=0.0, asked="", last=None, misses=(NOW + 30,))),
        (25, ConversationState(misses=(NOW + 30,), facts=FULL.facts, recent=(NOW + 35,))),
        (35, ConversationState(facts=FULL.facts)),
        (40, ConversationState()),
    ],
)
def test_each_part_is_void_after_its_own_time(after, left):
    assert fresh(FULL, NOW + after) == left


def test_nobody_said_anything_yet():
    assert fresh(None, NOW) == ConversationState()


@pytest.mark.parametrize(
    ("decision", "changes"),
    [
        (SmallTalk(SmallTalkKind.THANKS), {}),
        (
            Answered(ANNUAL, 0.9, "年休假天数"),
            {"last": LastAnswer("m1", "annual", "年休假天数", 0.9, LATER), "misses": ()},
        ),
        (
            Offered((Candidate(ANNUAL, 0.5, "年假"),)),
            {"options": (Option("entry", "annual"), Option("none", "")), "until": LATER, "asked": "m1"},
        ),
        (Unanswered(), {"misses": (*FULL.misses, LATER)}),
        (NoneOfThese(), {"misses": (*FULL.misses, LATER)}),
    ],
)
def test_what_was_told_is_remembered(decision, changes):
    replied = (*FULL.recent, NOW + PACE_SECONDS)
    assert remember(FULL, decision, "m1", NOW) == replace(FULL, recent=replied, **changes)


def test_no_more_replies_are_remembered_than_are_too_many():
    context = ConversationState()
    for second in range(PER_MINUTE + 5):
        context = remember(context, SmallTalk(SmallTalkKind.THANKS), "m1", NOW + second)
    assert len(context.recent) == PER_MINUTE
    assert context.recent[-1] == NOW + PER_MINUTE + 4 + PACE_SECONDS
