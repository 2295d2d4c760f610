"""One access token for everybody: who fetches it, how long it is kept, and what happens when it cannot be shared."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.errors import DeliveryError, NeedsAdmin, OutcomeUnknown, StoreError
from faqbot.sandbox.server import FakeDingTalk
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.redis_server import RedisServer

KEY = "access-token:dingtest"
SECRET = "test-secret-value"


@asynccontextmanager
async def serving(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server of the test's own, for answers the stand-in does not give; its address."""
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with the fields and the tracebacks."""
    lines = (f"{r.getMessage()} {getattr(r, 'fields', '')} {r.exc_text or ''}" for r in caplog.records)
    return "\n".join((*lines, caplog.text))


class Clock:
    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Endpoint:
    """Gives `token-1`, `token-2`, …; what is in `answers` comes first, and nothing while it is not `open`."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers: list[tuple[int, Any]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.called = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        usual = (200, {"accessToken": f"token-{self.asked}", "expireIn": 7200})
        status, answer = self.answers.pop(0) if self.answers else usual
        self.called.set()
        await self.open.wait()
        return web.json_response(answer, status=status)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'local.db'}")
    yield opened
    await opened.close()


@pytest.fixture
async def endpoint() -> Endpoint:
    return Endpoint()


Make = Callable[..., AccessTokens]


@pytest.fixture
async def make(endpoint: Endpoint, session: aiohttp.ClientSession) -> AsyncIterator[Make]:
    async with serving(endpoint.answer) as url:

        def made(store: Store, **more: Any) -> AccessTokens:
            return AccessTokens(session, url, "dingtest", SECRET, store, **more)

        yield made


async def test_fifty_callers_at_once_make_one_fetch(
    ding: FakeDingTalk, session: aiohttp.ClientSession, store: Store
) -> None:
    tokens = AccessTokens(session, ding.url, ding.client_id, ding.client_secret, store)
    found = set(await asyncio.gather(*(tokens.get() for _ in range(50))))
    assert len(found) == 1 and ding.tokens.is_valid(found.pop())
    assert ding.tokens.asked == 1


async def test_replicas_make_one_fetch_between_them(
    ding: FakeDingTalk, session: aiohttp.ClientSession, store: Store
) -> None:
    replicas = [AccessTokens(session, ding.url, ding.client_id, ding.client_secret, store) for _ in range(3)]
    found = set(await asyncio.gather(*(tokens.get() for tokens in replicas for _ in range(10))))
    assert len(found) == 1 and ding.tokens.asked == 1


async def test_a_token_shared_just_before_the_claim_was_won_is_found(
    make: Make, endpoint: Endpoint, local: Store
) -> None:
    class Slow:
        """Its answer to the first look is an old one."""

        looks = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(local, name)

        async def note(self, key: str) -> str | None:
            self.looks += 1
            found = await local.note(key)
            if self.looks == 1:
                await make(local).get()
            return found

    assert await make(Slow()).get() == "token-1" and endpoint.asked == 1


async def test_a_replica_that_starts_later_finds_the_token(make: Make, endpoint: Endpoint, store: Store) -> None:
    assert await make(store).get() == await make(store).get() == "token-1"
    assert endpoint.asked == 1


async def test_a_token_is_kept_until_ten_minutes_before_its_end(make: Make, endpoint: Endpoint, local: Store) -> None:
    clock = Clock()
    tokens = make(local, clock=clock)
    assert await tokens.get() == "token-1"
    clock.now += 7200 - 601
    assert await tokens.get() == "token-1" and endpoint.asked == 1
    clock.now += 2
    assert await tokens.get() == "token-2" and endpoint.asked == 2


async def test_a_short_lived_token_is_kept_for_three_quarters_of_its_life(
    make: Make, endpoint: Endpoint, local: Store
) -> None:
    clock = Clock()
    tokens = make(local, clock=clock)
    endpoint.answers = [(200, {"accessToken": "short", "expireIn": 100})]
    assert await tokens.get() == "short"
    clock.now += 74
    assert await tokens.get() == "short"
    clock.now += 2
    assert await tokens.get() == "token-2"


