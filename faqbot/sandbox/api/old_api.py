"""Common handling of the fake old API (oapi host): token, permission, rate limit, faults, error codes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from faqbot.sandbox.api.tokens import Tokens
from faqbot.sandbox.state.faults import HANG_SECONDS, Faults
from faqbot.sandbox.state.world import World

OldApiHandler = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_FAULTS = {
    "qps": (90018, "应用调用该接口的频率超过限制"),
    "api_qps": (90002, "该接口的调用频率超过限制"),
    "quota": (90020, "企业本月的接口调用量已用完"),
    "ip": (60020, "访问ip不在白名单之中，request ip=203.0.113.7"),
    "auth": (40014, "不合法的access_token"),
    "busy": (-1, "系统繁忙"),
    "gateway_timeout": (15, "网关超时"),
}


class OldApiRefusal(Exception):
    """A call is refused with DingTalk's errcode and message."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class OldCall:
    """One call; `code` is the errcode (the sub_code instead of 88), 0 for success."""

    path: str
    body: Mapping[str, Any]
    code: int


class OldApi:
    """`granted` are the permissions of the app, all at first. `per_second` limits calls of a path, 0 does not."""

    def __init__(self, world: World, faults: Faults, tokens: Tokens) -> None:
        self._world = world
        self._faults = faults
        self._tokens = tokens
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self.per_second = 0
        self.granted: set[str] = set()
        self.calls: list[OldCall] = []

    def post(self, path: str, permission: str, answer: OldApiHandler) -> web.RouteDef:
        """Return a route for a JSON body; an empty `permission` requires none."""
        if permission:
            self.granted.add(permission)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, permission, answer)

        return web.post(path, handle)

    def get(self, path: str, answer: OldApiHandler) -> web.RouteDef:
        """Return a route without a body and without a permission."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, "", answer)

        return web.get(path, handle)

    def check_call(self, request: web.Request, permission: str) -> None:
        """Check token, rate and permission of a call. Raises Refused."""
        if not self._tokens.is_valid(request.query.get("access_token", "")):
            raise OldApiRefusal(40014, "不合法的access_token")
        if self._too_fast(request.path):
            raise OldApiRefusal(*_FAULTS["qps"])
        if permission and permission not in self.granted:
            raise OldApiRefusal(60011, f"应用尚未开通所需的权限：[{permission}]，点击链接申请并开通即可")

    def record(self, path: str, body: Mapping[str, Any], code: int) -> None:
        self.calls.append(OldCall(path, body, code))
        self._world.wake()

    async def _handle(self, request: web.Request, permission: str, answer: OldApiHandler) -> web.StreamResponse:
        try:
            body = await request.json()
        except ValueError:
            body = {}
        body = body if isinstance(body, dict) else {}
        if self._faults.api_delay:
            await asyncio.sleep(self._faults.api_delay)
        fault = self._faults.take_api_fault()
        try:
            if fault in ("html", "hang", "reset", "punish"):
                self.record(request.path, body, -2)
                return await _break(fault, request)
            if fault in _FAULTS:
                raise OldApiRefusal(*_FAULTS[fault])
            if fault == "permission":
                raise OldApiRefusal(60011, f"应用尚未开通所需的权限：[{permission}]")
            self.check_call(request, permission)
            result = {"errcode": 0, "errmsg": "ok", **answer(body)}
        except OldApiRefusal as exc:
            result = refusal(exc)
        self.record(request.path, body, int(result.get("sub_code", result["errcode"])))
        return web.json_response({**result, "request_id": secrets.token_hex(6)})

    def _too_fast(self, path: str) -> bool:
        if not self.per_second:
            return False
        now, recent = time.monotonic(), self._recent[path]
        while recent and recent[0] <= now - 1:
            recent.popleft()
        recent.append(now)
        return len(recent) > self.per_second


def refusal(exc: OldApiRefusal) -> dict[str, Any]:
    """Return the body of a refusal. DingTalk puts a missing permission into `sub_code`, all else into `errcode`."""
    if exc.code == 60011:
        return {"errcode": 88, "errmsg": "ding talk error", "sub_code": "60011", "sub_msg": exc.words}
    return {"errcode": exc.code, "errmsg": exc.words}


async def _break(fault: str, request: web.Request) -> web.StreamResponse:
    """Answer with a fault that is no API answer, or not at all."""
    if fault == "html":
        return web.Response(text="<html><body>系统繁忙</body></html>", content_type="text/html")
    if fault == "punish":
        return web.json_response({"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "x"})
    if fault == "hang":
        await asyncio.sleep(HANG_SECONDS)
    elif request.transport is not None:
        request.transport.abort()
    return web.Response(status=500, text="internal error")
