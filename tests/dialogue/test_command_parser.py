"""Which messages are orders."""

from __future__ import annotations

from datetime import date

import pytest

from faqbot.dialogue.command_parser import parse_command
from faqbot.dialogue.manager import DecisionRequest, decide
from faqbot.language.normalize import Synonyms
from faqbot.model.commands import Command, CommandKind
from faqbot.model.decisions import Answered
from faqbot.model.entries import Entry
from faqbot.model.messages import Message, MessageKind
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS


def message(text: str) -> Message:
    return Message(id="1", robot_code="r", conversation_id="c", is_group=False, kind=MessageKind.TEXT, text=text)


@pytest.mark.parametrize("text", ["我的", " 我的提问 ", "我问过什么？"])
def test_a_whole_message_gives_the_order(text):
    assert parse_command(message(text)) == Command(CommandKind.MY_QUESTIONS)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (CommandKind.WHY, "为什么？ 依据 为什么这么说"),
        (CommandKind.KEEPER, "谁负责 找谁？"),
        (CommandKind.HOTTEST, "热门 热门问题 大家都在问什么？"),
    ],
)
def test_answers_can_be_asked_about(kind, texts):
    assert [parse_command(message(text)) for text in texts.split()] == [Command(kind)] * len(texts.split())


@pytest.mark.parametrize("text", ["我的年假还有几天", "", "年假几天", "为什么扣我工资", "报销谁负责"])
def test_a_question_is_no_order(text):
    assert parse_command(message(text)) is None


def test_a_wording_that_hr_wrote_comes_before_an_order():
    index = Index([Entry(id="own", question="我的", answer="自己的东西请自己保管。")], Synonyms(()))
    decision = decide(
        DecisionRequest(message("我的")), index, limits=FITTED_THRESHOLDS["balanced"], now=0.0, today=date(2026, 1, 5)
    )
    assert isinstance(decision, Answered) and decision.entry.id == "own"
