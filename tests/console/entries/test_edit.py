"""问答, written: checking and saving, adding and removing, two people at once, and every request that is refused."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
import pytest

from faqbot.app.running import Running, running
from faqbot.console.web.pages import MAX_BODY_BYTES
from faqbot.errors import EditError, StoreError
from faqbot.knowledge import knowledge_base
from faqbot.knowledge.editing.entry_editor import remove_entry
from faqbot.knowledge.editing.entry_form import new_file_name
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.knowledge.editing.revision import Proposal
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.entry_parser import FileReader
from faqbot.knowledge.files.folder import FolderSource
from faqbot.sandbox.server import FakeDingTalk
from faqbot.search.index import Index
from faqbot.settings import Settings
from faqbot.store.protocol import Store
from faqbot.yamltext import field_reader
from tests.conftest import Talk
from tests.console.conftest import Files, Person, colleague, stranger
from tests.console.work.test_gaps import put
from tests.redis_server import RedisServer

EDIT = "/entries/annual-leave/edit"
CARRY = "/entries/annual-leave-carry-over/edit"
BY_CASE = """\
- id: maternity
  question: 产假几天？
  ask: {city: 您在哪个城市？}
  answers:
    上海: 158 天。
    else: 问休假组。
"""


async def edits(bot: Running) -> list[dict[str, str]]:
    return [json.loads(line.text) for line in await bot.store.journal("edits", 0)]


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    a, b = before.split("\n"), after.split("\n")
    assert len(a) == len(b)
    return [(x, y) for x, y in zip(a, b, strict=True) if x != y]


# -- changing ----------------------------------------------------------------------------------


async def test_a_saved_change_is_live_at_once_and_touches_nothing_else(
    hr: Person, bot: Running, files: Files, talk: Talk
) -> None:
    before = files.all()
    fields = (await hr.get(CARRY)).fields()
    assert fields["answer"] == "可以顺延到次年 3 月底。"
    fields["answer"] = "可以顺延到次年 **6 月底**。"
    checked = await hr.post(CARRY, fields | {"do": "check"})
    assert checked.status == 200 and "可以保存" in checked.text and "<strong>6 月底</strong>" in checked.text
    assert files.all() == before, "checking writes nothing"
    saved = await hr.post(CARRY, checked.fields() | {"do": "save"})
    assert saved.path == "/entries/annual-leave-carry-over?done=saved" and "已保存" in saved.text
    assert "6 月底" in await talk("小李", "年假没休完怎么办")
    old = before["faq/leave.yaml"].decode()
    assert changed_lines(old, files.read()) == [
        ("    answer: 可以顺延到次年 3 月底。", "    answer: 可以顺延到次年 **6 月底**。")
    ]
    assert {n: c for n, c in files.all().items() if n != "faq/leave.yaml"} == {
        n: c for n, c in before.items() if n != "faq/leave.yaml"
    }
    (edit,) = await edits(bot)
    assert (edit["who"], edit["file"], edit["entry"], edit["kind"]) == (
        "张姐", "faq/leave.yaml", "annual-leave-carry-over", "change",
    )  # fmt: skip
    assert "3 月底" in edit["before"] and "6 月底" in edit["after"] and "年假有几天" not in edit["after"]


async def test_every_field_can_be_changed(hr: Person, bot: Running, files: Files) -> None:
    fields = (await hr.get(EDIT)).fields()
    fields |= {
        "question": "年休假有几天？", "also": "年假几天\n\n  年假天数  \n", "not": "婚假几天", "answer": "一\n\n二",
        "topic": "假期", "owner": "小王", "source": "新手册", "related": "sick-leave-apply",
        "valid_from": "2026-01-01", "valid_until": "2099-12-31", "review": "2099-01-01", "groups": "cid1\ncid2",
        "private": "1",
    }  # fmt: skip
    fields["not_"] = fields.pop("not")
    saved = await hr.post(EDIT, fields | {"do": "save"})
    assert saved.path == "/entries/annual-leave?done=saved", saved.text
    entry = bot.library.current.entry("annual-leave")
    assert entry is not None
    assert (entry.question, entry.also, entry.not_) == ("年休假有几天？", ("年假几天", "年假天数"), ("婚假几天",))
    assert (entry.answer, entry.topic, entry.owner, entry.source) == ("一\n\n二", "假期", "小王", "新手册")
    assert entry.related == ("sick-leave-apply",) and entry.groups == ("cid1", "cid2") and entry.private
    assert (str(entry.valid.start), str(entry.valid.end), str(entry.review)) == (
        "2026-01-01", "2099-12-31", "2099-01-01",
    )  # fmt: skip
    # And back again, with the flag off.
    again = (await hr.get(EDIT)).fields()
    assert again.pop("private") == "1"
    await hr.post(EDIT, again | {"do": "save", "valid_from": "", "valid_until": "", "review": ""})
    entry = bot.library.current.entry("annual-leave")
    assert entry is not None and not entry.private and entry.valid.start is None and entry.review is None


ODDLY_SPACED = """\
- id: "a  b"
  question: 年假　有几天  呢？
  also: [年假  天数, "几天\\n年假"]
  answer: |
    第一行  
    第二行

       缩进的一行
  source: |
    《员工手册》
    第 5  章
  owner: 张姐  李姐
