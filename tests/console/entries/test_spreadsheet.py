"""表格: all knowledge downloaded as a table, changed, looked at and written exactly as shown."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import aiohttp
import pytest
from openpyxl import load_workbook

from faqbot.app.running import Running, running
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.conftest import Talk
from tests.console.conftest import Files, Page, Person, colleague
from tests.redis_server import RedisServer


async def download(hr: Person, path: str) -> bytes:
    async with hr.http.get(path) as answer:
        assert answer.status == 200 and answer.headers["Content-Disposition"].startswith("attachment")
        return await answer.read()


async def upload(hr: Person, name: str, raw: bytes, **fields: str) -> Page:
    form = aiohttp.FormData(fields)
    form.add_field("table", io.BytesIO(raw), filename=name, content_type="application/octet-stream")
    async with hr.http.post("/exchange", data=form, headers={"Origin": hr.url}) as answer:
        return Page(answer.status, await answer.text(), answer.url.raw_path_qs, answer.headers)


async def rows(hr: Person) -> list[dict[str, str]]:
    text = (await download(hr, "/exchange/knowledge.csv")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def as_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def token(page: Page) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def changed(hr: Person, answer: str) -> tuple[bytes, dict[str, str]]:
    """The table with another answer for one entry of leave.yaml."""
    table = await rows(hr)
    row = next(r for r in table if "leave" in r["文件"] and r["答案"])
    row["答案"] = answer
    return as_csv(table), row


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
async def test_a_table_uploaded_as_it_was_downloaded_changes_nothing(hr: Person, files: Files, kind: str) -> None:
    before = files.all()
    page = await upload(hr, f"知识.{kind}", await download(hr, f"/exchange/knowledge.{kind}"))
    assert page.status == 200 and "没有变化，没有要写的" in page.text
    assert 'name="token"' not in page.text and files.all() == before


async def test_a_changed_answer_is_shown_then_written_with_nothing_else(
    bot: Running, hr: Person, files: Files, talk: Talk
) -> None:
    before = files.all()
    raw, row = await changed(hr, "这是表格里新写的答案。")
    page = await upload(hr, "知识.csv", raw)
    assert page.status == 200 and "修改 1 条" in page.text and "这是表格里新写的答案" in page.text
    assert files.all() == before
    written = await hr.post("/exchange/write", {"token": token(page)})
    assert written.path.endswith("?done=table") and "已写进知识" in written.text
    after = files.all()
    assert [name for name in after if after[name] != before[name]] == ["faq/leave.yaml"]
    old, new = (t["faq/leave.yaml"].decode().splitlines() for t in (before, after))
    assert [line for line in new if line not in old] and sum("新写的答案" in line for line in new) == 1
    assert "这是表格里新写的答案" in await talk("小李", row["问题"])
    line = (await hr.get("/history.json")).text
    assert line.count('"who": "张姐"') == 1 and "新写的答案" in line
    # The button works once.
    again = await hr.post("/exchange/write", {"token": token(page)})
    assert again.status == 409 and files.all() == after


async def test_a_bad_row_is_named_and_the_table_comes_back_with_what_to_do(hr: Person, files: Files) -> None:
    before = files.all()
    table = await rows(hr)
    table[1]["答案"], table[1]["答案按"] = "", ""
    page = await upload(hr, "我的表.csv", as_csv(table))
    assert page.status == 422 and "什么都没有写" in page.text and 'action="/exchange/write"' not in page.text
    link = re.search(r'href="(/exchange/report\?token=[^"]+)"', page.text)
    assert link
    text = (await download(hr, link[1])).decode("utf-8-sig")
    back = list(csv.DictReader(io.StringIO(text)))
    assert back[1]["结果"] == "有错误，没有导入" and back[1]["建议"] and back[0]["结果"] == "没有变化"
    assert "第 3 行" in page.text and files.all() == before
    await hr.post("/exchange/write", {"token": link[1].partition("token=")[2]})
    assert files.all() == before


async def test_an_xlsx_comes_back_as_xlsx(hr: Person) -> None:
    book = load_workbook(io.BytesIO(await download(hr, "/exchange/knowledge.xlsx")))
    sheet = book["知识"]
    at = next(c.column for c in sheet[1] if c.value == "问题")
    sheet.cell(2, at).value = None
    out = io.BytesIO()
    book.save(out)
    page = await upload(hr, "知识.xlsx", out.getvalue())
    link = re.search(r'href="(/exchange/report\?token=[^"]+)"', page.text)
    assert link
    headings = [c.value for c in load_workbook(io.BytesIO(await download(hr, link[1])))["知识"][1]]
    assert headings[-2:] == ["结果", "建议"]


async def test_a_file_that_changed_meanwhile_is_left_alone(hr: Person, files: Files) -> None:
    page = await upload(hr, "知识.csv", (await changed(hr, "新的。"))[0])
    files.write(files.read() + "\n# 别人写的\n")
    before = files.all()
    refused = await hr.post("/exchange/write", {"token": token(page)})
    assert refused.status == 409 and "再上传一次" in refused.text and files.all() == before


async def test_only_the_session_that_uploaded_may_write(bot: Running, hr: Person, files: Files) -> None:
    page, before = await upload(hr, "知识.csv", (await changed(hr, "新的。"))[0]), files.all()
    async with colleague(bot, "小王") as other:
        assert (await other.post("/exchange/write", {"token": token(page)})).status == 409
        assert (await other.get(f"/exchange/report?token={token(page)}")).status == 404
    assert files.all() == before


async def test_entries_that_are_missing_go_only_when_asked(hr: Person, files: Files) -> None:
    table = await rows(hr)
    gone = table.pop(0)
    kept = await upload(hr, "知识.csv", as_csv(table))
    assert "保留不动" in kept.text and 'name="token"' not in kept.text
    page = await upload(hr, "知识.csv", as_csv(table), remove="on")
    assert "删除 1 条" in page.text and gone["问题"] in page.text
    await hr.post("/exchange/write", {"token": token(page)})
    assert gone["问题"] not in [r["问题"] for r in await rows(hr)]


@pytest.mark.parametrize(
    ("size", "statuses"), [(3 * 2**20, (200,)), (20 * 2**20, (413,))], ids=["three-megabytes", "twenty-megabytes"]
)
async def test_a_table_may_be_larger_than_a_form_and_not_without_end(
    hr: Person, files: Files, size: int, statuses: tuple[int, ...]
) -> None:
    before = files.all()
    raw = await download(hr, "/exchange/knowledge.csv")
    try:
        page = await upload(hr, "知识.csv", raw + b"\r\n" * ((size - len(raw)) // 2))
    except aiohttp.ClientConnectionError:
        # The server may hang up while the body is still being sent.
        page = None
    assert files.all() == before
    if page is None:
        assert statuses == (413,)
    else:
        assert page.status in statuses
        assert (page.status != 413) or "最多提交 8 MB" in page.text


@pytest.mark.parametrize(("name", "raw"), [("a.doc", b"x"), ("a.xlsx", b"no zip"), ("a.csv", b"\xff\xfe\x00")])
async def test_what_is_no_table_is_said_plainly(hr: Person, name: str, raw: bytes) -> None:
    page = await upload(hr, name, raw)
    assert page.status == 422 and 'class="alert"' in page.text


async def test_no_file_is_said_plainly(hr: Person) -> None:
    assert "请先选一个表格" in (await hr.post("/exchange", {"table": "x"})).text
    assert 'href="/exchange"' in (await hr.get("/entries")).text


async def test_rows_without_a_question_or_a_file_are_named_all_the_same(hr: Person) -> None:
    table = await rows(hr)
    asked, table[0]["问题"] = table[0]["问题"], ""
    table.append(dict.fromkeys(table[0], "") | {"问题": "新的？", "答案": "答"})
    page = await upload(hr, "改.csv", as_csv(table))
    assert f"修改：{asked}" in page.text
    assert f"第 {len(table) + 1} 行</p>" in page.text


async def test_the_button_may_be_answered_by_another_replica(
    ding: FakeDingTalk, settings: Settings, redis_server: RedisServer
) -> None:
    shared = replace(settings, store=redis_server.url)
    async with running(shared) as one, running(shared) as two, colleague(one, "张姐") as hr:
        raw, row = await changed(hr, "别的答案。")
        shown = await upload(hr, "改.csv", raw)
        async with (
            aiohttp.ClientSession(two.console_url, cookie_jar=hr.http.cookie_jar) as http,
            colleague(two, "李姐") as other,
        ):
            there = Person(http, two.console_url)
            report = f"/exchange/report?token={token(shown)}"
            assert (await there.get(report)).status == 200 and (await other.get(report)).status == 404
            written = await there.post("/exchange/write", {"token": token(shown)})
            assert written.path == "/exchange?done=table", written.text
            again = [await p.post("/exchange/write", {"token": token(shown)}) for p in (there, hr)]
            assert [page.status for page in again] == [409, 409]
        entry = two.library.current.entry(row["编号"])
        assert entry is not None and entry.answer == "别的答案。"


async def test_what_changed_meanwhile_is_not_written_by_another_replica_unseen(
    ding: FakeDingTalk, settings: Settings, redis_server: RedisServer
) -> None:
    shared = replace(settings, store=redis_server.url)
    async with running(shared) as one, running(shared) as two, colleague(one, "张姐") as hr:
        raw, _ = await changed(hr, "别的答案。")
        shown = await upload(hr, "改.csv", raw)
        await hr.post("/entries/payday/wordings", {"text": "哪天发钱"})
        async with aiohttp.ClientSession(two.console_url, cookie_jar=hr.http.cookie_jar) as http:
            refused = await Person(http, two.console_url).post("/exchange/write", {"token": token(shown)})
        assert refused.status == 409
        assert not any(e.answer == "别的答案。" for e in two.library.current.entries)
