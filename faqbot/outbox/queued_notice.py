"""A queued notice: its lane, due time, expiry, and delivery result. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from faqbot.markup.chunking import NOTICE_JSON_BYTES, split_by_json_size
from faqbot.model.notices import Address, Notice

# A notice without an expiry of its own is given up after one day in which DingTalk did not accept it.
EXPIRY_SECONDS = 86400.0
# The journal of the store that holds the notices that were given up.
FAILED_NOTICES = "notices-failed"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """The end of sending a notice: accepted by DingTalk, or given up with DingTalk's code and the reason in words."""

    sent: bool
    code: str
    why: str
    at: float


@dataclass(frozen=True, slots=True)
class Delay:
    """A waiting notice is not sent before `until` (epoch seconds): DingTalk limits the rate, or it is not due yet."""

    until: float
    limited: bool


@dataclass(frozen=True, slots=True)
class SendFailure:
    """A line of the journal FAILED_NOTICES: title and receiver of a notice that was given up, and the reason."""

    title: str
    to: Address
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """A notice, when it was posted (epoch seconds), and its position among those posted with it."""

    notice: Notice
    posted_at: float
    number: int

    @property
    def due(self) -> float:
        return max(self.notice.not_before, self.posted_at)

    @property
    def order(self) -> tuple[float, int]:
        return (self.due, self.number)

    @property
    def lane(self) -> str:
        """The lane in which one message is sent after the other: one for all people, one per group, one per robot."""
        to = self.notice.to
        return to.kind if to.kind == "person" else f"{to.kind}:{to.id}"

    @property
    def expires(self) -> float:
        return self.notice.until or self.due + EXPIRY_SECONDS


def split_into_parts(notice: Notice) -> list[Notice]:
    """Return the notice as messages that DingTalk accepts. The last one has the notice's key, so that the outcome of
    the key is recorded last."""
    bodies = split_by_json_size(notice.body, NOTICE_JSON_BYTES)
    if len(bodies) <= 1:
        return [notice]
    count = len(bodies)
    without_mentions = replace(notice, at_mobiles=(), at_userids=(), at_all=False)
    return [
        replace(
            notice if number == 1 else without_mentions,
            key=notice.key if number == count else f"{notice.key}#{number}",
            body=f"{body}\n\n（{number}/{count}）",
        )
        for number, body in enumerate(bodies, 1)
    ]