"""


async def test_fields_in_which_nobody_wrote_keep_every_blank(hr: Person, files: Files, bot: Running) -> None:
    files.write(ODDLY_SPACED, "faq/odd.yaml")
    await bot.library.refresh()
    path = "/entries/a%20%20b/edit"
    fields = (await hr.get(path)).fields()
    # As browsers do in a field of one line.
    fields["source"] = fields["source"].replace("\n", "")
    unchanged = await hr.post(path, fields | {"do": "save"})
    assert unchanged.path == "/entries/a%20%20b?done=unchanged" and files.read("faq/odd.yaml") == ODDLY_SPACED
    saved = await hr.post(path, fields | {"do": "save", "owner": "李姐"})
    assert saved.path == "/entries/a%20%20b?done=saved"
    assert changed_lines(ODDLY_SPACED, files.read("faq/odd.yaml")) == [("  owner: 张姐  李姐", "  owner: 李姐")]


async def test_a_draft_is_not_answered(hr: Person, bot: Running, talk: Talk) -> None:
    fields = (await hr.get(CARRY)).fields()
    saved = await hr.post(CARRY, fields | {"do": "save", "draft": "1"})
    assert "已保存为草稿" in saved.text
    assert "3 月底" not in await talk("小李", "年假没休完怎么办")


async def test_saving_without_a_change_writes_nothing(hr: Person, bot: Running, files: Files) -> None:
    before = files.all()
    saved = await hr.post(EDIT, (await hr.get(EDIT)).fields() | {"do": "save"})
    assert saved.path == "/entries/annual-leave?done=unchanged" and files.all() == before
    assert await edits(bot) == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("question", "  ", "问题不能为空"),
        ("answer", "\n \n", "答案不能为空"),
        ("valid_until", "明年底", "不是日期"),
        ("review", "2026-02-30", "不是日期"),
        ("valid_from", "2099-01-01", ""),
    ],
)
async def test_what_cannot_be_saved_says_why_and_keeps_the_text(
    hr: Person, files: Files, field: str, value: str, said: str
) -> None:
    before = files.all()
    fields = (await hr.get(EDIT)).fields() | {"answer": "我写了很久的答案", "valid_until": "2026-12-31", field: value}
    for do in ("check", "save"):
        page = await hr.post(EDIT, fields | {"do": do})
        assert page.status == 422 and said in page.text and "还没有保存" in page.text
        assert page.fields()[field] == value
    assert files.all() == before


async def test_another_file_that_is_broken_makes_no_difference_to_an_edit(
    hr: Person, bot: Running, files: Files
) -> None:
    await put(bot, [("u1", "年假有几天")], outcome="answered")
    files.write(files.read() + "  - 坏了\n")
    await bot.library.refresh()
    fields = (await hr.get("/entries/payday/edit")).fields()
    page = await hr.post("/entries/payday/edit", fields | {"answer": "每月 11 日发。", "do": "check"})
    assert "可以保存" in page.text and "没有不同" in page.text


async def test_what_was_saved_at_one_replica_is_shown_by_another_at_once(
    ding: FakeDingTalk, settings: Settings, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody looks by chance in between.
    monkeypatch.setattr(knowledge_base, "POLL_SECONDS", 600)
    shared = replace(settings, store=redis_server.url)
    async with running(shared) as one, running(shared) as two, colleague(one, "张姐") as hr:
        fields = {"question": "食堂几点开门？", "answer": "11 点。", "file": "faq/pay.yaml", "id": "canteen"}
        saved = await hr.post("/entries/new", fields | {"do": "save"}, follow=False)
        path = saved.headers["Location"]
        async with aiohttp.ClientSession(two.console_url, cookie_jar=hr.http.cookie_jar) as http:
            page = await Person(http, two.console_url).get(path)
        assert page.status == 200 and "新条目已保存" in page.text and "11 点。" in page.text


class WithoutJournal:
    """The store of the bot, whose disk is full when a line is to be written to the journal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write_journal(self, *line: object) -> None:
        raise StoreError("磁盘满了")


