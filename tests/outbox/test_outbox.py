"""Notices: taken on durably, sent once per key, repeated, given up with a reason, shared between replicas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from faqbot.errors import ContentRefused, DeliveryError, NeedsAdmin, OutcomeUnknown, Throttled
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import LEASE_SECONDS, Outbox
from faqbot.outbox.queued_notice import Delay
from faqbot.store.protocol import Store
from faqbot.store.sqlite import SqliteStore

XIAOLI, ZHANGJIE = Address("person", "xiaoli"), Address("person", "zhangjie")
ALL_HANDS, SALES = Address("robot", "all-hands"), Address("robot", "sales")


class Clock:
    def __init__(self) -> None:
        self.now = 1_763_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Way:
    """Writes down what it was given; `answers` are what happens to the next messages, None is success."""

    clock: Clock
    pause: float = 0.0
    deduplicates: bool = False
    most: int = 1
    answers: list[Exception | None] = field(default_factory=list)
    sent: list[tuple[float, tuple[str, ...], str]] = field(default_factory=list)
    unreachable: dict[str, DeliveryError] = field(default_factory=dict)
    stuck: asyncio.Event | None = None

    def min_interval(self, notices: Sequence[Notice]) -> float:
        return self.pause

    def batch(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        return waiting[: self.most]

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        self.sent.append((self.clock(), tuple(n.key for n in notices), uuid))
        if self.stuck is not None:
            await self.stuck.wait()
        if self.answers and (answer := self.answers.pop(0)) is not None:
            raise answer
        return {n.key: self.unreachable[n.key] for n in notices if n.key in self.unreachable}

    @property
    def keys(self) -> list[str]:
        return [key for _, keys, _ in self.sent for key in keys]


class Post:
    """An outbox with the two kinds of way, and a clock that a test moves."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.clock = clock
        self.people = Way(clock)
        self.robots = Way(clock, pause=3.2, deduplicates=True, most=100)
        self.store = store
        self.box = self.restarted()

    def restarted(self, lease: float = LEASE_SECONDS) -> Outbox:
        """The same notices and ways in another process."""
        ways = {"person": self.people, "robot": self.robots}
        self.box = Outbox(self.store, ways, lease=lease, clock=self.clock, sleep=self.clock.sleep)
        return self.box

    async def rest(self, box: Outbox | None = None, *, until: Callable[[], bool] = lambda: False) -> None:
        """Move the clock on until nothing waits any more."""
        box = box or self.box
        while await box.waiting() and not until():
            pause = await box.poll()
            await box.idle()
            self.clock.now += max(0.0, pause)


def notice(key: str, to: Address = XIAOLI, **more: object) -> Notice:
    return replace(Notice(key, to, "标题", f"内容 {key}"), **more)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    clock = Clock()
    store = await SqliteStore.open(str(tmp_path / "store.db"), clock=clock)
    yield Post(store, clock)
    await store.close()


async def test_a_notice_is_sent_once_per_key_by_either_engine(store: Store) -> None:
    clock = Clock()
    post = Post(store, clock)
    await post.box.post(notice("a"), notice("b"))
    await post.box.post(notice("a"))
    await post.rest()
    await post.box.post(notice("b"))
    await post.rest()

    assert sorted(post.people.keys) == ["a", "b"]
    outcome = await post.box.outcome("a")
    assert outcome is not None and outcome.sent


async def test_what_was_posted_survives_the_process(post: Post) -> None:
    await post.box.post(notice("a", at_mobiles=("13800000000",)))
    assert await post.restarted().waiting() == [notice("a", at_mobiles=("13800000000",))]
    await post.rest()
    assert post.people.keys == ["a"]


async def test_the_loop_wakes_at_post(post: Post) -> None:
    loop = asyncio.create_task(post.box.run())
    await asyncio.sleep(0)
    await post.box.post(notice("a"))
    async with asyncio.timeout(60):
        while await post.box.outcome("a") is None:
            await asyncio.sleep(0.01)
    loop.cancel()


async def test_nothing_is_sent_before_its_time_and_nothing_after_its_end(post: Post) -> None:
    start = post.clock.now
    await post.box.post(notice("later", not_before=start + 60), notice("over", until=start - 1))
    await post.rest()

    assert [keys for _, keys, _ in post.people.sent] == [("later",)]
    assert post.people.sent[0][0] >= start + 60
    outcome = await post.box.outcome("over")
    assert outcome is not None and (outcome.sent, outcome.code) == (False, "expired")


BUSY = DeliveryError("系统繁忙", code="-1")
UNSURE = OutcomeUnknown("没有回应", code="timeout")


@pytest.mark.parametrize(
    ("answers", "times", "code"),
    [
        ([BUSY, BUSY, BUSY], 4, "ok"),
        ([Throttled("太快", code="410100", wait=600)], 2, "ok"),
        ([UNSURE], 2, "ok"),
        ([UNSURE, UNSURE], 2, "timeout"),
        ([NeedsAdmin("没有权限", code="60011")], 1, "60011"),
        ([ContentRefused("不合规", code="430102")], 1, "430102"),
        ([BUSY] * 1000, None, "expired"),
    ],
)
async def test_what_happens_after_a_failure(
    post: Post, answers: list[Exception | None], times: int | None, code: str
) -> None:
    post.people.answers = list(answers)
    await post.box.post(notice("a", until=post.clock.now + 3600))
    await post.rest()

    outcome = await post.box.outcome("a")
    assert outcome is not None and (outcome.sent, outcome.code) == (code == "ok", code)
    assert times is None or len(post.people.sent) == times


