"""Open, watch, replace and close the stream connection. Only this module uses the dingtalk_stream SDK.

The SDK provides the websocket, reconnecting and frames; malformed frames are repaired before the SDK sees them.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import dingtalk_stream
import websockets.exceptions
from dingtalk_stream import AckMessage

from faqbot.dingtalk.stream.frames import FrameHandler, FrameReply, Receive, ReceiveEvent, repair_frame
from faqbot.dingtalk.stream.gateway import TOPICS, OpenFailed, gateway_url, open_ticket
from faqbot.errors import AuthFailed
from faqbot.model.notices import Event
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics

log = EventLog(__name__)
_sdk_log = logging.getLogger("faqbot.dingtalk.sdk")
_sdk_log.setLevel(logging.WARNING)

# After a connection that lasted this long the next one is opened without a pause.
_STABLE_SECONDS = 60.0
_MAX_PAUSE_SECONDS = 60.0
# A connection that is silent for this long is replaced. DingTalk is reported to ping every 20 to 30 seconds; the
# interval is not documented.
WATCHDOG_SECONDS = 180.0
# A replaced connection stays open this long for its last acknowledgements.
_LAST_ACKS_SECONDS = 3.0
# The poll interval: a new rule that needs events gets them after this time.
_POLL_SECONDS = 5.0


async def _ignore(event: Event) -> None:
    """Ignore an event: the default for a bot that subscribes to no events."""


class StreamConnection:
    """Keeps one connection open and passes the data of every bot message to `receive`.

    A message is acknowledged when `receive` returns. If it raises, DingTalk gets no acknowledgement and may deliver the
    message again. `receive` may be cancelled halfway and must store the message all the same. A connection that
    DingTalk ends, or that is silent, is closed only after a new one is open. DingTalk's own events (somebody joined the
    company) are subscribed to while `wants_events` is true, and acknowledged when `receive_event` returns.
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
        poll_interval: float = _POLL_SECONDS,
        wants_events: Callable[[], bool] = lambda: False,
        receive_event: ReceiveEvent = _ignore,
    ) -> None:
        url = gateway_url(endpoint)
        frames = FrameHandler(receive, receive_event, metrics)
        self.wants_events = wants_events

        def new_client() -> _Client:
            return _Client(session, url, client_id, client_secret, frames, metrics, self, proxied=proxied)

        self._new_client = new_client
        self._watchdog = watchdog
        self._poll_interval = poll_interval
        self._running: dict[asyncio.Task[None], _Client] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._short_lived = 0
        self.was_connected = False

    @property
    def connected(self) -> bool:
        """True while bot messages can arrive."""
        return any(c.websocket is not None and not c.retired for c in self._running.values())

    async def run(self) -> None:
        """Stay connected until stopped. Raises AuthFailed if the very first open is refused with 401."""
        self._start_client(0.0)
        while self._running:
            pause = min(self._watchdog / 6, self._poll_interval)
            await asyncio.wait(self._running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for task in [t for t in self._running if t.done()]:
                client = self._running.pop(task)
                task.result()
                if client.refused is not None:
                    raise client.refused
            for client in list(self._running.values()):
                if self.wants_events() and not client.has_events and client.websocket is not None:
                    log.info("stream.events_wanted")
                    self.replace(client)
                if (silent := client.silent_for()) > self._watchdog:
                    log.warning("stream.silent", seconds=round(silent))
                    self.replace(client)

    async def stop(self) -> None:
        self._stopping = True
        await asyncio.gather(*(client.stop() for client in self._running.values()))

    def replace(self, old: _Client) -> None:
        """Open a new connection and close the old one once the new one is open."""
        if self._stopping or old.retired:
            return
        old.retire()
        new = self._start_client(self.pause(old.age()))
        closing = asyncio.create_task(self._close_after(new, old))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def pause(self, age: float) -> float:
        """Return the seconds to wait after a connection that lasted `age` seconds; random, so that replicas spread."""
        self._short_lived = 0 if age >= _STABLE_SECONDS else self._short_lived + 1
        # The first short one gets no long pause: messages that are sent without a connection may be lost.
        if self._short_lived <= 1:
            return random.uniform(0, 0.5)
        return min(2.0 ** (self._short_lived - 2) + random.random(), _MAX_PAUSE_SECONDS)

    def _start_client(self, pause: float) -> _Client:
        client = self._new_client()

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
        # The last messages may still be being stored; their acknowledgements go over the old connection.
        await old.wait_for_acks(_LAST_ACKS_SECONDS)
        await old.stop()


class _ContentFilter(logging.Filter):
    """Removes message contents from the SDK's log, which prints whole frames that it does not know.

    Also drops its line about a connection that could not be opened, which this module logs with the reason.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == "open connection failed":
            return False
        if "content=%" in str(record.msg) or "message=%" in str(record.msg):
            record.msg, record.args = f"stream.sdk: {str(record.msg).split(',')[0]}", ()
        return True


_sdk_log.addFilter(_ContentFilter())


class _Client(dingtalk_stream.DingTalkStreamClient):  # type: ignore[misc]
    """One connection of the SDK, which reconnects by itself until it is retired."""

    # With more frames than this in work the SDK stops reading, and goes through all of them for each further one. Its
    # own limit is 100, which a busy group sends during one commit of the store.
    MAX_PENDING_TASKS = 2000

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        client_id: str,
        client_secret: str,
        frames: FrameHandler,
        metrics: Metrics,
        owner: StreamConnection,
        *,
        proxied: bool,
    ) -> None:
        self._websocket: Any = None
        self._pong_at = self._frame_at = self._connected_at = time.monotonic()
        self._pings = 0
        self.first_connected = asyncio.Event()
        super().__init__(
            dingtalk_stream.Credential(client_id, client_secret),
            logger=_sdk_log,
            websocket_connect_options={
                "logger": logging.getLogger("websockets.client"),
                "max_size": 4 * 2**20,
                "close_timeout": 2,
                # Frames are short: compressing an acknowledgement takes longer than sending it.
                "compression": None,
                # True takes the proxy from the environment.
                "proxy": True if proxied else None,
            },
        )
        self._session = session
        self._url = url
        self._frames = frames
        self._metrics = metrics
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self.retired = False
        self.refused: AuthFailed | None = None
        self.has_events = False

    @property
    def websocket(self) -> Any:
        return self._websocket

    @websocket.setter
    def websocket(self, value: Any) -> None:
        """Note that a connection was opened or lost; the SDK sets this attribute."""
        self._websocket = value
        if value is not None:
            self._pong_at = self._frame_at = self._connected_at = time.monotonic()
            self._pings = 0
            self._owner.was_connected = True
            self.first_connected.set()

    def age(self) -> float:
        """Return the seconds since the connection was opened."""
        return time.monotonic() - self._connected_at

    def silent_for(self) -> float:
        """Return the seconds since the last frame or pong.

        Once DingTalk's own pings have come, only frames count: a machine in between could answer our pings.
        """
        if self._websocket is None or self.retired:
            return 0.0
        return time.monotonic() - (self._frame_at if self._pings >= 2 else max(self._pong_at, self._frame_at))

    def retire(self) -> None:
        """Do not reconnect any more."""
        self.retired = True
        if self._stop_event is not None:
            self._stop_event.set()

    async def wait_for_acks(self, seconds: float) -> None:
        if self._connection_tasks:
            await asyncio.wait(set(self._connection_tasks), timeout=seconds)

    async def keepalive(self, ws: Any, ping_interval: float = 20) -> None:
        """Ping as the SDK does, and note when the pong comes."""
        while True:
            await asyncio.sleep(ping_interval)
            try:
                await (await ws.ping())
            except websockets.exceptions.ConnectionClosed:
                return
            self._pong_at = time.monotonic()

    def open_connection(self) -> dict[str, str] | None:
        """Open a connection in place of the SDK's method, which works with one host only and blocks.

        The SDK calls it in a thread; None makes the SDK wait and try again.
        """
        return asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    async def _open(self) -> dict[str, str] | None:
        try:
            credential = self.credential
            self.has_events = self._owner.wants_events()
            connection = await open_ticket(
                self._session,
                self._url,
                credential.client_id,
                credential.client_secret,
                events=self.has_events,
            )
        except AuthFailed as exc:
            self._metrics.reconnects.labels("401").inc()
            if not self._owner.was_connected:
                self.refused = exc
                await self.stop()
            else:
                log.critical("stream.auth_failed", what=str(exc))
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
        frame = repair_frame(json_message)
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
            self._owner.replace(self)
            return
        await super().background_task(frame, websocket)

    async def _dispatch_message(self, json_message: dict[str, Any]) -> tuple[str, AckMessage | None]:
        """Pass on callbacks and events, then acknowledge them; leave all other frames to the SDK."""
        if json_message["type"] == "EVENT":
            return "", _ack(json_message, await self._frames.event(json_message))
        if json_message["type"] == "CALLBACK":
            # The SDK cancels this at every disconnect, even a planned one; `receive` must not lose a message by that.
            return "", _ack(json_message, await self._frames.message(json_message))
        reply: tuple[str, AckMessage | None] = await super()._dispatch_message(json_message)
        return reply

    def _reconnect_delay(self, attempt: int) -> float:
        return self._owner.pause(self.age())

    async def _wait_before_retry(self, delay: float) -> None:
        if not self.retired:
            log.info("stream.reconnecting", seconds=round(delay, 1))
        await super()._wait_before_retry(delay)


def _ack(frame: dict[str, Any], reply: FrameReply | None) -> AckMessage | None:
    if reply is None:
        return None
    ack = AckMessage()
    ack.code = reply.code
    ack.headers.message_id = frame["headers"].get("messageId")
    ack.headers.content_type = "application/json"
    ack.message = "OK"
    ack.data = reply.data
    return ack