async def test_what_is_written_is_saved_though_the_store_cannot_note_it(
    bot: Running, settings: Settings, files: Files
) -> None:
    shelf, store = FolderSource(settings.knowledge), cast(Store, WithoutJournal(bot.store))
    at = Workspace(bot.library, shelf, store, date.today)
    before = Outline(files.all()["faq/pay.yaml"], "faq/pay.yaml")
    proposal = Proposal("faq/pay.yaml", before, remove_entry(before, "garnishment"), "garnishment")
    assert await at.save("张姐", proposal, "remove") is None
    assert files.all()["faq/pay.yaml"] == proposal.after.raw and bot.library.current.entry("garnishment") is None


async def test_on_the_line_of_an_entry_without_an_id_another_one_may_stand_by_now(
    bot: Running, settings: Settings, files: Files
) -> None:
    files.write("- question: 食堂几点开门\n  answer: 11 点\n", "faq/more.yaml")
    await bot.library.refresh()
    at = Workspace(bot.library, FolderSource(settings.knowledge), bot.store, date.today)
    entry = next(e for e in bot.library.current.entries if e.question == "食堂几点开门")
    above = "- question: 班车几点发车\n  answer: 8 点\n"
    with pytest.raises(EditError, match="已经没有这一条"):
        await at.load(entry, (above + files.read("faq/more.yaml")).encode())


async def test_a_check_tells_of_a_wording_that_another_entry_has(hr: Person, files: Files) -> None:
    fields = (await hr.get(EDIT)).fields()
    fields["also"] += "\n病假怎么请？"
    page = await hr.post(EDIT, fields | {"do": "check"})
    assert "提醒" in page.text and "病假怎么请" in page.text and 'value="save"' in page.text


async def test_text_of_any_kind_comes_back_as_it_was_written(hr: Person, bot: Running) -> None:
    odd = "- 甲: 乙\n# 不是注释\n\"引号\" 'x' {facts.没有} \\n ％ @ ` ! & * 😀\n　全角空格"
    fields = (await hr.get(EDIT)).fields() | {"answer": odd, "also": "no\n0571\n9:30\n[x]\n# 号"}
    assert (await hr.post(EDIT, fields | {"do": "save"})).path.endswith("done=saved")
    again = (await hr.get(EDIT)).fields()
    assert again["answer"] == odd.strip() and again["also"] == "no\n0571\n9:30\n[x]\n# 号"


async def test_facts_are_edited_as_names_and_shown_as_values(hr: Person, bot: Running, files: Files) -> None:
    files.write("天数: 5\n", "facts.yaml")
    files.write(files.read().replace("可以顺延到次年 3 月底", "可以顺延 {facts.天数} 天"))
    await bot.library.refresh()
    assert "顺延 5 天" in (await hr.get("/entries/annual-leave-carry-over")).text
    page = await hr.get(CARRY)
    assert page.fields()["answer"] == "可以顺延 {facts.天数} 天。" and "顺延 5 天" in page.text


# -- two people at once ------------------------------------------------------------------------


async def test_the_second_of_two_people_sees_both_versions_and_keeps_her_text(
    hr: Person, bot: Running, files: Files
) -> None:
    async with colleague(bot, "小王") as other:
        mine, theirs = (await hr.get(CARRY)).fields(), (await other.get(CARRY)).fields()
        await other.post(CARRY, theirs | {"answer": "可以顺延到次年 4 月底。", "do": "save"})
        before = files.all()
        refused = await hr.post(CARRY, mine | {"answer": "可以顺延到次年 9 月底。", "do": "save"})
    assert refused.status == 409 and "刚刚被别人改过" in refused.text and files.all() == before
    assert "<del>4</del>" in refused.text and "<ins>9</ins>" in refused.text
    kept = refused.fields()
    assert kept["answer"] == "可以顺延到次年 9 月底。"
    # Having seen both, she may save; it says who did what.
    saved = await hr.post(CARRY, kept | {"do": "save"})
    assert saved.path.endswith("done=saved") and "9 月底" in files.read()
    assert [e["who"] for e in await edits(bot)] == ["小王", "张姐"]


