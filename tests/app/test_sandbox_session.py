"""`faqbot sandbox` has a robot for each one that the knowledge names, so that every rule can be seen at work."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

import aiohttp

from tests.automation.test_webhooks import SECRET, signed
from tests.cli.test_cli import started
from tests.conftest import KNOWLEDGE

FILE = """
robots:
  sales: {token: $ROBOT_SALES_TOKEN, secret: $ROBOT_SALES_SECRET}
  canteen: {token: $CANTEEN_TOKEN}
automations:
  - id: customer
    when: {event: crm.customer.created}
    do: [{notify: {robot: sales, text: "新客户 {name}"}}, {notify: {robot: canteen, text: 加一份饭}}]
"""


async def until_said(http: aiohttp.ClientSession, url: str, messages: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"{url}/sandbox/state") as answer:
                messages_there: list[dict[str, Any]] = (await answer.json())["messages"]
            # The administrator is told of the draft in the knowledge, too.
            said = [m for m in messages_there if m["sender"]["name"] != "小助手"]
            if len(said) >= messages:
                return said
            await asyncio.sleep(0.1)


async def test_an_event_ends_in_the_groups_of_the_robots(tmp_path: Path) -> None:
    knowledge = tmp_path / "knowledge"
    shutil.copytree(KNOWLEDGE, knowledge)
    (knowledge / "automations.yaml").write_text(FILE, encoding="utf-8")
    values = {"FAQBOT_KNOWLEDGE": str(knowledge), "FAQBOT_PORT": "0", "FAQBOT_HOOK_SECRET": SECRET}
    with started(tmp_path, "sandbox", **values) as process:
        assert process.stdout is not None
        lines = ""
        while "控制台" not in lines:
            line = await asyncio.to_thread(process.stdout.readline)
            assert line, lines
            lines += line
        assert "含义比较：关闭" in lines
        page, console = re.findall(r"http://127\.0\.0\.1:\d+", lines)
        async with aiohttp.ClientSession() as http:
            body = '{"name": "星野"}'.encode()
            async with http.post(f"{console}/hooks/crm.customer.created", data=body, headers=signed(body)) as answer:
                assert answer.status == 202
            said = await until_said(http, page, 2)
    assert sorted((m["sender"]["name"], m["text"]) for m in said) == [
        ("canteen", "加一份饭"),
        ("销售通知", "新客户 星野"),
    ]
