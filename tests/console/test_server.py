"""Health, readiness and metrics of a running bot, and who may see what."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import aiohttp
import pytest

from faqbot.app.running import Running, running
from faqbot.errors import StartError
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.conftest import KNOWLEDGE, Talk
from tests.redis_server import RedisServer

PASSWORD = "口令: with a colon, ünd ẞ 😀"
PROXIED = {"X-Forwarded-For": "203.0.113.7"}


def basic(password: str, *, user: str = "prometheus", encoding: str = "utf-8") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode(encoding)).decode()}


async def get(url: str, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    async with aiohttp.ClientSession(url) as http, http.get(path, headers=headers or {}) as answer:
        return answer.status, await answer.text()


async def get_raw(url: str, *lines: bytes) -> int:
    """The status of an answer to a request that a proper client would not make."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\r\n".join([b"GET /metrics HTTP/1.1", *lines, b"Connection: close", b"", b""]))
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


@pytest.fixture
async def guarded(ding: FakeDingTalk, settings: Settings) -> AsyncIterator[str]:
    """The console of a bot with a password."""
    async with running(replace(settings, console_password=PASSWORD)) as app:
        yield app.console_url


# -- health and readiness ----------------------------------------------------------------------


async def test_a_bot_that_is_connected_is_healthy_and_ready(bot: Running) -> None:
    assert (await get(bot.console_url, "/healthz"))[0] == 200
    status, text = await get(bot.console_url, "/readyz")
    assert status == 200 and json.loads(text) == {"ready": True, "stream": True, "store": True}


async def test_without_the_stream_it_is_healthy_but_not_ready_until_it_is_back(
    bot: Running, ding: FakeDingTalk
) -> None:
    ding.faults.open_status = 503
    await ding.gateway.drop()
    assert await ding.world.until(lambda: len(ding.gateway.opens) > 1, 60), "it tried again"
    status, text = await get(bot.console_url, "/readyz")
    assert status == 503 and json.loads(text) == {"ready": False, "stream": False, "store": True}
    assert (await get(bot.console_url, "/healthz"))[0] == 200
    ding.faults.open_status = 200
    assert await ding.until_connected(20)
    assert (await get(bot.console_url, "/readyz"))[0] == 200


async def test_without_the_store_it_is_not_ready_until_it_is_back(
    ding: FakeDingTalk, settings: Settings, redis_server: RedisServer
) -> None:
    async with running(replace(settings, store=redis_server.url)) as app:
        assert await ding.until_connected()

        async def until(store_ok: bool) -> None:
            async with asyncio.timeout(60):
                while app.bot.inbox.store_ok is not store_ok:
                    await asyncio.sleep(0.02)

        redis_server.stop()
        # A question that cannot be written down shows it at once.
        person = ding.world.person("小李")
        await ding.say(person, "年假有几天", ding.world.single(person))
        await until(False)
        status, text = await get(app.console_url, "/readyz")
        assert status == 503 and json.loads(text) == {"ready": False, "stream": True, "store": False}
        assert "faqbot_store_up 0.0" in (await get(app.console_url, "/metrics"))[1]
        redis_server.start()
        await until(True)
        assert (await get(app.console_url, "/readyz"))[0] == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_and_readiness_are_open_to_everybody(bot: Running, path: str) -> None:
    for headers in (PROXIED, {"Host": "faqbot.example"}, {"Authorization": "nonsense"}):
        assert (await get(bot.console_url, path, headers))[0] == 200


async def test_only_reading_is_possible(bot: Running) -> None:
    async with aiohttp.ClientSession(bot.console_url) as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            async with http.post(path, data=b"x") as answer:
                assert answer.status == 405


async def test_a_taken_port_is_one_plain_line(bot: Running, settings: Settings) -> None:
    port = int(bot.console_url.rpartition(":")[2])
    with pytest.raises(StartError, match=rf"端口 127\.0\.0\.1:{port} 已被占用，请用 FAQBOT_PORT 换一个"):
        async with running(replace(settings, port=port, store="sqlite:///:memory:")):
            pass


async def test_a_host_that_is_not_ours_is_one_plain_line(settings: Settings) -> None:
    with pytest.raises(StartError, match=r"192\.0\.2\.1:0 不能监听"):
        async with running(replace(settings, host="192.0.2.1")):
            pass


# -- metrics -----------------------------------------------------------------------------------

