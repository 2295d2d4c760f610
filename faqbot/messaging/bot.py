"""The path of one message, readable from top to bottom: receive, accept, decide, reply, record."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from faqbot.dialogue.choices import picked_for
from faqbot.dialogue.context import fresh, remember
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.wire.payloads import read_message
from faqbot.errors import ContentRefused, DeliveryError, StoreError
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.batcher import DecisionBatcher
from faqbot.messaging.flood_control import FloodControl
from faqbot.messaging.group_introduction import GroupIntroduction
from faqbot.messaging.inbox import Inbox
from faqbot.messaging.private_replies import PrivateReplies
from faqbot.messaging.question_log import outcome_of, record_of
from faqbot.messaging.reply_sender import ReplySender
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import (
    Answered,
    Command,
    CommandHandler,
    CommandKind,
    Decision,
    Failure,
    PrivateReply,
    SmallTalk,
    TooLate,
)
from faqbot.model.messages import DeliveryResult, DeliveryState, Message, MessageKind
from faqbot.replies.render import render
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.search.embeddings import Embeddings
from faqbot.store.protocol import Store

log = EventLog(__name__)

# An answer that comes later than this comes out of the blue: the asker is told instead.
LATE_SECONDS = 600.0
# After a day not even that makes sense.
_ABANDON_SECONDS = 86400.0
_LAST_RECORD_SECONDS = 1.0


class Bot:
    """Takes bot messages on and answers each once."""

    def __init__(
        self,
        library: KnowledgeBase,
        store: Store,
        delivery: ReplySender,
        quota: Quota,
        metrics: Metrics,
        embeddings: Embeddings | None = None,
        *,
        audience: AskerDepartments,
        deeds: Mapping[CommandKind, CommandHandler],
        today: Callable[[], date],
        keep_days: int,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._quota = quota
        self._metrics = metrics
        self._embeddings = embeddings
        self._audience = audience
        self._deeds = deeds
        self._clock = clock
        self.inbox = Inbox(store, self.handle, metrics, clock=clock)
        until_available = self.inbox.retry_until_available
        self._discretion = PrivateReplies(store, delivery, until_available, clock)
        self._quiet = FloodControl(store, until_available, clock, sleep)
        self._welcome = GroupIntroduction(library, store, until_available, keep_days=keep_days, today=today)
        self._desk = DecisionBatcher(
            library, metrics, today=today, clock=clock, arriving=lambda: self.inbox.arriving > 0
        )

    async def receive(self, data: Any) -> None:
        """Take on the data of one callback. After this returns the message may be acknowledged.

        Raises StoreError when it could not be written down.
        """
        message = read_message(data, now=self._clock())
        if message is None:
            log.warning("message.unreadable", kind=type(data).__name__)
            return
        self._metrics.received.labels(message.kind).inc()
        if message.kind is MessageKind.QUOTA:
            log.alarm(
                "quota.used_up",
                what="钉钉：本月消息额度已用完，机器人收不到提问；请到开发者后台 > 资源管理查看",
            )
            return
        self._quota.message()
        if await self.inbox.accept(message):
            log.debug("message.accepted", id=message.id, group=message.is_group, kind=message.kind)
        else:
            self._metrics.repeated.inc()
            log.info("message.repeated", id=message.id)

    async def handle(self, message: Message) -> None:
        """Decide on one message, reply and record what became of it."""
        started = time.perf_counter()
        context = await self.inbox.context(message)
        held_up = await self._quiet.wait_turn(message, fresh(context, self._clock()))
        decision = await self._decide(message, context)
        age = self._clock() - message.received_at
        # Whoever is held up was told that answers come slowly, and counts on every one.
        late = age > LATE_SECONDS and not held_up
        if age > _ABANDON_SECONDS or (late and isinstance(decision, SmallTalk)):
            verdict = DeliveryResult(DeliveryState.ABANDONED, "too_old")
        elif not await self.inbox.holds(message):
            log.warning("message.taken_by_another")
            return
        elif late:
            verdict = await self._reply(message, TooLate(int(age // 60)), reason="late")
        else:
            if isinstance(decision, Command):
                decision = await self._do(message, decision)
            if isinstance(decision, PrivateReply):
                decision = await self._discretion.tell(message, decision)
            decision = await self._quiet.shortened(message, decision, fresh(context, self._clock()))
            verdict = await self._answer(message, decision, held_up=held_up)
        await self._record(message, decision, verdict, context)
        ms = round((time.perf_counter() - started) * 1000, 1)
        log.info(
            "message.done",
            kind=message.kind,
            group=message.is_group,
            outcome=outcome_of(decision),
            state=verdict.state,
            code=verdict.reason,
            ms=ms,
        )

    async def drain(self, seconds: float) -> None:
        """Finish the replies under way within a grace time; the rest stays in the store."""
        await self.inbox.drain(seconds)

    async def _decide(self, message: Message, context: ConversationState | None) -> Decision:
        meaning = None
        if self._embeddings is not None and message.text:
            meaning = await self._embeddings.of_question(message.text)
        try:
            decision = await self._desk.decide(message, context, meaning, await self._audience.departments(message))
        except Exception as exc:
            # Whatever it is, the asker must not be left in silence.
            log.error("message.undecided", cause=exc)
            decision = Failure()
        outcome = outcome_of(decision)
        self._metrics.decisions.labels(outcome).inc()
        if isinstance(decision, Answered) and not decision.entry.private:
            log.debug("message.decided", outcome=outcome, entry=decision.entry.id, score=round(decision.score, 3))
        return decision

    async def _do(self, message: Message, order: Command) -> Decision:
        """Carry out an order; whatever goes wrong, its giver is told so."""
        try:
            return await self._deeds[order.kind](message, order)
        except Exception as exc:
            log.error("order.failed", order=order.kind, cause=exc)
            return Failure()

    async def _answer(self, message: Message, decision: Decision, *, held_up: bool) -> DeliveryResult:
        """Reply in time, with what the group has to be told beside; it remembers what stands there now."""
        welcome = await self._welcome.due(message, decision)
        remark = await self._quiet.remark(message) if held_up else ""
        verdict = await self._reply(message, decision, remark=remark, welcome=welcome)
        await self._quiet.told(message, decision, verdict)
        if welcome:
            await self._welcome.settle(message, delivered=verdict.state is DeliveryState.ANSWERED)
        return verdict

    async def _reply(
        self, message: Message, decision: Decision, reason: str = "ok", *, remark: str = "", welcome: str = ""
    ) -> DeliveryResult:
        if isinstance(decision, Failure):
            reason = "broken"
        if isinstance(decision, PrivateReply):
            # The group's line is not the answer.
            reason = decision.code
        try:
            await self._delivery.send(message, render(decision, message, remark + welcome))
        except ContentRefused as exc:
            if welcome:
                # It may be the introduction that was refused; the next answer must not be lost to it, too.
                await self._welcome.settle(message, delivered=True)
            entry = decision.entry.id if isinstance(decision, Answered) and not decision.entry.private else ""
            log.alarm("reply.content_refused", entry=entry, code=exc.code, what=f"{exc}；请修改这条答案的文字")
            return await self._apologise(message, exc)
        except DeliveryError as exc:
            log.error("reply.failed", code=exc.code, reason=str(exc))
            return DeliveryResult(DeliveryState.FAILED, exc.code)
        self._metrics.answer_seconds.observe(max(0.0, self._clock() - message.received_at))
        return DeliveryResult(DeliveryState.FAILED if isinstance(decision, Failure) else DeliveryState.ANSWERED, reason)

    async def _apologise(self, message: Message, refusal: ContentRefused) -> DeliveryResult:
        """The answer itself was refused: say so, in words that are not."""
        try:
            await self._delivery.send(message, render(Failure(refused=True), message))
        except DeliveryError as exc:
            log.error("reply.failed", code=exc.code, reason=str(exc))
        return DeliveryResult(DeliveryState.FAILED, refusal.code)

    async def _record(
        self, message: Message, decision: Decision, verdict: DeliveryResult, before: ConversationState | None
    ) -> None:
        record = record_of(message, decision, verdict, self._clock())
        if record is not None and (question := picked_for(fresh(before, self._clock()), message.text, decision)):
            outcome = "picked" if record.outcome == "answered" else record.outcome
            record = replace(record, outcome=outcome, picked_for=question)
        context = self._remembered(message, decision, verdict, before)
        self._metrics.finished.labels(verdict.state).inc()
        try:
            await self.inbox.retry_until_available(lambda: self._store.finish(message, verdict, record, context))
        except asyncio.CancelledError:
            # A shutdown must not stop this halfway: the reply is out, and the next worker would send it again.
            # Where the store is away too, the cancellation still goes on.
            with contextlib.suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_LAST_RECORD_SECONDS):
                    await self._store.finish(message, verdict, record, context)
            raise

    def _remembered(
        self, message: Message, decision: Decision, verdict: DeliveryResult, before: ConversationState | None
    ) -> ConversationState | None:
        """The asker's new context; None where nothing changed. A list nobody saw must not be picked from."""
        if verdict != DeliveryResult(DeliveryState.ANSWERED):
            return None
        now = self._clock()
        held = fresh(before, now)
        after = remember(held, decision, message.id, now)
        return after if after != held else None
