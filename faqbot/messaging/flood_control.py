"""Not annoying a group: an answer that stands there already is pointed to, and nobody fills it with questions."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeGuard

from faqbot.dialogue.context import PACE_SECONDS, PER_MINUTE
from faqbot.markup.blocks import grey
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, Decision
from faqbot.model.entries import Entry
from faqbot.model.messages import DeliveryResult, DeliveryState, Message
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import LEASE_PREFIX, Steady, Store

log = EventLog(__name__)

# Further up nobody looks.
ABOVE_SECONDS = 600.0
# An answer that is still on its way to somebody else is waited for so long.
_WAIT_SECONDS = 3.0
_LOOK_SECONDS = 0.05
# One answer in this time to somebody who asks too fast: ten a minute.
_GAP_SECONDS = PACE_SECONDS / PER_MINUTE


class FloodControl:
    def __init__(
        self,
        store: Store,
        steady: Steady,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._steady = steady
        self._clock = clock
        self._sleep = sleep

    async def wait_turn(self, message: Message, context: ConversationState) -> bool:
        """Hold up somebody who asked a group's bot ten questions within a minute; whether that was so.

        Alone with the bot they disturb nobody.
        """
        if not message.is_group or len(context.recent) < PER_MINUTE:
            return False
        # Where the clock was put back, the last reply seems to be still to come.
        wait = min(context.recent[-1] - PACE_SECONDS + _GAP_SECONDS - self._clock(), _GAP_SECONDS)
        if wait <= 0:
            return False
        await self._sleep(wait)
        return True

    async def remark(self, message: Message) -> str:
        """What somebody who was held up reads below the answer, once a minute: no message of its own."""
        if not await self._steady(lambda: self._store.claim(f"slowed:{message.partition_key}", PACE_SECONDS)):
            return ""
        log.info("asker.slowed")
        return grey("您问得有点快，后面的我隔几秒答一个，不用重发。")

    async def shortened(self, message: Message, decision: Decision, context: ConversationState) -> Decision:
        """The decision, pointing up where a colleague got the same answer in this group within ten minutes.

        Who had it themselves gets it again, and so does who was answered by what they said before. An answer that is
        under way to somebody else is waited for shortly: one that never arrived must not be pointed to.
        """
        if not _may_stand_above(decision, message) or (context.last and context.last.entry_id == decision.entry.id):
            return decision
        key = _key(message, decision.entry)
        until = self._clock() + _WAIT_SECONDS
        while not await self._steady(lambda: self._store.claim(LEASE_PREFIX + key, ABOVE_SECONDS)):
            if text := await self._steady(lambda: self._store.note(key)):
                told = json.loads(text)
                if told["asker"] == message.asker:
                    return decision
                return replace(decision, related=(), above=int(max(0.0, self._clock() - told["at"]) // 60))
            if self._clock() >= until:
                return decision
            await self._sleep(_LOOK_SECONDS)
        return decision

    async def told(self, message: Message, decision: Decision, verdict: DeliveryResult) -> None:
        """Remember what stands in the group now, or that the answer did not get there."""
        if not _may_stand_above(decision, message) or decision.above is not None:
            return
        key = _key(message, decision.entry)
        if verdict.state is DeliveryState.ANSWERED:
            text = json.dumps({"asker": message.asker, "at": self._clock()}, ensure_ascii=False)
            await self._steady(lambda: self._store.put_note(key, text, ABOVE_SECONDS))
        else:
            await self._steady(lambda: self._store.release(LEASE_PREFIX + key))


def _may_stand_above(decision: Decision, message: Message) -> TypeGuard[Answered]:
    """Whether the decision is an answer that is the same for everybody who reads the group."""
    if not message.is_group or not isinstance(decision, Answered):
        return False
    return not decision.entry.private and decision.entry.ask is None


def _key(message: Message, entry: Entry) -> str:
    """One answer in one group; when HR changes its words it is another."""
    words = hashlib.sha256(entry.answer.encode()).hexdigest()[:16]
    return f"above:{message.robot_code}|{message.conversation_id}|{entry.id}|{words}"
