"""Question log stage: the outermost; reads the dialogue state first and records the outcome last."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from faqbot.access.privacy import withheld
from faqbot.dialogue.choices import list_message_id
from faqbot.dialogue.quoted_context import state_going_on, state_to_decide_by
from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.errors import StoreError
from faqbot.language.masking import mask_numbers
from faqbot.messaging.inbox import Inbox
from faqbot.messaging.pipeline import NextStage, Outcome, Turn
from faqbot.model.commands import ColleagueRating, Command, CommandResult, Response
from faqbot.model.conversation import ConversationState, drop_expired
from faqbot.model.messages import DeliveryResult, DeliveryState, Message
from faqbot.model.question_log import RATED, QuestionRecord
from faqbot.runtime.metrics import Metrics
from faqbot.store.protocol import Store

# The time a shutdown waits for the last step in the store.
_LAST_RECORD_SECONDS = 1.0
_DELIVERED = DeliveryResult(DeliveryState.ANSWERED)


class RecordOutcome:
    """Finishes each message in the store: last state, question record and new dialogue state, in one atomic step."""

    def __init__(self, store: Store, inbox: Inbox, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._store = store
        self._inbox = inbox
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        stored = await self._inbox.context(turn.message) or ConversationState()
        turn = replace(turn, state=state_to_decide_by(stored, turn.quote, self._clock()))
        outcome = await proceed(turn)
        await self._record(turn, stored, outcome)
        return outcome

    async def _record(self, turn: Turn, stored: ConversationState, outcome: Outcome) -> None:
        message, decided, delivery, now = turn.message, outcome.decided, outcome.delivery, self._clock()
        record, after = None, None
        if not isinstance(decided, Command):
            record = record_of(message, decided, drop_expired(turn.state, now), delivery, now)
            before = drop_expired(state_going_on(stored, turn.quote), now)
            after = _changed_state(message, decided, before, delivery, now)
        self._metrics.finished.labels(delivery.state).inc()
        try:
            await self._inbox.retry_until_available(lambda: self._store.finish(message, delivery, record, after))
        except asyncio.CancelledError:
            # A shutdown must not stop this halfway: the reply is out, and the next worker would send it again.
            # If the store is unavailable too, the cancellation goes on all the same.
            with contextlib.suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_LAST_RECORD_SECONDS):
                    await self._store.finish(message, delivery, record, after)
            raise


def _changed_state(
    message: Message, response: Response, before: ConversationState, delivery: DeliveryResult, now: float
) -> ConversationState | None:
    """Return the asker's new dialogue state; None if it is the same or the answer did not reach them.

    Nobody can pick from a list that they did not see.
    """
    if delivery != _DELIVERED:
        return None
    after = state_after_reply(before, response, message.id, now)
    return after if after != before else None


def record_of(
    message: Message, response: Response, before: ConversationState, delivery: DeliveryResult, now: float
) -> QuestionRecord | None:
    """Build the record of a question or of a colleague's rating; None for any other message, such as small talk.

    `before` is unexpired.
    """
    if isinstance(response, CommandResult) and response.rated is not None:
        return _rating_record(message, response.rated, now)
    match = response.logged_match
    if match is None:
        return None
    outcome, picked_for = response.outcome, list_message_id(before, message.text, response)
    if picked_for and outcome == "answered":
        outcome = "picked"
    private = response.private_entry
    return QuestionRecord(
        message_id=message.id,
        asked_at=message.sent_at or now,
        conversation_id=message.conversation_id,
        asker=message.asker,
        text=mask_numbers(match.question or message.text) if private is None else withheld(private.topic),
        outcome=outcome,
        entry_id=match.entry_id if private is None else "",
        score=match.score,
        delivery=delivery.reason,
        picked_for=picked_for,
    )


def _rating_record(message: Message, rated: ColleagueRating, now: float) -> QuestionRecord:
    return QuestionRecord(
        message_id=message.id,
        asked_at=message.sent_at or now,
        conversation_id=message.conversation_id,
        asker=message.asker,
        text=rated.question,
        outcome=RATED,
        entry_id=rated.entry_id,
        rating=rated.rating,
        picked_for=rated.message_id,
    )
