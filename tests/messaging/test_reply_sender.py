"""How a reply gets to the person: what is repeated and for how long, other ways than the webhook, throttled chats."""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import Robot
from faqbot.dingtalk.api.session_webhook import SessionWebhook
from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.dingtalk.wire.payloads import read_message
from faqbot.errors import ContentRefused, DeliveryError, NeedsAdmin, OutcomeUnknown, SessionGone, TokenRefused
from faqbot.messaging.reply_sender import ReplySender
from faqbot.model.decisions import Answered
from faqbot.model.entries import Entry
from faqbot.model.messages import Message, Reply
from faqbot.replies.render import render
from faqbot.runtime.metrics import Metrics
from faqbot.sandbox.api.robot import GROUP_SEND, MAX_PARAM_BYTES, PEOPLE_SEND
from faqbot.sandbox.server import FakeDingTalk
from faqbot.store.protocol import SlotStore
from faqbot.store.sqlite import SqliteStore
from tests.conftest import GROUP
from tests.dingtalk.api.test_client import FakeSlots
from tests.dingtalk.api.test_tokens import logged

SHORT = aiohttp.ClientTimeout(total=0.3)


class Time:
    """A clock that stands still but for `sleep`, which returns at once; `then` happens during each sleep."""

    def __init__(self) -> None:
        self.now = time.time()
        self.sleeps: list[float] = []
        self.then: Callable[[], Awaitable[None]] | None = None

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.sleeps.append(seconds)
            if self.then is not None:
                await self.then()
            self.now += seconds
        await asyncio.sleep(0)


