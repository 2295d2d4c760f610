"""Who works on which message and in what order: lanes, leases, take-overs, floods and a store that goes away."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from faqbot.errors import StoreError
from faqbot.messaging.inbox import Inbox
from faqbot.model.conversation import ConversationState
from faqbot.model.messages import Message
from faqbot.runtime.metrics import Metrics
from faqbot.store.opening import open_store
from faqbot.store.protocol import Accepted, Store
from tests.redis_server import RedisServer
from tests.store.test_engines import DONE, message

LEASE, KEEP = 10.0, 0.1
SHORT = 0.6  # for a worker whose lease is to end


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def emptied(store: Store) -> None:
    """Wait until the store holds no unfinished message."""
    async with asyncio.timeout(60):
        while await store.backlog() != (0, 0.0):
            await asyncio.sleep(0.01)


class Diary:
    """What all workers of a test did: (worker, message id), and (worker, asker) for what is worked on right now."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str]] = []
        self.done: list[tuple[str, str]] = []
        self.busy: list[tuple[str, str]] = []
        self.stalled: set[str] = set()
        self.most_at_once = 0

    @property
    def ids(self) -> list[str]:
        return [message_id for _, message_id in self.done]


class Worker:
    """An Inbox at work; each message takes `seconds` and is finished in the store."""

    def __init__(self, name: str, store: Store, diary: Diary, *, seconds: float = 0.0, **more: Any) -> None:
        self.name = name
        self.store = store
        self.diary = diary
        self.seconds = seconds
        self.metrics = Metrics()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.before: Callable[[Message], Awaitable[None]] | None = None
        self.inbox = Inbox(
            store, self.handle, self.metrics, **{"lease": LEASE, "heartbeat": KEEP, "store_retry": 0.1, **more}
        )
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> Worker:
        await self.inbox.start()
        self._keeping = asyncio.create_task(self.inbox.run())
        return self

    async def handle(self, m: Message) -> None:
        self.diary.begun.append((self.name, m.id))
        others = [asker for name, asker in self.diary.busy if name not in self.diary.stalled]
        assert m.asker not in others, "two messages of one asker at once"
        self.diary.busy.append((self.name, m.asker))
        self.diary.most_at_once = max(self.diary.most_at_once, len(self.diary.busy))
        try:
            if self.before is not None:
                await self.before(m)
            await asyncio.sleep(self.seconds)
            await self.may_go_on.wait()
        finally:
            self.diary.busy.remove((self.name, m.asker))
        if await self.inbox.holds(m):
            self.diary.done.append((self.name, m.id))
            await self.inbox.retry_until_available(lambda: self.store.finish(m, DONE, None, None))

    async def stall(self) -> None:
        """Renew no more, as a process that hangs; what it works on waits."""
        self.may_go_on.clear()
        self.diary.stalled.add(self.name)
        await self.stop_keeping()

    async def stop_keeping(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None

    async def stop(self) -> None:
        await self.stop_keeping()
        await self.inbox.drain(0)


Hire = Callable[..., Awaitable[Worker]]


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
async def hire(diary: Diary) -> AsyncIterator[Hire]:
    """`await hire("A", store)` starts a worker; all are stopped at the end."""
    hired: list[Worker] = []

    async def start(name: str, store: Store, **more: Any) -> Worker:
        hired.append(Worker(name, store, diary, **more))
        return await hired[-1].start()

    yield start
    for worker in hired:
        await worker.stop()


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'local.db'}")
    yield opened
    await opened.close()


@pytest.fixture
async def replicas(redis_server: RedisServer) -> AsyncIterator[list[Store]]:
    """Two clients of one Redis."""
    opened: list[Store] = [await open_store(redis_server.url) for _ in range(2)]
    yield opened
    for store in opened:
        await store.close()


