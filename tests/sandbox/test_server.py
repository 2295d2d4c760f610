"""The stand-in behaves as the platform notes say, so that what works against it works against DingTalk."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from faqbot.sandbox import server
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.faults import API_FAULTS, WEBHOOK_FAULTS, Faults
from tests.conftest import Talk

OPEN = "/v1.0/gateway/connections/open"
TEXT = {"msgtype": "text", "text": {"content": "x"}}
SHORT = aiohttp.ClientTimeout(total=0.5)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@asynccontextmanager
async def connected(
    ding: FakeDingTalk, http: aiohttp.ClientSession, *, close_seconds: float = 5
) -> AsyncIterator[ClientWebSocketResponse]:
    """A client's end of the connection, without the bot; it answers nothing by itself."""
    async with http.post(ding.url + OPEN, json=credentials(ding)) as answer:
        opened = await answer.json()
    address = f"{opened['endpoint']}?ticket={opened['ticket']}"
    wait = aiohttp.ClientWSTimeout(ws_close=close_seconds)
    before = ding.gateway.connections
    async with http.ws_connect(address, autoping=False, timeout=wait) as socket:
        assert await ding.world.until(lambda: ding.gateway.connections > before, 60)
        yield socket


async def frame(socket: ClientWebSocketResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await socket.receive(5)).data)
    return found


async def until_silent(socket: ClientWebSocketResponse, seconds: float = 0.3) -> AsyncIterator[aiohttp.WSMessage]:
    with suppress(TimeoutError):
        while True:
            yield await socket.receive(seconds)


async def silent(socket: ClientWebSocketResponse) -> bool:
    return not [m async for m in until_silent(socket)]


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
    async with connected(ding, http) as socket:
        await ding.gateway.push({"msgId": "one"})
        first, second = [await frame(socket) for _ in range(2)]
    assert first["data"] == second["data"]
    assert first["headers"]["messageId"] != second["headers"]["messageId"]


async def test_an_acknowledged_message_comes_once(ding: FakeDingTalk, http: aiohttp.ClientSession) -> None:
    async with connected(ding, http) as socket:
        (delivery,) = await ding.gateway.push({"msgId": "one"})
        await socket.send_json({"code": 200, "headers": {"messageId": (await frame(socket))["headers"]["messageId"]}})
        await asyncio.wait_for(delivery.acked.wait(), 60)
    assert delivery.again is not None and delivery.again.cancelled()


