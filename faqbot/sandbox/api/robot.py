"""The fake robot API: sends messages to a group, or to several people in one batch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from faqbot.sandbox.api.tokens import Tokens
from faqbot.sandbox.state.faults import HANG_SECONDS, Faults
from faqbot.sandbox.state.world import World

GROUP_SEND = "/v1.0/robot/groupMessages/send"
PEOPLE_SEND = "/v1.0/robot/oToMessages/batchSend"
TOKEN_HEADER = "x-acs-dingtalk-access-token"
MAX_PARAM_BYTES = 15_000
MAX_USERS = 20

_PARAMS: dict[str, tuple[str, ...]] = {
    "sampleText": ("content",),
    "sampleMarkdown": ("title", "text"),
    "sampleImageMsg": ("photoURL",),
    "sampleLink": ("title", "text", "picUrl", "messageUrl"),
    "sampleActionCard": ("title", "text", "singleTitle", "singleURL"),
    "sampleActionCard6": ("title", "text", "buttonTitle1", "buttonUrl1", "buttonTitle2", "buttonUrl2"),
    "sampleAudio": ("mediaId", "duration"),
    "sampleFile": ("mediaId", "fileName", "fileType"),
    "sampleVideo": ("duration", "videoMediaId", "videoType", "picMediaId"),
}
for _n in range(2, 6):
    _ACTIONS = [f"action{part}{i}" for i in range(1, _n + 1) for part in ("Title", "URL")]
    _PARAMS[f"sampleActionCard{_n}"] = ("title", "text", *_ACTIONS)
_MAY_BE_EMPTY = {"picUrl"}

_DENIED = "Forbidden.AccessDenied."
_FAULTS = {
    "qps": (403, _DENIED + "QpsLimitForAppkeyAndApi"),
    "api_qps": (403, _DENIED + "QpsLimitForApi"),
    "quota": (403, _DENIED + "ApiCountLimitForOrg"),
    "permission": (403, _DENIED + "AccessTokenPermissionDenied"),
    "ip": (403, _DENIED + "IpNotInWhiteList"),
    "auth": (400, "InvalidAuthentication"),
    "busy": (503, "busy"),
    "500": (500, "system.error"),
    "unknown": (400, "unknown.send.result"),
    "gateway_timeout": (504, "gateway.timeout"),
    "unsafe": (400, "contain.notAllowed.content"),
    "disbanded": (400, "group.disbanded"),
}
_OUTCOME_UNKNOWN = {"500", "unknown", "gateway_timeout", "reset"}
_WORDS = {
    _DENIED + "QpsLimitForAppkeyAndApi": "应用调用该接口的频率超过限制",
    _DENIED + "QpsLimitForApi": "该接口的调用频率超过限制",
    _DENIED + "ApiCountLimitForOrg": "企业本月的接口调用量已用完",
    _DENIED + "AccessTokenPermissionDenied": "应用尚未开通所需的权限：[qyapi_robot_sendmsg]",
    _DENIED + "IpNotInWhiteList": "访问ip不在白名单之中，request ip=203.0.113.7",
    "InvalidAuthentication": "不合法的access_token",
    "Missingbody": "body is mandatory",
    "busy": "系统繁忙",
    "system.error": "系统错误",
    "unknown.send.result": "发送结果未知",
    "gateway.timeout": "网关超时",
    "contain.notAllowed.content": "内容不合规",
    "group.disbanded": "群已解散",
    "send.too.fast": "发送速度太快",
}


class _Refused(Exception):
    """A call is refused; the text is DingTalk's code."""


@dataclass(frozen=True, slots=True)
class RobotCall:
    """One server-side send. `code` is `ok`, DingTalk's code, or a fault without one; `started` is by perf_counter."""

    path: str
    body: Any
    code: str
    started: float


