"""Group answers: note what a group was answered last, for the colleague who says 同问."""

from __future__ import annotations

from dataclasses import replace

from faqbot.dialogue.same_question import asks_the_same_question
from faqbot.messaging.pipeline import NextStage, Outcome, Turn
from faqbot.model.commands import Command, Response
from faqbot.model.conversation import GroupAnswer
from faqbot.model.decisions import Answered, AskedBack, Likely, MultiAnswer
from faqbot.model.messages import DeliveryState, Message
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import RetryUntilAvailable, Store

# Later nobody knows any more which answer is meant.
_NOTE_SECONDS = 600.0


class RememberGroupAnswer:
    """Reads the last answer of the group for 同问, and notes each new one; of a private answer nothing is noted."""

    def __init__(self, store: Store, retry: RetryUntilAvailable) -> None:
        self._store = store
        self._retry = retry

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        message = turn.message
        if not message.is_group:
            return await proceed(turn)
        if asks_the_same_question(message.text):
            turn = replace(turn, group_answer=await self._last(message))
        outcome = await proceed(turn)
        # The answer to a late message was not given, but the message asked for once more.
        delivered = outcome.delivery.state is DeliveryState.ANSWERED and outcome.delivery.reason != "late"
        if delivered and not isinstance(outcome.decided, Command):
            await self._note(message, outcome.decided)
        return outcome

    async def _last(self, message: Message) -> GroupAnswer | None:
        note = await self._retry(lambda: self._store.note(_key(message)))
        return from_json(GroupAnswer, note) if note else None

    async def _note(self, message: Message, response: Response) -> None:
        """Note the answer; a question without one leaves nothing that 同问 could mean."""
        if response.logged_match is None:
            return
        text = to_json(answer_for_all(response))
        await self._retry(lambda: self._store.put_note(_key(message), text, _NOTE_SECONDS))


def answer_for_all(response: Response) -> GroupAnswer:
    """Return what a reply answered for everybody who reads it: the case that holds for its asker is not part of it."""
    match response:
        case Answered(entry) | AskedBack(entry, unclear=False) if not entry.private:
            return GroupAnswer((entry.id,))
        case Likely(entry):
            return GroupAnswer((entry.id,), is_guess=True)
        case MultiAnswer():
            # Several cases of one answer are picked for its asker, too.
            ids = dict.fromkeys(answer.entry.id for answer in response.answered if not answer.entry.private)
            return GroupAnswer(tuple(ids))
        case _:
            return GroupAnswer(())


def _key(message: Message) -> str:
    return f"group-answer:{message.robot_code}|{message.conversation_id}"
