"""What is recorded of a likely answer, of its refusal and of what is picked afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.messaging.question_log import record_of
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, Likely, LikelyRefused
from faqbot.model.entries import Candidate, Entry
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.question_log import QuestionRecord, received_answers

NOW = 1_000.0
HOTEL = Entry("hotel", "出差住宿标准是多少？", "每晚 500 元。")
MEALS = Entry("meals", "出差餐补有多少？", "每天 100 元。")
LIKELY = Likely(HOTEL, 0.6, HOTEL.question, (Candidate(MEALS, 0.1, MEALS.question),))
DELIVERED = DeliveryResult(DeliveryState.ANSWERED)


def message(number: int, text: str) -> Message:
    return Message(f"m{number}", "robot", "cid", True, MessageKind.TEXT, text, staff_id="u1", sent_at=NOW)


def test_the_refusal_and_the_pick_name_the_question() -> None:
    state, records = ConversationState(), []
    for number, (text, reply) in enumerate(
        [
            ("住宿", LIKELY),
            ("不是", LikelyRefused((MEALS,))),
            ("1", Answered(MEALS, 1.0, MEALS.question, picked=True)),
        ]
    ):
        record = record_of(message(number, text), reply, state, DELIVERED, NOW)
        assert record is not None
        records.append(record)
        state = state_after_reply(state, reply, f"m{number}", NOW)
    assert [(r.text, r.outcome, r.entry_id, r.picked_for) for r in records] == [
        ("住宿", "likely", "hotel", ""),
        ("不是", "likely_refused", "", "m0"),
        ("1", "picked", "meals", "m0"),
    ]
    assert [r.entry_id for r in received_answers(records)] == ["meals"]


@pytest.mark.parametrize(
    ("outcome", "delivery", "received"),
    [
        ("answered", "ok", True),
        ("picked", "ok", True),
        ("likely", "ok", True),
        ("likely", "430101", False),
        ("offered", "ok", False),
        ("unanswered", "ok", False),
    ],
)
def test_an_answer_is_received_when_it_was_delivered(outcome: str, delivery: str, received: bool) -> None:
    record = QuestionRecord("m0", NOW, "cid", "u1", "住宿", outcome, "hotel", delivery=delivery)
    assert received_answers([record]) == ([record] if received else [])
    refusal = replace(record, message_id="m1", outcome="likely_refused", delivery="ok", picked_for="m0")
    assert received_answers([record, replace(refusal, picked_for="m9")]) == ([record] if received else [])
