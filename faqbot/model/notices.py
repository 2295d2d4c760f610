"""Messages that answer nobody, where they go, and the events of other systems that cause them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


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
