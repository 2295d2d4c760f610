"""`ask` and `evaluate` compare by meaning as the bot does, and compute a vector once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.test_cli import faqbot
from tests.embeddings.endpoint import Endpoint, serving


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with serving() as opened:
        yield opened


async def ask(folder: Path, text: str, **values: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(faqbot, folder, "ask", "--json", "--explain", text, **values)


async def test_a_question_without_a_common_word_is_found_and_wordings_are_embedded_once(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    at = {"FAQBOT_EMBEDDINGS_URL": endpoint.url, "FAQBOT_EMBEDDINGS_MODEL": "m"}
    by_words = json.loads((await ask(tmp_path, "qqqq")).stdout)
    by_meaning = json.loads((await ask(tmp_path, "qqqq", **at)).stdout)
    assert by_words["candidates"][0]["score"] == 0
    assert "年假" in by_meaning["candidates"][0]["matched"] and "meaning" in by_meaning["candidates"][0]["views"]
    endpoint.asked.clear()
    await ask(tmp_path, "病假qqqq", **at)
    assert endpoint.asked == ["病假qqqq"]


async def test_an_endpoint_that_is_down_is_said_and_words_decide(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.mode = "down"
    done = await ask(tmp_path, "年假有几天", FAQBOT_EMBEDDINGS_URL=endpoint.url)
    assert done.returncode == 0 and "503" in done.stderr and json.loads(done.stdout)["decision"] == "answered"


async def test_without_a_store_vectors_last_for_the_command(endpoint: Endpoint, tmp_path: Path) -> None:
    at = {"FAQBOT_EMBEDDINGS_URL": endpoint.url, "FAQBOT_STORE": "sqlite:////proc/no/faqbot.db"}
    done = await ask(tmp_path, "qqqq", **at)
    assert done.returncode == 0 and "年假" in json.loads(done.stdout)["candidates"][0]["matched"]


def test_evaluate_uses_the_built_in_encoder(encoder_package: str, tmp_path: Path) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text(json.dumps({"q": "每年能带薪歇几天", "id": "annual-leave"}), encoding="utf-8")
    done = faqbot(tmp_path, "evaluate", str(questions), "--json", FAQBOT_MEANING="auto")
    (result,) = json.loads(done.stdout)["results"]
    assert result["candidates"][0]["id"] == "annual-leave", result
    assert os.path.getsize(tmp_path / "faqbot.db") > 10 * 1536, "the vectors are kept"
