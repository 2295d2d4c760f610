"""Incoming messages, the replies to them, and the results of delivery."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class MessageKind(StrEnum):
    """The kinds of messages that are answered in different ways."""

    TEXT = "text"
    VOICE = "voice"  # audio with DingTalk's own transcript, answered like text
    PICTURE = "picture"
    AUDIO = "audio"  # audio without a transcript
    VIDEO = "video"
    FILE = "file"
    UNKNOWN = "unknown"
    QUOTA = "quota"  # the notice that the company's monthly quota is used up


class QuoteOrigin(StrEnum):
    """The author of a quoted message, as far as the callback shows it."""

    UNKNOWN = ""
    BOT = "bot"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class PartitionKey:
    """One asker within one conversation with one robot.

    A person has only one single chat, so the key of a single chat holds no conversation id.
    """

    robot_code: str
    conversation_id: str
    asker: str

    def __str__(self) -> str:
        """Return the key as it is stored."""
        return f"{self.robot_code}|{self.conversation_id}|{self.asker}"

    @classmethod
    def parse(cls, text: str) -> PartitionKey:
        """Read a stored key. Only the asker, who may be known by a nickname, can hold the separator."""
        robot_code, _, rest = text.partition("|")
        conversation_id, _, asker = rest.partition("|")
        return cls(robot_code, conversation_id, asker)


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the bot. Times are epoch seconds; `webhook` is a bearer secret.

    is_quote: it quotes another message, of which nothing else may be known.
    quoted: the text of the quoted message, empty if there is none to read.
    quoted_at, quoted_id, quoted_from: the time of that message, its id and its author; 0 or empty if unknown.
    """

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
    received_at: float = 0.0  # by this machine's clock
    webhook: str = field(default="", repr=False)
    webhook_until: float = 0.0
    is_quote: bool = False
    quoted_at: float = 0.0  # by DingTalk's clock
    quoted_id: str = ""
    quoted_from: QuoteOrigin = QuoteOrigin.UNKNOWN
    group_taps: bool = False  # set by the process that replies

    @property
    def taps_arrive(self) -> bool:
        """True where a line of the reply that is tapped is known to reach the bot."""
        return self.group_taps or not self.is_group

    @property
    def asker(self) -> str:
        """The best identity that is known: the userId, else the encrypted id, else the nickname."""
        return self.staff_id or self.sender_id or self.sender_name

    @property
    def key(self) -> str:
        """Identity of the message. It includes the robot, as two robots that are @ed together get the same id."""
        return f"{self.robot_code}|{self.id}"

    @property
    def partition_key(self) -> PartitionKey:
        """Messages with the same key are handled in order and share their dialogue state."""
        return PartitionKey(self.robot_code, self.conversation_id if self.is_group else "", self.asker)


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to send, in DingTalk's markdown. `mention` is the asker's userId, `others` are further userIds."""

    title: str
    body: str
    mention: str = ""
    others: tuple[str, ...] = ()


class DeliveryState(StrEnum):
    """The final state of a message."""

    ANSWERED = "answered"
    FAILED = "failed"  # no reply could be made, or DingTalk did not take it
    ABANDONED = "abandoned"  # too old to reply at all


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of delivering a reply; `reason` is `ok`, DingTalk's errcode or a short word such as `timeout`."""

    state: DeliveryState
    reason: str = "ok"
