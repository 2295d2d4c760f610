"""The company's monthly quota: everything is counted once, free things are not, and one replica warns once a month."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from faqbot.dingtalk.api.quota import CALLS, MESSAGES, Quota, Usage
from faqbot.errors import StoreError
from faqbot.runtime.metrics import Metrics
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.redis_server import RedisServer

SEND = "/v1.0/robot/groupMessages/send"
DENIED = "Forbidden.AccessDenied."


class Calendar:
    """A day that a test can turn."""

    def __init__(self) -> None:
        self.day = date(2026, 8, 31)

    def __call__(self) -> date:
        return self.day


@pytest.fixture
def today() -> Calendar:
    return Calendar()


def replica(store: Store, today: Calendar, *, calls: int = 100, messages: int = 50) -> Quota:
    return Quota(store, Metrics(), calls=calls, messages=messages, today=today)


async def used(quota: Quota) -> tuple[int, int]:
    await quota.flush()
    usage = await quota.usage()
    return usage[CALLS].used, usage[MESSAGES].used


def warnings(caplog: pytest.LogCaptureFixture) -> list[Mapping[str, Any]]:
    return [r.fields for r in caplog.records if r.getMessage() == "quota.nearly_used_up"]  # type: ignore[attr-defined]


async def test_counts_of_replicas_add_up(store: Store, today: Calendar) -> None:
    one, two = replica(store, today), replica(store, today)
    one.message()
    two.message(3)
    one.call(SEND, "ok")
    await one.flush()
    assert await used(two) == (1, 4) == await used(one)


async def test_flushing_twice_counts_once(store: Store, today: Calendar) -> None:
    quota = replica(store, today)
    quota.message(5)
    await quota.flush()
    await quota.flush()
    assert await used(quota) == (0, 5)


async def test_nothing_counted_is_nothing_used(store: Store, today: Calendar) -> None:
    assert await replica(store, today).usage() == {CALLS: Usage(0, 100), MESSAGES: Usage(0, 50)}


FREE = [
    "/v1.0/oauth2/accessToken", "/gettoken", "gettoken", "/v1.0/contact/users/me", "/topapi/v2/user/get",
    "topapi/v2/user/get", "/topapi/v2/user/getbymobile", "/topapi/user/listsimple", "/topapi/v2/department/listsub",
]  # fmt: skip
COUNTED = [
    SEND, "/v1.0/robot/oToMessages/batchSend", "/attendance/list", "/topapi/attendance/getsimplegroups",
    "/v1.0/card/instances", "/topapi/message/corpconversation/asyncsend_v2",
]  # fmt: skip


@pytest.mark.parametrize(("path", "counted"), [*((p, 0) for p in FREE), *((p, 1) for p in COUNTED)])
async def test_tokens_and_contacts_are_free(path: str, counted: int, today: Calendar) -> None:
    store = await open_store("sqlite:///:memory:")
    quota = replica(store, today)
    quota.call(path, "ok")
    assert await used(quota) == (counted, 0)
    await store.close()


RATE = [
    DENIED + "QpsLimitForAppkeyAndApi", DENIED + "QpmLimitForAppkeyAndApi", DENIED + "QpsLimitForApi",
    "90018", "90002", "90001", "90006", "ip_banned",
]  # fmt: skip
OTHER = ["ok", "InvalidAuthentication", "60011", "system.error", "send.too.fast", DENIED + "ApiCountLimitForOrg"]


@pytest.mark.parametrize(("code", "counted"), [*((c, 0) for c in RATE), *((c, 1) for c in OTHER)])
async def test_a_call_refused_for_its_rate_is_not_counted(code: str, counted: int, today: Calendar) -> None:
    store = await open_store("sqlite:///:memory:")
    quota = replica(store, today)
    quota.call(SEND, code)
    assert await used(quota) == (counted, 0)
    await store.close()


async def test_a_new_month_begins_at_nothing_and_the_old_one_is_not_lost(store: Store, today: Calendar) -> None:
    quota = replica(store, today)
    quota.message(7)
    await quota.flush()
    quota.call(SEND, "ok")
    today.day = date(2026, 9, 1)
    quota.message(2)
    assert await used(quota) == (0, 2)
    today.day = date(2026, 8, 31)
    assert await used(quota) == (1, 7), "what was called in August and written down in September is August's"
    today.day = date(2027, 8, 1)
    assert await used(quota) == (0, 0), "the same month of another year is another month"


async def test_while_the_store_is_away_the_amounts_are_kept(redis_server: RedisServer, today: Calendar) -> None:
    store = await open_store(redis_server.url)
    quota = replica(store, today)
    quota.message(3)
    await quota.flush()
    redis_server.stop()
    quota.message(2)
    quota.call(SEND, "ok")
    for _ in range(2):
        with pytest.raises(StoreError):
            await quota.flush()
    quota.message()
    for step in (quota.usage, quota.watch):
        with pytest.raises(StoreError):
            await step()
    redis_server.start()
    assert await used(quota) == (1, 6)
    await store.close()


# -- warning -----------------------------------------------------------------------------------


async def test_from_four_fifths_on_one_replica_warns_once_a_month(
    store: Store, today: Calendar, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = (replica(store, today, messages=1000) for _ in range(2))
    one.message(799)
    await one.watch()
    assert warnings(caplog) == []
    one.message()
    for _ in range(2):
        await one.watch()
        await two.watch()
    (warning,) = warnings(caplog)
    assert {"kind": MESSAGES, "used": 800, "limit": 1000}.items() <= warning.items()
    assert "80%" in warning["what"] and "资源管理" in warning["what"] and "FAQBOT_QUOTA_MESSAGES" in warning["what"]
    assert all(r.levelno == logging.CRITICAL for r in caplog.records if r.getMessage() == "quota.nearly_used_up")


async def test_calls_and_messages_are_warned_of_apart_and_each_month_anew(
    store: Store, today: Calendar, caplog: pytest.LogCaptureFixture
) -> None:
    quota = replica(store, today, calls=10, messages=10)
    for day in (date(2026, 8, 31), date(2026, 9, 1)):
        today.day = day
        quota.message(12)
        await quota.watch()
        for _ in range(9):
            quota.call(SEND, "ok")
        await quota.watch()
        await quota.watch()
    assert [(w["kind"], w["used"]) for w in warnings(caplog)] == [(MESSAGES, 12), (CALLS, 9)] * 2


async def test_a_limit_of_nothing_means_that_nobody_wants_a_warning(
    store: Store, today: Calendar, caplog: pytest.LogCaptureFixture
) -> None:
    quota = replica(store, today, calls=0, messages=0)
    quota.message(10_000)
    await quota.watch()
    usage = await quota.usage()
    assert usage[MESSAGES] == Usage(10_000, 0) and usage[MESSAGES].share == 0.0
    assert warnings(caplog) == []


# -- metrics -----------------------------------------------------------------------------------


async def test_the_metrics_show_what_all_replicas_used_of_what_is_allowed(store: Store, today: Calendar) -> None:
    metrics = Metrics()
    quota = Quota(store, metrics, calls=100, messages=50, today=today)

    def shown(name: str, kind: str) -> float | None:
        return metrics.registry.get_sample_value(f"faqbot_{name}", {"kind": kind})

    assert (shown("quota_limit", CALLS), shown("quota_limit", MESSAGES)) == (100, 50)
    assert shown("quota_used", CALLS) is None, "before the first look nobody knows"
    other = replica(store, today)
    other.message(4)
    await other.flush()
    quota.message(2)
    quota.call(SEND, "ok")
    await quota.watch()
    assert (shown("quota_used", CALLS), shown("quota_used", MESSAGES)) == (1, 6)
    today.day = date(2026, 9, 1)
    await quota.watch()
    assert (shown("quota_used", CALLS), shown("quota_used", MESSAGES)) == (0, 0)