SAMPLES = [
    'faqbot_messages_received_total{kind="text"} 1.0',
    "faqbot_messages_repeated_total 0.0",
    "faqbot_messages_acked_total 1.0",
    "faqbot_messages_not_accepted_total 0.0",
    "faqbot_messages_taken_over_total 0.0",
    'faqbot_messages_finished_total{state="answered"} 1.0',
    'faqbot_decisions_total{outcome="answered"} 1.0',
    'faqbot_sends_total{code="ok",way="webhook"} 1.0',
    "faqbot_ack_seconds_count 1.0",
    "faqbot_match_seconds_count 1.0",
    "faqbot_answer_seconds_count 1.0",
    'faqbot_stream_connects_total{result="ok"} 1.0',
    'faqbot_knowledge_problems{level="error"} 0.0',
    'faqbot_knowledge_problems{level="warning"} 0.0',
    'faqbot_quota_limit{kind="calls"} 5000.0',
    'faqbot_quota_limit{kind="messages"} 3000.0',
    "faqbot_stream_connected 1.0",
    "faqbot_store_up 1.0",
]
KINDS = {
    "backlog_messages": "gauge",
    "backlog_oldest_seconds": "gauge",
    "knowledge_info": "gauge",
    "knowledge_entries": "gauge",
    "quota_used": "gauge",
    "token_refreshes_total": "counter",
    "api_calls_total": "counter",
    "ack_seconds": "histogram",
    "answer_seconds": "histogram",
}


async def test_after_one_question_the_page_shows_all_there_is_to_see(talk: Talk, bot: Running) -> None:
    await talk("小李", "年假有几天")
    async with asyncio.timeout(60):
        while bot.metrics.registry.get_sample_value("faqbot_messages_finished_total", {"state": "answered"}) != 1:
            await asyncio.sleep(0.01)
    async with aiohttp.ClientSession(bot.console_url) as http, http.get("/metrics") as answer:
        text = await answer.text()
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
    lines = text.splitlines()
    assert [sample for sample in SAMPLES if sample not in lines] == []
    for name, kind in KINDS.items():
        assert f"# TYPE faqbot_{name} {kind}" in lines
    assert f"faqbot_knowledge_entries {len(bot.library.current.entries)}.0" in lines
    assert re.search(r'^faqbot_knowledge_info\{version="[^"]+"\} 1\.0$', text, re.MULTILINE)


async def test_metrics_of_two_bots_in_one_process_are_apart(bot: Running, settings: Settings) -> None:
    async with running(replace(settings, store="sqlite:///:memory:")) as other:
        bot.metrics.repeated.inc(5)
        assert "faqbot_messages_repeated_total 5.0" in (await get(bot.console_url, "/metrics"))[1]
        assert "faqbot_messages_repeated_total 0.0" in (await get(other.console_url, "/metrics"))[1]


async def test_nothing_personal_and_no_secret_is_on_the_page(talk: Talk, bot: Running) -> None:
    await talk("小李", "年假有几天")
    _, text = await get(bot.console_url, "/metrics")
    asker = talk.ding.world.person("小李").id
    for secret in (talk.ding.client_secret, "session=", asker, "年假", str(KNOWLEDGE)):
        assert secret not in text


async def test_a_broken_knowledge_file_shows_in_the_metrics(bot: Running, settings: Settings) -> None:
    (settings.knowledge / "faq" / "bad.yaml").write_text("- question: 甲\n  anwser: 乙\n", encoding="utf-8")
    await bot.library.refresh()
    errors = sum(problem.is_error for problem in bot.library.current.problems)
    assert errors > 0
    lines = (await get(bot.console_url, "/metrics"))[1].splitlines()
    assert f'faqbot_knowledge_problems{{level="error"}} {errors}.0' in lines


# -- who may see the metrics -------------------------------------------------------------------

NEAR: list[dict[str, str]] = [
    {},
    {"Host": "localhost:8080"},
    {"Host": "127.0.0.1"},
    {"Host": "[::1]:8080"},
    {"Host": "127.1.2.3"},
]
FAR = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Host": "localhost"},
    {"X-Forwarded-Proto": "https"},
    {"x-forwarded-for": ""},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"Host": "faqbot.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "127.0.0.1.nip.io"},
    {"Host": "203.0.113.7"},
    {"Host": "0.0.0.0"},
    {"Host": "2130706433"},
    {"Host": "[2001:db8::1]:8080"},
]


@pytest.mark.parametrize("headers", NEAR, ids=str)
async def test_on_this_machine_no_password_is_needed(bot: Running, guarded: str, headers: dict[str, str]) -> None:
    for url in (bot.console_url, guarded):
        assert (await get(url, "/metrics", headers))[0] == 200


