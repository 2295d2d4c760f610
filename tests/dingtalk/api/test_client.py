"""Calls of the server API: the token, the pace, what each failure becomes, and what a robot's sends bring about."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.robot import Robot
from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.errors import ContentRefused, DeliveryError, NeedsAdmin, OutcomeUnknown, StoreError, Throttled, TokenRefused
from faqbot.sandbox.api.robot import GROUP_SEND, PEOPLE_SEND
from faqbot.sandbox.server import FakeDingTalk
from faqbot.store.opening import open_store
from faqbot.store.protocol import SlotStore, Store
from tests.dingtalk.api.test_tokens import logged, serving

SECRET = "test-secret-value"
OLD = "/topapi/v2/user/get"


class FakeSlots:
    """Records what was booked; every slot is `wait` seconds away, or the store is."""

    def __init__(self, wait: float = 0.0, *, away: bool = False) -> None:
        self.booked: list[tuple[str, float]] = []
        self._wait = wait
        self._away = away

    async def reserve(self, key: str, gap: float) -> float:
        self.booked.append((key, gap))
        if self._away:
            raise StoreError("连不上 Redis")
        return self._wait


class Parts:
    """The bot's real parts against the stand-in; `calls` are what `called` heard."""

    def __init__(self, ding: FakeDingTalk, session: aiohttp.ClientSession, store: Store) -> None:
        self.ding = ding
        self.calls: list[tuple[str, str]] = []
        self.slots = FakeSlots()
        self._session = session
        self._store = store
        self.group = ding.world.group("全员群").id
        self.person = ding.world.person("小李")
        self.api = self.make()
        self.robot = Robot(self.api, ding.client_id)

    def make(
        self, *, secret: str = SECRET, openapi: str = "", oapi: str = "", slots: SlotStore | None = None, qps: int = 20
    ) -> OpenApi:
        tokens = AccessTokens(self._session, self.ding.url, self.ding.client_id, secret, self._store)
        hosts = (openapi or self.ding.url, oapi or self.ding.url)
        slots = slots or self.slots
        return OpenApi(self._session, *hosts, tokens, slots, qps=qps, called=lambda *call: self.calls.append(call))

    def fail(self, fault: str, times: int = 1) -> None:
        self.ding.faults.update({"api_fault": fault, "api_fail_next": times})

    async def send(self) -> None:
        await self.robot.to_group(self.group, "年假", "年假 **5 天**")

    @property
    def codes(self) -> list[str]:
        return [call.code for call in self.ding.robot.calls]


@pytest.fixture
async def parts(ding: FakeDingTalk, tmp_path: Path) -> AsyncIterator[Parts]:
    store = await open_store(f"sqlite:///{tmp_path / 'api.db'}")
    async with aiohttp.ClientSession() as session:
        yield Parts(ding, session, store)
    await store.close()


# -- the token -------------------------------------------------------------------------------------


async def test_the_first_call_fetches_a_token_and_the_next_ones_use_it(parts: Parts) -> None:
    for _ in range(3):
        await parts.send()
    assert parts.codes == ["ok"] * 3 and parts.ding.tokens.asked == 1


async def test_a_refused_token_is_renewed_and_the_call_repeated_once(parts: Parts) -> None:
    await parts.send()
    parts.ding.tokens.expire()
    await parts.send()
    assert parts.codes == ["ok", "InvalidAuthentication", "ok"]
    assert parts.ding.tokens.asked == 2 and len(parts.ding.replies) == 2


async def test_a_second_refusal_is_raised_and_not_repeated_for_ever(parts: Parts) -> None:
    parts.fail("auth", -1)
    with pytest.raises(TokenRefused):
        await parts.send()
    assert parts.codes == ["InvalidAuthentication"] * 2 and parts.ding.tokens.asked == 2


async def test_many_calls_refused_together_cost_one_renewal(parts: Parts) -> None:
    await parts.send()
    parts.ding.tokens.expire()
    await asyncio.gather(*(parts.send() for _ in range(20)))
    assert parts.ding.tokens.asked == 2 and len(parts.ding.replies) == 21


