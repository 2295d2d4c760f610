"""我的: the asker's own last questions, in a single chat only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from faqbot.access.privacy import withheld_topic
from faqbot.dialogue.choices import picked_number
from faqbot.markup.blocks import tap
from faqbot.markup.escaping import neutralise
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message
from faqbot.model.question_log import QuestionRecord
from faqbot.store.protocol import QuestionStore

_SHOWN = 5
_DAYS = 30
_PICKS = ("picked", "none_of_these", "asked_again")


class OwnQuestionsCommand:
    """Lists what one person asked lately, newest first."""

    def __init__(self, store: QuestionStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, message: Message, order: Command) -> CommandResult:
        if message.is_group:
            return CommandResult("请私聊我", "您问过的问题只在单聊里告诉您。请点我的头像，私聊发「我的」。")
        records = await self._store.questions(self._clock() - _DAYS * 86400)
        asked = _questions([r for r in records if r.asker == message.asker])
        last = list(dict.fromkeys(reversed(asked)))[:_SHOWN]
        if not last:
            return CommandResult("您最近问过的", f"最近 {_DAYS} 天里没有您的提问记录。")
        # No numbers: a number picks from the list before.
        lines = "\n".join(f"- {_line(text)}" for text in last)
        return CommandResult("您最近问过的", f"您最近问过的（点一下再问一次）：\n\n{lines}")


def _questions(mine: Sequence[QuestionRecord]) -> list[str]:
    """What was asked, without what picked from a list or replied to a question back: that asks nothing by itself."""
    known = {r.message_id for r in mine}
    # A line that was tapped in a menu is a question; one of a list stands for the question that the list was for.
    tapped = (r.picked_for and r.picked_for not in known for r in mine)
    return [
        r.text
        for r, from_menu in zip(mine, tapped, strict=True)
        if r.text.strip() and picked_number(r.text) is None and (r.outcome not in _PICKS or from_menu)
    ]


def _line(text: str) -> str:
    # Of a private question only the topic is kept, which is nothing to ask.
    shown = neutralise(text)
    return shown if withheld_topic(text) is not None else f"[{shown}]({tap(text)})"
