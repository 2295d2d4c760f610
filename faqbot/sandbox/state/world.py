"""State of the fake DingTalk's chats: people, conversations, and the transcript of all messages."""

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
    """A person who can write; an external one has no userId in this company."""

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
    """One message on the page. `time` is in milliseconds; `heard` is True if the bot got the message of a person."""

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
    """All people, conversations and messages. Listeners get each new event at once."""

    bot_name: str = "小助手"
    clock: Callable[[], float] = time.time
    people: dict[str, Person] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    messages: list[ChatMessage] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _listeners: set[asyncio.Queue[dict[str, Any]]] = field(default_factory=set)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)
    _by_name: dict[str, Person] = field(default_factory=dict)
    _by_title: dict[str, Conversation] = field(default_factory=dict)

    def person(self, name: str, *, external: bool = False) -> Person:
        """Return the person of this name, created on first use."""
        if name not in self._by_name:
            key = f"user-{len(self.people) + 1:03d}"
            self.people[key] = self._by_name[name] = Person(key, name, external)
        return self._by_name[name]

    def add_person(self, userid: str, name: str) -> Person:
        """Add a person whose userId is known. `person` finds the first one of a name."""
        person = self.people[userid] = Person(userid, name)
        self._by_name.setdefault(name, person)
        return person

    def group(self, title: str) -> Conversation:
        if title not in self._by_title:
            key = f"cid{hashlib.sha256(title.encode()).hexdigest()[:20]}=="
            self.conversations[key] = self._by_title[title] = Conversation(key, title)
        return self._by_title[title]

    def single(self, person: Person) -> Conversation:
        key = f"cidsingle{person.id}=="
        if key not in self.conversations:
            self.conversations[key] = Conversation(key, person.name, "single", person.id)
        return self.conversations[key]

    def add(self, conversation: str, sender: Person | str | None, **content: Any) -> ChatMessage:
        """Add a message to the transcript. A `sender` of None is the bot, a string the name of a group robot."""
        number = next(self._numbers)
        if isinstance(sender, Person):
            sender_json = {"id": sender.id, "name": sender.name, "bot": False}
        else:
            sender_json = {"id": f"robot:{sender}" if sender else "bot", "name": sender or self.bot_name, "bot": True}
        message = ChatMessage(f"m{number}", number, conversation, sender_json, time=int(self.clock() * 1000), **content)
        self.messages.append(message)
        if self._listeners:
            self.publish({"type": "message", "message": message.as_json()})
        else:
            self.wake()
        return message

    def find(self, message_id: str | None) -> ChatMessage | None:
        if message_id is None:
            return None
        return next((m for m in self.messages if m.id == message_id), None)

    def publish(self, event: dict[str, Any]) -> None:
        """Pass an event to all listeners and wake everybody in `until`."""
        for listener in self._listeners:
            listener.put_nowait(event)
        self.wake()

    def wake(self) -> None:
        """Let everybody in `until` check again; nearly free if nobody waits."""
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
        """Wait until `condition` holds, checking after each event; return False after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiting.append(waiter)
                    await waiter
        except TimeoutError:
            return condition()
        return True