async def test_whom_a_batch_did_not_reach_is_told_apart_from_the_others(post: Post) -> None:
    post.people.most = 20
    post.people.unreachable = {"b": DeliveryError("不存在", code="invalid_staff", permanent=True)}
    await post.box.post(notice("a"), notice("b", ZHANGJIE))
    await post.rest()

    outcomes = [await post.box.outcome(key) for key in "ab"]
    assert [outcome and outcome.code for outcome in outcomes] == ["ok", "invalid_staff"]
    assert post.people.keys == ["a", "b"]


async def test_a_robot_has_a_pause_between_two_messages_and_others_do_not_wait_for_it(post: Post) -> None:
    post.robots.most = 1
    await post.box.post(*(notice(f"r{n}", ALL_HANDS) for n in range(3)), notice("s", SALES))
    await post.rest()

    times = {keys[0]: at for at, keys, _ in post.robots.sent}
    assert [key for key in post.robots.keys if key != "s"] == ["r0", "r1", "r2"]
    assert times["r1"] - times["r0"] >= 3.2 and times["r2"] - times["r1"] >= 3.2
    assert times["s"] == times["r0"]


async def test_the_block_of_a_robot_is_respected_by_all_replicas(post: Post) -> None:
    post.robots.answers = [Throttled("太快", code="410100", wait=600)]
    await post.box.post(notice("a", ALL_HANDS))
    await post.rest(until=lambda: len(post.robots.sent) == 1)
    other = post.restarted()
    await post.rest(other)

    first, second = post.robots.sent
    assert second[0] - first[0] >= 600


async def test_another_process_knows_what_a_notice_waits_for(post: Post) -> None:
    post.robots.answers = [Throttled("太快", code="410100", wait=600)]
    now = post.clock.now
    await post.box.post(notice("a", ALL_HANDS), notice("s", SALES), notice("p", not_before=now + 60))
    await post.rest(until=lambda: len(post.robots.sent) == 2)
    await post.box.post(notice("b", ALL_HANDS), notice("c", ALL_HANDS, not_before=now + 900))

    fates = await Outbox(post.store, {}, clock=post.clock).statuses("abcspx")
    assert fates.pop("s") == await post.box.outcome("s")
    assert fates == {
        "a": Delay(now + 600, limited=True),
        "b": Delay(now + 600, limited=True),
        "c": Delay(now + 900, limited=False),
        "p": Delay(now + 60, limited=False),
        "x": None,
    }
    post.clock.now = now + 601
    assert (await Outbox(post.store, {}, clock=post.clock).statuses("a")) == {"a": None}


async def test_a_repeat_to_a_robot_is_the_same_message_with_the_same_id(post: Post) -> None:
    """What was posted meanwhile must not get into it, or DingTalk would swallow that too."""
    post.robots.answers = [UNSURE]
    await post.box.post(notice("a", ALL_HANDS), notice("b", ALL_HANDS))
    await post.rest(until=lambda: len(post.robots.sent) == 1)
    await post.box.post(notice("c", ALL_HANDS))
    await post.rest(post.restarted())

    (_, first, uuid), (_, again, same), (_, rest, another) = post.robots.sent
    assert (first, uuid) == (again, same) and first == ("a", "b")
    assert rest == ("c",) and another != uuid


async def test_one_refused_part_of_a_merged_message_does_not_take_the_others_along(post: Post) -> None:
    refused = ContentRefused("不合规", code="430102")
    post.robots.answers = [refused, None, refused, None]
    await post.box.post(*(notice(key, ALL_HANDS) for key in "abc"))
    await post.rest()

    outcomes = [await post.box.outcome(key) for key in "abc"]
    assert [outcome and outcome.code for outcome in outcomes] == ["ok", "430102", "ok"]
    assert [keys for _, keys, _ in post.robots.sent] == [("a", "b", "c"), ("a",), ("b",), ("c",)]


async def test_of_two_replicas_one_sends_and_the_other_takes_over_after_the_lease(post: Post) -> None:
    post.people.stuck = asyncio.Event()
    await post.box.post(notice("a"))
    dead, alive = post.box, post.restarted()
    await dead.poll()
    while not post.people.sent:
        await asyncio.sleep(0.001)
    began = post.clock.now
    await post.rest(alive, until=lambda: len(post.people.sent) > 1 or post.clock.now > began + LEASE_SECONDS - 2)
    assert len(post.people.sent) == 1

    # The first is gone for good, as after kill -9.
    await dead.drain(0)
    post.people.stuck = None
    await post.store.claim("lease:outbox:person", LEASE_SECONDS)
    await post.rest(alive)
    assert post.people.keys == ["a", "a"]


async def test_a_lane_that_was_held_too_long_is_not_taken_from_whoever_has_it_now(post: Post) -> None:
    post.restarted(lease=0.1)
    post.people.stuck = asyncio.Event()
    await post.box.post(notice("a"))
    await post.box.poll()
    while not post.people.sent:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.15)
    post.clock.now += 0.15
    assert await post.store.claim("lease:outbox:person", 30), "another replica goes on"
    post.people.stuck.set()
    await post.box.idle()
    assert not await post.store.claim("lease:outbox:person", 30)


async def test_a_long_notice_becomes_several_and_the_key_tells_of_all(post: Post) -> None:
    await post.box.post(notice("long", ALL_HANDS, body="很长的一段。\n\n" * 2000, at_all=True))
    parts = await post.box.waiting()
    assert [part.at_all for part in parts] == [True, *[False] * (len(parts) - 1)]
    assert parts[-1].key == "long" and len(parts) > 2
    assert all(len(part.body.encode()) < 15_000 for part in parts)
