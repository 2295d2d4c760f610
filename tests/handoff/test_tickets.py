"""Questions handed to a person: the group learns nothing private, nothing is done twice, nobody else may answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from faqbot.app.running import Running
from faqbot.dialogue.command_parser import parse_command
from faqbot.handoff.tickets import Ticket, TicketState, forget_tickets, load_tickets, save_ticket
from faqbot.model.commands import Command, CommandKind
from faqbot.model.messages import Message, MessageKind
from tests.conftest import GROUP, Talk


def said(text: str, quoted: str = "") -> Message:
    return Message("m", "r", "c", True, MessageKind.TEXT, text, staff_id="u", quoted=quoted)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("人工", Command(CommandKind.PERSON)), ("转人工。", Command(CommandKind.PERSON)),
        ("人工 我的 年假不对", Command(CommandKind.PERSON, "我的 年假不对")),
        ("转人工：证明怎么开", Command(CommandKind.PERSON, "证明怎么开")),
        ("答 12：可以", Command(CommandKind.REPLY, "12 可以")), ("答12 可以", Command(CommandKind.REPLY, "12 可以")),
        ("答 12", Command(CommandKind.REPLY, "12")), ("答 12 年假可以捐", Command(CommandKind.REPLY, "12 年假可以捐")),
        ("答 12\n天数按工龄算", Command(CommandKind.REPLY, "12 天数按工龄算")),
        ("答 12 个税自己交", Command(CommandKind.REPLY, "12 个税自己交")),
        ("回答12号：3 天", Command(CommandKind.REPLY, "12 3 天")),
        ("回答 3 个问题，要多久", None), ("答复 5 月份的问题", None), ("回答2次都不对", None),
        ("答１２：可以，找 Ａ 座（东门）！", Command(CommandKind.REPLY, "１２ 可以，找 Ａ 座（东门）！")),
        ("人工费怎么报销", None), ("人工智能培训", None), ("答辩怎么准备", None), ("回答我", None),
    ],
)  # fmt: skip
def test_what_hands_over_and_what_answers(text, order):
    assert parse_command(said(text)) == order


def test_who_quotes_a_ticket_answers_it():
    assert parse_command(said("可以", quoted="单号 7：已请休假组来答")) == Command(CommandKind.REPLY, "7 可以")
    assert parse_command(said("可以", quoted="年假有几天")) is None


@pytest.fixture
async def keepers(talk: Talk, bot: Running, knowledge: Path) -> str:
    """张主管 keeps 薪酬 and 休假."""
    keeper = talk.ding.world.person("张主管").id
    (knowledge / "groups.yaml").write_text(f"people:\n  休假组: [{keeper}]\n  薪酬组: [{keeper}]\n", encoding="utf-8")
    pay = knowledge / "faq" / "pay.yaml"
    pay.write_text(
        pay.read_text(encoding="utf-8").replace("topic: 薪酬\n", "topic: 薪酬\nowner: 薪酬组\n"), encoding="utf-8"
    )
    await bot.library.refresh()
    return keeper


async def alone(talk: Talk, name: str, count: int) -> list[str]:
    conversation = talk.ding.world.single(talk.ding.world.person(name)).id

    def texts() -> list[str]:
        return [m.text for m in talk.ding.replies if m.conversation == conversation]

    await talk.until(lambda: len(texts()) >= count)
    return texts()


async def test_a_private_question_is_handed_over_in_private(talk: Talk, bot: Running, keepers: str) -> None:
    await talk("小李", "法院要扣我的工资怎么办")
    reply = await talk.reply("小李", "人工")
    assert "薪酬" not in reply.text and "法院" not in reply.text and keepers not in reply.mentions
    (ticket,) = (await load_tickets(bot.store)).values()
    assert ticket.private and "法院" not in json.dumps(ticket.question)
    await talk("张主管", f"答 {ticket.number}：每月最多扣到最低工资", group=None)
    answer = (await alone(talk, "小李", 2))[-1]
    assert "最低工资" in answer
    kept = (await load_tickets(bot.store))[ticket.number]
    assert kept.state is TicketState.ANSWERED and kept.answer == "" and kept.draft == ""


async def test_asking_twice_makes_one_ticket_and_an_answer_one_draft(talk: Talk, bot: Running, keepers: str) -> None:
    await talk("小李", "人工 年假能捐给同事吗")
    await talk("小李", "人工 年假能捐给同事吗")
    (ticket,) = (await load_tickets(bot.store)).values()
    said = await talk("张主管", f"答 {ticket.number}：不能，\n原因见手册")
    assert "不能，  \n原因见手册\n\n> 由 张主管 回答 · 已存成草稿" in said
    again = await talk("张主管", f"答 {ticket.number}：能", group=None)
    assert "已经由" in again
    entry = bot.library.current.entry(f"ticket-{ticket.number}")
    assert entry is not None and entry.draft and entry.answer == "不能，\n原因见手册" and entry.owner == "休假组"


async def test_of_two_who_answer_at_once_one_is_passed_on_and_kept(talk: Talk, bot: Running, knowledge: Path) -> None:
    keepers = [talk.ding.world.person(name) for name in ("张主管", "李主管")]
    named = ", ".join(keeper.id for keeper in keepers)
    (knowledge / "groups.yaml").write_text(f"people:\n  休假组: [{named}]\n", encoding="utf-8")
    await bot.library.refresh()
    await talk("小李", "人工 年假能捐给同事吗")
    (ticket,) = (await load_tickets(bot.store)).values()
    replies = await asyncio.gather(
        *(talk(keeper.name, f"答 {ticket.number}：{keeper.name}说的", group=None) for keeper in keepers)
    )
    (won,) = (keeper for keeper, reply in zip(keepers, replies, strict=True) if "已转告" in reply)
    assert sum("已经由" in reply for reply in replies) == 1
    kept = (await load_tickets(bot.store))[ticket.number]
    assert (kept.answer, kept.answered_by) == (f"{won.name}说的", won.name)
    home = talk.ding.world.group(GROUP).id
    await talk.until(lambda: any(f"{won.name}说的" in m.text for m in talk.ding.replies if m.conversation == home))


CITIES = """
owner: 休假组
entries:
  - question: 产假有多少天？
    ask: {city: 您在哪个城市？}
    answers: {上海: 158 天, 北京: 128 天}
