"""The introduction to a group: once, whatever happens to the reply that carries it, and only what everybody may see."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from faqbot.app.running import Running, running
from faqbot.messaging.group_introduction import introduction
from faqbot.model.entries import Entry
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.conftest import GROUP, Talk

WELCOME = "第一次在这个群里说话"
ENTRIES = [
    Entry("a", "年假有几天？", "五天", topic="休假", owner="休假组"),
    Entry("b", "婚假有几天？", "三天", topic="休假", owner="休假组"),
    Entry("c", "工资哪天发？", "十号", topic="薪酬", owner="user042"),
]


def test_three_examples_of_as_many_topics_as_there_are() -> None:
    said = introduction(ENTRIES, "", 30)
    assert "「@我 年假有几天？」「@我 工资哪天发？」「@我 婚假有几天？」" in said
    assert "休假、薪酬，共 3 个问题" in said
    assert "保留 30 天" in said


def test_nobody_is_named_by_a_number() -> None:
    said = introduction(ENTRIES, "user007", 30)
    assert "休假组" in said
    assert "user042" not in said and "user007" not in said and "要找人" not in said
    assert "**要找人**：前台" in introduction(ENTRIES, "前台", 30)


def test_where_there_is_nothing_to_answer_nothing_is_promised() -> None:
    assert introduction([], "前台", 30) == ""


async def test_several_first_questions_at_once_carry_it_once(bot: Running, ding: FakeDingTalk) -> None:
    ding.faults.webhook_delay = 0.2
    group = ding.world.group(GROUP)
    people = [ding.world.person(f"同事{n}") for n in range(10)]
    await asyncio.gather(
        *(ding.say(person, f"@小助手 火星 {n} 号基地天气好吗", group) for n, person in enumerate(people))
    )
    assert await ding.world.until(lambda: len(ding.replies) == 10, 60)
    assert sum(WELCOME in m.text for m in ding.replies) == 1


async def test_a_reply_that_never_arrived_was_no_introduction(
    bot: Running, ding: FakeDingTalk, talk: Talk, monkeypatch
) -> None:
    monkeypatch.setattr("faqbot.messaging.reply_sender._MAX_UNSURE_REPEATS", 0)
    ding.faults.webhook_fault, ding.faults.webhook_fail_next = "reset", 1
    group = ding.world.group(GROUP)
    await ding.say(ding.world.person("小李"), "@小助手 年假有几天", group)
    async with asyncio.timeout(60):
        while not await bot.store.questions(0.0):
            await asyncio.sleep(0.01)
    assert not ding.replies
    assert WELCOME in await talk("小王", "年假没休完怎么办")


async def test_what_the_content_check_may_have_refused_takes_no_second_answer_along(
    bot: Running, ding: FakeDingTalk, talk: Talk
) -> None:
    ding.faults.webhook_fault, ding.faults.webhook_fail_next = "refused", 1
    assert "内容检查" in await talk("小李", "年假有几天")
    said = await talk("小李", "年假有几天")
    assert "5 天" in said and WELCOME not in said


async def test_a_group_that_knows_the_bot_is_not_told_again_after_a_restart(
    ding: FakeDingTalk, settings: Settings, redis_server
) -> None:
    talk = Talk(ding)
    for store in (settings.store, redis_server.url):
        told = []
        for _ in range(2):
            async with running(replace(settings, store=store)):
                assert await ding.until_connected()
                told.append(WELCOME in await talk("小李", "你好"))
        assert told == [True, False]
