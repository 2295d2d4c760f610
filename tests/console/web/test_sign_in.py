"""Signing in: links, passwords, sessions, and who is kept out."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from faqbot.app.running import Running, running
from faqbot.console.web import sessions
from faqbot.console.web.pages import local_path
from faqbot.console.web.sessions import LoginThrottle, Sessions, new_link, use_link
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from faqbot.store.protocol import Store
from tests.console.conftest import Person, stranger

PASSWORD = "暗号 with ünd 😀"
PAGES = ["/", "/entries", "/entries/annual-leave", "/entries/new", "/entries/annual-leave/edit", "/try", "/missed",
         "/history", "/stats", "/entries.json", "/nowhere", "/entries/annual-leave/remove"]  # fmt: skip


@pytest.fixture
async def guarded(ding: FakeDingTalk, settings: Settings) -> AsyncIterator[Running]:
    """A bot whose console has a password."""
    async with running(replace(settings, console_password=PASSWORD)) as app:
        yield app


@pytest.fixture
async def visitor(guarded: Running) -> AsyncIterator[Person]:
    async with stranger(guarded.console_url) as person:
        yield person


async def get_raw(url: str, header: bytes, *, path: bytes) -> int:
    """The status of an answer to a request that a proper client would not make."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\r\n".join([b"GET " + path + b" HTTP/1.1", header, b"Connection: close", b"", b""]))
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


def link_of(path: str) -> str:
    return path.partition("link=")[2]


# -- the one-time link -------------------------------------------------------------------------


async def test_a_link_asks_for_a_name_and_lets_one_person_in(bot: Running, anyone: Person) -> None:
    link = await new_link(bot.store, bot.console_url)
    asked = await anyone.get(link.removeprefix(bot.console_url))
    assert asked.status == 200 and "您的姓名" in asked.text and "控制台密码" not in asked.text
    assert (await anyone.get("/entries")).path.startswith("/login")
    inside = await anyone.sign_in(link, "张姐")
    assert inside.path == "/" and "张姐" in inside.text
    async with stranger(bot.console_url) as other:
        refused = await other.sign_in(link, "小王")
        assert refused.status == 403 and "已经用过" in refused.text
        assert (await other.get("/entries")).path.startswith("/login")
        again = await other.get(link.removeprefix(bot.console_url))
        assert again.status == 403 and "已经用过" in again.text and "您的姓名" not in again.text


async def test_of_two_who_use_a_link_at_once_one_gets_in(bot: Running) -> None:
    link = link_of(await new_link(bot.store, bot.console_url))
    assert sorted(await asyncio.gather(*(use_link(bot.store, link) for _ in range(8)))) == [False] * 7 + [True]


async def test_a_link_without_a_name_is_not_used_up(bot: Running, anyone: Person) -> None:
    link = await new_link(bot.store, bot.console_url)
    for name in ("", "   ", "名" * 21, "a\u202eb"):
        asked = await anyone.sign_in(link, name)
        assert asked.status == 400 and "请写下您的姓名" in asked.text and link_of(link) in asked.text
    assert (await anyone.sign_in(link, "张姐")).path == "/"


async def test_an_expired_link_opens_nothing(bot: Running, anyone: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LINK_SECONDS", 0.05)
    link = await new_link(bot.store, bot.console_url)
    await asyncio.sleep(0.1)
    assert (await anyone.get(link.removeprefix(bot.console_url))).status == 403
    refused = await anyone.sign_in(link, "张姐")
    assert refused.status == 403 and "过期" in refused.text


@pytest.mark.parametrize("link", ["", "x", "a" * 5000, "%00", "../..", "console:link:"])
async def test_a_made_up_link_opens_nothing(bot: Running, anyone: Person, link: str) -> None:
    assert (await anyone.post("/login", {"link": link, "name": "张姐"})).status == 403
    assert (await anyone.get("/entries")).path.startswith("/login")


async def test_the_store_holds_no_key_that_opens(bot: Running, anyone: Person, settings: Settings) -> None:
    link = await new_link(bot.store, bot.console_url)
    kept = await new_link(bot.store, bot.console_url)
    await anyone.sign_in(link, "张姐")
    (cookie,) = anyone.http.cookie_jar
    folder = settings.knowledge.parent
    held = b"".join(p.read_bytes() for p in folder.iterdir() if p.name.startswith("faqbot.db"))
    assert "张姐".encode() in held
    assert link_of(kept).encode() not in held and cookie.value.encode() not in held


async def test_the_command_prints_a_link_that_works(bot: Running, settings: Settings, anyone: Person) -> None:
    environ = {"FAQBOT_STORE": settings.store, "FAQBOT_PORT": "0", "PATH": ""}
    command = [sys.executable, "-m", "faqbot", "link"]
    made = await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, cwd=settings.knowledge.parent
    )
    assert made.returncode == 0, made.stderr
    link = made.stdout.strip()
    assert link.startswith(f"{bot.console_url}/login?link=")
    assert (await anyone.sign_in(link, "张姐")).path == "/"


