"""The process is killed at any moment: no acknowledged question is lost, and doubles are only sends under way."""

from __future__ import annotations

import asyncio
import bisect
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from faqbot.sandbox.api.gateway import FrameDelivery
from faqbot.sandbox.server import FakeDingTalk
from tests.faults.process import BotProcess
from tests.redis_server import RedisServer

QUESTIONS = ("年假几天", "报销怎么提交", "病假工资怎么算", "公积金怎么提取", "今天天气怎么样")
WEBHOOK_SECONDS = 0.05
AT_ONCE = 40


class Crowd:
    """Each person asks one question in the single chat, so that a reply belongs to one question."""

    def __init__(self, ding: FakeDingTalk) -> None:
        self.ding = ding
        self.asked: dict[str, list[FrameDelivery]] = {}
        self.kills: list[float] = []

    async def ask(self, number: int) -> None:
        """Ask, again if nobody was connected: what was never delivered is nobody's question yet."""
        person = self.ding.world.person(f"员工{number:03d}")
        home = self.ding.world.single(person)
        while not (sent := await self.ding.say(person, QUESTIONS[number % len(QUESTIONS)], home)):
            await asyncio.sleep(0.05)
        self.asked[home.id] = sent

    @property
    def answered(self) -> Counter[str]:
        return Counter(m.conversation for m in self.ding.replies)

    @property
    def acknowledged(self) -> set[str]:
        return {home for home, sent in self.asked.items() if any(d.ack is not None for d in sent)}

    async def kill(self, bot: BotProcess) -> None:
        self.kills.append(time.perf_counter())
        await bot.kill()

    def lost(self) -> set[str]:
        return self.acknowledged - set(self.answered)

    def doubled(self) -> list[str]:
        return [home for home, times in self.answered.items() if times > 1]

    def under_way_at_a_kill(self, home: str) -> bool:
        """Whether the first send of this answer had begun and could not be on record when a process was killed.

        Counted in sends and not in seconds, which a busy machine stretches: what was sent more than AT_ONCE sends
        before or after a kill has nothing to do with it.
        """
        sends = sorted(c.started for c in self.ding.webhooks.calls)
        began = sends.index(min(c.started for c in self.ding.webhooks.calls if c.conversation == home))
        return any(abs(began - bisect.bisect(sends, kill)) <= AT_ONCE for kill in self.kills)


@pytest.fixture
async def crowd(ding: FakeDingTalk) -> AsyncIterator[Crowd]:
    ding.faults.webhook_delay = WEBHOOK_SECONDS
    yield Crowd(ding)


async def settle(crowd: Crowd, everybody: Sequence[str] = (), seconds: float = 120) -> None:
    wanted = set(everybody) or crowd.acknowledged
    await crowd.ding.world.until(lambda: wanted <= set(crowd.answered), seconds)
    # A late double must have had its chance.
    await asyncio.sleep(1.0)


@pytest.mark.parametrize("redeliver_after", [1.0, -1.0], ids=["redelivered", "never redelivered"])
async def test_four_kills_in_400_questions_lose_nothing(
    crowd: Crowd, knowledge: Path, tmp_path: Path, redeliver_after: float
) -> None:
    crowd.ding.faults.redeliver_after = redeliver_after
    bot = BotProcess(crowd.ding, knowledge, f"sqlite:///{tmp_path / 'kill.db'}", tmp_path / "bot.log")
    await bot.start()
    for number in range(400):
        if number in (60, 150, 240, 330):
            await crowd.kill(bot)
            starting = asyncio.create_task(bot.start(connections=len(crowd.ding.gateway.opens) + 1))
            await crowd.ask(number)
            await starting
        else:
            await crowd.ask(number)
        await asyncio.sleep(0.01)
    await settle(crowd, () if redeliver_after < 0 else list(crowd.asked))
    assert await bot.stop() == 0
    assert crowd.lost() == set()
    if redeliver_after > 0:
        assert set(crowd.answered) == set(crowd.asked), "what was not acknowledged came again"
    assert [home for home in crowd.doubled() if not crowd.under_way_at_a_kill(home)] == []
    assert len(crowd.doubled()) <= 40


