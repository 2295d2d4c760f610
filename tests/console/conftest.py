"""A person at the console of the running bot: signed in by a one-time link, posting as a browser would."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape

import aiohttp
import pytest

from faqbot.app.running import Running
from faqbot.console.web.sessions import new_link
from faqbot.settings import Settings

_FIELD = re.compile(r"<(input|textarea)\b([^>]*)>(?:\n?([^<]*)</textarea>)?")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


@dataclass(frozen=True, slots=True)
class Page:
    """What came back: the text, and where the redirects led."""

    status: int
    text: str
    path: str
    headers: Mapping[str, str]

    def fields(self) -> dict[str, str]:
        """The fields of the big form with what stands in them."""
        form = self.text.partition('<form id="entry-form"')[2].partition("</form>")[0]
        found: dict[str, str] = {}
        for kind, written, content in _FIELD.findall(form):
            names = {name: unescape(value) for name, value in _ATTRIBUTE.findall(written)}
            if names.get("type") != "checkbox" or "checked" in names:
                found[names["name"]] = unescape(content) if kind == "textarea" else names.get("value", "")
        return found


class Person:
    """A browser: it keeps cookies, follows redirects and says which page a form came from."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Page:
        async with self.http.get(path, headers=headers) as answer:
            return await _page(answer)

    async def post(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        follow: bool = True,
    ) -> Page:
        """Post a form; `headers` replaces what says that it comes from a page of the console."""
        sent = {"Origin": self.url} if headers is None else headers
        async with self.http.post(path, data=dict(fields or {}), headers=sent, allow_redirects=follow) as answer:
            return await _page(answer)

    async def sign_in(self, link: str, name: str) -> Page:
        return await self.post("/login", {"link": link.partition("link=")[2], "name": name})


async def _page(answer: aiohttp.ClientResponse) -> Page:
    return Page(answer.status, await answer.text(), answer.url.raw_path_qs, answer.headers)


@asynccontextmanager
async def stranger(url: str) -> AsyncIterator[Person]:
    """Somebody with a fresh browser."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(url, cookie_jar=jar) as http:
        yield Person(http, url)


@asynccontextmanager
async def colleague(bot: Running, name: str) -> AsyncIterator[Person]:
    """Somebody who has signed in."""
    async with stranger(bot.console_url) as person:
        assert (await person.sign_in(await new_link(bot.store, bot.console_url), name)).status == 200
        yield person


@pytest.fixture
async def anyone(bot: Running) -> AsyncIterator[Person]:
    async with stranger(bot.console_url) as person:
        yield person


@pytest.fixture
async def hr(bot: Running) -> AsyncIterator[Person]:
    async with colleague(bot, "张姐") as person:
        yield person


@pytest.fixture
def files(settings: Settings) -> Files:
    return Files(settings)


class Files:
    """The knowledge files of the bot under test."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.knowledge

    def all(self) -> dict[str, bytes]:
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    def read(self, name: str = "faq/leave.yaml") -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, text: str, name: str = "faq/leave.yaml") -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
