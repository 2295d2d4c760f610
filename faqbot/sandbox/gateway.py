"""The stream side of the stand-in: tickets, websocket connections, frames out, acknowledgements in."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from faqbot.sandbox.faults import Faults

BOT_MESSAGES = "/v1.0/im/bot/messages/get"
TICKET_SECONDS = 90.0
# After a disconnect frame nothing more is delivered and the server closes about so much later.
DISCONNECT_CLOSE_SECONDS = 10.0
PING_SECONDS = 25.0


@dataclass(slots=True)
class Delivery:
    """One frame that was pushed; `ack` is the client's answer, `ack_ms` how long it took."""

    message_id: str
    frame: dict[str, Any]
    sent_at: float = 0.0
    ack: dict[str, Any] | None = None
    ack_ms: float = -1.0
    acked: asyncio.Event = field(default_factory=asyncio.Event)


class Gateway:
    """Keeps the open connections and pushes each frame to one of them, chosen at random."""

    def __init__(self, client_id: str, client_secret: str, faults: Faults, changed: Callable[[], None]) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._faults = faults
        self._changed = changed
        self._tickets: dict[str, float] = {}
        self._sockets: list[web.WebSocketResponse] = []
        self._waiting: dict[str, Delivery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.deliveries: list[Delivery] = []
        self.opens: list[dict[str, Any]] = []
        self.websocket_url = ""

    @property
    def connected(self) -> bool:
        return bool(self._sockets)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1.0/gateway/connections/open", self._open), web.get("/connect", self._connect)]

    async def push(self, data: Any, *, topic: str = BOT_MESSAGES, kind: str = "CALLBACK") -> list[Delivery]:
        """Deliver `data` as often as the faults say, each time with a new message id; none without a connection."""
        found: list[Delivery] = []
        for _ in range(self._faults.deliver_times):
            if delivery := await self._deliver(data, topic, kind):
                found.append(delivery)
        return found

    async def send_raw(self, text: str) -> bool:
        """Send a frame exactly as given; False without a connection."""
        if not self._sockets:
            return False
        await random.choice(self._sockets).send_str(text)
        return True

    async def ask(self, frame: dict[str, Any], seconds: float = 5.0) -> dict[str, Any]:
        """Send one frame and wait for its answer. Raises TimeoutError."""
        delivery = Delivery(frame["headers"]["messageId"], frame, time.perf_counter())
        self._waiting[delivery.message_id] = delivery
        await self.send_raw(json.dumps(frame))
        await asyncio.wait_for(delivery.acked.wait(), seconds)
        return delivery.ack or {}

    async def disconnect(self) -> None:
        """Send the routine disconnect frame everywhere, then silence, then close."""
        for socket in list(self._sockets):
            self._forget(socket)
            headers = {
                "topic": "disconnect",
                "messageId": secrets.token_hex(8),
                "contentType": "application/json",
            }
            await _send(
                socket,
                {
                    "specVersion": "1.0",
                    "type": "SYSTEM",
                    "headers": headers,
                    "data": '{"reason":"connection is expired"}',
                },
            )
            self._later(DISCONNECT_CLOSE_SECONDS, socket)

    async def drop(self) -> None:
        """Break every connection without a word."""
        for socket in list(self._sockets):
            self._forget(socket)
            transport = socket.get_extra_info("transport") or socket._req.transport  # type: ignore[union-attr]
            if transport is not None:
                transport.abort()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in list(self._sockets):
            await socket.close(code=1001)

    async def _open(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except ValueError:
            body = {}
        self.opens.append({k: v for k, v in body.items() if k != "clientSecret"} if isinstance(body, dict) else {})
        self._changed()
        if self._faults.open_delay:
            await asyncio.sleep(self._faults.open_delay)
        if self._faults.open_status not in (200, 401):
            return web.json_response({"code": "busy", "message": "系统繁忙"}, status=self._faults.open_status)
        known = body.get("clientId") == self._client_id and body.get("clientSecret") == self._client_secret
        if not known or self._faults.open_status == 401:
            answer = {"requestid": secrets.token_hex(8), "code": "authFailed", "message": "鉴权失败"}
            return web.json_response(answer, status=401)
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = time.monotonic() + TICKET_SECONDS
        return web.json_response({"endpoint": self.websocket_url, "ticket": ticket})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        until = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if time.monotonic() > until:
            return web.json_response({"code": "ticketInvalid"}, status=401)
        socket = web.WebSocketResponse(heartbeat=None)
        await socket.prepare(request)
        self._sockets.append(socket)
        self._changed()
        pinging = asyncio.create_task(self._ping(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._read_ack(message.data)
        finally:
            pinging.cancel()
            self._forget(socket)
        return socket

    async def _deliver(self, data: Any, topic: str, kind: str) -> Delivery | None:
        if not self._sockets:
            return None
        message_id = secrets.token_hex(12)
        frame = {
            "specVersion": "1.0",
            "type": kind,
            "headers": {
                "appId": "sandbox",
                "connectionId": "sandbox",
                "contentType": "application/json",
                "messageId": message_id,
                "time": str(int(time.time() * 1000)),
                "topic": topic,
            },
            "data": json.dumps(data, ensure_ascii=False),
        }
        delivery = Delivery(message_id, frame, time.perf_counter())
        self._waiting[message_id] = delivery
        self.deliveries.append(delivery)
        await _send(random.choice(self._sockets), frame)
        self._spawn(self._redeliver(delivery, data, topic, kind))
        return delivery

    async def _redeliver(self, delivery: Delivery, data: Any, topic: str, kind: str) -> None:
        """Without an acknowledgement the same data comes again with a new message id, once."""
        try:
            await asyncio.wait_for(delivery.acked.wait(), self._faults.redeliver_after)
        except TimeoutError:
            self._waiting.pop(delivery.message_id, None)
            await self._deliver(data, topic, kind)

    def _read_ack(self, text: str) -> None:
        try:
            ack = json.loads(text)
            delivery = self._waiting.pop(ack["headers"]["messageId"], None)
        except (ValueError, KeyError, TypeError):
            return
        if delivery is not None:
            delivery.ack = ack
            delivery.ack_ms = (time.perf_counter() - delivery.sent_at) * 1000
            delivery.acked.set()
            self._changed()

    async def _ping(self, socket: web.WebSocketResponse) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            headers = {"topic": "ping", "messageId": secrets.token_hex(8), "contentType": "application/json"}
            await _send(socket, {"specVersion": "1.0", "type": "SYSTEM", "headers": headers, "data": '{"opaque":"0"}'})

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._sockets:
            self._sockets.remove(socket)
            self._changed()

    def _later(self, seconds: float, socket: web.WebSocketResponse) -> None:
        async def close() -> None:
            await asyncio.sleep(seconds)
            await socket.close()

        self._spawn(close())

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _send(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
    try:
        await socket.send_str(json.dumps(frame, ensure_ascii=False))
    except ConnectionError:
        # The client went away between the choice and the send; like DingTalk, the frame is lost.
        return