async def test_many_calls_refused_although_the_token_is_good_cost_one_renewal(parts: Parts) -> None:
    await parts.send()
    parts.fail("auth", 20)
    await asyncio.gather(*(parts.send() for _ in range(20)))
    assert parts.ding.tokens.asked == 2 and len(parts.ding.replies) == 21


async def test_wrong_credentials_are_an_alarm_and_no_call(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NeedsAdmin, match="DINGTALK_CLIENT_SECRET"):
        await parts.make(secret="wrong-secret-value").new(GROUP_SEND, {})
    (alarm,) = [r for r in caplog.records if r.levelno == logging.CRITICAL]
    assert "DINGTALK_CLIENT_SECRET" in logged(caplog) and "wrong-secret-value" not in logged(caplog)
    assert alarm.getMessage() == "api.needs_admin" and not parts.codes


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("permission", "权限管理.*qyapi_robot_sendmsg|qyapi_robot_sendmsg.*权限管理"),
        ("ip", "203.0.113.7"),
        ("quota", "额度"),
    ],
)
async def test_what_only_an_admin_can_mend_is_an_alarm_that_says_what_to_do(
    parts: Parts, caplog: pytest.LogCaptureFixture, fault: str, wanted: str
) -> None:
    parts.fail(fault)
    with pytest.raises(NeedsAdmin, match=wanted) as caught:
        await parts.send()
    assert caught.value.permanent and len(parts.codes) == 1
    (alarm,) = [r for r in caplog.records if r.levelno == logging.CRITICAL]
    assert getattr(alarm, "fields")["what"] == str(caught.value)  # noqa: B009  mypy does not know it


async def test_so_it_is_when_the_call_was_repeated_with_a_new_token(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter([(400, "InvalidAuthentication"), (403, "Forbidden.AccessDenied.ApiCountLimitForOrg")])

    async def refuse(request: web.Request) -> web.Response:
        status, code = next(answers)
        return web.json_response({"code": code, "message": code}, status=status)

    async with serving(refuse) as url:
        with pytest.raises(NeedsAdmin):
            await parts.make(openapi=url).new(GROUP_SEND, {})
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL] == ["api.needs_admin"]


# -- the pace --------------------------------------------------------------------------------------


async def test_each_call_books_a_slot_of_its_own_api(parts: Parts) -> None:
    await parts.send()
    await parts.robot.to_person(parts.person.id, "年假", "5 天")
    assert parts.slots.booked == [(f"api:{GROUP_SEND}", 1 / 20), (f"api:{PEOPLE_SEND}", 1 / 20)]


async def test_a_repeated_call_books_a_slot_too(parts: Parts) -> None:
    parts.fail("auth")
    await parts.send()
    assert len(parts.slots.booked) == len(parts.codes) == 2


async def test_a_call_waits_for_its_slot(parts: Parts) -> None:
    robot = Robot(parts.make(slots=FakeSlots(0.15)), parts.ding.client_id)
    began = time.perf_counter()
    await robot.to_group(parts.group, "年假", "5 天")
    # The earliest it may come; a slow machine makes it later, never earlier.
    assert parts.ding.robot.calls[0].started - began >= 0.14


async def test_while_the_store_is_away_calls_go_on_unpaced(parts: Parts) -> None:
    slots = FakeSlots(away=True)
    robot = Robot(parts.make(slots=slots), parts.ding.client_id)
    await robot.to_group(parts.group, "年假", "5 天")
    assert parts.codes == ["ok"] and len(slots.booked) == 1