async def test_a_question_killed_while_its_webhook_hung_is_answered_after_the_restart(
    crowd: Crowd, knowledge: Path, tmp_path: Path
) -> None:
    crowd.ding.faults.update({"webhook_fault": "hang", "webhook_fail_next": -1, "redeliver_after": -1.0})
    bot = BotProcess(crowd.ding, knowledge, f"sqlite:///{tmp_path / 'kill.db'}", tmp_path / "bot.log")
    await bot.start()
    await crowd.ask(0)
    await crowd.ding.world.until(lambda: bool(crowd.acknowledged), 60)
    await asyncio.sleep(0.3)
    await crowd.kill(bot)
    crowd.ding.faults.update({"webhook_fault": "none", "webhook_fail_next": 0})
    await bot.start(connections=2)
    # At once, not after the dead process's lease.
    await settle(crowd, seconds=15)
    assert crowd.lost() == set() and sum(crowd.answered.values()) == 1
    assert await bot.stop() == 0


async def test_a_stop_finishes_the_replies_under_way(crowd: Crowd, knowledge: Path, tmp_path: Path) -> None:
    crowd.ding.faults.webhook_delay = 0.8
    bot = BotProcess(crowd.ding, knowledge, f"sqlite:///{tmp_path / 'kill.db'}", tmp_path / "bot.log")
    await bot.start()
    for number in range(20):
        await crowd.ask(number)
    await crowd.ding.world.until(lambda: len(crowd.acknowledged) == 20, 60)
    assert await bot.stop() == 0
    assert crowd.lost() == set() and crowd.doubled() == []


async def test_three_replicas_that_all_get_every_message_answer_once_and_take_over_from_the_dead(
    crowd: Crowd, knowledge: Path, tmp_path: Path, redis_server: RedisServer
) -> None:
    crowd.ding.faults.update({"deliver_to_all": True, "redeliver_after": -1.0})
    bots = [BotProcess(crowd.ding, knowledge, redis_server.url, tmp_path / f"bot{n}.log") for n in range(3)]
    for number, bot in enumerate(bots, 1):
        await bot.start(connections=number)
    await crowd.ding.world.until(lambda: len(crowd.ding.gateway.opens) == 3, 60)
    await asyncio.sleep(0.5)
    for number in range(300):
        if number == 140:
            # What is sent from here on hangs, so that the killed one surely leaves something behind.
            crowd.ding.faults.update({"webhook_fault": "hang", "webhook_fail_next": -1})
        if number == 150:
            await crowd.kill(bots[0])
            crowd.ding.faults.update({"webhook_fault": "none", "webhook_fail_next": 0})
        await crowd.ask(number)
        await asyncio.sleep(0.01)
    await settle(crowd)
    assert [await bot.stop() for bot in bots[1:]] == [0, 0]
    assert crowd.acknowledged == set(crowd.asked) and crowd.lost() == set()
    assert [home for home in crowd.doubled() if not crowd.under_way_at_a_kill(home)] == []
    assert len(crowd.doubled()) <= 20
    answered_by = [bot.log.read_text(encoding="utf-8").count("message.done") for bot in bots]
    assert all(n > 10 for n in answered_by[1:]), "the work was shared"
    assert any("message.taken_over" in bot.log.read_text(encoding="utf-8") for bot in bots[1:])


async def test_when_redis_goes_away_nothing_is_acknowledged_and_it_recovers_without_a_restart(
    crowd: Crowd, knowledge: Path, tmp_path: Path, redis_server: RedisServer
) -> None:
    crowd.ding.faults.redeliver_after = 2.0
    bot = BotProcess(crowd.ding, knowledge, redis_server.url, tmp_path / "bot.log")
    await bot.start()
    for number in range(20):
        await crowd.ask(number)
    await settle(crowd, list(crowd.asked))
    await asyncio.to_thread(redis_server.stop)
    await crowd.ask(20)
    await asyncio.sleep(1.0)
    (away,) = crowd.asked[list(crowd.asked)[-1]]
    assert away.ack is None and len(crowd.answered) == 20
    await asyncio.to_thread(redis_server.start)
    for number in range(21, 40):
        await crowd.ask(number)
    await settle(crowd, list(crowd.asked))
    await asyncio.sleep(1.0)
    assert await bot.stop() == 0
    assert len(crowd.answered) == 40 and crowd.doubled() == []
    log = bot.log.read_text(encoding="utf-8")
    assert "store.away" in log and "store.back" in log
