"""Which messages this worker has, and in what order it works on them: claims, lanes, the lease, taking over.

A message is written down before it is acknowledged and stays in the store until it is finished. A worker holds a lease;
what a worker without one has left, others take over.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from faqbot.errors import StoreError
from faqbot.metrics import Metrics
from faqbot.model import Message
from faqbot.pacing import backoff
from faqbot.store import Store
from faqbot.telemetry import EventLog, about_message

log = EventLog(__name__)
_T = TypeVar("_T")

# A dead worker's messages are taken over after the lease and one more look: within 25 seconds.
LEASE_SECONDS = 20.0
KEEP_SECONDS = 5.0
_RETRY_STORE_SECONDS = 1.0
# More messages than these wait in the store only, for whichever worker has room.
IN_MEMORY = 4000
# An earlier message of the same asker at another worker is waited for so long.
_TURN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: Message
    behind: bool  # earlier messages of its thread may be unfinished at another worker


class Inbox:
    """Hands each message to `handle` once, in order per asker within a conversation, different askers in parallel."""

    def __init__(
        self,
        store: Store,
        handle: Callable[[Message], Awaitable[None]],
        metrics: Metrics,
        *,
        in_memory: int = IN_MEMORY,
        lease: float = LEASE_SECONDS,
        keep: float = KEEP_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._handle = handle
        self._metrics = metrics
        self._most = in_memory
        self._lease = lease
        self._keep = keep
        self._clock = clock
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.store_ok = True
        self.arriving = 0  # messages that are being written down
        self._lanes: dict[str, deque[_Waiting]] = {}
        self._held: dict[str, float] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._spilled = False
        self._unsure = False
        self._renewed = self._lapsed = self._quiet_until = -1e9

    async def start(self) -> None:
        """Begin the lease and take over at once what dead workers left. Raises StoreError."""
        await self._store.join(self.owner, self._lease)
        self._renewed = time.monotonic()
        await self._take_over()

    async def accept(self, message: Message) -> bool:
        """Write the message down and queue it; False if it was seen before. Raises StoreError: do not acknowledge."""
        room = len(self._held) < self._most and not self._spilled
        self.arriving += 1
        try:
            ahead = await self._store.accept(message, self.owner if room else "")
        except StoreError as exc:
            # It may have been written all the same; the next look finds it.
            self._unsure = True
            self._away(exc)
            raise
        finally:
            self.arriving -= 1
        if ahead is None:
            return False
        if room:
            self._enqueue(message, behind=ahead > len(self._lanes.get(message.thread, ())))
        else:
            self._spilled = True
        return True

    async def keep(self) -> None:
        """Renew the lease and look for work nobody has, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._keep if self.store_ok else _RETRY_STORE_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self._tend()
            except StoreError as exc:
                self._away(exc)
            except Exception as exc:
                # The edge of a loop that must not end.
                log.error("inbox.keep_failed", cause=exc)

    async def steady(self, step: Callable[[], Awaitable[_T]]) -> _T:
        """Do one step of the store, waiting for as long as the store is away."""
        attempt = 0
        while True:
            try:
                return await step()
            except StoreError as exc:
                self._away(exc)
                await asyncio.sleep(backoff(attempt, first=0.1, longest=2.0))
                attempt += 1

    async def still_mine(self, message: Message) -> bool:
        """Whether nobody can have taken the message over since it was claimed here."""
        claimed = self._held.get(message.key, -1e9)
        if claimed > self._lapsed and time.monotonic() - self._renewed < self._lease:
            return True
        return await self.steady(lambda: self._store.holds(self.owner, message))

    async def drain(self, seconds: float) -> None:
        """Wait for the replies under way; what is not done by then stays in the store for the next worker."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=seconds)
        left = [w for w in self._workers if not w.done()]
        for worker in left:
            worker.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        try:
            await self._store.leave(self.owner)
        except StoreError as exc:
            log.warning("lease.not_ended", reason=str(exc))

    # -- the lease -------------------------------------------------------------------------------

    async def _tend(self) -> None:
        held = await self._store.renew(self.owner, self._lease)
        self._renewed = time.monotonic()
        if not held:
            log.warning("lease.lapsed", seconds=self._lease)
            self._lapsed = self._renewed
        if not self.store_ok:
            log.info("store.back")
            self.store_ok = True
            # The other workers' leases ran out with the store; they renew them first.
            self._quiet_until = time.monotonic() + self._lease
        if self._unsure:
            self._unsure = False
            for message in await self._store.unfinished(self.owner):
                self._enqueue(message, behind=True)
        if time.monotonic() >= self._quiet_until:
            await self._take_over()
        waiting, oldest = await self._store.backlog()
        self._metrics.backlog.set(waiting)
        self._metrics.backlog_age.set(max(0.0, self._clock() - oldest) if waiting else 0.0)

    async def _take_over(self) -> None:
        room = self._most - len(self._held)
        if room <= 0:
            return
        self._spilled = False
        taken = await self._store.take_over(self.owner, room)
        self._spilled = len(taken) >= room
        for message in taken:
            log.info("message.taken_over", id=message.id)
            self._metrics.taken_over.inc()
            self._enqueue(message, behind=True)

    def _away(self, exc: StoreError) -> None:
        if self.store_ok:
            log.alarm("store.away", what=str(exc))
            self.store_ok = False
            # From now on it is looked at more often.
            self._look.set()

    # -- lanes -----------------------------------------------------------------------------------

    def _enqueue(self, message: Message, *, behind: bool) -> None:
        if message.key in self._held:
            return
        self._held[message.key] = time.monotonic()
        lane = self._lanes.get(message.thread)
        if lane is not None:
            lane.append(_Waiting(message, behind))
            return
        self._lanes[message.thread] = deque([_Waiting(message, behind)])
        worker = asyncio.create_task(self._work(message.thread))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, thread: str) -> None:
        """Work on one asker's messages one after the other."""
        lane = self._lanes[thread]
        try:
            while lane:
                message = lane[0].message
                with about_message(message.id):
                    try:
                        if lane[0].behind:
                            await self._turn(message)
                        await self._handle(message)
                    except Exception as exc:
                        # One message that cannot be handled must not take the ones behind it along.
                        log.error("message.crashed", cause=exc)
                lane.popleft()
                del self._held[message.key]
                if self._spilled and len(self._held) <= self._most // 2:
                    self._look.set()
        finally:
            del self._lanes[thread]

    async def _turn(self, message: Message) -> None:
        """Wait until the asker's earlier messages are finished, wherever they are worked on."""
        attempt, until = 0, time.monotonic() + _TURN_SECONDS
        while not await self.steady(lambda: self._store.next_in_thread(message)):
            if time.monotonic() > until:
                log.warning("message.out_of_turn")
                return
            await asyncio.sleep(backoff(attempt, first=0.05, longest=1.0))
            attempt += 1
