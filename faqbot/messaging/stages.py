"""The short stages of message processing: insults, decision, late messages, commands, sending the reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

from faqbot.dialogue.answer_policy import is_settled
from faqbot.dialogue.command_parser import parse_command
from faqbot.dialogue.decision_context import DecisionRequest
from faqbot.embeddings.embeddings import Embeddings
from faqbot.errors import ContentRefused, DeliveryError
from faqbot.language.insults import without_insults
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.batcher import DecisionBatcher
from faqbot.messaging.pipeline import MessageTakenOver, NextStage, Outcome, Turn
from faqbot.messaging.reply_sender import ReplySender
from faqbot.model.commands import Command, CommandHandler, CommandKind, Interpretation, Response
from faqbot.model.decisions import Answered, Likely
from faqbot.model.messages import DeliveryResult, DeliveryState, Message
from faqbot.model.plain_replies import Failure, Menu, SmallTalk, TooLate
from faqbot.replies.orders import orders_of_administrators
from faqbot.replies.render import render
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics

log = EventLog(__name__)

# After ten minutes an answer would come unexpectedly, so the asker is asked to repeat the question.
LATE_SECONDS = 600.0
# After a day not even that makes sense.
_ABANDON_SECONDS = 86400.0


class TakeOutInsults:
    """Goes on with the message without its insults, which are neither searched for, quoted nor recorded.

    The text of an order, such as an announcement, stays as it is; a question for a person does not.
    """

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        message = turn.message
        text = without_insults(message.text)
        if text == message.text:
            return await proceed(turn)
        command = parse_command(message)
        if command is not None and command.kind is not CommandKind.PERSON:
            return await proceed(turn)
        return await proceed(replace(turn, message=replace(message, text=text), had_insult=True))


class Decide:
    """Interprets the message with the live knowledge: as a command, or as a decision on what to reply.

    Words decide first; where they are not sure, the message is decided on once more with its embedding.
    """

    def __init__(
        self,
        batcher: DecisionBatcher,
        departments: AskerDepartments,
        metrics: Metrics,
        embeddings: Embeddings | None,
        admins: Collection[str] = (),
    ) -> None:
        self._admins = admins
        self._batcher = batcher
        self._departments = departments
        self._metrics = metrics
        self._embeddings = embeddings

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        interpretation = await self._interpret(turn)
        self._metrics.decisions.labels(interpretation.outcome).inc()
        if isinstance(interpretation, Command):
            return await proceed(replace(turn, command=interpretation))
        if isinstance(interpretation, Answered | Likely) and not interpretation.entry.private:
            entry_id, score = interpretation.entry.id, round(interpretation.score, 3)
            log.debug("message.decided", outcome=interpretation.outcome, entry=entry_id, score=score)
        return await proceed(replace(turn, response=interpretation))

    async def _interpret(self, turn: Turn) -> Interpretation:
        message = turn.message
        try:
            departments = await self._departments.departments(message)
            request = DecisionRequest(
                message,
                turn.state,
                departments=departments,
                is_admin=bool(message.staff_id) and message.staff_id in self._admins,
                had_insult=turn.had_insult,
                group_answer=turn.group_answer,
            )
            by_words = await self._batcher.decide(request)
        except Exception as exc:
            # Whatever went wrong, the asker must not be left without a reply.
            log.error("message.undecided", cause=exc)
            return Failure()
        try:
            return await self._decide_by_meaning(request, by_words)
        except Exception as exc:
            log.error("message.undecided", cause=exc, what="by meaning")
            return by_words

    async def _decide_by_meaning(self, request: DecisionRequest, by_words: Interpretation) -> Interpretation:
        """Decide once more with the embedding of the message; `by_words` stays where that is not needed or not had."""
        if self._embeddings is None or is_settled(by_words) or not self._batcher.compares_meaning:
            return by_words
        embedding = await self._embeddings.of_question(request.message.text)
        return by_words if embedding is None else await self._batcher.decide(replace(request, embedding=embedding))


class ListOrders:
    """Lists below 帮助 what an administrator may say besides, in a single chat: a group need not read it."""

    def __init__(self, admins: Collection[str]) -> None:
        self._admins = admins

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        message, response = turn.message, turn.response
        is_help = isinstance(response, Menu) and not response.unspecific
        if is_help and not message.is_group and message.staff_id in self._admins:
            turn = replace(turn, footer=turn.footer + orders_of_administrators())
        return await proceed(turn)


class RejectLate:
    """Asks for the question again if the answer would come late, and gives up a message that is very old."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        age = self._clock() - turn.message.received_at
        # An asker who was slowed down was told that answers come slowly, and counts on each of them.
        is_late = age > LATE_SECONDS and not turn.was_slowed
        if age > _ABANDON_SECONDS or (is_late and isinstance(turn.decided, SmallTalk)):
            return Outcome(turn.decided, DeliveryResult(DeliveryState.ABANDONED, "too_old"))
        if not is_late:
            return await proceed(turn)
        outcome = await proceed(replace(turn, command=None, response=TooLate(int(age // 60))))
        # The question log is about the question, not about the request to repeat it.
        return replace(outcome, decided=turn.decided)


class CheckOwnership:
    """Stops if another worker may have taken the message over. From here on, things happen that others see."""

    def __init__(self, holds: Callable[[Message], Awaitable[bool]]) -> None:
        self._holds = holds

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        if not await self._holds(turn.message):
            raise MessageTakenOver
        return await proceed(turn)


class CarryOutCommand:
    """Carries out the command, if the message is one; its result is the reply."""

    def __init__(self, handlers: Mapping[CommandKind, CommandHandler]) -> None:
        self._handlers = handlers

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        if turn.command is None:
            return await proceed(turn)
        return await proceed(replace(turn, command=None, response=await self._run(turn.message, turn.command)))

    async def _run(self, message: Message, command: Command) -> Response:
        try:
            return await self._handlers[command.kind](message, command)
        except Exception as exc:
            # Whatever went wrong, the sender is told so.
            log.error("order.failed", order=command.kind, cause=exc)
            return Failure()


class ReportRefusal:
    """Turns a failed delivery into an outcome, and tells the asker if DingTalk refused the content of the reply."""

    def __init__(self, sender: ReplySender) -> None:
        self._sender = sender

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        try:
            return await proceed(turn)
        except ContentRefused as exc:
            entry_id = _public_entry_id(turn.response)
            log.critical("reply.content_refused", entry=entry_id, code=exc.code, what=f"{exc}；请修改这条答案的文字")
            await self._apologise(turn.message)
            code = exc.code
        except DeliveryError as exc:
            log.error("reply.failed", code=exc.code, reason=str(exc))
            code = exc.code
        return Outcome(turn.response, DeliveryResult(DeliveryState.FAILED, code))

    async def _apologise(self, message: Message) -> None:
        """Tell the asker, in words that are not refused, that the answer could not be sent."""
        try:
            await self._sender.send(message, render(Failure(refused=True), message))
        except DeliveryError as exc:
            log.error("reply.failed", code=exc.code, reason=str(exc))


class SendReply:
    """Writes the reply and delivers it; the last stage. Raises DeliveryError."""

    def __init__(self, sender: ReplySender, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._sender = sender
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        await self._sender.send(turn.message, render(turn.response, turn.message, turn.footer))
        self._metrics.answer_seconds.observe(max(0.0, self._clock() - turn.message.received_at))
        return Outcome(turn.response, turn.response.delivery_result)


def _public_entry_id(response: Response) -> str:
    """Return the id of the entry that was answered, unless it is private: the log must not name those."""
    return response.entry.id if isinstance(response, Answered | Likely) and not response.entry.private else ""
