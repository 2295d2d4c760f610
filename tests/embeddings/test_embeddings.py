"""A question gets its vector in time or none, and the bot decides by words first, with either encoder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faqbot.app.running import Running, running
from faqbot.console.entries.browse import try_sentence
from faqbot.console.web.context import ConsoleContext
from faqbot.embeddings.builtin import Engine
from faqbot.embeddings.embeddings import Embeddings
from faqbot.embeddings.opening import open_embeddings
from faqbot.errors import EmbeddingsError, EncoderBusy
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.impact.past_questions import PastQuestions
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.sandbox.server import FakeDingTalk
from faqbot.search.arrays import Floats
from faqbot.settings import Settings
from faqbot.store.protocol import Store
from tests.conftest import Talk
from tests.embeddings.endpoint import Endpoint, vector
from tests.embeddings.test_vector_cache import Lengths


class Moody(Lengths):
    """An encoder that answers questions as `mood` says."""

    mood: str = "good"
    asked = 0

    async def encode_question(self, text: str) -> Floats:
        self.asked += 1
        match self.mood:
            case "slow":
                await asyncio.sleep(60)
            case "busy":
                raise EncoderBusy("busy")
            case "broken":
                raise EmbeddingsError("broken")
            case "another model":
                return np.ones(3, dtype=np.float32)
        return await super().encode_question(text)


@pytest.fixture
def moody() -> Moody:
    return Moody()


@pytest.fixture
def embeddings(moody: Moody, vectors: Store) -> Embeddings:
    return Embeddings(moody, vectors)


def counted(embeddings: Embeddings) -> dict[str, float]:
    (family,) = embeddings._metrics.question_vectors.collect()
    return {s.labels["result"]: s.value for s in family.samples if s.name.endswith("_total")}


@pytest.mark.parametrize(
    ("mood", "result"), [("slow", "late"), ("busy", "busy"), ("broken", "failed"), ("another model", "failed")]
)
async def test_a_question_whose_vector_is_not_to_be_had_goes_without(
    embeddings: Embeddings, moody: Moody, mood: str, result: str, caplog: pytest.LogCaptureFixture
) -> None:
    await embeddings.of_texts(["年假有几天"])
    moody.mood = mood
    for _ in range(3):
        assert await embeddings.of_question("年假几天", seconds=0.05) is None
    assert counted(embeddings) == {result: 3}
    assert caplog.messages.count("embeddings.unavailable") == (0 if mood == "busy" else 1)
    moody.mood = "good"
    assert await embeddings.of_question("年假几天") is not None


async def test_the_same_question_is_encoded_once(embeddings: Embeddings, moody: Moody) -> None:
    first = await embeddings.of_question("年假几天")
    assert moody.asked == 1 and await embeddings.of_question("年假几天") is first and moody.asked == 1
    for n in range(600):
        await embeddings.of_question(f"第 {n} 问")
    await embeddings.of_question("年假几天")
    assert moody.asked == 602, "the oldest are forgotten"


async def test_what_is_told_around_a_question_has_no_part_in_its_vector(embeddings: Embeddings, moody: Moody) -> None:
    alone = await embeddings.of_question("年假有几天")
    assert await embeddings.of_question("大家好，我是新来的同事，想问一下咱们公司的年假有几天？谢谢！") is alone
    assert moody.asked == 1


async def test_the_progress_is_in_the_log_and_in_the_metrics(
    moody: Moody, vectors: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    now = iter(range(0, 1000, 20))
    embeddings = Embeddings(moody, vectors, clock=lambda: float(next(now)))
    await embeddings.of_texts([f"第 {n} 问" for n in range(40)])
    shown = [record.fields["ready"] for record in caplog.records if record.message == "embeddings.progress"]  # type: ignore[attr-defined]
    assert shown == [0, 16, 32], "every half minute"
    assert b'faqbot_vectors{state="ready"} 40.0' in embeddings._metrics.show()
    caplog.clear()
    await embeddings.of_texts([f"第 {n} 问" for n in range(40)])
    assert "embeddings.progress" not in caplog.messages


async def test_an_endpoint_comes_first_and_off_means_none(vectors: Store, endpoint: Endpoint) -> None:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        for settings, label in (
            (Settings(embeddings_url=endpoint.url), "向量接口"),
            (Settings(embeddings_url=endpoint.url, meaning="off"), "向量接口"),
            (Settings(meaning="off"), None),
        ):
            async with open_embeddings(settings, session, vectors) as opened:
                assert (opened.label if opened else None) == label


# — The whole bot —


@pytest.fixture
def by_endpoint(settings: Settings, endpoint: Endpoint) -> Settings:
    return replace(settings, embeddings_url=endpoint.url, embeddings_model="model-a")


async def embedded(app: Running) -> None:
    async with asyncio.timeout(60):
        await app.library.wait_until_embedded()
    assert app.library.current.index.rankers.semantic is not None


async def test_the_bot_understands_a_question_that_shares_no_word(ding: FakeDingTalk, by_endpoint: Settings) -> None:
    talk = Talk(ding)
    async with running(by_endpoint) as app:
        assert await ding.until_connected()
        await embedded(app)
        reply = await talk("小李", "qqqq")
    assert "年假有几天" in reply or "5 天" in reply


async def test_words_that_are_sure_need_no_vector(
    ding: FakeDingTalk, by_endpoint: Settings, endpoint: Endpoint
) -> None:
    talk = Talk(ding)
    async with running(by_endpoint) as app:
        assert await ding.until_connected()
        await embedded(app)
        endpoint.asked.clear()
        for said in ("年假有几天", "帮助", "谢谢", "1"):
            await talk("小李", said)
        assert endpoint.asked == []
        await talk("小李", "qqqq")
        assert endpoint.asked == ["qqqq"]


async def test_a_sentence_tried_in_the_console_is_compared_by_meaning(by_endpoint: Settings) -> None:
    async with running(by_endpoint) as app:
        await embedded(app)
        knowledge = app.services.knowledge
        context = ConsoleContext(
            knowledge.workspace, by_endpoint, PastQuestions(knowledge.workspace), knowledge.meaning
        )
        tried = await try_sentence(context, "qqqq")
        assert tried.candidates[0].entry.id == "annual-leave"
        by_words = await try_sentence(replace(context, meaning=_none), "qqqq")
        assert not by_words.candidates


async def _none(text: str) -> None:
    return None


async def test_a_restart_asks_the_endpoint_for_nothing(
    ding: FakeDingTalk, by_endpoint: Settings, endpoint: Endpoint
) -> None:
    async with running(by_endpoint) as app:
        await embedded(app)
    endpoint.asked.clear()
    async with running(by_endpoint) as app:
        await embedded(app)
    assert endpoint.asked == []


@pytest.mark.parametrize("mode", ["down", "slow"])
async def test_the_bot_answers_by_words_while_the_endpoint_is_away(
    ding: FakeDingTalk, by_endpoint: Settings, endpoint: Endpoint, mode: str
) -> None:
    talk = Talk(ding)
    endpoint.mode = mode
    async with running(by_endpoint):
        assert await ding.until_connected()
        assert "5 天" in await talk("小李", "年假有几天")


@pytest.mark.parametrize("mode", ["down", "slow", "another model"])
async def test_an_endpoint_that_fails_later_leaves_the_decision_by_words(
    ding: FakeDingTalk, by_endpoint: Settings, endpoint: Endpoint, mode: str
) -> None:
    talk = Talk(ding)
    async with running(by_endpoint) as app:
        assert await ding.until_connected()
        await embedded(app)
        endpoint.mode = mode
        assert "没有找到" in await talk("小李", "qqqq")
        assert "5 天" in await talk("小李", "年假有几天")


async def test_a_flood_of_unsure_questions_is_answered_once_each_while_the_endpoint_is_slow(
    ding: FakeDingTalk, by_endpoint: Settings, endpoint: Endpoint
) -> None:
    async with running(by_endpoint) as app:
        assert await ding.until_connected()
        await embedded(app)
        endpoint.mode = "slow"
        replies = await asyncio.gather(*(Talk(ding)(f"员工{n}", f"qqqq{n}", group=None) for n in range(40)))
        assert all("没有找到" in reply for reply in replies) and len(ding.replies) == 40


async def test_a_decision_by_meaning_that_fails_leaves_the_one_by_words(
    ding: FakeDingTalk, by_endpoint: Settings
) -> None:
    talk = Talk(ding)
    async with running(by_endpoint) as app:
        assert await ding.until_connected()
        await embedded(app)
        ranker = app.library.current.index.rankers.semantic
        assert ranker is not None
        # A ranker without its vectors fails at the first query that has one.
        ranker.embeddings.vectors = np.zeros((0, 0), dtype=np.float32)  # type: ignore[union-attr]
        assert "没有找到" in await talk("小李", "qqqq")


async def test_a_question_is_answered_once_with_the_built_in_encoder_and_a_restart_computes_nothing(
    engine: Engine, ding: FakeDingTalk, settings: Settings
) -> None:
    talk, built_in = Talk(ding), replace(settings, meaning="auto")
    async with running(built_in) as app:
        assert await ding.until_connected()
        await embedded(app)
        before = len(ding.world.messages)
        reply = await talk("小李", "每年能带薪歇多少天")
        assert "年假" in reply
        await asyncio.sleep(0.3)
        # The question and one reply.
        assert len(ding.world.messages) == before + 2
        stored = await app.store.vector_keys()
    async with running(built_in) as app:
        await embedded(app)
        assert sorted(await app.store.vector_keys()) == sorted(stored)


async def test_embeddings_that_failed_are_tried_again(knowledge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faqbot.knowledge.knowledge_base._EMBED_AGAIN_SECONDS", 0.01)
    attempts = 0

    async def embed(texts: Sequence[str]) -> Floats:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise EmbeddingsError("away")
        return np.array([vector(t) for t in texts], dtype=np.float32)

    library = KnowledgeBase(FolderSource(knowledge), lambda: date(2026, 11, 22), embed=embed)
    await library.refresh()
    await library.wait_until_embedded()
    snapshot = library.current
    assert attempts == 3 and snapshot.index.rankers.semantic is not None
    assert library.thresholds_by_meaning(snapshot) is not None
    await library.close()


async def test_vectors_that_come_late_never_bring_back_an_older_version(knowledge: Path) -> None:
    gate = asyncio.Event()

    async def embed(texts: Any) -> Any:
        await gate.wait()
        return np.array([vector(t) for t in texts], dtype=np.float32)

    library = KnowledgeBase(FolderSource(knowledge), lambda: date(2026, 11, 22), embed=embed)
    await library.refresh()
    await library.wait_until_calibrated()
    edited = replace(library.current, version="edited")
    library._current = edited
    gate.set()
    await library.wait_until_embedded()
    assert library.current is edited
    await library.close()
