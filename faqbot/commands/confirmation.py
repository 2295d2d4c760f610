"""确认: what it means depends on what waits for the sender's word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message

Confirm = Callable[[Message], Awaitable[CommandResult | None]]


class ConfirmCommand:
    """Asks each of those who may wait for a word, the nearest first."""

    def __init__(self, waiting: Sequence[Confirm]) -> None:
        self._waiting = waiting

    async def __call__(self, message: Message, order: Command) -> CommandResult:
        for confirm in self._waiting:
            if (told := await confirm(message)) is not None:
                return told
        return CommandResult("没有要确认的", "没有等您确认的事。")
