"""What is noted of a reply for the colleague who says 同问."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.messaging.group_answers import answer_for_all
from faqbot.model.conversation import GroupAnswer
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Likely,
    LikelyRefused,
    MultiAnswer,
    NoneOfThese,
    Offered,
    Part,
    PrivateReply,
    Unanswered,
)
from faqbot.model.entries import Candidate, Entry, FollowUp

PUBLIC = Entry("annual", "年假有几天", "五天")
PRIVATE = replace(PUBLIC, id="slip", private=True)
ANSWER, SECRET = Answered(PUBLIC, 1.0, "年假"), Answered(PRIVATE, 1.0, "工资条")
BACK = AskedBack(PUBLIC, 1.0, "年假", FollowUp("city", "城市？"))


@pytest.mark.parametrize(
    ("response", "noted"),
    [
        (ANSWER, GroupAnswer(("annual",))),
        (replace(ANSWER, case="上海", slot_value="上海"), GroupAnswer(("annual",))),
        (replace(ANSWER, answered_minutes_ago=3), GroupAnswer(("annual",))),
        (BACK, GroupAnswer(("annual",))),
        (Likely(PUBLIC, 0.6, "年假"), GroupAnswer(("annual",), is_guess=True)),
        (MultiAnswer((Part("年假", ANSWER), Part("食堂", Unanswered()))), GroupAnswer(("annual",))),
        (MultiAnswer((Part("年假", ANSWER), Part("工资条", SECRET))), GroupAnswer(("annual",))),
        (SECRET, GroupAnswer(())),
        (PrivateReply(SECRET), GroupAnswer(())),
        (replace(BACK, entry=PRIVATE), GroupAnswer(())),
        (replace(BACK, unclear=True), GroupAnswer(())),
        (Offered((Candidate(PUBLIC, 0.4, "年假"),)), GroupAnswer(())),
        (Unanswered(), GroupAnswer(())),
        (NoneOfThese(), GroupAnswer(())),
        (LikelyRefused(), GroupAnswer(())),
    ],
)
def test_only_public_answers_are_noted_without_the_facts_of_their_asker(response, noted):
    assert answer_for_all(response) == noted
