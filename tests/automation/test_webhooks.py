"""Events that other systems post: who may send them, what is taken on, what a repeat does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import json
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from yarl import URL

from faqbot.app.running import Running, running
from faqbot.automation.run_log import RUNS_JOURNAL, unpack_runs
from faqbot.sandbox.server import FakeDingTalk
from faqbot.settings import Settings
from tests.conftest import GROUP

SECRET, TOKEN = "hook-secret-value", "crm-token-value-0123456789"
EVENT, BODY = "crm.customer.created", b'{"name": "\xe6\x98\x9f\xe9\x87\x8e"}'
FILE = """
robots:
  all-hands: {token: $ROBOT_TOKEN}
hooks:
  crm.*: {token: $CRM_HOOK_TOKEN}
  erp.*: {token: $ERP_HOOK_TOKEN}
automations:
  - id: customer
    when: {event: crm.customer.created}
    do: [{notify: {robot: all-hands, text: "客户 {name}"}}]
  - id: order
    when: {event: erp.order}
    do: [{notify: {robot: all-hands, text: 新订单}}]
  - id: joined
    when: {event: dingtalk.user_add_org}
    do: [{notify: {robot: all-hands, text: 欢迎}}]
"""


def signed(body: bytes = BODY, *, secret: str = SECRET, at: float = 0.0, **headers: str) -> dict[str, str]:
    """The headers of a signed event; `at` is seconds from now. `id` becomes X-Faqbot-Id."""
    timestamp = str(int((time.time() + at) * 1000))
    signature = base64.b64encode(hmac.digest(secret.encode(), f"{timestamp}\n".encode() + body, "sha256")).decode()
    named = {"X-Faqbot-Id": headers.pop("id")} if "id" in headers else {}
    return {"X-Faqbot-Timestamp": timestamp, "X-Faqbot-Signature": signature, **named, **headers}


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **headers}


def jiandaoyun(body: bytes = BODY, *, token: str = TOKEN, at: float = 0.0) -> tuple[dict[str, str], str]:
    """Headers and query as 简道云 pushes: sha1 of nonce:body:secret:timestamp."""
    timestamp, nonce = str(int(time.time() + at)), "0f5ade"
    signature = hashlib.sha1(b":".join([nonce.encode(), body, token.encode(), timestamp.encode()])).hexdigest()
    headers = {"X-JDY-Signature": signature, "X-JDY-DeliverId": "deliver-1"}
    return headers, f"?timestamp={timestamp}&nonce={nonce}"


@dataclass
class Sender:
    """Another system that posts to the bot's address."""

    http: aiohttp.ClientSession
    app: Running

    async def post(self, headers: Mapping[str, str], body: bytes = BODY, event: str = EVENT) -> tuple[int, Any]:
        url = URL(f"{self.app.console_url}/hooks/{event}", encoded=True)
        async with self.http.post(url, data=io.BytesIO(body), headers=headers) as answer:
            return answer.status, await answer.json()

    async def status(self, headers: Mapping[str, str], body: bytes = BODY, event: str = EVENT) -> int:
        return (await self.post(headers, body, event))[0]

    async def acted_on(self) -> int:
        """How many notices the rules posted, one for each event, once all events were acted on."""
        async with asyncio.timeout(60):
            while await self.app.store.marks("events"):
                await asyncio.sleep(0.02)
        runs = unpack_runs(await self.app.store.journal(RUNS_JOURNAL, 0))
        assert {run.outcome for run in runs} <= {"done"}
        return len({key for run in runs for key in run.notices})


@asynccontextmanager
async def listening(ding: FakeDingTalk, settings: Settings, **changes: Any) -> AsyncIterator[Sender]:
    (settings.knowledge / "automations.yaml").write_text(FILE, encoding="utf-8")
    robot = ding.robots.add("全员通知", GROUP)
    given = {"hook_secret": SECRET, "environ": {"CRM_HOOK_TOKEN": TOKEN, "ROBOT_TOKEN": robot.token}} | changes
    async with running(replace(settings, **given)) as app, aiohttp.ClientSession() as http:
        yield Sender(http, app)