async def test_while_one_caller_refreshes_the_others_go_on_with_the_old_one(
    make: Make, endpoint: Endpoint, local: Store
) -> None:
    clock = Clock()
    tokens = make(local, clock=clock)
    await tokens.get()
    clock.now += 7200 - 300
    endpoint.open.clear()
    endpoint.called.clear()
    first = asyncio.create_task(tokens.get())
    await endpoint.called.wait()
    assert await asyncio.gather(*(tokens.get() for _ in range(10))) == ["token-1"] * 10
    assert not first.done()
    endpoint.open.set()
    assert await first == await tokens.get() == "token-2"
    assert endpoint.asked == 2


async def test_another_replica_goes_on_with_the_old_one_meanwhile(make: Make, endpoint: Endpoint, store: Store) -> None:
    clock = Clock()
    one, other = make(store, clock=clock), make(store, clock=clock)
    await asyncio.gather(one.get(), other.get())
    clock.now += 7200 - 300
    endpoint.open.clear()
    endpoint.called.clear()
    first = asyncio.create_task(one.get())
    await endpoint.called.wait()
    assert await other.get() == "token-1"
    endpoint.open.set()
    assert await first == await other.get() == "token-2" and endpoint.asked == 2


async def test_after_its_end_everybody_waits_for_the_new_one(make: Make, endpoint: Endpoint, local: Store) -> None:
    clock = Clock()
    tokens = make(local, clock=clock)
    await tokens.get()
    clock.now += 7200
    assert await asyncio.gather(*(tokens.get() for _ in range(10))) == ["token-2"] * 10
    assert endpoint.asked == 2


async def test_a_refresh_that_fails_leaves_the_old_token_for_as_long_as_it_is_good(
    make: Make, endpoint: Endpoint, local: Store
) -> None:
    clock = Clock()
    tokens = make(local, clock=clock)
    await tokens.get()
    clock.now += 7200 - 300
    # A permanent refusal, so that nothing is repeated.
    endpoint.answers = [(400, {"code": "odd", "message": "no"})] * 2
    assert await tokens.get() == "token-1"
    clock.now += 300
    with pytest.raises(DeliveryError, match="odd"):
        await tokens.get()
    assert await tokens.get() == "token-4"


async def test_a_refused_token_is_renewed_once_for_all_who_come_with_it(
    make: Make, endpoint: Endpoint, store: Store
) -> None:
    tokens = make(store)
    refused = await tokens.get()
    assert await asyncio.gather(*(tokens.renew(refused) for _ in range(50))) == ["token-2"] * 50
    assert await tokens.renew(refused) == await tokens.get() == "token-2"
    assert endpoint.asked == 2


async def test_it_is_renewed_once_even_if_dingtalk_gives_the_same_one_again(
    make: Make, endpoint: Endpoint, local: Store
) -> None:
    endpoint.answers = [(200, {"accessToken": "same", "expireIn": 7200})] * 50
    tokens = make(local)
    refused = await tokens.get()
    assert await asyncio.gather(*(tokens.renew(refused) for _ in range(20))) == ["same"] * 20
    assert endpoint.asked == 2
    assert await tokens.renew(refused) == "same", "who comes later with it has seen it refused again"
    assert endpoint.asked == 3


async def test_a_token_that_another_replica_renewed_is_not_fetched_again(
    make: Make, endpoint: Endpoint, store: Store
) -> None:
    one, other = make(store), make(store)
    refused = await one.get()
    assert await other.get() == refused
    assert await one.renew(refused) == "token-2"
    assert await other.renew(refused) == "token-2"
    assert endpoint.asked == 2


async def test_replicas_that_are_refused_together_renew_once(make: Make, endpoint: Endpoint, store: Store) -> None:
    replicas = [make(store) for _ in range(3)]
    refused, *_ = [await tokens.get() for tokens in replicas]
    assert await asyncio.gather(*(tokens.renew(refused) for tokens in replicas)) == ["token-2"] * 3
    assert endpoint.asked == 2


async def test_a_replica_that_died_while_fetching_holds_nobody_up_for_longer_than_its_claim(
    make: Make, endpoint: Endpoint, store: Store
) -> None:
    assert await store.claim(KEY, 0.3)
    assert await asyncio.gather(*(make(store).get() for _ in range(3))) == ["token-1"] * 3
    assert endpoint.asked == 1


async def test_a_claim_that_never_ends_is_not_waited_for_for_ever(make: Make, endpoint: Endpoint, store: Store) -> None:
    assert await store.claim(KEY, 60)
    assert await make(store, fetch_seconds=0.2).get() == "token-1"


