"""The inbox: claim each incoming message for one worker, in order per asker, and take over those of dead workers.

A message is stored before it is acknowledged to DingTalk, and stays in the store until it is finished.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from faqbot.errors import StoreError
from faqbot.messaging.worker_lease import WorkerLease
from faqbot.model.conversation import ConversationState
from faqbot.model.messages import DeliveryResult, DeliveryState, Message
from faqbot.runtime.lanes import Lanes
from faqbot.runtime.log import EventLog, about_message
from faqbot.runtime.loops import run_periodically, wait_for_event
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.retry import STORE_RETRY_SECONDS, backoff, retry_until_available
from faqbot.store.protocol import Store

log = EventLog(__name__)
_T = TypeVar("_T")

# A dead worker's messages are taken over after its lease and one more heartbeat of another worker: within 25 seconds.
LEASE_SECONDS = 20.0
HEARTBEAT_SECONDS = 5.0
# Beyond this number, messages wait in the store only, for any worker that has room.
MAX_IN_MEMORY = 4000
# After an acceptance without an answer, the store is searched for the message for this long.
_UNCONFIRMED_SECONDS = 60.0
# An earlier message of the same asker that another worker has is waited for no longer than this.
_MAX_TURN_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _QueuedMessage:
    message: Message
    must_wait: bool  # earlier messages of its partition may be unfinished at another worker


class Inbox:
    """Passes each message to `handle` once: in order per asker within a conversation, different askers in parallel."""

    def __init__(
        self,
        store: Store,
        handle: Callable[[Message], Awaitable[None]],
        metrics: Metrics,
        *,
        max_in_memory: int = MAX_IN_MEMORY,
        lease: float = LEASE_SECONDS,
        heartbeat: float = HEARTBEAT_SECONDS,
        store_retry: float = STORE_RETRY_SECONDS,
        max_turn_wait: float = _MAX_TURN_WAIT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._handle = handle
        self._metrics = metrics
        self._max_in_memory = max_in_memory
        self._lease = WorkerLease(store, lease)
        self._heartbeat = heartbeat
        self._store_retry = store_retry
        self._max_turn_wait = max_turn_wait
        self._clock = clock
        self.store_ok = True
        self.arriving = 0  # messages that are being stored
        self._queues: dict[str, deque[_QueuedMessage]] = {}  # by partition key
        self._claimed_at: dict[str, float] = {}  # when each message was claimed at the earliest, monotonic clock
        self._contexts: dict[str, ConversationState | None] = {}  # returned by the acceptance and still valid
        self._lanes = Lanes(lambda partition, exc: log.error("inbox.keep_failed", cause=exc), error_delay=0.0)
        self._wake = asyncio.Event()
        self._overflowed = False  # messages wait in the store that this worker had no room for
        # Messages that may be claimed for this worker without its knowledge, and until when they are searched for.
        self._unconfirmed: dict[str, float] = {}
        self._no_takeover_before = -math.inf

    @property
    def owner(self) -> str:
        """The name of this worker in the store."""
        return self._lease.owner

    async def start(self) -> None:
        """Begin the lease and take over at once the messages of dead workers. Raises StoreError."""
        await self._lease.begin()
        await self._reclaim()

    async def accept(self, message: Message) -> bool:
        """Store the message and queue it; return False if it was seen before.

        Raises StoreError: then the message must not be acknowledged.
        """
        room = len(self._claimed_at) + self.arriving < self._max_in_memory and not self._overflowed
        began = time.monotonic()
        self.arriving += 1
        try:
            accepted = await self._store.accept(message, self.owner if room else "")
        except BaseException as exc:
            # It may have been stored all the same, or will be when the store gets to it.
            self._unconfirmed[message.key] = time.monotonic() + _UNCONFIRMED_SECONDS
            if isinstance(exc, StoreError):
                self._on_store_unavailable(exc)
            raise
        finally:
            self.arriving -= 1
        if accepted is None:
            if message.key not in self._claimed_at:
                self._unconfirmed.setdefault(message.key, time.monotonic())
            return False
        if room:
            if accepted.ahead == 0:
                # No unfinished message can change the context any more.
                self._contexts[message.key] = accepted.context
            queued_here = len(self._queues.get(str(message.partition_key), ()))
            self._enqueue(message, began, must_wait=accepted.ahead > queued_here)
        else:
            self._overflowed = True
        return True

    async def run(self) -> None:
        """Renew the lease and take over abandoned messages, until cancelled."""
        wait = partial(wait_for_event, self._wake)
        # `start` has just done both.
        await wait(self._heartbeat)
        await run_periodically(
            self._poll,
            lambda exc: log.error("inbox.keep_failed", cause=exc),
            error_delay=self._heartbeat,
            wait=wait,
        )

    async def retry_until_available(self, step: Callable[[], Awaitable[_T]]) -> _T:
        """Run one step of the store, repeating it for as long as the store is unavailable."""
        return await retry_until_available(step, on_unavailable=self._on_store_unavailable)

    async def context(self, message: Message) -> ConversationState | None:
        """Return the asker's conversation state, for the message whose turn it is."""
        if message.key in self._contexts:
            return self._contexts[message.key]
        return await self.retry_until_available(lambda: self._store.context(message.partition_key, self._clock()))

    async def holds(self, message: Message) -> bool:
        """Return True if this worker's claim on the message is still valid: no other worker has taken it over."""
        if self._lease.covers(self._claimed_at.get(message.key, -math.inf)):
            return True
        return await self.retry_until_available(lambda: self._store.holds(self.owner, message))

    async def drain(self, seconds: float) -> None:
        """Wait for the replies under way; messages that are not done by then stay in the store for the next worker."""
        await self._lanes.drain(seconds)
        await self._lease.end()

    # -- the heartbeat ---------------------------------------------------------------------------

    async def _poll(self) -> float:
        try:
            await self._beat()
        except StoreError as exc:
            self._on_store_unavailable(exc)
        return self._heartbeat if self.store_ok else self._store_retry

    async def _beat(self) -> None:
        await self._lease.renew()
        if not self.store_ok:
            log.info("store.back")
            self.store_ok = True
            # The other workers' leases expired while the store was unavailable; let them renew theirs first.
            self._no_takeover_before = time.monotonic() + self._lease.seconds
        if self._unconfirmed:
            await self._find_unconfirmed()
        if time.monotonic() >= self._no_takeover_before:
            await self._reclaim()
        unfinished, oldest = await self._store.backlog()
        self._metrics.backlog.set(unfinished)
        self._metrics.backlog_age.set(max(0.0, self._clock() - oldest) if unfinished else 0.0)

    async def _find_unconfirmed(self) -> None:
        """Queue the messages that were stored although the store's answer never came."""
        began = time.monotonic()
        for message in await self._store.unfinished(self.owner):
            # A message that was finished since the store was asked is no longer among the unconfirmed ones.
            if message.key in self._unconfirmed:
                self._enqueue(message, began, must_wait=True)
        self._unconfirmed = {key: until for key, until in self._unconfirmed.items() if until > began}

    async def _reclaim(self) -> None:
        room = self._max_in_memory - len(self._claimed_at) - self.arriving
        if room <= 0:
            return
        began = time.monotonic()
        self._overflowed = False
        messages = await self._store.reclaim(self.owner, room)
        # While the store was asked, another message may have found no room.
        self._overflowed = self._overflowed or len(messages) >= room
        for message in messages:
            log.info("message.taken_over", id=message.id)
            self._metrics.taken_over.inc()
            self._enqueue(message, began, must_wait=True)

    def _on_store_unavailable(self, exc: StoreError) -> None:
        if self.store_ok:
            log.critical("store.away", what=str(exc))
            self.store_ok = False
            # Poll now, and from now on at the shorter interval.
            self._wake.set()

    # -- the lanes -------------------------------------------------------------------------------

    def _enqueue(self, message: Message, claimed_at: float, *, must_wait: bool) -> None:
        if message.key in self._claimed_at:
            return
        self._claimed_at[message.key] = claimed_at
        partition = str(message.partition_key)
        queue = self._queues.get(partition)
        if queue is not None:
            # A message behind one that must wait must wait too.
            queue.append(_QueuedMessage(message, must_wait or queue[-1].must_wait))
            return
        queue = self._queues[partition] = deque([_QueuedMessage(message, must_wait)])
        self._lanes.start(partition, partial(self._work, partition, queue))

    async def _work(self, partition: str, queue: deque[_QueuedMessage]) -> float:
        """Handle one asker's messages one after the other until none is left."""
        try:
            while queue:
                queued = queue[0]
                try:
                    queued = await self._next(queue)
                    with about_message(queued.message.id):
                        await self._handle_safely(queued.message)
                except Exception as exc:
                    # The store failed, not the message: leave it there for the next worker.
                    log.error("message.left_behind", id=queued.message.id, cause=exc)
                queue.remove(queued)
                key = queued.message.key
                del self._claimed_at[key]
                self._contexts.pop(key, None)
                self._unconfirmed.pop(key, None)
                if self._overflowed and len(self._claimed_at) <= self._max_in_memory // 2:
                    self._wake.set()
        finally:
            del self._queues[partition]
        return 0.0

    async def _next(self, queue: deque[_QueuedMessage]) -> _QueuedMessage:
        """Wait for and return the message whose turn it is: the first, unless another worker has earlier ones.

        Earlier ones may be queued here behind later ones, if they are taken over or the store answered slowly.
        """
        attempt, give_up_at = 0, time.monotonic() + self._max_turn_wait
        while queue[0].must_wait:
            for queued in tuple(queue):
                if await self.retry_until_available(partial(self._store.is_first_in_partition, queued.message)):
                    return queued
            if time.monotonic() > give_up_at:
                first = min(queue, key=lambda queued: queued.message.received_at)
                log.warning("message.out_of_turn", id=first.message.id)
                return first
            await asyncio.sleep(backoff(attempt, first=0.05, longest=1.0))
            attempt += 1
        return queue[0]

    async def _handle_safely(self, message: Message) -> None:
        """Handle a message. One that crashes is finished as failed, since it would crash the next worker as well."""
        try:
            await self._handle(message)
            return
        except Exception as exc:
            log.error("message.crashed", cause=exc)
        if await self.holds(message):
            result = DeliveryResult(DeliveryState.FAILED, "crashed")
            await self.retry_until_available(lambda: self._store.finish(message, result, None, None))
            self._metrics.finished.labels(result.state).inc()