class SharedTime(Time):
    """A clock for several that sleep at once: it stands still until `run` moves it on to whoever wakes up next.

    What happens before the first sleep happens in one moment, however slow the machine is.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        awake = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, len(self.sleeps), awake))
        await awake.wait()

    async def run(self) -> None:
        while True:
            # Requests that are under way get on meanwhile.
            await asyncio.sleep(0.005)
            if self._sleepers:
                until, _, awake = heapq.heappop(self._sleepers)
                self.now = max(self.now, until)
                awake.set()


async def _as_it_is(body: str) -> str:
    return body


class Parts:
    """The bot's real parts against the stand-in, with a clock of the test's own."""

    def __init__(self, ding: FakeDingTalk, session: aiohttp.ClientSession, store: SqliteStore, clock: Time) -> None:
        self.ding = ding
        self.store = store
        self.clock = clock
        self.metrics = Metrics()
        self.quota = Quota(store, self.metrics, calls=5000, messages=3000, today=lambda: date(2026, 11, 2))
        self._webhook = SessionWebhook(session, (ding.url,))
        tokens = AccessTokens(session, ding.url, ding.client_id, ding.client_secret, store)
        api = OpenApi(session, ding.url, ding.url, tokens, FakeSlots(), qps=20, called=self.quota.call)
        self._robot = Robot(api, ding.client_id)
        self.delivery = self.make()

    def make(self, slots: SlotStore | None = None, **more: Any) -> ReplySender:
        time = {"clock": self.clock, "sleep": self.clock.sleep, "pictures": _as_it_is}
        return ReplySender(self._webhook, self._robot, slots or self.store, self.metrics, self.quota, **time, **more)

    def asked(
        self, name: str = "小李", group: str | None = GROUP, *, external: bool = False, **changes: Any
    ) -> Message:
        """A message as it came in, with a webhook that works."""
        world = self.ding.world
        person = world.person(name, external=external)
        conversation = world.group(group) if group else world.single(person)
        message = read_message(self.ding.payload(person, "年假有几天", conversation), now=self.clock())
        assert message is not None
        return dataclasses.replace(message, **changes)

    async def answer(self, message: Message, text: str = "年假 5 天") -> None:
        await self.delivery.send(message, answer(message, text))

    def fail(self, fault: str, times: int = 1) -> None:
        self.ding.faults.update({"webhook_fault": fault, "webhook_fail_next": times})

    def fail_api(self, fault: str, times: int = 1) -> None:
        self.ding.faults.update({"api_fault": fault, "api_fail_next": times})

    @property
    def texts(self) -> list[str]:
        return [m.text for m in self.ding.replies]

    @property
    def sends(self) -> dict[tuple[str, str], float]:
        """What the metrics say, by way and code."""
        (family,) = self.metrics.sends.collect()
        samples = (s for s in family.samples if s.name == "faqbot_sends_total")
        return {(s.labels["way"], s.labels["code"]): s.value for s in samples}


def answer(message: Message, text: str) -> tuple[Reply, ...]:
    return render(Answered(Entry("leave", "年假有几天", text), 1.0, "年假有几天"), message)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def ding(clock: Time) -> AsyncIterator[FakeDingTalk]:
    """The stand-in, which counts its minutes by the same clock."""
    server = FakeDingTalk(clock=clock)
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def parts(ding: FakeDingTalk, tmp_path: Path, clock: Time) -> AsyncIterator[Parts]:
    store = await SqliteStore.open(str(tmp_path / "delivery.db"), clock=clock)
    async with aiohttp.ClientSession() as session:
        yield Parts(ding, session, store, clock)
    await store.close()


# -- what passes -----------------------------------------------------------------------------------


async def test_a_reply_goes_through_the_webhook_with_its_mention(parts: Parts) -> None:
    message = parts.asked()
    await parts.answer(message)
    (shown,) = parts.ding.replies
    assert shown.mentions == (message.staff_id,) and shown.conversation == message.conversation_id
    assert parts.sends == {("webhook", "ok"): 1} and not parts.clock.sleeps


@pytest.mark.parametrize(
    ("fault", "times", "code"),
    [("500", 6, "http_500"), ("html", 6, "http_200"), ("busy", 6, "-1"), ("reset", 2, "reset")],
)
async def test_what_passes_is_repeated_with_growing_pauses_until_it_works(
    parts: Parts, fault: str, times: int, code: str
) -> None:
    parts.fail(fault, times)
    await parts.answer(parts.asked())
    assert len(parts.ding.replies) == 1
    assert parts.sends == {("webhook", code): times, ("webhook", "ok"): 1}
    sleeps = parts.clock.sleeps
    assert len(sleeps) == times and sleeps == sorted(sleeps) and sleeps[-1] > sleeps[0]


async def test_nobody_listening_for_a_while_is_waited_for(parts: Parts) -> None:
    message = parts.asked()
    port = urlsplit(parts.ding.url).port
    assert port is not None
    await parts.ding.close()

    async def come_back() -> None:
        if len(parts.clock.sleeps) == 4:
            await parts.ding.start(port=port)

    parts.clock.then = come_back
    await parts.answer(message)
    assert len(parts.ding.replies) == 1
    assert parts.sends == {("webhook", "connect"): 4, ("webhook", "ok"): 1}


async def test_patience_ends_and_the_last_failure_is_raised(parts: Parts) -> None:
    parts.fail("500", -1)
    with pytest.raises(DeliveryError) as caught:
        await parts.answer(parts.asked())
    assert caught.value.code == "http_500"
    waited = sum(parts.clock.sleeps)
    assert 500 < waited <= 600 and max(parts.clock.sleeps) <= 45
    assert len(parts.clock.sleeps) == parts.sends["webhook", "http_500"] - 1


async def test_every_reply_of_several_has_its_patience_and_they_come_in_order(parts: Parts) -> None:
    message = parts.asked()
    parts.fail("busy", 3)
    await parts.delivery.send(message, [Reply("年假", f"第 {n} 条") for n in range(5)])
    assert parts.texts == [f"第 {n} 条" for n in range(5)]


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("refused", ContentRefused, "430104"),
        ("unsafe_link", ContentRefused, "430101"),
        ("too_long", ContentRefused, "460101"),
        ("http_403", DeliveryError, "http_403"),
        ("redirect", DeliveryError, "http_302"),
    ],
)
async def test_what_does_not_pass_is_raised_after_one_call(
    parts: Parts, fault: str, kind: type[DeliveryError], code: str
) -> None:
    parts.fail(fault, -1)
    with pytest.raises(DeliveryError) as caught:
        await parts.answer(parts.asked())
    assert type(caught.value) is kind and caught.value.code == code
    assert parts.sends == {("webhook", code): 1} and len(parts.ding.webhooks.calls) == 1 and not parts.clock.sleeps


async def test_a_webhook_that_is_not_dingtalks_is_not_called(parts: Parts) -> None:
    with pytest.raises(DeliveryError) as caught:
        await parts.answer(parts.asked(webhook="https://evil.example/robot/sendBySession?session=abc"))
    assert caught.value.code == "untrusted_webhook" and parts.sends == {("webhook", "untrusted_webhook"): 1}


# -- nobody knows whether it arrived ---------------------------------------------------------------


async def test_what_may_have_arrived_is_repeated(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faqbot.dingtalk.api.http.TIMEOUT", SHORT)
    parts.fail("hang")
    await parts.answer(parts.asked())
    assert len(parts.ding.replies) == 1 and parts.sends == {("webhook", "timeout"): 1, ("webhook", "ok"): 1}


async def test_but_twice_at_most(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faqbot.dingtalk.api.http.TIMEOUT", SHORT)
    parts.fail("late", -1)
    with pytest.raises(OutcomeUnknown):
        await parts.answer(parts.asked())
    assert len(parts.ding.replies) == 3 and parts.sends == {("webhook", "timeout"): 3}


async def test_failures_in_between_do_not_make_it_more(parts: Parts) -> None:
    faults = iter(["reset", "busy", "reset", "busy", "reset"])

    async def change() -> None:
        parts.fail(next(faults))

    await change()
    parts.clock.then = change
    with pytest.raises(OutcomeUnknown):
        await parts.answer(parts.asked())
    assert parts.sends == {("webhook", "reset"): 3, ("webhook", "-1"): 2} and not parts.ding.replies


# -- the webhook is gone ---------------------------------------------------------------------------


@pytest.mark.parametrize("left", [-3600.0, 0.0, 59.0])
async def test_an_expired_webhook_is_not_even_tried_in_a_group(parts: Parts, left: float) -> None:
    message = parts.asked(webhook_until=parts.clock() + left)
    await parts.answer(message)
    (shown,) = parts.ding.replies
    assert shown.conversation == message.conversation_id and not parts.ding.webhooks.calls
    assert parts.sends == {("group", "ok"): 1} and [c.path for c in parts.ding.robot.calls] == [GROUP_SEND]


async def test_nor_in_a_single_chat(parts: Parts) -> None:
    message = parts.asked(group=None, webhook_until=parts.clock() - 1)
    await parts.answer(message)
    (shown,) = parts.ding.replies
    assert shown.conversation == message.conversation_id and shown.text == answer(message, "年假 5 天")[0].body
    assert parts.sends == {("person", "ok"): 1} and [c.path for c in parts.ding.robot.calls] == [PEOPLE_SEND]


async def test_a_message_without_a_webhook_is_answered_all_the_same(parts: Parts) -> None:
    await parts.answer(parts.asked(webhook="", webhook_until=0.0))
    assert parts.sends == {("group", "ok"): 1}


@pytest.mark.parametrize("until", [0.0, 61.0])
async def test_a_webhook_that_still_holds_is_used(parts: Parts, until: float) -> None:
    await parts.answer(parts.asked(webhook_until=parts.clock() + until if until else 0.0))
    assert parts.sends == {("webhook", "ok"): 1}


async def test_it_is_not_used_any_more_when_it_expires_while_waiting(parts: Parts) -> None:
    parts.fail("500", -1)
    await parts.answer(parts.asked(webhook_until=parts.clock() + 100))
    assert len(parts.ding.replies) == 1 and parts.sends["group", "ok"] == 1
    assert sum(parts.clock.sleeps) < 100


@pytest.mark.parametrize(("group", "way"), [(GROUP, "group"), (None, "person")])
async def test_a_session_dingtalk_does_not_know_is_replaced(parts: Parts, group: str | None, way: str) -> None:
    parts.fail("expired", -1)
    message = parts.asked(group=group)
    await parts.answer(message)
    assert [m.conversation for m in parts.ding.replies] == [message.conversation_id]
    assert parts.sends == {("webhook", "300001"): 1, (way, "ok"): 1} and not parts.clock.sleeps


async def test_the_replies_that_follow_do_not_try_it_again(parts: Parts) -> None:
    parts.fail("expired", -1)
    await parts.delivery.send(parts.asked(), [Reply("年假", f"第 {n} 条") for n in range(4)])
    assert parts.texts == [f"第 {n} 条" for n in range(4)]
    assert parts.sends == {("webhook", "300001"): 1, ("group", "ok"): 4}


async def test_somebody_from_outside_has_no_other_address(parts: Parts) -> None:
    for message in (
        parts.asked("顾问", None, external=True, webhook_until=parts.clock() - 1),
        parts.asked("顾问", None, external=True, webhook=f"{parts.ding.url}/robot/sendBySession?session=gone"),
    ):
        with pytest.raises(SessionGone):
            await parts.answer(message)
    assert not parts.ding.replies and not parts.ding.robot.calls


async def test_but_in_a_group_they_are_answered(parts: Parts) -> None:
    await parts.answer(parts.asked("顾问", external=True, webhook_until=parts.clock() - 1))
    (text,) = parts.texts
    assert text.startswith("顾问：\n\n") and text.count("顾问") == 1


async def test_a_group_message_begins_with_the_name_instead_of_a_mention(parts: Parts) -> None:
    message = parts.asked("小李@[x](y)", webhook_until=parts.clock() - 1)
    await parts.answer(message)
    (text,) = parts.texts
    assert text.startswith("小李＠") and "：\n\n" in text.splitlines(keepends=True)[0] + "\n"
    assert f"@{message.staff_id}" not in text and "@" not in text.replace("@我", "") and "5 天" in text


async def test_without_a_name_it_begins_politely(parts: Parts) -> None:
    await parts.answer(parts.asked(sender_name="", webhook_until=parts.clock() - 1))
    assert parts.texts[0].startswith("您好：\n\n")


@pytest.mark.parametrize("fault", ["busy", "html", "500", "unknown", "gateway_timeout", "reset"])
async def test_a_robot_send_that_fails_in_passing_is_repeated(parts: Parts, fault: str) -> None:
    parts.fail_api(fault, 2)
    await parts.answer(parts.asked(webhook_until=parts.clock() - 1))
    assert len(parts.ding.replies) == 1 and len(parts.ding.robot.calls) == 3 and len(parts.clock.sleeps) == 2


async def test_a_robot_send_that_may_have_arrived_is_repeated_twice_at_most(parts: Parts) -> None:
    parts.ding.faults.api_unknown_delivers = True
    parts.fail_api("unknown", -1)
    with pytest.raises(OutcomeUnknown):
        await parts.answer(parts.asked(webhook_until=parts.clock() - 1))
    assert len(parts.ding.replies) == 3


@pytest.mark.parametrize(
    ("fault", "kind", "calls"),
    [
        ("permission", NeedsAdmin, 1),
        ("ip", NeedsAdmin, 1),
        ("quota", NeedsAdmin, 1),
        ("unsafe", ContentRefused, 1),
        ("disbanded", DeliveryError, 1),
        ("auth", TokenRefused, 2),
    ],
)
async def test_a_robot_send_that_cannot_work_is_raised_at_once(
    parts: Parts, fault: str, kind: type[DeliveryError], calls: int
) -> None:
    parts.fail_api(fault, -1)
    with pytest.raises(DeliveryError) as caught:
        await parts.answer(parts.asked(webhook_until=parts.clock() - 1))
    assert type(caught.value) is kind and len(parts.ding.robot.calls) == calls and not parts.clock.sleeps
    assert parts.sends == {("group", caught.value.code): 1}


# -- long replies ----------------------------------------------------------------------------------


def words(text: str) -> str:
    """What must not be lost; blank space goes where a text is cut."""
    return "".join(text.split())


LINE = '他说："年假 5 天"\t\\\n\n'
LONG = {"words": "年假五天。" * 2500, "quotes": '"' * 13_000, "lines": "a\n\n" * 4000, "mixed": LINE * 900}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
@pytest.mark.parametrize("group", [GROUP, None])
async def test_a_long_reply_is_split_to_what_the_robot_may_send(parts: Parts, text: str, group: str | None) -> None:
    message = parts.asked(group=group, webhook_until=parts.clock() - 1)
    await parts.answer(message, text)
    sizes = [len(call.body["msgParam"].encode()) for call in parts.ding.robot.calls]
    assert (
        len(sizes) > 1 and max(sizes) < MAX_PARAM_BYTES and set(parts.sends) == {("group" if group else "person", "ok")}
    )
    named = dataclasses.replace(message, staff_id="") if group else message
    assert words("".join(parts.texts)) == words("".join(r.body for r in answer(named, text)))


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
async def test_a_long_reply_is_split_to_what_the_webhook_takes(parts: Parts, text: str) -> None:
    message = parts.asked()
    await parts.answer(message, text)
    assert set(parts.sends) == {("webhook", "ok")} and len(parts.texts) > 1
    assert [m.mentions for m in parts.ding.replies] == [(message.staff_id,), *[()] * (len(parts.texts) - 1)]
    assert words("".join(parts.texts)) == words("".join(r.body for r in answer(message, text)))


async def test_a_reply_that_fits_is_not_split(parts: Parts) -> None:
    text = f"{'年假五天。' * 20}\n\n" * 45
    for message in (parts.asked(), parts.asked(webhook_until=parts.clock() - 1)):
        assert len(answer(message, text)) == 1 and len(text.encode()) > 13_000
        await parts.answer(message, text)
    assert parts.sends == {("webhook", "ok"): 1, ("group", "ok"): 1}


async def test_a_part_that_failed_is_repeated_without_the_part_before_it(parts: Parts) -> None:
    message = parts.asked(webhook_until=parts.clock() - 1)
    parts.ding.faults.api_fault = "busy"

    def second_fails() -> bool:
        parts.ding.faults.api_fail_next = 1 if len(parts.ding.robot.calls) == 1 else 0
        return len(parts.ding.robot.calls) > 1

    watching = asyncio.create_task(parts.ding.world.until(second_fails, 60))
    await parts.delivery.send(message, [Reply("年假", "年" * 9000)])
    await watching
    assert [c.code for c in parts.ding.robot.calls] == ["ok", "busy", "ok"]
    assert "".join(parts.texts) == "年" * 9000


# -- throttled conversations -----------------------------------------------------------------------


async def test_nothing_is_paced_before_dingtalk_says_so(parts: Parts) -> None:
    slots = FakeSlots()
    delivery = parts.make(slots)
    for _ in range(30):
        message = parts.asked()
        await delivery.send(message, answer(message, "5 天"))
    assert len(parts.ding.replies) == 30 and not parts.clock.sleeps and not slots.booked


@pytest.mark.parametrize(("fault", "code"), [("throttled", "410100"), ("throttled2", "130101")])
async def test_a_throttled_conversation_is_paced_from_then_on(parts: Parts, fault: str, code: str) -> None:
    parts.fail(fault)
    moments: list[float] = []
    for number in range(5):
        await parts.answer(parts.asked(), f"第 {number} 条")
        moments.append(parts.clock())
    assert [b - a for a, b in itertools.pairwise(moments)] == pytest.approx([3.0] * 4)
    assert sum(parts.clock.sleeps) == pytest.approx(3.0 * 5)
    assert [text.split("\n\n")[1] for text in parts.texts] == [f"第 {n} 条" for n in range(5)]
    assert parts.sends == {("webhook", code): 1, ("webhook", "ok"): 5}


async def test_another_conversation_is_not_paced(parts: Parts) -> None:
    parts.fail("throttled")
    await parts.answer(parts.asked())
    parts.clock.sleeps.clear()
    for group in ("研发群", None):
        await parts.answer(parts.asked(group=group))
    assert not parts.clock.sleeps and len(parts.ding.replies) == 3


async def test_each_further_refusal_doubles_the_pause_up_to_a_minute(parts: Parts) -> None:
    parts.fail("throttled", 7)
    await parts.answer(parts.asked())
    assert parts.clock.sleeps == pytest.approx([3, 6, 12, 24, 48, 60, 60])
    assert len(parts.ding.replies) == 1


async def test_refusals_of_messages_under_way_together_count_once(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    parts.ding.faults.webhook_delay = 0.05
    parts.fail("throttled", 5)
    await asyncio.gather(*(parts.answer(parts.asked(f"同事{n}")) for n in range(5)))
    assert len(parts.ding.replies) == 5 and parts.sends["webhook", "410100"] == 5
    assert [r.getMessage() for r in caplog.records] == ["conversation.throttled"]


async def test_waiting_for_ones_turn_does_not_use_up_patience(parts: Parts) -> None:
    parts.delivery = parts.make(patience=10)
    parts.fail("throttled", 6)
    await parts.answer(parts.asked())
    assert sum(parts.clock.sleeps) > 100 and len(parts.ding.replies) == 1


async def test_pacing_ends_an_hour_after_the_last_refusal(parts: Parts) -> None:
    parts.fail("throttled")
    await parts.answer(parts.asked())
    parts.clock.now += 3590
    for wanted in (1, 0):
        parts.clock.sleeps.clear()
        await parts.answer(parts.asked())
        await parts.answer(parts.asked())
        assert len(parts.clock.sleeps) == wanted
        parts.clock.now += 20


async def test_a_robot_that_was_held_back_waits_for_as_long_as_dingtalk_wants(parts: Parts) -> None:
    parts.fail_api("punish")
    await parts.answer(parts.asked(webhook_until=parts.clock() - 1))
    assert parts.clock.sleeps == pytest.approx([300.0]) and len(parts.ding.replies) == 1


async def test_while_the_store_is_away_a_throttled_conversation_is_paced_all_the_same(parts: Parts) -> None:
    parts.delivery = parts.make(FakeSlots(away=True))
    parts.fail("throttled")
    for _ in range(2):
        await parts.answer(parts.asked())
    assert parts.clock.sleeps == pytest.approx([3.0, 3.0, 3.0]) and len(parts.ding.replies) == 2


async def test_replicas_that_were_both_told_share_the_pace(parts: Parts) -> None:
    replicas = [parts.make(), parts.make()]
    moments: list[float] = []
    for number in range(6):
        if number < 2:
            parts.fail("throttled")
        message = parts.asked()
        await replicas[number % 2].send(message, answer(message, "5 天"))
        moments.append(parts.clock())
    assert min(b - a for a, b in itertools.pairwise(moments)) >= 2.999


@pytest.mark.parametrize("clock", [SharedTime()])
async def test_thirty_at_once_where_twenty_a_minute_are_allowed_all_arrive_once(
    parts: Parts, clock: SharedTime
) -> None:
    parts.ding.faults.update({"webhook_per_minute": 20})

    async def chat(name: str) -> None:
        for number in range(3):
            await parts.answer(parts.asked(name), f"{name} 第 {number} 条")

    moving = asyncio.create_task(clock.run())
    await asyncio.gather(*(chat(f"同事{n}") for n in range(10)), parts.answer(parts.asked(group=None), "单聊"))
    moving.cancel()
    shown = [text.split("\n\n> ")[0].split("\n\n")[-1] for text in parts.texts]
    assert len(shown) == 31 and set(shown) == {"单聊"} | {f"同事{n} 第 {k} 条" for n in range(10) for k in range(3)}
    for n in range(10):
        assert [s for s in shown if s.startswith(f"同事{n} ")] == [f"同事{n} 第 {k} 条" for k in range(3)]
    assert parts.sends["webhook", "410100"] >= 1 and parts.sends["webhook", "ok"] == 31


# -- what is counted and logged --------------------------------------------------------------------


async def test_a_send_that_was_cut_short_is_not_counted_as_done(parts: Parts) -> None:
    parts.fail("hang")
    sending = asyncio.create_task(parts.answer(parts.asked()))
    assert await parts.ding.world.until(lambda: bool(parts.ding.webhooks.calls), 60)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert ("webhook", "ok") not in parts.sends


async def test_the_quota_counts_messages_and_calls(parts: Parts) -> None:
    await parts.answer(parts.asked())
    await parts.answer(parts.asked(webhook_until=parts.clock() - 1))
    await parts.quota.flush()
    assert await parts.store.counts("") == {"2026-11|messages": 1, "2026-11|calls": 1}


async def test_nothing_secret_is_logged(
    parts: Parts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("faqbot.dingtalk.api.http.TIMEOUT", SHORT)
    sessions: list[str] = []
    errors: list[str] = []
    for fault in ("500", "busy", "reset", "hang", "throttled", "expired", "refused", "http_403", "none"):
        parts.fail(fault)
        message = parts.asked()
        sessions.append(message.webhook.rsplit("=", 1)[1])
        try:
            await parts.answer(message)
        except DeliveryError as exc:
            errors.append(f"{exc} {exc!r}")
    for fault in ("500", "auth", "qps", "quota", "reset"):
        parts.fail_api(fault)
        try:
            await parts.answer(parts.asked(webhook_until=1.0))
        except DeliveryError as exc:
            errors.append(f"{exc} {exc!r}")
    said = logged(caplog) + "".join(errors)
    assert len(errors) == 3 and all(w in said for w in ("reply.retry", "conversation.throttled", "token.refused"))
    token = json.loads(str(await parts.store.note(f"access-token:{parts.ding.client_id}")))[0]
    for secret in (*sessions, token, parts.ding.client_secret):
        assert len(secret) > 8 and secret not in said
