"""Flood control in groups: slow down an asker who asks too fast, and point to an identical recent answer."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeGuard

from faqbot.dialogue.state_tracking import RATE_WINDOW_SECONDS, REPLIES_PER_WINDOW
from faqbot.markup.blocks import grey
from faqbot.messaging.pipeline import NextStage, Outcome, Turn
from faqbot.model.commands import Response
from faqbot.model.conversation import ConversationState, drop_expired
from faqbot.model.decisions import Answered, Likely
from faqbot.model.entries import Entry
from faqbot.model.messages import DeliveryResult, DeliveryState, Message
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import LEASE_PREFIX, RetryUntilAvailable, Store

log = EventLog(__name__)

# An answer is pointed to for ten minutes; nobody scrolls up further.
REPEAT_SECONDS = 600.0
# The longest wait for an identical answer that is being sent to somebody else, and the interval of looking for it.
_PENDING_SECONDS = 3.0
_POLL_SECONDS = 0.05
# The interval between answers to an asker who was slowed down: ten a minute.
_INTERVAL_SECONDS = RATE_WINDOW_SECONDS / REPLIES_PER_WINDOW


class SlowDown:
    """Delays the messages of an asker who had ten replies in a group within a minute, and tells them so once a minute.

    In a single chat they disturb nobody.
    """

    def __init__(
        self,
        store: Store,
        retry: RetryUntilAvailable,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._retry = retry
        self._clock = clock
        self._sleep = sleep

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        if not await self.wait_turn(turn.message, drop_expired(turn.state, self._clock())):
            return await proceed(turn)
        return await proceed(replace(turn, was_slowed=True, footer=await self._notice(turn.message)))

    async def wait_turn(self, message: Message, state: ConversationState) -> bool:
        """Wait if the asker asks too fast; return True if that was so. `state` is unexpired."""
        if not message.is_group or len(state.reply_expiries) < REPLIES_PER_WINDOW:
            return False
        last_reply = state.reply_expiries[-1] - RATE_WINDOW_SECONDS
        # After the clock was set back, the last reply seems to lie in the future.
        wait = min(last_reply + _INTERVAL_SECONDS - self._clock(), _INTERVAL_SECONDS)
        if wait <= 0:
            return False
        await self._sleep(wait)
        return True

    async def _notice(self, message: Message) -> str:
        """Return the line below the answer, once a minute; it needs no message of its own."""
        key = f"slowed:{message.partition_key}"
        if not await self._retry(lambda: self._store.claim(key, RATE_WINDOW_SECONDS)):
            return ""
        log.info("asker.slowed")
        return grey("您问得有点快，后面的我隔几秒答一个，不用重发。")


class PointToRepeated:
    """Points up instead of repeating an answer that a colleague got in the same group within ten minutes.

    An asker who had the answer themselves gets it again, and so does one whose answer depends on their own facts.
    """

    def __init__(
        self,
        store: Store,
        retry: RetryUntilAvailable,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._retry = retry
        self._clock = clock
        self._sleep = sleep

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        state = drop_expired(turn.state, self._clock())
        response = await self.shortened(turn.message, turn.response, state)
        outcome = await proceed(replace(turn, response=response))
        await self.note_delivery(turn.message, response, outcome.delivery)
        return outcome

    async def shortened(self, message: Message, response: Response, state: ConversationState) -> Response:
        """Return the response, shortened to a pointer if the group has the same answer already.

        Otherwise the answer is claimed, so that others who ask at the same time wait for it: an answer that never
        arrives must not be pointed to.
        """
        if not _is_repeatable(response, message):
            return response
        if state.last_answer and state.last_answer.entry_id == response.entry.id:
            return response
        key = _key(message, response.entry)
        give_up_at = self._clock() + _PENDING_SECONDS
        while not await self._retry(lambda: self._store.claim(LEASE_PREFIX + key, REPEAT_SECONDS)):
            if note := await self._retry(lambda: self._store.note(key)):
                earlier = json.loads(note)
                if earlier["asker"] == message.asker:
                    return response
                minutes = int(max(0.0, self._clock() - earlier["at"]) // 60)
                return _pointer(response, minutes)
            if self._clock() >= give_up_at:
                return response
            await self._sleep(_POLL_SECONDS)
        return response

    async def note_delivery(self, message: Message, response: Response, delivery: DeliveryResult) -> None:
        """Note that the group has the answer now; release the claim if it did not arrive."""
        if not _is_repeatable(response, message) or response.answered_minutes_ago is not None:
            return
        key = _key(message, response.entry)
        if delivery.state is DeliveryState.ANSWERED:
            note = json.dumps({"asker": message.asker, "at": self._clock()}, ensure_ascii=False)
            await self._retry(lambda: self._store.put_note(key, note, REPEAT_SECONDS))
        else:
            await self._retry(lambda: self._store.release(LEASE_PREFIX + key))


def _is_repeatable(response: Response, message: Message) -> TypeGuard[Answered | Likely]:
    if not message.is_group or not isinstance(response, Answered | Likely):
        return False
    # Who asks for the last answer once more wants the whole of it.
    return response.same_for_everyone and not response.repeated


def _pointer(response: Answered | Likely, minutes: int) -> Response:
    if isinstance(response, Likely):
        return replace(response, answered_minutes_ago=minutes)
    return replace(response, related=(), answered_minutes_ago=minutes)


def _key(message: Message, entry: Entry) -> str:
    """Identify one answer in one group; once HR changes its words it is another answer."""
    digest = hashlib.sha256(entry.answer.encode()).hexdigest()[:16]
    return f"above:{message.robot_code}|{message.conversation_id}|{entry.id}|{digest}"
