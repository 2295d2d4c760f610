"""Each kind of decision says by its properties how it is logged, recorded, delivered and rendered."""

from __future__ import annotations

from typing import get_args

import pytest

from faqbot.model.commands import CommandKind, CommandResult, Response
from faqbot.model.conversation import Option
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Decision,
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
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.plain_replies import (
    Failure,
    Introduction,
    Menu,
    OutOfList,
    SmallTalk,
    SmallTalkKind,
    TooLate,
    TopicList,
    UnclearQuote,
)
from faqbot.model.remembered import Remembered
from faqbot.model.response import LoggedMatch
from faqbot.replies.render import render

PUBLIC = Entry("annual", "年假有几天？", "五天")
PRIVATE = Entry("court", "法院要扣我的工资怎么办？", "生活费线", topic="薪酬", private=True)
CITY = Entry("housing", "公积金交多少？", "", ask=FollowUp("city", "城市？"), variants={"else": "5%", "上海": "7%"})
ANSWER, SECRET = Answered(PUBLIC, 0.9, "年假"), Answered(PRIVATE, 0.8, "法院")
LIST = Offered((Candidate(PUBLIC, 0.5, "年假"),))
MISSED = Part("食堂", Unanswered())
# An example of each kind, its outcome and what the question log keeps of it.
EXAMPLES: list[tuple[Response, str, LoggedMatch | None]] = [
    (ANSWER, "answered", LoggedMatch("annual", 0.9)),
    (Answered(PUBLIC, 1.0, "年假", picked=True), "picked", LoggedMatch("annual", 1.0)),
    (AskedBack(CITY, 0.7, "公积金", FollowUp("city", "城市？")), "asked_back", LoggedMatch("housing", 0.7)),
    (Answered(PUBLIC, 1.0, "年假", repeated=True), "answered", LoggedMatch("annual", 1.0, PUBLIC.question)),
    (MultiAnswer((Part("年假", ANSWER),), picked=True), "picked", LoggedMatch("annual", 0.9)),
    (AskedBack(CITY, 0.0, "公积金", FollowUp("city", "城市？"), unclear=True), "asked_again", LoggedMatch()),
    (MultiAnswer((Part("年假", ANSWER), MISSED)), "unanswered", LoggedMatch(question="食堂")),
    (MultiAnswer((Part("年假", ANSWER),)), "answered", LoggedMatch("annual", 0.9)),
    (LIST, "offered", LoggedMatch("annual", 0.5)),
    (Likely(PUBLIC, 0.6, "年假"), "likely", LoggedMatch("annual", 0.6)),
    (LikelyRefused((PUBLIC,)), "likely_refused", LoggedMatch()),
    (LikelyRefused(), "likely_refused", LoggedMatch()),
    (Unanswered((Candidate(PUBLIC, 0.2, "年假"),)), "unanswered", LoggedMatch(score=0.2)),
    (PrivateReply(SECRET), "answered", LoggedMatch("court", 0.8)),
    (NoneOfThese(), "none_of_these", LoggedMatch()),
    (Menu((("休假", 1, "年假"),)), "menu", None),
    (TopicList("休假", (PUBLIC,), 1), "menu", None),
    (Remembered(("上海",), are_places=True), "remembered", None),
    (UnclearQuote("answer"), "unclear_quote", None),
    (Introduction((PUBLIC,)), "introduction", None),
    *((SmallTalk(kind), kind.value, None) for kind in SmallTalkKind),
    (OutOfList(3), "out_of_list", None),
    (TooLate(11), "late", None),
    (Failure(), "broken", LoggedMatch()),
    (CommandResult("标题", "正文", "told"), "told", None),
]
QUESTION = Message("m", "robot", "cid", True, MessageKind.TEXT, "年假", staff_id="u1")


def test_there_is_an_example_of_each_kind() -> None:
    assert {type(response) for response, _, _ in EXAMPLES} == set(get_args(Response))
    assert set(get_args(Response)) == {*get_args(Decision), CommandResult}


@pytest.mark.parametrize(("response", "outcome", "logged"), EXAMPLES)
def test_each_kind_has_an_outcome_a_record_and_a_text(
    response: Response, outcome: str, logged: LoggedMatch | None
) -> None:
    assert response.outcome == outcome
    assert response.logged_match == logged
    assert all(reply.body for reply in render(response, QUESTION))


def test_a_command_is_named_like_its_kind_and_is_no_response() -> None:
    assert {kind.value for kind in CommandKind} >= {"my_questions", "approve", "why"}
    assert "Command" not in {kind.__name__ for kind in get_args(Response)}


def test_the_options_are_the_lines_of_the_list() -> None:
    assert LIST.options == (Option("entry", "annual"), Option("none", ""))
    assert EXAMPLES[2][0].options == (Option("case", "housing\n上海"), Option("case", "housing\nelse"))
    assert MultiAnswer((Part("年假", ANSWER), Part("假", LIST))).options == LIST.options
    assert PrivateReply(LIST).options == (), "the group gets no list"


def test_what_is_private_is_known_of_every_part() -> None:
    assert ANSWER.private_entry is None and SECRET.private_entry is PRIVATE
    assert PrivateReply(MultiAnswer((Part("年假", ANSWER), Part("法院", SECRET)))).private_entry is PRIVATE
    assert Unanswered(hidden=(Candidate(PRIVATE, 0.1, "法院"),)).private_entry is PRIVATE


def test_the_bot_introduces_itself_below_public_replies_only() -> None:
    allowed = {type(response).__name__ for response, _, _ in EXAMPLES if response.allows_introduction}
    assert allowed == {"Answered", "AskedBack", "Likely", "MultiAnswer", "Offered", "Unanswered", "Menu", "SmallTalk"}
    assert not SECRET.allows_introduction
    assert not SmallTalk(SmallTalkKind.THANKS).allows_introduction


def test_a_delivered_failure_is_no_answer() -> None:
    assert ANSWER.delivery_result == DeliveryResult(DeliveryState.ANSWERED)
    assert Failure().delivery_result == DeliveryResult(DeliveryState.FAILED, "broken")
    assert TooLate(11).delivery_result == DeliveryResult(DeliveryState.ANSWERED, "late")
    assert PrivateReply(SECRET, "barred", "403").delivery_result == DeliveryResult(DeliveryState.ANSWERED, "403")
