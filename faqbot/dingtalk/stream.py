"""The stream connection: frames in, acknowledgements out. The only file that knows the dingtalk_stream SDK.

The SDK gives the websocket, its reconnecting and the frames. The call that opens a connection is ours (the SDK's is
bound to one host and blocks), handlers only hand a message on, and odd frames are mended before the SDK sees them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import dingtalk_stream
import websockets.exceptions
from dingtalk_stream import AckMessage

from faqbot.dingtalk.payloads import read_event
from faqbot.errors import AuthFailed, FaqbotError
from faqbot.metrics import Metrics
from faqbot.model import Event
from faqbot.telemetry import EventLog

log = EventLog(__name__)
_sdk_log = logging.getLogger("faqbot.dingtalk.sdk")
_sdk_log.setLevel(logging.WARNING)

BOT_MESSAGES = "/v1.0/im/bot/messages/get"
TOPICS = (BOT_MESSAGES,)
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_KNOWN_TYPES = ("SYSTEM", "EVENT", "CALLBACK")

Receive = Callable[[Any], Awaitable[None]]
TakeEvent = Callable[[Event], Awaitable[None]]


async def _ignore(event: Event) -> None:
    """For a bot that wants no events."""


# A connection that lived so long was a good one: after it the next is opened without a pause.
_GOOD_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
# DingTalk's own pings come every 20 to 30 seconds by report; how often is not documented.
WATCHDOG_SECONDS = 180.0
_LAST_ACKS_SECONDS = 3.0
# A rule that was just written hears its events so soon.
_LOOK_SECONDS = 5.0


class StreamConnection:
    """Keeps one connection open and hands the data of every bot message to `receive`.

    A message is acknowledged when `receive` returns; if it raises, DingTalk gets no acknowledgement and may
    deliver again. `receive` may be cancelled halfway and must take the message on all the same. A connection that
    DingTalk ends, or that has gone silent, is replaced by a new one first. DingTalk's own events (somebody joined the
    company) are asked for while `wants_events`, and acknowledged when `take_event` returns.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: str,
        client_id: str,
        client_secret: str,
        receive: Receive,
        metrics: Metrics,
        *,
        proxied: bool = True,
        watchdog: float = WATCHDOG_SECONDS,
        look: float = _LOOK_SECONDS,
        wants_events: Callable[[], bool] = lambda: False,
        take_event: TakeEvent = _ignore,
    ) -> None:
        url = gateway_url(endpoint)
        self.wants_events = wants_events
        self.take_event = take_event

        def make() -> _Client:
            return _Client(session, url, client_id, client_secret, receive, metrics, self, proxied=proxied)

        self._make = make
        self._watchdog = watchdog
        self._look = look
        self._running: dict[asyncio.Task[None], _Client] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._short_lived = 0
        self.was_connected = False

    @property
    def connected(self) -> bool:
        """Whether bot messages can arrive now."""
        return any(c.websocket is not None and not c.retired for c in self._running.values())

    async def run(self) -> None:
        """Stay connected until stopped. Raises AuthFailed if the very first open is refused with 401."""
        self._begin(0.0)
        while self._running:
            pause = min(self._watchdog / 6, self._look)
            await asyncio.wait(self._running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for task in [t for t in self._running if t.done()]:
                client = self._running.pop(task)
                task.result()
                if client.refused is not None:
                    raise client.refused
            for client in list(self._running.values()):
                if self.wants_events() and not client.hears_events and client.websocket is not None:
                    log.info("stream.events_wanted")
                    self.replace(client)
                if (silent := client.silent_for()) > self._watchdog:
                    log.warning("stream.silent", seconds=round(silent))
                    self.replace(client)

    async def stop(self) -> None:
        self._stopping = True
        await asyncio.gather(*(client.stop() for client in self._running.values()))

    def replace(self, old: _Client) -> None:
        """Open a new connection, and only when it is there close the old one."""
        if self._stopping or old.retired:
            return
        old.retire()
        new = self._begin(self.pause(old.lived()))
        closing = asyncio.create_task(self._close_after(new, old))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def pause(self, lived: float) -> float:
        """Seconds before the next connection after one that lived so long; at most a minute, never in step."""
        if lived >= _GOOD_SECONDS:
            self._short_lived = 0
            return random.uniform(0, 0.5)
        self._short_lived += 1
        return min(2.0 ** (self._short_lived - 1) + random.random(), _LONGEST_PAUSE)

    def _begin(self, pause: float) -> _Client:
        client = self._make()

        async def run() -> None:
            if pause:
                log.info("stream.reconnecting", seconds=round(pause, 1))
                await asyncio.sleep(pause)
            if not self._stopping:
                await client.start()

        self._running[asyncio.create_task(run())] = client
        return client

    async def _close_after(self, new: _Client, old: _Client) -> None:
        await new.first_connected.wait()
        # What came in last may still be on its way into the store; its acknowledgement goes by the old connection.
        await old.acks_sent(_LAST_ACKS_SECONDS)
        await old.stop()


class _WithoutContent(logging.Filter):
    """The SDK prints whole frames, with what people wrote, when it meets one it does not know.

    That a connection could not be opened is said by us, with the reason.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == "open connection failed":
            return False
        if "content=%" in str(record.msg) or "message=%" in str(record.msg):
            record.msg, record.args = f"stream.sdk: {str(record.msg).split(',')[0]}", ()
        return True


_sdk_log.addFilter(_WithoutContent())


class OpenFailed(FaqbotError):
    """A connection could not be opened this time."""


def gateway_url(endpoint: str) -> str:
    return f"{endpoint}/v1.0/gateway/connections/open"


async def open_ticket(
    session: aiohttp.ClientSession, url: str, client_id: str, client_secret: str, *, events: bool = False
) -> dict[str, str]:
    """Ask the gateway for a websocket endpoint and a ticket, good for one connection within 90 seconds.

    Raises AuthFailed for 401, OpenFailed for any other refusal, aiohttp.ClientError, TimeoutError.
    """
    subscriptions = [{"type": "CALLBACK", "topic": topic} for topic in TOPICS]
    body = {
        "clientId": client_id,
        "clientSecret": client_secret,
        "subscriptions": [*subscriptions, {"type": "EVENT", "topic": "*"}] if events else subscriptions,
        "ua": f"dingtalk-sdk-python/v{dingtalk_stream.version.VERSION_STRING}-union",
        "localIp": _local_ip(),
    }
    # Without the Accept header the gateway may answer in XML.
    headers = {"Accept": "application/json"}
    async with session.post(url, json=body, headers=headers, timeout=_TIMEOUT) as response:
        text = await response.text(errors="replace")
    if response.status == 401:
        raise AuthFailed(
            "钉钉拒绝了登录（401 authFailed）：请核对 DINGTALK_CLIENT_ID 和 DINGTALK_CLIENT_SECRET"
            "（开发者后台 > 应用 > 凭证与基础信息），注意不要多出空格或换行"
        )
    if response.status != 200:
        raise OpenFailed(f"HTTP {response.status}: {_code(text)}")
    try:
        answer = json.loads(text)
        return {"endpoint": str(answer["endpoint"]), "ticket": str(answer["ticket"])}
    except (ValueError, KeyError, TypeError):
        raise OpenFailed("网关的回答里没有 endpoint 和 ticket") from None


def _local_ip() -> str:
    """The address this machine would send from; shown in DingTalk's logs. No packet leaves for this."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("8.8.8.8", 80))
            return str(probe.getsockname()[0])
    except OSError:
        return ""


class _Client(dingtalk_stream.DingTalkStreamClient):  # type: ignore[misc]
    """One connection of the SDK, which reconnects by itself until it is retired."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        client_id: str,
        client_secret: str,
        receive: Receive,
        metrics: Metrics,
        keeper: StreamConnection,
        *,
        proxied: bool,
    ) -> None:
        self._websocket: Any = None
        self._heard = self._frame_at = self._connected_at = time.monotonic()
        self._pings = 0
        self.first_connected = asyncio.Event()
        super().__init__(
            dingtalk_stream.Credential(client_id, client_secret),
            logger=_sdk_log,
            websocket_connect_options={
                "logger": logging.getLogger("websockets.client"),
                "max_size": 4 * 2**20,
                "close_timeout": 2,
                # True means: as the environment says.
                "proxy": True if proxied else None,
            },
        )
        self._session = session
        self._url = url
        self._receive = receive
        self._metrics = metrics
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self.retired = False
        self.refused: AuthFailed | None = None
        self.hears_events = False

    @property
    def websocket(self) -> Any:
        return self._websocket

    @websocket.setter
    def websocket(self, value: Any) -> None:
        """The SDK sets this when a connection is made and when it is gone."""
        self._websocket = value
        if value is not None:
            self._heard = self._frame_at = self._connected_at = time.monotonic()
            self._pings = 0
            self._keeper.was_connected = True
            self.first_connected.set()

    def lived(self) -> float:
        return time.monotonic() - self._connected_at

    def silent_for(self) -> float:
        """Seconds since this connection gave a sign of life.

        Where DingTalk's own pings were coming, their absence counts, whatever a machine between us answers.
        """
        if self._websocket is None or self.retired:
            return 0.0
        return time.monotonic() - (self._frame_at if self._pings >= 2 else max(self._heard, self._frame_at))

    def retire(self) -> None:
        """Do not reconnect any more."""
        self.retired = True
        if self._stop_event is not None:
            self._stop_event.set()

    async def acks_sent(self, seconds: float) -> None:
        if self._connection_tasks:
            await asyncio.wait(set(self._connection_tasks), timeout=seconds)

    async def keepalive(self, ws: Any, ping_interval: float = 20) -> None:
        """Ping, as the SDK does, and see whether the pong comes."""
        while True:
            await asyncio.sleep(ping_interval)
            try:
                await (await ws.ping())
            except websockets.exceptions.ConnectionClosed:
                return
            self._heard = time.monotonic()

    def open_connection(self) -> dict[str, str] | None:
        """Called by the SDK in a thread; None makes it wait and try again."""
        return asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    async def _open(self) -> dict[str, str] | None:
        try:
            credential = self.credential
            self.hears_events = self._keeper.wants_events()
            connection = await open_ticket(
                self._session,
                self._url,
                credential.client_id,
                credential.client_secret,
                events=self.hears_events,
            )
        except AuthFailed as exc:
            self._metrics.reconnects.labels("401").inc()
            if not self._keeper.was_connected:
                self.refused = exc
                await self.stop()
            else:
                log.alarm("stream.auth_failed", what=str(exc))
            return None
        except (OpenFailed, aiohttp.ClientError, TimeoutError) as exc:
            self._metrics.reconnects.labels("failed").inc()
            log.warning("stream.open_failed", reason=str(exc) or type(exc).__name__)
            return None
        log.info("stream.opened", endpoint=connection["endpoint"])
        self._metrics.reconnects.labels("ok").inc()
        return connection

    async def background_task(self, json_message: Any, websocket: Any = None) -> None:
        self._frame_at = time.monotonic()
        frame = _mended(json_message)
        if frame is None:
            log.warning("stream.odd_frame", kind=type(json_message).__name__)
            return
        topic = frame["headers"].get("topic")
        if frame["type"] == "CALLBACK" and topic not in TOPICS:
            log.warning("stream.unknown_topic", topic=topic)
            return
        if frame["type"] == "SYSTEM" and topic == "ping":
            self._pings += 1
        if frame["type"] == "SYSTEM" and topic == self.TAG_DISCONNECT:
            log.info("stream.disconnect", reason=str(frame["data"])[:200])
            self._keeper.replace(self)
            return
        await super().background_task(frame, websocket)

    async def _dispatch_message(self, json_message: dict[str, Any]) -> tuple[str, AckMessage | None]:
        """Acknowledge a callback or an event once it has been handed on; everything else is the SDK's."""
        if json_message["type"] == "EVENT":
            return "", await self._take_event(json_message)
        if json_message["type"] != "CALLBACK":
            found: tuple[str, AckMessage | None] = await super()._dispatch_message(json_message)
            return found
        started = time.perf_counter()
        try:
            data = json.loads(json_message["data"])
        except (ValueError, RecursionError):
            log.warning("stream.odd_frame", kind="data")
            return "", None
        try:
            # The SDK cancels this at every disconnect, even a routine one: `receive` must not lose a message by that.
            await self._receive(data)
        except Exception as exc:
            # Without an acknowledgement DingTalk may deliver again.
            self._metrics.not_accepted.inc()
            known = isinstance(exc, FaqbotError)
            log.error("message.not_accepted", cause=None if known else exc, reason=str(exc))
            return "", None
        ack = _ack(json_message, {"response": None})
        self._metrics.acked.inc()
        self._metrics.ack_seconds.observe(time.perf_counter() - started)
        return "", ack

    async def _take_event(self, frame: dict[str, Any]) -> AckMessage:
        """Only what is on record is acknowledged; LATER asks DingTalk to send it again."""
        event = read_event(frame["headers"], json.loads(frame["data"]))
        try:
            if event is not None:
                await self._keeper.take_event(event)
        except Exception as exc:
            known = isinstance(exc, FaqbotError)
            log.error("event.not_accepted", cause=None if known else exc, reason=str(exc))
            return _ack(frame, {"status": "LATER", "message": "not on record"}, code=AckMessage.STATUS_SYSTEM_EXCEPTION)
        return _ack(frame, {"status": "SUCCESS", "message": "ok"})

    def _reconnect_delay(self, attempt: int) -> float:
        return self._keeper.pause(self.lived())

    async def _wait_before_retry(self, delay: float) -> None:
        if not self.retired:
            log.info("stream.reconnecting", seconds=round(delay, 1))
        await super()._wait_before_retry(delay)


def _ack(frame: dict[str, Any], data: dict[str, Any], code: int = AckMessage.STATUS_OK) -> AckMessage:
    ack = AckMessage()
    ack.code = code
    ack.headers.message_id = frame["headers"].get("messageId")
    ack.headers.content_type = "application/json"
    ack.message = "OK"
    ack.data = data
    return ack


def _mended(frame: Any) -> dict[str, Any] | None:
    """The frame in a shape the SDK can read, or None for one that means nothing.

    A header time that is no number, a missing header or data that is not a text would make the SDK drop the
    frame, and with it a question.
    """
    if not isinstance(frame, dict) or frame.get("type") not in _KNOWN_TYPES:
        return None
    headers = frame.get("headers")
    headers = dict(headers) if isinstance(headers, dict) else {}
    for name in ("time", "eventBornTime"):
        try:
            headers[name] = int(headers[name])
        except (KeyError, TypeError, ValueError):
            headers.pop(name, None)
    if "messageId" in headers:
        headers["messageId"] = str(headers["messageId"])
    data = frame.get("data")
    if not isinstance(data, str):
        data = json.dumps(data) if data is not None else "{}"
    if frame["type"] != "CALLBACK":
        # The SDK reads the data of these itself.
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return None
    return {**frame, "headers": headers, "data": data}


def _code(text: str) -> str:
    """The gateway's error code; the body may also be a proxy's HTML page."""
    try:
        answer = json.loads(text)
        return str(answer.get("code") or answer.get("message") or "")[:200]
    except (ValueError, AttributeError):
        return "the answer is not JSON"
