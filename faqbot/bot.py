"""The path of one message, readable from top to bottom: accept, take, decide, reply, record."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

from faqbot.dialogue import CONTEXT_SECONDS, decide, options
from faqbot.dingtalk.payloads import read_message, reply_body
from faqbot.dingtalk.webhook import EXPIRY_MARGIN, Webhook
from faqbot.embeddings import Embeddings
from faqbot.errors import DeliveryError, SessionGone
from faqbot.features import Floats
from faqbot.knowledge.library import Library
from faqbot.model import (
    Answered,
    Context,
    Decision,
    Menu,
    Message,
    MessageKind,
    Offered,
    OutOfList,
    QuestionRecord,
    Reply,
    Smalltalk,
    TopicList,
    Unanswered,
)
from faqbot.pacing import retry
from faqbot.render import render
from faqbot.store import Store
from faqbot.telemetry import EventLog

log = EventLog(__name__)

# So many messages are worked on at the same time; more wait in memory and, safely, in the store.
_AT_ONCE = 200
# What a dead process left is answered if it is not older than this; later the answer would come out of the blue.
_TAKE_OVER_SECONDS = 600.0


class Bot:
    """Takes bot messages on and answers each once, in order per asker, different askers in parallel."""

    def __init__(
        self,
        library: Library,
        store: Store,
        webhook: Webhook,
        embeddings: Embeddings | None = None,
        *,
        today: Callable[[], date],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._library = library
        self._store = store
        self._webhook = webhook
        self._embeddings = embeddings
        self._today = today
        self._clock = clock
        self._lanes: dict[str, deque[Message]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def receive(self, data: Any) -> None:
        """Take on the data of one callback. After this returns the message may be acknowledged."""
        message = read_message(data, now=self._clock())
        if message is None:
            log.warning("message.unreadable", kind=type(data).__name__)
        elif message.kind is MessageKind.QUOTA:
            log.alarm(
                "quota.used_up",
                what="钉钉：本月消息额度已用完，机器人收不到提问；请到开发者后台 > 资源管理查看",
            )
        else:
            await self.accept(message)

    async def accept(self, message: Message) -> None:
        """Write the message down and queue it, unless it was seen before."""
        if await self._store.accept(message, self._clock()):
            log.info("message.accepted", id=message.id, group=message.is_group, kind=message.kind.value)
            self._enqueue(message)
        else:
            log.info("message.repeated", id=message.id)

    async def take_over(self) -> None:
        """Queue what an earlier process accepted and did not finish."""
        for message in await self._store.unfinished(self._clock() - _TAKE_OVER_SECONDS):
            log.info("message.taken_over", id=message.id)
            self._enqueue(message)

    async def drain(self, seconds: float) -> None:
        """Wait for the replies under way; what is not done by then stays in the store for the next process."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=seconds)
        left = [w for w in self._workers if not w.done()]
        for worker in left:
            worker.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def handle(self, message: Message) -> None:
        """Decide on one message, reply and record what became of it."""
        started = time.perf_counter()
        now = self._clock()
        snapshot = self._library.current
        limits = self._library.limits_for(snapshot)
        context = await self._store.context(message.thread, now)
        meaning = await self._meaning(message)
        decision = decide(
            message, snapshot.index, context, limits=limits, now=now, today=self._today(), meaning=meaning
        )
        state, code = "answered", "ok"
        try:
            await self._send(message, render(decision, message))
        except DeliveryError as exc:
            state, code = "failed", exc.code
            log.error("reply.failed", id=message.id, code=exc.code, reason=str(exc))
        await self._store.finish(message, state, _record(message, decision, now), self._offered(decision, state))
        spent = round((time.perf_counter() - started) * 1000, 1)
        log.info("message.done", id=message.id, outcome=_outcome(decision), state=state, code=code, ms=spent)

    async def _meaning(self, message: Message) -> Floats | None:
        """The vector of the question, where an endpoint is set and answers in time."""
        if self._embeddings is None or not message.text:
            return None
        return await self._embeddings.of_question(message.text)

    async def _send(self, message: Message, replies: Sequence[Reply]) -> None:
        if message.webhook_until and message.webhook_until - EXPIRY_MARGIN < self._clock():
            raise SessionGone("会话地址已过期", code="expired")
        for reply in replies:
            await retry(partial(self._webhook.send, message.webhook, reply_body(reply)))

    def _offered(self, decision: Decision, state: str) -> Context | None:
        listed = options(decision)
        # A list nobody saw must not be picked from.
        if not listed or state != "answered":
            return None
        return Context(listed, self._clock() + CONTEXT_SECONDS)

    def _enqueue(self, message: Message) -> None:
        lane = self._lanes.get(message.thread)
        if lane is not None:
            lane.append(message)
            return
        self._lanes[message.thread] = deque([message])
        worker = asyncio.create_task(self._work(message.thread))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, thread: str) -> None:
        """Answer one asker's messages one after the other."""
        lane = self._lanes[thread]
        try:
            while lane:
                async with self._slots:
                    message = lane.popleft()
                    try:
                        await self.handle(message)
                    except Exception as exc:
                        # One message that cannot be handled must not take the ones behind it along.
                        log.error("message.crashed", cause=exc, id=message.id)
        finally:
            del self._lanes[thread]


def _outcome(decision: Decision) -> str:
    match decision:
        case Answered(picked=True):
            return "picked"
        case Answered():
            return "answered"
        case Offered():
            return "offered"
        case Unanswered():
            return "unanswered"
        case Menu() | TopicList():
            return "menu"
        case Smalltalk(kind):
            return kind.value
        case OutOfList():
            return "out_of_list"


def _record(message: Message, decision: Decision, now: float) -> QuestionRecord | None:
    """What reports need; small talk and menus are not questions."""
    entry, score = "", 0.0
    match decision:
        case Answered():
            entry, score = decision.entry.id, decision.score
        case Offered(candidates):
            entry, score = candidates[0].entry.id, candidates[0].score
        case Unanswered(nearest):
            score = nearest[0].score if nearest else 0.0
        case _:
            return None
    return QuestionRecord(
        message_id=message.id,
        asked_at=message.sent_at or now,
        conversation_id=message.conversation_id,
        asker=message.asker,
        text=message.text,
        outcome=_outcome(decision),
        entry_id=entry,
        score=score,
    )
