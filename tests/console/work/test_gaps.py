"""未答: what people asked in vain, grouped and ordered, and each thing that can be done about it, with its undo."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from faqbot.analytics import gaps
from faqbot.analytics.stats import key_of
from faqbot.app.running import Running
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.model.question_log import QuestionRecord
from faqbot.settings import Settings
from faqbot.store.codec import pack_record
from tests.conftest import Talk
from tests.console.conftest import Files, Page, Person, colleague, stranger

PET = "可以带宠物上班吗"
SICK = "病假审批流程"
THINGS = (
    "食堂 班车 健身房 打印机 空调 停车场 洗衣房 宠物 儿童房 投影仪 雨伞 咖啡机 "
    "冰箱 快递 绿植 微波炉 白板 电梯 门禁 吊床 书架 鱼缸 沙发 阳台"
)
WANTS = "几点开 怎么用 坏了找谁 在哪里 可以预定吗 多少钱 有没有 什么时候换 能带家人吗 谁负责"


async def put(bot: Running, asked: Iterable[tuple[str, str]], *, days_ago: float = 0.0, **more: Any) -> None:
    """Questions on record: who asked what; `more` are fields of the record."""
    for number, (asker, text) in enumerate(asked):
        at = time.time() - days_ago * 86400 - 60 + number / 1000
        message = Message(f"{at}-{asker}", "robot", "cid", True, MessageKind.TEXT, text, staff_id=asker, sent_at=at)
        record = QuestionRecord(message.id, at, "cid", asker, text, **{"outcome": "unanswered", **more})
        await bot.store.accept(message, "")
        await bot.store.finish(message, DeliveryResult(DeliveryState.ANSWERED), record, None)


async def listed(hr: Person, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((await hr.get(f"/missed.json{query}")).text)["gaps"]
    return found


def seen(page: Page) -> str:
    """The version that the page with the effects carries."""
    return page.text.partition('name="seen" value="')[2].partition('"')[0]


async def add(hr: Person, key: str, entry: str, text: str) -> Page:
    checked = await hr.get(f"/missed/{key}/add?entry={entry}&text={quote(text)}")
    assert checked.status == 200, checked.text
    return await hr.post(f"/missed/{key}/add", {"entry": entry, "text": text, "seen": seen(checked)})


# -- the list ----------------------------------------------------------------------------------


async def test_what_most_people_asked_comes_first(hr: Person, bot: Running) -> None:
    await put(bot, [("a", "食堂几点开门"), ("a", "食堂几点开门"), ("a", "食堂几点开门？")])
    await put(bot, [("a", PET), ("b", "可以带宠物来上班么"), ("b", PET)])
    await put(bot, [("c", "年假有几天")], outcome="answered", entry_id="annual-leave")
    gaps = await listed(hr)
    assert [(g["question"], g["people"], g["times"]) for g in gaps] == [(PET, 2, 3), ("食堂几点开门", 1, 3)]
    page = await hr.get("/missed")
    assert page.text.index(PET) < page.text.index("食堂几点开门") and "<strong>2 人</strong>问了 3 次" in page.text
    assert "「可以带宠物来上班么」" in page.text and "staff" not in page.text


async def test_a_missed_question_of_the_chat_is_there_at_once(hr: Person, talk: Talk) -> None:
    assert await listed(hr) == []
    assert "都有着落了" in (await hr.get("/missed")).text
    await talk("小李", PET)
    assert [g["question"] for g in await listed(hr)] == [PET]


async def test_the_period_is_chosen(hr: Person, bot: Running) -> None:
    await put(bot, [("a", PET)], days_ago=3)
    await put(bot, [("a", "食堂几点开门")], days_ago=20)
    await put(bot, [("a", "班车几点发车")], days_ago=60)
    for query, count in (("?days=7", 1), ("", 2), ("?days=90", 3), ("?days=365", 2), ("?days=x", 2)):
        assert len(await listed(hr, query)) == count, query
    # A link keeps working when the question has left the period.
    assert (await hr.get(f"/missed/{key_of('班车几点发车')}")).status == 200


async def test_what_the_knowledge_answers_by_now_is_solved(hr: Person, bot: Running, files: Files) -> None:
    await put(bot, [("a", "年假有几天"), ("b", PET)])
    assert [g["question"] for g in await listed(hr)] == [PET]
    (solved,) = await listed(hr, "?show=solved")
    assert solved["answered_by"] == "annual-leave"
    assert "现在由「<a" in (await hr.get("/missed?show=solved")).text
    files.write(f"- question: {PET}？\n  answer: 不可以。\n", "faq/pet.yaml")
    await bot.library.refresh()
    assert await listed(hr) == [] and len(await listed(hr, "?show=solved")) == 2


async def test_an_answer_for_another_group_solves_nothing(hr: Person, bot: Running) -> None:
    await put(bot, [("a", "公司有停车位吗")])
    assert [g["nearest"] for g in await listed(hr)] == ["parking"]


async def test_long_lists_have_pages(hr: Person, bot: Running) -> None:
    await put(bot, [("a", f"{thing}几点开") for thing in THINGS.split()[:22]])
    first, second, beyond = [await hr.get(f"/missed?page={n}") for n in (1, 2, 99)]
    assert first.text.count('class="q"') == 20 and "第 1 / 2 页" in first.text
    assert second.text.count('class="q"') == 2 and beyond.text.count('class="q"') == 2


async def test_five_thousand_misses_are_shown(hr: Person, bot: Running, settings: Settings) -> None:
    things, wants, now = THINGS.split(), WANTS.split(), time.time() - 3600
    with closing(sqlite3.connect(settings.store.removeprefix("sqlite:///"))) as db, db:
        for n in range(5000):
            text = f"{things[n % 24]}{n // 15 % 4}号{wants[n % 10]}"
            record = pack_record(QuestionRecord(str(n), now + n / 10, "cid", f"u{n % 300}", text, "unanswered"))
            marks = ", ".join("?" * len(record))
            db.execute(f"INSERT INTO questions ({', '.join(record)}) VALUES ({marks})", tuple(record.values()))
    for path in ("/missed", "/", "/missed?show=solved", "/missed.json"):
        assert (await hr.get(path)).status == 200


# -- one group ---------------------------------------------------------------------------------


async def test_a_group_shows_its_wordings_and_the_entries_it_could_belong_to(hr: Person, bot: Running) -> None:
    await put(bot, [("a", SICK), ("b", SICK), ("c", "病假审批的流程？")])
    (gap,) = await listed(hr)
    page = await hr.get(f"/missed/{gap['key']}")
    assert page.status == 200 and "3 人问了 3 次" in page.text
    assert page.text.index('value="sick-leave') < page.text.index("写新条目")
    found = await hr.get(f"/missed/{gap['key']}?q=发薪&text={quote('要盖章吗')}")
    assert 'value="payday"' in found.text and 'value="sick-leave-apply"' not in found.text
    assert 'value="要盖章吗"' in found.text, "what was written is kept while searching"
    assert "没有找到" in (await hr.get(f"/missed/{gap['key']}?q=鲸鱼")).text
    data = json.loads((await hr.get(f"/missed/{gap['key']}.json")).text)
    assert data["answers"][0]["answered"] is False and data["people"] == 3


async def test_any_wording_of_a_group_leads_to_it_and_nothing_else_does(hr: Person, bot: Running) -> None:
    await put(bot, [("a", PET), ("b", PET), ("c", "可以带宠物来上班么")])
    assert (await hr.get(f"/missed/{key_of('可以带宠物来上班么')}")).status == 200
    for path in ("/missed/nothing", "/missed/nothing/add", "/missed/%00"):
        assert (await hr.get(path)).status == 404
    assert (await hr.post("/missed/nothing/decline")).status == 404


async def test_a_new_entry_begins_with_the_question_and_the_other_wordings(hr: Person, bot: Running) -> None:
    await put(bot, [("a", PET), ("b", PET), ("c", "可以带宠物来上班么"), ("d", "能带宠物上班吗&x=1")])
    page = await hr.get("/missed")
    link = page.text.partition('href="/entries/new?')[2].partition('"')[0].replace("&amp;", "&")
    assert parse_qs(link)["question"] == [PET]
    form = (await hr.get(f"/entries/new?{link}")).fields()
    assert form["question"] == PET and "可以带宠物来上班么" in form["also"]


# -- adding to an entry ------------------------------------------------------------------------


async def test_a_wording_is_added_and_nothing_else_changes(hr: Person, bot: Running, files: Files, talk: Talk) -> None:
    assert "病假申请" not in await talk("小李", SICK)
    before = files.all()
    (gap,) = await listed(hr)
    checked = await hr.get(f"/missed/{gap['key']}/add?entry=sick-leave-apply&text={quote(SICK)}")
    assert "可以保存" in checked.text and '<strong class="ok">回答「病假怎么请？」</strong>' in checked.text
    assert files.all() == before, "looking writes nothing"
    saved = await add(hr, gap["key"], "sick-leave-apply", SICK)
    assert saved.status == 200 and "现在是「" in saved.text and "撤销" in saved.text
    assert "病假申请" in await talk("小王", SICK)
    old, new = before["faq/leave.yaml"].decode().split("\n"), files.read().split("\n")
    assert [(a, b) for a, b in zip(old, new, strict=True) if a != b] == [
        ("    also: [生病了怎么请假]", f"    also: [生病了怎么请假, {SICK}]")
    ]
    assert await listed(hr) == [], "it is solved"
    (line,) = await bot.store.journal("edits", 0)
    assert json.loads(line.text)["who"] == "张姐" and json.loads(line.text)["kind"] == "change"


@pytest.mark.parametrize("entry", ["sick-leave-apply", "sick-leave-documents", "parking", "wifi"])
async def test_adding_can_be_undone_to_the_byte(hr: Person, bot: Running, files: Files, entry: str) -> None:
    await put(bot, [("a", PET)])
    before = files.all()
    saved = await add(hr, key_of(PET), entry, PET)
    assert files.all() != before
    asked = parse_qs(urlsplit(saved.path).query)
    undone = await hr.post(
        f"/missed/{key_of(PET)}/take-back", {"entry": asked["added"][0], "text": asked["wording"][0]}
    )
    assert "已撤销" in undone.text and files.all() == before
    again = await hr.post(f"/missed/{key_of(PET)}/take-back", {"entry": entry, "text": PET})
    assert again.status == 422 and files.all() == before
    assert [g["question"] for g in await listed(hr)] == [PET]


async def test_a_file_that_changed_meanwhile_is_looked_at_again(hr: Person, bot: Running, files: Files) -> None:
    await put(bot, [("a", PET)])
    path = f"/missed/{key_of(PET)}/add"
    wish = {"entry": "sick-leave-apply", "text": PET}
    checked = await hr.get(f"{path}?entry=sick-leave-apply&text={quote(PET)}")
    files.write(files.read().replace("附医院证明", "附证明"))
    now = files.read()
    second = await hr.post(path, wish | {"seen": seen(checked)})
    assert second.status == 409 and "还没有保存" in second.text and files.read() == now
    assert (await hr.post(path, wish | {"seen": seen(second)})).status == 200
    assert PET in files.read() and "附证明" in files.read()


async def test_two_people_add_the_same_wording(hr: Person, bot: Running, files: Files) -> None:
    await put(bot, [("a", PET)])
    path = f"/missed/{key_of(PET)}/add"
    first = await hr.get(f"{path}?entry=sick-leave-apply&text={quote(PET)}")
    async with colleague(bot, "王哥") as other:
        await add(other, key_of(PET), "wifi", PET)
    saved = await hr.post(path, {"entry": "sick-leave-apply", "text": PET, "seen": seen(first)})
    assert saved.status == 409 and "已经写在「公司无线网密码是多少？」里" in saved.text
    assert PET not in files.read()


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"entry": "nobody", "text": PET}, "已经不在了"),
        ({"entry": "wifi", "text": "  "}, "问法是空的"),
        ({"entry": "wifi", "text": "年假有几天？"}, "已经写在「年假有几天？」里"),
        ({"entry": "wifi", "text": "wifi怎么连"}, "本来就写在这一条里"),
    ],
)
async def test_what_cannot_be_added_says_why(
    hr: Person, bot: Running, files: Files, wish: Mapping[str, str], said: str
) -> None:
    await put(bot, [("a", PET)])
    before = files.all()
    path = f"/missed/{key_of(PET)}/add"
    for page in (await hr.get(f"{path}?entry={wish['entry']}&text={quote(wish['text'])}"), await hr.post(path, wish)):
        assert page.status == 409 and said in page.text
    assert files.all() == before


async def test_a_broken_file_is_not_written_to(hr: Person, bot: Running, files: Files) -> None:
    await put(bot, [("a", PET)])
    files.write(files.read() + "  - question: [\n")
    await bot.library.refresh()
    before = files.all()
    page = await hr.get(f"/missed/{key_of(PET)}/add?entry=sick-leave-apply&text={quote(PET)}")
    assert page.status == 422 and "文件里有错误" in page.text and files.all() == before


async def test_a_link_cannot_say_that_something_was_added(hr: Person, bot: Running) -> None:
    await put(bot, [("a", PET)])
    page = await hr.get(f"/missed/{key_of(PET)}?added=wifi&wording={quote('打这个电话')}")
    assert "一种问法" not in page.text
    assert "不再列在" not in (await hr.get(f"/missed?declined={key_of(PET)}")).text


async def test_what_people_write_is_text_and_never_markup(hr: Person, bot: Running) -> None:
    evil = "<img src=x onerror=alert(1)>宠物"
    await put(bot, [("a", evil)])
    for path in (
        "/missed",
        f"/missed/{key_of(evil)}",
        "/",
        f"/missed/{key_of(evil)}/add?entry=wifi&text={quote(evil)}",
    ):
        assert "<img src=x" not in (await hr.get(path)).text


# -- none of our business ----------------------------------------------------------------------


async def test_what_is_none_of_our_business_is_hidden_and_comes_back(hr: Person, bot: Running) -> None:
    await put(bot, [("a", PET), ("b", "食堂几点开门")])
    gone = await hr.post(f"/missed/{key_of(PET)}/decline")
    assert gone.path.startswith("/missed") and "不再列在这里" in gone.text and "撤销" in gone.text
    assert [g["question"] for g in await listed(hr)] == ["食堂几点开门"]
    (hidden,) = await listed(hr, "?show=declined")
    assert hidden["declined"]["who"] == "张姐" and time.time() - hidden["declined"]["at"] < 60
    assert "张姐 在" in (await hr.get("/missed?show=declined")).text
    back = await hr.post(f"/missed/{key_of(PET)}/reopen")
    assert back.path == f"/missed/{key_of(PET)}" and await bot.store.marks(gaps.MARKS) == {}
    assert len(await listed(hr)) == 2


async def test_the_mark_stays_when_another_wording_becomes_the_typical_one(hr: Person, bot: Running) -> None:
    await put(bot, [("a", PET)], days_ago=1)
    await hr.post(f"/missed/{key_of(PET)}/decline")
    other = "可以带宠物来上班么"
    await put(bot, [("b", other), ("c", other), ("d", other)])
    (hidden,) = await listed(hr, "?show=declined")
    assert hidden["question"] == other and await listed(hr) == []
    assert (await hr.post(f"/missed/{hidden['key']}/reopen")).status == 200
    assert len(await listed(hr)) == 1


@pytest.mark.parametrize("action", ["add", "take-back", "decline", "reopen"])
async def test_only_our_own_pages_and_only_who_is_signed_in_may_act(
    hr: Person, bot: Running, files: Files, action: str
) -> None:
    await put(bot, [("a", PET)])
    before, path = files.all(), f"/missed/{key_of(PET)}/{action}"
    wish = {"entry": "wifi", "text": PET}
    assert (await hr.post(path, wish, headers={"Origin": "https://evil.example"})).status == 403
    assert (await hr.post(path, wish, headers={})).status == 403
    async with stranger(bot.console_url) as nobody:
        assert (await nobody.post(path, wish)).status == 401
    assert files.all() == before and await bot.store.marks(gaps.MARKS) == {}
