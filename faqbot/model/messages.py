"""A message that came in, the reply to it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


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
    def partition_key(self) -> str:
        """One asker within one conversation: messages with the same key are handled in order and share their state.

        A person has only one single chat, so the key of a single chat holds no conversation id.
        """
        return f"{self.robot_code}|{self.conversation_id if self.is_group else ''}|{self.asker}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to send: markdown as DingTalk renders it, and whom to mention: the asker, and others."""

    title: str
    body: str
    mention: str = ""
    others: tuple[str, ...] = ()


class DeliveryState(StrEnum):
    """The last state of a message."""

    ANSWERED = "answered"
    FAILED = "failed"  # decided, but DingTalk did not take the reply, or we could not make one
    ABANDONED = "abandoned"  # so old that not even saying so makes sense


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How a message ended; `reason` is `ok`, DingTalk's errcode or a short word such as `timeout`."""

    state: DeliveryState
    reason: str = "ok"
