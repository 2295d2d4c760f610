"""历史: every change with its difference, versions put back, removed entries brought back, changes in the files."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from html import unescape
from typing import Any

import pytest

from faqbot.app.running import Running
from faqbot.knowledge.editing.audit_log import FILES
from faqbot.knowledge.editing.external_changes import differences, record_differences, watch_files
from faqbot.knowledge.editing.versions import Field, fields_of
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.files.folder import FolderSource
from faqbot.language.text_diff import side_by_side
from faqbot.settings import Settings
from tests.conftest import Talk
from tests.console.conftest import Files, Page, Person, colleague, stranger

CARRY = "annual-leave-carry-over"
EDIT = f"/entries/{CARRY}/edit"
GYM = "  - id: gym\n    question: 公司健身房在哪？\n    answer: 三楼，早上 7 点开门。\n"
DAY = 86400.0


async def journal(bot: Running) -> list[dict[str, str]]:
    return [json.loads(line.text) for line in await bot.store.journal("edits", 0)]


async def write(bot: Running, at: float | None = None, **line: str) -> int:
    said = {"who": "张姐", "file": "faq/office.yaml", "entry": "gym", "kind": "change", "before": "", "after": ""}
    text = json.dumps(said | line, ensure_ascii=False)
    return await bot.store.write_journal("edits", time.time() if at is None else at, text)


async def change(person: Person, answer: str) -> None:
    fields = (await person.get(EDIT)).fields()
    saved = await person.post(EDIT, fields | {"answer": answer, "do": "save"})
    assert saved.path.endswith("done=saved"), saved.text


async def listed(person: Person, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await person.get(f"/history.json{query}")).text)
    return found


def buttons(page: Page) -> dict[str, dict[str, str]]:
    """The forms that put a version back, by their side."""
    found: dict[str, dict[str, str]] = {}
    for inside in re.findall(r'<form[^>]*action="/history/[^>]*>(.*?)</form>', page.text, re.DOTALL):
        fields = {k: unescape(v) for k, v in re.findall(r'name="(\w+)" value="([^"]*)"', inside)}
        found[fields["version"]] = fields
    return found


# -- reading -----------------------------------------------------------------------------------


async def test_a_change_is_listed_with_what_differs(hr: Person, bot: Running) -> None:
    assert "还没有人改过" in (await hr.get("/history")).text
    await change(hr, "可以顺延到次年 6 月底。")
    page = await hr.get("/history")
    assert page.status == 200 and "张姐" in page.text and "年假没休完怎么办？" in page.text
    assert '<del class="gone">3</del><ins class="new">6</ins>' in page.text
    (line,) = (await listed(hr))["edits"]
    assert (line["who"], line["kind"], line["entry"], line["question"]) == (
        "张姐", "change", CARRY, "年假没休完怎么办？",
    )  # fmt: skip
    assert "3 月底" in line["before"] and "6 月底" in line["after"] and line["at"] <= time.time()
    page = await hr.get(f"/history/{line['number']}")
    assert '<del class="gone">3</del>' in page.text and '<ins class="new">6</ins>' in page.text
    as_json = json.loads((await hr.get(f"/history/{line['number']}.json")).text)
    assert as_json["present"] == line["after"] and as_json["problem"] == ""


async def test_the_newest_comes_first_and_filters_hold(hr: Person, bot: Running) -> None:
    await write(bot, who="小王", after=GYM, kind="add")
    await change(hr, "可以顺延到次年 5 月底。")
    assert [e["who"] for e in (await listed(hr))["edits"]] == ["张姐", "小王"]
    for query, count in (
        ("?who=小王", 1), ("?who=没有", 0), (f"?entry={CARRY}", 1), ("?entry=gym", 1), ("?q=健身房", 1),
        ("?q=健身房 5 月底", 0), ("?who=小王&entry=gym&q=三楼", 1),
    ):  # fmt: skip
        assert (await listed(hr, query))["total"] == count, query
    assert "没有这样的修改" in (await hr.get("/history?who=没有")).text


async def test_many_changes_are_paged(hr: Person, bot: Running) -> None:
    for n in range(45):
        await write(bot, at=1000.0 + n, after=GYM.replace("三楼", f"{n} 楼"))
    first, last = await listed(hr), await listed(hr, "?page=3")
    assert (first["total"], first["pages"], len(first["edits"]), len(last["edits"])) == (45, 3, 20, 5)
    assert "44 楼" in first["edits"][0]["after"] and " 0 楼" in last["edits"][-1]["after"]
    assert "page=2" in (await hr.get("/history")).text
    for odd in ("0", "-1", "x", "99999999999999"):
        assert (await hr.get(f"/history?page={odd}")).status == 200


async def test_hostile_texts_show_as_text(hr: Person, bot: Running) -> None:
    bad = "<script>alert(1)</script>"
    text = f"  - id: gym\n    question: '{bad}'\n    answer: '{bad} \"><img src=x onerror=alert(1)>'\n"
    number = await write(bot, who=bad, entry=bad, file=f"faq/{bad}.yaml", before=GYM, after=text)
    await write(bot, who=bad, kind=bad, before=bad, after=": {[ not yaml")
    for path in ("/history", f"/history/{number}", f"/history/{number + 1}", f"/history?who={bad}&q={bad}&entry={bad}"):
        page = await hr.get(path)
        assert page.status == 200 and bad not in page.text and "<img" not in page.text.partition("<main")[2], path
    assert (await hr.get("/history")).text.count("&lt;script&gt;") >= 3


async def test_what_is_no_line_of_ours_is_left_out(hr: Person, bot: Running) -> None:
    for text in ("not json", "[1]", '"text"', "{}"):
        await bot.store.write_journal("edits", 1.0, text)
    assert (await listed(hr))["total"] == 1 and (await hr.get("/history")).status == 200
    assert (await hr.get("/history/999")).status == 404
    assert (await hr.get("/history/x")).status == 404


# -- putting back ------------------------------------------------------------------------------


async def test_a_version_is_put_back_and_live_at_once(hr: Person, bot: Running, files: Files, talk: Talk) -> None:
    before = files.all()
    await change(hr, "可以顺延到次年 6 月底。")
    (line,) = (await listed(hr))["edits"]
    page = await hr.get(f"/history/{line['number']}")
    assert "现在就是这个版本" in page.text and list(buttons(page)) == ["before"]
    async with colleague(bot, "小王") as other:
        done = await other.post(f"/history/{line['number']}", buttons(page)["before"])
    assert done.status == 200 and "已恢复" in done.text and f"entry={CARRY}" in done.path
    assert files.all() == before, "byte for byte as it was"
    assert "3 月底" in await talk("小李", "年假没休完怎么办")
    last = (await journal(bot))[-1]
    assert (last["who"], last["kind"], last["entry"]) == ("小王", "restore", CARRY)
    assert "6 月底" in last["before"] and "3 月底" in last["after"]
    # And the restoring itself can be undone.
    number = (await listed(hr))["edits"][0]["number"]
    page = await hr.get(f"/history/{number}")
    await hr.post(f"/history/{number}", buttons(page)["before"])
    assert "6 月底" in files.read()


async def test_the_same_version_again_changes_nothing(hr: Person, bot: Running, files: Files) -> None:
    await change(hr, "可以顺延到次年 6 月底。")
    (line,) = (await listed(hr))["edits"]
    fields = buttons(await hr.get(f"/history/{line['number']}"))["before"]
    before, count = files.all(), len(await journal(bot))
    done = await hr.post(f"/history/{line['number']}", fields | {"version": "after"})
    assert "现在就是这个版本，文件没有改动" in done.text
    assert files.all() == before and len(await journal(bot)) == count


async def test_a_file_that_changed_meanwhile_is_not_written_over(hr: Person, bot: Running, files: Files) -> None:
    await change(hr, "可以顺延到次年 6 月底。")
    (line,) = (await listed(hr))["edits"]
    path = f"/history/{line['number']}"
    fields = buttons(await hr.get(path))["before"]
    files.write(files.read().replace("次年 6 月底", "次年 9 月底"))
    before = files.all()
    refused = await hr.post(path, fields)
    assert refused.status == 409 and "刚刚被别人改过" in refused.text and files.all() == before
    assert '<del class="gone">9</del>' in refused.text and '<ins class="new">3</ins>' in refused.text
    assert not [e for e in await journal(bot) if e["kind"] == "restore"]
    # Having seen both, she may.
    done = await hr.post(path, buttons(refused)["before"])
    assert "已恢复" in done.text and "3 月底" in files.read()
    assert "9 月底" in (await journal(bot))[-1]["before"], "what was there meanwhile is not lost"


async def test_a_removed_entry_is_brought_back(hr: Person, bot: Running, files: Files, talk: Talk) -> None:
    page = await hr.get(f"/entries/{CARRY}/remove")
    seen = re.search(r'name="seen" value="([^"]*)"', page.text)
    assert seen is not None
    await hr.post(f"/entries/{CARRY}/remove", {"seen": seen[1]})
    assert CARRY not in files.read().partition("- id: annual-leave-c")[2]
    (line,) = (await listed(hr))["edits"]
    assert line["kind"] == "remove" and "找回" in (await hr.get("/history")).text
    page = await hr.get(f"/history/{line['number']}")
    assert "以前可以找回" in page.text
    done = await hr.post(f"/history/{line['number']}", buttons(page)["before"])
    assert "已恢复" in done.text and "3 月底" in await talk("小李", "年假没休完怎么办")
    assert (await journal(bot))[-1]["kind"] == "restore"


async def test_a_removed_entry_is_kept_for_thirty_days(hr: Person, bot: Running, files: Files) -> None:
    young = await write(bot, time.time() - 29 * DAY, kind="remove", before=GYM)
    old = await write(
        bot, time.time() - 31 * DAY, kind="remove", entry="pool", before=GYM.replace("gym", "pool"), file="faq/pay.yaml"
    )
    before = files.all()
    page = await hr.get("/history")
    assert "以前可以找回。" in page.text and "现在已经过了。" in page.text
    page = await hr.get(f"/history/{old}")
    assert "超过 30 天" in page.text and "以前可以找回" in page.text and buttons(page) == {}
    seen = buttons(await hr.get(f"/history/{young}"))["before"]
    refused = await hr.post(f"/history/{old}", seen)
    assert refused.status == 410 and "超过 30 天" in refused.text and files.all() == before
    done = await hr.post(f"/history/{young}", seen)
    assert "已恢复" in done.text and "公司健身房在哪" in files.read("faq/office.yaml")
    assert bot.library.current.entry("gym") is not None


async def test_an_entry_that_moved_is_put_back_where_it_is_now(hr: Person, bot: Running, files: Files) -> None:
    await change(hr, "可以顺延到次年 6 月底。")
    (line,) = (await listed(hr))["edits"]
    text = line["after"]
    files.write(files.read().replace(text, ""))
    files.write(files.read("faq/pay.yaml").rstrip("\n") + "\n" + text, "faq/pay.yaml")
    await bot.library.refresh()
    page = await hr.get(f"/history/{line['number']}")
    done = await hr.post(f"/history/{line['number']}", buttons(page)["before"])
    assert "已恢复" in done.text, done.text
    assert "3 月底" in files.read("faq/pay.yaml") and "月底" not in files.read()


async def test_what_would_break_the_files_is_not_put_back(hr: Person, bot: Running, files: Files) -> None:
    taken = GYM.replace("gym", "annual-leave")
    number = await write(bot, entry="gone", before=taken, kind="remove")
    broken = await write(bot, before="  - question: 没有答案\n", after=GYM)
    before = files.all()
    for n in (number, broken):
        page = await hr.get(f"/history/{n}")
        refused = await hr.post(f"/history/{n}", buttons(page)["before"])
        assert refused.status == 422 and "没有恢复" in refused.text
    empty = await hr.post(
        f"/history/{number}", buttons(await hr.get(f"/history/{number}"))["before"] | {"version": "after"}
    )
    assert empty.status == 422 and files.all() == before


async def test_a_file_with_an_error_offers_no_button(hr: Person, bot: Running, files: Files) -> None:
    await change(hr, "可以顺延到次年 6 月底。")
    (line,) = (await listed(hr))["edits"]
    files.write(files.read() + "  - anwser: 写错了\n")
    page = await hr.get(f"/history/{line['number']}")
    assert "现在不能恢复" in page.text and buttons(page) == {}
    assert (await hr.post(f"/history/{line['number']}", {"version": "before"})).status == 422


async def test_only_who_is_signed_in_and_on_our_page_may(hr: Person, bot: Running, files: Files) -> None:
    await change(hr, "可以顺延到次年 6 月底。")
    (line,) = (await listed(hr))["edits"]
    path = f"/history/{line['number']}"
    fields = buttons(await hr.get(path))["before"]
    before, count = files.all(), len(await journal(bot))
    async with stranger(bot.console_url) as person:
        assert (await person.post(path, fields)).status == 401
        assert (await person.get(path)).path.startswith("/login")
        assert (await person.get("/history.json")).status == 401
    for headers in ({"Origin": "https://evil.example"}, {}):
        assert (await hr.post(path, fields, headers=headers)).status == 403
    assert (await hr.get(f"{path}?version=before&seen={fields['seen']}")).status == 200
    assert files.all() == before and len(await journal(bot)) == count


# -- differences -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("年假 5 天", "年假 10 天"),
        ("", "新的"),
        ("旧的", ""),
        ("a\nb\nc", "a\nc\nd"),
        ("一样", "一样"),
        ("甲乙丙丁", "甲丙乙丁"),
    ],
)
def test_both_texts_are_in_the_merged_one(old: str, new: str) -> None:
    merged = Field("", *side_by_side(old, new)).merged
    assert "".join(p.text for p in merged if p.how != "ins") == old
    assert "".join(p.text for p in merged if p.how != "del") == new


def test_long_unchanged_stretches_are_cut() -> None:
    shown = "".join(
        p.text for p in Field("", *side_by_side("长" * 500 + "a" + "文" * 500, "长" * 500 + "b" + "文" * 500)).merged
    )
    assert len(shown) < 60 and "a" in shown and "b" in shown and shown.count("…") == 2


def test_cases_are_compared_as_they_are_written() -> None:
    a = "- question: 产假\n  ask: {city: 哪里？}\n  answers: {上海: 158 天, else: 问人}\n"
    (field,) = fields_of(a, a.replace("158", "160"))
    assert "".join(p.text for p in field.old if p.changed) == "158"


# -- what happens in the files -----------------------------------------------------------------


def an_office(bot: Running, settings: Settings) -> Workspace:
    return Workspace(bot.library, FolderSource(settings.knowledge), bot.store, date.today)


@asynccontextmanager
async def watching(bot: Running, settings: Settings) -> AsyncIterator[None]:
    task = asyncio.create_task(watch_files(an_office(bot, settings), settle=0.2))
    await asyncio.sleep(0.5)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def from_files(bot: Running, count: int) -> list[dict[str, str]]:
    for _ in range(200):
        found = [e for e in await journal(bot) if e["who"] == FILES]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"never {count} lines: {await journal(bot)}")


async def test_a_change_in_the_files_is_written_down(
    hr: Person, bot: Running, files: Files, settings: Settings
) -> None:
    async with watching(bot, settings):
        files.write(files.read().replace("次年 3 月底", "次年 9 月底"))
        (line,) = await from_files(bot, 1)
    assert (line["kind"], line["entry"], line["file"]) == ("change", CARRY, "faq/leave.yaml")
    assert "3 月底" in line["before"] and "9 月底" in line["after"]
    page = await hr.get("/history?who=文件")
    assert '<del class="gone">3</del><ins class="new">9</ins>' in page.text
    assert "直接改的文件 · " in page.text, "it is no person's name"


async def test_a_change_at_the_console_is_written_down_once(
    hr: Person, bot: Running, files: Files, settings: Settings
) -> None:
    async with watching(bot, settings):
        await change(hr, "可以顺延到次年 6 月底。")
        await asyncio.sleep(1.2)
        files.write(files.read().replace("次年 6 月底", "次年 7 月底"))
        (line,) = await from_files(bot, 1)
        await asyncio.sleep(0.5)
    assert "6 月底" in line["before"] and "7 月底" in line["after"]
    assert [e["who"] for e in await journal(bot)] == ["张姐", FILES]


async def test_replicas_write_one_line_and_what_happened_in_between_is_found(
    bot: Running, files: Files, settings: Settings
) -> None:
    known = files.all()
    files.write(files.read("faq/office.yaml") + GYM, "faq/office.yaml")
    (files.folder / "faq/pay.yaml").unlink()
    office = an_office(bot, settings)
    first, second = await asyncio.gather(record_differences(office, known), record_differences(office, known))
    assert first == second and "faq/pay.yaml" not in first
    found = [(e["kind"], e["entry"]) for e in await journal(bot)]
    assert ("add", "gym") in found and ("remove", "payday") in found and len(found) == len(set(found))
    assert await record_differences(office, first) == first and len(await journal(bot)) == len(found)


async def test_a_file_that_cannot_be_read_counts_as_unchanged(bot: Running, files: Files, settings: Settings) -> None:
    known, office = files.all(), an_office(bot, settings)
    good = files.read()
    files.write(good + "  - anwser: 写错了\n")
    after = await record_differences(office, known)
    assert after["faq/leave.yaml"].decode() == good and await journal(bot) == []


def test_order_blanks_and_comments_of_others_are_no_change() -> None:
    x, y = "  - id: x\n    question: 问\n    answer: 答\n", "  - id: y\n    question: 问二\n    answer: 答二\n"
    a, b = f"entries:\n{x}{y}", f"# 说明\nentries:\n{y}\n{x}"
    assert differences("faq/a.yaml", a.encode(), b.encode()) == []
    (found,) = differences("faq/a.yaml", None, b"- question: q\n  answer: a\n")
    assert (found.kind, found.before) == ("add", "")


async def test_what_changed_while_the_bot_was_stopped_is_found(bot: Running, files: Files, settings: Settings) -> None:
    now = files.all()
    old = now["faq/leave.yaml"].replace("3 月底".encode(), "1 月底".encode())
    # The store still has files that were deleted long ago; they are nothing new.
    earlier = now | {"faq/leave.yaml": old, "faq/long-gone.yaml": GYM.encode()}
    task = asyncio.create_task(watch_files(an_office(bot, settings), earlier, settle=0.1))
    await from_files(bot, 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [(e["kind"], e["entry"]) for e in await journal(bot)] == [("change", CARRY)]
