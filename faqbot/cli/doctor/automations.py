"""Checks the group robots and the webhooks that automations.yaml names, without sending anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from faqbot.cli.doctor.findings import Finding, Level
from faqbot.dingtalk.api.group_robots import RobotKeys
from faqbot.rules.definitions import DINGTALK_EVENT_PREFIX, Automations, EventTrigger, GroupRobot
from faqbot.settings import Settings

_ROBOT_TOKEN = re.compile(r"[0-9a-f]{64}")
# A shorter token of a webhook can be guessed.
_MIN_HOOK_TOKEN_LENGTH = 16


def check_robots(automations: Automations, variable: Callable[[str], str]) -> Iterator[Finding]:
    """Check the keys of each group robot; `variable` reads an environment variable."""
    for name, robot in automations.robots.items():
        level, text = _check_robot(name, robot, variable)
        yield Finding(f"群机器人 {name}", level, text)


def _check_robot(name: str, robot: GroupRobot, variable: Callable[[str], str]) -> tuple[Level, str]:
    if why_not := robot.blocked_reason(variable):
        return Level.BAD, f"{why_not}：请在钉钉 群设置 > 机器人 里复制，写进环境变量或 .env"
    keys = RobotKeys.read(robot.token.resolve(variable), robot.secret.resolve(variable))
    if not _ROBOT_TOKEN.fullmatch(keys.token):
        return Level.WARNING, "token 不像 Webhook 地址里的 access_token（64 个十六进制字符）：请重新复制"
    if keys.secret and not keys.secret.startswith("SEC"):
        return (
            Level.WARNING,
            "secret 不像加签的密钥（以 SEC 开头）：请到 群设置 > 机器人 > 安全设置 重新复制",
        )
    summary = "已设置 token 和密钥" if keys.secret else "已设置 token，没有加签的密钥"
    return Level.GOOD, f"{summary}；对不对要真的发一条才知道：faqbot send {name} 你好"


def check_webhooks(automations: Automations, settings: Settings) -> Iterator[Finding]:
    """Check that the events rules wait for can be sent, and only by those who hold a token or the secret."""
    name = "外部事件"
    awaited = [rule.trigger.event for rule in automations.rules if isinstance(rule.trigger, EventTrigger)]
    external = [event for event in dict.fromkeys(awaited) if not event.startswith(DINGTALK_EVENT_PREFIX)]
    closed = [event for event in external if not any(hook.allows(event) for hook in automations.webhook_tokens)]
    if closed and not settings.hook_secret:
        text = f"没有设置 FAQBOT_HOOK_SECRET，事件 {'、'.join(closed)} 进不来"
        yield Finding(name, Level.WARNING, f"{text}：请设置它，或在 automations.yaml 的 hooks 里给发送方一个 token")
    for hook in automations.webhook_tokens:
        token = hook.token.resolve(settings.variable)
        if not token:
            text = f"{hook.pattern} 的 token 还没有设置环境变量 {hook.token.variable}，这个发送方进不来"
            yield Finding(name, Level.WARNING, text)
        elif len(token) < _MIN_HOOK_TOKEN_LENGTH:
            text = f"{hook.pattern} 的 token 太短，容易被猜中：请换成 {_MIN_HOOK_TOKEN_LENGTH} 个以上的随机字符"
            yield Finding(name, Level.WARNING, text)
