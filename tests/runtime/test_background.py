"""Background loops run until the stack closes, and none is left behind."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress

from faqbot.runtime.background import Loop, start_loops


async def test_the_last_loop_is_cancelled_first() -> None:
    ended: list[str] = []

    def loop(name: str) -> Loop:
        async def run() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(name)

        return run

    async with AsyncExitStack() as stack:
        start_loops(stack, {"first": loop("first"), "second": loop("second")})
        await asyncio.sleep(0)
    assert ended == ["second", "first"]


async def test_a_loop_that_swallows_a_cancellation_is_cancelled_again() -> None:
    cancelled = 0

    async def run() -> None:
        nonlocal cancelled
        for _ in range(2):
            with suppress(asyncio.CancelledError):
                try:
                    await asyncio.Event().wait()
                finally:
                    cancelled += 1

    async with asyncio.timeout(10), AsyncExitStack() as stack:
        start_loops(stack, {"stubborn": run})
        await asyncio.sleep(0)
    assert cancelled == 2


async def test_a_loop_that_ended_by_itself_is_no_hindrance() -> None:
    async def run() -> None:
        return

    async with AsyncExitStack() as stack:
        start_loops(stack, {"short": run})
        await asyncio.sleep(0)
