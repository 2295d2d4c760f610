"""Open the store: choose its engine by the URL."""

from __future__ import annotations

import time
from collections.abc import Callable

from faqbot.errors import StartError
from faqbot.store.protocol import Store


async def open_store(url: str, clock: Callable[[], float] = time.time) -> Store:
    """Open `sqlite:///…` or `redis://…`. Redis uses its own clock. Raises StartError with one line for people."""
    if url.startswith("sqlite:///"):
        from faqbot.store.sqlite import SqliteStore

        return await SqliteStore.open(url.removeprefix("sqlite:///"), clock=clock)
    try:
        from faqbot.store.redis import RedisStore
    except ImportError as exc:
        raise StartError("FAQBOT_STORE=redis://… 需要 redis 组件：pip install 'faqbot[redis]'") from exc
    return await RedisStore.open(url)
