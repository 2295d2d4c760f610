"""Private questions in a group: the group sees a neutral line, the asker alone the answer, the records the topic."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from faqbot.app.running import Running, running
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from faqbot.store.protocol import Store
from tests.conftest import GROUP, SAMPLE, SAMPLES, Talk
from tests.private_questions import questions

ASK = "被同事骚扰了怎么举报"
ANSWER = "监察专员"
# All that a group may ever read about a private question.
NEUTRAL = {
    "已私聊您，请看我发给您的消息。",
    "没有找到答案，已经记下来了。也可能是我没有听懂：涉及个人的事，请点我的头像，私聊再问一次。",
}


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge"
    shutil.copytree(SAMPLE, folder)
    shutil.copy(SAMPLES / "private" / "private.yaml", folder / "faq")
    return folder


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, qps=1000)


def alone(talk: Talk, name: str) -> list[str]:
    """What the bot wrote to one person."""
    conversation = talk.ding.world.single(talk.ding.world.person(name)).id
    return [m.text for m in talk.ding.replies if m.conversation == conversation]


async def test_the_answer_goes_to_the_asker_alone_and_names_the_question(talk: Talk) -> None:
    reply = await talk.reply("小李", ASK)
    assert reply.text.endswith("已私聊您，请看我发给您的消息。") and reply.title == "已私聊您"
    (said,) = alone(talk, "小李")
    assert ANSWER in said and said.startswith("**被同事骚扰了怎么举报？**")


async def test_what_was_asked_beside_something_private_is_answered_there_too(talk: Talk, bot: Running) -> None:
    assert "已私聊您" in await talk("小李", f"年假有几天，{ASK}")
    (said,) = alone(talk, "小李")
    assert "5 天" in said and ANSWER in said
    await talk("小李", "谢谢")
    (record,) = await bot.store.questions(0.0)
    assert record.text.startswith("（私密：") and record.entry_id == ""


async def test_where_it_is_doubtful_the_list_goes_to_the_asker_and_can_be_picked_from_there(talk: Talk) -> None:
    assert "已私聊您" in await talk("小李", "病假期间被同事骚扰")
    (listed,) = alone(talk, "小李")
    assert "1. [被同事骚扰了怎么举报？]" in listed
    assert "没有可以选的列表" in await talk("小李", "1")
    assert ANSWER in await talk("小李", "1", group=None)


async def test_nothing_of_two_hundred_private_questions_is_said_to_the_group(
    talk: Talk, bot: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    snapshot = bot.library.current
    asked = [
        (how, text)
        for how, text in questions(snapshot)
        # A fragment that is a public question as well is none of these.
        if not (near := snapshot.index.search(text)) or near[0].entry.private
    ]
    assert len(asked) > 200
    world = talk.ding.world
    group = world.group(GROUP)
    for number, (_, text) in enumerate(asked):
        await talk.ding.say(world.person(f"同事{number}"), f"@小助手 {text}", group)
    await talk.until(lambda: len([m for m in talk.ding.replies if m.conversation == group.id]) == len(asked), 60)
    said = [m for m in talk.ding.replies if m.conversation == group.id]
    assert {m.text.partition("\n\n")[2] for m in said} == NEUTRAL, "and both outcomes are among them"
    assert {m.title for m in said} == {"已私聊您", "没有找到答案"}
    records = await until_recorded(bot.store, len(asked))
    assert {(r.text, r.entry_id) for r in records} <= {("（私密：个人事务）", ""), ("（私密：薪酬）", "")}
    assert [text for _, text in asked if text in caplog.text] == []
    assert [e.id for e in snapshot.entries if e.private and e.id in caplog.text] == []


async def until_recorded(store: Store, count: int):
    for _ in range(100):
        if len(records := await store.questions(0.0)) >= count:
            return records
        await asyncio.sleep(0.05)
    raise AssertionError("not all questions came on record")


@pytest.mark.parametrize("fault", ["permission", "ip", "unsafe"])
async def test_what_cannot_be_sent_alone_is_explained_and_not_leaked(talk: Talk, bot: Running, fault: str) -> None:
    talk.ding.faults.api_fault, talk.ding.faults.api_fail_next = fault, -1
    said = await talk("小李", ASK)
    assert "不方便在群里回答" in said and "私聊再问一次" in said and ANSWER not in said and "骚扰" not in said
    (record,) = await until_recorded(bot.store, 1)
    assert record.delivery != "ok"


async def test_somebody_from_outside_is_told_to_ask_alone(talk: Talk) -> None:
    said = await talk("外部顾问", ASK, external=True)
    assert "不在本公司的通讯录里" in said and "骚扰" not in said


async def test_a_passing_fault_is_waited_out(talk: Talk) -> None:
    talk.ding.faults.api_fault, talk.ding.faults.api_fail_next = "busy", 2
    assert "已私聊您" in await talk("小李", ASK)
    assert len(alone(talk, "小李")) == 1


async def test_after_a_kill_between_the_answer_and_the_line_nothing_comes_twice(
    ding: FakeDingTalk, settings: Settings
) -> None:
    talk = Talk(ding)
    world = ding.world
    async with running(settings):
        assert await ding.until_connected()
        ding.faults.webhook_fault, ding.faults.webhook_fail_next = "hang", -1
        await ding.say(world.person("小李"), f"@小助手 {ASK}", world.group(GROUP))
        await talk.until(lambda: len(alone(talk, "小李")) == 1)
    ding.faults.webhook_fail_next = 0
    async with running(settings):
        await talk.until(lambda: any("已私聊您" in m.text for m in ding.replies))
    assert len(alone(talk, "小李")) == 1


async def test_a_private_question_in_a_single_chat_is_answered_there_and_not_kept(talk: Talk, bot: Running) -> None:
    assert ANSWER in await talk("小李", ASK, group=None)
    (record,) = await until_recorded(bot.store, 1)
    assert record.text == "（私密：个人事务）" and record.outcome == "answered"


async def test_a_private_question_somebody_may_not_see_is_not_repeated_either(
    talk: Talk, bot: Running, knowledge: Path
) -> None:
    (knowledge / "faq" / "board.yaml").write_text(
        "- question: 董事会的股权激励怎么分？\n  answer: 见附件。\n  private: true\n  groups: [cid-board]\n",
        encoding="utf-8",
    )
    await bot.library.refresh()
    said = await talk("小李", "董事会股权激励怎么分")
    assert said.partition("\n\n")[2] in NEUTRAL
    (record,) = await until_recorded(bot.store, 1)
    assert record.text == "（私密：其他）"
