"""One step at Redis: whatever goes wrong with the engine is a StoreError."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from redis.exceptions import RedisError, ResponseError

from faqbot.errors import StoreError


async def answer(call: Awaitable[Any] | Any) -> Any:
    """Wait for one step. Raises StoreError, which holds no key and no value."""
    task = asyncio.current_task()
    cancelled = task.cancelling() if task is not None else 0
    try:
        answer = await cast("Awaitable[Any]", call)
        if task is not None and task.cancelling() > cancelled:
            # The client waits with a timeout, which in Python 3.11 may swallow a cancellation.
            raise asyncio.CancelledError
        return answer
    except ResponseError as exc:
        raise StoreError(f"Redis 拒绝了操作：{str(exc)[:200]}") from exc
    except (RedisError, OSError, TimeoutError) as exc:
        raise StoreError(f"连不上 Redis（{type(exc).__name__}）") from exc
