"""我的: one sees one's own questions, and nobody else's, where nobody else reads them."""

from __future__ import annotations

from dataclasses import replace

from faqbot.commands.own_questions import OwnQuestionsCommand
from faqbot.model.commands import Command, CommandKind
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.question_log import QuestionRecord
from faqbot.store.protocol import Store


async def test_the_last_questions_are_listed_newest_first_and_once(talk):
    for text in ("年假有几天", "发薪日是哪天", "明天下雨吗", "发薪日是哪天"):
        await talk("小李", text, group=None)
    await talk("小王", "怎么报销", group=None)
    said = await talk("小李", "我的", group=None)
    assert said.index("- [发薪日是哪天](dtmd:") < said.index("- [明天下雨吗](") < said.index("- [年假有几天](")
    assert "报销" not in said


async def test_a_private_question_is_listed_by_its_topic_and_cannot_be_asked_again(talk):
    await talk("小李", "法院要扣我的工资怎么办", group=None)
    said = await talk("小李", "我的", group=None)
    assert "- （私密：" in said and "法院" not in said and "[" not in said


async def test_the_group_does_not_see_them(talk):
    await talk("小李", "年假有几天", group=None)
    said = await talk("小李", "我的")
    assert "私聊" in said and "年假" not in said


async def test_somebody_new_has_none(talk):
    assert "没有您的提问记录" in await talk("小赵", "我的提问", group=None)


async def test_what_picked_from_a_list_is_no_question_but_a_line_tapped_in_a_menu_is(talk):
    for text in ("请假要什么材料", "1", "请假要什么材料", "都不是", "薪酬", "每个月几号发工资？"):
        await talk("小李", text, group=None)
    said = await talk("小李", "我的", group=None)
    assert [line.split("]")[0] for line in said.split("\n") if line.startswith("- ")] == [
        "- [每个月几号发工资？",
        "- [请假要什么材料",
    ]


async def test_the_refusal_of_a_likely_answer_is_no_question(store: Store):
    message = Message("m1", "robot", "cid", False, MessageKind.TEXT, "我的", staff_id="u1")
    asked = QuestionRecord("q1", 1_000.0, "cid", message.asker, "住宿能报多少", "likely", "hotel")
    refusal = replace(asked, message_id="q2", text="不是", outcome="likely_refused", picked_for="q1")
    for record in (asked, refusal):
        own = replace(message, id=record.message_id)
        await store.accept(own, "")
        await store.finish(own, DeliveryResult(DeliveryState.ANSWERED), record, None)
    listed = await OwnQuestionsCommand(store, lambda: 2_000.0)(message, Command(CommandKind.MY_QUESTIONS))
    assert "住宿能报多少" in listed.body and "不是" not in listed.body
