"""Messages that answer nobody: notices wait in the store until DingTalk took them, each once per key.

Every address has a lane that one replica at a time works on, so that limits hold for all of them together. What a
killed replica left is taken up by another after the lease.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from faqbot.errors import ContentRefused, DeliveryError, OutcomeUnknown, StoreError, Throttled
from faqbot.model.notices import Address, Notice
from faqbot.outbox.queued_notice import FAILED, Delay, QueuedNotice, SendFailure, SendOutcome, in_parts, unpack
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_periodically, wait_for_event
from faqbot.runtime.retry import backoff
from faqbot.store.protocol import LEASE_PREFIX, ClaimStore, JournalStore, MarkStore, NoteStore, Store

log = EventLog(__name__)
_T = TypeVar("_T")

# A lane is held for so long at most, and a send is given up before that.
LEASE_SECONDS = 30.0
_SEND_SECONDS = 25.0
# What other replicas posted is their business, unless they died.
LOOK_SECONDS = 10.0
_AGAIN_SECONDS = 1.0
_REMEMBER_SECONDS = 14 * 86400.0
_LONGEST_PAUSE = 300.0
# A notice that nobody said arrived is sent twice at most where a repeat may double it; elsewhere for as long as
# DingTalk surely knows its id.
_UNSURE_SENDS, _REMEMBERED_SENDS = 2, 8
_WAITING, _SENDING = "outbox", "outbox-sending"


class OutboxStore(ClaimStore, NoteStore, MarkStore, JournalStore, Protocol):
    """The roles of the store that hold notices."""


class Channel(Protocol):
    """How notices of one kind of address go out."""

    @property
    def remembers(self) -> bool:
        """Whether DingTalk knows a repeat by its id, so that it does not appear twice."""
        ...

    def gap(self, notices: Sequence[Notice]) -> float:
        """The seconds after a message of these before the next of its lane."""
        ...

    def together(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        """Those of the waiting notices of one lane, oldest first, that go out as one message now."""
        ...

    async def send(self, notices: Sequence[Notice], uuid: str) -> Mapping[str, DeliveryError]:
        """Send them as one message; the keys of those that did not arrive. Raises DeliveryError where none did."""
        ...


@dataclass(slots=True)
class _Tries:
    """How sending one notice has gone in this process."""

    next_at: float = 0.0
    failed: int = 0
    unsure: int = 0
    why: str = ""  # the last failure, in words
    alone: bool = False  # something in a merged message was refused: it goes by itself


_UNTRIED = _Tries()


class Outbox:
    """`ways` by the kind of address. `clock` is epoch seconds. `later` says when something may go to an address at the
    earliest, if it is due then: a group may have quiet hours."""

    def __init__(
        self,
        store: OutboxStore,
        ways: Mapping[str, Channel],
        *,
        later: Callable[[Address, float], float] = lambda to, due: due,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._ways = ways
        self._later = later
        self._clock = clock
        self._sleep = sleep
        self._parcels: dict[str, QueuedNotice] = {}
        self._tries: dict[str, _Tries] = {}
        self._hold: dict[str, float] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    async def post(self, *notices: Notice) -> None:
        """Take the notices on: once this returns they are sent even if the process dies. Raises StoreError.

        A key that is known already changes nothing. What is too long for one message becomes several.
        """
        now = self._clock()
        parts = [part for notice in notices for part in in_parts(self._in_time(notice, now))]
        await asyncio.gather(*(self._take_on(QueuedNotice(part, now, n)) for n, part in enumerate(parts)))
        self._wake.set()

    def _in_time(self, notice: Notice, now: float) -> Notice:
        due = max(notice.not_before, now)
        later = self._later(notice.to, due)
        return replace(notice, not_before=later) if later > due else notice

    async def outcome(self, key: str) -> SendOutcome | None:
        """What became of a notice, for two weeks; None while it waits. Raises StoreError."""
        text = await self._store.note(_done(key))
        return SendOutcome(**json.loads(text)) if text else None

    async def fates(self, keys: Iterable[str]) -> dict[str, SendOutcome | Delay | None]:
        """What became of notices, or what they wait for; None where nothing but their turn, or nothing is known.

        Raises StoreError.
        """
        parcels = await self._read()
        return {key: await self.outcome(key) or await self._delay(parcels.get(key)) for key in keys}

    async def _delay(self, parcel: QueuedNotice | None) -> Delay | None:
        if parcel is None:
            return None
        free = float(await self._store.note(_free(parcel.lane)) or 0)
        until = max(parcel.due, free)
        return Delay(until, limited=free > parcel.due) if until > self._clock() else None

    async def waiting(self) -> Sequence[Notice]:
        """What has not been sent yet, oldest first. Raises StoreError."""
        return [parcel.notice for parcel in sorted((await self._read()).values(), key=lambda p: p.order)]

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        await run_periodically(
            self.look,
            lambda exc: log.error("outbox.failed", cause=exc),
            error_delay=LOOK_SECONDS,
            wait=partial(wait_for_event, self._wake),
        )

    async def look(self) -> float:
        """Begin to send what is due; the seconds until this should be asked again. Raises StoreError."""
        now = self._clock()
        parcels = await self._read()
        due: dict[str, float] = {}
        for key, parcel in parcels.items():
            lane = parcel.lane
            tried = self._tries.get(key)
            at = max(parcel.due, tried.next_at if tried else 0.0, self._hold.get(lane, 0.0))
            due[lane] = min(at, due.get(lane, at))
        self._tries = {key: tries for key, tries in self._tries.items() if key in parcels}
        self._hold = {lane: until for lane, until in self._hold.items() if until > now}
        for lane, at in due.items():
            if at <= now and lane not in self._busy:
                self._busy[lane] = asyncio.create_task(self._turn(lane))
        return min([LOOK_SECONDS, *(at - now for lane, at in due.items() if lane not in self._busy)])

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        while self._busy:
            await asyncio.wait(self._busy.values())

    async def drain(self, seconds: float) -> None:
        """Wait for what is being sent; what is not done by then is sent by the next process."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.idle()
        if left := list(self._busy.values()):
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=1.0)

    # -- one turn of a lane ----------------------------------------------------------------------

    async def _turn(self, lane: str) -> None:
        """Send the next message of a lane, unless another replica is at it."""
        until = time.monotonic() + LEASE_SECONDS
        try:
            if not await self._store.claim(_held(lane), LEASE_SECONDS):
                self._hold[lane] = self._clock() + _AGAIN_SECONDS
                return
            try:
                await self._send_next(lane)
            finally:
                # By then it may be another replica's.
                if time.monotonic() < until:
                    await self._store.release(_held(lane))
        except StoreError:
            self._hold[lane] = self._clock() + _AGAIN_SECONDS
        except Exception as exc:
            # The edge of the lane: one notice must not stop the others for good.
            log.error("outbox.lane_failed", cause=exc)
            self._hold[lane] = self._clock() + LOOK_SECONDS
        finally:
            del self._busy[lane]
            self._wake.set()

    async def _send_next(self, lane: str) -> None:
        way = self._ways[lane.partition(":")[0]]
        free = float(await self._store.note(_free(lane)) or 0)
        if free > self._clock():
            self._hold[lane] = free
            return
        notices, uuid = await self._choose(lane, way)
        if not notices:
            return
        if gap := way.gap(notices):
            # Before the message: a process that dies with it must not make room for one too many.
            await self._close(lane, gap)
        try:
            failed = await _in_time(way.send(notices, uuid))
        except Throttled as exc:
            log.warning("outbox.throttled", kind=lane.partition(":")[0], code=exc.code, seconds=exc.wait)
            await self._close(lane, exc.wait)
            failed = dict.fromkeys((notice.key for notice in notices), exc)
        except DeliveryError as exc:
            failed = dict.fromkeys((notice.key for notice in notices), exc)
        merged = len({notice.body for notice in notices}) > 1
        await asyncio.gather(*(self._conclude(way, n, failed.get(n.key), merged=merged) for n in notices))
        unsure = any(isinstance(failure, OutcomeUnknown) for failure in failed.values())
        if way.remembers and not unsure:
            await self._store.put_mark(_SENDING, lane, None)

    async def _choose(self, lane: str, way: Channel) -> tuple[Sequence[Notice], str]:
        """What goes out now as one message, and the id by which DingTalk knows its repeat; nothing if that changed."""
        now = self._clock()
        due = [p for p in (await self._read()).values() if p.lane == lane and p.due <= now]
        for parcel in due:
            if now > parcel.until:
                last = self._tried(parcel.notice).why
                why = f"过了发送的时限，没有再发{f'（{last}）' if last else ''}"
                await self._give_up(parcel.notice, "expired", why)
        waiting = [p.notice for p in sorted(due, key=lambda p: p.order) if now <= p.until]
        begun = await self._begun(lane) if way.remembers else ()
        if again := [notice for notice in waiting if notice.key in begun]:
            return await self._repeat(lane, way, again, begun)
        ready = [notice for notice in waiting if self._tried(notice).next_at <= now]
        if not ready:
            return (), ""
        first, *others = ready
        together = [first, *(n for n in others if not self._tried(n).alone)]
        notices = [first] if self._tried(first).alone else way.together(together)
        if await self._drop_done(notices):
            return (), ""
        keys = [notice.key for notice in notices]
        if way.remembers:
            await self._store.put_mark(_SENDING, lane, json.dumps(keys))
        return notices, _uuid(keys)

    async def _begun(self, lane: str) -> Sequence[str]:
        """The keys of the message whose sending was begun in this lane and may not have ended."""
        found: list[str] = json.loads((await self._store.marks(_SENDING)).get(lane, "[]"))
        return found

    async def _repeat(
        self, lane: str, way: Channel, again: Sequence[Notice], begun: Sequence[str]
    ) -> tuple[Sequence[Notice], str]:
        """The message that was begun, exactly as it was: DingTalk goes by its id alone."""
        outcomes = await asyncio.gather(*map(self.outcome, begun))
        # Outcomes are written only after the message arrived, so that one of them tells of the others.
        if any(outcome.sent for outcome in outcomes if outcome is not None):
            await asyncio.gather(*(self._conclude(way, notice, None) for notice in again))
            return (), ""
        held = max(self._tried(notice).next_at for notice in again)
        if held > self._clock():
            self._hold[lane] = held
            return (), ""
        return again, _uuid(begun)

    async def _drop_done(self, notices: Sequence[Notice]) -> bool:
        """Let go of what was posted again while it was being sent; whether there was any."""
        outcomes = await asyncio.gather(*(self.outcome(notice.key) for notice in notices))
        done = [notice.key for notice, outcome in zip(notices, outcomes, strict=True) if outcome is not None]
        for key in done:
            await self._store.put_mark(_WAITING, key, None)
        return bool(done)

    def _tried(self, notice: Notice) -> _Tries:
        return self._tries.get(notice.key, _UNTRIED)

    async def _conclude(
        self, way: Channel, notice: Notice, failure: DeliveryError | None, *, merged: bool = False
    ) -> None:
        """Write down that it arrived or never will, or say when it is tried again."""
        if failure is None:
            await self._settle(notice.key, SendOutcome(True, "ok", "", self._clock()))
            log.info("notice.sent", key=notice.key, to=notice.to.kind)
            return
        tries = self._tries.setdefault(notice.key, _Tries())
        tries.why = str(failure)
        if isinstance(failure, Throttled):
            tries.next_at = self._clock() + max(failure.wait, backoff(tries.failed, longest=_LONGEST_PAUSE))
            tries.failed += 1
            return
        if merged and isinstance(failure, ContentRefused):
            tries.alone = True
            return
        tries.unsure += isinstance(failure, OutcomeUnknown)
        if failure.permanent or tries.unsure >= (_REMEMBERED_SENDS if way.remembers else _UNSURE_SENDS):
            await self._give_up(notice, failure.code, str(failure))
            return
        wait = backoff(tries.failed, longest=_LONGEST_PAUSE)
        tries.failed += 1
        tries.next_at = self._clock() + wait
        log.warning("notice.retry", key=notice.key, code=failure.code, attempt=tries.failed, seconds=round(wait, 1))

    async def _give_up(self, notice: Notice, code: str, why: str) -> None:
        with suppress(StoreError):
            await self._store.write_journal(
                FAILED, self._clock(), SendFailure(notice.title, notice.to, code, why).pack()
            )
        await self._settle(notice.key, SendOutcome(False, code, why, self._clock()))
        log.alarm("notice.failed", key=notice.key, to=notice.to.kind, code=code, what=f"有一条通知没有发出：{why}")

    async def _settle(self, key: str, outcome: SendOutcome) -> None:
        """Keep the outcome, however long the store is away: what was sent must not be sent again."""
        attempt = 0
        while True:
            try:
                await self._store.put_note(_done(key), json.dumps(asdict(outcome)), _REMEMBER_SECONDS)
                await self._store.put_mark(_WAITING, key, None)
                return
            except StoreError:
                await self._sleep(backoff(attempt, first=0.1, longest=2.0))
                attempt += 1

    async def _close(self, lane: str, seconds: float) -> None:
        """Nothing more goes out in this lane for so long, from any replica."""
        until = self._clock() + seconds
        self._hold[lane] = until
        await self._store.put_note(_free(lane), repr(until), seconds)

    # -- what waits in the store -----------------------------------------------------------------

    async def _take_on(self, parcel: QueuedNotice) -> None:
        key = parcel.notice.key
        if await self._store.note(_done(key)) is None:
            await self._store.put_mark(_WAITING, key, json.dumps(asdict(parcel), ensure_ascii=False))

    async def _read(self) -> dict[str, QueuedNotice]:
        waiting = await self._store.marks(_WAITING)
        # A key stands for one text, so that each is read only once.
        self._parcels = {key: self._parcels.get(key) or unpack(json.loads(text)) for key, text in waiting.items()}
        return self._parcels


async def forget_notices(store: Store, person: str, about: Sequence[str] = ()) -> int:
    """Drop what waits for one person or whose key begins with one of `about`, and what was given up; how many waited.

    What is being sent at this moment may still arrive. Raises StoreError.
    """
    to, gone = Address("person", person), 0
    for key, text in (await store.marks(_WAITING)).items():
        if key.startswith(tuple(about)) or unpack(json.loads(text)).notice.to == to:
            await store.put_mark(_WAITING, key, None)
            gone += 1
    failed = await store.journal(FAILED, 0.0)
    await store.drop_lines(FAILED, [line.number for line in failed if SendFailure.unpack(line.text).to == to])
    return gone


async def _in_time(send: Awaitable[_T]) -> _T:
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            return await send
    except TimeoutError as exc:
        raise OutcomeUnknown("钉钉没有在时限内回应，不知道是否送达", code="timeout") from exc


def _held(lane: str) -> str:
    return f"{LEASE_PREFIX}outbox:{lane}"


def _done(key: str) -> str:
    return f"outbox:{key}"


def _free(lane: str) -> str:
    return f"outbox-free:{lane}"


def _uuid(keys: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]
