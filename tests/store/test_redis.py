"""What only Redis has to show: going away and coming back, and repeats of a call whose answer was lost."""

from __future__ import annotations

import asyncio

import pytest
import redis.asyncio as redis

from faqbot.errors import StartError, StoreError
from faqbot.store.opening import open_store
from faqbot.store.protocol import Accepted
from tests.redis_server import RedisServer
from tests.store.test_engines import DONE, ME, RECORD, message


async def test_while_redis_is_away_steps_fail_in_words_and_afterwards_work_again(redis_server: RedisServer) -> None:
    store = await open_store(redis_server.url)
    await store.accept(message(1), ME)
    redis_server.stop()
    for step in (store.accept(message(2), ME), store.renew(ME, 30), store.context("x", 0.0), store.backlog()):
        with pytest.raises(StoreError, match="Redis"):
            await step
    redis_server.start()
    assert await store.accept(message(2), ME) == Accepted(1, None), "what was written before is still there"
    assert [m.id for m in await store.unfinished(ME)] == ["m1", "m2"]
    await store.close()


async def test_a_claim_whose_answer_was_lost_is_not_refused_when_repeated(redis_server: RedisServer) -> None:
    store = await open_store(redis_server.url)
    raw = redis.Redis.from_url(redis_server.url)
    args = [message().key, "claimed:worker-me:1", "{}", ME, 1.0, str(message().partition_key)]
    assert [await store._accept(args=args) for _ in range(3)] == [[0, None]] * 3
    assert await raw.zcard("faqbot:waiting") == 1
    assert await store._accept(args=[args[0], "claimed:worker-me:2", *args[2:]]) is None
    await raw.aclose()
    await store.close()


async def test_a_record_is_kept_once_even_if_redis_lost_the_message(redis_server: RedisServer) -> None:
    store = await open_store(redis_server.url)
    await store.accept(message(), ME)
    raw = redis.Redis.from_url(redis_server.url)
    await raw.flushdb()
    await raw.aclose()
    for _ in range(3):
        await store.finish(message(), DONE, RECORD, None)
    assert list(await store.questions(0.0)) == [RECORD]
    await store.close()


async def test_nothing_but_the_last_state_of_a_finished_message_is_left(redis_server: RedisServer) -> None:
    store = await open_store(redis_server.url)
    await store.accept(message(), ME)
    await store.finish(message(), DONE, None, None)
    raw = redis.Redis.from_url(redis_server.url)
    keys = {key.decode() for key in await raw.keys("faqbot:*")}
    assert keys == {"faqbot:layout", "faqbot:sequence", f"faqbot:seen:{message().key}"}
    assert await raw.get(f"faqbot:seen:{message().key}") == b"answered:ok"
    assert 0 < await raw.ttl(f"faqbot:seen:{message().key}") <= 7 * 86400
    await raw.aclose()
    await store.close()


async def test_many_steps_at_once_share_a_bounded_number_of_connections(redis_server: RedisServer) -> None:
    store = await open_store(redis_server.url)
    results = await asyncio.gather(*(store.accept(message(n), ME) for n in range(500)))
    assert sorted(accepted.ahead for accepted in results if accepted) == list(range(500))
    raw = redis.Redis.from_url(redis_server.url)
    assert (await raw.info("clients"))["connected_clients"] <= 66
    await raw.aclose()
    await store.close()


async def test_its_keeper_is_told_what_to_change(redis_server: RedisServer) -> None:
    store = await open_store(redis_server.url)
    assert list(await store.advice()) == []
    raw = redis.Redis.from_url(redis_server.url)
    await raw.config_set("appendonly", "no")
    await raw.config_set("maxmemory-policy", "allkeys-lru")
    assert ["AOF" in line or "noeviction" in line for line in await store.advice()] == [True, True]
    await raw.set("faqbot:layout", 99)
    await raw.aclose()
    await store.close()
    with pytest.raises(StartError, match="更新的版本"):
        await open_store(redis_server.url)