async def test_a_change_on_disk_is_not_written_over(hr: Person, files: Files) -> None:
    fields = (await hr.get(CARRY)).fields()
    files.write(
        files.read().replace("《员工手册》第 5 章", "《员工手册》第 6 章").replace("topic", "# 新的一行\ntopic")
    )
    before = files.all()
    refused = await hr.post(CARRY, fields | {"answer": "改了。", "do": "save"})
    assert refused.status == 409 and files.all() == before
    assert refused.fields()["answer"] == "改了。"


async def test_a_change_elsewhere_in_the_file_is_told_from_one_of_this_entry(hr: Person, files: Files) -> None:
    fields = (await hr.get(CARRY)).fields()
    files.write(files.read().replace("二级以上医院", "三级以上医院"))
    refused = await hr.post(CARRY, fields | {"answer": "改了。", "do": "save"})
    assert refused.status == 409 and "改的不是这一条" in refused.text
    assert (await hr.post(CARRY, refused.fields() | {"do": "save"})).path.endswith("done=saved")
    assert "三级以上医院" in files.read() and "改了。" in files.read()


async def test_an_entry_that_was_removed_meanwhile_leaves_the_text_to_be_saved_anew(
    hr: Person, bot: Running, files: Files
) -> None:
    fields = (await hr.get(CARRY)).fields()
    async with colleague(bot, "小王") as other:
        seen = (await other.get("/entries/annual-leave-carry-over/remove")).text.partition('name="seen" value="')[2]
        removed = await other.post("/entries/annual-leave-carry-over/remove", {"seen": seen.partition('"')[0]})
        assert removed.path == "/entries?done=removed"
    gone = await hr.post(CARRY, fields | {"answer": "我的字。", "do": "save"})
    assert gone.status == 409 and "被删掉或改名" in gone.text and "我的字。" in gone.text
    kept = gone.fields()
    saved = await hr.post("/entries/new", kept | {"file": "faq/leave.yaml", "do": "save"})
    assert saved.path.endswith("done=added") and "我的字。" in files.read()


# -- adding, removing, one more wording --------------------------------------------------------


async def test_a_new_entry_is_answered_at_once(hr: Person, bot: Running, files: Files, talk: Talk) -> None:
    page = await hr.get("/entries/new?question=食堂几点关门？&also=食堂开到几点")
    fields = page.fields()
    assert fields["question"] == "食堂几点关门？"
    fields |= {"answer": "晚上八点。", "topic": "行政", "file": "faq/office.yaml"}
    checked = await hr.post("/entries/new", fields | {"do": "check"})
    assert checked.status == 200 and "晚上八点" not in files.read("faq/office.yaml")
    saved = await hr.post("/entries/new", checked.fields() | {"file": "faq/office.yaml", "do": "save"})
    assert "新条目已保存" in saved.text and "食堂几点关门" in saved.text
    assert "晚上八点" in await talk("小李", "食堂几点关门")
    (edit,) = await edits(bot)
    assert edit["kind"] == "add" and edit["before"] == "" and "晚上八点" in edit["after"]


async def test_a_new_entry_takes_what_is_left_empty_from_the_top_of_its_file(
    hr: Person, bot: Running, files: Files
) -> None:
    fields = {"question": "事假怎么扣钱？", "answer": "按天扣。", "file": "faq/leave.yaml", "do": "save"}
    await hr.post("/entries/new", fields)
    entry = next(e for e in bot.library.current.entries if e.question == "事假怎么扣钱？")
    assert (entry.topic, entry.owner, entry.source) == ("休假", "休假组", "《员工手册》第 5 章")
    assert files.read().count("休假组") == 1


