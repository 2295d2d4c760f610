"""Lanes: runs tasks of one key one after another, tasks of different keys in parallel, polling for due ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial

from faqbot.errors import StoreError
from faqbot.runtime.loops import run_periodically, wait_for_event
from faqbot.runtime.retry import STORE_RETRY_SECONDS

# Redis' client can swallow a cancellation (in asyncio.wait_for, before Python 3.12), so it is repeated.
_CANCEL_ATTEMPTS = 5
_CANCEL_SECONDS = 0.5

Work = Callable[[], Awaitable[float]]


class Lanes:
    """A lane is free while nothing runs or rests in it.

    `on_error` gets the key of a lane whose work failed; that lane rests for `error_delay` seconds, or for
    STORE_RETRY_SECONDS after a StoreError, which is not passed to `on_error`. At most `workers` lanes run at once.
    `wake` is an event that makes `run` poll when it is set.
    """

    def __init__(
        self,
        on_error: Callable[[str, Exception], None],
        *,
        error_delay: float,
        workers: int | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wake: asyncio.Event | None = None,
    ) -> None:
        self._on_error = on_error
        self._error_delay = error_delay
        self._workers: AbstractAsyncContextManager[None] = asyncio.Semaphore(workers) if workers else nullcontext()
        self._sleep = sleep
        self._running: dict[str, asyncio.Task[None]] = {}
        self._resting: dict[str, asyncio.Task[None]] = {}
        self._wake = wake or asyncio.Event()

    def wake(self) -> None:
        """Let `run` poll again now."""
        self._wake.set()

    async def run(self, poll: Callable[[], Awaitable[float]], on_error: Callable[[Exception], None]) -> None:
        """Call `poll` until cancelled: after the seconds it returned, when a lane becomes free, and on `wake`.

        `on_error` gets the failures of `poll` itself. Lanes go on when this is cancelled: `drain` ends them.
        """
        wait = partial(wait_for_event, self._wake)
        await run_periodically(poll, on_error, error_delay=self._error_delay, wait=wait)

    def is_free(self, key: str) -> bool:
        return key not in self._running and key not in self._resting

    @property
    def running(self) -> int:
        """The number of lanes in which work runs or waits for a worker."""
        return len(self._running)

    def start(self, key: str, work: Work) -> None:
        """Run `work` in the lane of `key`, which must be free. It returns the seconds for which the lane then rests."""
        self._running[key] = asyncio.create_task(self._run(key, work))

    async def _run(self, key: str, work: Work) -> None:
        rest = 0.0
        try:
            async with self._workers:
                rest = await work()
        except StoreError:
            rest = STORE_RETRY_SECONDS
        except Exception as exc:
            # The edge of the lane: one failure must not stop the others.
            self._on_error(key, exc)
            rest = self._error_delay
        finally:
            del self._running[key]
            if rest:
                self._resting[key] = asyncio.create_task(self._rest(key, rest))
            else:
                self._wake.set()

    async def _rest(self, key: str, seconds: float) -> None:
        try:
            await self._sleep(seconds)
        finally:
            del self._resting[key]
            self._wake.set()

    async def idle(self) -> None:
        """Wait until nothing runs; lanes may still rest."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` for the running tasks, then cancel them. The next process does the rest."""
        # This runs while its own task is being cancelled, where asyncio.timeout raises the cancellation once more in
        # Python before 3.11.4.
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._running and (left := end - loop.time()) > 0:
            await asyncio.wait(self._running.values(), timeout=left)
        for _ in range(_CANCEL_ATTEMPTS):
            if tasks := [*self._running.values(), *self._resting.values()]:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
