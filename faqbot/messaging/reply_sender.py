"""Reply delivery: by the session webhook, by the robot API once that is gone, with retries and pacing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import Robot
from faqbot.dingtalk.api.session_webhook import EXPIRY_MARGIN_SECONDS, SessionWebhook
from faqbot.dingtalk.wire.error_codes import CONVERSATION_GAP_SECONDS
from faqbot.dingtalk.wire.payloads import reply_body
from faqbot.errors import DeliveryError, OutcomeUnknown, SessionGone, StoreError, Throttled, TokenRefused
from faqbot.markup.chunking import ROBOT_JSON_BYTES, WEBHOOK_JSON_BYTES, split_by_json_size
from faqbot.markup.escaping import escape_markdown
from faqbot.model.messages import Message, Reply
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.retry import backoff
from faqbot.store.protocol import SlotStore

log = EventLog(__name__)

# The time for which a reply is retried; later it would come unexpectedly. Waiting in a throttled conversation is not
# counted.
PATIENCE_SECONDS = 600.0
# Repeats of a send with an unknown outcome. A person waits for this answer, so not getting it is worse than getting it
# twice, but a webhook that always delivers and never confirms must not fill the chat.
_MAX_UNSURE_REPEATS = 2
_MAX_CONCURRENT_SENDS = 400
# A conversation is paced until this long after it was throttled last.
_PACED_SECONDS = 3600.0
_MAX_HOLD_SECONDS = 60.0


@dataclass(slots=True)
class _Pace:
    """Pacing of a conversation that DingTalk throttled: nothing before `hold`, then one by one, until `until`."""

    hold: float
    until: float
    times: int


@dataclass(slots=True)
class _ReplyAttempts:
    """The failed attempts to send one reply, and when to give up."""

    give_up_at: float
    failed: int = 0
    unsure: int = 0


@dataclass(frozen=True, slots=True)
class _Channel:
    """One way to send a reply; its name stands in log and metrics."""

    name: Literal["webhook", "group", "person"]
    send: Callable[[Message, Reply], Awaitable[None]]


class ReplySender:
    """Sends replies; raises the last DeliveryError if a reply cannot be delivered.

    `pictures` replaces the local pictures of a markdown text by media ids of DingTalk.
    """

    def __init__(
        self,
        webhook: SessionWebhook,
        robot: Robot,
        slots: SlotStore,
        metrics: Metrics,
        quota: Quota,
        *,
        pictures: Callable[[str], Awaitable[str]],
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._webhook = webhook
        self._robot = robot
        self._slots = slots
        self._metrics = metrics
        self._quota = quota
        self._pictures = pictures
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._paced: dict[str, _Pace] = {}
        self._sending = asyncio.Semaphore(_MAX_CONCURRENT_SENDS)

    async def send(self, message: Message, replies: Sequence[Reply]) -> None:
        """Deliver the replies to a message, in order. Raises DeliveryError."""
        webhook_gone: SessionGone | None = None
        for part in await self._parts(replies, WEBHOOK_JSON_BYTES):
            attempts = _ReplyAttempts(self._clock() + self._patience)
            if webhook_gone is None:
                try:
                    await self._deliver(message, part, _Channel("webhook", self._by_webhook), attempts)
                    continue
                except SessionGone as exc:
                    webhook_gone = exc
            channel = self._robot_channel(message, webhook_gone)
            for robot_part in _fitting(without_mention(message, part), ROBOT_JSON_BYTES):
                await self._deliver(message, robot_part, channel, attempts)

    async def send_alone(self, message: Message, replies: Sequence[Reply]) -> None:
        """Deliver the replies into the single chat of the asker, who must have a userId. Raises DeliveryError."""
        # A person is paced by themselves, so that writing to them too fast delays nobody else.
        alone = replace(message, conversation_id=f"person:{message.staff_id}")
        channel = _Channel("person", self._to_person)
        for part in await self._parts(replies, ROBOT_JSON_BYTES):
            await self._deliver(alone, part, channel, _ReplyAttempts(self._clock() + self._patience))

    async def _parts(self, replies: Sequence[Reply], max_bytes: int) -> list[Reply]:
        """Fill in the pictures, then split the replies into messages of at most `max_bytes`."""
        filled = [replace(reply, body=await self._pictures(reply.body)) for reply in replies]
        return [part for reply in filled for part in _fitting(reply, max_bytes)]

    async def _deliver(self, message: Message, reply: Reply, channel: _Channel, attempts: _ReplyAttempts) -> None:
        """Deliver one message by one channel, with retries."""
        while True:
            attempts.give_up_at += await self._await_turn(message.conversation_id)
            if channel.name == "webhook" and self._expired(message):
                raise SessionGone("会话地址已过期", code="expired")
            began = self._clock()
            try:
                await self._attempt(channel, message, reply)
                return
            except Throttled as exc:
                self._slow_down(message.conversation_id, exc, began)
                continue
            except OutcomeUnknown as exc:
                attempts.unsure += 1
                if attempts.unsure > _MAX_UNSURE_REPEATS:
                    raise
                failure: DeliveryError = exc
            except DeliveryError as exc:
                if exc.permanent or isinstance(exc, TokenRefused):
                    raise
                failure = exc
            wait = backoff(attempts.failed)
            attempts.failed += 1
            if self._clock() + wait > attempts.give_up_at:
                raise failure
            log.warning(
                "reply.retry", way=channel.name, code=failure.code, attempt=attempts.failed, seconds=round(wait, 1)
            )
            await self._sleep(wait)

    async def _attempt(self, channel: _Channel, message: Message, reply: Reply) -> None:
        try:
            async with self._sending:
                await channel.send(message, reply)
        except DeliveryError as exc:
            self._metrics.sends.labels(channel.name, exc.code).inc()
            raise
        self._metrics.sends.labels(channel.name, "ok").inc()

    async def _by_webhook(self, message: Message, reply: Reply) -> None:
        await self._webhook.send(message.webhook, reply_body(reply))
        self._quota.message()

    def _robot_channel(self, message: Message, webhook_gone: SessionGone) -> _Channel:
        if message.is_group:
            return _Channel("group", self._to_group)
        if message.staff_id:
            return _Channel("person", self._to_person)
        # An asker from outside the company has no userId, so the webhook is the only address.
        raise webhook_gone

    async def _to_group(self, message: Message, reply: Reply) -> None:
        await self._robot.to_group(message.conversation_id, reply.title, reply.body)

    async def _to_person(self, message: Message, reply: Reply) -> None:
        await self._robot.to_person(message.staff_id, reply.title, reply.body)

    def _expired(self, message: Message) -> bool:
        return not message.webhook or 0 < message.webhook_until < self._clock() + EXPIRY_MARGIN_SECONDS

    # -- conversations that DingTalk throttles -----------------------------------------------------

    def _slow_down(self, conversation: str, refusal: Throttled, began: float) -> None:
        """Pace the conversation from now on; each further refusal doubles the pause."""
        now = self._clock()
        pace = self._paced.get(conversation)
        # Refusals of calls that began before the pause count as one.
        if pace is not None and began < pace.hold:
            return
        times = pace.times + 1 if pace is not None else 0
        hold = max(refusal.wait, min(CONVERSATION_GAP_SECONDS * 2.0**times, _MAX_HOLD_SECONDS))
        self._paced[conversation] = _Pace(now + hold, now + _PACED_SECONDS, times)
        log.warning("conversation.throttled", code=refusal.code, seconds=round(hold, 1))

    async def _await_turn(self, conversation: str) -> float:
        """Wait until this conversation may be written to; return the seconds that took."""
        started = self._clock()
        while (pace := self._paced.get(conversation)) is not None:
            now = self._clock()
            if now > pace.until:
                del self._paced[conversation]
            elif now < pace.hold:
                await self._sleep(pace.hold - now)
            else:
                await self._sleep(await self._slot(conversation))
                if self._paced.get(conversation) is pace:
                    break
        return self._clock() - started

    async def _slot(self, conversation: str) -> float:
        try:
            return await self._slots.reserve(f"conversation:{conversation}", CONVERSATION_GAP_SECONDS)
        except StoreError:
            return CONVERSATION_GAP_SECONDS


def _fitting(reply: Reply, max_bytes: int) -> list[Reply]:
    """Split the reply into messages of at most `max_bytes`; only the first one mentions people."""
    parts = split_by_json_size(reply.body, max_bytes)
    if parts == [reply.body]:
        return [reply]
    return [
        replace(reply, body=part, mention="" if number else reply.mention, others=() if number else reply.others)
        for number, part in enumerate(parts)
    ]


def without_mention(message: Message, reply: Reply) -> Reply:
    """Write the reply for the robot API, which cannot @: it begins with the asker's name instead."""
    body = reply.body
    if reply.mention:
        body = body.removeprefix(f"@{reply.mention}").lstrip("\n")
        name = escape_markdown(message.sender_name, 20) if message.sender_name else "您好"
        body = f"{name}：\n\n{body}"
    for other in reply.others:
        body = body.replace(f"@{other}", "")
    return replace(reply, body=body, mention="", others=())
