"""The HTTP side of the stand-in: session webhooks and access tokens."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from faqbot.sandbox.faults import Faults
from faqbot.sandbox.world import World

MAX_BODY_BYTES = 20_000
TOKEN_SECONDS = 7200
_TYPES = {"text", "markdown", "link", "actionCard", "feedCard", "empty"}


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """One call of a session webhook, taken or not; `started` is a perf_counter reading."""

    conversation: str
    body: Any
    errcode: int
    started: float


class Replies:
    """Hands out session webhooks and takes what the bot posts to them."""

    def __init__(self, client_id: str, client_secret: str, world: World, faults: Faults) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._world = world
        self._faults = faults
        self._sessions: dict[str, tuple[str, float]] = {}
        self._token = ""
        self._token_until = 0.0
        self.calls: list[WebhookCall] = []
        self.base_url = ""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/robot/sendBySession", self._send_by_session),
            web.post("/v1.0/oauth2/accessToken", self._new_token),
            web.get("/gettoken", self._old_token),
        ]

    def new_webhook(self, conversation: str) -> tuple[str, int]:
        """A webhook for one conversation and the ms at which it expires."""
        session = secrets.token_hex(16)
        until = time.time() + self._faults.webhook_lifetime
        self._sessions[session] = (conversation, until)
        return f"{self.base_url}/robot/sendBySession?session={session}", int(until * 1000)

    async def _send_by_session(self, request: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        raw = await request.read()
        if self._faults.webhook_delay:
            await asyncio.sleep(self._faults.webhook_delay)
        fault = self._faults.take_webhook_fault()
        if fault != "none":
            return await self._fail(fault, request, started)
        conversation, until = self._sessions.get(request.query.get("session", ""), ("", 0.0))
        code, text, body = _judge(raw, request.content_type)
        if not conversation or time.time() > until:
            code, text = 300001, "session 不存在"
        self.calls.append(WebhookCall(conversation, body, code, started))
        if code == 0 and body["msgtype"] != "empty":
            self._show(conversation, body)
        return web.json_response({"errcode": code, "errmsg": text})

    async def _fail(self, fault: str, request: web.Request, started: float) -> web.StreamResponse:
        codes = {
            "busy": (-1, "系统繁忙"),
            "throttled": (410100, "发送速度太快而限流"),
            "expired": (300001, "session 不存在"),
            "refused": (430104, "内容不合规"),
        }
        code, text = codes.get(fault, (-2, fault))
        self.calls.append(WebhookCall("", None, code, started))
        if fault in codes:
            return web.json_response({"errcode": code, "errmsg": text})
        if fault == "html":
            return web.Response(text="<html><body>busy</body></html>", content_type="text/html")
        if fault == "hang":
            await asyncio.sleep(30)
        if fault == "reset" and request.transport is not None:
            request.transport.abort()
        return web.Response(status=500, text="internal error")

    def _show(self, conversation: str, body: dict[str, Any]) -> None:
        kind = body["msgtype"]
        content = body[kind]
        at = body.get("at") or {}
        text = content.get("content") or content.get("text") or ""
        # A mention works only when the text holds the very same id.
        mentions = tuple(u for u in at.get("atUserIds") or () if isinstance(u, str) and f"@{u}" in text)
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
        self._world.add(
            conversation,
            None,
            kind=kind,
            text=text,
            title=content.get("title", ""),
            buttons=tuple(buttons),
            orientation=str(content.get("btnOrientation", "0")),
            links=tuple(links),
            mentions=mentions,
            at_all=bool(at.get("isAtAll")),
        )

    async def _new_token(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
            good = body["appKey"] == self._client_id and body["appSecret"] == self._client_secret
        except (ValueError, KeyError, TypeError):
            return web.json_response({"code": "Missingbody", "message": "body is mandatory"}, status=400)
        if not good:
            answer = {
                "code": "invalidClientIdOrSecret",
                "message": "无效的clientId或者clientSecret",
                "requestid": secrets.token_hex(8),
            }
            return web.json_response(answer, status=400)
        return web.json_response({"accessToken": self._access_token(), "expireIn": TOKEN_SECONDS})

    async def _old_token(self, request: web.Request) -> web.Response:
        if (request.query.get("appkey"), request.query.get("appsecret")) != (
            self._client_id,
            self._client_secret,
        ):
            return web.json_response({"errcode": 40089, "errmsg": "不合法的corpId或corpSecret"})
        return web.json_response(
            {"errcode": 0, "errmsg": "ok", "access_token": self._access_token(), "expires_in": TOKEN_SECONDS}
        )

    def _access_token(self) -> str:
        """While valid, the same token with renewed life."""
        if time.time() > self._token_until:
            self._token = secrets.token_hex(16)
        self._token_until = time.time() + TOKEN_SECONDS
        return self._token


def _judge(raw: bytes, content_type: str) -> tuple[int, str, Any]:
    """The errcode DingTalk would give for this body."""
    if content_type != "application/json":
        return 43004, "无效的HTTP HEADER Content-Type", None
    try:
        body = json.loads(raw)
    except ValueError:
        return 40035, "缺少参数 json", None
    if not isinstance(body, dict) or body.get("msgtype") not in _TYPES:
        return 400105, "不支持的消息类型", body
    if len(raw) > MAX_BODY_BYTES:
        return 460101, "message too long, exceed 20000 bytes", body
    content = body.get(body["msgtype"])
    if body["msgtype"] == "empty":
        return 0, "ok", body
    if not isinstance(content, dict):
        return 40035, "缺少参数", body
    if body["msgtype"] == "markdown" and not (content.get("title") and content.get("text")):
        return 40035, "缺少参数 title 或 text", body
    return 0, "ok", body
