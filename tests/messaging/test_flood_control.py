"""What keeps the bot from annoying a group, beyond what the scripts of conversations show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.app.running import Running, running
from faqbot.messaging.flood_control import PointToRepeated, SlowDown
from faqbot.model.conversation import ConversationState, LastAnswer
from faqbot.model.decisions import Answered, Decision, Likely, Offered
from faqbot.model.entries import Candidate, Entry, FollowUp
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from faqbot.store.protocol import Store
from tests.conftest import GROUP, Talk

ENTRY = Entry("annual", "年假有几天？", "五天")
OTHER = Entry("sick", "病假怎么请？", "找主管")
ANSWER = Answered(ENTRY, 0.9, "年假有几天？")
DELIVERED = DeliveryResult(DeliveryState.ANSWERED)
NOBODY = ConversationState()


def message(who: str, group: str = "cid1", *, is_group: bool = True) -> Message:
    return Message(f"m-{who}", "robot", group, is_group, MessageKind.TEXT, "年假几天", staff_id=who)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def steady(step):
    return await step()


@pytest.fixture
def quiet(store: Store, clock: Clock) -> PointToRepeated:
    return PointToRepeated(store, steady, clock, clock.sleep)


@pytest.fixture
def pace(store: Store, clock: Clock) -> SlowDown:
    return SlowDown(store, steady, clock, clock.sleep)


async def test_a_colleague_is_pointed_to_the_answer_once_it_was_delivered(quiet: PointToRepeated, clock: Clock) -> None:
    assert await quiet.shortened(message("a"), ANSWER, NOBODY) == ANSWER
    await quiet.note_delivery(message("a"), ANSWER, DELIVERED)
    clock.now += 200
    assert await quiet.shortened(message("b"), ANSWER, NOBODY) == replace(ANSWER, answered_minutes_ago=3)
    assert await quiet.shortened(message("a"), ANSWER, NOBODY) == ANSWER


async def test_a_likely_answer_and_the_same_answer_outright_point_to_each_other(quiet: PointToRepeated) -> None:
    likely = Likely(ENTRY, 0.6, "年假有几天？", (Candidate(OTHER, 0.1, "病假"),))
    assert await quiet.shortened(message("a"), likely, NOBODY) == likely
    await quiet.note_delivery(message("a"), likely, DELIVERED)
    assert await quiet.shortened(message("b"), ANSWER, NOBODY) == replace(ANSWER, answered_minutes_ago=0)
    assert await quiet.shortened(message("c"), likely, NOBODY) == replace(likely, answered_minutes_ago=0)
    # Who asks again gets the whole of it.
    assert await quiet.shortened(message("a"), likely, NOBODY) == likely


async def test_who_is_answered_at_the_same_moment_waits_for_how_it_went(quiet: PointToRepeated, clock: Clock) -> None:
    await quiet.shortened(message("a"), ANSWER, NOBODY)
    second = asyncio.create_task(quiet.shortened(message("b"), ANSWER, NOBODY))
    await asyncio.sleep(0)
    await quiet.note_delivery(message("a"), ANSWER, DELIVERED)
    assert await second == replace(ANSWER, answered_minutes_ago=0)


async def test_where_the_first_never_got_it_the_next_one_does(quiet: PointToRepeated) -> None:
    await quiet.shortened(message("a"), ANSWER, NOBODY)
    await quiet.note_delivery(message("a"), ANSWER, DeliveryResult(DeliveryState.FAILED, "timeout"))
    assert await quiet.shortened(message("b"), ANSWER, NOBODY) == ANSWER
    await quiet.note_delivery(message("b"), ANSWER, DELIVERED)
    assert await quiet.shortened(message("c"), ANSWER, NOBODY) == replace(ANSWER, answered_minutes_ago=0)


async def test_an_answer_that_hangs_is_not_waited_for_long(quiet: PointToRepeated, clock: Clock) -> None:
    await quiet.shortened(message("a"), ANSWER, NOBODY)
    began = clock.now
    assert await quiet.shortened(message("b"), ANSWER, NOBODY) == ANSWER
    assert 2 < clock.now - began < 5


@pytest.mark.parametrize(
    ("asked", "decision", "context"),
    [
        (message("b", "cid2"), ANSWER, NOBODY),
        (message("b", is_group=False), ANSWER, NOBODY),
        (message("b"), Answered(replace(ENTRY, answer="六天"), 0.9, "年假"), NOBODY),
        (message("b"), Answered(replace(ENTRY, private=True), 0.9, "年假"), NOBODY),
        (message("b"), Offered((Candidate(ENTRY, 0.5, "年假"),)), NOBODY),
        (message("b"), ANSWER, ConversationState(last_answer=LastAnswer("m0", "annual", "年假", 0.9, 2_000_000.0))),
    ],
    ids=["another group", "alone", "changed words", "private", "a list", "had it already"],
)
async def test_everybody_else_gets_the_whole_answer(
    quiet: PointToRepeated, asked: Message, decision: Decision, context: ConversationState
) -> None:
    await quiet.shortened(message("a"), ANSWER, NOBODY)
    await quiet.note_delivery(message("a"), ANSWER, DELIVERED)
    assert await quiet.shortened(asked, decision, context) == decision


async def test_an_answer_that_depends_on_the_asker_is_never_shortened(quiet: PointToRepeated) -> None:
    entry = replace(ENTRY, answer="", ask=FollowUp("city", "城市？"), variants={"上海": "五天", "else": "六天"})
    decision = Answered(entry, 0.9, "年假", case="上海", slot_value="上海")
    for who in "ab":
        assert await quiet.shortened(message(who), decision, NOBODY) == decision
        await quiet.note_delivery(message(who), decision, DELIVERED)


async def test_nobody_is_held_up_before_the_eleventh_reply_of_a_minute_nor_alone(pace: SlowDown, clock: Clock) -> None:
    replies = tuple(clock.now + 50 + n / 10 for n in range(10))
    assert not await pace.wait_turn(message("a"), ConversationState(reply_expiries=replies[1:]))
    assert not await pace.wait_turn(message("a", is_group=False), ConversationState(reply_expiries=replies))
    assert not await pace.wait_turn(message("a"), ConversationState(reply_expiries=(*replies[1:], clock.now + 50)))
    assert clock.now == 1_000_000.0


async def test_a_clock_that_was_put_back_holds_nobody_up_for_longer(pace: SlowDown, clock: Clock) -> None:
    began = clock.now
    assert await pace.wait_turn(message("a"), ConversationState(reply_expiries=(began + 3660.0,) * 10))
    assert clock.now - began <= 10


async def test_an_answer_from_before_the_clock_was_put_back_was_just_given(
    quiet: PointToRepeated, clock: Clock
) -> None:
    await quiet.shortened(message("a"), ANSWER, NOBODY)
    await quiet.note_delivery(message("a"), ANSWER, DELIVERED)
    clock.now -= 300
    assert await quiet.shortened(message("b"), ANSWER, NOBODY) == replace(ANSWER, answered_minutes_ago=0)


async def all_said(ding: FakeDingTalk, count: int, seconds: float = 60) -> Sequence[str]:
    assert await ding.world.until(lambda: len(ding.replies) >= count, seconds)
    return [m.text for m in ding.replies]


async def test_twenty_colleagues_at_once_fill_the_group_with_one_answer(bot: Running, ding: FakeDingTalk) -> None:
    ding.faults.webhook_delay = 0.3
    group = ding.world.group(GROUP)
    people = [ding.world.person(f"同事{n}") for n in range(20)]
    await asyncio.gather(*(ding.say(person, "@小助手 年假有几天", group) for person in people))
    said = await all_said(ding, 20)
    assert sum("同上 ↑" in text for text in said) == 19
    assert {text.split()[0] for text in said} == {f"@{person.id}" for person in people}
    assert not any(m.at_all for m in ding.replies)


async def test_a_second_replica_knows_what_the_first_one_said(
    ding: FakeDingTalk, settings: Settings, redis_server, tmp_path: Path
) -> None:
    shared = replace(settings, store=redis_server.url)
    talk = Talk(ding)
    async with running(shared):
        assert await ding.until_connected()
        assert "5 天" in await talk("小李", "年假有几天")
    async with running(shared):
        assert await ding.until_connected()
        assert "同上 ↑" in await talk("小王", "年假有几天")


async def test_what_waited_too_long_for_its_turn_is_answered_all_the_same(
    ding: FakeDingTalk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faqbot.messaging.flood_control._INTERVAL_SECONDS", 0.1)
    moved = [0.0]
    wait_turn = SlowDown.wait_turn

    def later() -> float:
        return time.time() + moved[0]

    async def eleven_minutes(self: SlowDown, message: Message, context: ConversationState) -> bool:
        held_up = await wait_turn(self, message, context)
        moved[0] += 660.0 * held_up
        return held_up

    monkeypatch.setattr(SlowDown, "wait_turn", eleven_minutes)
    talk = Talk(ding)
    async with running(settings, later):
        assert await ding.until_connected()
        for _ in range(10):
            await talk("小李", "年假有几天")
        assert "5 天" in await talk("小李", "年假有几天")
        assert len(ding.replies) == 11
