"""为什么, 谁负责, 热门: what may be known of an answer, by whom and where."""

from __future__ import annotations

import pytest


async def test_why_says_what_matched_and_who_stands_for_it(talk):
    await talk("小李", "年假有几天", group=None)
    said = await talk("小李", "为什么", group=None)
    for part in ("答的是：年假有几天", "对上的问法：年假有几天", "把握：一字不差", "来源：", "负责人：休假组"):
        assert part in said


async def test_why_names_the_wording_and_another_confidence_where_the_words_differ(talk):
    await talk("小李", "请问发薪日究竟是哪天", group=None)
    said = await talk("小李", "依据", group=None)
    assert "答的是：每个月几号发工资" in said and "对上的问法：发薪日是哪天" in said and "一字不差" not in said


async def test_why_says_that_the_asker_picked_from_a_list(talk):
    await talk("小王", "每个月几号发工资", group=None)
    await talk("小李", "热门", group=None)
    await talk("小李", "1", group=None)
    assert "把握：您从列表里选的" in await talk("小李", "为什么这么说", group=None)


@pytest.mark.parametrize("text", ["为什么", "谁负责"])
async def test_another_persons_answer_is_not_the_askers(talk, text):
    await talk("小王", "年假有几天")
    said = await talk("小李", text)
    assert "没有回答过您" in said and "@我" in said and "年假" not in said and "休假组" not in said


async def test_a_private_answer_is_explained_in_the_single_chat_only(talk):
    await talk("小李", "法院要扣我的工资怎么办", group=None)
    assert "答的是：法院要扣我的工资怎么办" in await talk("小李", "为什么", group=None)
    assert "法院" not in await talk("小李", "为什么")


async def test_an_answer_made_private_since_is_not_explained_in_the_group(talk, bot, knowledge):
    await talk("小李", "每个月几号发工资")
    file = knowledge / "faq/pay.yaml"
    written = file.read_text(encoding="utf-8")
    file.write_text(written.replace("    answer: 每月 10 日。", "    answer: 每月 10 日。\n    private: true"), "utf-8")
    await bot.library.refresh()
    said = await talk("小李", "为什么")
    assert "单聊" in said and "发工资" not in said


async def test_the_keeper_is_named_with_how_to_reach_them(talk):
    await talk("小李", "年假有几天")
    said = await talk("小李", "找谁")
    assert "休假组" in said and "@我 人工" in said


async def test_the_hottest_come_by_people_not_by_questions(talk):
    for name, text in (("小李", "年假有几天"), ("小王", "年假有几天"), *[("小赵", "每个月几号发工资")] * 3):
        await talk(name, text, group=None)
    said = await talk("小李", "热门")
    assert said.index("1. [年假有几天") < said.index("2. [每个月几号发工资")
    assert "每月 10 日" in await talk("小李", "2")


async def test_private_entries_are_never_hot(talk):
    await talk("小李", "法院要扣我的工资怎么办", group=None)
    said = await talk("小李", "大家都在问什么", group=None)
    assert "法院" not in said and "还没有热门" in said
