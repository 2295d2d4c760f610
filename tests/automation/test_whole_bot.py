"""The routine jobs in the whole bot, against the stand-in: from the file to the message in the group."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from faqbot.app.running import running
from faqbot.automation.run_log import RUNS_JOURNAL, unpack_runs
from faqbot.dingtalk.stream.connection import StreamConnection
from faqbot.model.notices import Event
from faqbot.runtime.metrics import Metrics
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.automation.replica import Clock

RULES = """\
robots:
  all-hands: {token: $TOKEN, secret: $SECRET}
allow_http: [127.0.0.1]
automations:
  - id: standup
    when: {at: "09:00", on: workday}
    do: [{notify: {robot: all-hands, text: 早啊！站会开始啰～, at_mobiles: ["13800000001"]}}]
  - id: new-customer
    when: {event: crm.customer.created}
    do: [{notify: {robot: all-hands, markdown: "### 新客户 {name}"}}]
  - id: newcomer
    when: {event: dingtalk.user_add_org}
    do: [{notify: {robot: all-hands, text: "欢迎新同事 {userId.0}", at_userids: ["{userId}"]}}]
  - id: erp
    when: {event: erp.push}
    do: [{http: {url: "http://127.0.0.1:9/in", body: {n: "{n}"}}}]
"""
GROUP = "全员群"


@pytest.fixture
def ready(ding: FakeDingTalk, settings: Settings, knowledge: Path) -> Settings:
    robot = ding.robots.add("all-hands", GROUP, secret="SEC" + "0" * 61)
    (knowledge / "automations.yaml").write_text(RULES, encoding="utf-8")
    return replace(settings, environ={"TOKEN": robot.token, "SECRET": robot.secret})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def test_the_morning_call_appears_in_the_group_with_its_mention(ding: FakeDingTalk, ready: Settings) -> None:
    clock = Clock("2026-11-25 08:59")
    ding.robots.clock = clock
    async with running(ready, clock) as app:
        await asyncio.sleep(0.1)
        clock.set("2026-11-25 09:00")
        app.automation.scheduler.wake()
        await until(lambda: bool(ding.robots.calls))
        await app.outbox.idle()
    (call,) = ding.robots.calls
    assert (call.robot, call.errcode) == ("all-hands", 0)
    assert call.body["text"]["content"] == "早啊！站会开始啰～\n\n@13800000001"
    assert call.body["at"] == {"atMobiles": ["13800000001"]}


async def test_an_event_that_was_waiting_is_acted_on_once(ding: FakeDingTalk, ready: Settings) -> None:
    clock = Clock("2026-11-25 10:00")
    ding.robots.clock = clock
    async with running(ready, clock) as app:
        events = app.automation.events
        for _ in range(2):
            await events.accept(Event("crm.customer.created", "1", clock(), {"name": "星野*科技*"}))
        await until(lambda: bool(ding.robots.calls))
        await app.outbox.idle()
        (run,) = unpack_runs(await app.store.journal(RUNS_JOURNAL, 0))
        assert (run.key, run.outcome) == ("new-customer#1", "done")
        outcome = await app.outbox.outcome(run.notices[0])
        assert outcome
        assert outcome.sent
    assert [call.body["markdown"]["text"] for call in ding.robots.calls] == ["### 新客户 星野＊科技＊"]


@pytest.mark.parametrize(
    ("status", "outcome", "why"),
    [(200, "done", "对方回答 HTTP 200"), (302, "failed", "要求转到别的地址，没有照办"), (400, "failed", "没有接受")],
)
async def test_json_goes_to_an_allowed_address_and_no_further(
    ready: Settings, knowledge: Path, status: int, outcome: str, why: str
) -> None:
    got: list[object] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app_there = web.Application()
    app_there.add_routes([web.post("/in", take), web.post("/elsewhere", take)])
    runner = web.AppRunner(app_there)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    (knowledge / "automations.yaml").write_text(RULES.replace(":9/", f":{port}/"), encoding="utf-8")
    clock = Clock("2026-11-25 10:00")
    try:
        async with running(ready, clock) as app:
            await app.automation.events.accept(Event("erp.push", "1", clock(), {"n": 7}))
            async with asyncio.timeout(60):
                while not (runs := unpack_runs(await app.store.journal(RUNS_JOURNAL, 0))):
                    await asyncio.sleep(0.02)
    finally:
        await runner.cleanup()
    assert got == [{"n": 7}]
    assert runs[0].outcome == outcome
    assert why in runs[0].why


JOINED = {"timeStamp": 43535463645, "optStaffId": "boss", "userId": ["u1", "u2"]}


async def test_dingtalks_own_event_starts_a_rule_once(ding: FakeDingTalk, ready: Settings) -> None:
    async with running(ready) as app:
        assert await ding.until_connected()
        for _ in range(2):
            delivery = await ding.gateway.happen("user_add_org", JOINED, "event-1")
            assert delivery
            await asyncio.wait_for(delivery.acked.wait(), 60)
            assert delivery.ack
            assert json.loads(delivery.ack["data"])["status"] == "SUCCESS"
        ignored = await ding.gateway.happen("user_leave_org", JOINED)
        assert ignored
        await asyncio.wait_for(ignored.acked.wait(), 60)
        await until(lambda: bool(ding.robots.calls))
        await app.outbox.idle()
        runs = unpack_runs(await app.store.journal(RUNS_JOURNAL, 0))
    assert [run.key for run in runs] == ["newcomer#event-1"]
    (call,) = ding.robots.calls
    assert call.body["at"] == {"atUserIds": ["u1", "u2"]}
    assert call.body["text"]["content"].startswith("欢迎新同事 u1")


async def test_events_are_asked_for_only_while_a_rule_wants_them(ding: FakeDingTalk) -> None:
    wanted = False

    def subscriptions() -> list[str]:
        return [s["type"] for s in ding.gateway.opens[-1]["subscriptions"]]

    async def receive(data: object) -> None: ...

    async with aiohttp.ClientSession() as session:
        stream = StreamConnection(
            *(session, ding.url, ding.client_id, ding.client_secret, receive, Metrics()),
            proxied=False,
            poll_interval=0.05,
            wants_events=lambda: wanted,
        )
        running_stream = asyncio.create_task(stream.run())
        assert await ding.until_connected()
        assert subscriptions() == ["CALLBACK"]
        wanted = True
        await until(lambda: subscriptions() == ["CALLBACK", "EVENT"])
        await until(lambda: stream.connected)
        await stream.stop()
        await running_stream
