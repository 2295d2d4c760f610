"""Command 确认: confirm the action that is waiting for the sender's confirmation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message

# Confirms what waits for the sender of a message; None if nothing does.
Confirm = Callable[[Message], Awaitable[CommandResult | None]]


class ConfirmCommand:
    """Tries each function in `waiting`, in order, until one confirms something."""

    def __init__(self, waiting: Sequence[Confirm]) -> None:
        self._waiting = waiting

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        for confirm in self._waiting:
            if (result := await confirm(message)) is not None:
                return result
        return CommandResult("没有要确认的", "没有等您确认的事。")