@pytest.fixture
async def sender(ding: FakeDingTalk, settings: Settings) -> AsyncIterator[Sender]:
    async with listening(ding, settings) as opened:
        yield opened


BIG = b'{"text": "' + b"x" * 256 * 1024 + b'"}'
MANY = b"[" * 100_000


Case = tuple[int, Callable[[], dict[str, str]], bytes, str]
CASES: list[Case] = [
    (202, lambda: signed(), BODY, EVENT),
    (202, lambda: signed(at=-290), BODY, EVENT),
    (202, lambda: signed(at=290), BODY, EVENT),
    (202, lambda: bearer(TOKEN), BODY, EVENT),
    (202, lambda: signed(BODY[:-1] + b', "n": 1}'), BODY[:-1] + b', "n": 1}', EVENT),
    (401, lambda: {}, BODY, EVENT),
    (401, lambda: signed(at=-310), BODY, EVENT),
    (401, lambda: signed(at=310), BODY, EVENT),
    (401, lambda: signed(secret="other"), BODY, EVENT),
    (401, lambda: signed(secret=""), BODY, EVENT),
    (401, lambda: signed(b"{}"), BODY, EVENT),
    (401, lambda: signed() | {"X-Faqbot-Timestamp": "1e12"}, BODY, EVENT),
    (401, lambda: signed() | {"X-Faqbot-Timestamp": "9" * 400}, BODY, EVENT),
    (401, lambda: signed() | {"X-Faqbot-Timestamp": "１７６３０００００００００"}, BODY, EVENT),
    (401, lambda: signed() | {"X-Faqbot-Signature": "签名"}, BODY, EVENT),
    (401, lambda: bearer("wrong"), BODY, EVENT),
    (401, lambda: bearer(""), BODY, EVENT),
    (401, lambda: bearer(TOKEN), BODY, "erp.order"),
    (401, lambda: bearer(TOKEN), BODY, "unheard.of"),
    # The token of a sender whose variable is not set opens nothing, not even for nothing.
    (401, lambda: {"Authorization": "Bearer "}, BODY, "erp.order"),
    # Who is not allowed in learns nothing else.
    (401, lambda: {}, BODY, "unheard.of"),
    (401, lambda: {}, BIG, EVENT),
    (401, lambda: {}, b"no json", EVENT),
    (404, lambda: signed(), BODY, "unheard.of"),
    (404, lambda: bearer(TOKEN), BODY, "crm.other"),
    (404, lambda: signed(), BODY, "dingtalk.user_add_org"),
    (413, lambda: signed(BIG), BIG, EVENT),
    (413, lambda: bearer(TOKEN), BIG, EVENT),
    (413, lambda: bearer(TOKEN), BIG * 40, EVENT),
    (400, lambda: signed(b""), b"", EVENT),
    (400, lambda: signed(b"name=x"), b"name=x", EVENT),
    (400, lambda: signed(b"[1]"), b"[1]", EVENT),
    (400, lambda: signed(b'{"n": NaN}'), b'{"n": NaN}', EVENT),
    (400, lambda: signed(b'{"n": "\\ud800"}'), b'{"n": "\\ud800"}', EVENT),
    (400, lambda: signed(b"\xff{}"), b"\xff{}", EVENT),
    (400, lambda: signed(MANY), MANY, EVENT),
    (400, lambda: signed(id="x" * 201), BODY, EVENT),
]


async def test_who_may_send_what(sender: Sender) -> None:
    for number, (status, headers, body, event) in enumerate(CASES):
        answered, told = await sender.post(headers(), body, event)
        assert answered == status, (number, told)
        assert told.get("ok", "error" in told) is True
        if status == 401:
            assert told == {"error": "签名或 token 不对，或者时间戳与现在相差超过 5 分钟"}
    assert await sender.acted_on() == [case[0] for case in CASES].count(202)


