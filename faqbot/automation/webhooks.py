"""Receive events that other systems post to `/hooks/<event>`, and answer 202 only once they are in the store."""

from __future__ import annotations

import json
import secrets
from typing import Any, NoReturn

from aiohttp import web

from faqbot.automation.webhook_auth import FRESH_SECONDS, MAX_BYTES, AuthenticatedRequest, Refused, authenticate
from faqbot.automation.webhook_context import webhook_context
from faqbot.errors import StoreError
from faqbot.model.notices import Event
from faqbot.rules.definitions import DINGTALK_EVENT_PREFIX
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

_MAX_ID_LENGTH, _MAX_NAME_LENGTH = 200, 100


def add_routes(app: web.Application) -> None:
    app.router.add_post("/hooks/{event}", receive)


async def receive(request: web.Request) -> web.Response:
    """Accept one event. A sender who fails authentication is told nothing but that."""
    hooks = webhook_context(request).metrics.hooks
    try:
        authenticated = await authenticate(request)
        data = _validated(request, authenticated)
        new = await _accept(request, authenticated, data)
    except Refused as exc:
        hooks.labels(str(exc.status)).inc()
        log.warning("hook.refused", why=exc.reason, hook=request.match_info["event"][:_MAX_NAME_LENGTH])
        headers = {"Retry-After": "10"} if exc.status == 503 else {}
        return web.json_response({"error": str(exc)}, status=exc.status, headers=headers)
    hooks.labels("202").inc()
    log.info("hook.accepted", hook=authenticated.event, repeat=not new)
    return web.json_response({"ok": True, "repeat": not new}, status=202)


def _validated(request: web.Request, authenticated: AuthenticatedRequest) -> dict[str, Any]:
    """Return the event's JSON object. Raises Refused."""
    event = authenticated.event
    rules = webhook_context(request).automations().rules_for_event(event)
    # DingTalk's own events arrive over the stream only: nobody else may forge them.
    if not rules or event.startswith(DINGTALK_EVENT_PREFIX) or len(event) > _MAX_NAME_LENGTH:
        raise Refused(404, f"automations.yaml 里没有规则在等事件“{event[:_MAX_NAME_LENGTH]}”")
    if authenticated.size > MAX_BYTES:
        raise Refused(413, "内容太大：一个事件最多 256 KiB")
    if len(authenticated.given_id) > _MAX_ID_LENGTH:
        raise Refused(400, f"X-Faqbot-Id 太长：最多 {_MAX_ID_LENGTH} 个字符")
    try:
        data = json.loads(authenticated.body.decode("utf-8-sig"), parse_constant=_reject_constant)
        # Half a surrogate pair is valid JSON but cannot be stored or sent on as text.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused(400, "内容不是 JSON（UTF-8）") from None
    if not isinstance(data, dict):
        raise Refused(400, '内容应是一个 JSON 对象，例如 {"name": "星野"}')
    return data


def _reject_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads although they are not JSON."""
    raise ValueError(name)


async def _accept(request: web.Request, authenticated: AuthenticatedRequest, data: dict[str, Any]) -> bool:
    """Store the event; return False for a repeat. Raises Refused with 503 when the store is unavailable."""
    context = webhook_context(request)
    replay_id, now = authenticated.replay_id, context.clock()
    event_id = authenticated.given_id or replay_id or secrets.token_hex(16)
    try:
        if replay_id:
            # The id is not signed, so a copy of a request under another id is a repeat too.
            key = f"hook:{replay_id}"
            if await context.store.note(key) not in (None, event_id):
                return False
            await context.store.put_note(key, event_id, 4 * FRESH_SECONDS)
        return await context.events.accept(Event(authenticated.event, event_id, now, data))
    except StoreError:
        raise Refused(503, "暂时记不下来，请稍后再发") from None
