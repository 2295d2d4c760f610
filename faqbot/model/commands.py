"""Commands that people give in chat, and the results of carrying them out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from faqbot.model.conversation import Option
from faqbot.model.decisions import Decision
from faqbot.model.messages import Message
from faqbot.model.question_log import Rating
from faqbot.model.response import ResponseDefaults


class CommandKind(StrEnum):
    """The commands, named as in the log and the metrics."""

    MY_QUESTIONS = "my_questions"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    WITHDRAW = "withdraw"
    RATE = "rate"
    MEMBERS = "members"
    PUNCHES = "punches"
    REPORT = "report"
    CONFIRMATIONS = "confirmations"
    MY_PUNCHES = "my_punches"
    MY_LEAVE = "my_leave"
    ANNOUNCE = "announce"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    PERSON = "person"
    TEAM = "team"
    CANCEL_PERSON = "cancel_person"
    REPLY = "reply"
    WHY = "why"
    KEEPER = "keeper"
    HOTTEST = "hottest"
    EXPLAIN = "explain"


@dataclass(frozen=True, slots=True)
class Command:
    """Something to carry out. `text` is the text behind the word that names the command."""

    kind: CommandKind
    text: str = ""

    @property
    def outcome(self) -> str:
        return self.kind.value


@dataclass(frozen=True, slots=True)
class ColleagueRating:
    """A rating of the answer to a colleague's question, which is recorded beside the asker's own.

    message_id, question: the message with the question, and its text as it is on record.
    """

    message_id: str
    question: str
    entry_id: str
    rating: Rating


@dataclass(frozen=True, slots=True)
class CommandResult(ResponseDefaults):
    """The reply to a command, in markdown.

    outcome: its name in log and metrics.
    options: the options behind the numbered lines of the body.
    mentions: userIds that are @ed in a group beside the sender; the body has to hold `@` and the id.
    awaits_question: the next message of the sender is the question for the person who was asked for.
    rated: a rating to record.
    """

    title: str
    body: str
    outcome: str = "told"
    options: tuple[Option, ...] = ()
    mentions: tuple[str, ...] = ()
    awaits_question: bool = False
    rated: ColleagueRating | None = None


# Carries out a command. It may run again after a crash, and must then do nothing twice.
CommandHandler = Callable[[Message, Command], Awaitable[CommandResult]]

# The meaning of a message: a command to carry out, or a decision on the reply.
Interpretation = Command | Decision

# The content of a reply to a message.
Response = Decision | CommandResult
