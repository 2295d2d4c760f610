"""今天: each kind of thing to do, what it says, where it leads, and the kind word when there is none."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from faqbot.analytics.stats import key_of
from faqbot.app.running import Running
from faqbot.console.work import tasks as tasks_module
from faqbot.console.work.complaints import tasks
from faqbot.handoff.tickets import Ticket, save_ticket
from faqbot.model.entries import Entry, Period
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.notices import Address, Notice
from faqbot.model.question_log import QuestionRecord
from tests.console.conftest import Files, Person
from tests.console.work.test_gaps import put

TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()


async def kinds(hr: Person) -> dict[str, dict[str, Any]]:
    page = await hr.get("/?format=json")
    return {section["kind"]: section for section in json.loads(page.text)["sections"]}


def day(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


async def write(bot: Running, files: Files, text: str, name: str = "faq/more.yaml") -> None:
    files.write(text, name)
    await bot.library.refresh()


async def nothing_to_do(bot: Running, files: Files) -> None:
    """The sample has a draft."""
    await write(bot, files, files.read("faq/pay.yaml").replace("    draft: true\n", ""), "faq/pay.yaml")


async def test_with_nothing_to_do_it_says_so_kindly(hr: Person, bot: Running, files: Files) -> None:
    await nothing_to_do(bot, files)
    page = await hr.get("/")
    assert "都处理好了" in page.text and await kinds(hr) == {}
    assert "本月接口调用" in page.text


async def test_the_first_entry_is_asked_for_where_there_is_none(hr: Person, bot: Running, files: Files) -> None:
    for name in ("leave", "office", "pay"):
        files.write("entries: []\n", f"faq/{name}.yaml")
    await bot.library.refresh()
    assert "写第一条" in (await hr.get("/")).text


async def test_missed_questions_five_at_most(hr: Person, bot: Running) -> None:
    for number, thing in enumerate(["食堂", "班车", "健身房", "打印机", "空调", "洗衣房", "宠物"]):
        await put(bot, [(f"u{n}", f"{thing}几点开") for n in range(number + 1)])
    missed = (await kinds(hr))["missed"]
    assert missed["total"] == 7 and len(missed["items"]) == 5
    assert missed["items"][0] == {
        "text": "宠物几点开", "note": "最近 30 天问了 7 次", "url": f"/missed/{key_of('宠物几点开')}", "tag": "7 人",
    }  # fmt: skip
    page = await hr.get("/")
    assert '<a href="/missed">还有 2 组</a>' in page.text
    for item in missed["items"]:
        assert (await hr.get(item["url"])).status == 200


async def test_declined_and_solved_questions_are_not_there(hr: Person, bot: Running) -> None:
    await put(bot, [("a", "年假有几天"), ("a", "食堂几点开")])
    await hr.post(f"/missed/{key_of('食堂几点开')}/decline")
    assert "missed" not in await kinds(hr)


async def test_entries_that_grow_old(hr: Person, bot: Running, files: Files) -> None:
    await write(
        bot,
        files,
        f"""\
