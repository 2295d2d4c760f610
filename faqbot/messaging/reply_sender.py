"""Getting a reply to the person: session webhook first, patience with what passes, the robot API when it is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import Robot
from faqbot.dingtalk.api.session_webhook import EXPIRY_MARGIN, Webhook
from faqbot.dingtalk.wire.error_codes import CONVERSATION_GAP
from faqbot.dingtalk.wire.payloads import reply_body
from faqbot.errors import DeliveryError, OutcomeUnknown, SessionGone, StoreError, Throttled, TokenRefused
from faqbot.markup.chunking import fitting
from faqbot.markup.escaping import neutralise
from faqbot.model.messages import Message, Reply
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.retry import backoff
from faqbot.store.protocol import SlotStore

log = EventLog(__name__)

# As long as an answer does not come out of the blue. Waiting for one's turn in a throttled conversation is not counted.
PATIENCE_SECONDS = 600.0
# A person waits for this answer: not getting it is worse than getting it twice, but a webhook that always delivers and
# never says so must not fill the chat.
_UNSURE_REPEATS = 2
_SENDS_AT_ONCE = 400
# A conversation that was throttled is paced until so long after the last time.
_PACED_SECONDS = 3600.0
_LONGEST_HOLD = 60.0
# DingTalk takes 20,000 and 15,000 bytes; the rest is for the title and what is around the text.
_WEBHOOK_BYTES, _ROBOT_BYTES = 18_000, 14_500


@dataclass(slots=True)
class _Pace:
    """A conversation DingTalk said is too fast: nothing before `hold`, then one by one, until `until`."""

    hold: float
    until: float
    times: int


@dataclass(slots=True)
class _Tries:
    """How one reply has gone so far."""

    give_up: float
    failed: int = 0
    unsure: int = 0


_Send = Callable[[Message, Reply], Awaitable[None]]


class ReplySender:
    """Sends replies; raises the last DeliveryError when a reply cannot be delivered.

    `pictures` puts what DingTalk knows in the place of the local pictures of a body.
    """

    def __init__(
        self,
        webhook: Webhook,
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
        self._sending = asyncio.Semaphore(_SENDS_AT_ONCE)

    async def send(self, message: Message, replies: Sequence[Reply]) -> None:
        """Deliver all of them, in order. Raises DeliveryError and its children."""
        gone: SessionGone | None = None
        for reply in (part for whole in await self._with_pictures(replies) for part in _fitting(whole, _WEBHOOK_BYTES)):
            tries = _Tries(self._clock() + self._patience)
            if gone is None:
                try:
                    await self._deliver(message, reply, "webhook", self._by_webhook, tries)
                    continue
                except SessionGone as exc:
                    gone = exc
            way, send = self._without_webhook(message, gone)
            for part in _fitting(unmentioned(message, reply), _ROBOT_BYTES):
                await self._deliver(message, part, way, send, tries)

    async def send_alone(self, message: Message, replies: Sequence[Reply]) -> None:
        """Deliver all of them into the asker's single chat, who must have a userId. Raises DeliveryError."""
        # A person who is written to too fast holds up nobody else.
        alone = replace(message, conversation_id=f"person:{message.staff_id}")
        for part in (part for whole in await self._with_pictures(replies) for part in _fitting(whole, _ROBOT_BYTES)):
            await self._deliver(alone, part, "person", self._to_person, _Tries(self._clock() + self._patience))

    async def _with_pictures(self, replies: Sequence[Reply]) -> list[Reply]:
        return [await self._with_picture(reply) for reply in replies]

    async def _with_picture(self, reply: Reply) -> Reply:
        body = await self._pictures(reply.body)
        return reply if body == reply.body else replace(reply, body=body)

    async def _deliver(self, message: Message, reply: Reply, way: str, send: _Send, tries: _Tries) -> None:
        """Deliver one message one way."""
        while True:
            tries.give_up += await self._await_turn(message.conversation_id)
            if way == "webhook" and self._expired(message):
                raise SessionGone("会话地址已过期", code="expired")
            began = self._clock()
            try:
                await self._attempt(way, send, message, reply)
                return
            except Throttled as exc:
                self._slow_down(message.conversation_id, exc, began)
                continue
            except OutcomeUnknown as exc:
                tries.unsure += 1
                if tries.unsure > _UNSURE_REPEATS:
                    raise
                failure: DeliveryError = exc
            except DeliveryError as exc:
                if exc.permanent or isinstance(exc, TokenRefused):
                    raise
                failure = exc
            wait = backoff(tries.failed)
            tries.failed += 1
            if self._clock() + wait > tries.give_up:
                raise failure
            log.warning("reply.retry", way=way, code=failure.code, attempt=tries.failed, seconds=round(wait, 1))
            await self._sleep(wait)

    async def _attempt(self, way: str, send: _Send, message: Message, reply: Reply) -> None:
        try:
            async with self._sending:
                await send(message, reply)
        except DeliveryError as exc:
            self._metrics.sends.labels(way, exc.code).inc()
            raise
        self._metrics.sends.labels(way, "ok").inc()

    async def _by_webhook(self, message: Message, reply: Reply) -> None:
        await self._webhook.send(message.webhook, reply_body(reply))
        self._quota.message()

    def _without_webhook(self, message: Message, gone: SessionGone) -> tuple[str, _Send]:
        if message.is_group:
            return "group", self._to_group
        if message.staff_id:
            return "person", self._to_person
        # Somebody from outside the company has no userId, and no other address.
        raise gone

    async def _to_group(self, message: Message, reply: Reply) -> None:
        await self._robot.to_group(message.conversation_id, reply.title, reply.body)

    async def _to_person(self, message: Message, reply: Reply) -> None:
        await self._robot.to_person(message.staff_id, reply.title, reply.body)

    def _expired(self, message: Message) -> bool:
        return not message.webhook or 0 < message.webhook_until < self._clock() + EXPIRY_MARGIN

    # -- conversations that DingTalk says are too fast ---------------------------------------------

    def _slow_down(self, conversation: str, refusal: Throttled, began: float) -> None:
        """Pace the conversation from now on; each further refusal doubles the pause."""
        now = self._clock()
        pace = self._paced.get(conversation)
        # Several calls that were under way together are one refusal.
        if pace is not None and began < pace.hold:
            return
        times = pace.times + 1 if pace is not None else 0
        hold = max(refusal.wait, min(CONVERSATION_GAP * 2.0**times, _LONGEST_HOLD))
        self._paced[conversation] = _Pace(now + hold, now + _PACED_SECONDS, times)
        log.warning("conversation.throttled", code=refusal.code, seconds=round(hold, 1))

    async def _await_turn(self, conversation: str) -> float:
        """Wait until this conversation may be written to; the seconds that took."""
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
            return await self._slots.reserve(f"conversation:{conversation}", CONVERSATION_GAP)
        except StoreError:
            return CONVERSATION_GAP


def _fitting(reply: Reply, most: int) -> list[Reply]:
    """The reply as messages of `most` bytes; only the first mentions."""
    parts = fitting(reply.body, most)
    if parts == [reply.body]:
        return [reply]
    return [
        replace(reply, body=part, mention="" if number else reply.mention, others=() if number else reply.others)
        for number, part in enumerate(parts)
    ]


def unmentioned(message: Message, reply: Reply) -> Reply:
    """The reply as the robot API can send it, which cannot @: it begins with the asker's name instead."""
    body = reply.body
    if reply.mention:
        body = body.removeprefix(f"@{reply.mention}").lstrip("\n")
        name = neutralise(message.sender_name, 20) if message.sender_name else "您好"
        body = f"{name}：\n\n{body}"
    for other in reply.others:
        body = body.replace(f"@{other}", "")
    return replace(reply, body=body, mention="", others=())
