"""The optional meaning channel, against a small real endpoint whose vectors are known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from faqbot.app.running import running
from faqbot.errors import EmbeddingsError
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.sandbox.server import FakeDingTalk
from faqbot.search.embeddings import Embeddings
from faqbot.search.hold_out import HoldOut
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.conftest import Talk

# Each subject is a direction; a text points where its words point.
SUBJECTS = tuple(map(str.split, ("年假 年休假 歇几天", "病假 生病", "工资 薪水", "无线网 wifi", "车", "法院", "涨薪")))


def vector(text: str) -> list[float]:
    found = [float(any(word in text for word in subject)) for subject in SUBJECTS]
    return [*found, 0.1 + len(text) % 5 / 100]


@dataclass
class Endpoint:
    """An OpenAI-compatible endpoint; `mode` makes it slow, broken or odd."""

    url: str = ""
    mode: str = "good"
    asked: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked += body["input"]
        self.keys.add(request.headers.get("Authorization", ""))
        if self.mode == "slow":
            await asyncio.sleep(5)
        if self.mode == "down":
            return web.Response(status=503, text="busy")
        if self.mode == "html":
            return web.Response(text="<html>", content_type="text/html")
        rows: list[dict[str, Any]] = [{"index": n, "embedding": vector(t)} for n, t in enumerate(body["input"])]
        if self.mode == "short":
            rows = rows[1:]
        if self.mode == "zero":
            rows[0]["embedding"] = [0.0] * 8
        if self.mode == "another model":
            rows = [row | {"embedding": [1.0, 0.5]} for row in rows]
        return web.json_response({"data": rows[::-1]})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    found = Endpoint()
    app = web.Application()
    app.router.add_post("/v1/embeddings", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield found
    await runner.cleanup()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'vectors.db'}")
    yield opened
    await opened.close()


@pytest.fixture
async def embeddings(endpoint: Endpoint, store: Store) -> AsyncIterator[Embeddings]:
    async with aiohttp.ClientSession() as session:
        yield Embeddings(session, endpoint.url, "model-a", "sesame", store)


async def test_a_question_is_not_compared_with_vectors_of_another_model(
    embeddings: Embeddings, endpoint: Endpoint
) -> None:
    await embeddings.of_wordings(["年假有几天"])
    endpoint.mode = "another model"
    assert await embeddings.of_question("年假几天") is None
    endpoint.mode = "good"
    assert await embeddings.of_question("年假几天") is not None


async def test_vectors_come_in_the_order_of_the_texts_and_with_length_one(embeddings: Embeddings) -> None:
    found = await embeddings.of_wordings(["年假有几天", "病假怎么请", "年假有几天"])
    assert found.shape == (3, 8) and np.allclose(np.linalg.norm(found, axis=1), 1)
    assert found[0].argmax() == 0 and found[1].argmax() == 1 and (found[0] == found[2]).all()


async def test_a_text_is_asked_for_once_ever(embeddings: Embeddings, endpoint: Endpoint) -> None:
    await embeddings.of_wordings(["年假有几天", "病假怎么请"])
    await embeddings.of_wordings(["年假有几天", "工资几号发"])
    assert sorted(endpoint.asked) == sorted(["年假有几天", "病假怎么请", "工资几号发"])
    assert endpoint.keys == {"Bearer sesame"}


async def test_another_model_has_vectors_of_its_own(embeddings: Embeddings, endpoint: Endpoint, store: Store) -> None:
    await embeddings.of_wordings(["年假有几天"])
    async with aiohttp.ClientSession() as session:
        await Embeddings(session, endpoint.url, "model-b", "", store).of_wordings(["年假有几天"])
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("mode", ["down", "html", "short", "zero"])
async def test_an_unusable_answer_is_an_error_for_wordings_and_none_for_a_question(
    embeddings: Embeddings, endpoint: Endpoint, mode: str
) -> None:
    endpoint.mode = mode
    with pytest.raises(EmbeddingsError):
        await embeddings.of_wordings(["年假有几天"])
    assert await embeddings.of_question("年假有几天") is None


async def test_a_slow_endpoint_is_not_waited_for(embeddings: Embeddings, endpoint: Endpoint) -> None:
    endpoint.mode = "slow"
    assert await embeddings.of_question("年假有几天", seconds=0.05) is None


@pytest.fixture
def meaningful(settings: Settings, endpoint: Endpoint) -> Settings:
    return replace(settings, embeddings_url=endpoint.url, embeddings_model="model-a")


async def embedded(app: Any) -> None:
    for _ in range(500):
        if HoldOut(app.library.current.index).embedding(0) is not None:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the wordings never got vectors")


async def test_the_bot_understands_a_question_that_shares_no_word(ding: FakeDingTalk, meaningful: Settings) -> None:
    talk = Talk(ding)
    async with running(meaningful) as app:
        assert await ding.until_connected()
        await embedded(app)
        reply = await talk("小李", "一年到头能歇几天")
    assert "年假有几天" in reply or "5 天" in reply


@pytest.mark.parametrize("mode", ["down", "slow"])
async def test_the_bot_answers_by_words_while_the_endpoint_is_away(
    ding: FakeDingTalk, meaningful: Settings, endpoint: Endpoint, mode: str
) -> None:
    talk = Talk(ding)
    endpoint.mode = mode
    async with running(meaningful):
        assert await ding.until_connected()
        assert "5 天" in await talk("小李", "年假有几天")


async def test_an_endpoint_that_fails_later_changes_nothing_for_exact_words(
    ding: FakeDingTalk, meaningful: Settings, endpoint: Endpoint
) -> None:
    talk = Talk(ding)
    async with running(meaningful) as app:
        assert await ding.until_connected()
        await embedded(app)
        endpoint.mode = "down"
        assert "5 天" in await talk("小李", "年假有几天")


async def test_vectors_that_come_late_never_bring_back_an_older_version(knowledge: Path) -> None:
    gate = asyncio.Event()

    async def embed(texts: Any) -> Any:
        await gate.wait()
        return np.array([vector(t) for t in texts], dtype=np.float32)

    library = KnowledgeBase(FolderSource(knowledge), lambda: date(2026, 11, 22), embed=embed)
    await library.refresh()
    old = library.current
    edited = replace(old, version="edited")
    library._current = edited
    gate.set()
    assert library._calibration is not None
    await library._calibration
    assert library.current is edited
    await library.close()