class Odd:
    """A store whose steps can be made to behave oddly; the rest is the real one's."""

    def __init__(self, real: Store) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def by_asker(ids: Sequence[str], asked: Sequence[Message]) -> dict[str, list[str]]:
    whose = {m.id: m.asker for m in asked}
    found: dict[str, list[str]] = defaultdict(list)
    for message_id in ids:
        found[whose[message_id]].append(message_id)
    return found


def questions(askers: int, each: int) -> list[Message]:
    """Messages of several askers in turn, in the order in which they come."""
    return [message(n * askers + a, asker=f"user-{a}") for n in range(each) for a in range(askers)]


# -- one worker ------------------------------------------------------------------------------------


async def test_messages_of_one_asker_are_handled_in_order_and_askers_side_by_side(
    store: Store, hire: Hire, diary: Diary
) -> None:
    worker = await hire("A", store, seconds=0.05)
    asked = questions(4, 5)
    for m in asked:
        assert await worker.inbox.accept(m)
    await until(lambda: len(diary.done) == 20)
    assert by_asker(diary.ids, asked) == by_asker([m.id for m in asked], asked)
    assert diary.most_at_once == 4
    await emptied(store)


async def test_each_message_hears_what_the_one_before_it_left(store: Store, hire: Hire, diary: Diary) -> None:
    workers = [await hire("A", store), await hire("B", store)]
    heard: dict[str, str] = {}

    for worker in workers:

        async def answer(m: Message, inbox: Inbox = worker.inbox) -> None:
            before = await inbox.context(m)
            heard[m.id] = before.options_message_id if before else ""
            await store.put_context(
                m.partition_key, ConversationState(options_expire_at=time.time() + 600, options_message_id=m.id)
            )

        worker.before = answer
    for number in (1, 2, 3):
        await workers[0].inbox.accept(message(number))
    await workers[1].inbox.accept(message(4))
    await emptied(store)
    await workers[1].inbox.accept(message(5))
    await emptied(store)
    assert heard == {"m1": "", "m2": "m1", "m3": "m2", "m4": "m3", "m5": "m4"}


async def test_callbacks_read_at_once_are_handled_once_each(store: Store, hire: Hire, diary: Diary) -> None:
    worker = await hire("A", store)
    asked = questions(5, 20)
    assert all(await asyncio.gather(*(worker.inbox.accept(m) for m in asked)))
    await until(lambda: len(diary.done) == 100, 20)
    assert sorted(diary.ids) == sorted(m.id for m in asked)
    await emptied(store)


async def test_the_same_message_again_is_known(store: Store, hire: Hire, diary: Diary) -> None:
    worker = await hire("A", store)
    assert sorted(await asyncio.gather(*(worker.inbox.accept(message()) for _ in range(5)))) == [False] * 4 + [True]
    await until(lambda: len(diary.done) == 1)
    assert not await worker.inbox.accept(message())
    await asyncio.sleep(3 * KEEP)
    assert diary.ids == ["m1"] and len(diary.begun) == 1


async def test_a_stop_is_heard_even_where_the_stores_client_swallows_it(local: Store, hire: Hire, diary: Diary) -> None:
    odd = Odd(local)
    asked: list[str] = []

    def deaf(name: str, answer: Any) -> Callable[..., Awaitable[Any]]:
        async def step(*args: Any) -> Any:
            asked.append(name)
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)
            return answer

        return step

    worker = await hire("A", odd)
    odd.renew = deaf("renew", True)  # type: ignore[attr-defined]
    odd.is_first_in_partition = deaf("is_first_in_partition", False)  # type: ignore[attr-defined]
    await local.accept(message(1), "elsewhere")
    await local.join("elsewhere", 60)
    await worker.inbox.accept(message(2))
    for name, stop in (("renew", worker.stop_keeping()), ("is_first_in_partition", worker.inbox.drain(0))):
        asked.clear()
        await until(lambda name=name: name in asked)  # type: ignore[misc]
        async with asyncio.timeout(60):
            await stop
    assert not diary.begun


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_flood_is_kept_in_the_store_and_handled_in_order(
    store: Store, hire: Hire, diary: Diary, at_once: bool
) -> None:
    worker = await hire("A", store, max_in_memory=5)
    most = 0

    async def count(m: Message) -> None:
        nonlocal most
        most = max(most, len(await store.unfinished(worker.inbox.owner)))

    worker.before = count
    asked = questions(200, 1) if at_once else questions(20, 10)
    if at_once:
        assert all(await asyncio.gather(*(worker.inbox.accept(m) for m in asked)))
    else:
        for m in asked:
            assert await worker.inbox.accept(m)
    await until(lambda: len(diary.done) == 200, 30)
    assert len(diary.begun) == 200
    assert by_asker(diary.ids, asked) == by_asker([m.id for m in asked], asked)
    assert 1 <= most <= 5
    await emptied(store)


