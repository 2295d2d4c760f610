"""From today's list to an answer, in a real Chromium: on a screen, on a phone, without scripts."""

from __future__ import annotations

from playwright.async_api import expect

from tests.conftest import Talk
from tests.console.conftest import Files
from tests.console.entries.test_browser import Visit, pytestmark, visit

__all__ = ["pytestmark", "visit"]

ASKED = "病假审批流程"


async def test_a_missed_question_is_added_to_an_entry_and_answered_from_then_on(
    visit: Visit, files: Files, talk: Talk
) -> None:
    for name in ("小李", "小王"):
        assert "病假申请" not in await talk(name, ASKED)
    page, before = visit.page, files.read().split("\n")
    await visit.sign_in()
    await expect(page.get_by_role("heading", name="今天")).to_be_visible()
    assert await visit.fits(), "scrolls sideways"
    await page.get_by_role("link", name=ASKED).click()
    await expect(page.get_by_text("2 人问了 2 次")).to_be_visible()
    assert await visit.fits(), "scrolls sideways"

    await page.get_by_role("searchbox", name="找条目").fill("年假")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="找到 2 条")).to_be_visible()
    await page.get_by_role("searchbox", name="找条目").fill("")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="加到「病假怎么请？」").click()
    await expect(page.get_by_role("heading", name="检查过了，可以保存")).to_be_visible()
    await expect(page.locator(".asked.then li").first).to_contain_text("回答「病假怎么请？」")
    assert await visit.fits(), "scrolls sideways"
    assert files.read().split("\n") == before

    await page.get_by_role("button", name="保存", exact=True).click()
    await expect(page.get_by_text("已把这个问法加到「也问」里，马上生效。")).to_be_visible()
    assert [(a, b) for a, b in zip(before, files.read().split("\n"), strict=True) if a != b] == [
        ("    also: [生病了怎么请假]", f"    also: [生病了怎么请假, {ASKED}]")
    ]
    assert "病假申请" in await talk("小李", ASKED)

    await page.get_by_role("button", name="撤销").click()
    await expect(page.get_by_text("已撤销，那一条和原来一样了。")).to_be_visible()
    assert files.read().split("\n") == before
    await page.get_by_role("button", name="不归我们管").click()
    await expect(page.get_by_text(f"「{ASKED}」不再列在这里。")).to_be_visible()
    assert await visit.fits(), "scrolls sideways"
    await page.get_by_role("button", name="撤销").click()
    await page.get_by_role("link", name="写新条目").click()
    await expect(page.get_by_label("问题")).to_have_value(ASKED)
