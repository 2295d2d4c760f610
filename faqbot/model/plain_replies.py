"""Replies that need no candidates: menus, small talk, and those to what cannot be read or came too late."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from faqbot.model.conversation import Option
from faqbot.model.entries import Entry
from faqbot.model.messages import DeliveryResult, DeliveryState
from faqbot.model.response import LoggedMatch, ResponseDefaults


@dataclass(frozen=True, slots=True)
class Menu(ResponseDefaults):
    """The topics that can be asked about, each with its number of entries and an example question.

    unspecific: the message did not say what it is about, so its sender is asked.
    """

    topics: tuple[tuple[str, int, str], ...]
    unspecific: bool = False

    @property
    def outcome(self) -> str:
        return "menu"

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(Option("topic", name) for name, _, _ in self.topics)

    @property
    def allows_introduction(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class TopicList(ResponseDefaults):
    """The questions of one topic; `total` also counts those that are not listed."""

    topic: str
    entries: tuple[Entry, ...]
    total: int

    @property
    def outcome(self) -> str:
        return "menu"

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(Option("entry", e.id) for e in self.entries)


@dataclass(frozen=True, slots=True)
class Introduction(ResponseDefaults):
    """The bot says what it is, with real questions as examples."""

    examples: tuple[Entry, ...]

    @property
    def outcome(self) -> str:
        return "introduction"

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(Option("entry", entry.id) for entry in self.examples)


class SmallTalkKind(StrEnum):
    """Replies that need no knowledge."""

    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    CHAT = "chat"
    COMPLAINT = "complaint"
    NOTHING_TO_PICK = "nothing_to_pick"
    NOTHING_TO_REPEAT = "nothing_to_repeat"
    NOT_TEXT = "not_text"
    NOT_HEARD = "not_heard"


@dataclass(frozen=True, slots=True)
class SmallTalk(ResponseDefaults):
    """A reply that needs no knowledge. `greeting` is the group's own greeting, if it has one."""

    kind: SmallTalkKind
    greeting: str = ""

    @property
    def outcome(self) -> str:
        return self.kind.value

    @property
    def allows_introduction(self) -> bool:
        return self.kind is SmallTalkKind.GREETING


@dataclass(frozen=True, slots=True)
class OutOfList(ResponseDefaults):
    """The number that was picked is not on the list, which has `size` lines; `unclear` where no number was named."""

    size: int
    unclear: bool = False

    @property
    def outcome(self) -> str:
        return "out_of_list"


@dataclass(frozen=True, slots=True)
class UnclearQuote(ResponseDefaults):
    """The message says what only its quote explains, and that was not recognised: `missing` is what to write out."""

    missing: Literal["question", "answer", "list"]

    @property
    def outcome(self) -> str:
        return "unclear_quote"


@dataclass(frozen=True, slots=True)
class TooLate(ResponseDefaults):
    """A question found again after an interruption, too old to answer unexpectedly; the asker is told so."""

    minutes: int

    @property
    def outcome(self) -> str:
        return "late"

    @property
    def delivery_result(self) -> DeliveryResult:
        return DeliveryResult(DeliveryState.ANSWERED, "late")


@dataclass(frozen=True, slots=True)
class Failure(ResponseDefaults):
    """The reply could not be made, or DingTalk refused its content; the asker is told so."""

    refused: bool = False

    @property
    def outcome(self) -> str:
        return "broken"

    @property
    def logged_match(self) -> LoggedMatch:
        return LoggedMatch()

    @property
    def delivery_result(self) -> DeliveryResult:
        return DeliveryResult(DeliveryState.FAILED, "broken")
