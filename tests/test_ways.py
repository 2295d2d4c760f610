"""Notices as they arrive in chats: through the bot's outbox, against the stand-in."""

from __future__ import annotations

import asyncio

from faqbot.app import Running
from faqbot.model import Address, Notice
from faqbot.outbox import Outcome
from faqbot.sandbox.robot import PEOPLE_SEND
from faqbot.sandbox.server import FakeDingTalk
from tests.conftest import GROUP, Talk


def texts(ding: FakeDingTalk, conversation: str) -> list[str]:
    return [message.text for message in ding.replies if message.conversation == conversation]


async def settled(bot: Running, key: str) -> Outcome:
    """What became of a notice, once that is known."""
    async with asyncio.timeout(5):
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