@pytest.mark.parametrize(("fault", "wait"), [("qps", 1.0), ("api_qps", 5.0)])
async def test_a_call_that_came_too_fast_says_how_long_to_wait(parts: Parts, fault: str, wait: float) -> None:
    parts.fail(fault)
    with pytest.raises(Throttled) as caught:
        await parts.send()
    assert caught.value.wait == wait and not caught.value.permanent and len(parts.codes) == 1


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "code", "permanent"),
    [
        ("500", OutcomeUnknown, "system.error", False),
        ("unknown", OutcomeUnknown, "unknown.send.result", False),
        ("gateway_timeout", OutcomeUnknown, "gateway.timeout", False),
        ("reset", OutcomeUnknown, "reset", False),
        ("hang", OutcomeUnknown, "timeout", False),
        ("busy", DeliveryError, "busy", False),
        ("html", DeliveryError, "http_200", False),
        ("punish", Throttled, "ip_banned", False),
        ("undelivered", Throttled, "send.too.fast", False),
        ("unsafe", ContentRefused, "contain.notAllowed.content", True),
        ("disbanded", DeliveryError, "group.disbanded", True),
    ],
)
async def test_each_failure_says_what_the_caller_can_do(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, fault: str, kind: type[DeliveryError], code: str, permanent: bool
) -> None:
    await parts.send()
    monkeypatch.setattr("faqbot.dingtalk.api.http.TIMEOUT", aiohttp.ClientTimeout(total=0.3))
    parts.fail(fault)
    with pytest.raises(DeliveryError) as caught:
        await parts.send()
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.permanent) == (code, permanent)
    assert len(parts.codes) == 2, "it is the caller who repeats"


async def test_an_answer_that_breaks_off_leaves_the_outcome_unknown(parts: Parts) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"processQueryKey"')
        assert request.transport is not None
        request.transport.close()
        return response

    async with serving(half) as url:
        with pytest.raises(OutcomeUnknown):
            await parts.make(openapi=url).new("/v1.0/x", {})


async def test_nobody_listening_is_a_failure_that_cannot_have_arrived(parts: Parts) -> None:
    with pytest.raises(DeliveryError) as caught:
        await parts.make(openapi="http://127.0.0.1:1").new("/v1.0/x", {})
    assert type(caught.value) is DeliveryError and caught.value.code == "connect" and not caught.value.permanent


async def test_a_redirect_is_not_followed_with_the_token(parts: Parts) -> None:
    seen: list[str] = []

    async def away(request: web.Request) -> web.Response:
        seen.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async with serving(away) as url:
        with pytest.raises(DeliveryError) as caught:
            await parts.make(openapi=url).new("/v1.0/x", {})
    assert caught.value.permanent and seen == ["/v1.0/x"]


# -- the old host ----------------------------------------------------------------------------------