@pytest.mark.parametrize("headers", FAR, ids=str)
async def test_through_a_proxy_or_under_a_foreign_name_the_password_is_needed(
    guarded: str, headers: dict[str, str]
) -> None:
    async with aiohttp.ClientSession(guarded) as http, http.get("/metrics", headers=headers) as answer:
        assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert "faqbot_" not in await answer.text()
    assert (await get(guarded, "/metrics", headers | basic("wrong")))[0] == 401
    status, text = await get(guarded, "/metrics", headers | basic(PASSWORD))
    assert status == 200 and "faqbot_stream_connected" in text


@pytest.mark.parametrize("given", ["", "None", "faqbot", PASSWORD])
async def test_where_no_password_is_set_none_opens(bot: Running, given: str) -> None:
    assert (await get(bot.console_url, "/metrics", PROXIED | basic(given)))[0] == 401
    assert (await get(bot.console_url, "/metrics", PROXIED))[0] == 401


@pytest.mark.parametrize(
    "given", [PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), PASSWORD.encode().decode("latin-1"), "", "x" * 6000]
)
async def test_only_the_whole_password_opens(guarded: str, given: str) -> None:
    assert (await get(guarded, "/metrics", PROXIED | basic(given)))[0] == 401


async def test_guessing_here_is_slowed_down_as_it_is_on_the_sign_in_page(guarded: str) -> None:
    async def tried(password: str, address: str = "203.0.113.7") -> int:
        return (await get(guarded, "/metrics", {"X-Forwarded-For": address} | basic(password)))[0]

    for _ in range(12):
        assert await tried(PASSWORD) == 200
    # The five minutes may turn over in between.
    assert 429 in [await tried(f"wrong{n}") for n in range(12)]
    assert await tried(PASSWORD) == 429 and await tried(PASSWORD, "203.0.113.8") == 200
    async with (
        aiohttp.ClientSession(guarded, headers={"Origin": guarded, "X-Forwarded-For": "203.0.113.7"}) as http,
        http.post("/login", data={"name": "张姐", "password": PASSWORD}) as answer,
    ):
        assert answer.status == 429


@pytest.mark.parametrize("user", ["", "admin", "名字"])
async def test_any_user_name_will_do(guarded: str, user: str) -> None:
    assert (await get(guarded, "/metrics", PROXIED | basic(PASSWORD, user=user)))[0] == 200


RIGHT = basic(PASSWORD)["Authorization"].encode()
ODD = [
    b"", b"Basic", b"Basic ", b"Basic  ", b"Basic x", b"Basic ====", b"Basic \xff\xfe", b"Basic " + "口令".encode(),
    b"Basic " + base64.b64encode(b"no colon"), b"Basic " + base64.b64encode(b"u:\xff\xfe\xfd"), b"Bearer abc",
    b"Digest username=x", b"Basic a b c", b"\xf0\x9f\x98\x80", b"Basic " + base64.b64encode(b":" * 3000),
    b"Basic " + base64.b64encode(b"u:\x00\x00"), b"Negotiate " + RIGHT.split()[1],
]  # fmt: skip


@pytest.mark.parametrize("header", ODD)
async def test_an_odd_authorization_header_is_only_refused(guarded: str, header: bytes) -> None:
    assert await get_raw(guarded, b"Host: faqbot.example", b"Authorization: " + header) == 401


async def test_the_scheme_is_read_in_any_case(guarded: str) -> None:
    for header in (RIGHT, RIGHT.replace(b"Basic", b"basic"), RIGHT.replace(b"Basic", b"BASIC")):
        assert await get_raw(guarded, b"Host: faqbot.example", b"Authorization: " + header) == 200


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"::1",
        b"a b",
        b"localhost:x",
        b"\xff\xfe",
        b"localhost@evil.example",
        b"[]",
        b"%00",
    ],
)
async def test_an_odd_host_is_nobody_near(guarded: str, host: bytes) -> None:
    assert await get_raw(guarded, b"Host: " + host) in (400, 401)


async def test_a_password_that_is_not_utf8_opens_nothing_and_breaks_nothing(
    ding: FakeDingTalk, settings: Settings
) -> None:
    # What an environment variable with other bytes looks like in Python.
    odd = b"gr\xfc\xdfe".decode("utf-8", "surrogateescape")
    async with running(replace(settings, console_password=odd)) as app:
        assert (await get(app.console_url, "/metrics", PROXIED | basic("gr")))[0] == 401