async def test_without_a_running_bot_the_command_says_so(settings: Settings) -> None:
    environ = {"FAQBOT_STORE": settings.store, "PATH": ""}
    command = [sys.executable, "-m", "faqbot", "link"]
    made = await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, cwd=settings.knowledge.parent
    )
    assert made.returncode == 2 and made.stdout == "" and "faqbot run" in made.stderr


async def test_run_shows_a_link_on_a_terminal_and_nowhere_else(
    ding: FakeDingTalk, settings: Settings, tmp_path: Path
) -> None:
    environ = {
        "FAQBOT_STORE": settings.store, "FAQBOT_PORT": "0", "FAQBOT_KNOWLEDGE": str(settings.knowledge), "PATH": "",
        "DINGTALK_CLIENT_ID": ding.client_id, "DINGTALK_CLIENT_SECRET": ding.client_secret,
        "DINGTALK_OPENAPI_ENDPOINT": ding.url, "DINGTALK_OAPI_ENDPOINT": ding.url, "FAQBOT_LOG_LEVEL": "DEBUG",
        "FAQBOT_MEANING": "off",
    }  # fmt: skip
    log = tmp_path / "log"
    ours, theirs = pty.openpty()
    with log.open("wb") as errors:
        bot = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "faqbot", "run", env=environ, stdout=theirs, stderr=errors, cwd=tmp_path
        )
    os.close(theirs)
    try:
        shown = (await asyncio.wait_for(asyncio.to_thread(os.read, ours, 4096), 60)).decode()
        link = re.search(r"http://\S+", shown)
        assert link
        async with stranger(link[0].partition("/login")[0]) as person:
            assert (await person.sign_in(link[0], "张姐")).path == "/"
    finally:
        bot.terminate()
        await bot.wait()
        os.close(ours)
    assert link_of(link[0]) not in log.read_text(encoding="utf-8")
    # In a pipe nobody is looking, and the output may end up in a file.
    piped = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "faqbot", "run", env=environ, stdout=asyncio.subprocess.PIPE, cwd=tmp_path,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await ding.until_connected(30)
    piped.terminate()
    said, _ = await piped.communicate()
    assert b"login" not in said


# -- without a password: this machine only -----------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-Proto": "https"},
        {"Host": "faqbot.example"},
        {"Host": "127.0.0.1.nip.io"},
        {"Host": "localhost.evil.example"},
    ],
    ids=str,
)
async def test_through_a_proxy_or_under_a_foreign_name_even_a_session_opens_nothing(
    hr: Person, bot: Running, headers: dict[str, str]
) -> None:
    for path in (*PAGES, "/login", "/login?link=" + link_of(await new_link(bot.store, bot.console_url))):
        page = await hr.get(path, headers=headers)
        assert page.status == 403 and ("FAQBOT_CONSOLE_PASSWORD" in page.text)
        assert "年假" not in page.text
    sent = {"Origin": hr.url} | headers
    assert (await hr.post("/entries/annual-leave/wordings", {"text": "甲乙丙"}, headers=sent)).status == 403


@pytest.mark.parametrize("host", [b"", b"a b", b"localhost:x", b"\xff\xfe", b"localhost@evil.example", b"%00"])
async def test_an_odd_host_is_nobody_near(bot: Running, host: bytes) -> None:
    assert await get_raw(bot.console_url, b"Host: " + host, path=b"/entries") in (400, 403)


async def test_on_every_interface_without_a_password_every_page_says_what_to_set(
    ding: FakeDingTalk, settings: Settings
) -> None:
    async with running(replace(settings, host="0.0.0.0")) as app:
        url = app.console_url.replace("0.0.0.0", "127.0.0.1")
        async with stranger(url) as person:
            link = await new_link(app.store, url)
            for path in (*PAGES, "/login", link.removeprefix(url)):
                page = await person.get(path)
                assert page.status == 403 and "FAQBOT_CONSOLE_PASSWORD" in page.text
            assert (await person.sign_in(link, "张姐")).status == 403
            assert (await person.get("/healthz")).status == 200
            assert (await person.get("/readyz")).status in (200, 503)


# -- with a password ---------------------------------------------------------------------------


async def test_name_and_password_open_the_console(visitor: Person) -> None:
    asked = await visitor.get("/entries?q=年假")
    assert asked.path.startswith("/login?next=") and "控制台密码" in asked.text
    inside = await visitor.post("/login", {"name": "张姐", "password": PASSWORD, "next": "/entries?topic=休假"})
    assert inside.status == 200 and inside.path.startswith("/entries?topic=") and "张姐" in inside.text
    for path in PAGES:
        assert (await visitor.get(path)).status == (404 if path == "/nowhere" else 200)


