"""After 人工 the next message is the question for the person; from a list of teams one is picked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.dialogue.manager import DecisionRequest, decide_many
from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.model.commands import Command, CommandKind, CommandResult
from faqbot.model.conversation import ConversationState, Option
from faqbot.model.decisions import Answered, Unanswered
from faqbot.model.entries import Entry
from faqbot.model.messages import Message, MessageKind
from faqbot.model.plain_replies import Menu, OutOfList, SmallTalk, SmallTalkKind
from faqbot.search.index import Index
from faqbot.search.thresholds import Thresholds

LIMITS = Thresholds(answer_at=0.8, likely_at=0.5, offer_at=0.2)
TODAY = date(2026, 6, 1)
NOW = 1_000.0
LEAVE = Entry("leave", "年假有几天？", "5 天。", topic="休假", owner="休假组")
PAY = Entry("pay", "几号发工资？", "10 号。", topic="薪酬", owner="薪酬组")
CARE = Entry("care", "怎么预约心理咨询？", "打电话。", topic="关怀", owner="薪酬组", private=True)
ASKED = ConversationState(handoff_expires_at=NOW + OPTIONS_SECONDS)
TEAMS = (Option.of_team(7, "薪酬组"), Option.of_team(7, "休假组"), Option.of_team(7, ""))
LISTED = ConversationState(TEAMS, NOW + OPTIONS_SECONDS)


def say(text: str, state: ConversationState, *, now=NOW, kind=MessageKind.TEXT, group=True):
    message = Message("m2", "r", "cid", group, kind, text, staff_id="u1")
    request = DecisionRequest(message, state)
    return decide_many([request], Index([LEAVE, PAY, CARE]), limits=LIMITS, now=now, today=TODAY)[0]


def person(text: str) -> Command:
    return Command(CommandKind.PERSON, text)


@pytest.mark.parametrize(
    "text", ["工资条没收到", "年假有几天？", "怎么办", "薪酬", "996 违法吗", "我最近好累啊", " 我的年假\n少了一天 "]
)
def test_the_next_message_is_the_question_for_the_person(text):
    assert say(text, ASKED) == person(text.strip())


@pytest.mark.parametrize("text", ["取消", "算了", "不用了谢谢", "没事了"])
def test_the_request_is_taken_back(text):
    assert say(text, ASKED) == Command(CommandKind.CANCEL_PERSON)
    assert say(text, LISTED) == Command(CommandKind.CANCEL_PERSON, TEAMS[0].key)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("你好", SmallTalk), ("好的谢谢", SmallTalk), ("2", SmallTalk), ("都不是", SmallTalk),
    ("帮助", Menu),
    ],
)  # fmt: skip
def test_what_says_nothing_is_no_question(text, kind):
    assert isinstance(say(text, ASKED), kind)


def test_a_picture_is_no_question_and_the_next_text_is():
    reply = say("", ASKED, kind=MessageKind.PICTURE)
    assert reply == SmallTalk(SmallTalkKind.NOT_TEXT)
    assert say("工资条没收到", state_after_reply(ASKED, reply, "m2", NOW)) == person("工资条没收到")


@pytest.mark.parametrize("text", ["我的", "人工", "人工 证明怎么开", "通过 3"])
def test_a_command_stays_one(text):
    assert say(text, ASKED) == say(text, ConversationState())


def test_the_question_is_awaited_for_ten_minutes():
    assert isinstance(say("年假有几天？", ASKED, now=ASKED.handoff_expires_at), Answered)


@pytest.mark.parametrize(
    ("reply", "awaited"),
    [
        (CommandResult("", "", awaits_question=True), True),
        (SmallTalk(SmallTalkKind.GREETING), True),
        (OutOfList(3), True),
        (CommandResult("", ""), False),
        (Answered(LEAVE, 1.0, LEAVE.question), False),
        (Unanswered(), False),
        (Menu(()), False),
    ],
)
def test_other_answers_and_commands_change_the_subject(reply, awaited):
    state = state_after_reply(ASKED, reply, "m1", NOW)
    assert state.handoff_expires_at == (ASKED.handoff_expires_at if awaited else 0.0)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("1", 0), ("第二个", 1), ("3", 2), ("都不是", 2), ("不是", 2), ("最后一个", 1), ("就第一个吧", 0),
        ("薪酬那个", 0), ("薪酬组", 0), ("薪酬", 0), ("找休假组吧", 1), ("薪酬组（薪酬）", 0),
    ],
)  # fmt: skip
def test_a_team_is_picked(text, option):
    assert say(text, LISTED) == Command(CommandKind.TEAM, TEAMS[option].key)


def test_a_private_topic_is_no_name_of_a_team_in_a_group():
    assert not isinstance(say("关怀", LISTED), Command)
    assert say("关怀", LISTED, group=False) == Command(CommandKind.TEAM, TEAMS[0].key)


def test_other_messages_beside_a_list_of_teams_are_what_they_are():
    assert say("9", LISTED) == OutOfList(3)
    assert say("1和2", LISTED) == say("都看看", LISTED) == OutOfList(2, unclear=True)
    assert isinstance(say("年假有几天？", LISTED), Answered)


def test_a_command_ends_the_list_of_teams_only():
    handed = state_after_reply(LISTED, CommandResult("", ""), "m1", NOW)
    assert (handed.options, handed.options_expire_at) == ((), 0.0)
    other = replace(LISTED, options=(Option("entry", "leave"),))
    assert state_after_reply(other, CommandResult("", ""), "m1", NOW).options == other.options
