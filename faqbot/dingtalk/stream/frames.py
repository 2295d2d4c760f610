"""What comes over a stream connection and what is answered: each frame mended, handed on, then acknowledged."""

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
TakeEvent = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What DingTalk is told about a frame: that it was taken (200), or that it could not be (500)."""

    code: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frames:
    """Hands bot messages to `receive` and DingTalk's own events to `take_event`."""

    receive: Receive
    take_event: TakeEvent
    metrics: Metrics

    async def message(self, frame: dict[str, Any]) -> Answer | None:
        """Hand on the data of a callback; None where it was not taken, so that DingTalk may deliver it again."""
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
        return Answer(200, {"response": None})

    async def event(self, frame: dict[str, Any]) -> Answer:
        """Only what is on record is acknowledged; LATER asks DingTalk to send it again."""
        event = read_event(frame["headers"], json.loads(frame["data"]))
        try:
            if event is not None:
                await self.take_event(event)
        except Exception as exc:
            known = isinstance(exc, FaqbotError)
            log.error("event.not_accepted", cause=None if known else exc, reason=str(exc))
            return Answer(500, {"status": "LATER", "message": "not on record"})
        return Answer(200, {"status": "SUCCESS", "message": "ok"})


def mended(frame: Any) -> dict[str, Any] | None:
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