- {{id: gone, question: 旧的？, answer: 甲, valid: {{until: {day(-3)}}}}}
- {{id: soon, question: 快到期？, answer: 乙, valid: {{until: {day(14)}}}}}
- {{id: later, question: 还早？, answer: 丙, valid: {{until: {day(15)}}}}}
- {{id: today, question: 今天到期？, answer: 丁, valid: {{until: {day(0)}}}}}
- {{id: due, question: 要复核？, answer: 戊, owner: 小王, review: {day(-1)}}}
- {{id: v1, question: 换新了？, answer: 己, valid: {{until: {day(3)}}}}}
- {{id: v2, question: 换新了？, answer: 庚, valid: {{from: {day(4)}}}}}
""",
    )
    found = await kinds(hr)
    assert [(i["text"], i["tag"]) for i in found["aging"]["items"]] == [
        ("今天到期？", "今天到期"), ("快到期？", "14 天后到期"), ("要复核？", "该复核了"), ("旧的？", "已过期"),
    ]  # fmt: skip
    assert found["aging"]["items"][0]["url"] == "/entries/today/edit"
    assert "小王负责" in found["aging"]["items"][2]["note"]
    assert "warnings" not in found, "the same is not said twice"


async def test_drafts_wait(hr: Person) -> None:
    (draft,) = (await kinds(hr))["drafts"]["items"]
    assert draft == {
        "text": "涨薪比例是多少？",
        "note": "薪酬",
        "url": "/entries/salary-secret/approve",
        "tag": "草稿 1",
    }


async def test_many_of_a_kind_are_cut_short(hr: Person, bot: Running, files: Files) -> None:
    await write(bot, files, "".join(f"- {{question: 草稿{n}？, answer: 无, draft: true}}\n" for n in range(9)))
    drafts = (await kinds(hr))["drafts"]
    assert drafts["total"] == 10 and len(drafts["items"]) == 7
    assert '<a href="/entries?status=draft">还有 3 条</a>' in (await hr.get("/")).text


async def test_an_error_in_a_file_comes_first_and_says_where(hr: Person, bot: Running, files: Files) -> None:
    await put(bot, [("a", "食堂几点开")])
    await write(bot, files, files.read() + "  - question: 没有答案？\n", "faq/leave.yaml")
    await write(bot, files, "- {question: 奇怪？, answer: 无, related: [nobody]}\n")
    page = json.loads((await hr.get("/today.json")).text)
    assert page["sections"][0]["kind"] == "errors" and page["sections"][0]["total"] == 1
    assert page["sections"][-1]["kind"] == "warnings", "a warning does not come before what people wait for"
    first = page["sections"][0]["items"][0]
    assert (
        first["tag"] == "错误" and first["note"].startswith("faq/leave.yaml:") and "上一个正确的版本" in first["note"]
    )
    assert str(files.folder) not in json.dumps(page, ensure_ascii=False)


async def test_a_broken_job_stops_no_answers(hr: Person, bot: Running, files: Files) -> None:
    rule = "automations:\n  - {id: standup, when: {at: '25:00'}, do: [{notify: {person: u1, text: 早}}]}\n"
    await write(bot, files, rule, "automations.yaml")
    (item,) = (await kinds(hr))["errors"]["items"]
    assert item["note"].endswith("写错的任务不运行，别的照常") and "不会回答" not in item["note"]
    assert "有文件写错了" not in (await hr.get("/entries")).text


async def test_a_warning_comes_last_and_opens_its_entry(hr: Person, bot: Running, files: Files) -> None:
    await write(bot, files, "- {id: odd, question: 奇怪？, answer: 无, related: [nobody]}\n")
    found = await kinds(hr)
    assert list(found)[-1] == "warnings"
    assert found["warnings"]["items"][0]["url"] == "/entries/odd/edit"
    assert "nobody" in found["warnings"]["items"][0]["text"]


async def test_answers_that_did_not_arrive(hr: Person, bot: Running) -> None:
    await put(bot, [("a", "甲"), ("b", "乙")], outcome="answered", entry_id="payday", delivery="timeout")
    await put(bot, [("a", "年假")], outcome="answered", entry_id="annual-leave", delivery="430101")
    await put(bot, [("a", "丙")], outcome="answered", entry_id="wifi", delivery="90020")
    await put(bot, [("a", "丁")], outcome="answered", entry_id="wifi", delivery="timeout", days_ago=8)
    found = (await kinds(hr))["undelivered"]["items"]
    assert [(i["tag"], i["note"][:9]) for i in found] == [
        ("被拒收", "最近 7 天 1 "), ("没送到", "最近 7 天 2 "), ("没送到", "最近 7 天 1 "),
    ]  # fmt: skip
    assert found[0]["text"] == "钉钉不收「年假有几天？」的回答" and found[0]["url"] == "/entries/annual-leave/edit"
    for item in found:
        assert (await hr.get(item["url"])).status == 200
    listed = await hr.get(found[1]["url"])
    assert "甲" in listed.text and "丙" in listed.text
    assert "不知道是否送达" in found[1]["text"] and "额度" in found[2]["text"]


async def test_the_quota_is_warned_of_from_four_fifths(hr: Person, bot: Running) -> None:
    assert "quota" not in await kinds(hr)
    await bot.store.count({f"{TODAY:%Y-%m}|calls": 4000})
    data = json.loads((await hr.get("/today.json")).text)
    assert data["quota"]["calls"] == {"used": 4000, "limit": 5000}
    (item,) = data["sections"][0]["items"]
    assert data["sections"][0]["kind"] == "quota" and item["tag"] == "快用完了" and "80%（4000 / 5000）" in item["text"]
    await bot.store.count({f"{TODAY:%Y-%m}|calls": 1500})
    assert (await kinds(hr))["quota"]["items"][0]["tag"] == "用完了"


async def test_each_reason_why_an_answer_was_no_help_is_a_task_that_can_be_done_and_undone(
    hr: Person, bot: Running
) -> None:
    now = datetime.now(ZoneInfo("Asia/Shanghai")).timestamp()
    ratings = ("outdated", "outdated", "unclear", "helpful", "")
    for number, rating in enumerate(ratings):
        asked = Message(f"m{number}", "r", "c", True, MessageKind.TEXT, "年假")
        record = QuestionRecord(f"m{number}", now - 60, "c", "a", "年假", "answered", "annual-leave", rating=rating)
        await bot.store.finish(asked, DeliveryResult(DeliveryState.ANSWERED), record, None)
        await bot.store.rate("r", f"m{number}", rating)
    outdated, unclear = (await kinds(hr))["disliked"]["items"]
    assert (outdated["text"], outdated["tag"]) == ("年假有几天？", "过期") and outdated["note"].startswith("2 人次")
    assert "「年假」" in outdated["note"] and "休假组负责" in outdated["note"] and unclear["tag"] == "看不懂"
    assert outdated["url"] == "/entries/annual-leave/edit"
    key = {"key": "outdated|annual-leave"}
    assert "已处理，不再列在这里" in (await hr.post("/complaints/done", key)).text
    assert [i["tag"] for i in (await kinds(hr))["disliked"]["items"]] == ["看不懂"]
    await hr.post("/complaints/undone", key)
    assert len((await kinds(hr))["disliked"]["items"]) == 2


async def test_open_tickets_are_there_today_until_put_aside(hr: Person, bot: Running) -> None:
    now = datetime.now().timestamp()
    await save_ticket(bot.store, Ticket(3, "m", now - 7200, "a", "小李", "c", True, "年假能捐吗", "休假", "休假组"))
    await save_ticket(
        bot.store, Ticket(4, "n", now, "a", "小李", "c", True, "秘密的事", "薪酬", "薪酬组", private=True)
    )
    page = (await hr.get("/")).text
    assert "年假能捐吗" in page and "单号 3，2 小时前，请了休假组" in page
    assert "秘密的事" not in page and "（私密：薪酬）" in page and "小李" not in page
    done = (await hr.post("/tickets/done", {"key": "3"})).text
    assert "年假能捐吗" not in done and "撤销" in done
    assert "年假能捐吗" in (await hr.post("/tickets/undone", {"key": "3"})).text


def test_of_a_private_question_the_task_names_the_topic_alone() -> None:
    record = QuestionRecord("m", 1.0, "c", "a", "（私密：薪酬）", "answered", rating="inaccurate")
    (item,) = tasks([record], {}, {}).items
    assert item.text == "（私密：薪酬）" and item.url == ""


def test_held_entries_and_a_successor_that_is_a_draft() -> None:
    old = Entry("v1", "问？", "甲", valid=Period(end=TODAY - timedelta(days=1)))
    draft = Entry("v2", "问？", "乙", valid=Period(start=TODAY), draft=True)
    assert [i.text for i in tasks_module.aging([old, draft], TODAY).items] == ["问？"]
    assert tasks_module.aging([old, Entry("v2", "问？", "乙", valid=Period(start=TODAY))], TODAY).items == ()


async def test_notices_that_were_given_up_say_for_whom_and_why(hr: Person, bot: Running) -> None:
    people = [Notice(f"n{n}", Address("person", f"gone{n}"), "放假通知", "周五放假") for n in range(5)]
    robot = Notice("r", Address("robot", "sales"), "新客户", "星野", until=1.0)
    await bot.outbox.post(*people, robot)
    async with asyncio.timeout(60):
        while None in [await bot.outbox.outcome(notice.key) for notice in (*people, robot)]:
            await asyncio.sleep(0.02)
    unsent = (await kinds(hr))["unsent"]
    assert unsent["title"] == "没有发出的通知" and unsent["total"] == 2
    shown = {item["text"]: item["note"] for item in unsent["items"]}
    assert " 等 5 个：钉钉说这个人不存在或不在应用可见范围内" in shown["放假通知"]
    assert shown["新客户"] == "群机器人 sales：过了发送的时限，没有再发"
