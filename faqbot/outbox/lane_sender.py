"""Send the next message of a lane (one recipient's queue): select notices, retry, record the result."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from faqbot.errors import ContentRefused, DeliveryError, OutcomeUnknown, StoreError, Throttled
from faqbot.model.notices import Notice
from faqbot.outbox.notice_queue import NoticeQueue, NoticeStore
from faqbot.outbox.queued_notice import FAILED_NOTICES, QueuedNotice, SendFailure, SendOutcome
from faqbot.runtime.log import EventLog
from faqbot.runtime.retry import backoff, retry_until_available
from faqbot.store.json_records import to_json

log = EventLog(__name__)
_T = TypeVar("_T")

# Less than the lease of a lane, so that a send has ended before another replica can begin.
_SEND_SECONDS = 25.0
_LONGEST_RETRY_SECONDS = 300.0
# A send whose outcome is unknown may have arrived. Where a repeat would appear a second time there are two sends at
# most; where DingTalk deduplicates, as many as fit into the time for which it surely remembers the id.
_MAX_UNKNOWN, _MAX_UNKNOWN_DEDUPLICATED = 2, 8
# The marks that hold, by lane, the keys of the message whose sending has begun.
_SENDING = "outbox-sending"


class Channel(Protocol):
    """A way to send notices to one kind of address."""

    @property
    def deduplicates(self) -> bool:
        """True if DingTalk recognises a repeat by its id, so that it does not appear twice."""
        ...

    def min_interval(self, notices: Sequence[Notice]) -> float:
        """Return the seconds that must pass after a message of these notices before the next one of its lane."""
        ...

    def batch(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        """Return those of the waiting notices of one lane, oldest first, that go out as one message now."""
        ...

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        """Send the notices as one message; return the failures by key of those that did not arrive.

        Raises DeliveryError if none arrived.
        """
        ...


@dataclass(slots=True)
class _Attempts:
    """The attempts of this process to send one notice."""

    next_at: float = 0.0
    failed: int = 0
    unknown: int = 0
    last_failure: str = ""  # in words
    alone: bool = False  # part of a merged message was refused: send each notice of it by itself


_NO_ATTEMPTS = _Attempts()


@dataclass(frozen=True, slots=True)
class _Message:
    """Notices that go out as one message; DingTalk recognises a repeat by `uuid`."""

    notices: Sequence[Notice]
    uuid: str


class LaneSender:
    """`channels` by kind of address; `clock` is epoch seconds."""

    def __init__(
        self,
        store: NoticeStore,
        queue: NoticeQueue,
        channels: Mapping[str, Channel],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._store = store
        self._queue = queue
        self._channels = channels
        self._clock = clock
        self._sleep = sleep
        self._attempts: dict[str, _Attempts] = {}
        self._closed_until: dict[str, float] = {}  # by lane, as far as this process knows

    def ready_at(self, queued: QueuedNotice) -> float:
        """Return when this process may send the notice at the earliest."""
        attempts = self._attempts_of(queued.notice)
        return max(queued.due, attempts.next_at, self._closed_until.get(queued.lane, 0.0))

    def forget_all_but(self, waiting: Collection[str]) -> None:
        """Forget the attempts to send notices that do not wait any more, and lanes that are open again."""
        self._attempts = {key: attempts for key, attempts in self._attempts.items() if key in waiting}
        now = self._clock()
        self._closed_until = {lane: until for lane, until in self._closed_until.items() if until > now}

    async def closed_until(self, lane: str) -> float:
        """Return until when no replica may send in the lane; 0 or a past time if it is open. Raises StoreError."""
        return float(await self._store.note(_closed_note(lane)) or 0)

    async def send_next(self, lane: str) -> None:
        """Send the next message of a lane, whose lease this replica holds. Raises StoreError."""
        channel = self._channels[lane.partition(":")[0]]
        closed_until = await self.closed_until(lane)
        if closed_until > self._clock():
            self._closed_until[lane] = closed_until
            return
        message = await self._next_message(lane, channel)
        if message is None:
            return
        notices = message.notices
        if interval := channel.min_interval(notices):
            # Before sending: a process that dies while it sends must not leave room for one message too many.
            await self._close(lane, interval)
        try:
            failures = await _with_timeout(channel.send(notices, message.uuid))
        except Throttled as exc:
            log.warning("outbox.throttled", kind=lane.partition(":")[0], code=exc.code, seconds=exc.wait)
            await self._close(lane, exc.wait)
            failures = dict.fromkeys((notice.key for notice in notices), exc)
        except DeliveryError as exc:
            failures = dict.fromkeys((notice.key for notice in notices), exc)
        merged = len({notice.body for notice in notices}) > 1
        await asyncio.gather(*(self._record(channel, n, failures.get(n.key), merged=merged) for n in notices))
        unknown = any(isinstance(failure, OutcomeUnknown) for failure in failures.values())
        if channel.deduplicates and not unknown:
            await self._store.put_mark(_SENDING, lane, None)

    async def _close(self, lane: str, seconds: float) -> None:
        """Keep all replicas from sending in the lane for this time."""
        until = self._clock() + seconds
        self._closed_until[lane] = until
        await self._store.put_note(_closed_note(lane), repr(until), seconds)

    # -- choosing the message --------------------------------------------------------------------

    async def _next_message(self, lane: str, channel: Channel) -> _Message | None:
        """Return the message to send now; None if there is nothing to send any more."""
        waiting = await self._unexpired(lane)
        begun = await self._begun(lane) if channel.deduplicates else ()
        if repeat := [notice for notice in waiting if notice.key in begun]:
            return await self._repeat(lane, channel, repeat, begun)
        now = self._clock()
        ready = [notice for notice in waiting if self._attempts_of(notice).next_at <= now]
        if not ready:
            return None
        first, *others = ready
        if self._attempts_of(first).alone:
            notices: Sequence[Notice] = [first]
        else:
            notices = channel.batch([first, *(n for n in others if not self._attempts_of(n).alone)])
        keys = [notice.key for notice in notices]
        if await self._queue.remove_finished(keys):
            return None
        if channel.deduplicates:
            await self._store.put_mark(_SENDING, lane, json.dumps(keys))
        return _Message(notices, _uuid(keys))

    async def _unexpired(self, lane: str) -> Sequence[Notice]:
        """Return the notices of a lane that are due, oldest first, after giving up those that have expired."""
        now = self._clock()
        due = [q for q in (await self._queue.waiting()).values() if q.lane == lane and q.due <= now]
        for queued in due:
            if now > queued.expires:
                last_failure = self._attempts_of(queued.notice).last_failure
                why = f"过了发送的时限，没有再发{f'（{last_failure}）' if last_failure else ''}"
                await self._give_up(queued.notice, "expired", why)
        return [q.notice for q in sorted(due, key=lambda q: q.order) if now <= q.expires]

    async def _begun(self, lane: str) -> Sequence[str]:
        """Return the keys of the message whose sending was begun in this lane and may not have ended."""
        keys: list[str] = json.loads((await self._store.marks(_SENDING)).get(lane, "[]"))
        return keys

    async def _repeat(
        self, lane: str, channel: Channel, notices: Sequence[Notice], begun: Sequence[str]
    ) -> _Message | None:
        """Return the message that was begun, unchanged: DingTalk compares nothing but its id."""
        outcomes = await asyncio.gather(*map(self._queue.outcome, begun))
        # Outcomes are recorded only after the message arrived, so one of them stands for all.
        if any(outcome.sent for outcome in outcomes if outcome is not None):
            await asyncio.gather(*(self._record(channel, notice, None) for notice in notices))
            return None
        next_at = max(self._attempts_of(notice).next_at for notice in notices)
        if next_at > self._clock():
            self._closed_until[lane] = next_at
            return None
        return _Message(notices, _uuid(begun))

    def _attempts_of(self, notice: Notice) -> _Attempts:
        return self._attempts.get(notice.key, _NO_ATTEMPTS)

    # -- recording the result --------------------------------------------------------------------

    async def _record(
        self, channel: Channel, notice: Notice, failure: DeliveryError | None, *, merged: bool = False
    ) -> None:
        """Record that the notice arrived or never will, or plan the next attempt."""
        if failure is None:
            await self._finish(notice.key, SendOutcome(True, "ok", "", self._clock()))
            log.info("notice.sent", key=notice.key, to=notice.to.kind)
            return
        attempts = self._attempts.setdefault(notice.key, _Attempts())
        attempts.last_failure = str(failure)
        if isinstance(failure, Throttled):
            wait = max(failure.wait, backoff(attempts.failed, longest=_LONGEST_RETRY_SECONDS))
            attempts.next_at = self._clock() + wait
            attempts.failed += 1
            return
        if merged and isinstance(failure, ContentRefused):
            attempts.alone = True
            return
        attempts.unknown += isinstance(failure, OutcomeUnknown)
        max_unknown = _MAX_UNKNOWN_DEDUPLICATED if channel.deduplicates else _MAX_UNKNOWN
        if failure.permanent or attempts.unknown >= max_unknown:
            await self._give_up(notice, failure.code, str(failure))
            return
        wait = backoff(attempts.failed, longest=_LONGEST_RETRY_SECONDS)
        attempts.failed += 1
        attempts.next_at = self._clock() + wait
        log.warning("notice.retry", key=notice.key, code=failure.code, attempt=attempts.failed, seconds=round(wait, 1))

    async def _give_up(self, notice: Notice, code: str, why: str) -> None:
        with suppress(StoreError):
            failure = SendFailure(notice.title, notice.to, code, why)
            await self._store.write_journal(FAILED_NOTICES, self._clock(), to_json(failure))
        await self._finish(notice.key, SendOutcome(False, code, why, self._clock()))
        log.critical("notice.failed", key=notice.key, to=notice.to.kind, code=code, what=f"有一条通知没有发出：{why}")

    async def _finish(self, key: str, outcome: SendOutcome) -> None:
        """Record the outcome, however long the store is unavailable: a notice that was sent must not be sent again."""
        await retry_until_available(lambda: self._queue.finish(key, outcome), sleep=self._sleep)


async def _with_timeout(send: Awaitable[_T]) -> _T:
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            return await send
    except TimeoutError as exc:
        raise OutcomeUnknown("钉钉没有在时限内回应，不知道是否送达", code="timeout") from exc


def _closed_note(lane: str) -> str:
    return f"outbox-free:{lane}"


def _uuid(keys: Sequence[str]) -> str:
    """Return the same id for a repeat of the same message."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]
