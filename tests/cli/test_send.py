"""`faqbot send`: a first message through a group robot, or why there is none."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from faqbot.sandbox.server import FakeDingTalk
from tests.cli.test_cli import credentials, faqbot
from tests.conftest import GROUP, KNOWLEDGE

ROBOTS = """
robots:
  all-hands: {token: $ROBOT_ALL_TOKEN, secret: $ROBOT_ALL_SECRET}
"""


async def sent(ding: FakeDingTalk, folder: Path, *arguments: str, **changes: str) -> Any:
    """What the command did with a robot that has a secret, its keys in `.env`."""
    knowledge = folder / "knowledge"
    shutil.copytree(KNOWLEDGE, knowledge)
    (knowledge / "automations.yaml").write_text(ROBOTS, encoding="utf-8")
    robot = ding.robots.add("全员通知", GROUP, secret="SEC" + "0123456789abcdef" * 4)
    keys = {"ROBOT_ALL_TOKEN": robot.token, "ROBOT_ALL_SECRET": robot.secret} | changes
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in keys.items()), encoding="utf-8")
    values = credentials(ding, FAQBOT_KNOWLEDGE=str(knowledge))
    done = await asyncio.to_thread(faqbot, folder, "send", *arguments, **values)
    assert robot.token not in done.stdout + done.stderr and robot.secret not in done.stdout + done.stderr
    return done


async def test_a_message_appears_in_the_group(ding: FakeDingTalk, tmp_path: Path) -> None:
    done = await sent(ding, tmp_path, "all-hands", "早啊", "--at", "13800000000", "--at-all")
    assert (done.returncode, done.stderr) == (0, "") and "已发出" in done.stdout
    (message,) = ding.replies
    assert (message.kind, message.text, message.at_all) == ("text", "早啊\n\n@13800000000 @所有人", True)
    assert message.mentions == ("13800000000",)


async def test_markdown(ding: FakeDingTalk, tmp_path: Path) -> None:
    await sent(ding, tmp_path, "all-hands", "## 停水\n\n今天下午", "--markdown")
    (message,) = ding.replies
    assert (message.kind, message.title, message.text) == ("markdown", "停水", "## 停水\n\n今天下午")


@pytest.mark.parametrize(
    ("robot", "changes", "code", "word"),
    [
        ("all-hands", {"ROBOT_ALL_SECRET": "SECwrong"}, 1, "签名不匹配"),
        ("all-hands", {"ROBOT_ALL_SECRET": ""}, 2, "还没有设置环境变量 ROBOT_ALL_SECRET"),
        ("sales", {}, 2, "没有叫“sales”的机器人，有的是：all-hands"),
    ],
)
async def test_what_is_wrong_is_said(
    ding: FakeDingTalk, tmp_path: Path, robot: str, changes: dict[str, str], code: int, word: str
) -> None:
    done = await sent(ding, tmp_path, robot, "早啊", **changes)
    assert done.returncode == code and done.stdout == "" and word in done.stderr
    assert "Traceback" not in done.stderr and not ding.replies