async def test_while_redis_is_away_the_token_in_memory_goes_on_and_a_new_one_is_had(
    make: Make, endpoint: Endpoint, redis_server: RedisServer
) -> None:
    clock = Clock()
    store = await open_store(redis_server.url)
    tokens = make(store, clock=clock)
    await tokens.get()
    redis_server.stop()
    assert await tokens.get() == "token-1" and endpoint.asked == 1
    clock.now += 7200
    assert await asyncio.gather(*(tokens.get() for _ in range(10))) == ["token-2"] * 10
    assert await tokens.renew("token-2") == "token-3"
    assert await make(store, clock=clock).get() == "token-4"
    await store.close()


async def test_redis_going_away_during_a_fetch_does_not_cost_a_second_one(
    make: Make, endpoint: Endpoint, redis_server: RedisServer
) -> None:
    store = await open_store(redis_server.url)
    endpoint.open.clear()
    waiting = asyncio.create_task(make(store).get())
    await endpoint.called.wait()
    redis_server.stop()
    endpoint.open.set()
    assert await waiting == "token-1" and endpoint.asked == 1
    await store.close()


async def test_wrong_credentials_are_said_at_once(
    ding: FakeDingTalk, session: aiohttp.ClientSession, local: Store
) -> None:
    results: list[str] = []
    tokens = AccessTokens(session, ding.url, ding.client_id, "wrong-secret-value", local, refreshed=results.append)
    with pytest.raises(NeedsAdmin, match="DINGTALK_CLIENT_SECRET") as caught:
        await tokens.get()
    assert ding.tokens.asked == 1 and results == ["invalidClientIdOrSecret"]
    assert "wrong-secret-value" not in str(caught.value)
    # The claim is free again for whoever has the right ones.
    assert await local.claim(KEY, 30)


@pytest.mark.parametrize("answer", [(500, {"code": "system.error"}), (503, {}), (502, None), (200, [])])
async def test_a_passing_failure_is_repeated(
    make: Make, endpoint: Endpoint, local: Store, answer: tuple[int, Any]
) -> None:
    results: list[str] = []
    endpoint.answers = [answer]
    assert await make(local, refreshed=results.append).get() == "token-2"
    assert results == ["ok"]


@pytest.mark.parametrize(
    "answer",
    [{}, {"accessToken": "a"}, {"accessToken": "a", "expireIn": "soon"}, {"accessToken": "", "expireIn": 7200}],
)
async def test_an_answer_without_a_token_is_an_error_in_words(
    make: Make, endpoint: Endpoint, local: Store, answer: dict[str, Any]
) -> None:
    endpoint.answers = [(200, answer)]
    with pytest.raises(DeliveryError, match="accessToken") as caught:
        await make(local, retry_delays=()).get()
    assert caught.value.code == "bad_token_answer"


async def test_a_note_nobody_can_read_is_replaced(make: Make, endpoint: Endpoint, store: Store) -> None:
    for odd in ("", "{", "[]", '["a"]', '["a", "b", "c"]', '{"value": 1}', "1"):
        await store.put_note(KEY, odd, 60)
        assert await make(store).get() == f"token-{endpoint.asked}"
        assert json.loads(str(await store.note(KEY)))[0] == f"token-{endpoint.asked}"


class Forgetful:
    """A store that takes the claim and cannot be reached afterwards."""

    async def note(self, key: str) -> str | None:
        return None

    async def claim(self, key: str, ttl: float) -> bool:
        return True

    async def put_note(self, key: str, value: str, ttl: float) -> None:
        raise StoreError("away")

    async def release(self, key: str) -> None:
        raise StoreError("away")


async def test_neither_secret_nor_token_is_logged_or_in_an_error(
    make: Make, endpoint: Endpoint, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = make(Forgetful(), retry_delays=())
    assert await tokens.renew(await tokens.get()) == "token-2"
    assert "token.refreshed" in logged(caplog) and "token.not_shared" in logged(caplog)
    monkeypatch.setattr("faqbot.dingtalk.api.http.TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    endpoint.open.clear()
    with pytest.raises(OutcomeUnknown) as caught:
        await tokens.renew("token-2")
    for text in (logged(caplog), str(caught.value), repr(caught.value)):
        assert SECRET not in text and "token-1" not in text and "token-2" not in text
