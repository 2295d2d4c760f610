"""Notices as they arrive in chats: through the bot's outbox, against the stand-in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from faqbot.app.running import Running
from faqbot.dingtalk.api.group_robots import GroupRobotSender, RobotKeys
from faqbot.dingtalk.api.quota import Quota
from faqbot.model.notices import Address, Link, Notice
from faqbot.outbox.channels import RobotChannel
from faqbot.outbox.outbox import Outbox
from faqbot.outbox.queued_notice import SendOutcome
from faqbot.runtime.metrics import Metrics
from faqbot.sandbox.api.robot import PEOPLE_SEND
from faqbot.sandbox.server import FakeDingTalk
from faqbot.store.sqlite import SqliteStore
from tests.conftest import GROUP, Talk


def texts(ding: FakeDingTalk, conversation: str) -> list[str]:
    return [message.text for message in ding.replies if message.conversation == conversation]


async def settled(bot: Running, key: str) -> SendOutcome:
    """What became of a notice, once that is known."""
    async with asyncio.timeout(60):
        while (outcome := await bot.outbox.outcome(key)) is None:
            await asyncio.sleep(0.01)
    return outcome


async def test_a_notice_arrives_in_a_group_and_in_a_single_chat(bot: Running, ding: FakeDingTalk, talk: Talk) -> None:
    group, person = ding.world.group(GROUP), ding.world.person("小李")
    await bot.outbox.post(
        Notice("1", Address("group", group.id), "停水", "今天 **下午** 停水"),
        Notice("2", Address("person", person.id), "待办", "请确认考勤"),
    )
    await talk.until(lambda: len(ding.replies) == 2)
    assert texts(ding, group.id) == ["今天 **下午** 停水"]
    assert texts(ding, ding.world.single(person).id) == ["请确认考勤"]


YES, NO = Link("没问题", "https://x.cn/yes"), Link("有问题", "https://x.cn/no", "https://x.cn/no.png")


@pytest.mark.parametrize(
    ("shape", "links", "kind", "text", "shown"),
    [
        ("text", (), "text", "请 **确认**", 0),
        ("link", (NO,), "link", "请 **确认**", 1),
        ("card", (YES,), "actionCard", "请 **确认**", 1),
        ("card", (YES, NO), "actionCard", "请 **确认**", 2),
        ("feed", (YES, YES), "markdown", "请 **确认**\n\n[没问题](https://x.cn/yes)\n\n[没问题](https://x.cn/yes)", 0),
    ],
)
async def test_shapes_in_single_chats_and_groups(
    bot: Running, ding: FakeDingTalk, talk: Talk, shape: Any, links: tuple[Link, ...], kind: str, text: str, shown: int
) -> None:
    group, person = ding.world.group(GROUP), ding.world.person("小李")
    for to in (Address("group", group.id), Address("person", person.id)):
        await bot.outbox.post(Notice(to.kind, to, "考勤", "请 **确认**", shape=shape, links=links))
    await talk.until(lambda: len(ding.replies) == 2)
    assert {message.kind for message in ding.replies} == {kind}
    assert {message.text for message in ding.replies} == {text}
    assert {len(message.buttons) + len(message.links) for message in ding.replies} == {shown}


async def test_the_same_text_to_many_people_is_one_call_for_each_twenty(
    bot: Running, ding: FakeDingTalk, talk: Talk
) -> None:
    people = [ding.world.person(f"同事{n}") for n in range(45)]
    notices = [Notice(f"n{p.id}", Address("person", p.id), "公告", "周五放假") for p in people]
    gone = Notice("gone", Address("person", "nobody"), "公告", "周五放假")
    await bot.outbox.post(*notices, gone)

    await talk.until(lambda: len(ding.replies) == 45)
    assert len([call for call in ding.robot.calls if call.path == PEOPLE_SEND]) == 3
    assert (outcome := await settled(bot, "gone")).code == "invalid_staff" and "可见范围" in outcome.why


class Minute:
    """A clock that only moves when a test says so, shared by the outbox, its store and the stand-in."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@dataclass
class Posting:
    """The outbox with a real group-robot client and a store, all on one movable clock."""

    ding: FakeDingTalk
    clock: Minute
    store: SqliteStore
    session: aiohttp.ClientSession
    quota: Quota
    keys: RobotKeys

    def outbox(self) -> Outbox:
        robots = GroupRobotSender(self.session, self.ding.url, clock=self.clock)
        way = RobotChannel(robots, lambda name: self.keys, Metrics(), self.quota)
        return Outbox(self.store, {"robot": way}, clock=self.clock)

    async def move(self, *boxes: Outbox, seconds: float) -> None:
        """Let time pass; each outbox does what is due meanwhile."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            pauses = []
            for box in boxes:
                pauses.append(await box.poll())
                await box.idle()
            self.clock.now = min(until, self.clock.now + max(0.0, min([0.5, *pauses])))


@pytest.fixture
async def posting(ding: FakeDingTalk, tmp_path: Path) -> AsyncIterator[Posting]:
    clock = Minute()
    ding.robots.clock = clock
    robot = ding.robots.add("值班机器人", GROUP, secret="SEC" + "0123456789abcdef" * 4)
    store = await SqliteStore.open(str(tmp_path / "store.db"), clock=clock)
    quota = Quota(store, Metrics(), calls=5000, messages=3000, today=lambda: date(2026, 11, 2))
    async with aiohttp.ClientSession() as session:
        yield Posting(ding, clock, store, session, quota, RobotKeys(robot.token, robot.secret))
    await store.close()


def alarm(number: int) -> Notice:
    return Notice(f"alarm-{number}", Address("robot", "duty"), f"告警 {number}", f"机房 <{number}> 温度偏高")


@pytest.mark.parametrize("spread", [0.0, 60.0])
@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_hundred_notices_in_one_minute_are_at_most_twenty_messages_and_all_arrive(
    posting: Posting, spread: float, replicas: int
) -> None:
    boxes = [posting.outbox() for _ in range(replicas)]
    for number in range(100):
        await boxes[number % replicas].post(alarm(number))
        await posting.move(*boxes, seconds=spread / 100)
    await posting.move(*boxes, seconds=30)

    calls = posting.ding.robots.calls
    assert {call.errcode for call in calls} == {0}
    assert len(calls) <= 20
    shown = " ".join(message.text for message in posting.ding.replies)
    assert [shown.count(f"机房 <{number}> ") for number in range(100)] == [1] * 100
    assert not await boxes[0].waiting()
    await posting.quota.flush()
    assert (await posting.quota.usage())["messages"].used == len(calls)


async def test_a_few_notices_keep_their_own_messages(posting: Posting) -> None:
    box = posting.outbox()
    await box.post(*map(alarm, range(3)))
    await posting.move(box, seconds=20)
    assert [message.title for message in posting.ding.replies] == ["告警 0", "告警 1", "告警 2"]


async def test_a_robot_that_others_use_too_is_waited_for(posting: Posting) -> None:
    """Somebody else's program has blocked it: nothing is lost, and nothing is sent until the block ends."""
    for robot in posting.ding.robots.all:
        robot.blocked_until = posting.clock.now + 500
    box = posting.outbox()
    await box.post(alarm(1))
    await posting.move(box, seconds=590)
    assert [call.errcode for call in posting.ding.robots.calls] == [130101]
    await posting.move(box, seconds=30)
    assert len(posting.ding.replies) == 1
