"""A private answer to a question that was asked in a group: to the asker alone, and what the group learns of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from faqbot.dialogue.context import remember
from faqbot.errors import DeliveryError, OutcomeUnknown
from faqbot.messaging.reply_sender import ReplySender
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, PrivateReply
from faqbot.model.messages import Message
from faqbot.replies.render import render
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import Steady, Store

log = EventLog(__name__)

# Longer than a message is worked on.
_REMEMBER_SECONDS = 2 * 86400.0


class PrivateReplies:
    def __init__(
        self,
        store: Store,
        delivery: ReplySender,
        steady: Steady,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._steady = steady
        self._clock = clock

    async def tell(self, message: Message, aside: PrivateReply) -> PrivateReply:
        """Send what is due to the asker alone, once even if this is repeated after a crash; says how it went."""
        if not message.staff_id:
            return replace(aside, way="external", code="external")
        key = f"aside:{message.key}"
        if await self._steady(lambda: self._store.note(key)):
            return replace(aside, way="sent")
        alone = replace(message, is_group=False)
        decision = aside.decision
        if isinstance(decision, Answered):
            # It arrives far from the question, so it has to name it.
            decision = replace(decision, picked=True)
        try:
            await self._delivery.send_alone(alone, render(decision, alone))
        except OutcomeUnknown as exc:
            return replace(aside, way="unsure", code=exc.code)
        except DeliveryError as exc:
            log.error("aside.failed", code=exc.code, reason=str(exc))
            return replace(aside, way="barred", code=exc.code)
        # The list can be picked from where it was shown, and what is said there next follows the answer.
        context = remember(ConversationState(), decision, message.id, self._clock())
        # Together: the person may say it at once.
        await asyncio.gather(
            self._steady(lambda: self._store.put_note(key, "sent", _REMEMBER_SECONDS)),
            self._steady(lambda: self._store.put_context(alone.partition_key, context)),
        )
        return replace(aside, way="sent")
