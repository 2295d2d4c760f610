"""Pipeline mechanism: how stages are chained, and the data they pass on. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from faqbot.model.commands import Command, Response
from faqbot.model.conversation import ConversationState, GroupAnswer
from faqbot.model.messages import DeliveryResult, Message
from faqbot.model.plain_replies import Failure
from faqbot.model.quotes import Quote

_NO_STATE = ConversationState()
_UNDECIDED = Failure()


@dataclass(frozen=True, slots=True)
class Turn:
    """One message and the results of the stages it has passed.

    state: the dialogue state by which the message is decided on; parts of it may have expired.
    command: a command that is still to be carried out.
    response: the reply; until it is decided, a message that something went wrong.
    footer: markdown below the reply.
    was_slowed: the asker had to wait because they asked too fast.
    quote: what the message quotes; None if it quotes nothing that matters.
    had_insult: an insult was taken out of the message.
    group_answer: what the group was answered last, for a message that asks for the same.
    """

    message: Message
    state: ConversationState = _NO_STATE
    command: Command | None = None
    response: Response = _UNDECIDED
    footer: str = ""
    was_slowed: bool = False
    quote: Quote | None = None
    had_insult: bool = False
    group_answer: GroupAnswer | None = None

    @property
    def decided(self) -> Command | Response:
        return self.command or self.response


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a message: the decision on it, and the result of delivering the reply to it."""

    decided: Command | Response
    delivery: DeliveryResult


class MessageTakenOver(Exception):
    """Another worker has taken the message over, so that this one must neither reply nor record anything."""


NextStage = Callable[[Turn], Awaitable[Outcome]]


class Stage(Protocol):
    """One step in handling a message. It acts before and after the steps that follow, by code around `proceed`."""

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        """Handle a turn; `proceed` runs the stages that follow, unless this one ends the message."""
        ...


def chain(stages: Sequence[Stage]) -> NextStage:
    """Return a function that runs the stages in their order; the last one must not proceed."""

    async def end(turn: Turn) -> Outcome:
        raise RuntimeError("no stage ended the message")

    run: NextStage = end
    for stage in reversed(stages):
        run = partial(stage, proceed=run)
    return run