async def test_a_new_file_is_begun_by_its_plain_name(hr: Person, bot: Running, files: Files) -> None:
    fields = {"question": "健身房在哪？", "answer": "三楼。", "topic": "福利", "new_file": "福利-1", "do": "save"}
    saved = await hr.post("/entries/new", fields)
    assert saved.path.endswith("done=added") and "健身房在哪？" in files.read("faq/福利-1.yaml")
    refused = await hr.post("/entries/new", fields | {"new_file": "LEAVE"})
    assert refused.status == 422 and "已经有" in refused.text


PATHS = ["../../etc/passwd", "../x", "a/b", "/etc/passwd", "..", ".", "faq/../../x", "a\\b", "C:x", "x\x00y", "a b",
         ".hidden", "x" * 41, "-x", "a.yaml.yaml", "%2e%2e%2fx", "a\u202eb", "ａ", "～"]  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
async def test_a_path_is_no_name_for_a_file(hr: Person, files: Files, name: str) -> None:
    before = files.all()
    fields = {"question": "甲乙丙丁？", "answer": "戊。", "do": "save"}
    for field in ("new_file", "file"):
        page = await hr.post("/entries/new", fields | {field: name})
        assert page.status == 422 and "还没有保存" in page.text
    assert files.all() == before and not (files.folder.parent / "x.yaml").exists()


@pytest.mark.parametrize("name", ["synonyms.yaml", "faq/nobody.yaml", "faq/../synonyms.yaml", "faq/"])
async def test_only_files_with_entries_can_be_chosen(hr: Person, files: Files, name: str) -> None:
    before = files.all()
    page = await hr.post("/entries/new", {"question": "甲乙丙？", "answer": "戊。", "file": name, "do": "save"})
    assert page.status == 422 and files.all() == before


def test_plain_names_become_files() -> None:
    assert new_file_name(" 食堂_2026-a.yaml ") == "faq/食堂_2026-a.yaml"
    assert [new_file_name(n) for n in ("", ".yaml", "a/b", "..")] == [None] * 4


async def test_this_is_the_one_adds_the_sentence_to_the_wordings(
    hr: Person, bot: Running, files: Files, talk: Talk
) -> None:
    added = await hr.post("/entries/sick-leave-apply/wordings", {"text": " 身子不爽  要歇一天 "})
    assert "done=wording" in added.path and "会直接回答「病假怎么请？」" in added.text
    assert "身子不爽 要歇一天" in files.read()
    assert "病假申请" in await talk("小李", "身子不爽 要歇一天")
    (edit,) = await edits(bot)
    assert edit["kind"] == "change" and edit["entry"] == "sick-leave-apply"
    again = await hr.post("/entries/sick-leave-apply/wordings", {"text": "身子不爽 要歇一天"})
    assert "没有改动" in again.text and len(await edits(bot)) == 1
    other = await hr.post("/entries/payday/wordings", {"text": "身子不爽，要歇一天！"})
    assert other.status == 409 and "已经写在「病假怎么请？」里" in other.text
    assert (await hr.post("/entries/payday/wordings", {"text": "  "})).status == 422
    assert (await hr.post("/entries/nobody/wordings", {"text": "甲"})).status == 404


async def test_a_removed_entry_is_not_answered_and_is_written_down(
    hr: Person, bot: Running, files: Files, talk: Talk
) -> None:
    path = "/entries/wifi/remove"
    page = await hr.get(path)
    assert "删除「公司无线网密码是多少？」" in page.text
    refused = await hr.post(path, {"seen": "old"})
    assert refused.status == 409 and "公司无线网密码" in files.read("faq/office.yaml")
    seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
    assert (await hr.post(path, {"seen": seen})).path == "/entries?done=removed"
    assert "扫码" not in await talk("小李", "公司无线网密码是多少")
    assert "公司有停车位吗" in files.read("faq/office.yaml")
    (edit,) = await edits(bot)
    assert edit["kind"] == "remove" and "扫码" in edit["before"] and edit["after"] == ""


async def test_the_last_entry_of_a_file_can_go_and_another_can_come(hr: Person, bot: Running, files: Files) -> None:
    files.write("topic: 单条\nentries:\n  - id: only\n    question: 只有一条？\n    answer: 是。\n", "faq/one.yaml")
    await bot.library.refresh()
    page = await hr.get("/entries/only/remove")
    seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
    assert (await hr.post("/entries/only/remove", {"seen": seen})).path == "/entries?done=removed"
    assert bot.library.current.entry("only") is None
    assert not [p for p in bot.library.current.problems if p.is_error]
    fields = {"question": "又有一条？", "answer": "对。", "topic": "单条", "file": "faq/one.yaml", "do": "save"}
    assert (await hr.post("/entries/new", fields)).path.endswith("done=added")


