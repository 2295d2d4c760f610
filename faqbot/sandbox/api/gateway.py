"""The fake stream gateway: tickets, websocket connections, pushed frames, acknowledgements."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from faqbot.sandbox.state.faults import Faults

BOT_MESSAGES = "/v1.0/im/bot/messages/get"
TICKET_SECONDS = 90.0
# The interval for checking whether a ping is due, so that a changed switch takes effect soon.
_PING_POLL_SECONDS = 0.25


@dataclass(slots=True)
class FrameDelivery:
    """One frame that was pushed; `ack` is the client's acknowledgement, `ack_ms` the milliseconds it took."""

    message_id: str
    frame: dict[str, Any]
    sent_at: float = 0.0
    ack: dict[str, Any] | None = None
    ack_ms: float = -1.0
    acked: asyncio.Event = field(default_factory=asyncio.Event)
    again: asyncio.TimerHandle | None = None


class Gateway:
    """Keeps the open connections and pushes each frame to one of them, chosen at random.

    A frozen connection stays open, but nothing is sent on it any more; it is chosen only if no other is left.
    """

    def __init__(self, client_id: str, client_secret: str, faults: Faults, changed: Callable[[], None]) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._faults = faults
        self._changed = changed
        self._tickets: dict[str, float] = {}
        self.issued: list[str] = []
        self._sockets: list[web.WebSocketResponse] = []
        self._frozen: list[web.WebSocketResponse] = []
        self._waiting: dict[str, FrameDelivery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.deliveries: list[FrameDelivery] = []
        self.opens: list[dict[str, Any]] = []
        self.websocket_url = ""

    @property
    def connected(self) -> bool:
        return bool(self._sockets)

    @property
    def connections(self) -> int:
        """The number of connections without the frozen ones."""
        return len(self._sockets)

    @property
    def frozen(self) -> int:
        """The number of frozen connections that are still open."""
        return len(self._frozen)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1.0/gateway/connections/open", self._open), web.get("/connect", self._connect)]

    async def push(self, data: Any, *, topic: str = BOT_MESSAGES, kind: str = "CALLBACK") -> list[FrameDelivery]:
        """Deliver `data` as often as the faults say, each time with a new message id.

        Return the deliveries; none without a connection.
        """
        deliveries: list[FrameDelivery] = []
        for _ in range(self._faults.deliver_times):
            for socket in self._targets(self._faults.deliver_to_all):
                deliveries.append(await self._deliver(socket, data, topic, kind))
        return deliveries

    async def happen(self, event_type: str, data: Any, event_id: str = "") -> FrameDelivery | None:
        """Push one of DingTalk's own events; return None if the connection has not subscribed to events."""
        if not any(s.get("type") == "EVENT" for o in self.opens[-1:] for s in o.get("subscriptions", ())):
            return None
        headers = {
            "eventType": event_type,
            "eventId": event_id or secrets.token_hex(16),
            "eventBornTime": str(int(time.time() * 1000)),
        }
        for socket in self._targets():
            return await self._deliver(socket, data, "*", "EVENT", headers)
        return None

    async def send_raw(self, text: str) -> bool:
        """Send a frame exactly as given; return False without a connection."""
        for socket in self._targets():
            await self._send(socket, text)
            return True
        return False

    async def ask(self, frame: dict[str, Any], seconds: float = 5.0) -> dict[str, Any]:
        """Send one frame and return its acknowledgement. Raises TimeoutError."""
        delivery = FrameDelivery(frame["headers"]["messageId"], frame, time.perf_counter())
        self._waiting[delivery.message_id] = delivery
        await self.send_raw(json.dumps(frame))
        await asyncio.wait_for(delivery.acked.wait(), seconds)
        return delivery.ack or {}

    def freeze(self) -> None:
        """Freeze every open connection: it stays open, but nothing is delivered or answered on it."""
        self._frozen += self._sockets
        self._sockets.clear()
        self._changed()

    async def disconnect(self) -> None:
        """Send the planned disconnect frame on all connections, send nothing more, and close them later."""
        for socket in list(self._sockets):
            self._forget(socket)
            await _write(socket, _system("disconnect", '{"reason":"connection is expired"}'))
            self._later(self._faults.disconnect_close_after, socket)

    async def drop(self) -> None:
        """Abort every connection without a closing handshake."""
        for socket in self._sockets + self._frozen:
            self._forget(socket)
            _abort(socket)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for delivery in self._waiting.values():
            if delivery.again:
                delivery.again.cancel()
        for socket in self._frozen:
            _abort(socket)
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
        self.issued.append(ticket)
        self._tickets[ticket] = time.monotonic() + TICKET_SECONDS
        return web.json_response({"endpoint": self.websocket_url, "ticket": ticket})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        until = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if time.monotonic() > until:
            return web.json_response({"code": "ticketInvalid"}, status=401)
        # Pings and the closing handshake are answered here, so that a frozen connection can leave them unanswered.
        socket = web.WebSocketResponse(heartbeat=None, autoping=False, autoclose=False)
        await socket.prepare(request)
        self._sockets.append(socket)
        self._changed()
        pinging = asyncio.create_task(self._ping(socket))
        try:
            async for message in socket:
                await self._read(socket, message)
            # A frozen connection answers no closing handshake; aiohttp does not tell when the client has given up.
            while socket in self._frozen and request.transport is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        finally:
            pinging.cancel()
            self._forget(socket)
        return socket

    async def _read(self, socket: web.WebSocketResponse, message: WSMessage) -> None:
        if socket in self._frozen:
            return
        if message.type is WSMsgType.TEXT:
            self._read_ack(message.data)
        elif message.type is WSMsgType.PING and not self._faults.mute_pings:
            with contextlib.suppress(ConnectionError):
                await socket.pong(message.data)

    def _targets(self, everywhere: bool = False) -> list[web.WebSocketResponse]:
        """Return the connections for the next frame: one chosen at random, or all."""
        sockets = self._sockets or self._frozen
        return list(sockets) if everywhere or not sockets else [random.choice(sockets)]

    async def _deliver(
        self, socket: web.WebSocketResponse, data: Any, topic: str, kind: str, headers: Mapping[str, str] | None = None
    ) -> FrameDelivery:
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
                **(headers or {}),
            },
            "data": json.dumps(data, ensure_ascii=False),
        }
        delivery = FrameDelivery(message_id, frame, time.perf_counter())
        self._waiting[message_id] = delivery
        self.deliveries.append(delivery)
        if self._faults.redeliver_after >= 0:
            loop = asyncio.get_running_loop()
            delivery.again = loop.call_later(
                self._faults.redeliver_after, self._redeliver, delivery, data, topic, kind, headers
            )
        await self._send(socket, json.dumps(frame, ensure_ascii=False))
        return delivery

    def _redeliver(
        self, delivery: FrameDelivery, data: Any, topic: str, kind: str, headers: Mapping[str, str] | None
    ) -> None:
        """Deliver unacknowledged data again with a new message id, until it is acknowledged.

        While nobody is connected it is only put off.
        """
        targets = self._targets()
        if not targets:
            delivery.again = asyncio.get_running_loop().call_later(
                max(self._faults.redeliver_after, 0.1), self._redeliver, delivery, data, topic, kind, headers
            )
            return
        self._waiting.pop(delivery.message_id, None)
        for socket in targets:
            self._spawn(self._deliver(socket, data, topic, kind, headers))

    def _read_ack(self, text: str) -> None:
        try:
            ack = json.loads(text)
            delivery = self._waiting.pop(ack["headers"]["messageId"], None)
        except (ValueError, KeyError, TypeError):
            return
        if delivery is not None:
            if delivery.again:
                delivery.again.cancel()
            delivery.ack = ack
            delivery.ack_ms = (time.perf_counter() - delivery.sent_at) * 1000
            delivery.acked.set()
            self._changed()

    async def _ping(self, socket: web.WebSocketResponse) -> None:
        waited = 0.0
        while True:
            step = min(self._faults.ping_seconds, _PING_POLL_SECONDS)
            await asyncio.sleep(step)
            waited += step
            if waited >= self._faults.ping_seconds:
                waited = 0.0
                if not self._faults.mute_pings:
                    await self._send(socket, _system("ping", '{"opaque":"0"}'))

    async def _send(self, socket: web.WebSocketResponse, text: str) -> None:
        """Send on an active connection; on a frozen or closed one the frame is lost."""
        if socket in self._sockets:
            await _write(socket, text)

    def _forget(self, socket: web.WebSocketResponse) -> None:
        for sockets in (self._sockets, self._frozen):
            if socket in sockets:
                sockets.remove(socket)
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


def _system(topic: str, data: str) -> str:
    headers = {"topic": topic, "messageId": secrets.token_hex(8), "contentType": "application/json"}
    return json.dumps({"specVersion": "1.0", "type": "SYSTEM", "headers": headers, "data": data})


async def _write(socket: web.WebSocketResponse, text: str) -> None:
    # The client may disconnect between the choice and the send; as with DingTalk, the frame is lost.
    with contextlib.suppress(ConnectionError):
        await socket.send_str(text)


def _abort(socket: web.WebSocketResponse) -> None:
    """Abort a connection without a closing handshake."""
    transport = socket.get_extra_info("transport") or socket._req.transport  # type: ignore[union-attr]
    if transport is not None:
        transport.abort()
