"""Command 我的: list the asker's own last questions, in a single chat only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from faqbot.access.privacy import withheld_topic
from faqbot.dialogue.choices import is_pick
from faqbot.markup.blocks import tappable
from faqbot.markup.escaping import escape_markdown
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message
from faqbot.model.question_log import RATED, QuestionRecord
from faqbot.store.protocol import QuestionStore

_MAX_LISTED = 5
_DAYS = 30
_REPLY_OUTCOMES = ("picked", "none_of_these", "asked_again", "likely_refused")


class OwnQuestionsCommand:
    """Lists the questions of one person in the last 30 days, newest first."""

    def __init__(self, store: QuestionStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        if message.is_group:
            return CommandResult("请私聊我", "您问过的问题只在单聊里告诉您。请点我的头像，私聊发「我的」。")
        records = await self._store.questions(self._clock() - _DAYS * 86400)
        questions = _questions([r for r in records if r.asker == message.asker and r.outcome != RATED])
        last = list(dict.fromkeys(reversed(questions)))[:_MAX_LISTED]
        if not last:
            return CommandResult("您最近问过的", f"最近 {_DAYS} 天里没有您的提问记录。")
        # The lines have no numbers, as a number picks from the list that was sent before.
        lines = "\n".join(f"- {_line(text, message)}" for text in last)
        return CommandResult("您最近问过的", f"您最近问过的（点一下再问一次）：\n\n{lines}")


def _questions(records: Sequence[QuestionRecord]) -> list[str]:
    """Return the texts of one person's questions, without picks from a list and replies to a question back."""
    message_ids = {r.message_id for r in records}
    # A line tapped in a menu is a question of its own; one in a list stands for the question that the list was for.
    tapped_in_menu = (r.picked_for and r.picked_for not in message_ids for r in records)
    return [
        r.text
        for r, from_menu in zip(records, tapped_in_menu, strict=True)
        if r.text.strip() and not is_pick(r.text) and (r.outcome not in _REPLY_OUTCOMES or from_menu)
    ]


def _line(text: str, message: Message) -> str:
    # The placeholder of a private question cannot be asked again.
    plain = escape_markdown(text)
    return plain if withheld_topic(text) is not None else tappable(text, message, plain)
