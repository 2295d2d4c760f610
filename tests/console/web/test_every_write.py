"""Every address that writes, present and future: without session, with a foreign origin or far too much, it refuses."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any, cast

import aiohttp
import pytest

from faqbot.app.running import Running
from faqbot.automation.event_queue import EventQueue
from faqbot.console.server import Health, build
from faqbot.console.web.context import ConsoleContext
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.past_questions import PastQuestions
from faqbot.runtime.metrics import Metrics
from faqbot.settings import Settings
from tests.console.conftest import Files, Person

# The door itself takes people without a session; hooks have a rule of their own.
OUTSIDE = ("/login", "/hooks/")
TOO_MUCH = 20 * 1024 * 1024


@pytest.fixture
def writes(bot: Running, settings: Settings) -> list[str]:
    """The paths of all routes that take a POST, read from the application itself."""
    workspace = Workspace(bot.library, cast(Any, None), bot.store, lambda: date(2026, 1, 5))
    context = ConsoleContext(workspace, settings, PastQuestions(workspace))
    app = build(context, Health(lambda: True, lambda: True), Metrics(), EventQueue(bot.store))
    found = sorted({r.resource.canonical for r in app.router.routes() if r.method == "POST" and r.resource is not None})
    assert len(found) > 8
    return [re.sub(r"\{[^}]*\}", "1", path) for path in found if not path.startswith(OUTSIDE)]


async def _kept(bot: Running) -> list[object]:
    return [await bot.store.journal("edits", 0), await bot.store.marks("gaps"), dict(await bot.store.documents())]


async def test_without_a_session_nothing_is_written(
    bot: Running, writes: list[str], anyone: Person, files: Files
) -> None:
    before, kept = files.all(), await _kept(bot)
    for path in writes:
        page = await anyone.post(path, {"text": "年假", "name": "x"}, follow=False)
        # A browser is sent to sign in, everything else is told so; signing out without a session is nothing at all.
        assert page.status in (302, 303, 401, 403), f"{path}: {page.status}"
        if page.status in (302, 303):
            assert page.headers["Location"].startswith("/login"), path
    assert files.all() == before and await _kept(bot) == kept


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_without_our_own_origin_nothing_is_written(
    bot: Running, writes: list[str], hr: Person, files: Files, headers: dict[str, str]
) -> None:
    before, kept = files.all(), await _kept(bot)
    for path in writes:
        page = await hr.post(path, {"text": "年假", "file": "../../etc/passwd"}, headers=headers, follow=False)
        assert page.status == 403, f"{path}: {page.status}"
    assert files.all() == before and await _kept(bot) == kept


async def test_a_body_of_twenty_megabytes_is_refused_everywhere(
    bot: Running, writes: list[str], hr: Person, files: Files
) -> None:
    before, kept = files.all(), await _kept(bot)
    body = b"text=" + b"x" * TOO_MUCH
    for path in writes:
        if path == "/logout":
            continue
        headers = {"Origin": hr.url, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            async with hr.http.post(path, data=io.BytesIO(body), headers=headers, allow_redirects=False) as answer:
                assert answer.status in (400, 404, 413), f"{path}: {answer.status}"
        except aiohttp.ClientConnectionError:
            # The server may hang up while the body is still being sent.
            continue
    assert files.all() == before and await _kept(bot) == kept
