"""What stands behind orders about an answer: the one an asker got last, its record, and what they may be shown."""

from __future__ import annotations

from faqbot.access.visibility import Allowed, listable
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.dialogue.state_tracking import drop_expired
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.model.conversation import LastAnswer
from faqbot.model.messages import Message
from faqbot.model.question_log import QuestionRecord

# An answer may have been long in coming after its question.
_BEFORE_SECONDS = 3600.0


class LastAnswers:
    """Reading raises StoreError."""

    def __init__(self, workspace: Workspace, audience: AskerDepartments) -> None:
        self._workspace = workspace
        self._audience = audience

    async def of(self, message: Message) -> LastAnswer | None:
        """The answer that the asker of this message got last where it was written, while it is spoken of."""
        now = self._workspace.clock()
        return drop_expired(await self._workspace.store.context(message.partition_key, now), now).last_answer

    async def records(self, last: LastAnswer) -> tuple[QuestionRecord | None, QuestionRecord | None]:
        """The record of an answer, and that of its question: another where it was picked from a list or is the reply
        to what was asked back. None for what is not on record."""
        since = last.expires_at - OPTIONS_SECONDS - _BEFORE_SECONDS
        found = {record.message_id: record for record in await self._workspace.store.questions(since)}
        answered = found.get(last.message_id)
        if answered is None or answered.outcome != "picked":
            return answered, answered
        return answered, found.get(answered.picked_for)

    async def listed(self, message: Message) -> Allowed:
        """What may be named to the asker where the message was written."""
        departments = await self._audience.departments(message)
        return listable(message, self._workspace.today(), departments, self._workspace.snapshot.groups)


def none_yet() -> str:
    return f"最近 {OPTIONS_SECONDS / 60:.0f} 分钟里没有回答过您，不知道说的是哪一条。"
