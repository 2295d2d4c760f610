"""Notices: messages that are not replies; with their recipients and the external events that cause them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Address:
    """The recipient of a notice: a person's userId, a conversation's id, or the name of a custom group robot."""

    kind: Literal["person", "group", "robot"]
    id: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to tap; `picture` is the URL of an image."""

    title: str
    url: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that is no reply, sent once per `key`. Times are epoch seconds, 0 for none.

    body: markdown, or plain text if the shape is `text`.
    at_mobiles, at_userids, at_all: who is @ed; only a group robot can @ people.
    not_before, until: the notice is sent between these times or not at all.
    links: the target of a `link`, the buttons of a `card`, the lines of a `feed`; of a `file`, which only people can
    get, its name and media id.
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
    """An event of another system. A repeated delivery has the same name and id; `at` is in epoch seconds."""

    name: str
    id: str
    at: float
    data: Mapping[str, Any]
