"""Events that other systems post to `/hooks/<event>`: who may send them; 202 only for what is on record."""

from __future__ import annotations

import json
import secrets
from typing import Any, NoReturn

from aiohttp import web

from faqbot.automation.event_queue import EventQueue
from faqbot.automation.webhook_auth import FRESH_SECONDS, MOST_BYTES, Call, Refused, authenticated
from faqbot.console.web.context import office
from faqbot.errors import StoreError
from faqbot.model.notices import Event
from faqbot.rules.definitions import DINGTALK_EVENTS
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics

log = EventLog(__name__)

_LONGEST_ID, _LONGEST_NAME = 200, 100
EVENTS: web.AppKey[EventQueue] = web.AppKey("events", EventQueue)
METRICS: web.AppKey[Metrics] = web.AppKey("hook_metrics", Metrics)


def add_routes(app: web.Application) -> None:
    app.router.add_post("/hooks/{event}", receive)


async def receive(request: web.Request) -> web.Response:
    """Take one event on. Who is not allowed to send it learns nothing but that."""
    try:
        call = await authenticated(request)
        data = _judged(request, call)
        new = await _accepted(request, call, data)
    except Refused as exc:
        request.app[METRICS].hooks.labels(str(exc.status)).inc()
        log.warning("hook.refused", why=exc.why, hook=request.match_info["event"][:_LONGEST_NAME])
        headers = {"Retry-After": "10"} if exc.status == 503 else {}
        return web.json_response({"error": str(exc)}, status=exc.status, headers=headers)
    request.app[METRICS].hooks.labels("202").inc()
    log.info("hook.accepted", hook=call.event, repeat=not new)
    return web.json_response({"ok": True, "repeat": not new}, status=202)


def _judged(request: web.Request, call: Call) -> dict[str, Any]:
    """What the event says. Raises Refused."""
    rules = office(request).snapshot.automations.on_event(call.event)
    # DingTalk's own events come over the stream only: nobody else may make them up.
    if not rules or call.event.startswith(DINGTALK_EVENTS) or len(call.event) > _LONGEST_NAME:
        raise Refused(404, f"automations.yaml 里没有规则在等事件“{call.event[:_LONGEST_NAME]}”")
    if call.size > MOST_BYTES:
        raise Refused(413, "内容太大：一个事件最多 256 KiB")
    if len(call.given_id) > _LONGEST_ID:
        raise Refused(400, f"X-Faqbot-Id 太长：最多 {_LONGEST_ID} 个字符")
    try:
        data = json.loads(call.body.decode("utf-8-sig"), parse_constant=_no_constant)
        # Half a surrogate pair is JSON, but no text that could be written down or sent on.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused(400, "内容不是 JSON（UTF-8）") from None
    if not isinstance(data, dict):
        raise Refused(400, '内容应是一个 JSON 对象，例如 {"name": "星野"}')
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


async def _accepted(request: web.Request, call: Call, data: dict[str, Any]) -> bool:
    """Put the event on record; False for a repeat. Raises Refused when the store is away."""
    store, now = office(request).store, office(request).clock()
    event_id = call.given_id or call.replay or secrets.token_hex(16)
    try:
        if call.replay:
            # A copy with another id is a repeat too: the id is not signed.
            seen = f"hook:{call.replay}"
            if await store.note(seen) not in (None, event_id):
                return False
            await store.put_note(seen, event_id, 4 * FRESH_SECONDS)
        return await request.app[EVENTS].accept(Event(call.event, event_id, now, data))
    except StoreError:
        raise Refused(503, "暂时记不下来，请稍后再发") from None