async def test_a_frozen_connection_swallows_all_until_there_is_another(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    async with connected(ding, http, close_seconds=0.1) as zombie:
        ding.gateway.freeze()
        assert not ding.gateway.connected and not zombie.closed
        assert len(await ding.gateway.push({"msgId": "lost"})) == 1
        assert await ding.gateway.send_raw("x")
        await zombie.ping(b"there?")
        async with connected(ding, http) as alive:
            for _ in range(20):
                await ding.gateway.push({"msgId": "found"})
            assert {(await frame(alive))["data"] for _ in range(20)} == {'{"msgId": "found"}'}
            await alive.ping(b"there?")
            assert (await alive.receive(1)).type is WSMsgType.PONG
        assert await silent(zombie)


async def test_a_frozen_connection_answers_no_goodbye_and_is_forgotten_with_its_client(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    async with connected(ding, http, close_seconds=0.2) as zombie:
        ding.gateway.freeze()
        await zombie.close()
        assert zombie.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
    assert await ding.world.until(lambda: not ding.gateway.frozen, 60)
    assert await ding.gateway.push({"msgId": "lost"}) == []


async def test_a_push_to_all_reaches_each_connection_with_its_own_frame_id(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    ding.faults.update({"deliver_to_all": True, "deliver_times": 2})
    async with connected(ding, http) as one, connected(ding, http) as two:
        assert ding.gateway.connections == 2
        deliveries = await ding.gateway.push({"msgId": "one"})
        frames = [await frame(socket) for socket in (one, one, two, two)]
    assert {f["data"] for f in frames} == {'{"msgId": "one"}'}
    assert {f["headers"]["messageId"] for f in frames} == {d.message_id for d in deliveries} and len(deliveries) == 4


async def test_pings_come_as_often_as_asked_and_stop_when_muted(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    ding.faults.ping_seconds = 0.05
    async with connected(ding, http) as socket:
        found = [await frame(socket) for _ in range(2)]
        assert {f["headers"]["topic"] for f in found} == {"ping"}
        ding.faults.mute_pings = True
        await socket.ping()
        # Pings may have been under way, but no pong comes.
        async with asyncio.timeout(60):
            assert all([m.type is WSMsgType.TEXT async for m in until_silent(socket)])
        ding.faults.mute_pings = False
        assert (await frame(socket))["headers"]["topic"] == "ping"


async def test_after_a_disconnect_nothing_comes_and_the_connection_closes(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    ding.faults.update({"disconnect_close_after": 0.2, "ping_seconds": 0.01})
    async with connected(ding, http) as socket:
        await ding.gateway.disconnect()
        assert await ding.gateway.push({"msgId": "lost"}) == []
        topics = [json.loads(message.data)["headers"]["topic"] async for message in socket]
    assert topics[-1] == "disconnect" and set(topics) <= {"ping", "disconnect"}


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


WEBHOOK_ANSWERS = {
    "busy": -1, "throttled": 410100, "throttled2": 130101, "expired": 300001, "refused": 430104, "unsafe_link": 430101,
    "too_long": 460101,
}  # fmt: skip
WEBHOOK_STATUSES = {"500": 500, "http_403": 403, "redirect": 302, "html": 200}


@pytest.mark.parametrize(("fault", "errcode"), WEBHOOK_ANSWERS.items())
async def test_a_webhook_refuses_on_demand(
    ding: FakeDingTalk, http: aiohttp.ClientSession, fault: str, errcode: int
) -> None:
    ding.faults.update({"webhook_fault": fault, "webhook_fail_next": 1})
    address, _ = ding.webhooks.new_webhook("cid")
    for wanted in (errcode, 0):
        async with http.post(address, json=TEXT) as answer:
            assert answer.status == 200 and (await answer.json())["errcode"] == wanted
    assert [c.errcode for c in ding.webhooks.calls] == [errcode, 0] and len(ding.replies) == 1


@pytest.mark.parametrize(("fault", "status"), WEBHOOK_STATUSES.items())
async def test_a_webhook_breaks_on_demand(
    ding: FakeDingTalk, http: aiohttp.ClientSession, fault: str, status: int
) -> None:
    ding.faults.update({"webhook_fault": fault, "webhook_fail_next": 1})
    address, _ = ding.webhooks.new_webhook("cid")
    async with http.post(address, json=TEXT, allow_redirects=False) as answer:
        assert answer.status == status and answer.content_type != "application/json"
        assert answer.headers.get("Location") == ("https://example.com/" if fault == "redirect" else None)
    assert not ding.replies


@pytest.mark.parametrize(("fault", "shown"), [("hang", 0), ("late", 1), ("reset", 0)])
async def test_a_webhook_says_nothing_on_demand(
    ding: FakeDingTalk, http: aiohttp.ClientSession, fault: str, shown: int
) -> None:
    ding.faults.update({"webhook_fault": fault, "webhook_fail_next": -1})
    address, _ = ding.webhooks.new_webhook("cid")
    with pytest.raises((TimeoutError, aiohttp.ClientConnectionError)):
        await http.post(address, json=TEXT, timeout=SHORT)
    assert await ding.world.until(lambda: len(ding.webhooks.calls) > 0, 60)
    assert len(ding.replies) == shown and ding.faults.webhook_fail_next == -1


async def test_every_webhook_fault_has_a_test() -> None:
    assert set(WEBHOOK_FAULTS) == {"none", "hang", "late", "reset", *WEBHOOK_ANSWERS, *WEBHOOK_STATUSES}


async def test_a_conversation_takes_so_many_messages_per_window(
    ding: FakeDingTalk, http: aiohttp.ClientSession
) -> None:
    ding.faults.update({"webhook_per_minute": 2})

    async def post(conversation: str, body: dict[str, Any] = TEXT) -> int:
        address, _ = ding.webhooks.new_webhook(conversation)
        async with http.post(address, json=body) as answer:
            return int((await answer.json())["errcode"])

    assert [await post("one") for _ in range(4)] == [0, 0, 410100, 410100]
    assert await post("two") == 0 and await post("one", {"msgtype": "empty"}) == 0
    assert len(ding.replies) == 3
    ding.faults.throttle_window = 0.01
    await asyncio.sleep(0.02)
    assert await post("one") == 0


async def test_those_who_wait_hear_of_refused_calls_too(ding: FakeDingTalk, http: aiohttp.ClientSession) -> None:
    ding.faults.update({"webhook_fault": "busy", "webhook_fail_next": -1})
    waiting = asyncio.create_task(ding.world.until(lambda: len(ding.webhooks.calls) == 2, 60))
    address, _ = ding.webhooks.new_webhook("cid")
    for _ in range(2):
        async with http.post(address, json=TEXT):
            pass
    assert await asyncio.wait_for(waiting, 60)


async def test_waiting_ends_with_the_truth(ding: FakeDingTalk) -> None:
    assert await ding.world.until(lambda: True, 0.01)
    assert not await ding.world.until(lambda: False, 0.01)
    assert ding.world.person("小李") is ding.world.person("小李") is not ding.world.person("小王")
    assert ding.world.group("全员群") is ding.world.group("全员群")


def test_the_page_offers_every_fault() -> None:
    page = Path(server.__file__).with_name("chat.html").read_text(encoding="utf-8")
    for name, faults in (("webhook_fault", WEBHOOK_FAULTS), ("api_fault", API_FAULTS)):
        (select,) = re.findall(rf'<select name="{name}">(.*?)</select>', page, re.DOTALL)
        assert sorted(re.findall(r'value="(\w+)"', select)) == sorted(faults)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"webhook_fault": "flood"}, "flood"),
        ({"api_fault": "late"}, "late"),
        ({"api_delay": 61}, "api_delay"),
        ({"ping_seconds": 0}, "ping_seconds"),
        ({"throttle_window": float("nan")}, "throttle_window"),
        ({"webhook_per_minute": -1}, "webhook_per_minute"),
        ({"deliver_times": 21}, "deliver_times"),
        ({"deliver_to_all": 1}, "deliver_to_all"),
        ({"webhook_delay": "1"}, "webhook_delay"),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_a_wrong_knob_is_named_and_changes_nothing(values: dict[str, Any], word: str) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=word):
        faults.update({"mute_pings": True} | values)
    assert faults == Faults()


async def test_the_page_speaks_for_a_person_and_shows_the_answer(talk: Talk, http: aiohttp.ClientSession) -> None:
    ding = talk.ding
    person, group = ding.world.person("小李"), ding.world.group("全员群")
    said = {"conversation": group.id, "person": person.id, "text": "@小助手 年假有几天"}
    async with http.get(f"{ding.url}/sandbox/events") as events:
        async with http.post(f"{ding.url}/sandbox/say", json=said) as answer:
            assert await answer.json() == {"ok": True, "heard": True}
        seen = ""
        async with asyncio.timeout(60):
            while "5 天" not in seen:
                seen += (await events.content.readline()).decode()
    async with http.get(f"{ding.url}/sandbox/state") as answer:
        state = await answer.json()
    assert [m["sender"]["bot"] for m in state["messages"]] == [False, True]


@pytest.mark.parametrize(
    ("shape", "replied"),
    [
        ("object", {"msgType": "text", "content": {"text": "停车费能报吗"}}),
        ("string", {"msgType": "text", "content": '{"text": "停车费能报吗"}'}),
        ("no_text", {"msgType": "interactiveCard", "content": {}}),
        ("nothing", None),
    ],
)
def test_a_quote_comes_in_the_shape_of_the_switch(shape: str, replied: dict[str, object] | None) -> None:
    ding = FakeDingTalk(client_id="dingtest", client_secret="test-secret-value")
    author, asker, group = ding.world.person("小王"), ding.world.person("小李"), ding.world.group("全员群")
    quoted = ding.world.add(group.id, author, kind="text", text="停车费能报吗")
    ding.faults.update({"quote_shape": shape})
    text = ding.payload(asker, "@小助手 这个呢", group, quote=quoted)["text"]
    assert text["isReplyMsg"] is True and text["content"].strip() == "这个呢"
    common = {"msgId": quoted.id, "senderId": author.encrypted_id, "createdAt": quoted.time}
    assert text.get("repliedMsg") == (replied and common | replied)
    explicit = ding.payload(asker, "@小助手 这个呢", group, quote=quoted, quote_shape="object")["text"]
    assert explicit["repliedMsg"]["content"] == {"text": "停车费能报吗"}


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
