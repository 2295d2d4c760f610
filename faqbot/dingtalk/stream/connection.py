"""The life of the stream connection: opened, watched, replaced, closed. Only this file knows the dingtalk_stream SDK.

The SDK gives the websocket, its reconnecting and the frames. The call that opens a connection is ours (the SDK's is
bound to one host and blocks), and odd frames are mended before the SDK sees them.
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

from faqbot.dingtalk.stream.frames import Answer, Frames, Receive, TakeEvent, mended
from faqbot.dingtalk.stream.gateway import TOPICS, OpenFailed, gateway_url, open_ticket
from faqbot.errors import AuthFailed
from faqbot.model.notices import Event
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics

log = EventLog(__name__)
_sdk_log = logging.getLogger("faqbot.dingtalk.sdk")
_sdk_log.setLevel(logging.WARNING)

# A connection that lived so long was a good one: after it the next is opened without a pause.
_GOOD_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
# DingTalk's own pings come every 20 to 30 seconds by report; how often is not documented.
WATCHDOG_SECONDS = 180.0
_LAST_ACKS_SECONDS = 3.0
# A rule that was just written hears its events so soon.
_LOOK_SECONDS = 5.0


async def _ignore(event: Event) -> None:
    """For a bot that wants no events."""


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
        frames = Frames(receive, take_event, metrics)
        self.wants_events = wants_events

        def make() -> _Client:
            return _Client(session, url, client_id, client_secret, frames, metrics, self, proxied=proxied)

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
        self._short_lived = 0 if lived >= _GOOD_SECONDS else self._short_lived + 1
        # A single short one is no storm, and what is asked without a connection may be lost.
        if self._short_lived <= 1:
            return random.uniform(0, 0.5)
        return min(2.0 ** (self._short_lived - 2) + random.random(), _LONGEST_PAUSE)

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


class _Client(dingtalk_stream.DingTalkStreamClient):  # type: ignore[misc]
    """One connection of the SDK, which reconnects by itself until it is retired."""

    # Beyond so many frames that are being taken on, the SDK reads no further, and goes through all of them for each
    # next one. A hundred, as it has it, is what a busy group sends while the store writes once.
    MAX_PENDING_TASKS = 2000

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        client_id: str,
        client_secret: str,
        frames: Frames,
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
                # Frames are short: compressing an acknowledgement costs more than sending it.
                "compression": None,
                # True means: as the environment says.
                "proxy": True if proxied else None,
            },
        )
        self._session = session
        self._url = url
        self._frames = frames
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
        frame = mended(json_message)
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
        """Callbacks and events are acknowledged once they have been handed on; everything else is the SDK's."""
        if json_message["type"] == "EVENT":
            return "", _ack(json_message, await self._frames.event(json_message))
        if json_message["type"] == "CALLBACK":
            # The SDK cancels this at every disconnect, even a routine one: `receive` must not lose a message by that.
            return "", _ack(json_message, await self._frames.message(json_message))
        found: tuple[str, AckMessage | None] = await super()._dispatch_message(json_message)
        return found

    def _reconnect_delay(self, attempt: int) -> float:
        return self._keeper.pause(self.lived())

    async def _wait_before_retry(self, delay: float) -> None:
        if not self.retired:
            log.info("stream.reconnecting", seconds=round(delay, 1))
        await super()._wait_before_retry(delay)


def _ack(frame: dict[str, Any], answer: Answer | None) -> AckMessage | None:
    if answer is None:
        return None
    ack = AckMessage()
    ack.code = answer.code
    ack.headers.message_id = frame["headers"].get("messageId")
    ack.headers.content_type = "application/json"
    ack.message = "OK"
    ack.data = answer.data
    return ack
