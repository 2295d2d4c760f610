"""The client of an endpoint: vectors in order, requests that become smaller, and what is not usable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest

from faqbot.embeddings.endpoint import EndpointEncoder
from faqbot.errors import EmbeddingsError, EncoderBusy
from tests.embeddings.endpoint import Endpoint

TEXTS = [f"年假第 {n} 问" for n in range(64)]


class Pauses:
    """Sleeps no time, and remembers how long it was to sleep."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def encoder(endpoint: Endpoint, pauses: Pauses) -> AsyncIterator[EndpointEncoder]:
    async with aiohttp.ClientSession() as session:
        yield EndpointEncoder(session, endpoint.url, "model-a", "sesame", sleep=pauses)


async def test_vectors_come_in_the_order_of_the_texts_and_with_length_one(
    encoder: EndpointEncoder, endpoint: Endpoint
) -> None:
    found = await encoder.encode(["年假有几天", "病假怎么请", "年假有几天"])
    assert found.shape == (3, 8) and np.allclose(np.linalg.norm(found, axis=1), 1)
    assert found[0].argmax() == 0 and found[1].argmax() == 1 and (found[0] == found[2]).all()
    assert (await encoder.encode_question("病假怎么请") == found[1]).all()
    assert endpoint.keys == {"Bearer sesame"}


@pytest.mark.parametrize("refusal", [400, 413, 422])
async def test_a_request_that_is_too_large_is_halved_and_the_size_kept(
    encoder: EndpointEncoder, endpoint: Endpoint, refusal: int
) -> None:
    endpoint.limit, endpoint.refusal = 10, refusal
    found = await encoder.encode(TEXTS)
    assert len(found) == 64 and endpoint.asked == TEXTS
    assert encoder.batch_size == 8
    endpoint.sizes.clear()
    await encoder.encode(TEXTS[: encoder.batch_size])
    assert endpoint.sizes == [8]


async def test_a_single_text_that_is_refused_is_an_error(encoder: EndpointEncoder, endpoint: Endpoint) -> None:
    endpoint.limit = 0
    with pytest.raises(EmbeddingsError, match="400"):
        await encoder.encode(TEXTS[:4])


async def test_too_many_requests_are_sent_again_after_the_pause_that_was_asked_for(
    encoder: EndpointEncoder, endpoint: Endpoint, pauses: Pauses
) -> None:
    endpoint.busy = 2
    assert len(await encoder.encode(TEXTS)) == 64
    assert endpoint.sizes == [64, 64, 64] and pauses.seconds == [7, 7]
    assert encoder.batch_size == 64, "the batch was not too large"


async def test_a_batch_that_stays_too_much_is_halved_and_a_text_given_up(
    encoder: EndpointEncoder, endpoint: Endpoint, pauses: Pauses
) -> None:
    endpoint.busy = 4
    assert len(await encoder.encode(TEXTS[:8])) == 8
    assert endpoint.sizes == [8, 8, 8, 8, 4, 4]
    endpoint.busy = 1000
    with pytest.raises(EmbeddingsError, match="429"):
        await encoder.encode(TEXTS[:2])
    assert endpoint.busy == 1000 - 8


async def test_a_question_is_not_sent_again(encoder: EndpointEncoder, endpoint: Endpoint, pauses: Pauses) -> None:
    endpoint.busy = 1
    with pytest.raises(EmbeddingsError):
        await encoder.encode_question("年假")
    assert not pauses.seconds


async def test_a_flood_of_questions_does_not_wait_at_the_endpoint(encoder: EndpointEncoder, endpoint: Endpoint) -> None:
    endpoint.mode = "slow"
    under_way = [asyncio.ensure_future(encoder.encode_question("年假")) for _ in range(16)]
    await asyncio.sleep(0)
    with pytest.raises(EncoderBusy):
        await encoder.encode_question("年假")
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    endpoint.mode = "good"
    assert len(await encoder.encode_question("年假")) == 8


@pytest.mark.parametrize("mode", ["down", "html", "short", "zero", "ragged"])
async def test_an_unusable_answer_is_an_error(encoder: EndpointEncoder, endpoint: Endpoint, mode: str) -> None:
    endpoint.mode = mode
    with pytest.raises(EmbeddingsError):
        await encoder.encode(["年假有几天", "病假"])


async def test_an_endpoint_that_is_not_there_is_an_error(encoder: EndpointEncoder) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(EmbeddingsError, match="reached"):
            await EndpointEncoder(session, "http://127.0.0.1:1", "m", "").encode_question("年假")
