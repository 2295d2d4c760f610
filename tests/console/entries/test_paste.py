"""粘贴成条目: proposals on a page, each leads to the form of a new entry, nothing is written on the way."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from faqbot.app.running import Running
from faqbot.console.entries.paste import MAX_BYTES
from tests.conftest import Talk
from tests.console.conftest import Files, Person, stranger

TEXT = """\
食堂常见问题

问：食堂几点开门？
也问：食堂营业时间
答：早上 7:30 开门。
- 周末 8:30

问：能带家属吃饭吗？
答：可以，明天起要登记。
"""


def forms(text: str) -> list[dict[str, str]]:
    """The fields of each proposal on the page."""
    found = []
    for form in re.findall(r'<form method="post" action="/entries/new" target="_blank">(.*?)</form>', text, re.S):
        fields = dict(re.findall(r'<input [^>]*name="(\w+)" value="([^"]*)"', form))
        fields |= dict(re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>\n([^<]*)</textarea>', form))
        found.append({name: unescape(value) for name, value in fields.items()})
    return found


async def test_a_pasted_text_becomes_entries_through_the_ordinary_form(hr: Person, files: Files, talk: Talk) -> None:
    before = files.all()
    page = await hr.post("/paste", {"text": TEXT, "file": "faq/office.yaml"})
    first, second = forms(page.text)
    assert first == {
        "do": "fill", "file": "faq/office.yaml", "question": "食堂几点开门？", "also": "食堂营业时间",
        "answer": "早上 7:30 开门。\n- 周末 8:30",
    }  # fmt: skip
    assert second["question"] == "能带家属吃饭吗？"
    assert "“明天”，过后就不对了" in page.text and "食堂常见问题</li>" in page.text
    opened = await hr.post("/entries/new", first | {"answer": first["answer"] + "\n- 节假日不开"})
    assert opened.status == 200 and "还没有保存" not in opened.text and files.all() == before
    fields = opened.fields()
    assert fields["question"] == "食堂几点开门？" and fields["answer"].endswith("- 节假日不开")
    assert 'value="faq/office.yaml" selected' in opened.text
    saved = await hr.post("/entries/new", fields | {"file": "faq/office.yaml", "do": "save"})
    assert saved.path.endswith("?done=added")
    assert "7:30" in await talk("小李", "食堂营业时间是什么")


async def test_what_is_answered_already_is_said_with_its_entry(hr: Person) -> None:
    page = await hr.post("/paste", {"text": "问：病假怎么请？\n答：找主管"})
    assert "现在由「<a href" in page.text and "病假怎么请？</a>」回答这个问题" in page.text
    told = json.loads((await hr.post("/paste.json", {"text": "问：病假怎么请？\n答：找主管"})).text)
    assert told["kind"] == "一问一答" and told["total"] == 1
    assert told["proposals"][0]["question"] == "病假怎么请？" and told["proposals"][0]["answered_by"]


async def test_what_asks_nothing_is_said_with_how_to_help(hr: Person) -> None:
    page = await hr.post("/paste", {"text": "各位同事：周五大扫除。"})
    assert page.status == 200 and "没有看出问题和答案" in page.text and forms(page.text) == []


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [("", 422, "还没有粘贴"), (" \n ", 422, "还没有粘贴"), ("问" * (MAX_BYTES // 3 + 1), 413, "一次最多粘贴 200 KB")],
)
async def test_nothing_and_too_much_are_refused_in_words(hr: Person, text: str, status: int, said: str) -> None:
    page = await hr.post("/paste", {"text": text})
    assert page.status == status and said in page.text


async def test_the_longest_text_is_read_and_a_part_of_it_shown(hr: Person) -> None:
    text = "".join(f"问：第 {n} 号窗口怎么走？\n答：在 {n} 楼。\n" for n in range(3000))[: MAX_BYTES // 3]
    page = await hr.post("/paste", {"text": text})
    assert page.status == 200 and len(forms(page.text)) == 200 and "只列出前 200 条" in page.text


async def test_what_was_pasted_shows_as_text(hr: Person) -> None:
    text = "问：<script>alert(1)</script>怎么办？\n答：</textarea><img src=x onerror=alert(2)>[a](javascript:x)\n"
    page = await hr.post("/paste", {"text": text + "\n<b>尾巴</b>"})
    assert "<script>alert" not in page.text and "<img" not in page.text.partition("<main")[2]
    assert forms(page.text)[0]["answer"].startswith("</textarea><img src=x")


async def test_only_a_person_on_a_page_of_the_console_may_paste(bot: Running, hr: Person, files: Files) -> None:
    before = files.all()
    assert (await hr.post("/paste", {"text": TEXT}, headers={"Origin": "https://evil.example"})).status == 403
    async with stranger(bot.console_url) as anybody:
        assert forms((await anybody.post("/paste", {"text": TEXT})).text) == []
        assert "把文字粘贴在这里" not in (await anybody.get("/paste")).text
    assert files.all() == before
