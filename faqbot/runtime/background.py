"""Background tasks: starts loops as named tasks and cancels them when the exit stack closes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any

Loop = Callable[[], Coroutine[Any, Any, None]]


def start_loops(stack: AsyncExitStack, loops: Mapping[str, Loop]) -> None:
    """Start the loops in this order; the stack cancels them one after the other, the last one first."""
    for name, loop in loops.items():
        start_loop(stack, name, loop)


def start_loop(stack: AsyncExitStack, name: str, loop: Loop) -> asyncio.Task[None]:
    task = asyncio.create_task(loop(), name=name)
    stack.push_async_callback(_cancel, task)
    return task


async def _cancel(task: asyncio.Task[None]) -> None:
    """Cancel and wait. A library that waits with a timeout may swallow a cancellation, so it is repeated."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.5)
