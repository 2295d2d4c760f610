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
from functools import partial
from typing import TypeVar

from faqbot.errors import StoreError
from faqbot.model.conversation import ConversationState
from faqbot.model.messages import DeliveryResult, DeliveryState, Message
from faqbot.runtime.log import EventLog, about_message
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.retry import backoff
from faqbot.store.protocol import Store

log = EventLog(__name__)
_T = TypeVar("_T")

# A dead worker's messages are taken over after the lease and one more look: within 25 seconds.
LEASE_SECONDS = 20.0
KEEP_SECONDS = 5.0
_RETRY_STORE_SECONDS = 1.0
# Redis' client can swallow a cancellation (in asyncio.wait_for, before Python 3.12).
_CANCEL_TIMES = 5
# More messages than these wait in the store only, for whichever worker has room.
IN_MEMORY = 4000
# A message that may have been written down is looked for so long.
_UNSURE_SECONDS = 60.0
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
        self._contexts: dict[str, ConversationState | None] = {}  # those that came with the acceptance and hold
        self._workers: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._spilled = False
        # Messages that may be ours without our knowing, and until when they are looked for.
        self._unsure: dict[str, float] = {}
        self._renewed = self._lapsed = self._quiet_until = -1e9

    async def start(self) -> None:
        """Begin the lease and take over at once what dead workers left. Raises StoreError."""
        began = time.monotonic()
        await self._store.join(self.owner, self._lease)
        self._renewed = began
        await self._take_over()

    async def accept(self, message: Message) -> bool:
        """Write the message down and queue it; False if it was seen before. Raises StoreError: do not acknowledge."""
        room = len(self._held) + self.arriving < self._most and not self._spilled
        began = time.monotonic()
        self.arriving += 1
        try:
            accepted = await self._store.accept(message, self.owner if room else "")
        except BaseException as exc:
            # It may have been written all the same, or will be when the store gets to it.
            self._unsure[message.key] = time.monotonic() + _UNSURE_SECONDS
            if isinstance(exc, StoreError):
                self._away(exc)
            raise
        finally:
            self.arriving -= 1
        if accepted is None:
            if message.key not in self._held:
                self._unsure.setdefault(message.key, time.monotonic())
            return False
        if room:
            if accepted.ahead == 0:
                # Nothing that is still to be done can change it.
                self._contexts[message.key] = accepted.context
            self._enqueue(message, began, behind=accepted.ahead > len(self._lanes.get(message.partition_key, ())))
        else:
            self._spilled = True
        return True

    async def keep(self) -> None:
        """Renew the lease and look for work nobody has, until cancelled."""
        task = asyncio.current_task()
        assert task is not None
        # What is awaited may swallow a cancellation; that there was one is still known.
        while not task.cancelling():
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

    async def context(self, message: Message) -> ConversationState | None:
        """What the asker was offered last, for the message whose turn it is."""
        if message.key in self._contexts:
            return self._contexts[message.key]
        return await self.steady(lambda: self._store.context(message.partition_key, self._clock()))

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
        for _ in range(_CANCEL_TIMES):
            if left := [w for w in self._workers if not w.done()]:
                for worker in left:
                    worker.cancel()
                await asyncio.wait(left, timeout=0.5)
        try:
            await self._store.leave(self.owner)
        except StoreError as exc:
            log.warning("lease.not_ended", reason=str(exc))

    # -- the lease -------------------------------------------------------------------------------

    async def _tend(self) -> None:
        began = time.monotonic()
        held = await self._store.renew(self.owner, self._lease)
        # The lease began when the store was asked, not when its answer came.
        self._renewed = began
        if not held:
            log.warning("lease.lapsed", seconds=self._lease)
            self._lapsed = time.monotonic()
        if not self.store_ok:
            log.info("store.back")
            self.store_ok = True
            # The other workers' leases ran out with the store; they renew them first.
            self._quiet_until = time.monotonic() + self._lease
        if self._unsure:
            await self._find_unsure()
        if time.monotonic() >= self._quiet_until:
            await self._take_over()
        waiting, oldest = await self._store.backlog()
        self._metrics.backlog.set(waiting)
        self._metrics.backlog_age.set(max(0.0, self._clock() - oldest) if waiting else 0.0)

    async def _find_unsure(self) -> None:
        """Take up what was written down although the answer never came."""
        began = time.monotonic()
        for message in await self._store.unfinished(self.owner):
            # What was finished since the store was asked is not among them any more.
            if message.key in self._unsure:
                self._enqueue(message, began, behind=True)
        self._unsure = {key: until for key, until in self._unsure.items() if until > began}

    async def _take_over(self) -> None:
        room = self._most - len(self._held) - self.arriving
        if room <= 0:
            return
        began = time.monotonic()
        self._spilled = False
        taken = await self._store.take_over(self.owner, room)
        # Meanwhile another message may have found no room.
        self._spilled = self._spilled or len(taken) >= room
        for message in taken:
            log.info("message.taken_over", id=message.id)
            self._metrics.taken_over.inc()
            self._enqueue(message, began, behind=True)

    def _away(self, exc: StoreError) -> None:
        if self.store_ok:
            log.alarm("store.away", what=str(exc))
            self.store_ok = False
            # From now on it is looked at more often.
            self._look.set()

    # -- lanes -----------------------------------------------------------------------------------

    def _enqueue(self, message: Message, since: float, *, behind: bool) -> None:
        """Put the message into its lane; `since` is when it was claimed at the earliest."""
        if message.key in self._held:
            return
        self._held[message.key] = since
        lane = self._lanes.get(message.partition_key)
        if lane is not None:
            # Behind one that has to wait, it has to wait too.
            lane.append(_Waiting(message, behind or lane[-1].behind))
            return
        self._lanes[message.partition_key] = deque([_Waiting(message, behind)])
        worker = asyncio.create_task(self._work(message.partition_key))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, thread: str) -> None:
        """Work on one asker's messages one after the other."""
        lane = self._lanes[thread]
        try:
            while lane:
                waiting = lane[0]
                try:
                    waiting = await self._next(lane)
                    with about_message(waiting.message.id):
                        await self._handle_safely(waiting.message)
                except Exception as exc:
                    # Not the message, the store is broken: it stays there for the next worker.
                    log.error("message.left_behind", id=waiting.message.id, cause=exc)
                lane.remove(waiting)
                del self._held[waiting.message.key]
                self._contexts.pop(waiting.message.key, None)
                self._unsure.pop(waiting.message.key, None)
                if self._spilled and len(self._held) <= self._most // 2:
                    self._look.set()
        finally:
            del self._lanes[thread]

    async def _next(self, lane: deque[_Waiting]) -> _Waiting:
        """The message whose turn it is: the first, unless earlier ones are unfinished at another worker.

        Those may come into the lane after later ones: when they are taken over, or the store's answer was slow.
        """
        attempt, until = 0, time.monotonic() + _TURN_SECONDS
        while lane[0].behind:
            for waiting in tuple(lane):
                if await self.steady(partial(self._store.next_in_thread, waiting.message)):
                    return waiting
            if time.monotonic() > until:
                first = min(lane, key=lambda waiting: waiting.message.received_at)
                log.warning("message.out_of_turn", id=first.message.id)
                return first
            await asyncio.sleep(backoff(attempt, first=0.05, longest=1.0))
            attempt += 1
        return lane[0]

    async def _handle_safely(self, message: Message) -> None:
        """One message that cannot be handled must not take the ones behind it along, nor the next worker."""
        try:
            await self._handle(message)
            return
        except Exception as exc:
            log.error("message.crashed", cause=exc)
        if await self.still_mine(message):
            verdict = DeliveryResult(DeliveryState.FAILED, "crashed")
            await self.steady(lambda: self._store.finish(message, verdict, None, None))
            self._metrics.finished.labels(verdict.state).inc()
