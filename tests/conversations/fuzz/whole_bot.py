"""The same orders with the whole program: the real SDK, HTTP and a store on disk, against the stand-in for DingTalk."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

from faqbot.app.running import running
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.world import ChatMessage
from faqbot.settings import Settings
from tests.conversations.fuzz.isolation import plain
from tests.conversations.fuzz.session import PICTURE, Clock, Heard, new_world
from tests.conversations.fuzz.turns import Kind, Order, Turn

_PATIENCE_SECONDS = 60.0

# Conversation, title, text, and who is mentioned.
Post = tuple[str, str, str, tuple[str, ...]]


async def posts_of_whole_bot(folder: Path, knowledge: Path, start: float, order: Order) -> list[frozenset[Post]]:
    """What is posted after each turn. What is said at once elsewhere is said one after the other here."""
    clock = Clock(start)
    ding = new_world(clock)
    await ding.start()
    shutil.copytree(knowledge, folder / "knowledge")
    settings = Settings(
        client_id=ding.client_id,
        client_secret=ding.client_secret,
        robot_code=ding.client_id,
        openapi_endpoint=ding.url,
        oapi_endpoint=ding.url,
        knowledge=folder / "knowledge",
        store=f"sqlite:///{folder / 'faqbot.db'}",
        port=0,
        meaning="off",
    )
    posts: list[frozenset[Post]] = []
    said: dict[tuple[int, str], ChatMessage] = {}
    try:
        async with running(settings, clock) as app:
            assert await ding.until_connected()
            await app.library.wait_until_calibrated()
            for turn in order:
                clock.now += turn.pause
                before = len(ding.world.messages)
                await _say(ding, turn, said)
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    while (await app.store.backlog())[0]:
                        await asyncio.sleep(0.002)
                new = ding.world.messages[before:]
                said[turn.number, "message"] = new[0]
                here = [m for m in new[1:] if m.conversation == new[0].conversation]
                if here:
                    said[turn.number, "reply"] = here[0]
                posts.append(frozenset(map(_post, filter(lambda m: m.from_bot, new))))
    finally:
        await ding.close()
    return posts


async def _say(ding: FakeDingTalk, turn: Turn, said: dict[tuple[int, str], ChatMessage]) -> None:
    world = ding.world
    person = world.person(turn.who)
    conversation = world.group(turn.where) if turn.where else world.single(person)
    text = f"@{world.bot_name} {turn.text}" if turn.where else turn.text
    quote = said.get((turn.quoting.turn, turn.quoting.part)) if turn.quoting else None
    odd = PICTURE if turn.kind is Kind.PICTURE else None
    for delivery in await ding.say(person, text, conversation, quote=quote, odd=odd):
        await asyncio.wait_for(delivery.acked.wait(), _PATIENCE_SECONDS)


def posts_of(one: Heard) -> frozenset[Post]:
    """What was posted after a turn in a session without the network."""
    return frozenset(map(_post, (*one.replies, *(message for _, message in one.direct))))


def _post(message: ChatMessage) -> Post:
    # Tickets are numbered with all else that is kept in the same journal.
    return message.conversation, plain(message.title), plain(message.text), message.mentions


def one_by_one(order: Order) -> Iterator[Turn]:
    """The order with nothing said at once."""
    for turn in order:
        yield Turn(turn.number, turn.who, turn.where, turn.kind, turn.text, turn.pause or 1, turn.quoting)