async def test_an_entry_that_answers_by_case_keeps_its_cases(hr: Person, bot: Running, files: Files) -> None:
    files.write(BY_CASE, "faq/cases.yaml")
    await bot.library.refresh()
    page = await hr.get("/entries/maternity/edit")
    assert "您在哪个城市？" in page.text and "158 天。" in page.text
    saved = await hr.post("/entries/maternity/edit", page.fields() | {"source": "条例", "do": "save"})
    assert saved.path.endswith("done=saved") and "158 天" in saved.text
    entry = bot.library.current.entry("maternity")
    assert entry is not None and entry.source == "条例" and entry.variants == {"上海": "158 天。", "else": "问休假组。"}


# -- what is refused ---------------------------------------------------------------------------

WRITES: list[tuple[str, dict[str, str]]] = [
    (CARRY, {"question": "x？", "answer": "y", "do": "save"}),
    ("/entries/new", {"question": "x？", "answer": "y", "new_file": "bad", "do": "save"}),
    ("/entries/sick-leave-apply/wordings", {"text": "坏的问法"}),
    ("/entries/wifi/remove", {"seen": "x"}),
    ("/preview", {"answer": "y"}),
    ("/logout", {}),
]
FOREIGN: list[Callable[[str], dict[str, str]]] = [
    lambda url: {},
    lambda url: {"Origin": "https://evil.example"},
    lambda url: {"Origin": "null"},
    lambda url: {"Origin": ""},
    lambda url: {"Origin": url + ".evil.example"},
    lambda url: {"Origin": url.rpartition(":")[0]},
    lambda url: {"Origin": url.replace("http:", "ftp:")},
    lambda url: {"Origin": "http://[::1"},
    lambda url: {"Sec-Fetch-Site": "cross-site"},
    lambda url: {"Sec-Fetch-Site": "same-site"},
    lambda url: {"Sec-Fetch-Site": "none"},
    lambda url: {"Origin": url, "Sec-Fetch-Site": "cross-site"},
    lambda url: {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    lambda url: {"Referer": url + "/entries"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_write_that_no_page_of_ours_sent_is_refused(
    hr: Person, files: Files, bot: Running, headers: Callable[[str], dict[str, str]]
) -> None:
    before = files.all()
    for path, fields in WRITES:
        page = await hr.post(path, fields, headers=headers(hr.url))
        assert page.status == 403 and "不是从控制台的页面发出的" in page.text
    assert files.all() == before and await edits(bot) == []
    assert (await hr.get("/entries")).path == "/entries", "still signed in"


async def test_a_browser_that_says_same_origin_may_write(hr: Person) -> None:
    page = await hr.post("/entries/payday/wordings", {"text": "几时发钱"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert "done=wording" in page.path


async def test_a_write_without_a_session_is_refused(bot: Running, files: Files) -> None:
    before = files.all()
    async with stranger(bot.console_url) as person:
        for path, fields in WRITES[:-1]:
            page = await person.post(path, fields)
            assert page.status == 401 and "请先登录" in page.text
    assert files.all() == before and await edits(bot) == []


async def test_a_body_that_is_too_big_is_refused_and_nothing_is_written(hr: Person, files: Files, bot: Running) -> None:
    before = files.all()
    fields = urlencode((await hr.get(CARRY)).fields() | {"do": "save"}).encode()
    headers = {"Origin": hr.url, "Content-Type": "application/x-www-form-urlencoded"}
    for size in (MAX_BODY_BYTES, 20 * 1024 * 1024):
        body = io.BytesIO(fields + b"&answer=" + b"x" * size)
        async with hr.http.post(CARRY, data=body, headers=headers) as answer:
            assert answer.status == 413 and "2 MB" in await answer.text()
    assert files.all() == before and await edits(bot) == []


async def test_a_body_of_unknown_length_cannot_be_bigger(hr: Person, files: Files) -> None:
    async def pieces() -> object:
        yield b"question=x&do=save&answer="
        for _ in range(48):
            yield b"x" * 65536

    before = files.all()
    headers = {"Origin": hr.url, "Content-Type": "application/x-www-form-urlencoded"}
    async with hr.http.post(CARRY, data=pieces(), headers=headers) as answer:
        assert answer.status == 413
    assert files.all() == before


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"answer": "x"}'),
        ("text/plain", b"answer=x"),
        ("", b"answer=x"),
        ("application/octet-stream", b"answer=x"),
        ("multipart/form-data", b"no boundary"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"answer=x"),
        ("application/x-www-form-urlencoded", b"answer=\xff\xfe"),
    ],
)
async def test_only_forms_are_taken(hr: Person, files: Files, kind: str, body: bytes) -> None:
    before = files.all()
    headers = {"Origin": hr.url, "Content-Type": kind} if kind else {"Origin": hr.url}
    async with hr.http.post(CARRY, data=body, headers=headers) as answer:
        assert answer.status in (400, 415)
    assert files.all() == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "PURGE"])
