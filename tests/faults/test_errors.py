"""Every code of DingTalk that matters: what the asker, the log, the record and the metrics get."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from faqbot.app.running import Running
from faqbot.model.messages import DeliveryState
from faqbot.model.question_log import QuestionRecord
from faqbot.sandbox.server import FakeDingTalk
from tests.conftest import GROUP


@dataclass(frozen=True)
class Case:
    """What goes wrong, and what everybody gets. `replies` is what the asker sees; `verdict` state and reason."""

    name: str
    faults: dict[str, Any]
    replies: int
    verdict: tuple[DeliveryState, str]
    log: str
    sends: dict[tuple[str, str], int]
    group: bool = True
    external: bool = False
    odd: dict[str, Any] | None = None
    says: str = "5 天"


def webhook(kind: str, times: int = 1) -> dict[str, Any]:
    return {"webhook_fault": kind, "webhook_fail_next": times}


def expired(api: str = "none", times: int = -1) -> dict[str, Any]:
    return {"webhook_lifetime": 10.0, "api_fault": api, "api_fail_next": times}


OK = (DeliveryState.ANSWERED, "ok")
CASES = [
    # transient: repeated until it works
    Case("500", webhook("500"), 1, OK, "reply.retry", {("webhook", "http_500"): 1, ("webhook", "ok"): 1}),
    Case("html page", webhook("html"), 1, OK, "reply.retry", {("webhook", "http_200"): 1, ("webhook", "ok"): 1}),
    Case("busy", webhook("busy", 2), 1, OK, "reply.retry", {("webhook", "-1"): 2, ("webhook", "ok"): 1}),
    Case("reset", webhook("reset"), 1, OK, "reply.retry", {("webhook", "reset"): 1, ("webhook", "ok"): 1}),
    # too fast: later, not never
    Case("410100", webhook("throttled"), 1, OK, "conversation.throttled",
         {("webhook", "410100"): 1, ("webhook", "ok"): 1}),
    Case("130101", webhook("throttled2"), 1, OK, "conversation.throttled",
         {("webhook", "130101"): 1, ("webhook", "ok"): 1}),
    # the session is gone: from the server
    Case("300001 in a group", webhook("expired"), 1, OK, "message.done",
         {("webhook", "300001"): 1, ("group", "ok"): 1}),
    Case("300001 in a single chat", webhook("expired"), 1, OK, "message.done",
         {("webhook", "300001"): 1, ("person", "ok"): 1}, group=False),
    Case("300001 for somebody outside", webhook("expired"), 0, (DeliveryState.FAILED, "300001"), "reply.failed",
         {("webhook", "300001"): 1}, group=False, external=True),
    Case("known to be expired", expired(), 1, OK, "message.done", {("group", "ok"): 1}),
    Case("token refused once", expired("auth", 1), 1, OK, "token.refused", {("group", "ok"): 1}),
    Case("app too fast", expired("qps", 1), 1, OK, "conversation.throttled",
         {("group", "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"): 1, ("group", "ok"): 1}),
    Case("server busy", expired("busy", 1), 1, OK, "reply.retry", {("group", "busy"): 1, ("group", "ok"): 1}),
    Case("unknown result", expired("unknown", 1), 1, OK, "reply.retry",
         {("group", "unknown.send.result"): 1, ("group", "ok"): 1}),
    Case("permission missing", expired("permission"), 0,
         (DeliveryState.FAILED, "Forbidden.AccessDenied.AccessTokenPermissionDenied"), "api.needs_admin",
         {("group", "Forbidden.AccessDenied.AccessTokenPermissionDenied"): 1}),
    Case("IP not listed", expired("ip"), 0, (DeliveryState.FAILED, "Forbidden.AccessDenied.IpNotInWhiteList"),
         "api.needs_admin", {("group", "Forbidden.AccessDenied.IpNotInWhiteList"): 1}),
    Case("quota used up", expired("quota"), 0, (DeliveryState.FAILED, "Forbidden.AccessDenied.ApiCountLimitForOrg"),
         "api.needs_admin", {("group", "Forbidden.AccessDenied.ApiCountLimitForOrg"): 1}),
    Case("group disbanded", expired("disbanded"), 0, (DeliveryState.FAILED, "group.disbanded"), "reply.failed",
         {("group", "group.disbanded"): 1}),
    # the content is refused: the asker hears that, in other words
    Case("430104", webhook("refused"), 1, (DeliveryState.FAILED, "430104"), "reply.content_refused",
         {("webhook", "430104"): 1, ("webhook", "ok"): 1}, says="内容检查"),
    Case("430101", webhook("unsafe_link"), 1, (DeliveryState.FAILED, "430101"), "reply.content_refused",
         {("webhook", "430101"): 1, ("webhook", "ok"): 1}, says="内容检查"),
    # nothing to be done
    Case("403", webhook("http_403", -1), 0, (DeliveryState.FAILED, "http_403"), "reply.failed",
         {("webhook", "http_403"): 1}),
    Case("redirect", webhook("redirect", -1), 0, (DeliveryState.FAILED, "http_302"), "reply.failed",
         {("webhook", "http_302"): 1}),
    Case("a webhook that is not DingTalk's", {}, 0, (DeliveryState.FAILED, "untrusted_webhook"), "reply.failed",
         {("webhook", "untrusted_webhook"): 1}, odd={"sessionWebhook": "https://evil.example/robot/sendBySession"}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
async def test_each_outcome_is_dealt_with_as_the_platform_says(
    ding: FakeDingTalk, bot: Running, caplog: pytest.LogCaptureFixture, case: Case
) -> None:
    caplog.set_level("DEBUG")
    ding.faults.update(case.faults)
    world = ding.world
    person = world.person("小李", external=case.external)
    home = world.group(GROUP) if case.group else world.single(person)
    text = "@小助手 年假有几天" if case.group else "年假有几天"
    await ding.say(person, text, home, odd=case.odd)

    def done() -> bool:
        return any(r.getMessage() == "message.done" for r in caplog.records)

    deadline = time.monotonic() + 25
    while not done() and time.monotonic() < deadline:
        await asyncio.sleep(0.02)

    replies = [m for m in ding.replies if m.conversation == home.id]
    assert len(replies) == case.replies
    assert all(case.says in m.text for m in replies)
    assert case.log in {r.getMessage() for r in caplog.records}
    (fields,) = [r.fields for r in caplog.records if r.getMessage() == "message.done"]  # type: ignore[attr-defined]
    assert (fields["state"], fields["code"]) == case.verdict
    (record,) = await bot.store.questions(0.0)
    assert (record.delivery, record.entry_id) == (case.verdict[1], "annual-leave")
    assert await bot.store.backlog() == (0, 0.0)
    value = bot.metrics.registry.get_sample_value
    counted = {
        (s.labels["way"], s.labels["code"]): int(s.value)
        for family in bot.metrics.registry.collect()
        for s in family.samples
        if s.name == "faqbot_sends_total"
    }
    assert counted == case.sends
    assert value("faqbot_messages_finished_total", {"state": case.verdict[0]}) == 1
    ids = {r.fields.get("id") for r in caplog.records if r.getMessage() in (case.log, "message.done")}  # type: ignore[attr-defined]
    assert len(ids) == 1 and None not in ids, "one id through the whole path"


async def test_in_a_group_the_fallback_names_the_asker_it_cannot_at(ding: FakeDingTalk, bot: Running) -> None:
    ding.faults.update(webhook("expired"))
    world = ding.world
    await ding.say(world.person("小李"), "@小助手 年假有几天", world.group(GROUP))
    assert await world.until(lambda: bool(ding.replies), 60)
    (reply,) = ding.replies
    assert reply.text.startswith("小李：") and reply.mentions == () and "@" not in reply.text.replace("@我", "")


async def test_a_throttled_group_gets_every_answer_and_another_group_does_not_wait(
    ding: FakeDingTalk, bot: Running
) -> None:
    ding.faults.update({"webhook_per_minute": 3, "throttle_window": 3600.0})
    world = ding.world
    for number in range(5):
        await ding.say(world.person(f"员工{number}"), "@小助手 年假有几天", world.group(GROUP))
    assert await world.until(lambda: len(ding.replies) >= 3, 60)
    await ding.say(world.person("小王"), "@小助手 病假怎么请", world.group("安静的群"))
    assert await world.until(lambda: any(m.conversation == world.group("安静的群").id for m in ding.replies), 60)
    assert len(ding.replies) == 4, "the loud group waits"
    ding.faults.update({"webhook_per_minute": 0})
    assert await world.until(lambda: len(ding.replies) == 6, 60)


async def test_a_question_that_waited_too_long_is_not_answered_out_of_the_blue(
    ding: FakeDingTalk, bot: Running
) -> None:
    person = ding.world.person("小李")
    message = await _old_message(ding, bot, minutes=23)
    assert await ding.world.until(lambda: bool(ding.replies), 60)
    (reply,) = ding.replies
    assert "23 分钟前" in reply.text and "请再 @我 问一次" in reply.text and "5 天" not in reply.text
    assert reply.mentions == (person.id,)
    (record,) = await _records(bot)
    assert (record.message_id, record.outcome, record.delivery) == (message, "answered", "late")


async def test_a_question_of_yesterday_is_given_up_but_not_forgotten(ding: FakeDingTalk, bot: Running) -> None:
    await _old_message(ding, bot, minutes=60 * 30)
    (record,) = await _records(bot)
    assert not ding.replies
    assert record.delivery == "too_old"


async def _records(bot: Running) -> Sequence[QuestionRecord]:
    """The records, once there is one."""
    deadline = time.monotonic() + 10
    while not (found := await bot.store.questions(0.0)) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    return found


async def _old_message(ding: FakeDingTalk, bot: Running, *, minutes: float) -> str:
    """A message a dead worker accepted so long ago, found by the next look for abandoned work."""
    from faqbot.dingtalk.wire.payloads import read_message

    data = ding.payload(ding.world.person("小李"), "@小助手 年假有几天", ding.world.group(GROUP))
    message = read_message(data, now=time.time() - minutes * 60)
    assert message is not None
    await bot.store.accept(message, "a-dead-worker")
    await bot.bot.inbox._reclaim()
    return message.id


async def test_whatever_breaks_inside_the_asker_is_told(
    ding: FakeDingTalk, bot: Running, caplog: pytest.LogCaptureFixture
) -> None:
    index = bot.library.current.index
    # A bug, as real as one can be made: the index lost its table.
    table, index.table = index.table, None  # type: ignore[assignment]
    await ding.say(ding.world.person("小李"), "@小助手 年假有几天", ding.world.group(GROUP))
    assert await ding.world.until(lambda: bool(ding.replies), 60)
    index.table = table
    assert "出了问题" in ding.replies[0].text
    (record,) = [r for r in caplog.records if r.getMessage() == "message.undecided"]
    assert record.exc_info is not None
    await ding.say(ding.world.person("小李"), "@小助手 年假有几天", ding.world.group(GROUP))
    assert await ding.world.until(lambda: len(ding.replies) == 2, 60)
    assert "5 天" in ding.replies[1].text
