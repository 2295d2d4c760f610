"""A notice as it waits in the store: in parts DingTalk takes, when its turn is, until when it counts. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from faqbot.markup.chunking import fitting
from faqbot.model.notices import Address, Link, Notice

# A notice whose sender set no end is given up after a day without DingTalk.
PATIENCE_SECONDS = 86400.0
# The journal of the store that holds what was given up.
FAILED = "notices-failed"
# DingTalk takes 15,000 bytes; the rest is for the title and what is around the text.
MOST_BYTES = 14_000


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of a notice: taken by DingTalk, or its code and the reason in words."""

    sent: bool
    code: str
    why: str
    at: float


@dataclass(frozen=True, slots=True)
class Delay:
    """Why a notice that waits does not go out now: DingTalk's limits, or its time has not come. `until` at the
    earliest (epoch seconds)."""

    until: float
    limited: bool


@dataclass(frozen=True, slots=True)
class SendFailure:
    """A notice that was given up, as the journal FAILED keeps it: what it was about, for whom, and why."""

    title: str
    to: Address
    code: str
    why: str

    def pack(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def unpack(cls, text: str) -> SendFailure:
        values = json.loads(text)
        return cls(values["title"], Address(**values["to"]), values["code"], values["why"])


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """A notice as it waits: when it was posted and its place among those posted with it."""

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
        """What is sent one after the other: all that goes to people, each group, each group robot."""
        to = self.notice.to
        return to.kind if to.kind == "person" else f"{to.kind}:{to.id}"

    @property
    def until(self) -> float:
        return self.notice.until or self.due + PATIENCE_SECONDS


def in_parts(notice: Notice) -> list[Notice]:
    """The notice as messages DingTalk takes; the last has the key, so that its outcome comes last."""
    bodies = fitting(notice.body, MOST_BYTES)
    if len(bodies) <= 1:
        return [notice]
    last = len(bodies)
    unmentioning = replace(notice, at_mobiles=(), at_userids=(), at_all=False)
    return [
        replace(
            notice if number == 1 else unmentioning,
            key=notice.key if number == last else f"{notice.key}#{number}",
            body=f"{body}\n\n（{number}/{last}）",
        )
        for number, body in enumerate(bodies, 1)
    ]


def unpack(values: Mapping[str, Any]) -> QueuedNotice:
    """The parcel that was taken apart for JSON; what a newer version added is left out."""
    known = {f.name for f in fields(Notice)}
    plain = {name: value for name, value in values["notice"].items() if name in known}
    plain["to"] = Address(**plain["to"])
    plain["links"] = tuple(Link(**link) for link in plain.get("links", ()))
    for name in ("at_mobiles", "at_userids"):
        plain[name] = tuple(plain.get(name, ()))
    return QueuedNotice(Notice(**plain), values["posted_at"], values["number"])
