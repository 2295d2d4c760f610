"""The stand-in behaves as the platform notes say, so that what works against it works against DingTalk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from faqbot.sandbox.faults import Faults
from faqbot.sandbox.server import FakeDingTalk
from tests.conftest import Talk

OPEN = "/v1.0/gateway/connections/open"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def credentials(ding: FakeDingTalk) -> dict[str, str]:
    return {"clientId": ding.client_id, "clientSecret": ding.client_secret}


async def test_a_wrong_secret_is_refused_as_auth_failed(ding: FakeDingTalk, http: aiohttp.ClientSession) -> None:
    async with http.post(ding.url + OPEN, json={"clientId": ding.client_id, "clientSecret": "no"}) as answer:
        assert answer.status == 401 and (await answer.json())["code"] == "authFailed"


async def test_a_ticket_opens_one_connection(ding: FakeDingTalk, http: aiohttp.ClientSession) -> None:
    async with http.post(ding.url + OPEN, json=credentials(ding)) as answer:
        opened = await answer.json()
    address = f"{opened['endpoint']}?ticket={opened['ticket']}"
    async with http.ws_connect(address):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(address)


async def test_without_an_acknowledgement_the_same_message_comes_again_with_a_new_frame_id(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    ding.faults.redeliver_after = 0.05
    async with http.post(ding.url + OPEN, json=credentials(ding)) as answer:
        opened = await answer.json()
    async with http.ws_connect(f"{opened['endpoint']}?ticket={opened['ticket']}") as socket:
        await ding.gateway.push({"msgId": "one"})
        first, second = [json.loads((await socket.receive()).data) for _ in range(2)]
    assert first["data"] == second["data"]
    assert first["headers"]["messageId"] != second["headers"]["messageId"]


async def test_both_token_calls_give_one_token_while_it_is_valid(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    body = {"appKey": ding.client_id, "appSecret": ding.client_secret}
    async with http.post(f"{ding.url}/v1.0/oauth2/accessToken", json=body) as answer:
        new = await answer.json()
    async with http.get(
        f"{ding.url}/gettoken", params={"appkey": ding.client_id, "appsecret": ding.client_secret}
    ) as a:
        old = await a.json()
    assert new["accessToken"] == old["access_token"] and new["expireIn"] == 7200
    async with http.post(f"{ding.url}/v1.0/oauth2/accessToken", json=body | {"appSecret": "no"}) as answer:
        assert answer.status == 400 and (await answer.json())["code"] == "invalidClientIdOrSecret"
    async with http.get(f"{ding.url}/gettoken", params={"appkey": "x", "appsecret": "y"}) as answer:
        assert (await answer.json())["errcode"] == 40089


@pytest.mark.parametrize(
    ("raw", "content_type", "errcode"),
    [
        (b'{"msgtype":"text","text":{"content":"x"}}', "application/json", 0),
        (b'{"msgtype":"text","text":{"content":"x"}}', "text/plain", 43004),
        (b"", "application/json", 40035),
        (b'{"msgtype":"image"}', "application/json", 400105),
        (b'{"msgtype":"markdown","markdown":{"text":"x"}}', "application/json", 40035),
        (json.dumps({"msgtype": "text", "text": {"content": "x" * 20_000}}).encode(), "application/json", 460101),
    ],
)
async def test_a_webhook_judges_the_body_as_dingtalk_does(
    ding: FakeDingTalk, http: aiohttp.ClientSession, raw: bytes, content_type: str, errcode: int
) -> None:
    address, _ = ding.webhooks.new_webhook("cid")
    async with http.post(address, data=raw, headers={"Content-Type": content_type}) as answer:
        assert answer.status == 200 and (await answer.json())["errcode"] == errcode


async def test_a_webhook_past_its_time_does_not_exist(ding: FakeDingTalk, http: aiohttp.ClientSession) -> None:
    ding.faults.webhook_lifetime = -1
    address, _ = ding.webhooks.new_webhook("cid")
    async with http.post(address, json={"msgtype": "empty"}) as answer:
        assert (await answer.json())["errcode"] == 300001


async def test_the_page_speaks_for_a_person_and_shows_the_answer(talk: Talk, http: aiohttp.ClientSession) -> None:
    ding = talk.ding
    person, group = ding.world.person("小李"), ding.world.group("全员群")
    said = {"conversation": group.id, "person": person.id, "text": "@小助手 年假有几天"}
    async with http.get(f"{ding.url}/sandbox/events") as events:
        async with http.post(f"{ding.url}/sandbox/say", json=said) as answer:
            assert await answer.json() == {"ok": True, "heard": True}
        seen = ""
        async with asyncio.timeout(5):
            while "5 天" not in seen:
                seen += (await events.content.readline()).decode()
    async with http.get(f"{ding.url}/sandbox/state") as answer:
        state = await answer.json()
    assert [m["sender"]["bot"] for m in state["messages"]] == [False, True]


async def test_the_page_takes_orders_only_as_json_and_explains_refusals(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{ding.url}/sandbox/switches", data='{"deliver_times": 2}') as answer:
        assert answer.status == 415
    async with http.post(f"{ding.url}/sandbox/switches", json={"webhook_fault": "flood"}) as answer:
        assert answer.status == 400 and "flood" in (await answer.json())["error"]
    async with http.post(f"{ding.url}/sandbox/say", json={"person": "nobody"}) as answer:
        assert answer.status == 400
    assert ding.faults == Faults()


async def test_a_message_while_nobody_is_connected_is_lost_and_the_page_says_so(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    person = ding.world.person("小李")
    said = {"conversation": ding.world.single(person).id, "person": person.id, "text": "年假"}
    async with http.post(f"{ding.url}/sandbox/say", json=said) as answer:
        assert answer.status == 409 and "没有连接" in (await answer.json())["error"]
