"""The stand-in's server-side sends and tokens: what DingTalk refuses, what it shows, and how it fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from faqbot.sandbox.api.robot import GROUP_SEND, PEOPLE_SEND, TOKEN_HEADER, RobotCall
from faqbot.sandbox.server import FakeDingTalk
from faqbot.sandbox.state.faults import API_FAULTS

SHORT = aiohttp.ClientTimeout(total=0.5)
DENIED = "Forbidden.AccessDenied."


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Api:
    """Calls the two sends as a careful client would; `change` spoils or, with None, removes a field."""

    def __init__(self, ding: FakeDingTalk, http: aiohttp.ClientSession) -> None:
        self.ding = ding
        self.http = http
        self.group = ding.world.group("全员群")
        self.person = ding.world.person("小李")
        self.guest = ding.world.person("外部顾问", external=True)
        self.headers = {TOKEN_HEADER: ding.tokens.issue()}

    async def send(
        self, path: str, key: str = "sampleText", param: Any = None, **change: Any
    ) -> tuple[int, dict[str, Any]]:
        async with self.http.post(
            self.ding.url + path, json=self.body(path, key, param, change), headers=self.headers
        ) as a:
            return a.status, await a.json()

    def body(self, path: str, key: str, param: Any, change: Mapping[str, Any]) -> dict[str, Any]:
        shown = param if isinstance(param, str) else json.dumps(param or {"content": "您好 @user-001"})
        body: dict[str, Any] = {"robotCode": self.ding.client_id, "msgKey": key, "msgParam": shown}
        to = {"openConversationId": self.group.id} if path == GROUP_SEND else {"userIds": [self.person.id]}
        return {k: v for k, v in (body | to | dict(change)).items() if v is not None}


@pytest.fixture
def api(ding: FakeDingTalk, http: aiohttp.ClientSession) -> Api:
    return Api(ding, http)


async def test_a_group_send_is_shown_in_the_group_without_a_mention(api: Api) -> None:
    status, answer = await api.send(GROUP_SEND)
    assert status == 200 and set(answer) == {"processQueryKey"}
    (shown,) = api.ding.replies
    assert (shown.conversation, shown.kind, shown.text) == (api.group.id, "text", "您好 @user-001")
    assert shown.mentions == () and not shown.at_all
    (call,) = api.ding.robot.calls
    assert isinstance(call, RobotCall) and (call.path, call.code) == (GROUP_SEND, "ok")
    assert call.body["openConversationId"] == api.group.id and call.started > 0


async def test_a_batch_reaches_those_who_are_there_once_and_names_the_others(api: Api) -> None:
    users = [api.person.id, "nobody", api.guest.id, api.person.id]
    status, answer = await api.send(PEOPLE_SEND, userIds=users)
    assert status == 200 and answer["processQueryKey"]
    assert answer["invalidStaffIdList"] == ["nobody", api.guest.id] and answer["flowControlledStaffIdList"] == []
    assert [m.conversation for m in api.ding.replies] == [api.ding.world.single(api.person).id]


CARD = {"title": "t", "text": "**x**"}
SHOWN: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("sampleMarkdown", {"title": "t", "text": "**x**"}, {"kind": "markdown", "title": "t", "text": "**x**"}),
    ("sampleImageMsg", {"photoURL": "@id"}, {"kind": "image"}),
    (
        "sampleLink",
        CARD | {"picUrl": "", "messageUrl": "https://a"},
        {"kind": "link", "links": ({"title": "t", "url": "https://a", "picture": ""},)},
    ),
    (
        "sampleActionCard",
        CARD | {"singleTitle": "看", "singleURL": "https://a"},
        {"kind": "actionCard", "buttons": ({"title": "看", "url": "https://a"},), "orientation": "0"},
    ),
    (
        "sampleActionCard3",
        CARD | {f"action{k}{n}": f"{k}{n}" for n in (1, 2, 3) for k in ("Title", "URL")},
        {"buttons": tuple({"title": f"Title{n}", "url": f"URL{n}"} for n in (1, 2, 3)), "orientation": "0"},
    ),
    (
        "sampleActionCard6",
        CARD | {f"button{k}{n}": f"{k}{n}" for n in (1, 2) for k in ("Title", "Url")},
        {"buttons": tuple({"title": f"Title{n}", "url": f"Url{n}"} for n in (1, 2)), "orientation": "1"},
    ),
    ("sampleAudio", {"mediaId": "@a", "duration": "4000"}, {"kind": "audio"}),
    ("sampleFile", {"mediaId": "@a", "fileName": "a.pdf", "fileType": "pdf"}, {"kind": "file", "text": "[文件] a.pdf"}),
    (
        "sampleVideo",
        {"duration": "4", "videoMediaId": "@v", "videoType": "mp4", "picMediaId": "@p"},
        {"kind": "video"},
    ),
]


@pytest.mark.parametrize(("key", "param", "wanted"), SHOWN)
async def test_each_kind_of_message_is_shown_as_what_it_is(
    api: Api, key: str, param: dict[str, str], wanted: dict[str, Any]
) -> None:
    assert (await api.send(GROUP_SEND, key, param))[0] == 200
    shown = api.ding.replies[0].as_json()
    assert {name: shown[name] for name in wanted} == wanted


LONG = json.dumps({"content": "年" * 5000}, ensure_ascii=False)
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (GROUP_SEND, {"robotCode": "other"}, "invalidParameter.robotCode.notExsit"),
    (GROUP_SEND, {"robotCode": None}, "invalidParameter.robotCode.notExsit"),
    (GROUP_SEND, {"msgKey": "sampleFax"}, "invalidParameter.msgKey.invalid"),
    (GROUP_SEND, {"msgKey": ["sampleText"]}, "invalidParameter.msgKey.invalid"),
    (GROUP_SEND, {"msgParam": {"content": "x"}}, "invalidParameter.msgParam.invalid"),
    (GROUP_SEND, {"msgParam": None}, "invalidParameter.msgParam.invalid"),
    (GROUP_SEND, {"msgParam": "x"}, "invalidParameter.msgParam.invalid"),
    (GROUP_SEND, {"msgParam": '["x"]'}, "invalidParameter.msgParam.invalid"),
    (GROUP_SEND, {"msgParam": '{"content": ""}'}, "invalidParameter.msgParam.invalid"),
    (GROUP_SEND, {"msgParam": '{"content": 5}'}, "invalidParameter.msgParam.invalid"),
    (GROUP_SEND, {"msgParam": '{"text": "x"}'}, "invalidParameter.msgParam.invalid"),
    (GROUP_SEND, {"msgKey": "sampleActionCard2", "msgParam": json.dumps(CARD)}, "invalidParameter.msgParam.invalid"),
    (GROUP_SEND, {"msgParam": LONG}, "invalidParameter.msgParam.tooLong"),
    (PEOPLE_SEND, {"msgParam": LONG}, "invalidParameter.msgParam.tooLong"),
    (GROUP_SEND, {"openConversationId": "cidother"}, "invalid.openConversationId"),
    (GROUP_SEND, {"openConversationId": "cidsingleuser-001=="}, "invalid.openConversationId"),
    (GROUP_SEND, {"openConversationId": None}, "miss.openConversationId"),
    (PEOPLE_SEND, {"userIds": []}, "invalidParameter.userIds.empty"),
    (PEOPLE_SEND, {"userIds": None}, "invalidParameter.userIds.empty"),
    (PEOPLE_SEND, {"userIds": "user-001"}, "invalidParameter.userIds.empty"),
    (PEOPLE_SEND, {"userIds": [f"u{n}" for n in range(21)]}, "invalidParameter.userIds.overMax"),
    (PEOPLE_SEND, {"userIds": [None]}, "staffId.notExisted"),
]


@pytest.mark.parametrize(("path", "change", "code"), REFUSED)
async def test_a_wrong_call_is_refused_by_its_code(api: Api, path: str, change: dict[str, Any], code: str) -> None:
    api.ding.world.single(api.person)
    status, answer = await api.send(path, **change)
    assert status == 400 and answer["code"] == code and answer["requestid"] and answer["message"]
    assert not api.ding.replies and [c.code for c in api.ding.robot.calls] == [code]


async def test_the_longest_message_is_taken(api: Api) -> None:
    room = 15_000 - len(json.dumps({"content": ""}))
    assert (await api.send(GROUP_SEND, param={"content": "x" * room}))[0] == 200
    status, answer = await api.send(GROUP_SEND, param={"content": "x" * (room + 1)})
    assert (status, answer["code"]) == (400, "invalidParameter.msgParam.tooLong")


async def test_a_body_that_is_no_object_is_refused(api: Api) -> None:
    for raw in (b"", b"x", b"[]", b"\xff"):
        async with api.http.post(api.ding.url + GROUP_SEND, data=raw, headers=api.headers) as answer:
            assert answer.status == 400 and (await answer.json())["code"] == "Missingbody"


@pytest.mark.parametrize("path", [GROUP_SEND, PEOPLE_SEND])
@pytest.mark.parametrize("token", ["missing", "wrong", "expired", "outlived"])
async def test_only_the_present_token_opens(api: Api, path: str, token: str) -> None:
    if token == "missing":
        api.headers = {}
    elif token == "wrong":
        api.headers = {TOKEN_HEADER: "wrong"}
    elif token == "expired":
        api.ding.tokens.expire()
    else:
        api.ding.faults.token_lifetime = 0.01
        api.ding.tokens.issue()
        await asyncio.sleep(0.02)
        api.ding.faults.token_lifetime = 7200.0
    status, answer = await api.send(path)
    assert status == 400 and (answer["code"], answer["message"]) == ("InvalidAuthentication", "不合法的access_token")
    api.headers = {TOKEN_HEADER: api.ding.tokens.issue()}
    assert (await api.send(path))[0] == 200


async def test_tokens_are_counted_renewed_and_replaced(ding: FakeDingTalk, http: aiohttp.ClientSession) -> None:
    async def ask(secret: str = ding.client_secret) -> dict[str, Any]:
        body = {"appKey": ding.client_id, "appSecret": secret}
        async with http.post(f"{ding.url}/v1.0/oauth2/accessToken", json=body) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    ding.faults.token_lifetime = 100
    first, same = await ask(), await ask()
    assert first == same and first["expireIn"] == 100 and ding.tokens.is_valid(first["accessToken"])
    ding.tokens.expire()
    other = await ask()
    assert other["accessToken"] != first["accessToken"] and not ding.tokens.is_valid(first["accessToken"])
    assert (await ask("no"))["code"] == "invalidClientIdOrSecret" and ding.tokens.asked == 4


FAILURES = {
    "qps": (403, DENIED + "QpsLimitForAppkeyAndApi"),
    "api_qps": (403, DENIED + "QpsLimitForApi"),
    "quota": (403, DENIED + "ApiCountLimitForOrg"),
    "permission": (403, DENIED + "AccessTokenPermissionDenied"),
    "ip": (403, DENIED + "IpNotInWhiteList"),
    "auth": (400, "InvalidAuthentication"),
    "busy": (503, "busy"),
    "500": (500, "system.error"),
    "unknown": (400, "unknown.send.result"),
    "gateway_timeout": (504, "gateway.timeout"),
    "unsafe": (400, "contain.notAllowed.content"),
    "disbanded": (400, "group.disbanded"),
}
DETAILS = {
    "permission": ("accessdenieddetail", {"requiredScopes": ["qyapi_robot_sendmsg"]}),
    "ip": ("message", "访问ip不在白名单之中，request ip=203.0.113.7"),
}


@pytest.mark.parametrize(("fault", "wanted"), FAILURES.items())
async def test_a_failure_on_demand_has_its_status_and_code(api: Api, fault: str, wanted: tuple[int, str]) -> None:
    api.ding.faults.update({"api_fault": fault, "api_fail_next": 1})
    status, answer = await api.send(GROUP_SEND)
    assert (status, answer["code"]) == wanted and answer["requestid"]
    if detail := DETAILS.get(fault):
        assert answer[detail[0]] == detail[1]
    assert not api.ding.replies and api.ding.robot.calls[0].code == wanted[1]
    assert (await api.send(GROUP_SEND))[0] == 200, "the fault counts down"


@pytest.mark.parametrize("fault", ["html", "punish", "reset", "hang"])
async def test_a_failure_that_is_no_answer(api: Api, fault: str) -> None:
    api.ding.faults.update({"api_fault": fault, "api_fail_next": 1})
    body = api.body(GROUP_SEND, "sampleText", None, {})
    call = api.http.post(api.ding.url + GROUP_SEND, json=body, headers=api.headers, timeout=SHORT)
    if fault == "html":
        async with call as answer:
            assert answer.status == 200 and answer.content_type == "text/html"
    elif fault == "punish":
        async with call as answer:
            assert {"status": 1111, "punish": "deny", "wait": 5}.items() <= (await answer.json()).items()
    else:
        with pytest.raises(TimeoutError if fault == "hang" else aiohttp.ClientConnectionError):
            await call
    assert await api.ding.world.until(lambda: len(api.ding.robot.calls) > 0, 60)
    assert not api.ding.replies and [c.code for c in api.ding.robot.calls] == [fault]


async def test_undelivered_hides_inside_an_ok_for_people_and_is_a_refusal_for_groups(api: Api) -> None:
    api.ding.faults.update({"api_fault": "undelivered", "api_fail_next": -1})
    status, answer = await api.send(PEOPLE_SEND)
    assert status == 200 and answer["flowControlledStaffIdList"] == [api.person.id]
    status, answer = await api.send(GROUP_SEND)
    assert (status, answer["code"]) == (400, "send.too.fast") and not api.ding.replies


@pytest.mark.parametrize("fault", ["500", "unknown", "gateway_timeout", "reset"])
async def test_an_unknown_outcome_may_have_been_a_delivery(api: Api, fault: str) -> None:
    api.ding.faults.update({"api_fault": fault, "api_fail_next": 1, "api_unknown_delivers": True})
    body = api.body(GROUP_SEND, "sampleText", None, {})
    try:
        async with api.http.post(api.ding.url + GROUP_SEND, json=body, headers=api.headers) as answer:
            assert answer.status != 200
    except aiohttp.ClientConnectionError:
        assert fault == "reset"
    assert len(api.ding.replies) == 1


async def test_every_fault_has_a_test() -> None:
    assert set(API_FAULTS) == {"none", "html", "punish", "reset", "hang", "undelivered", *FAILURES}


async def test_a_delay_holds_the_answer_back(api: Api) -> None:
    api.ding.faults.update({"api_delay": 5})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(api.send(GROUP_SEND), 0.2)
    assert not api.ding.replies
