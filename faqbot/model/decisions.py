"""What is replied to a message, before it is written: one Decision. Frozen facts that travel between the modules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from faqbot.model.conversation import Option
from faqbot.model.entries import Candidate, Entry, FollowUp
from faqbot.model.messages import Message


@dataclass(frozen=True, slots=True)
class Answered:
    """`related` are up to three entries that may be asked next; `overdue` says that the review of the answer is.

    `case` is the one of `Entry.variants` that is answered, all of them where it is empty; `said` is what the asker said
    that it was chosen by, `assumed` whether that was for an earlier question.
    """

    entry: Entry
    score: float
    question: str
    picked: bool = False
    related: tuple[Entry, ...] = ()
    overdue: bool = False
    case: str = ""
    said: str = ""
    assumed: bool = False
    followed: bool = False  # what was asked was read as a continuation of the question before
    above: int | None = None  # minutes since the group was told the same: it is only pointed to


@dataclass(frozen=True, slots=True)
class AskedBack:
    """The answer is known but depends on the asker, who is asked; `unclear` that it is once more, after a text that
    names none of the cases and for which nothing was found."""

    entry: Entry
    score: float
    question: str
    ask: FollowUp
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One of several questions in a message, and what was decided on it."""

    text: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class MultiAnswer:
    """Several questions in one message, at least one of them answered."""

    parts: tuple[Part, ...]

    @property
    def answered(self) -> tuple[Answered, ...]:
        return tuple(p.decision for p in self.parts if isinstance(p.decision, Answered))

    @property
    def missed(self) -> tuple[Part, ...]:
        return tuple(p for p in self.parts if not isinstance(p.decision, Answered))


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nothing was found; `contact` is whom to turn to, once an asker was left without an answer twice in a row: empty
    where nobody is known by name, None before that.

    `hidden` holds private entries near the question that its asker may not see: it is not repeated in a group.
    """

    nearest: tuple[Candidate, ...] = ()
    hidden: tuple[Candidate, ...] = ()
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class PrivateReply:
    """What colleagues must not read: it goes to the asker alone, and the group sees a neutral line.

    `way` says how that went and `code` what DingTalk said to it.
    """

    decision: Answered | Offered | MultiAnswer
    way: Literal["due", "sent", "external", "barred", "unsure"] = "due"
    code: str = "ok"


@dataclass(frozen=True, slots=True)
class Menu:
    """What can be asked: topics with their number of entries and an example each."""

    topics: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class TopicList:
    """The questions of one topic; `total` counts those not shown too."""

    topic: str
    entries: tuple[Entry, ...]
    total: int


@dataclass(frozen=True, slots=True)
class NoneOfThese:
    """Nothing on the list that was sent was meant; `contact` as for Unanswered."""

    contact: str | None = None


class SmallTalkKind(StrEnum):
    """Replies that need no knowledge."""

    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    NOTHING_TO_PICK = "nothing_to_pick"
    NOT_TEXT = "not_text"
    NOT_HEARD = "not_heard"


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """`greeting` is how the group wants to be greeted, where it says so."""

    kind: SmallTalkKind
    greeting: str = ""


@dataclass(frozen=True, slots=True)
class OutOfList:
    """A number was typed that the list did not have."""

    size: int


@dataclass(frozen=True, slots=True)
class TooLate:
    """A question found again after an interruption, too old to be answered out of the blue."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Failure:
    """The reply could not be made or DingTalk refused its content; the asker is told so."""

    refused: bool = False


class CommandKind(StrEnum):
    """What can be asked to be done, rather than answered from the knowledge."""

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
    REPLY = "reply"
    WHY = "why"
    KEEPER = "keeper"
    HOTTEST = "hottest"


@dataclass(frozen=True, slots=True)
class Command:
    """Something to be done; `text` is what was said after the word that gave the order."""

    kind: CommandKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of an order, in markdown; `outcome` names it in log and metrics. `options` are the numbered lines.

    `mentions` are userIds that are @ed in a group beside the giver; the body has to hold `@` and the id.
    """

    title: str
    body: str
    outcome: str = "told"
    options: tuple[Option, ...] = ()
    mentions: tuple[str, ...] = ()


Decision = (
    Answered
    | AskedBack
    | MultiAnswer
    | Offered
    | Unanswered
    | NoneOfThese
    | PrivateReply
    | Menu
    | TopicList
    | SmallTalk
    | OutOfList
    | TooLate
    | Failure
    | Command
    | CommandResult
)


# What is done for an order, and what its giver is told. It may run again after a crash, and must then do nothing twice.
CommandHandler = Callable[[Message, Command], Awaitable[Decision]]
