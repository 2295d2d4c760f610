"""Authorization of chat commands, and the refusal sent to people without permission. Pure."""

from __future__ import annotations

from collections.abc import Collection

from faqbot.model.commands import CommandResult
from faqbot.model.messages import Message

# The outcome of a refused command in log and metrics.
REFUSED = "order_refused"


def refusal(message: Message, admins: Collection[str], what: str) -> CommandResult | None:
    """Refuse a command that is for administrators only; None if its sender is one."""
    if message.staff_id and message.staff_id in admins:
        return None
    hint = "您要是想问规定，请写成一句话，例如「忘了打卡怎么办」。"
    return CommandResult(f"不能{what}", f"不好意思，{what}只给机器人的管理员用。{hint}", REFUSED)


def only_alone(message: Message, word: str) -> CommandResult | None:
    """Refuse to show facts about the sender in a group, or to somebody without a userId; None if they may be shown."""
    if message.is_group:
        return CommandResult("请私聊我", f"这件事只在单聊里告诉您。请点我的头像，私聊发「{word}」。", REFUSED)
    if not message.staff_id:
        return CommandResult("查不到", "只有本公司通讯录里的人可以查。", REFUSED)
    return None


def not_possible(what: str, why: object) -> CommandResult:
    """Report that a command failed, and why."""
    return CommandResult(f"没能{what}", f"没能{what}：{why}", "order_failed")
