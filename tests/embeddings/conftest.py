"""The endpoint, a store, and what to do where the built-in encoder is not installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faqbot.embeddings.builtin import Engine, load_engine
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.embeddings.endpoint import Endpoint, serving


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with serving() as found:
        yield found


@pytest.fixture
async def vectors(tmp_path: Path) -> AsyncIterator[Store]:
    """A store to keep vectors in."""
    opened = await open_store(f"sqlite:///{tmp_path / 'vectors.db'}")
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def engine(encoder_package: str) -> Engine:
    """The model of the built-in encoder."""
    return load_engine()
