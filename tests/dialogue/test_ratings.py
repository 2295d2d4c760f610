"""Which whole messages rate an answer, what is written beside the question, and what the keepers see of it."""

from __future__ import annotations

import asyncio

import pytest

from faqbot.app.running import Running
from faqbot.dialogue.ratings import parse_rating
from faqbot.model.commands import Command, CommandKind
from faqbot.model.conversation import LastAnswer
from faqbot.model.question_log import Rating
from tests.conftest import Talk

LAST = LastAnswer("m", "annual-leave", "年假有几天？", 0.9, 1e12)


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("有用", Rating.HELPFUL), ("有帮助！", Rating.HELPFUL),
        ("没用", Rating.UNHELPFUL), ("没帮助啊", Rating.UNHELPFUL),
        ("答非所问", Rating.NOT_ASKED), ("不是我问的", Rating.NOT_ASKED),
    ],
)  # fmt: skip
def test_some_words_always_rate(text, rating):
    assert parse_rating(text, None) == parse_rating(text, LAST) == Command(CommandKind.RATE, rating)


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("👍", Rating.HELPFUL), ("👍🏻👍 谢谢", Rating.HELPFUL), ("👎🏻", Rating.UNHELPFUL),
        ("[赞]", Rating.HELPFUL), ("[强][强] 谢谢", Rating.HELPFUL), ("[弱]", Rating.UNHELPFUL),
        ("不对", Rating.UNHELPFUL), ("不对的", Rating.UNHELPFUL),
        ("过期了", Rating.OUTDATED), ("不准", Rating.INACCURATE), ("看不懂", Rating.UNCLEAR),
        ("解决了", Rating.HELPFUL),
    ],
)  # fmt: skip
def test_others_rate_only_after_an_answer(text, rating):
    assert parse_rating(text, LAST) == Command(CommandKind.RATE, rating)
    told_so = rating is not Rating.HELPFUL and text.isalpha()
    assert parse_rating(text, None) == (Command(CommandKind.RATE, rating) if told_so else None)


@pytest.mark.parametrize(
    "text",
    ["年假过期了怎么办", "有用的证件是哪些", "", "？", "不对外的系统怎么进", "👍 那婚假呢", "[微笑]", "婚假呢[赞]"],
)
def test_part_of_a_sentence_rates_nothing(text):
    assert parse_rating(text, LAST) is None


async def test_what_is_said_stands_beside_the_question_the_last_word_counts(talk: Talk, bot: Running) -> None:
    await talk("小李", "年假有几天")
    await talk("小李", "没用")
    await talk("小李", "没用")
    await talk("小李", "过期")
    await talk("小王", "年假有几天")
    await talk("小王", "你好")
    rated = [(r.text, r.entry_id, r.rating) for r in await bot.store.questions(0.0)]
    assert rated == [("年假有几天", "annual-leave", "outdated"), ("年假有几天", "annual-leave", "")]
    await talk("小李", "👍")
    assert [r.rating for r in await bot.store.questions(0.0)] == ["helpful", ""]


async def test_one_asker_does_not_rate_for_another(talk: Talk, bot: Running) -> None:
    await talk("小李", "年假有几天")
    assert "没有回答过您" in await talk("小王", "没用")
    async with asyncio.timeout(30):
        # The record is written a moment after the reply.
        while not (records := await bot.store.questions(0.0)):
            await asyncio.sleep(0.01)
    assert [r.rating for r in records] == [""]


async def test_what_else_it_could_be_goes_by_the_question_not_by_the_number_that_picked(talk: Talk) -> None:
    assert "您是想问" in await talk("小李", "请病假", group=None)
    await talk("小李", "1", group=None)
    said = await talk("小李", "不是我问的", group=None)
    assert "您是不是想问" in said and "1. [" in said