class RobotApi:
    """Accepts messages that reply to nobody, with a token instead of a session webhook."""

    def __init__(self, client_id: str, world: World, faults: Faults, tokens: Tokens) -> None:
        self._client_id = client_id
        self._world = world
        self._faults = faults
        self._tokens = tokens
        self.calls: list[RobotCall] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.post(GROUP_SEND, self._call), web.post(PEOPLE_SEND, self._call)]

    async def _call(self, request: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        body = _object(await request.read())
        if self._faults.api_delay:
            await asyncio.sleep(self._faults.api_delay)
        fault = self._faults.take_api_fault()
        if fault == "undelivered":
            status, answer = _undelivered(request.path, body)
        elif fault in _FAULTS:
            status, answer = _refusal(*_FAULTS[fault])
        elif fault == "none":
            status, answer = self._answer(request, body)
        else:
            status, answer = 0, {"code": fault}
        if self._faults.api_unknown_delivers and fault in _OUTCOME_UNKNOWN:
            self._answer(request, body)
        self.calls.append(RobotCall(request.path, body, answer.get("code", "ok"), started))
        self._world.wake()
        return web.json_response(answer, status=status) if status else await _break(fault, request)

    def _answer(self, request: web.Request, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        try:
            return 200, self._execute(request, body)
        except _Refused as exc:
            return _refusal(400, str(exc))

    def _execute(self, request: web.Request, body: dict[str, Any] | None) -> dict[str, Any]:
        """Execute one call. Raises _Refused before any message is sent."""
        if not self._tokens.is_valid(request.headers.get(TOKEN_HEADER, "")):
            raise _Refused("InvalidAuthentication")
        if body is None:
            raise _Refused("Missingbody")
        if body.get("robotCode") != self._client_id:
            raise _Refused("invalidParameter.robotCode.notExsit")
        content = _content(body.get("msgKey"), body.get("msgParam"))
        if request.path == GROUP_SEND:
            self._world.add(self._group(body), None, **content)
            return {"processQueryKey": secrets.token_urlsafe(24)}
        invalid = self._send_to_people(_user_ids(body), content)
        return _batch_answer(invalid, [])

    def _group(self, body: Mapping[str, Any]) -> str:
        key = body.get("openConversationId")
        if not key:
            raise _Refused("miss.openConversationId")
        conversation = self._world.conversations.get(key) if isinstance(key, str) else None
        if conversation is None or not conversation.is_group:
            raise _Refused("invalid.openConversationId")
        return conversation.id

    def _send_to_people(self, users: list[str], content: Mapping[str, Any]) -> list[str]:
        """Send to the people that exist; return the userIds of the others."""
        invalid: list[str] = []
        for user in users:
            person = self._world.people.get(user)
            if person is None or person.external:
                invalid.append(user)
            else:
                self._world.add(self._world.single(person).id, None, **content)
        return invalid


def _object(raw: bytes | str) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        body = json.loads(raw)
        if isinstance(body, dict):
            return body
    return None


def _user_ids(body: Mapping[str, Any]) -> list[str]:
    users = body.get("userIds")
    if not isinstance(users, list) or not users:
        raise _Refused("invalidParameter.userIds.empty")
    if len(users) > MAX_USERS:
        raise _Refused("invalidParameter.userIds.overMax")
    if not all(isinstance(user, str) and user for user in users):
        raise _Refused("staffId.notExisted")
    return list(dict.fromkeys(users))


def _content(key: Any, param: Any) -> dict[str, Any]:
    """Return the content of a message for the transcript. Raises _Refused."""
    if not isinstance(key, str) or key not in _PARAMS:
        raise _Refused("invalidParameter.msgKey.invalid")
    if not isinstance(param, str):
        raise _Refused("invalidParameter.msgParam.invalid")
    if len(param.encode(errors="replace")) > MAX_PARAM_BYTES:
        raise _Refused("invalidParameter.msgParam.tooLong")
    values = _object(param)
    if values is None or not all(_is_valid_param(name, values.get(name)) for name in _PARAMS[key]):
        raise _Refused("invalidParameter.msgParam.invalid")
    return _transcript_content(key, values)


def _is_valid_param(name: str, value: Any) -> bool:
    return isinstance(value, str) and bool(value or name in _MAY_BE_EMPTY)


def _transcript_content(key: str, values: Mapping[str, str]) -> dict[str, Any]:
    if key.startswith("sampleActionCard"):
        names = _PARAMS[key][2:]
        buttons = tuple({"title": values[t], "url": values[u]} for t, u in zip(names[::2], names[1::2], strict=True))
        orientation = "1" if key == "sampleActionCard6" else "0"
        card = {"kind": "actionCard", "title": values["title"], "text": values["text"]}
        return card | {"buttons": buttons, "orientation": orientation}
    match key:
        case "sampleMarkdown":
            return {"kind": "markdown", "title": values["title"], "text": values["text"]}
        case "sampleLink":
            link = {"title": values["title"], "url": values["messageUrl"], "picture": values["picUrl"]}
            return {"kind": "link", "title": values["title"], "text": values["text"], "links": (link,)}
        case "sampleImageMsg":
            return {"kind": "image", "text": f"[图片] {values['photoURL']}"}
        case "sampleFile":
            return {"kind": "file", "text": f"[文件] {values['fileName']}"}
        case "sampleAudio":
            return {"kind": "audio", "text": "[语音]"}
        case "sampleVideo":
            return {"kind": "video", "text": "[视频]"}
    return {"kind": "text", "text": values["content"]}


def _batch_answer(invalid: list[str], flow_controlled: list[str]) -> dict[str, Any]:
    key = secrets.token_urlsafe(24)
    return {"processQueryKey": key, "invalidStaffIdList": invalid, "flowControlledStaffIdList": flow_controlled}


def _undelivered(path: str, body: Mapping[str, Any] | None) -> tuple[int, dict[str, Any]]:
    if path == GROUP_SEND:
        return _refusal(400, "send.too.fast")
    return 200, _batch_answer([], list((body or {}).get("userIds") or ()))


def _refusal(status: int, code: str) -> tuple[int, dict[str, Any]]:
    answer: dict[str, Any] = {"code": code, "requestid": secrets.token_hex(16), "message": _WORDS.get(code, code)}
    if code.endswith("AccessTokenPermissionDenied"):
        answer["accessdenieddetail"] = {"requiredScopes": ["qyapi_robot_sendmsg"]}
    return status, answer


async def _break(fault: str, request: web.Request) -> web.StreamResponse:
    """Answer with a fault that is no API answer, or not at all."""
    match fault:
        case "html":
            return web.Response(text="<html><body>系统繁忙</body></html>", content_type="text/html")
        case "punish":
            uuid = secrets.token_hex(16)
            return web.json_response({"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": uuid})
        case "hang":
            await asyncio.sleep(HANG_SECONDS)
        case "reset" if request.transport is not None:
            request.transport.abort()
    return web.Response(status=500, text="internal error")
