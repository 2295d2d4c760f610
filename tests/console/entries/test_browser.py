"""The console in a real headless Chromium, as a person would use it: on a screen, on a phone, without scripts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect

from faqbot.app.running import Running
from faqbot.console.web.sessions import new_link
from tests.conftest import Talk
from tests.console.conftest import Files
from tests.sandbox.test_chat_page import FLAGS

pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that is open, the bot's console behind it and whether its scripts run."""

    page: Page
    bot: Running
    scripts: bool

    async def sign_in(self, name: str = "张姐") -> None:
        await self.page.goto(await new_link(self.bot.store, self.bot.console_url))
        await self.page.get_by_label("您的姓名").fill(name)
        await self.page.get_by_role("button", name="进入").click()
        await expect(self.page.get_by_role("navigation", name="主导航")).to_be_visible()

    async def fits(self) -> bool:
        return bool(await self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def opened(browser: Browser, bot: Running, width: int, scripts: bool) -> tuple[BrowserContext, Visit]:
    context = await browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts)
    return context, Visit(await context.new_page(), bot, scripts)


@pytest.fixture(params=[(1280, True), (390, True), (1280, False)], ids=["screen", "phone", "no-script"])
async def visit(request: pytest.FixtureRequest, chromium: str, bot: Running) -> AsyncIterator[Visit]:
    width, scripts = request.param
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context, made = await opened(browser, bot, width, scripts)
        errors: list[str] = []
        made.page.on("pageerror", lambda error: errors.append(str(error)))
        # A broken rule of the content security policy is only said on the browser's console.
        made.page.on("console", lambda said: errors.append(said.text) if "Security Policy" in said.text else None)
        yield made
        assert errors == []
        await context.close()
        await browser.close()


async def test_a_person_finds_tries_edits_checks_and_saves(visit: Visit, files: Files, talk: Talk) -> None:
    page = visit.page
    await visit.sign_in()
    await page.get_by_role("link", name="问答", exact=True).first.click()
    await page.get_by_role("searchbox", name="查找").fill("年假没有休完")
    await page.get_by_role("button", name="查找").click()
    await page.get_by_role("link", name="年假没休完怎么办？").first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("年假没休完怎么办？")

    await page.get_by_label("员工会怎么问？").fill("生病了怎么请假呢")
    if not visit.scripts:
        await page.get_by_role("button", name="试一试").click()
    await expect(page.get_by_text("会直接回答「病假怎么请？」。")).to_be_visible()
    assert await visit.fits(), "scrolls sideways"

    before = files.read().split("\n")
    await page.get_by_role("link", name="修改", exact=True).click()
    await page.get_by_label("答案", exact=True).fill("可以顺延到次年 **6 月底**。")
    if visit.scripts:
        await expect(page.locator("#preview strong")).to_have_text("6 月底")
    assert await visit.fits(), "scrolls sideways"
    await page.get_by_role("button", name="检查一下").last.click()
    await expect(page.get_by_role("heading", name="检查过了，可以保存")).to_be_visible()
    assert files.read().split("\n") == before
    await page.get_by_role("button", name="保存", exact=True).click()
    await expect(page.get_by_text("已保存，机器人现在就按新的内容回答。")).to_be_visible()

    after = files.read().split("\n")
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        ("    answer: 可以顺延到次年 3 月底。", "    answer: 可以顺延到次年 **6 月底**。")
    ]
    assert "6 月底" in await talk("小李", "年假没休完怎么办")


async def test_a_sentence_that_went_wrong_is_put_right_with_one_button(visit: Visit, talk: Talk) -> None:
    page = visit.page
    await visit.sign_in()
    await page.goto(f"{visit.bot.console_url}/try?q=请病假需要盖章吗")
    row = page.locator(".rivals li").filter(has_text="病假怎么请？")
    await row.get_by_role("button", name="应该是这一条").click()
    await expect(page.get_by_text("已把这个问法加到「也问」里")).to_be_visible()
    assert "病假申请" in await talk("小李", "请病假需要盖章吗")


async def test_two_people_do_not_write_over_each_other(visit: Visit, files: Files, bot: Running) -> None:
    page = visit.page
    await visit.sign_in()
    await page.goto(f"{bot.console_url}/entries/payday/edit")
    await page.get_by_label("答案", exact=True).fill("每月 15 日。")
    files.write(files.read("faq/pay.yaml").replace("每月 10 日", "每月 12 日"), "faq/pay.yaml")
    await page.get_by_role("button", name="检查一下").last.click()
    await expect(page.get_by_role("heading", name="没有保存：这个文件刚刚被别人改过")).to_be_visible()
    await expect(page.locator(".version del").first).to_have_text("12")
    await expect(page.locator(".version ins").first).to_have_text("15")
    await expect(page.get_by_label("答案", exact=True)).to_have_value("每月 15 日。")
    assert await visit.fits(), "scrolls sideways"
    assert "12 日" in files.read("faq/pay.yaml")


