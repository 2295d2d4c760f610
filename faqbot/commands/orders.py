"""Orders of administrators: explain one that is not written as it must be, and list them below 帮助."""

from __future__ import annotations

from collections.abc import Collection

from faqbot.access.authorization import refusal
from faqbot.markup.blocks import typed
from faqbot.model.commands import Command, CommandKind, CommandResult
from faqbot.model.messages import Message

# What is done, and what is said for it.
_WORDING = {
    CommandKind.MEMBERS: ("查名单", ("名单 研发中心",)),
    CommandKind.PUNCHES: ("查打卡", ("打卡 小李", "打卡 小李 昨天", "打卡 研发中心 10-12")),
    CommandKind.REPORT: ("做考勤报表", ("报表", "报表 上月 研发中心")),
    CommandKind.ANNOUNCE: ("发公告", ("公告 机器人名：内容",)),
}


class ExplainOrder:
    """Handles an order that was misspelt: tells administrators how to write it, and others that it is not for them."""

    def __init__(self, admins: Collection[str]) -> None:
        self._admins = admins

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        what, examples = _WORDING[CommandKind(command.text)]
        if refused := refusal(message, self._admins, what):
            return refused
        said = "、".join(typed(example, message) for example in examples)
        return CommandResult(f"怎么{what}", f"您是要{what}吗？请发{said}，词和词之间空一格。", "explained")
