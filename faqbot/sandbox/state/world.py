"""The people, the conversations and the transcript of what was said in them."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can speak; an external one has no userId in this company."""

    id: str
    name: str
    external: bool = False

    @property
    def encrypted_id(self) -> str:
        return f"$:LWCP_v1:${hashlib.sha256(self.id.encode()).hexdigest()[:22]}"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A group, or the single chat of one person with the bot."""

    id: str
    title: str
    kind: str = "group"
    person: str = ""

    @property
    def is_group(self) -> bool:
        return self.kind == "group"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One bubble on the page. `time` is in ms; `heard` says whether the bot got a person's message."""

    id: str
    seq: int
    conversation: str
    sender: Mapping[str, Any]
    kind: str
    text: str
    title: str = ""
    buttons: tuple[Mapping[str, str], ...] = ()
    orientation: str = "0"
    links: tuple[Mapping[str, str], ...] = ()
    mentions: tuple[str, ...] = ()
    at_all: bool = False
    time: int = 0
    heard: bool = True
    quote: Mapping[str, str] | None = None

    @property
    def from_bot(self) -> bool:
        return bool(self.sender["bot"])

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _MESSAGE_FIELDS}


_MESSAGE_FIELDS = tuple(f.name for f in fields(ChatMessage))


@dataclass(slots=True)
class World:
    """Who and where, and everything said so far; those who listen get each new event at once."""

    bot_name: str = "小助手"
    clock: Callable[[], float] = time.time
    people: dict[str, Person] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    messages: list[ChatMessage] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _listeners: set[asyncio.Queue[dict[str, Any]]] = field(default_factory=set)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)
    _named: dict[str, Person] = field(default_factory=dict)
    _titled: dict[str, Conversation] = field(default_factory=dict)

    def person(self, name: str, *, external: bool = False) -> Person:
        """The person called `name`; made up on first mention."""
        if name not in self._named:
            key = f"user-{len(self.people) + 1:03d}"
            self.people[key] = self._named[name] = Person(key, name, external)
        return self._named[name]

    def admit(self, userid: str, name: str) -> Person:
        """Somebody whose userId is known; the first of a name is the one who is meant by it."""
        person = self.people[userid] = Person(userid, name)
        self._named.setdefault(name, person)
        return person

    def group(self, title: str) -> Conversation:
        if title not in self._titled:
            key = f"cid{hashlib.sha256(title.encode()).hexdigest()[:20]}=="
            self.conversations[key] = self._titled[title] = Conversation(key, title)
        return self._titled[title]

    def single(self, person: Person) -> Conversation:
        key = f"cidsingle{person.id}=="
        if key not in self.conversations:
            self.conversations[key] = Conversation(key, person.name, "single", person.id)
        return self.conversations[key]

    def add(self, conversation: str, sender: Person | str | None, **content: Any) -> ChatMessage:
        """Put a message on the transcript; a sender of None is the bot, a text the name of a group robot."""
        number = next(self._numbers)
        if isinstance(sender, Person):
            shown = {"id": sender.id, "name": sender.name, "bot": False}
        else:
            shown = {"id": f"robot:{sender}" if sender else "bot", "name": sender or self.bot_name, "bot": True}
        message = ChatMessage(f"m{number}", number, conversation, shown, time=int(self.clock() * 1000), **content)
        self.messages.append(message)
        if self._listeners:
            self.tell({"type": "message", "message": message.as_json()})
        else:
            self.wake()
        return message

    def find(self, message_id: str | None) -> ChatMessage | None:
        if message_id is None:
            return None
        return next((m for m in self.messages if m.id == message_id), None)

    def tell(self, event: dict[str, Any]) -> None:
        """Hand an event to everyone who listens and wake those who wait for something to be said."""
        for listener in self._listeners:
            listener.put_nowait(event)
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again; nearly free when nobody does."""
        if not self._waiting:
            return
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        listener: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until `condition` holds, looking again after each event; False when the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiting.append(waiter)
                    await waiter
        except TimeoutError:
            return condition()
        return True
