"""Handle the frames of a stream connection: fix malformed ones, dispatch the content, acknowledge."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from faqbot.dingtalk.wire.payloads import read_event
from faqbot.errors import FaqbotError
from faqbot.model.notices import Event
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics

log = EventLog(__name__)

_KNOWN_TYPES = ("SYSTEM", "EVENT", "CALLBACK")

Receive = Callable[[Any], Awaitable[None]]
ReceiveEvent = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FrameReply:
    """The reply to a frame: accepted (200), or not (500)."""

    code: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FrameHandler:
    """Passes bot messages to `receive` and DingTalk's own events to `receive_event`."""

    receive: Receive
    receive_event: ReceiveEvent
    metrics: Metrics

    async def message(self, frame: dict[str, Any]) -> FrameReply | None:
        """Pass on the data of a callback; return None if it was not accepted, so that DingTalk may deliver it again."""
        started = time.perf_counter()
        try:
            data = json.loads(frame["data"])
        except (ValueError, RecursionError):
            log.warning("stream.odd_frame", kind="data")
            return None
        try:
            await self.receive(data)
        except Exception as exc:
            self.metrics.not_accepted.inc()
            known = isinstance(exc, FaqbotError)
            log.error("message.not_accepted", cause=None if known else exc, reason=str(exc))
            return None
        self.metrics.acked.inc()
        self.metrics.ack_seconds.observe(time.perf_counter() - started)
        return FrameReply(200, {"response": None})

    async def event(self, frame: dict[str, Any]) -> FrameReply:
        """Pass on an event and acknowledge it once it is stored; else LATER asks DingTalk to send it again."""
        event = read_event(frame["headers"], json.loads(frame["data"]))
        try:
            if event is not None:
                await self.receive_event(event)
        except Exception as exc:
            known = isinstance(exc, FaqbotError)
            log.error("event.not_accepted", cause=None if known else exc, reason=str(exc))
            return FrameReply(500, {"status": "LATER", "message": "not on record"})
        return FrameReply(200, {"status": "SUCCESS", "message": "ok"})


def repair_frame(frame: Any) -> dict[str, Any] | None:
    """Return the frame in a shape that the SDK can read; None for a frame without a known type or readable data.

    The SDK drops a frame, and with it a question, for a header time that is no number, a missing header, or data that
    is no text.
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
        # The SDK parses the data of these itself.
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return None
    return {**frame, "headers": headers, "data": data}