"""


@pytest.mark.parametrize(
    ("said", "question"),
    [
        (["请假要什么材料", "1"], "请假要什么材料"),
        (["请假要什么材料", "都不是"], "请假要什么材料"),
        (["产假有多少天", "上海"], "产假有多少天（上海）"),
        (["产假有多少天", "2"], "产假有多少天"),
    ],
)
async def test_what_is_handed_over_is_the_question_not_the_pick(talk, bot, keepers, knowledge, said, question):
    (knowledge / "faq/cities.yaml").write_text(CITIES, encoding="utf-8")
    await bot.library.refresh()
    for text in (*said, "人工"):
        await talk("小李", text, group=None)
    (ticket,) = (await load_tickets(bot.store)).values()
    assert ticket.question == question


async def test_a_reply_about_a_private_matter_is_not_handed_over_in_its_words(talk, bot, keepers, knowledge):
    (knowledge / "faq/cities.yaml").write_text(f"topic: 生育\nprivate: true{CITIES}", encoding="utf-8")
    await bot.library.refresh()
    for text in ("产假有多少天", "上海", "人工"):
        await talk("小李", text, group=None)
    (ticket,) = (await load_tickets(bot.store)).values()
    assert ticket.question == "（私密：生育）" and ticket.private


async def test_what_one_person_asked_is_forgotten_with_the_rest(bot: Running) -> None:
    for number, asker in ((1, "a"), (2, "b")):
        await save_ticket(bot.store, Ticket(number, f"m{number}", 0.0, asker, "", "c", True, "问"))
    assert await forget_tickets(bot.store, "a") == [1]
    assert set(await load_tickets(bot.store)) == {2}


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("存为问答 12", Command(CommandKind.REPLY, "12 存为问答")),
        ("存成问答12号", Command(CommandKind.REPLY, "12 存成问答")),
        ("存为问答怎么用", None), ("存为问答", None),
    ],
)  # fmt: skip
def test_what_saves_an_answer(text, order):
    assert parse_command(said(text)) == order
    assert parse_command(said("存为问答", quoted="单号 7：")) == Command(CommandKind.REPLY, "7 存为问答")


async def draft_of(bot: Running, number: int) -> str | None:
    await bot.library.refresh()
    entry = bot.library.current.entry(f"ticket-{number}")
    return entry.answer if entry and entry.draft else None


@pytest.mark.parametrize(
    ("answer", "passed_on", "remark", "draft"),
    [
        ("不能捐", "不能捐", "已存成草稿", "不能捐"),
        ("已帮您捐了", "已帮您捐了", "没有存成草稿：像是只说给一个人听的", None),
        ("存为问答：已帮您捐了", "已帮您捐了", "已存成草稿", "已帮您捐了"),
        ("仅此人：不能捐", "不能捐", "只转告对方，没有存成草稿", None),
        ("不能捐（仅此人）", "不能捐", "只转告对方，没有存成草稿", None),
    ],
)
async def test_an_answer_for_one_person_is_passed_on_and_no_draft(talk, bot, keepers, answer, passed_on, remark, draft):
    await talk("小李", "人工 年假能捐给同事吗", group=None)
    (ticket,) = (await load_tickets(bot.store)).values()
    assert remark in await talk("张主管", f"答 {ticket.number}：{answer}", group=None)
    told = (await alone(talk, "小李", 2))[-1]
    assert passed_on in told and "仅此人" not in told and "存为问答" not in told
    assert await draft_of(bot, ticket.number) == draft


async def test_an_answer_is_saved_later_once_and_by_owners_only(talk: Talk, bot: Running, keepers: str) -> None:
    await talk("小李", "人工 年假能捐给同事吗")
    (ticket,) = (await load_tickets(bot.store)).values()
    assert "还没有答案" in await talk("张主管", f"存为问答 {ticket.number}", group=None)
    assert f"「存为问答 {ticket.number}」" in await talk("张主管", f"答 {ticket.number}：已帮您捐了", group=None)
    assert "由休假组来答" in await talk("小王", f"存为问答 {ticket.number}", group=None)
    assert await draft_of(bot, ticket.number) is None
    for _ in range(2):
        assert "已存成草稿" in await talk("张主管", f"存为问答 {ticket.number}", group=None)
    assert await draft_of(bot, ticket.number) == "已帮您捐了"
    assert (await load_tickets(bot.store))[ticket.number].draft == f"ticket-{ticket.number}"


async def test_the_answer_to_a_private_question_is_not_kept_to_be_saved(talk, bot, keepers):
    await talk("小李", "人工 法院要扣我的工资怎么办", group=None)
    (ticket,) = (await load_tickets(bot.store)).values()
    said_back = await talk("张主管", f"答 {ticket.number}：已帮您处理了", group=None)
    assert "没有存成草稿" in said_back and "存为问答" not in said_back
    assert "答案没有留下" in await talk("张主管", f"存为问答 {ticket.number}", group=None)
    assert (await load_tickets(bot.store))[ticket.number].answer == ""