async def test_a_message_that_cannot_be_handled_does_not_stop_those_behind_it(
    store: Store, hire: Hire, diary: Diary, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await hire("A", store)

    async def crash(m: Message) -> None:
        if m.id in ("m1", "m3"):
            raise ZeroDivisionError

    worker.before = crash
    for number in (1, 2):
        await worker.inbox.accept(message(number))
    await until(lambda: diary.ids == ["m2"])
    for number in (3, 4):
        await worker.inbox.accept(message(number))
    await until(lambda: diary.ids == ["m2", "m4"])
    assert [r.getMessage() for r in caplog.records] == ["message.crashed"] * 2
    # It would crash the next worker too.
    await emptied(store)
    assert not await worker.inbox.accept(message(1))


async def test_the_backlog_is_shown(store: Store, hire: Hire) -> None:
    worker = await hire("A", store, clock=lambda: 161.0)
    worker.may_go_on.clear()
    for number in (1, 2):
        await worker.inbox.accept(message(number))
    read = worker.metrics.registry.get_sample_value
    await until(lambda: read("faqbot_backlog_messages") == 2)
    assert read("faqbot_backlog_oldest_seconds") == 60.0
    worker.may_go_on.set()
    await until(lambda: read("faqbot_backlog_messages") == 0)
    assert read("faqbot_backlog_oldest_seconds") == 0.0


async def test_the_loop_outlives_whatever_happens_in_it(
    local: Store, hire: Hire, diary: Diary, caplog: pytest.LogCaptureFixture
) -> None:
    odd = Odd(local)
    failures = [ZeroDivisionError(), StoreError("away")]

    async def backlog() -> tuple[int, float]:
        if failures:
            raise failures.pop(0)
        return await local.backlog()

    odd.backlog = backlog  # type: ignore[attr-defined]
    await hire("A", odd, lease=SHORT)
    await until(lambda: not failures)
    await local.accept(message(), "")
    await until(lambda: diary.ids == ["m1"])
    assert [r.getMessage() for r in caplog.records] == ["inbox.keep_failed", "store.away"]


# -- several workers -------------------------------------------------------------------------------


async def test_a_worker_that_stops_renewing_is_replaced_after_its_lease(store: Store, hire: Hire, diary: Diary) -> None:
    dying, other = await hire("A", store, lease=SHORT), await hire("B", store)
    dying.may_go_on.clear()
    asked = questions(2, 2)
    for m in asked:
        await dying.inbox.accept(m)
    await asyncio.sleep(SHORT + 3 * KEEP)
    assert {name for name, _ in diary.begun} == {"A"}, "as long as it renews, it keeps its work"
    await dying.stall()
    await until(lambda: len(diary.done) == 4)
    assert {name for name, _ in diary.done} == {"B"}
    assert by_asker(diary.ids, asked) == by_asker([m.id for m in asked], asked)
    assert other.metrics.registry.get_sample_value("faqbot_messages_taken_over_total") == 4


async def test_a_worker_that_drains_hands_over_at_once(store: Store, hire: Hire, diary: Diary) -> None:
    leaving = await hire("A", store, lease=600)
    await hire("B", store)
    leaving.may_go_on.clear()
    for number in (1, 2, 3):
        await leaving.inbox.accept(message(number))
    await until(lambda: bool(diary.begun))
    await leaving.stop()
    await until(lambda: diary.done == [("B", "m1"), ("B", "m2"), ("B", "m3")])


async def test_draining_finishes_what_is_under_way(store: Store, hire: Hire, diary: Diary) -> None:
    worker = await hire("A", store, seconds=0.1)
    for number in (1, 2):
        await worker.inbox.accept(message(number))
    await worker.stop_keeping()
    await worker.inbox.drain(10)
    assert diary.ids == ["m1", "m2"]
    await emptied(store)


async def test_a_new_worker_takes_over_what_a_dead_one_left(store: Store, hire: Hire, diary: Diary) -> None:
    for number in (1, 2, 3):
        await store.accept(message(number), "dead")
    await hire("A", store)
    await until(lambda: diary.ids == ["m1", "m2", "m3"])


async def test_one_askers_messages_spread_over_workers_keep_their_order(store: Store, hire: Hire, diary: Diary) -> None:
    workers = [await hire(name, store, seconds=0.01) for name in "AB"]
    chance = random.Random(7)
    asked = [message(n) for n in range(1, 21)]
    for m in asked:
        await chance.choice(workers).inbox.accept(m)
    await until(lambda: len(diary.done) == 20, 20)
    assert diary.ids == [m.id for m in asked] and {name for name, _ in diary.done} == {"A", "B"}


async def test_a_flood_over_two_small_workers_is_handled_once_each(store: Store, hire: Hire, diary: Diary) -> None:
    workers = [await hire(name, store, max_in_memory=5) for name in "AB"]
    asked = questions(20, 10)
    for number, m in enumerate(asked):
        await workers[number % 2].inbox.accept(m)
    await until(lambda: len(diary.done) == 200, 30)
    assert by_asker(diary.ids, asked) == by_asker([m.id for m in asked], asked)


async def test_what_is_taken_over_comes_before_what_was_waiting_for_it(store: Store, hire: Hire, diary: Diary) -> None:
    dying, other = await hire("A", store, lease=SHORT), await hire("B", store)
    dying.may_go_on.clear()
    for number in (1, 2):
        await dying.inbox.accept(message(number))
    for number in (3, 4):
        await other.inbox.accept(message(number))
    await dying.inbox.accept(message(5))
    await until(lambda: bool(diary.begun))
    await dying.stall()
    await until(lambda: len(diary.done) == 5)
    assert diary.done == [("B", f"m{n}") for n in (1, 2, 3, 4, 5)]


async def test_an_earlier_message_that_never_ends_is_not_waited_for_for_ever(
    store: Store, hire: Hire, diary: Diary, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await hire("B", store, max_turn_wait=0.3)
    await store.join("elsewhere", 60)
    await store.accept(message(1), "elsewhere")
    await worker.inbox.accept(message(2))
    await until(lambda: diary.ids == ["m2"])
    assert "message.out_of_turn" in caplog.text


async def test_a_worker_that_stalled_finds_that_its_message_was_taken(store: Store, hire: Hire, diary: Diary) -> None:
    stalled = await hire("A", store, lease=SHORT)
    stalled.may_go_on.clear()
    await stalled.inbox.accept(message(1))
    assert await stalled.inbox.holds(message(1))
    await until(lambda: bool(diary.begun))
    await stalled.stall()
    await hire("B", store)
    await until(lambda: diary.done == [("B", "m1")])
    assert not await stalled.inbox.holds(message(1))
    # It comes back to life: the lease it gets now is a new one.
    keeping = asyncio.create_task(stalled.inbox.run())
    await until(lambda: stalled.metrics.registry.get_sample_value("faqbot_backlog_messages") == 0)
    assert not await stalled.inbox.holds(message(1))
    stalled.may_go_on.set()
    await stalled.inbox.accept(message(2))
    await until(lambda: ("A", "m2") in diary.done)
    assert diary.done == [("B", "m1"), ("A", "m2")]
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_an_answer_of_the_store_that_comes_late_does_not_make_the_lease_longer(
    store: Store, hire: Hire, diary: Diary
) -> None:
    odd = Odd(store)

    async def renew(owner: str, ttl: float) -> bool:
        held = await store.renew(owner, ttl)
        await asyncio.sleep(2 * SHORT)
        return held

    odd.renew = renew  # type: ignore[attr-defined]
    slow = Worker("A", odd, diary, lease=SHORT)  # type: ignore[arg-type]
    slow.may_go_on.clear()
    await slow.inbox.start()
    await slow.inbox.accept(message(1))
    await until(lambda: bool(diary.begun))
    diary.stalled.add("A")
    renewing = asyncio.create_task(slow.inbox._beat())
    await hire("B", store)
    await until(lambda: diary.done == [("B", "m1")])
    await renewing
    assert not await slow.inbox.holds(message(1))
    await slow.stop()


# -- a store that goes away ------------------------------------------------------------------------


async def test_while_redis_is_away_nothing_is_accepted_and_afterwards_nothing_is_done_twice(
    redis_server: RedisServer, replicas: list[Store], hire: Hire, diary: Diary
) -> None:
    working, idle = [await hire(n, s, lease=0.8) for n, s in zip("AB", replicas, strict=True)]
    working.may_go_on.clear()
    for number in (1, 2):
        await working.inbox.accept(message(number))
    await until(lambda: bool(diary.begun))
    redis_server.stop()
    await until(lambda: not working.inbox.store_ok and not idle.inbox.store_ok)
    for _ in range(3):
        with pytest.raises(StoreError):
            await working.inbox.accept(message(3))
    # Both leases end while Redis is away.
    await asyncio.sleep(0.9)
    redis_server.start()
    await until(lambda: working.inbox.store_ok and idle.inbox.store_ok)
    await working.inbox.accept(message(3))
    await asyncio.sleep(1.0)
    assert diary.begun == [("A", "m1")], "a living worker keeps its messages"
    working.may_go_on.set()
    await until(lambda: len(diary.done) == 3)
    assert diary.done == [("A", "m1"), ("A", "m2"), ("A", "m3")] and len(diary.begun) == 3


async def test_a_message_finished_while_redis_is_away_is_finished_when_it_is_back(
    redis_server: RedisServer, replicas: list[Store], hire: Hire, diary: Diary
) -> None:
    store = replicas[0]
    worker = await hire("A", store, lease=20.0)
    worker.may_go_on.clear()
    await worker.inbox.accept(message(1))
    await until(lambda: bool(diary.begun))
    redis_server.stop()
    worker.may_go_on.set()
    await until(lambda: diary.ids == ["m1"] and not worker.inbox.store_ok)
    redis_server.start()
    await until(lambda: worker.inbox.store_ok)
    await emptied(store)
    assert diary.ids == ["m1"]


class LosesAnswers(Odd):
    """Writes messages down and, while `lose` is above 0, says that it could not."""

    def __init__(self, real: Store) -> None:
        super().__init__(real)
        self.lose = 1

    async def accept(self, m: Message, owner: str) -> Accepted | None:
        accepted = await self._real.accept(m, owner)
        if self.lose > 0:
            self.lose -= 1
            raise StoreError("the answer was lost")
        return accepted


async def test_a_message_whose_acceptance_was_lost_on_the_way_is_handled_once(
    store: Store, hire: Hire, diary: Diary
) -> None:
    worker = await hire("A", LosesAnswers(store))
    with pytest.raises(StoreError):
        await worker.inbox.accept(message())
    assert not worker.inbox.store_ok
    await until(lambda: diary.ids == ["m1"])
    assert not await worker.inbox.accept(message()), "DingTalk delivers it again"
    await asyncio.sleep(3 * KEEP)
    assert len(diary.begun) == 1 and worker.inbox.store_ok


async def test_it_is_handled_before_those_that_came_after_it(store: Store, hire: Hire, diary: Diary) -> None:
    worker = await hire("A", LosesAnswers(store))
    with pytest.raises(StoreError):
        await worker.inbox.accept(message(1))
    for number in (2, 3):
        await worker.inbox.accept(message(number))
    await until(lambda: len(diary.done) == 3)
    assert diary.ids == ["m1", "m2", "m3"]


async def test_a_message_written_down_only_after_the_store_was_given_up_is_found(
    store: Store, hire: Hire, diary: Diary
) -> None:
    worker = await hire("A", store)
    worker.inbox._on_store_unavailable(StoreError("away"))
    await until(lambda: worker.inbox.store_ok)
    # What a hanging Redis had in its queue when the caller gave up.
    await store.accept(message(), worker.inbox.owner)
    assert not await worker.inbox.accept(message()), "DingTalk delivers it again"
    await until(lambda: diary.ids == ["m1"])


async def test_an_acceptance_that_was_cancelled_halfway_is_found(store: Store, hire: Hire, diary: Diary) -> None:
    odd = Odd(store)
    written = asyncio.Event()

    async def accept(m: Message, owner: str) -> Accepted | None:
        accepted = await store.accept(m, owner)
        written.set()
        await asyncio.sleep(10)
        return accepted

    odd.accept = accept  # type: ignore[attr-defined]
    worker = await hire("A", odd)
    accepting = asyncio.create_task(worker.inbox.accept(message()))
    await written.wait()
    accepting.cancel()
    with suppress(asyncio.CancelledError):
        await accepting
    await until(lambda: diary.ids == ["m1"])


async def test_answers_that_overtake_one_another_do_not_change_the_order(
    store: Store, hire: Hire, diary: Diary
) -> None:
    odd = Odd(store)
    later = asyncio.Event()

    async def accept(m: Message, owner: str) -> Accepted | None:
        accepted = await store.accept(m, owner)
        if m.id == "m1":
            await later.wait()
        return accepted

    odd.accept = accept  # type: ignore[attr-defined]
    worker = await hire("A", odd)
    first = asyncio.create_task(worker.inbox.accept(message(1)))
    while (await store.backlog())[0] == 0:
        await asyncio.sleep(0.01)
    await worker.inbox.accept(message(2))
    later.set()
    await first
    await until(lambda: len(diary.done) == 2)
    assert diary.ids == ["m1", "m2"]


async def test_a_message_finished_while_the_store_is_asked_what_is_left_is_not_done_again(
    store: Store, hire: Hire, diary: Diary
) -> None:
    odd = LosesAnswers(store)
    odd.lose = 0
    asked = asyncio.Event()

    async def unfinished(owner: str) -> Sequence[Message]:
        found = await store.unfinished(owner)
        asked.set()
        await until(lambda: "m1" in diary.ids)
        while (await store.backlog())[0] > 1:
            await asyncio.sleep(0.01)
        return found

    odd.unfinished = unfinished  # type: ignore[attr-defined]
    worker = await hire("A", odd, lease=20.0)
    worker.may_go_on.clear()
    await worker.inbox.accept(message(1))
    assert not await worker.inbox.accept(message(1))
    odd.lose = 1
    with pytest.raises(StoreError):
        await worker.inbox.accept(message(2, asker="user-2"))
    await asked.wait()
    worker.may_go_on.set()
    await until(lambda: len(diary.done) == 2)
    await asyncio.sleep(3 * KEEP)
    assert sorted(diary.begun) == [("A", "m1"), ("A", "m2")]
