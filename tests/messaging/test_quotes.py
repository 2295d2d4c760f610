"""The quote stages around the finder: which messages are read, and what happens where reading fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.messaging.pipeline import Outcome, Turn
from faqbot.messaging.quotes import ReadQuote, ReviseByQuote
from faqbot.model.commands import Command, CommandKind
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.plain_replies import Menu, UnclearQuote
from faqbot.model.quotes import QuotedQuestion, UnknownQuote

MESSAGE = Message("m", "r", "cid", True, MessageKind.TEXT, "", quoted="停车费能报吗", is_quote=True)


class Broken:
    """Every part that the stage could ask for help fails."""

    async def find(self, message: Message, *, surely: bool = False) -> None:
        raise ValueError("broken")

    async def retry_until_available(self, step):
        return await step()


class Last:
    """The stages that follow: they keep the turn that reached them."""

    async def __call__(self, turn: Turn) -> Outcome:
        self.turn = turn
        return Outcome(turn.response, DeliveryResult(DeliveryState.ANSWERED))


def reader() -> ReadQuote:
    return ReadQuote(Broken(), None, None, None, Broken())  # type: ignore[arg-type]


async def test_a_quote_that_cannot_be_read_is_unknown_and_its_message_goes_on() -> None:
    last = Last()
    await reader()(Turn(MESSAGE), last)
    assert last.turn == Turn(MESSAGE, quote=UnknownQuote())


@pytest.mark.parametrize(
    "changes",
    [
        {"is_quote": False},
        {"kind": MessageKind.PICTURE},
        {"text": "可以报，每月上限 500", "quoted": "单号 12：小王在「全员群」问：停车费能报吗"},
    ],
    ids=["no quote", "picture", "answer to a ticket"],
)
async def test_other_messages_are_not_read(changes: dict[str, object]) -> None:
    last, turn = Last(), Turn(replace(MESSAGE, **changes))
    await reader()(turn, last)
    assert last.turn == turn


@pytest.mark.parametrize(
    ("turn", "decided"),
    [
        (Turn(MESSAGE, response=Menu(()), quote=UnknownQuote()), UnclearQuote("question")),
        (
            Turn(
                replace(MESSAGE, text="人工"), command=Command(CommandKind.PERSON), quote=QuotedQuestion("停车费能报吗")
            ),
            Command(CommandKind.PERSON, "停车费能报吗"),
        ),
        (
            Turn(replace(MESSAGE, text="没用"), command=Command(CommandKind.RATE, "unhelpful"), quote=UnknownQuote()),
            UnclearQuote("answer"),
        ),
        (Turn(replace(MESSAGE, text="帮助"), response=Menu(()), quote=UnknownQuote()), Menu(())),
        (
            Turn(replace(MESSAGE, text="没用"), command=Command(CommandKind.RATE, "unhelpful")),
            Command(CommandKind.RATE, "unhelpful"),
        ),
    ],
    ids=["mention alone", "person", "rating", "menu", "no quote"],
)
async def test_a_decision_is_revised_only_where_it_depends_on_the_quote(turn: Turn, decided: object) -> None:
    last = Last()
    await ReviseByQuote()(turn, last)
    assert last.turn.decided == decided
