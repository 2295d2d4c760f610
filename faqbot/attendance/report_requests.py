"""Queue of attendance reports requested in chat: stored, and made one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from faqbot.attendance.collector import ReportRefused
from faqbot.attendance.report import AttendanceReports
from faqbot.errors import DeliveryError
from faqbot.model.notice_keys import part_key
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.lanes import Lanes
from faqbot.runtime.leases import run_under_lease
from faqbot.runtime.log import EventLog
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import ClaimStore, MarkStore

log = EventLog(__name__)

_REQUESTS = "attendance-asked"
# The poll interval, and the pause before a report that failed is tried again.
_POLL_SECONDS = 10.0
# A report that fails for this long is given up.
_GIVE_UP_SECONDS = 3600.0


class ReportRequestStore(ClaimStore, MarkStore, Protocol):
    """The roles of the store that hold requested reports."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report that a person asked for, at `at` (epoch seconds), and alone will get."""

    userid: str
    month: str
    departments: tuple[str, ...]
    at: float


class ReportRequests:
    """`clock` is epoch seconds."""

    def __init__(
        self,
        reports: AttendanceReports,
        store: ReportRequestStore,
        outbox: Outbox,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reports = reports
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._lanes = Lanes(
            lambda key, exc: log.error("attendance.failed", cause=exc), error_delay=_POLL_SECONDS, workers=1
        )

    async def add(self, key: str, request: ReportRequest) -> None:
        """Store the request; once this returns the report is made even if the process dies. Raises StoreError."""
        await self._store.put_mark(_REQUESTS, key, to_json(request))
        self._lanes.wake()

    async def run(self) -> None:
        """Make the requested reports until cancelled; the one under way is then left to the next process."""
        try:
            await self._lanes.run(self._poll, lambda exc: log.error("attendance.failed", cause=exc))
        finally:
            await self._lanes.drain(0)

    async def _poll(self) -> float:
        for key, text in (await self._store.marks(_REQUESTS)).items():
            if self._lanes.is_free(key):
                self._lanes.start(key, partial(self._make, key, from_json(ReportRequest, text)))
        return _POLL_SECONDS

    async def _make(self, key: str, request: ReportRequest) -> float:
        """Make a report unless another replica is making it; return the seconds until the next attempt."""
        finished = False

        async def make() -> None:
            nonlocal finished
            finished = await self._report_or_refuse(f"asked:{key}", request)
            if finished:
                await self._store.put_mark(_REQUESTS, key, None)

        await run_under_lease(self._store, f"{_REQUESTS}:{key}", make)
        return 0.0 if finished else _POLL_SECONDS

    async def _report_or_refuse(self, run: str, request: ReportRequest) -> bool:
        """Send the report, or tell the person why there is none; return False if it is to be tried again."""
        try:
            await self._reports.report(request.month, request.departments, run=run, hr=(request.userid,))
        except (ReportRefused, DeliveryError) as exc:
            late = self._clock() - request.at > _GIVE_UP_SECONDS
            if isinstance(exc, DeliveryError) and not exc.permanent and not late:
                log.warning("attendance.retry", code=exc.code)
                return False
            to, body = Address("person", request.userid), f"考勤报表没有做成：{exc}"
            await self._outbox.post(Notice(part_key(run, "refused"), to, "考勤报表没有做成", body))
        return True


async def forget_requests(store: MarkStore, person: str) -> int:
    """Delete the requests of a person that wait; return how many there were. Raises StoreError."""
    keys = [
        key for key, text in (await store.marks(_REQUESTS)).items() if from_json(ReportRequest, text).userid == person
    ]
    for key in keys:
        await store.put_mark(_REQUESTS, key, None)
    return len(keys)