async def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit.page
    await visit.sign_in()
    await page.goto(f"{visit.bot.console_url}/entries")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("searchbox", name="查找").focus()
    await page.keyboard.type("发薪")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(re.compile("找到 \\d+ 条"))).to_be_visible()
    # Enter in a field checks; it never saves.
    await page.goto(f"{visit.bot.console_url}/entries/payday/edit")
    await page.get_by_label("来源").fill("薪酬制度")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="检查过了，可以保存")).to_be_visible()


async def test_signing_out_and_back_leads_to_the_same_page(visit: Visit) -> None:
    page = visit.page
    await visit.sign_in()
    await page.get_by_role("button", name="退出").click()
    await expect(page.get_by_text("已退出。")).to_be_visible()
    await page.goto(f"{visit.bot.console_url}/entries/payday")
    await expect(page.get_by_text("faqbot link")).to_be_visible()


async def test_what_was_checked_and_changed_again_must_be_checked_again(visit: Visit) -> None:
    if not visit.scripts:
        pytest.skip("needs scripts")
    page = visit.page
    await visit.sign_in()
    await page.goto(f"{visit.bot.console_url}/entries/payday/edit")
    await page.get_by_label("来源").fill("薪酬制度")
    await page.get_by_role("button", name="检查一下").last.click()
    await expect(page.get_by_role("button", name="保存", exact=True)).to_be_enabled()
    await page.get_by_label("来源").fill("别的")
    await expect(page.get_by_role("button", name="保存", exact=True)).to_be_disabled()


async def test_a_field_that_is_missing_is_not_hidden_by_the_bar(visit: Visit) -> None:
    page = visit.page
    await visit.sign_in()
    await page.goto(f"{visit.bot.console_url}/entries/new")
    await page.get_by_label("答案", exact=True).fill("只有答案")
    await page.get_by_role("button", name="检查一下").last.click()
    field, bar = page.get_by_label("问题", exact=True), page.locator(".bar")
    await expect(field).to_be_focused()
    named = page.locator("label", has_text="问题").first
    below, above = await named.bounding_box(), await bar.bounding_box()
    assert below and above and below["y"] >= above["y"] + above["height"]


async def test_every_stop_of_the_keyboard_is_seen(visit: Visit) -> None:
    page = visit.page
    await visit.sign_in()
    await page.goto(f"{visit.bot.console_url}/entries/payday/edit")
    for _ in range(40):
        await page.keyboard.press("Tab")
        seen = await page.evaluate(
            """() => { const at = document.activeElement, style = getComputedStyle(at);
            return at === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)
              ? '' : at.outerHTML; }"""
        )
        assert not seen


async def test_what_is_to_do_is_readable_beside_its_button(visit: Visit, talk: Talk) -> None:
    await talk("小李", "年假有几天")
    await talk("小李", "没用")
    await talk("小李", "看不懂")
    page = visit.page
    await visit.sign_in()
    item = page.locator(".todo li").filter(has_text="看不懂")
    text, card = await item.locator(".text").bounding_box(), await page.locator(".todo").first.bounding_box()
    assert text and card and text["width"] > min(card["width"], 600) / 2
    assert await visit.fits(), "scrolls sideways"


async def test_while_a_check_or_a_save_runs_the_button_says_so_and_cannot_be_pressed_again(visit: Visit) -> None:
    page = visit.page
    if not visit.scripts:
        pytest.skip("without scripts the browser's own sign is all there is")
    await visit.sign_in()
    await page.goto(f"{visit.bot.console_url}/entries/annual-leave-carry-over/edit")
    await page.get_by_label("也问").fill("年假能不能留到明年")
    sent: list[str] = []

    async def take(route: Route) -> None:
        """An answer without content, on which a browser leaves the page as it is."""
        sent.append(route.request.post_data or "")
        await route.fulfill(status=204)

    for name, busy, value in (("检查一下", "正在检查…", "check"), ("保存", "正在保存…", "save")):
        await page.route("**/edit", take)
        await page.get_by_role("button", name=name).click()
        await expect(page.get_by_role("button", name=busy)).to_be_disabled()
        await expect(page.locator("button[name=do]:not([disabled])")).to_have_count(0)
        assert len(sent) == 1 and f"do={value}" in sent.pop()
        await page.evaluate("dispatchEvent(new Event('pageshow'))")
        await page.unroute("**/edit")
        await expect(page.get_by_role("button", name=name)).to_be_enabled()
        await page.get_by_role("button", name=name).click()
    await expect(page.get_by_text("已保存，机器人现在就按新的内容回答")).to_be_visible()
