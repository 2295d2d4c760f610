"""Run one Redis operation and turn every failure into a StoreError."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from redis.exceptions import RedisError, ResponseError

from faqbot.errors import StoreError


async def execute(call: Awaitable[Any] | Any) -> Any:
    """Wait for the result of one step. Raises StoreError without any key or value in its text."""
    task = asyncio.current_task()
    cancelled = task.cancelling() if task is not None else 0
    try:
        result = await cast("Awaitable[Any]", call)
        if task is not None and task.cancelling() > cancelled:
            # The client waits with asyncio.wait_for, which in Python 3.11 may swallow a cancellation.
            raise asyncio.CancelledError
        return result
    except ResponseError as exc:
        raise StoreError(f"Redis 拒绝了操作：{str(exc)[:200]}") from exc
    except (RedisError, OSError, TimeoutError) as exc:
        raise StoreError(f"连不上 Redis（{type(exc).__name__}）") from exc
