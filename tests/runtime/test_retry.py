"""Repeating what may work next time: how long is waited, how often, and what is never repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.errors import ContentRefused, DeliveryError, NeedsAdmin, OutcomeUnknown, SessionGone, StoreError, Throttled
from faqbot.runtime.retry import DELAYS_SECONDS, backoff, retry, retry_until_available

PASSING = [
    DeliveryError("忙", code="-1"),
    Throttled("快", code="410100", wait=3),
    OutcomeUnknown("?", code="timeout"),
]
LASTING = [
    DeliveryError("参数", code="40035", permanent=True),
    NeedsAdmin("权限", code="60011"),
    ContentRefused("内容", code="430104"),
    SessionGone("过期"),
    ValueError("no DeliveryError at all"),
]


class Call:
    """Fails with each of `failures` in turn, then works; `waits` are the pauses between."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.times = 0
        self.waits: list[float] = []

    async def __call__(self) -> str:
        self.times += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


# -- backoff -----------------------------------------------------------------------------------


def test_the_pause_doubles_up_to_the_longest() -> None:
    assert [backoff(n, chance=0) for n in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [backoff(n, first=0.1, longest=2.0, chance=0) for n in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0]


def test_chance_makes_it_up_to_half_longer() -> None:
    assert backoff(1, chance=0.5) == 1.25 and backoff(1, chance=1) == 1.5


def test_without_a_given_chance_pauses_differ_so_that_replicas_do_not_go_in_step() -> None:
    found = {backoff(3) for _ in range(50)}
    assert len(found) > 40 and all(4 <= seconds <= 6 for seconds in found)


@given(st.integers(0, 10**9), st.floats(0, 1), st.floats(0.001, 60), st.floats(0.001, 600))
def test_no_attempt_is_too_many(attempt: int, chance: float, first: float, longest: float) -> None:
    assert 0 < backoff(attempt, first=first, longest=longest, chance=chance) <= longest * 1.5


# -- retry -------------------------------------------------------------------------------------


async def test_what_works_at_once_is_called_once() -> None:
    call = Call()
    assert await retry(call, sleep=call.sleep) == "done"
    assert call.times == 1 and call.waits == []


@pytest.mark.parametrize("failure", PASSING, ids=lambda e: type(e).__name__)
async def test_what_may_pass_is_repeated_after_each_pause(failure: Exception) -> None:
    call = Call(failure, failure)
    assert await retry(call, sleep=call.sleep, jitter=lambda: 0) == "done"
    assert call.times == 3 and call.waits == list(DELAYS_SECONDS[:2])


async def test_the_pauses_are_up_to_half_longer() -> None:
    call = Call(*PASSING)
    await retry(call, delays=(1, 2, 4), sleep=call.sleep, jitter=lambda: 1)
    assert call.waits == [1.5, 3, 6]


async def test_the_last_failure_is_what_is_raised() -> None:
    call = Call(*PASSING, OutcomeUnknown("?", code="the last"), DeliveryError("x", code="never reached"))
    with pytest.raises(OutcomeUnknown) as caught:
        await retry(call, sleep=call.sleep)
    assert caught.value.code == "the last" and call.times == len(DELAYS_SECONDS) + 1 == len(call.waits) + 1


@pytest.mark.parametrize("failure", LASTING, ids=lambda e: type(e).__name__)
async def test_what_lasts_is_raised_at_once(failure: Exception) -> None:
    call = Call(PASSING[0], failure)
    with pytest.raises(type(failure)) as caught:
        await retry(call, sleep=call.sleep)
    assert caught.value is failure and call.times == 2 and len(call.waits) == 1


async def test_without_pauses_it_is_tried_once() -> None:
    call = Call(PASSING[0])
    with pytest.raises(DeliveryError):
        await retry(call, delays=(), sleep=call.sleep)
    assert call.times == 1 and call.waits == []


async def test_the_real_pause_gives_way_to_others() -> None:
    call = Call(PASSING[0])
    assert await retry(call, delays=(0.001,)) == "done"


# -- retry_until_available -----------------------------------------------------------------------


async def test_a_step_is_repeated_for_as_long_as_the_store_is_away() -> None:
    away: list[Exception] = [StoreError("away") for _ in range(8)]
    call, told = Call(*away), list[Exception]()
    assert await retry_until_available(call, on_unavailable=told.append, sleep=call.sleep) == "done"
    assert call.times == 9 and told == away
    assert call.waits[0] <= 0.15 and all(2.0 <= seconds <= 3.0 for seconds in call.waits[5:])


async def test_what_is_not_the_store_is_raised_at_once() -> None:
    call = Call(StoreError("away"), ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        await retry_until_available(call, sleep=call.sleep)
    assert call.times == 2


async def test_each_failure_that_is_repeated_is_told_of() -> None:
    call, told = Call(*PASSING[:2]), list[tuple[Exception, int]]()
    failures = list(call.failures)
    await retry(call, sleep=call.sleep, on_retry=lambda failure, attempt: told.append((failure, attempt)))
    assert told == [(failures[0], 1), (failures[1], 2)]