@pytest.mark.parametrize(
    ("status", "event", "changes"),
    [
        (202, EVENT, {}),
        (401, EVENT, {"token": "wrong"}),
        (401, EVENT, {"token": ""}),
        (401, EVENT, {"body": b"{}"}),
        (401, EVENT, {"at": -310}),
        (401, "erp.order", {}),
        (404, "crm.other", {}),
    ],
)
async def test_jiandaoyun_signs_with_its_token(sender: Sender, status: int, event: str, changes: Any) -> None:
    headers, query = jiandaoyun(**changes)
    assert await sender.status(headers, event=event + query) == status
    if status == 202:
        assert (await sender.post(headers, event=event + query))[1]["repeat"]
        assert (await sender.post(headers | {"X-JDY-DeliverId": "deliver-2"}, event=event + query))[1]["repeat"]


async def test_without_a_secret_only_tokens_open_hooks(ding: FakeDingTalk, settings: Settings) -> None:
    async with listening(ding, settings, hook_secret="") as sender:
        assert await sender.status(signed()) == 401
        assert await sender.status(signed(secret="")) == 401
        assert await sender.status(bearer(TOKEN)) == 202
    async with listening(ding, settings, hook_secret="", environ={}) as sender:
        assert await sender.status(bearer("")) == await sender.status({}) == 401


async def test_hooks_need_no_session_and_no_origin_of_ours(ding: FakeDingTalk, settings: Settings) -> None:
    """Through a public proxy, too, while the console stays closed there."""
    async with listening(ding, settings) as sender:
        public = {"X-Forwarded-For": "203.0.113.7", "Host": "hooks.example.com"}
        assert await sender.status(signed(**public)) == 202
        async with sender.http.get(f"{sender.app.console_url}/", headers=public) as answer:
            assert answer.status == 403


async def test_a_repeat_is_told_so_and_recorded_once(sender: Sender) -> None:
    first = signed(id="order-1")
    told = [await sender.post(first), await sender.post(first), await sender.post(signed(id="order-1"))]
    assert told == [(202, {"ok": True, "repeat": False}), *[(202, {"ok": True, "repeat": True})] * 2]
    assert await sender.acted_on() == 1


async def test_a_copy_of_a_signed_request_is_a_repeat_whatever_its_id(sender: Sender) -> None:
    """The id is not signed: whoever listened in must not make a second event out of one."""
    plain = signed(b'{"name": "2"}')
    assert [(await sender.post(plain, b'{"name": "2"}'))[1]["repeat"] for _ in range(2)] == [False, True]
    captured = signed(id="order-1")
    assert not (await sender.post(captured))[1]["repeat"]
    assert (await sender.post(captured | {"X-Faqbot-Id": "order-2"}))[1]["repeat"]
    assert await sender.acted_on() == 2


async def test_what_is_accepted_and_refused_is_counted(sender: Sender) -> None:
    await sender.status(signed())
    await sender.status({})
    page = sender.app.metrics.show().decode()
    assert 'faqbot_hook_requests_total{status="202"} 1.0' in page
    assert 'faqbot_hook_requests_total{status="401"} 1.0' in page


async def test_a_thousand_events_with_repeats_and_bad_signatures(ding: FakeDingTalk, sender: Sender) -> None:
    """Exactly the distinct good ones are acted on."""
    chance = random.Random(6)
    numbers = list(range(850)) + chance.choices(range(850), k=100) + list(range(850, 900))
    requests = []
    for place, number in enumerate(numbers):
        body = json.dumps({"name": str(number)}).encode()
        good = place < 950
        requests.append((signed(body, secret=SECRET if good else "wrong", id=f"n{number}"), body))
    chance.shuffle(requests)
    gate = asyncio.Semaphore(50)

    async def send(headers: dict[str, str], body: bytes) -> int:
        async with gate:
            return await sender.status(headers, body)

    statuses = await asyncio.gather(*(send(*request) for request in requests))
    assert (statuses.count(202), statuses.count(401)) == (950, 50)
    assert await sender.acted_on() == 850
    # The first were sent at once; the others wait for the robot.
    texts = [*(message.text for message in ding.replies), *(n.body for n in await sender.app.outbox.waiting())]
    found = Counter(re.findall(r"客户 (\d+)", " ".join(texts)))
    assert found == Counter(str(number) for number in range(850))
