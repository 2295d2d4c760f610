"""The last answer of an asker and its records, which the commands about an answer refer to."""

from __future__ import annotations

from faqbot.access.visibility import Allowed, listable
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.model.conversation import LastAnswer, drop_expired
from faqbot.model.messages import Message
from faqbot.model.question_log import QuestionRecord

# A question may be recorded this much earlier than its answer, as answers can be delayed.
_MAX_DELAY_SECONDS = 3600.0


class LastAnswers:
    """Reads last answers; every method raises StoreError."""

    def __init__(self, workspace: Workspace, departments: AskerDepartments) -> None:
        self._workspace = workspace
        self._departments = departments

    async def of(self, message: Message) -> LastAnswer | None:
        """Return the answer that the asker of a message got last in its conversation, if it is recent."""
        now = self._workspace.clock()
        return drop_expired(await self._workspace.store.context(message.partition_key, now), now).last_answer

    async def records(self, last: LastAnswer) -> tuple[QuestionRecord | None, QuestionRecord | None]:
        """Return the record of an answer and the record of its question; None for one that is not on record.

        They differ if the answer was picked from a list or follows a question back.
        """
        since = last.expires_at - OPTIONS_SECONDS - _MAX_DELAY_SECONDS
        by_message = {record.message_id: record for record in await self._workspace.store.questions(since)}
        answered = by_message.get(last.message_id)
        if answered is None or answered.outcome != "picked":
            return answered, answered
        return answered, by_message.get(answered.picked_for)

    async def listed(self, message: Message) -> Allowed:
        """Return a test for the entries that may be shown to the asker where the message was written."""
        departments = await self._departments.departments(message)
        return listable(message, self._workspace.today(), departments, self._workspace.snapshot.groups)


def none_yet() -> str:
    """Reply that there is no last answer to which the command could refer."""
    return f"最近 {OPTIONS_SECONDS / 60:.0f} 分钟里没有回答过您，不知道说的是哪一条。"
