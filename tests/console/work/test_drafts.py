"""草稿 at the console: looked at with its effect, approved with one click, sent back, withdrawn."""

from __future__ import annotations

import re
from html import unescape

from faqbot.app.running import Running
from tests.conftest import Talk
from tests.console.conftest import Files, Page, Person

AT = "/entries/salary-secret"


def seen(page: Page) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page.text)
    assert found
    return unescape(found[1])


async def today(hr: Person) -> str:
    return (await hr.get("/")).text


async def test_a_draft_goes_live_with_one_click_after_its_effect_was_seen(hr: Person, files: Files, talk: Talk) -> None:
    before = files.read("faq/pay.yaml")
    assert f'href="{AT}/approve"' in await today(hr)
    page = await hr.get(f"{AT}/approve")
    assert "检查过了，可以通过" in page.text and "用它的每个问法问一遍" in page.text and "还在讨论" in page.text
    done = await hr.post(f"{AT}/approve", {"seen": seen(page)})
    assert "已通过，机器人现在就用它回答" in done.text
    assert files.read("faq/pay.yaml") == before.replace("    draft: true\n", "")
    assert "还在讨论" in await talk("小李", "涨薪比例是多少")
    assert "刚通过的草稿" in await today(hr)
    history = (await hr.get("/history")).text
    assert "通过</span>" in history and "张姐" in history


async def test_an_approval_is_withdrawn(hr: Person, files: Files) -> None:
    before = files.read("faq/pay.yaml")
    await hr.post(f"{AT}/approve", {"seen": seen(await hr.get(f"{AT}/approve"))})
    page = await hr.post(f"{AT}/withdraw")
    assert "又是草稿了" in page.text and files.read("faq/pay.yaml") == before
    assert "等着通过的草稿" in await today(hr)


async def test_a_draft_that_was_sent_back_says_by_whom_and_why(hr: Person, files: Files) -> None:
    before = files.all()
    page = await hr.post(f"{AT}/send-back", {"why": "数字 <b>不对</b>"})
    assert "已退回" in page.text and "张姐在" in page.text and "数字 &lt;b&gt;不对&lt;/b&gt;" in page.text
    assert "已退回" in await today(hr) and files.all() == before


async def test_a_file_that_changed_meanwhile_is_looked_at_again(hr: Person, files: Files, bot: Running) -> None:
    was = seen(await hr.get(f"{AT}/approve"))
    files.write(files.read("faq/pay.yaml").replace("还在讨论。", "5%。"), "faq/pay.yaml")
    page = await hr.post(f"{AT}/approve", {"seen": was})
    assert page.status == 409 and "有人刚才改了这个文件" in page.text and "5%" in page.text
    assert "draft: true" in files.read("faq/pay.yaml")


async def test_a_broken_file_is_not_approved(hr: Person, files: Files, bot: Running) -> None:
    files.write(files.read("faq/pay.yaml") + "  - question: 缺答案\n", "faq/pay.yaml")
    page = await hr.get(f"{AT}/approve")
    assert "现在不能通过" in page.text and '<button class="primary">通过' not in page.text


async def test_an_entry_that_is_no_draft_says_so(hr: Person) -> None:
    page = await hr.get("/entries/annual-leave/approve")
    assert "机器人在用它回答" in page.text and "撤销通过" not in page.text
    assert (await hr.post("/entries/annual-leave/withdraw")).status == 422