@pytest.mark.parametrize("password", ["", "x", PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper(), "x" * 100_000])
async def test_a_wrong_password_opens_nothing_and_is_not_sent_back(visitor: Person, password: str) -> None:
    page = await visitor.post("/login", {"name": "张姐", "password": password})
    assert page.status == 403 and "密码不对" in page.text
    assert password not in page.text or len(password) < 2
    assert (await visitor.get("/entries")).path.startswith("/login")


async def test_behind_a_proxy_the_password_works_and_the_cookie_is_for_https_only(visitor: Person) -> None:
    public = {"Host": "faq.example", "X-Forwarded-Proto": "https", "Origin": "https://faq.example"}
    page = await visitor.post("/login", {"name": "张姐", "password": PASSWORD}, headers=public, follow=False)
    assert page.status == 303
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-faqbot=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_the_cookie_of_a_plain_console_is_out_of_reach_of_scripts(visitor: Person) -> None:
    page = await visitor.post("/login", {"name": "张姐", "password": PASSWORD}, follow=False)
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("faqbot=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Secure" not in cookie


async def test_wrong_passwords_from_one_address_must_wait_and_the_page_says_how_long(visitor: Person) -> None:
    answers = [await visitor.post("/login", {"name": "张姐", "password": f"wrong{n}"}) for n in range(7)]
    assert [a.status for a in answers].count(429) >= 1
    last = answers[-1]
    assert last.status == 429 and re.search(r"请等 \d+ (秒|分钟)", last.text)
    assert 0 < int(last.headers["Retry-After"]) <= 300
    # While it lasts the right one does not help either, or guessing would go on.
    assert (await visitor.post("/login", {"name": "张姐", "password": PASSWORD})).status == 429


async def test_parallel_guesses_count_each(store: Store) -> None:
    brake = LoginThrottle(store, lambda: 1000.0)
    waits = [wait for wait, _ in await asyncio.gather(*(brake.take("10.0.0.1") for _ in range(20)))]
    assert waits.count(0.0) == 5 and max(waits) == 200.0


async def test_guesses_from_many_addresses_are_slowed_together(store: Store) -> None:
    now = 1000.0
    brake = LoginThrottle(store, lambda: now)
    waits = [(await brake.take(f"10.0.0.{n}"))[0] for n in range(45)]
    assert waits[:40] == [0.0] * 40 and all(waits[40:])
    now = 1200.0
    assert (await LoginThrottle(store, lambda: now).take("10.0.0.99"))[0] == 0.0


async def test_a_right_sign_in_does_not_count(store: Store) -> None:
    brake = LoginThrottle(store, lambda: 1000.0)
    for _ in range(12):
        wait, booked = await brake.take("10.0.0.1")
        assert not wait
        await brake.give_back(booked)


# -- sessions ----------------------------------------------------------------------------------


async def test_signing_out_ends_the_session_for_good(hr: Person, bot: Running) -> None:
    (cookie,) = hr.http.cookie_jar
    assert (await hr.post("/logout")).path.startswith("/login")
    async with (
        aiohttp.ClientSession(bot.console_url, cookies={"faqbot": cookie.value}) as http,
        http.get("/entries", allow_redirects=False) as answer,
    ):
        assert answer.status == 303


async def test_an_idle_session_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "IDLE_SECONDS", 0.05)
    begun = await Sessions(store, "").begin("张姐")
    await asyncio.sleep(0.1)
    assert await Sessions(store, "").find(begun.token) is None


async def test_a_session_is_shared_by_replicas_and_ends_with_the_password(store: Store) -> None:
    begun = await Sessions(store, "old").begin("张姐")
    found = await Sessions(store, "old").find(begun.token)
    assert found is not None and found.name == "张姐"
    assert await Sessions(store, "new").find(begun.token) is None
    assert await Sessions(store, "old").find(begun.token + "x") is None
    await Sessions(store, "old").end(begun.token)
    assert await Sessions(store, "old").find(begun.token) is None


@pytest.mark.parametrize("path", PAGES)
async def test_without_a_session_nothing_is_shown(anyone: Person, path: str) -> None:
    async with anyone.http.get(path, allow_redirects=False) as answer:
        text = await answer.text()
        assert answer.status == (401 if path.endswith(".json") else 303)
        assert "年假有几天" not in text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/entries?q=年假", "/entries?q=年假"),
        ("/", "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("entries", "/"),
        (" /entries", "/"),
    ],
)
async def test_after_signing_in_nobody_is_sent_elsewhere(written: str, meant: str) -> None:
    assert local_path(written) == meant


async def test_the_redirect_after_signing_in_stays_here(bot: Running, anyone: Person) -> None:
    link = link_of(await new_link(bot.store, bot.console_url))
    fields = {"link": link, "name": "张姐", "next": "//evil.example/x"}
    assert (await anyone.post("/login", fields, follow=False)).headers["Location"] == "/"
