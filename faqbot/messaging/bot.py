"""The bot: assembles the stages of message processing in their order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.wire.payloads import read_message
from faqbot.embeddings.embeddings import Embeddings
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.batcher import DecisionBatcher
from faqbot.messaging.flood_control import PointToRepeated, SlowDown
from faqbot.messaging.group_answers import RememberGroupAnswer
from faqbot.messaging.group_introduction import IntroduceToGroup
from faqbot.messaging.inbox import Inbox
from faqbot.messaging.pipeline import MessageTakenOver, Stage, Turn, chain
from faqbot.messaging.private_replies import SendPrivateReply
from faqbot.messaging.question_log import RecordOutcome
from faqbot.messaging.quoted_answers import QuotedAnswers
from faqbot.messaging.quotes import ReadQuote, ReviseByQuote
from faqbot.messaging.reply_sender import ReplySender
from faqbot.messaging.stages import (
    CarryOutCommand,
    CheckOwnership,
    Decide,
    ListOrders,
    RejectLate,
    ReportRefusal,
    SendReply,
    TakeOutInsults,
)
from faqbot.model.commands import CommandHandler, CommandKind
from faqbot.model.messages import Message, MessageKind
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.store.protocol import Store

log = EventLog(__name__)


class Bot:
    """Receives bot messages and answers each of them once.

    The inbox passes each stored message to `handle` once and in its asker's order. The stages stand in one list; each
    acts before and after those below it:

    ReadQuote         recognise what the message quotes, and take over a quoted question
    TakeOutInsults    take the insults out of the message, so that they are neither searched for nor recorded
    RecordOutcome     read the asker's dialogue state; at the end, finish the message in the store
    SlowDown          let an asker wait who asks a group's bot too fast
    RememberGroupAnswer  read what the group was answered last, for 同问; afterwards, note the new answer
    Decide            interpret the message as a command, or decide on the reply
    ReviseByQuote     give a command the question that is quoted; ask for what is quoted if it is not known
    RejectLate        ask for the question again if an answer would come too late
    CheckOwnership    stop if another worker may have taken the message over
    CarryOutCommand   replace a command by its result
    SendPrivateReply  send a private answer to the asker alone; the group gets a neutral line
    PointToRepeated   point up to the same answer in the group; afterwards, note that the group has the answer
    ReportRefusal     if the reply could not be delivered, report that
    IntroduceToGroup  add the introduction to a reply that is no long answer; afterwards, note that the group has it
    ListOrders        list below 帮助 what an administrator may say
    SendReply         write the reply and deliver it
    """

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        sender: ReplySender,
        quota: Quota,
        metrics: Metrics,
        embeddings: Embeddings | None = None,
        *,
        departments: AskerDepartments,
        handlers: Mapping[CommandKind, CommandHandler],
        keep_days: int,
        group_taps: bool,
        admins: Collection[str] = (),
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._quota = quota
        self._group_taps = group_taps
        self._metrics = metrics
        self._clock = clock
        self.inbox = inbox = Inbox(store, self.handle, metrics, clock=clock)
        retry = inbox.retry_until_available
        knowledge = workspace.base
        batcher = DecisionBatcher(
            knowledge, metrics, today=workspace.today, clock=clock, arriving=lambda: inbox.arriving > 0
        )
        stages: tuple[Stage, ...] = (
            ReadQuote(QuotedAnswers(workspace, departments), workspace, batcher, departments, inbox),
            TakeOutInsults(),
            RecordOutcome(store, inbox, metrics, clock),
            SlowDown(store, retry, clock, sleep),
            RememberGroupAnswer(store, retry),
            Decide(batcher, departments, metrics, embeddings, admins),
            ReviseByQuote(),
            RejectLate(clock),
            CheckOwnership(inbox.holds),
            CarryOutCommand(handlers),
            SendPrivateReply(store, sender, retry, clock),
            PointToRepeated(store, retry, clock, sleep),
            ReportRefusal(sender),
            IntroduceToGroup(knowledge, store, retry, keep_days=keep_days, today=workspace.today, clock=clock),
            ListOrders(admins),
            SendReply(sender, metrics, clock),
        )
        self._run_stages = chain(stages)

    async def receive(self, data: Any) -> None:
        """Write down the message of one callback; after this returns it may be acknowledged.

        Raises StoreError if it could not be written down.
        """
        message = read_message(data, now=self._clock())
        if message is None:
            log.warning("message.unreadable", kind=type(data).__name__)
            return
        self._metrics.received.labels(message.kind).inc()
        if message.kind is MessageKind.QUOTA:
            log.critical(
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
        """Decide on one message, reply, and record the outcome."""
        started = time.perf_counter()
        try:
            outcome = await self._run_stages(Turn(replace(message, group_taps=self._group_taps)))
        except MessageTakenOver:
            log.warning("message.taken_by_another")
            return
        log.info(
            "message.done",
            kind=message.kind,
            group=message.is_group,
            outcome=outcome.decided.outcome,
            state=outcome.delivery.state,
            code=outcome.delivery.reason,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )

    async def drain(self, seconds: float) -> None:
        """Finish the replies under way within a grace period; the rest stays in the store for the next worker."""
        await self.inbox.drain(seconds)
