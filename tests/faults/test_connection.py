"""The stream connection under everything DingTalk's network is known to do, and through a company's network."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web

from faqbot.app.running import Running, running
from faqbot.dingtalk.stream.connection import StreamConnection
from faqbot.runtime.metrics import Metrics
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.conftest import Talk


async def test_a_routine_disconnect_loses_nothing_and_opens_the_new_connection_first(
    ding: FakeDingTalk, bot: Running
) -> None:
    ding.faults.redeliver_after = -1.0
    people = [ding.world.person(f"员工{n:02d}") for n in range(40)]
    for number, person in enumerate(people):
        if number in (10, 25):
            await ding.gateway.disconnect()
            assert await ding.until_connected(10)
        await ding.say(person, "年假有几天", ding.world.single(person))
    assert await ding.world.until(lambda: len(ding.replies) == 40, 60)
    assert len(ding.gateway.opens) == 3
    assert all(d.ack is not None for d in ding.gateway.deliveries)


async def test_after_a_disconnect_readiness_says_no_until_the_new_connection_is_there(
    ding: FakeDingTalk, bot: Running
) -> None:
    ding.faults.open_delay = 0.5
    assert bot.stream.connected
    await ding.gateway.disconnect()
    assert await ding.world.until(lambda: not ding.gateway.connected, 60)
    await asyncio.sleep(0.1)
    assert not bot.stream.connected, "nothing is delivered on the old one any more"
    assert await ding.until_connected(10)
    await asyncio.sleep(0.1)
    assert bot.stream.connected


async def test_a_silent_connection_is_noticed_and_replaced(ding: FakeDingTalk, settings: Settings) -> None:
    ding.faults.update({"ping_seconds": 0.1, "redeliver_after": 0.5})
    heard: list[object] = []

    async def receive(data: object) -> None:
        heard.append(data)

    async with aiohttp.ClientSession() as session:
        stream = StreamConnection(
            session, ding.url, ding.client_id, ding.client_secret, receive, Metrics(), proxied=False, watchdog=0.9
        )
        running_stream = asyncio.create_task(stream.run())
        assert await ding.until_connected()
        await asyncio.sleep(0.6)
        ding.gateway.freeze()
        assert stream.connected, "nobody can know yet"
        assert await ding.until_connected(10)
        person = ding.world.person("小李")
        await ding.say(person, "年假有几天", ding.world.single(person))
        assert await ding.world.until(lambda: bool(heard), 60)
        assert len(ding.gateway.opens) == 2
        await stream.stop()
        await asyncio.wait_for(running_stream, 60)


async def test_a_connection_that_is_merely_quiet_is_left_alone(ding: FakeDingTalk, settings: Settings) -> None:
    ding.faults.ping_seconds = 60.0
    async with running(settings):
        assert await ding.until_connected()
        await asyncio.sleep(1.0)
        assert len(ding.gateway.opens) == 1


async def test_connections_that_do_not_last_are_not_reopened_in_a_storm(ding: FakeDingTalk, bot: Running) -> None:
    for _ in range(30):
        await ding.gateway.disconnect()
        await asyncio.sleep(0.1)
    assert len(ding.gateway.opens) <= 4


async def test_a_pause_grows_to_a_minute_and_a_lasting_connection_ends_it() -> None:
    async with aiohttp.ClientSession() as session:

        async def receive(data: object) -> None: ...

        stream = StreamConnection(session, "http://127.0.0.1:9", "a", "b", receive, Metrics(), proxied=False)
        pauses = [stream.pause(0.0) for _ in range(12)]
        # A single short one may be chance, and without a connection questions are lost.
        assert pauses[0] <= 0.5 and 1 <= pauses[1] <= 2 and 4 <= pauses[3] <= 5 and pauses[-1] == 60
        assert stream.pause(3600.0) <= 0.5 and stream.pause(0.0) <= 0.5


async def test_credentials_that_are_refused_later_are_an_alarm_and_not_an_end(
    ding: FakeDingTalk, bot: Running, caplog: pytest.LogCaptureFixture
) -> None:
    ding.faults.open_status = 401
    await ding.gateway.drop()
    assert await ding.world.until(lambda: len(ding.gateway.opens) >= 2, 60)
    await asyncio.sleep(0.2)
    assert not bot.stream.connected and not bot.finished.done()
    assert any(r.getMessage() == "stream.auth_failed" and r.levelname == "CRITICAL" for r in caplog.records)
    ding.faults.open_status = 200
    assert await ding.until_connected(20)
    assert "5 天" in await Talk(ding)("小李", "年假有几天")


class Proxy:
    """A company's proxy: it alone can find `ding.test`, and it only lets CONNECT through."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode().split()
        self.asked.append(f"{request[0]} {request[1]}")
        if request[0] != "CONNECT" or not request[1].startswith("ding.test:"):
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer), return_exceptions=True)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


