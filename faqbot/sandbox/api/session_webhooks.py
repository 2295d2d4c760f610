"""The fake session webhooks, through which the bot replies."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from faqbot.sandbox.state.faults import HANG_SECONDS, Faults
from faqbot.sandbox.state.world import World

MAX_BODY_BYTES = 20_000
_TYPES = {"text", "markdown", "link", "actionCard", "feedCard", "empty"}
_GONE = (300001, "session 不存在")
_TOO_FAST = (410100, "发送速度太快而限流")
_TOO_LONG = (460101, "message too long, exceed 20000 bytes")
_FAULTS = {
    "busy": (-1, "系统繁忙"),
    "throttled": _TOO_FAST,
    "throttled2": (130101, "send too fast, exceed 20 times per minute"),
    "expired": _GONE,
    "refused": (430104, "内容不合规"),
    "unsafe_link": (430101, "链接不安全"),
    "too_long": _TOO_LONG,
}


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """One call of a session webhook, accepted or not; `started` is a perf_counter reading."""

    conversation: str
    body: Any
    errcode: int
    started: float


class WebhookReplies:
    """Creates session webhooks and accepts the posts of the bot to them."""

    def __init__(self, world: World, faults: Faults, clock: Callable[[], float] = time.time) -> None:
        self._world = world
        self._faults = faults
        self._clock = clock
        self._sessions: dict[str, tuple[str, float]] = {}
        self._accepted_at: dict[str, deque[float]] = {}
        self.calls: list[WebhookCall] = []
        self.base_url = ""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/robot/sendBySession", self._send_by_session)]

    def new_webhook(self, conversation: str) -> tuple[str, int]:
        """Return a webhook for one conversation, and when it expires in milliseconds."""
        session = secrets.token_hex(16)
        until = self._clock() + self._faults.webhook_lifetime
        self._sessions[session] = (conversation, until)
        return f"{self.base_url}/robot/sendBySession?session={session}", int(until * 1000)

    async def _send_by_session(self, request: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        raw = await request.read()
        if self._faults.webhook_delay:
            await asyncio.sleep(self._faults.webhook_delay)
        fault = self._faults.take_webhook_fault()
        if fault not in ("none", "late"):
            return await self._fail(fault, request, started)
        conversation, until = self._sessions.get(request.query.get("session", ""), ("", 0.0))
        code, text, body = check_body(raw, request.content_type)
        visible = code == 0 and body["msgtype"] != "empty"
        if not conversation or self._clock() > until:
            code, text = _GONE
        elif visible and self._too_fast(conversation):
            code, text = _TOO_FAST
        self._record(WebhookCall(conversation, body, code, started))
        if visible and code == 0:
            self._world.add(conversation, None, **transcript_content(body))
        if fault == "late":
            await asyncio.sleep(HANG_SECONDS)
        return web.json_response({"errcode": code, "errmsg": text})

    async def _fail(self, fault: str, request: web.Request, started: float) -> web.StreamResponse:
        code, text = _FAULTS.get(fault, (-2, fault))
        self._record(WebhookCall("", None, code, started))
        match fault:
            case "html":
                return web.Response(text="<html><body>busy</body></html>", content_type="text/html")
            case "http_403":
                return web.Response(status=403, text="Forbidden")
            case "redirect":
                return web.Response(status=302, headers={"Location": "https://example.com/"})
            case "hang":
                await asyncio.sleep(HANG_SECONDS)
            case "reset" if request.transport is not None:
                request.transport.abort()
        if fault in _FAULTS:
            return web.json_response({"errcode": code, "errmsg": text})
        return web.Response(status=500, text="internal error")

    def _record(self, call: WebhookCall) -> None:
        self.calls.append(call)
        self._world.wake()

    def _too_fast(self, conversation: str) -> bool:
        """Return True if this message exceeds the rate of its conversation; else count it."""
        if not self._faults.webhook_per_minute:
            return False
        now = self._clock()
        accepted = self._accepted_at.setdefault(conversation, deque())
        while accepted and now - accepted[0] >= self._faults.throttle_window:
            accepted.popleft()
        if len(accepted) >= self._faults.webhook_per_minute:
            return True
        accepted.append(now)
        return False


def transcript_content(body: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a webhook message for the transcript."""
    kind = body["msgtype"]
    content = body[kind]
    at = body.get("at") or {}
    text = content.get("content") or content.get("text") or ""
    # A mention works only if the text contains the same id or number.
    candidates = [*(at.get("atUserIds") or ()), *(at.get("atMobiles") or ())]
    mentions = tuple(who for who in candidates if isinstance(who, str) and f"@{who}" in text)
    buttons = [{"title": b.get("title", ""), "url": b.get("actionURL", "")} for b in content.get("btns") or ()]
    if content.get("singleTitle"):
        buttons = [{"title": content["singleTitle"], "url": content.get("singleURL", "")}]
    links = [
        {
            "title": link.get("title", ""),
            "url": link.get("messageURL", ""),
            "picture": link.get("picURL", ""),
        }
        for link in content.get("links") or ()
    ]
    if kind == "link":
        links = [
            {
                "title": content.get("title", ""),
                "url": content.get("messageUrl", ""),
                "picture": content.get("picUrl", ""),
            }
        ]
    return {
        "kind": kind,
        "text": text,
        "title": content.get("title", ""),
        "buttons": tuple(buttons),
        "orientation": str(content.get("btnOrientation", "0")),
        "links": tuple(links),
        "mentions": mentions,
        "at_all": bool(at.get("isAtAll")),
    }


def check_body(raw: bytes, content_type: str) -> tuple[int, str, Any]:
    """Return errcode, errmsg and parsed body as DingTalk would judge this body."""
    if content_type != "application/json":
        return 43004, "无效的HTTP HEADER Content-Type", None
    try:
        body = json.loads(raw)
    except ValueError:
        return 40035, "缺少参数 json", None
    if not isinstance(body, dict) or body.get("msgtype") not in _TYPES:
        return 400105, "不支持的消息类型", body
    if len(raw) > MAX_BODY_BYTES:
        return *_TOO_LONG, body
    content = body.get(body["msgtype"])
    if body["msgtype"] == "empty":
        return 0, "ok", body
    if not isinstance(content, dict):
        return 40035, "缺少参数", body
    if body["msgtype"] == "markdown" and not (content.get("title") and content.get("text")):
        return 40035, "缺少参数 title 或 text", body
    return 0, "ok", body
