"""The facts that travel between the modules: frozen, without behaviour that needs the outside world."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal

# How the entries without a topic are called together.
NO_TOPIC = "其他"


# The line behind the name of a file, as messages point to another entry.
_LINE_NUMBER = re.compile(r"(?<=ml):\d+\b")


class MessageKind(StrEnum):
    """What a callback carried, as far as it matters for answering it."""

    TEXT = "text"
    VOICE = "voice"  # audio with DingTalk's own transcript, answered like text
    PICTURE = "picture"
    AUDIO = "audio"  # audio without a transcript
    VIDEO = "video"
    FILE = "file"
    UNKNOWN = "unknown"
    QUOTA = "quota"  # the notice that the company's monthly quota is used up


@dataclass(frozen=True, slots=True)
class Message:
    """One bot callback. Times are seconds since the epoch; `webhook` is a bearer secret."""

    id: str
    robot_code: str
    conversation_id: str
    is_group: bool
    kind: MessageKind
    text: str
    sender_id: str = ""
    staff_id: str = ""
    sender_name: str = ""
    conversation_title: str = ""
    quoted: str = ""
    sent_at: float = 0.0  # by DingTalk's clock
    received_at: float = 0.0  # by ours
    webhook: str = field(default="", repr=False)
    webhook_until: float = 0.0

    @property
    def asker(self) -> str:
        """The best identity there is: the userId, else the encrypted id, else the nickname."""
        return self.staff_id or self.sender_id or self.sender_name

    @property
    def key(self) -> str:
        """What makes a message the same: two robots that were @ed together get the same id."""
        return f"{self.robot_code}|{self.id}"

    @property
    def thread(self) -> str:
        """One asker within one conversation: the unit of order and of context. A person has one single chat only."""
        return f"{self.robot_code}|{self.conversation_id if self.is_group else ''}|{self.asker}"


@dataclass(frozen=True, slots=True)
class Place:
    """A line in a file a person wrote; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file: what, where, and, where it is known, the corrected line."""

    place: Place
    message: str
    is_error: bool = True
    quote: str = ""
    fix: str = ""

    @property
    def level(self) -> Literal["error", "warning"]:
        return "error" if self.is_error else "warning"

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same when an edit above moves the lines."""
        return self.place.file, _LINE_NUMBER.sub("", self.message)