@pytest.fixture
async def tls_ding(tmp_path: Path) -> AsyncIterator[tuple[FakeDingTalk, int, Path]]:
    """The stand-in behind TLS as `ding.test`, with a certificate only the company's authority vouches for."""
    authority = trustme.CA()
    certificate = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(str(certificate))
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("ding.test").configure_cert(context)
    ding = FakeDingTalk()
    app = web.Application()
    app.add_routes([*ding.gateway.routes(), *ding.webhooks.routes(), *ding.robot.routes(), *ding.tokens.routes()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    port = runner.addresses[0][1]
    ding.url = ding.webhooks.base_url = f"https://ding.test:{port}"
    ding.gateway.websocket_url = f"wss://ding.test:{port}/connect"
    yield ding, port, certificate
    await ding.gateway.close()
    await runner.cleanup()


async def test_the_bot_works_through_a_proxy_with_the_companys_own_certificate(
    tls_ding: tuple[FakeDingTalk, int, Path], knowledge: Path, tmp_path: Path
) -> None:
    ding, port, certificate = tls_ding
    proxy = Proxy(port)
    address = await proxy.start()
    home = tmp_path / "home"
    home.mkdir()
    # As an administrator would write it down: everything in the .env of the working directory.
    (home / ".env").write_text(
        f"DINGTALK_CLIENT_ID={ding.client_id}\nDINGTALK_CLIENT_SECRET={ding.client_secret}\n"
        f"DINGTALK_OPENAPI_ENDPOINT={ding.url}\nDINGTALK_OAPI_ENDPOINT={ding.url}\n"
        f"FAQBOT_KNOWLEDGE={knowledge}\nFAQBOT_PORT=0\nHTTPS_PROXY={address}\nSSL_CERT_FILE={certificate}\n",
        encoding="utf-8",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "faqbot", "run", cwd=home, env={"PATH": os.environ["PATH"]},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert await ding.until_connected(20), "it did not connect"
        person = ding.world.person("小李")
        await ding.say(person, "年假有几天", ding.world.single(person))
        assert await ding.world.until(lambda: bool(ding.replies), 60)
        ding.faults.update({"webhook_fault": "expired", "webhook_fail_next": 1})
        await ding.say(person, "病假怎么请", ding.world.single(person))
        assert await ding.world.until(lambda: len(ding.replies) == 2, 60)
    finally:
        process.terminate()
        _, log = await process.communicate()
        await proxy.close()
    assert process.returncode == 0, log.decode()
    assert set(proxy.asked) == {f"CONNECT ding.test:{port}"} and len(proxy.asked) >= 2


async def test_a_proxy_of_the_environment_does_not_come_between_us_and_the_stand_in(
    ding: FakeDingTalk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with running(replace(settings, store=settings.store.replace("faqbot.db", "other.db"))):
        assert await ding.until_connected()
        assert "5 天" in await Talk(ding)("小李", "年假有几天")