class OldHost:
    """Answers old calls with what is left in `answers`, then with 0/ok."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.queries: list[dict[str, str]] = []
        self.bodies: list[Any] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(dict(request.query))
        self.bodies.append(await request.json())
        answer = self.answers.pop(0) if self.answers else {"errcode": 0, "errmsg": "ok", "result": {"name": "小李"}}
        if answer == "reset":
            assert request.transport is not None
            request.transport.abort()
        elif answer == "hang":
            await asyncio.sleep(30)
        elif isinstance(answer, int):
            return web.Response(status=answer, text="<html>no</html>", content_type="text/html")
        return web.json_response(answer)


async def test_an_old_call_has_the_token_in_its_query_and_the_rest_in_its_body(parts: Parts) -> None:
    old = OldHost()
    async with serving(old.answer) as url:
        answer = await parts.make(oapi=url).old("topapi/v2/user/get", {"userid": "user-001"})
        await parts.make(oapi=url).old("/topapi/v2/user/get", {"userid": "user-001"})
    assert answer["result"] == {"name": "小李"}
    assert [set(query) for query in old.queries] == [{"access_token"}] * 2
    assert parts.ding.tokens.is_valid(old.queries[0]["access_token"])
    assert old.bodies == [{"userid": "user-001"}] * 2


@pytest.mark.parametrize("code", [40014, 42001, 41001, 40001, "40014"])
async def test_an_old_call_renews_a_refused_token_once(parts: Parts, code: int | str) -> None:
    old = OldHost({"errcode": code, "errmsg": "不合法的access_token"})
    async with serving(old.answer) as url:
        assert (await parts.make(oapi=url).old(OLD, {}))["errcode"] == 0
    assert len(old.queries) == 2 and parts.ding.tokens.asked == 2
    assert parts.calls == [(OLD, str(int(code))), (OLD, "ok")]


@pytest.mark.parametrize(
    "answer", [{"errcode": -1, "errmsg": "系统繁忙"}, {"errcode": 40035}, {"errcode": 90018}, 500, 403, "reset", "hang"]
)
async def test_the_token_of_an_old_call_is_never_in_an_error_or_a_log_line(
    parts: Parts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("faqbot.dingtalk.api.http.TIMEOUT", aiohttp.ClientTimeout(total=0.3))
    old = OldHost(answer)
    async with serving(old.answer) as url:
        with pytest.raises(DeliveryError) as caught:
            await parts.make(oapi=url).old(OLD, {})
    token = old.queries[0]["access_token"]
    assert token and token not in str(caught.value) + repr(caught.value) + logged(caplog)


# -- what is counted -------------------------------------------------------------------------------


async def test_every_answered_call_is_heard_of_with_its_code(parts: Parts) -> None:
    await parts.send()
    for fault in ("auth", "quota", "busy", "html", "reset"):
        parts.fail(fault)
        with contextlib.suppress(DeliveryError):
            await parts.send()
    codes = ["ok", "InvalidAuthentication", "ok", "Forbidden.AccessDenied.ApiCountLimitForOrg", "busy", "http_200"]
    assert parts.calls == [(GROUP_SEND, code) for code in codes], "a reset is no answer"


# -- the robot -------------------------------------------------------------------------------------


async def test_a_group_message_arrives_as_it_was_written(parts: Parts) -> None:
    await parts.robot.to_group(parts.group, "年假" * 100, '小李：\n\n年假 **5 天** "引号" \\ 😀')
    (shown,) = parts.ding.replies
    assert (shown.conversation, shown.kind) == (parts.group, "markdown")
    assert shown.text == '小李：\n\n年假 **5 天** "引号" \\ 😀' and shown.title == ("年假" * 100)[:64]
    body = parts.ding.robot.calls[0].body
    assert isinstance(body["msgParam"], str) and set(json.loads(body["msgParam"])) == {"title", "text"}


async def test_a_message_without_a_title_has_one(parts: Parts) -> None:
    await parts.robot.to_group(parts.group, "", "5 天")
    assert parts.ding.replies[0].title


async def test_a_colleague_gets_it_in_the_single_chat(parts: Parts) -> None:
    await parts.robot.to_person(parts.person.id, "年假", "5 天")
    (shown,) = parts.ding.replies
    assert (shown.conversation, shown.text) == (parts.ding.world.single(parts.person).id, "5 天")


async def test_somebody_dingtalk_does_not_know_is_an_error_that_says_where_to_look(parts: Parts) -> None:
    with pytest.raises(DeliveryError, match="可见范围") as caught:
        await parts.robot.to_person("nobody", "年假", "5 天")
    assert (caught.value.code, caught.value.permanent) == ("invalid_staff", True) and not parts.ding.replies


async def test_somebody_dingtalk_holds_back_is_a_reason_to_wait(parts: Parts) -> None:
    parts.fail("undelivered")
    with pytest.raises(Throttled) as caught:
        await parts.robot.to_person(parts.person.id, "年假", "5 天")
    assert (caught.value.code, caught.value.wait) == ("flow_controlled", 10.0)


async def test_an_upload_that_names_no_file_is_a_failure_like_any_other(parts: Parts) -> None:
    async def nameless(request: web.Request) -> web.Response:
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async with serving(nameless) as url:
        with pytest.raises(DeliveryError, match="media_id"):
            await parts.make(oapi=url).upload_image("a.png", b"x")
