"""The connection: acknowledgements, odd frames, repeats, refusals, reconnecting, stopping."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from faqbot.app.running import Running, running
from faqbot.dingtalk.stream.connection import StreamConnection
from faqbot.errors import AuthFailed, StartError
from faqbot.runtime.metrics import Metrics
from faqbot.sandbox.api.gateway import BOT_MESSAGES
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.conftest import Talk

MESSAGE = {"msgId": "m", "msgtype": "text", "text": {"content": "年假有几天"}, "conversationType": "1"}
HEADERS = {"messageId": "x1", "topic": BOT_MESSAGES, "contentType": "application/json", "time": "1690362102194"}


def frame(data: Any = MESSAGE, kind: Any = "CALLBACK", **headers: Any) -> str:
    shown = data if isinstance(data, str) else json.dumps(data)
    return json.dumps({"specVersion": "1.0", "type": kind, "headers": HEADERS | headers, "data": shown})


ODD_FRAMES = [
    "{这不是 JSON", "", "null", "[]", "[1, 2]", "42", '"text"', "{}", '{"type": null}', '{"type": "CALLBACK"}',
    '{"type": "CALLBACK", "headers": null, "data": "{}"}', '{"type": "CALLBACK", "headers": [], "data": "{}"}',
    '{"type": "SYSTEM"}', '{"type": "SYSTEM", "headers": {"topic": "KEEPALIVE"}}',
    '{"type": "SYSTEM", "headers": {"topic": "CONNECTED", "messageId": "s"}, "data": "{}"}',
    '{"type": "NEWTYPE", "headers": {}, "data": "{}"}',
    frame(kind=7), frame(kind=["CALLBACK"]), frame("not json"), frame("null"), frame("[]"), frame('"x"'), frame("7"),
    frame({}), frame({"msgId": None}), frame(topic="/v1.0/unknown"), frame(topic=None), frame(topic=5),
    frame(time="soon"), frame(time=None), frame(time={}),
    frame(messageId=None), frame(messageId=12), frame(eventBornTime="x"),
    frame(MESSAGE | {"msgId": {"a": 1}}), frame(MESSAGE | {"msgId": "q1", "text": None}),
    frame(MESSAGE | {"msgId": "q2", "text": {"content": None}}), frame(MESSAGE | {"msgId": "q3", "text": "plain"}),
    frame(MESSAGE | {"msgId": "q4", "createAt": "yesterday", "sessionWebhookExpiredTime": []}),
    frame({"msgId": "q5", "msgtype": "text", "errorCode": 20001, "errorMessage": "受调用量超量影响"}),
    frame({"msgtype": "text", "errCode": "20001", "errMsg": "受调用量超量影响"}),
    frame(MESSAGE | {"msgId": "q6", "msgtype": "richText", "content": {"richText": "x"}}),
    frame(MESSAGE | {"msgId": "q7", "msgtype": "richText", "content": {"richText": [None, 1, {"text": None}]}}),
    frame(MESSAGE | {"msgId": "q8", "msgtype": ["text"]}), frame(MESSAGE | {"msgId": "q9", "senderNick": {"a": 1}}),
    frame(MESSAGE | {"msgId": "q10", "sessionWebhook": 12}), frame(MESSAGE | {"msgId": "q11", "conversationType": 2}),
    '{"type": "CALLBACK", "headers": {"topic": "' + BOT_MESSAGES + '"}, "data": {"msgId": "q12"}}',
    '{"type": "EVENT", "headers": {"topic": "*", "eventType": "user_add_org", "eventBornTime": "x"}, "data": "{}"}',
]  # fmt: skip


async def test_odd_frames_and_messages_leave_the_connection_and_the_next_answer_alone(talk: Talk) -> None:
    assert len(ODD_FRAMES) >= 40
    opened = len(talk.ding.gateway.opens)
    for text in ODD_FRAMES:
        assert await talk.ding.gateway.send_raw(text)
    assert "5 天" in await talk("小李", "年假有几天")
    assert len(talk.ding.gateway.opens) == opened, "the connection was lost"


async def test_a_burst_is_read_while_the_store_takes_its_time(ding: FakeDingTalk) -> None:
    begun: list[Any] = []
    may_go_on = asyncio.Event()

    async def receive(data: Any) -> None:
        begun.append(data)
        await may_go_on.wait()

    async with aiohttp.ClientSession() as session:
        stream = StreamConnection(
            *(session, ding.url, ding.client_id, ding.client_secret, receive, Metrics()), proxied=False
        )
        running_stream = asyncio.create_task(stream.run())
        assert await ding.until_connected()
        for number in range(500):
            await ding.gateway.push(MESSAGE | {"msgId": f"m{number}"})
        async with asyncio.timeout(60):
            while len(begun) < 500:
                await asyncio.sleep(0.01)
        may_go_on.set()
        async with asyncio.timeout(60):
            await asyncio.gather(*(delivery.acked.wait() for delivery in ding.gateway.deliveries))
        await stream.stop()
        await running_stream


async def test_the_quota_notice_raises_an_alarm(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    await talk.ding.gateway.push({"msgtype": "text", "errorCode": "20001", "errorMessage": "受调用量超量影响"})
    assert "5 天" in await talk("小李", "年假有几天")
    assert any(r.levelname == "CRITICAL" and r.getMessage() == "quota.used_up" for r in caplog.records)


async def test_a_ping_is_answered_with_its_opaque(bot: Running, ding: FakeDingTalk) -> None:
    headers = {"topic": "ping", "messageId": "ping-1", "contentType": "application/json"}
    found = await ding.gateway.ask({"type": "SYSTEM", "headers": headers, "data": '{"opaque":"abc"}'})
    assert json.loads(found["data"]) == {"opaque": "abc"} and found["code"] == 200


async def test_the_acknowledgement_does_not_wait_for_the_webhook(talk: Talk, ding: FakeDingTalk) -> None:
    ding.faults.webhook_delay = 1.0
    person = ding.world.person("小李")
    (delivery,) = await ding.say(person, "年假有几天", ding.world.single(person))
    await asyncio.wait_for(delivery.acked.wait(), 60)
    assert not ding.replies, "acknowledged only after the reply"
    assert delivery.ack is not None and json.loads(delivery.ack["data"]) == {"response": None}


async def test_one_message_id_gets_one_answer_also_after_a_restart(ding: FakeDingTalk, settings: Settings) -> None:
    person = ding.world.person("小李")
    data = ding.payload(person, "年假有几天", ding.world.single(person))
    async with running(settings):
        assert await ding.until_connected()
        ding.faults.deliver_times = 5
        deliveries = await ding.gateway.push(data)
        assert await ding.world.until(lambda: bool(ding.replies), 60)
        for delivery in deliveries:
            await asyncio.wait_for(delivery.acked.wait(), 60)
    ding.faults.deliver_times = 1
    assert await ding.world.until(lambda: not ding.gateway.connected, 60)
    async with running(settings):
        assert await ding.until_connected()
        (again,) = await ding.gateway.push(data)
        await asyncio.wait_for(again.acked.wait(), 60)
        other = await Talk(ding)("小王", "病假怎么请")
        assert "OA" in other
    assert [m.title for m in ding.replies].count("年假有几天？") == 1


async def test_what_a_dead_process_left_is_answered_by_the_next(ding: FakeDingTalk, settings: Settings) -> None:
    person = ding.world.person("小李")
    ding.faults.webhook_delay = 30
    async with running(settings) as app:
        assert await ding.until_connected()
        (delivery,) = await ding.say(person, "年假有几天", ding.world.single(person))
        await asyncio.wait_for(delivery.acked.wait(), 60)
        await app.bot.drain(0)  # as if killed with the reply under way
    assert not ding.replies
    ding.faults.webhook_delay = 0
    async with running(settings):
        assert await ding.world.until(lambda: bool(ding.replies), 60)
    assert "5 天" in ding.replies[0].text


async def test_wrong_credentials_at_the_first_open_end_the_run(ding: FakeDingTalk, settings: Settings) -> None:
    async with running(replace(settings, client_secret="wrong")) as app:
        with pytest.raises(AuthFailed, match="DINGTALK_CLIENT_SECRET") as caught:
            await asyncio.wait_for(app.finished, 60)
    assert "wrong" not in str(caught.value)


async def test_refused_credentials_later_raise_an_alarm_and_are_tried_again(
    bot: Running, ding: FakeDingTalk, caplog: pytest.LogCaptureFixture
) -> None:
    ding.faults.open_status = 401
    await ding.gateway.drop()
    assert await ding.world.until(lambda: len(ding.gateway.opens) >= 2, 60)
    assert not bot.finished.done()
    ding.faults.open_status = 200
    assert await ding.until_connected(15)
    assert any(r.levelname == "CRITICAL" and r.getMessage() == "stream.auth_failed" for r in caplog.records)


@pytest.mark.parametrize("act", ["disconnect", "drop"])
async def test_a_lost_connection_is_opened_again(talk: Talk, act: str) -> None:
    gateway = talk.ding.gateway
    await getattr(gateway, act)()
    assert await talk.ding.world.until(lambda: len(gateway.opens) == 2 and gateway.connected, 60)
    assert "5 天" in await talk("小李", "年假有几天")


async def test_a_busy_gateway_is_tried_again(ding: FakeDingTalk, settings: Settings) -> None:
    ding.faults.open_status = 503
    async with running(settings) as app:
        assert await ding.world.until(lambda: len(ding.gateway.opens) >= 1, 60)
        ding.faults.open_status = 200
        assert await ding.until_connected(15)
        assert not app.finished.done()


async def test_stopping_finishes_the_reply_under_way(ding: FakeDingTalk, settings: Settings) -> None:
    ding.faults.webhook_delay = 0.5
    async with running(settings):
        assert await ding.until_connected()
        person = ding.world.person("小李")
        (delivery,) = await ding.say(person, "年假有几天", ding.world.single(person))
        await asyncio.wait_for(delivery.acked.wait(), 60)
    assert len(ding.replies) == 1


async def test_stopping_does_not_wait_for_a_gateway_that_hangs(ding: FakeDingTalk, settings: Settings) -> None:
    ding.faults.open_delay = 600
    async with asyncio.timeout(60), running(settings):
        assert await ding.world.until(lambda: len(ding.gateway.opens) == 1, 60)


async def test_a_taken_port_and_a_missing_folder_are_said_plainly(settings: Settings, ding: FakeDingTalk) -> None:
    taken = int(ding.url.rsplit(":", 1)[1])
    await expect_start_error(lambda: start(replace(settings, port=taken)), "已被占用")
    await expect_start_error(lambda: start(replace(settings, knowledge=settings.knowledge / "gone")), "找不到知识目录")
    await expect_start_error(lambda: start(replace(settings, store="sqlite:////gone/x.db")), "打不开存储文件")


async def start(settings: Settings) -> None:
    async with running(settings):
        pass


async def expect_start_error(call: Callable[[], Awaitable[None]], words: str) -> None:
    with pytest.raises(StartError, match=words) as caught:
        await call()
    assert "\n" not in str(caught.value)
