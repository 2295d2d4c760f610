"""Which addresses are called at all, and what each answer of DingTalk means."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from faqbot.dingtalk.api.session_webhook import SessionWebhook
from faqbot.errors import DeliveryError, SessionGone
from faqbot.sandbox.server import FakeDingTalk
from tests.conftest import Talk

ENDPOINTS = ("https://api.dingtalk.com", "https://oapi.dingtalk.com", "http://127.0.0.1:9999")

TRUSTED = [
    "https://oapi.dingtalk.com/robot/sendBySession?session=abc",
    "https://api.dingtalk.com/x",
    "https://OAPI.DingTalk.com/robot/sendBySession?session=abc",
    "https://pre-oapi.dingtalk.com/robot/sendBySession?session=abc",
    "http://127.0.0.1:9999/robot/sendBySession?session=abc",
]
HOSTILE = [
    "", "x", "/robot/sendBySession", "//evil.example/x", "file:///etc/passwd", "ftp://oapi.dingtalk.com/x",
    "http://oapi.dingtalk.com/robot/sendBySession", "https://evil.example/robot/sendBySession?session=abc",
    "https://oapi.dingtalk.com.evil.example/x", "https://evildingtalk.com/x", "https://dingtalk.com.evil.example",
    "https://oapi.dingtalk.com@evil.example/x", "https://oapi.dingtalk.com:x@evil.example/x",
    "https://user@oapi.dingtalk.com/x", "https://user:pass@oapi.dingtalk.com/x",
    "https://evil.example#@oapi.dingtalk.com", "https://evil.example?.dingtalk.com", "https://evil.example\\.dingtalk.com/x",
    "https://evil.example\\@oapi.dingtalk.com/x", "javascript:alert(1)", "data:text/html,x",
    "http://127.0.0.1:9998/x", "https://127.0.0.1:9999/x", "http://localhost:9999/x", "http://127.0.0.1/x",
    "http://169.254.169.254/latest/meta-data", "http://[::1]:9999/x", "https:///oapi.dingtalk.com/x",
    "https://dingtalk.com./x", "ws://127.0.0.1:9999/x", "https://oapi.dingtalk.com:99999999/x",
]  # fmt: skip


@pytest.fixture
async def webhook(ding: FakeDingTalk) -> AsyncIterator[SessionWebhook]:
    async with aiohttp.ClientSession() as session:
        yield SessionWebhook(session, (*ENDPOINTS, ding.url))


@pytest.mark.parametrize("address", TRUSTED)
async def test_a_dingtalk_or_configured_address_is_trusted(webhook: SessionWebhook, address: str) -> None:
    assert webhook.trusted(address) is not None


@pytest.mark.parametrize("address", HOSTILE)
async def test_any_other_address_is_not(webhook: SessionWebhook, address: str) -> None:
    assert webhook.trusted(address) is None
    with pytest.raises(DeliveryError) as caught:
        await webhook.send(address, {"msgtype": "empty"})
    assert caught.value.permanent and (not address or address not in str(caught.value))


async def test_no_request_leaves_for_a_hostile_webhook_and_the_next_answer_comes(talk: Talk) -> None:
    calls: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        calls.append(str(request.url))
        return web.json_response({"errcode": 0})

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", listen)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    host = talk.ding.url.removeprefix("http://")
    person = talk.ding.world.person("小李")
    hostile = [f"http://127.0.0.1:{port}/x", f"http://{host}@127.0.0.1:{port}/x", "file:///etc/hostname"]
    for address in hostile:
        await talk.ding.say(person, "年假有几天", talk.ding.world.single(person), odd={"sessionWebhook": address})
    assert "5 天" in await talk("小李", "年假有几天", group=None)
    await runner.cleanup()
    assert calls == [] and len(talk.ding.replies) == 1


async def test_a_redirect_is_never_followed(ding: FakeDingTalk, webhook: SessionWebhook) -> None:
    seen: list[str] = []

    async def away(request: web.Request) -> web.Response:
        seen.append(request.path)
        raise web.HTTPTemporaryRedirect(f"{ding.url}/robot/sendBySession?session=x")

    app = web.Application()
    app.router.add_post("/robot", away)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(DeliveryError) as caught:
            await SessionWebhook(session, (address,)).send(f"{address}/robot", {"msgtype": "empty"})
    await runner.cleanup()
    assert caught.value.permanent and caught.value.code == "http_307"
    assert seen == ["/robot"] and not ding.webhooks.calls


@pytest.mark.parametrize(
    ("fault", "code", "permanent"),
    [
        ("500", "http_500", False),
        ("html", "http_200", False),
        ("busy", "-1", False),
        ("throttled", "410100", False),
        ("refused", "430104", True),
        ("reset", "reset", False),
    ],
)
async def test_each_failure_says_whether_a_retry_can_help(
    ding: FakeDingTalk, webhook: SessionWebhook, fault: str, code: str, permanent: bool
) -> None:
    address, _ = ding.webhooks.new_webhook("cid")
    ding.faults.update({"webhook_fault": fault, "webhook_fail_next": 1})
    with pytest.raises(DeliveryError) as caught:
        await webhook.send(address, {"msgtype": "empty"})
    assert (caught.value.code, caught.value.permanent) == (code, permanent)
    assert "session=" not in str(caught.value)


async def test_an_expired_session_is_told_apart(ding: FakeDingTalk, webhook: SessionWebhook) -> None:
    with pytest.raises(SessionGone):
        await webhook.send(f"{ding.url}/robot/sendBySession?session=gone", {"msgtype": "empty"})


@pytest.mark.parametrize("fault", ["500", "html", "busy", "reset"])
async def test_a_passing_failure_is_repeated_until_the_answer_arrives_once(talk: Talk, fault: str) -> None:
    talk.ding.faults.update({"webhook_fault": fault, "webhook_fail_next": 1})
    assert "5 天" in await talk("小李", "年假有几天")
    assert len(talk.ding.replies) == 1
