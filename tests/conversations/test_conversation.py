"""The whole bot, connected by the real SDK to the stand-in: who says what, and what the bot says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from faqbot.app.running import Running, running
from faqbot.model.question_log import QuestionRecord
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.conftest import Talk


async def test_a_question_in_a_group_is_answered_to_the_asker_in_hrs_words(talk: Talk) -> None:
    reply = await talk.reply("小李", "年假有几天")
    asker = talk.ding.world.person("小李").id
    assert reply.text.startswith(f"@{asker}\n\n")
    assert reply.mentions == (asker,)
    assert "满 1 年不满 10 年：**5 天**  \n满 10 年" in reply.text
    assert "\n\n还想问（如「@我 1」）：① " in reply.text
    assert "\n\n> 来源：《员工手册》第 5 章 · 负责：休假组 · 评价：@我 有用／没用" in reply.text
    assert reply.title == "年假有几天？"


async def test_a_single_chat_needs_no_mention(talk: Talk) -> None:
    reply = await talk.reply("小李", "年假有几天", group=None)
    assert reply.mentions == ()
    assert "@" not in reply.text


async def test_a_group_message_without_the_at_never_reaches_the_bot(talk: Talk) -> None:
    world = talk.ding.world
    assert not await talk.ding.say(world.person("小李"), "年假有几天", world.group("全员群"))
    assert not world.messages[-1].heard


async def test_a_number_picks_from_the_list(talk: Talk) -> None:
    listed = await talk("小李", "休假")
    assert "（回复序号，如「@我 1」" in listed and "dtmd" not in listed
    second = listed.split("\n2. ")[1].split("\n")[0]
    picked = await talk("小李", "第二个")
    assert f"**{second}**" in picked


async def test_a_pick_belongs_to_one_person_in_one_conversation(talk: Talk) -> None:
    await talk("小李", "休假")
    assert "没有可以选的列表" in await talk("小王", "1")
    assert "没有可以选的列表" in await talk("小李", "1", group="另一个群")
    assert "**" in await talk("小李", "1")


async def test_a_number_that_is_not_on_the_list_is_explained(talk: Talk) -> None:
    await talk("小李", "休假")
    assert "只有 1–" in await talk("小李", "9")


async def test_help_lists_the_topics_and_a_number_opens_one(talk: Talk) -> None:
    menu = await talk("小李", "帮助")
    assert "［" not in menu and ". 休假（" in menu and ". 薪酬（" in menu
    assert "停车位" not in menu, "entries of other groups are not shown"
    number = next(line.split(".")[0] for line in menu.splitlines() if ". 薪酬（" in line)
    opened = await talk("小李", number)
    assert "每个月几号发工资" in opened and "涨薪比例" not in opened


async def test_a_bare_at_shows_the_menu(talk: Talk) -> None:
    assert "我能回答这些方面的问题" in await talk("小李", "")


async def test_greetings_and_thanks_get_a_word_back(talk: Talk) -> None:
    assert "您好" in await talk("小李", "你好")
    assert "不客气" in await talk("小李", "谢谢！")


async def test_what_nobody_wrote_is_honestly_not_found(talk: Talk) -> None:
    reply = await talk("小李", "食堂今天吃什么")
    assert "没有找到「食堂今天吃什么」的答案" in reply and "已经记下来" in reply


async def test_words_shown_again_lose_their_meaning_in_markdown(talk: Talk) -> None:
    reply = await talk("小李", "[点我](https://evil.example) **x** <b> #1 @所有人 _y_ `z`")
    shown = reply.split("「")[1].split("」")[0]
    assert not set("[]()<>*_#@`") & set(shown)
    assert "https://" not in shown


async def test_an_external_asker_is_answered_by_name_without_a_mention(talk: Talk) -> None:
    reply = await talk.reply("*坏*[人]", "年假有几天", external=True)
    assert reply.text.startswith("＊坏＊［人］：")
    assert reply.mentions == ()


async def test_a_private_answer_stays_out_of_the_group(talk: Talk) -> None:
    reply = await talk.reply("小李", "法院要扣我的工资怎么办")
    assert "私聊" in reply.text
    assert "法院" not in reply.text + reply.title and "生活费" not in reply.text
    assert "生活费线" in await talk("小李", "法院要扣我的工资怎么办", group=None)


async def test_drafts_and_entries_of_other_groups_are_as_if_they_did_not_exist(talk: Talk) -> None:
    assert "还在讨论" not in await talk("小李", "涨薪比例是多少")
    assert "80 个" not in await talk("小李", "公司有停车位吗")


async def test_a_long_answer_comes_in_parts_each_within_the_limit(talk: Talk, knowledge) -> None:
    paragraphs = "\n\n".join(f"      第{n}段{'内容' * 120}" for n in range(60))
    text = f"- question: 全部规定是什么？\n  answer: |\n{paragraphs}\n"
    (knowledge / "faq" / "long.yaml").write_text(text, encoding="utf-8")
    assert "第0段" in await until_live(talk, "全部规定是什么", "第0段")
    await talk.until(lambda: "第59段" in talk.ding.replies[-1].text)
    parts = [m.text for m in talk.ding.replies if "段内容" in m.text]
    assert all(len(part.encode()) < 15_000 for part in parts)
    assert all(any(f"第{n}段" in part for part in parts) for n in range(60))


async def test_a_saved_edit_answers_at_once_and_a_broken_file_takes_nothing_away(talk: Talk, knowledge) -> None:
    file = knowledge / "faq" / "pay.yaml"
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace("每月 10 日。", "每月 12 日。"), encoding="utf-8")
    assert "12 日" in await until_live(talk, "每个月几号发工资", "12 日")
    file.write_text("entries:\n  - question: [", encoding="utf-8")
    await asyncio.sleep(1.2)
    assert "12 日" in await talk("小李", "每个月几号发工资")


async def test_a_file_that_is_broken_at_the_start_answers_as_in_the_last_run(
    ding: FakeDingTalk, settings: Settings, knowledge: Path
) -> None:
    talk = Talk(ding)
    async with running(settings):
        assert await ding.until_connected()
        assert "10 日" in await talk("小李", "每个月几号发工资")
    (knowledge / "faq" / "pay.yaml").write_text("entries:\n  - question: [", encoding="utf-8")
    assert await ding.world.until(lambda: not ding.gateway.connected, 60)
    async with running(settings) as app:
        assert await ding.until_connected()
        assert "10 日" in await talk("小李", "每个月几号发工资")
        assert [p.place.file for p in app.library.current.problems] == [f"{knowledge}/faq/pay.yaml"]


async def test_voice_is_answered_like_text_and_pictures_politely(talk: Talk) -> None:
    voice = {"msgtype": "audio", "text": None, "content": {"duration": 4000, "recognition": "年假有几天"}}
    assert "5 天" in (await talk.reply("小李", "x", group=None, odd=voice)).text
    silent = {"msgtype": "audio", "text": None, "content": {"duration": 4000, "recognition": ""}}
    assert "没有识别出文字" in (await talk.reply("小李", "x", group=None, odd=silent)).text
    for kind in ("picture", "video", "file", "unknownMsgType"):
        odd = {"msgtype": kind, "text": None, "content": {"downloadCode": "c"}}
        reply = await talk.reply("小李", "x", group=None, odd=odd)
        assert "只看得懂文字" in reply.text


async def test_rich_text_with_a_leading_name_and_a_picture_is_understood(talk: Talk) -> None:
    rich = {"richText": [{"text": "@小助手"}, {"text": " 年假有几天"}, {"type": "picture", "downloadCode": "c"}]}
    reply = await talk.reply("小李", "x", odd={"msgtype": "richText", "text": None, "content": rich})
    assert "5 天" in reply.text


async def test_twenty_people_are_answered_in_parallel(talk: Talk, ding: FakeDingTalk) -> None:
    ding.faults.webhook_delay = 0.5
    names = [f"同事{n}" for n in range(20)]
    await asyncio.gather(*(talk(name, "年假有几天") for name in names))
    starts = sorted(call.started for call in ding.webhooks.calls)
    # One after the other the last call would start 9.5 s after the first.
    assert starts[-1] - starts[0] < 4
    assert all(d.ack and d.ack["code"] == 200 for d in ding.gateway.deliveries)


async def test_one_person_is_answered_in_the_order_of_asking(talk: Talk, ding: FakeDingTalk) -> None:
    ding.faults.webhook_delay = 0.05
    world = ding.world
    person, group = world.person("小李"), world.group("全员群")
    for text in ("年假有几天", "每个月几号发工资", "病假怎么请"):
        await ding.say(person, f"@小助手 {text}", group)
    await talk.until(lambda: len(ding.replies) == 3)
    assert [m.title for m in ding.replies] == ["年假有几天？", "每个月几号发工资？", "病假怎么请？"]


async def until_live(talk: Talk, text: str, part: str) -> str:
    """Ask until the edited file answers; the poll looks twice a second."""
    for _ in range(40):
        reply = await talk("小李", text)
        if part in reply:
            return reply
        await asyncio.sleep(0.1)
    raise AssertionError("the edit did not go live")


async def test_a_question_asked_again_is_found_at_once_but_never_by_old_knowledge(
    talk: Talk, bot: Running, knowledge: Path
) -> None:
    assert "5 天" in await talk("小李", "年假有几天")
    assert "5 天" in await talk("小王", "年假有几天", group="另一个群")
    file = next(p for p in (knowledge / "faq").glob("*.yaml") if "年假有几天" in p.read_text(encoding="utf-8"))
    file.write_text(file.read_text(encoding="utf-8").replace("**5 天**", "**6 天**"), encoding="utf-8")
    assert await bot.library.refresh() or "6 天" in str(bot.library.current.entries)
    assert "6 天" in await talk("小陈", "年假有几天")


async def test_what_one_group_may_see_is_not_remembered_for_another(talk: Talk, bot: Running, knowledge: Path) -> None:
    home = talk.ding.world.group("全员群").id
    (knowledge / "faq" / "only.yaml").write_text(
        f"- question: 楼顶花园几点开放？\n  answer: 八点开放。\n  groups: [{home}]\n", encoding="utf-8"
    )
    await bot.library.refresh()
    assert "八点" in await talk("小李", "楼顶花园几点开放")
    assert "八点" not in await talk("小李", "楼顶花园几点开放", group="另一个群")


async def all_records(bot: Running) -> Sequence[QuestionRecord]:
    """What is on record once all messages are finished: that is a moment after the reply."""
    while (await bot.store.backlog())[0]:
        await asyncio.sleep(0.01)
    return await bot.store.questions(0.0)


async def test_a_pick_by_number_or_by_tap_is_on_record_with_its_question(talk: Talk, bot: Running) -> None:
    listed = await talk("小李", "假怎么请", group=None)
    tapped = listed.split("1. [")[1].split("]")[0]
    assert "病假申请" in await talk("小李", tapped, group=None)
    await talk("小王", "假怎么请")
    await talk("小王", "1")
    records = {r.message_id: r for r in await all_records(bot)}
    picked = [r for r in records.values() if r.outcome == "picked"]
    assert [r.text for r in picked] == [tapped, "1"]
    assert all(records[r.picked_for].text == "假怎么请" and records[r.picked_for].asker == r.asker for r in picked)


async def test_a_pick_from_a_menu_belongs_to_no_earlier_question(talk: Talk, bot: Running) -> None:
    await talk("小李", "假怎么请")
    menu = await talk("小李", "帮助")
    opened = await talk("小李", next(line.split(".")[0] for line in menu.splitlines() if ". 休假（" in line))
    assert "\n1. " in opened
    await talk("小李", "1")
    offered, picked = await all_records(bot)
    assert picked.outcome == "picked" and picked.picked_for not in ("", offered.message_id)
