"""The chat page in a real headless Chromium, as a person would use it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Page, async_playwright, expect

from faqbot.app.running import Running
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, group_taps=True)


@pytest.fixture(params=[1280, 390])
async def page(request: pytest.FixtureRequest, chromium: str, ding: FakeDingTalk, bot: Running) -> AsyncIterator[Page]:
    ding.examples = ("年假有几天",)
    ding.world.group("全员群")
    for name in ("小李", "小王"):
        ding.world.single(ding.world.person(name))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        opened = await browser.new_page(viewport={"width": request.param, "height": 800})
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        await opened.goto(ding.url)
        yield opened
        assert errors == []
        await browser.close()


async def test_a_person_asks_in_the_group_and_reads_the_answer(page: Page) -> None:
    await page.locator("#composer").fill("@小助手 年假有几天")
    await page.keyboard.press("Enter")
    answer = page.locator(".msg").filter(has_text="满 1 年不满 10 年")
    await expect(answer).to_be_visible()
    await expect(answer).to_contain_text("@小李")
    await expect(answer.locator("strong, b").first).to_have_text("5 天")
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "scrolls sideways"


async def test_without_the_at_the_page_says_that_nobody_heard(page: Page) -> None:
    await page.locator("#composer").fill("年假有几天")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("机器人收不到")).to_be_visible()


async def test_a_listed_question_can_be_tapped_when_the_tap_carries_the_at(page: Page, ding: FakeDingTalk) -> None:
    ding.faults.update({"tap_carries_at": True})
    await page.reload()
    await page.locator("#composer").fill("@小助手 休假")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="病假怎么请？").click()
    await expect(page.locator(".msg").filter(has_text=re.compile("病假申请"))).to_be_visible()
    assert ding.world.messages[-2].text == "@小助手 病假怎么请？"


async def test_what_people_write_is_never_markup(page: Page) -> None:
    await page.locator("#composer").fill("@小助手 <img src=x onerror=alert(1)> [x](javascript:alert(1))")
    await page.keyboard.press("Enter")
    await expect(page.locator(".msg").filter(has_text="没有找到")).to_be_visible()
    assert await page.locator(".msg img").count() == 0
    assert await page.locator('a[href^="javascript"]').count() == 0