@dataclass(frozen=True, slots=True)
class Period:
    """Both ends inclusive; an open end is None."""

    start: date | None = None
    end: date | None = None

    def covers(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def overlaps(self, other: Period) -> bool:
        return not (
            (self.end is not None and other.start is not None and self.end < other.start)
            or (other.end is not None and self.start is not None and other.end < self.start)
        )


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One question back (`ask`) whose reply picks the answer among `Entry.variants`."""

    name: str
    question: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing HR wrote an answer for.

    `variants` stands instead of `answer` where `ask` is set; the key `else` is the fallback.
    `held` says why the entry must not be answered although its file is live.
    """

    id: str
    question: str
    answer: str
    also: tuple[str, ...] = ()
    not_: tuple[str, ...] = ()
    topic: str = ""
    owner: str = ""
    source: str = ""
    related: tuple[str, ...] = ()
    valid: Period = Period()
    review: date | None = None
    groups: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    private: bool = False
    draft: bool = False
    ask: FollowUp | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    held: str = ""
    id_given: bool = True
    place: Place = Place("", 0)

    @property
    def wordings(self) -> tuple[str, ...]:
        return (self.question, *self.also)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may answer: the probability that it does, the wording that matched, and the share of the
    question that its wordings hold at all."""

    entry: Entry
    score: float
    question: str
    covered: float = 1.0


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a numbered list that was sent: an entry to answer, a topic to open, one of the cases an answer
    depends on (`ask`), or that it is none of them."""

    kind: Literal["entry", "topic", "case", "none"]
    key: str


@dataclass(frozen=True, slots=True)
class Last:
    """The answer an asker got last in a conversation: of this 为什么, 没用 and an elliptical question speak.

    `question` is the wording of HR's that matched, `said` what the asker said that the case was chosen by, if any.
    """

    message_id: str
    entry_id: str
    question: str
    score: float
    until: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What an asker said about themselves when asked back: `city` is 上海, until then.

    `said` is empty where the question was put and not answered yet; `entry_id` is the entry that put it.
    """

    name: str
    said: str
    entry_id: str
    until: float


@dataclass(frozen=True, slots=True)
class Context:
    """What one asker and the bot last told each other in one conversation; each part is void after its `until`, in
    epoch seconds, which for `options` stands beside them.

    `asked` is the message that the options answered. `misses` are until when each of the last questions counts that
    went unanswered in a row, `recent` until when each of the last replies counts as a recent one.
    """

    options: tuple[Option, ...] = ()
    until: float = 0.0
    last: Last | None = None
    misses: tuple[float, ...] = ()
    facts: tuple[Fact, ...] = ()
    asked: str = ""
    recent: tuple[float, ...] = ()

    @property
    def pending(self) -> str:
        """The entry that waits for a reply to what it asked back, if any."""
        return next((fact.entry_id for fact in reversed(self.facts) if not fact.said), "")

    @property
    def moved_on(self) -> bool:
        """Whether something was answered since an entry asked back last."""
        asked = max((fact.until for fact in self.facts if not fact.said), default=0.0)
        return self.last is not None and self.last.until > asked

    def fact(self, name: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.name == name), None)

    @property
    def whole_until(self) -> float:
        """When the first part of it is void; never, where there is none."""
        return min(self._untils(), default=math.inf)

    @property
    def ends(self) -> float:
        """When the last part of it is void."""
        return max(self._untils(), default=0.0)

    def _untils(self) -> list[float]:
        untils = [*self.misses, *self.recent]
        if self.until or self.options or self.asked:
            untils.append(self.until)
        if self.last is not None:
            untils.append(self.last.until)
        if self.facts:
            untils += [fact.until for fact in self.facts]
        return untils


class Rating(StrEnum):
    """What an asker said about an answer; all but the first say that it was no help, most of them why."""

    HELPFUL = "helpful"
    UNHELPFUL = "unhelpful"
    OUTDATED = "outdated"
    INACCURATE = "inaccurate"
    UNCLEAR = "unclear"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to send: markdown as DingTalk renders it, and whom to mention: the asker, and others."""

    title: str
    body: str
    mention: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a notice goes: the userId of a person, the id of a conversation, or the name of a custom group robot."""

    kind: Literal["person", "group", "robot"]
    id: str


@dataclass(frozen=True, slots=True)
class Link:
    """Something to tap; `picture` is the address of an image."""

    title: str
    url: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that answers nobody, sent once per `key`. Times are epoch seconds, 0 is none.

    `body` is markdown, or plain text where the shape is `text`. `links` are where a `link` leads, the buttons of a
    `card`, the lines of a `feed`; of a `file`, for people only, its name and media id. Not sent before `not_before`,
    and after `until` not at all. Only a group robot can @ people.
    """

    key: str
    to: Address
    title: str
    body: str
    at_mobiles: tuple[str, ...] = ()
    at_userids: tuple[str, ...] = ()
    at_all: bool = False
    not_before: float = 0.0
    until: float = 0.0
    shape: Literal["markdown", "text", "link", "card", "feed", "file"] = "markdown"
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in another system. A repeat has the same name and id; `at` is epoch seconds."""

    name: str
    id: str
    at: float
    data: Mapping[str, Any]


class State(StrEnum):
    """The last state of a message."""

    ANSWERED = "answered"
    FAILED = "failed"  # decided, but DingTalk did not take the reply, or we could not make one
    ABANDONED = "abandoned"  # so old that not even saying so makes sense


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a message ended; `reason` is `ok`, DingTalk's errcode or a short word such as `timeout`."""

    state: State
    reason: str = "ok"


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """What became of one message, kept for reports; `delivery` is the reason of its Verdict, `rating` one of Rating.

    `picked_for` is the message whose list this one picked from, or said 都不是 to.
    """

    message_id: str
    asked_at: float
    conversation_id: str
    asker: str
    text: str
    outcome: str
    entry_id: str = ""
    score: float = 0.0
    delivery: str = "ok"
    rating: str = ""
    picked_for: str = ""
