"""The last answer of an asker and its records, which the commands about an answer refer to."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.access.visibility import Allowed
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.messaging.quoted_answers import QuotedAnswers
from faqbot.model.conversation import LastAnswer, drop_expired
from faqbot.model.messages import Message
from faqbot.model.question_log import RATED, QuestionRecord

# A question may be recorded this much earlier than its answer, as answers can be delayed.
_MAX_DELAY_SECONDS = 3600.0


class LastAnswers:
    """Reads last answers; every method raises StoreError."""

    def __init__(self, workspace: Workspace, quoted_answers: QuotedAnswers) -> None:
        self._workspace = workspace
        self._quoted_answers = quoted_answers

    async def of(self, message: Message) -> LastAnswer | None:
        """Return the answer that a message quotes; without a quote the one its asker got last here, if it is recent."""
        if message.is_quote:
            return await self._quoted_answers.find(message)
        now = self._workspace.clock()
        return drop_expired(await self._workspace.store.context(message.partition_key, now), now).last_answer

    async def records(self, last: LastAnswer) -> tuple[QuestionRecord | None, QuestionRecord | None]:
        """Return the record of an answer and the record of its question; None for one that is not on record.

        They differ if the answer was picked from a list or follows a question back.
        """
        by_message = {record.message_id: record for record in await self._since(last)}
        answered = by_message.get(last.message_id)
        if answered is None or answered.outcome != "picked":
            return answered, answered
        return answered, by_message.get(answered.picked_for)

    async def rated_record(self, message: Message, last: LastAnswer) -> QuestionRecord | None:
        """Return the record that holds the sender's rating of an answer: that of the question, if it was theirs.

        The rating of a colleague has a record of its own; where there is none yet, return that of the question.
        """
        records = await self._since(last)
        answered = next((r for r in records if r.message_id == last.message_id), None)
        if answered is None or answered.asker == message.asker:
            return answered
        theirs = (r for r in records if r.outcome == RATED and r.asker == message.asker)
        return next((r for r in theirs if r.picked_for == last.message_id), answered)

    async def _since(self, last: LastAnswer) -> Sequence[QuestionRecord]:
        """Return the records since the question of an answer."""
        since = (last.asked_at or last.expires_at - OPTIONS_SECONDS) - _MAX_DELAY_SECONDS
        return await self._workspace.store.questions(since)

    async def listed(self, message: Message) -> Allowed:
        """Return a test for the entries that may be shown to the asker where the message was written."""
        return await self._quoted_answers.listed(message)


def none_yet(message: Message) -> str:
    """Reply that there is no answer to which the command could refer."""
    if message.is_quote:
        return "认不出您引用的是哪一条回答。"
    return f"最近 {OPTIONS_SECONDS / 60:.0f} 分钟里没有回答过您，不知道说的是哪一条。"
