"""Ratings through a quote: a colleague's stands beside the asker's own, and the same colleague's replaces itself."""

from __future__ import annotations

import asyncio

from faqbot.console.work.complaints import complaints
from faqbot.model.question_log import RATED


async def quote(talk, bot, name, text, words, group="全员群"):
    """Let somebody say `text` to the bot, quoting its message that holds `words`."""
    # An answer is on record a moment after it was sent; nobody quotes it as fast.
    await records(bot)
    world = talk.ding.world
    quoted = next(m for m in reversed(talk.ding.replies) if words in m.text)
    before = len(talk.ding.replies)
    assert await talk.ding.say(world.person(name), f"@{world.bot_name} {text}", world.group(group), quote=quoted)
    await talk.until(lambda: len(talk.ding.replies) > before)
    return talk.ding.replies[before].text


async def records(bot):
    """What is on record once every message is finished, which is after its reply."""
    async with asyncio.timeout(60):
        while (await bot.store.backlog())[0]:
            await asyncio.sleep(0.01)
    return await bot.store.questions(0)


async def ratings(bot, whose):
    return [(r.asker, r.rating) for r in await records(bot) if (r.outcome == RATED) is (whose == "of colleagues")]


async def test_neither_rating_replaces_the_other(talk, bot):
    await talk("小李", "年假有几天", group="全员群")
    await talk("小李", "有用", group="全员群")
    await quote(talk, bot, "小王", "没用", "5 天")
    await quote(talk, bot, "老张", "不准", "5 天")
    people = [talk.ding.world.person(name).id for name in ("小李", "小王", "老张")]
    assert await ratings(bot, "own") == [(people[0], "helpful")]
    assert await ratings(bot, "of colleagues") == [(people[1], "unhelpful"), (people[2], "inaccurate")]


async def test_a_colleague_who_rates_again_or_gives_the_reason_has_one_rating(talk, bot):
    await talk("小李", "年假有几天", group="全员群")
    await quote(talk, bot, "小王", "没用", "5 天")
    assert "谢谢" in await talk("小王", "过期", group="全员群")
    await quote(talk, bot, "小王", "看不懂", "5 天")
    assert await ratings(bot, "of colleagues") == [(talk.ding.world.person("小王").id, "unclear")]
    question, rated = await records(bot)
    assert (rated.text, rated.entry_id, rated.picked_for) == ("年假有几天", question.entry_id, question.message_id)


async def test_the_asker_who_quotes_the_answer_rates_the_question_itself(talk, bot):
    await talk("小李", "年假有几天", group="全员群")
    await quote(talk, bot, "小李", "没用", "5 天")
    assert await ratings(bot, "of colleagues") == []
    assert [rating for _, rating in await ratings(bot, "own")] == ["unhelpful"]


async def test_the_rating_of_a_colleague_is_work_for_hr_but_no_question(talk, bot):
    await talk("小李", "年假有几天", group="全员群")
    await quote(talk, bot, "小王", "过期", "5 天")
    assert len(await records(bot)) == 2
    section = await complaints(bot.services.knowledge.workspace)
    assert [item.text for item in section.items] == ["年假有几天？"]
    assert "没有您的提问记录" in await talk("小王", "我的", group=None)
