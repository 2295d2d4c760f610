"""A whole run with failures, logged at DEBUG: nothing that opens a door is in the log, the metrics or an answer."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp

from faqbot.sandbox.server import FakeDingTalk
from tests.automation.test_webhooks import bearer, signed
from tests.faults.process import BotProcess

AUTOMATIONS = """
robots:
  sales: {token: $SALES_TOKEN, secret: $SALES_SECRET}
hooks:
  crm.*: {token: $CRM_TOKEN}
automations:
  - id: customer
    when: {event: crm.customer.created}
    do: [{notify: {robot: sales, text: "新客户 {name}"}}]
"""


async def test_a_debug_log_of_a_run_with_failures_holds_no_secret(
    ding: FakeDingTalk, knowledge: Path, tmp_path: Path
) -> None:
    log = tmp_path / "bot.log"
    (knowledge / "automations.yaml").write_text(AUTOMATIONS, encoding="utf-8")
    robot = ding.robots.add("销售通知", "销售群", secret="SEC" + "5ec4e7" * 10)
    bot = BotProcess(
        ding, knowledge, f"sqlite:///{tmp_path / 'x.db'}", log,
        FAQBOT_LOG_LEVEL="DEBUG", FAQBOT_CONSOLE_PASSWORD="console-password-1", FAQBOT_HOOK_SECRET="hook-secret-22",
        PYTHONASYNCIODEBUG="1", SALES_TOKEN=robot.token, SALES_SECRET=robot.secret, CRM_TOKEN="crm-token-0123456789",
    )  # fmt: skip
    await bot.start()
    world = ding.world
    kinds = ("500", "html", "busy", "reset", "expired", "refused", "http_403", "redirect", "none")
    for number, kind in enumerate(kinds):
        ding.faults.update({"webhook_fault": kind, "webhook_fail_next": 1})
        person = world.person(f"员工{number}")
        await ding.say(person, "年假有几天", world.single(person))
        await asyncio.sleep(0.15)
    ding.tokens.expire()
    for kind in ("auth", "permission", "ip", "html", "reset"):
        ding.faults.update({"webhook_lifetime": 10.0, "api_fault": kind, "api_fail_next": 1})
        person = world.person(f"同事{kind}")
        await ding.say(person, "病假怎么请", world.single(person))
        await asyncio.sleep(0.15)
    await ding.gateway.push(
        {"msgtype": "text", "text": {"content": {"odd": "x"}}, "sessionWebhook": "https://x/?session=S3SS10N"}
    )
    await ding.gateway.push({"strange": "frame"}, topic="/v1.0/card/instances/callback")
    await ding.gateway.send_raw("{not json, ticket=T1CK3T")
    await ding.gateway.disconnect()
    await world.until(lambda: len(ding.gateway.opens) >= 2, 10)
    ding.faults.open_status = 503
    await ding.gateway.drop()
    await asyncio.sleep(1.5)
    port = re.search(r"console=http://127.0.0.1:(\d+)", log.read_text(encoding="utf-8"))
    assert port is not None
    async with aiohttp.ClientSession() as session:
        # An answer of the robot is lost, a sender has the wrong token, another signs wrongly.
        ding.robots.lose_next = 1
        url = f"http://127.0.0.1:{port.group(1)}/hooks/crm.customer.created"
        body = '{"name": "星野科技"}'.encode()
        for headers in (bearer("crm-token-0123456789"), bearer("wr0ng-token"), signed(body, secret="hook-secret-33")):
            async with session.post(url, data=body, headers=headers):
                pass
        await world.until(lambda: len(ding.robots.calls) >= 2, 10)
        shown = ""
        for page in ("metrics", "readyz", "healthz"):
            async with session.get(f"http://127.0.0.1:{port.group(1)}/{page}") as response:
                shown += await response.text()
    await bot.stop()
    text = log.read_text(encoding="utf-8") + shown + "".join(m.text for m in ding.replies)
    assert "DEBUG" in text and "reply.retry" in text and "api.needs_admin" in text and "stream.reconnecting" in text
    secrets = {
        "client secret": ding.client_secret,
        "console password": "console-password-1",
        "hook secret": "hook-secret-22",
        "robot token": robot.token,
        "robot secret": robot.secret,
        "a sender's token": "crm-token-0123456789",
        "a wrong token": "wr0ng-token",
        "a session": "S3SS10N",
        "a ticket": "T1CK3T",
    }
    secrets |= {f"session {n}": session for n, session in enumerate(ding.webhooks._sessions)}
    secrets |= {f"ticket {n}": ticket for n, ticket in enumerate(ding.gateway.issued)}
    secrets |= {f"token {n}": token for n, token in enumerate(ding.tokens.issued)}
    assert len(secrets) > 20
    assert [name for name, secret in secrets.items() if secret in text] == []
    assert "notice.retry" in text and "hook.refused" in text
    for said in ("年假有几天", "星野科技"):
        assert said not in log.read_text(encoding="utf-8"), "what people ask and events hold is not in the log"
