"""`faqbot doctor` says whether questions are compared by meaning, and how far the vectors are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from faqbot.app.running import running
from faqbot.cli.doctor.findings import Level
from faqbot.cli.doctor.meaning import NAME
from faqbot.embeddings import builtin
from faqbot.settings import Settings
from tests.cli.doctor.test_checks import found
from tests.embeddings.endpoint import Endpoint, serving


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with serving() as opened:
        yield opened


async def test_it_is_off_where_it_was_switched_off(settings: Settings) -> None:
    finding = await found(settings, NAME)
    assert finding.level is Level.GOOD and "FAQBOT_MEANING" in finding.text and "pip" not in finding.text


async def test_where_it_is_not_installed_that_is_no_fault_and_the_command_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtin, "is_installed", lambda: False)
    finding = await found(replace(settings, meaning="auto"), NAME)
    assert finding.level is Level.GOOD and "pip install '.[meaning]'" in finding.text


async def test_an_installation_that_does_not_work_is_a_warning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtin, "is_installed", lambda: True)
    monkeypatch.setattr(builtin, "_missing_cpu_flags", lambda needed: "avx2")
    finding = await found(replace(settings, meaning="auto"), NAME)
    assert finding.level is Level.WARNING and "avx2" in finding.text


async def test_the_vectors_that_are_ready_are_counted(settings: Settings, endpoint: Endpoint) -> None:
    meaningful = replace(settings, embeddings_url=endpoint.url, embeddings_model="m")
    assert "算好了 0 个" in (await found(meaningful, NAME)).text
    async with running(meaningful) as app:
        await app.library.wait_until_embedded()
        wanted = len(set(app.library.current.index.embedded_texts))
    text = (await found(meaningful, NAME)).text
    assert "向量接口可用" in text and f"{wanted} 个问法和答案的向量算好了 {wanted} 个" in text


async def test_an_endpoint_that_does_not_answer_is_a_warning(settings: Settings, endpoint: Endpoint) -> None:
    endpoint.mode = "down"
    finding = await found(replace(settings, embeddings_url=endpoint.url), NAME)
    assert finding.level is Level.WARNING and "503" in finding.text and "FAQBOT_EMBEDDINGS_URL" in finding.text


async def test_the_built_in_encoder_is_tried(encoder_package: str, settings: Settings) -> None:
    finding = await found(replace(settings, meaning="auto"), NAME)
    assert finding.level is Level.GOOD and "内置编码器可用" in finding.text and "毫秒" in finding.text
