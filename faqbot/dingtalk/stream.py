"""The stream connection: frames in, acknowledgements out. The only file that knows the dingtalk_stream SDK.

The SDK gives the websocket, its reconnecting and the frames. The call that opens a connection is ours (the SDK's is
bound to one host and blocks), handlers only hand a message on, and odd frames are mended before the SDK sees them.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import dingtalk_stream
from dingtalk_stream import AckMessage, CallbackMessage

from faqbot.errors import AuthFailed, FaqbotError
from faqbot.telemetry import EventLog

log = EventLog(__name__)
_sdk_log = logging.getLogger("faqbot.dingtalk.sdk")
_sdk_log.setLevel(logging.WARNING)

BOT_MESSAGES = "/v1.0/im/bot/messages/get"
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_KNOWN_TYPES = ("SYSTEM", "EVENT", "CALLBACK")

Receive = Callable[[Any], Awaitable[None]]


class StreamConnection:
    """Keeps one connection open and hands the data of every bot message to `receive`.

    A message is acknowledged when `receive` returns; if it raises, DingTalk gets no acknowledgement and may
    deliver again.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: str,
        client_id: str,
        client_secret: str,
        receive: Receive,
    ) -> None:
        self._client = _Client(session, f"{endpoint}/v1.0/gateway/connections/open", client_id, client_secret)
        self._client.register_callback_handler(BOT_MESSAGES, _Handler(receive))

    @property
    def connected(self) -> bool:
        return self._client.websocket is not None

    async def run(self) -> None:
        """Stay connected until stopped. Raises AuthFailed if the very first open is refused with 401."""
        await self._client.start()
        if self._client.refused is not None:
            raise self._client.refused

    async def stop(self) -> None:
        await self._client.stop()


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


class _OpenFailed(FaqbotError):
    """A connection could not be opened this time."""


class _Handler(dingtalk_stream.CallbackHandler):  # type: ignore[misc]
    """Acknowledges a bot message once it has been handed on."""

    def __init__(self, receive: Receive) -> None:
        super().__init__()
        self.logger = _sdk_log
        self._receive = receive
        self._running: set[asyncio.Task[None]] = set()

    async def raw_process(self, callback_message: CallbackMessage) -> AckMessage:
        # The SDK cancels handlers at every disconnect, even a routine one; taking a message on must not stop halfway.
        task = asyncio.ensure_future(self._receive(callback_message.data))
        self._running.add(task)
        task.add_done_callback(self._done)
        await asyncio.shield(task)
        ack = AckMessage()
        ack.headers.message_id = callback_message.headers.message_id
        ack.headers.content_type = "application/json"
        ack.message = "OK"
        ack.data = {"response": None}
        return ack

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("message.not_accepted", cause=error)


class _Client(dingtalk_stream.DingTalkStreamClient):  # type: ignore[misc]
    def __init__(self, session: aiohttp.ClientSession, url: str, client_id: str, client_secret: str) -> None:
        super().__init__(
            dingtalk_stream.Credential(client_id, client_secret),
            logger=_sdk_log,
            websocket_connect_options={
                "logger": logging.getLogger("websockets.client"),
                "max_size": 4 * 2**20,
            },
        )
        self._session = session
        self._url = url
        self._loop = asyncio.get_running_loop()
        self._was_connected = False
        self.refused: AuthFailed | None = None

    def open_connection(self) -> dict[str, str] | None:
        """Called by the SDK in a thread; None makes it wait and try again."""
        return asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    async def _open(self) -> dict[str, str] | None:
        try:
            connection = await self._ask_gateway()
        except AuthFailed as exc:
            if not self._was_connected:
                self.refused = exc
                await self.stop()
            else:
                log.alarm("stream.auth_failed", what=str(exc))
            return None
        except (_OpenFailed, aiohttp.ClientError, TimeoutError) as exc:
            log.warning("stream.open_failed", reason=str(exc) or type(exc).__name__)
            return None
        log.info("stream.opened", endpoint=connection["endpoint"])
        self._was_connected = True
        return connection

    async def _ask_gateway(self) -> dict[str, str]:
        body = {
            "clientId": self.credential.client_id,
            "clientSecret": self.credential.client_secret,
            "subscriptions": [{"type": "CALLBACK", "topic": topic} for topic in self.callback_handler_map],
            "ua": f"dingtalk-sdk-python/v{dingtalk_stream.version.VERSION_STRING}-union",
            "localIp": await asyncio.to_thread(self.get_host_ip),
        }
        # Without the Accept header the gateway may answer in XML.
        headers = {"Accept": "application/json"}
        async with self._session.post(self._url, json=body, headers=headers, timeout=_TIMEOUT) as response:
            text = await response.text(errors="replace")
        if response.status == 401:
            raise AuthFailed(
                "钉钉拒绝了登录（401 authFailed）：请核对 DINGTALK_CLIENT_ID 和 DINGTALK_CLIENT_SECRET"
                "（开发者后台 > 应用 > 凭证与基础信息），注意不要多出空格或换行"
            )
        if response.status != 200:
            raise _OpenFailed(f"HTTP {response.status}: {_code(text)}")
        try:
            answer = json.loads(text)
            return {"endpoint": str(answer["endpoint"]), "ticket": str(answer["ticket"])}
        except (ValueError, KeyError, TypeError):
            raise _OpenFailed("the gateway's answer holds no endpoint and ticket") from None

    async def background_task(self, json_message: Any, websocket: Any = None) -> None:
        frame = _mended(json_message)
        if frame is None:
            log.warning("stream.odd_frame", kind=type(json_message).__name__)
            return
        topic = frame["headers"].get("topic")
        if frame["type"] == "CALLBACK" and topic not in self.callback_handler_map:
            log.warning("stream.unknown_topic", topic=topic)
            return
        if frame["type"] == "SYSTEM" and topic == self.TAG_DISCONNECT:
            log.info("stream.disconnect", reason=frame["data"][:200])
        await super().background_task(frame, websocket)

    async def _wait_before_retry(self, delay: float) -> None:
        log.info("stream.reconnecting", seconds=round(delay, 1))
        await super()._wait_before_retry(delay)


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
