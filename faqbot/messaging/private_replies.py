"""Private replies: send the answer to a private question from a group to the asker's one-to-one chat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.errors import DeliveryError, OutcomeUnknown
from faqbot.messaging.pipeline import NextStage, Outcome, Turn
from faqbot.messaging.reply_sender import ReplySender
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, PrivateReply
from faqbot.model.messages import Message
from faqbot.replies.render import render
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import RetryUntilAvailable, Store

log = EventLog(__name__)

# No message is worked on for as long, so a repetition after a crash still knows that the answer was sent.
_NOTE_SECONDS = 2 * 86400.0


class SendPrivateReply:
    """Sends a private answer to the asker alone; the stages that follow reply to the group how that went."""

    def __init__(
        self, store: Store, sender: ReplySender, retry: RetryUntilAvailable, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._sender = sender
        self._retry = retry
        self._clock = clock

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        if isinstance(turn.response, PrivateReply):
            turn = replace(turn, response=await self._send(turn.message, turn.response))
        return await proceed(turn)

    async def _send(self, message: Message, reply: PrivateReply) -> PrivateReply:
        """Send the answer once, even if this is repeated after a crash; return how it went."""
        if not message.staff_id:
            return replace(reply, status="external", code="external")
        key = f"aside:{message.key}"
        if await self._retry(lambda: self._store.note(key)):
            return replace(reply, status="sent")
        in_single_chat = replace(message, is_group=False)
        decision = reply.decision
        if isinstance(decision, Answered):
            # It arrives far from the question, so it has to name it, as an answer does that was picked from a list.
            decision = replace(decision, picked=True)
        try:
            await self._sender.send_alone(in_single_chat, render(decision, in_single_chat))
        except OutcomeUnknown as exc:
            return replace(reply, status="unsure", code=exc.code)
        except DeliveryError as exc:
            log.error("aside.failed", code=exc.code, reason=str(exc))
            return replace(reply, status="barred", code=exc.code)
        # The dialogue goes on in the single chat: there the list can be picked from and the answer be referred to.
        state = state_after_reply(ConversationState(), decision, message.id, self._clock())
        # Both at once, as the asker may answer at any moment.
        await asyncio.gather(
            self._retry(lambda: self._store.put_note(key, "sent", _NOTE_SECONDS)),
            self._retry(lambda: self._store.put_context(in_single_chat.partition_key, state)),
        )
        return replace(reply, status="sent")