async def test_other_methods_change_nothing(hr: Person, files: Files, method: str) -> None:
    before = files.all()
    for path in ("/entries/wifi", "/entries", CARRY):
        async with hr.http.request(method, path, headers={"Origin": hr.url}) as answer:
            assert answer.status == 405
        async with hr.http.request(method, path) as answer:
            assert answer.status == 403
    assert files.all() == before


# -- telling those who were told something else -----------------------------------------------


async def answered(bot: Running, *askers: str) -> None:
    await put(bot, [(asker, "年假有几天") for asker in askers], outcome="answered", entry_id="annual-leave")


async def test_a_correction_offers_to_tell_those_who_were_answered(hr: Person, bot: Running) -> None:
    await answered(bot, "xiaoli01", "xiaowang02", "$:LWCP_v1:$x")
    fields = (await hr.get(EDIT)).fields()
    page = await hr.post(EDIT, fields | {"answer": fields["answer"].replace("5 天", "6 天"), "do": "check"})
    assert "告诉最近 14 天从这一条得到回答的 2 人" in page.text and "另有 1 人不在通讯录里" in page.text
    assert "要用 1 次接口调用" in page.text and "xiaoli01、xiaowang02" in page.text
    assert re.search(r'<input type="checkbox" form="entry-form" name="tell" value="1">', page.text), "off unless chosen"


async def test_whoever_does_not_choose_it_tells_nobody(hr: Person, bot: Running) -> None:
    await answered(bot, "xiaoli01")
    fields = (await hr.get(EDIT)).fields()
    corrected = fields | {"answer": fields["answer"].replace("5 天", "6 天"), "do": "save"}
    assert (await hr.post(EDIT, corrected)).path.endswith("done=saved")
    assert await bot.store.marks("corrections") == {}


async def test_chosen_it_is_noted_with_the_people_and_said(hr: Person, bot: Running) -> None:
    await answered(bot, "xiaoli01")
    fields = (await hr.get(EDIT)).fields()
    corrected = fields | {"answer": fields["answer"].replace("5 天", "6 天"), "do": "save", "tell": "1"}
    assert "几分钟后私聊告诉" in (await hr.post(EDIT, corrected)).text
    (noted,) = (await bot.store.marks("corrections")).values()
    assert '"people": ["xiaoli01"]' in noted


async def test_other_words_and_a_draft_offer_nothing(hr: Person, bot: Running) -> None:
    await answered(bot, "xiaoli01")
    fields = (await hr.get(EDIT)).fields()
    for more in ({"source": "别处"}, {"answer": fields["answer"].replace("5 天", "6 天"), "draft": "1"}):
        page = await hr.post(EDIT, fields | more | {"do": "check"})
        assert "检查过了" in page.text and 'name="tell"' not in page.text


async def test_a_question_that_keeps_its_entry_is_said_to_get_new_words(hr: Person, talk: Talk) -> None:
    await talk("小李", "年假没休完怎么办")
    fields = (await hr.get(CARRY)).fields()
    page = await hr.post(CARRY, fields | {"answer": "可以顺延到次年 6 月底。", "do": "check"})
    assert ">回答「年假没休完怎么办？」</td>" in page.text
    assert ">回答「年假没休完怎么办？」（内容改了）</td>" in page.text


async def test_a_related_entry_may_be_a_draft_and_named_in_other_words(hr: Person, bot: Running, files: Files) -> None:
    files.write(
        "- {id: lab, question: 实验室在哪？, also: [怎么去实验室], answer: 三楼, draft: true}\n", "faq/lab.yaml"
    )
    await bot.library.refresh()
    fields = (await hr.get(CARRY)).fields()
    checked = await hr.post(CARRY, fields | {"related": "怎么去实验室\r\n\r\n", "do": "check"})
    assert checked.fields()["related"].split() == ["lab"]


async def test_a_related_entry_may_be_named_by_its_question(hr: Person, bot: Running, files: Files) -> None:
    fields = (await hr.get(CARRY)).fields()
    assert "年假有几天？" not in fields["related"]
    wanted = fields | {"related": "每个月几号发工资？\r\n没有这样的", "do": "check"}
    checked = await hr.post(CARRY, wanted)
    assert checked.fields()["related"].split() == ["payday", "没有这样的"]
    assert "<li>payday：每个月几号发工资？</li>" in checked.text
    assert (await hr.post(CARRY, wanted | {"do": "save"})).path.endswith("done=saved")
    entry = bot.library.current.entry("annual-leave-carry-over")
    assert entry and entry.related == ("payday", "没有这样的")


async def test_who_gets_what_is_for_some_departments_is_said_as_it_is(hr: Person, bot: Running, files: Files) -> None:
    files.write("- {id: lab, question: 实验室在哪？, answer: 三楼, departments: [1001]}\n", "faq/lab.yaml")
    await bot.library.refresh()
    page = await hr.get("/entries/lab")
    assert "1001（下级部门也算" in page.text and "谁也不会" not in page.text


# -- what a save costs -------------------------------------------------------------------------


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was parsed, and an index was built, since it was cleared."""
    counts: Counter[str] = Counter()
    parsed, built, read_tree = FileReader.read_file, Index.__init__, field_reader.parse_yaml

    def count_parse(self: FileReader, raw: bytes) -> Any:
        counts[self.name.rpartition("faq/")[2] or "a text by itself"] += 1
        return parsed(self, raw)

    def count_build(self: Index, *args: Any) -> None:
        counts["index"] += 1
        built(self, *args)

    def count_tree(text: str) -> Any:
        counts["tree of the file"] += "annual-leave-carry-over" in text
        return read_tree(text)

    monkeypatch.setattr(FileReader, "read_file", count_parse)
    monkeypatch.setattr(Index, "__init__", count_build)
    monkeypatch.setattr(field_reader, "parse_yaml", count_tree)
    return counts


ONE_SAVE = {"leave.yaml": 2, "index": 1, "tree of the file": 2}


async def test_a_save_parses_its_file_twice_and_builds_the_index_once(hr: Person, costs: Counter[str]) -> None:
    fields = (await hr.get(CARRY)).fields()
    costs.clear()
    page = await hr.post(CARRY, fields | {"answer": "可以顺延到次年 6 月底。", "do": "save"}, follow=False)
    assert page.status == 303 and page.headers["Location"].endswith("done=saved")
    assert {name: costs[name] for name in ONE_SAVE} == ONE_SAVE and costs.keys() <= {*ONE_SAVE, "a text by itself"}


async def test_what_was_checked_goes_live_without_another_index(hr: Person, bot: Running, costs: Counter[str]) -> None:
    fields = (await hr.get(CARRY)).fields() | {"also": "年假能不能留到明年"}
    costs.clear()
    await hr.post(CARRY, fields | {"do": "check"})
    await hr.post(CARRY, fields | {"do": "save"}, follow=False)
    assert costs["index"] == 1 and costs["leave.yaml"] == 4
    assert bot.library.current.index.has_wording("年假能不能留到明年")


async def test_what_came_between_check_and_save_is_live_beside_it(
    hr: Person, bot: Running, files: Files, costs: Counter[str]
) -> None:
    fields = (await hr.get(CARRY)).fields() | {"also": "年假能不能留到明年"}
    await hr.post(CARRY, fields | {"do": "check"})
    files.write("- question: 食堂几点开门\n  answer: 11 点\n", "faq/more.yaml")
    page = await hr.post(CARRY, fields | {"do": "save"}, follow=False)
    assert page.headers["Location"].endswith("done=saved")
    index = bot.library.current.index
    assert index.has_wording("年假能不能留到明年") and index.has_wording("食堂几点开门")
