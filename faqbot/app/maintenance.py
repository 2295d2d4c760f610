"""Maintenance of a running bot: saves the quota count and deletes records past their retention period."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from faqbot.automation.run_log import RUNS_JOURNAL
from faqbot.dingtalk.api.quota import Quota
from faqbot.errors import StoreError
from faqbot.handoff.tickets import NUMBER_JOURNAL
from faqbot.outbox.queued_notice import FAILED_NOTICES
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_periodically
from faqbot.store.protocol import Store

log = EventLog(__name__)

_QUOTA_EVERY_SECONDS = 5.0
_PURGE_EVERY_SECONDS = 6 * 3600.0
_JOURNALS = (RUNS_JOURNAL, FAILED_NOTICES, NUMBER_JOURNAL)


@dataclass(slots=True)
class Maintenance:
    """Deletes records older than `keep_days`, by real time."""

    store: Store
    quota: Quota
    keep_days: int
    _purge_at: float = 0.0

    async def run(self) -> None:
        """Poll until cancelled."""
        await run_periodically(self.poll_once, _report, error_delay=_QUOTA_EVERY_SECONDS)

    async def poll_once(self) -> float:
        """Write the quota down, purge if it is time, and return the seconds until the next poll. Raises StoreError."""
        await self.quota.watch()
        now = time.time()
        if now >= self._purge_at:
            # One replica is enough.
            if await self.store.claim("purge", _PURGE_EVERY_SECONDS - 60):
                await self._purge(now - self.keep_days * 86400)
            self._purge_at = time.time() + _PURGE_EVERY_SECONDS
        return _QUOTA_EVERY_SECONDS

    async def _purge(self, before: float) -> None:
        questions = await self.store.purge(before)
        for journal in _JOURNALS:
            await self.store.trim_journal(journal, before)
        log.info("store.purged", questions=questions)


async def flush_quota(quota: Quota) -> None:
    """Store the counts since the last poll; counts that the store does not take are lost."""
    with contextlib.suppress(StoreError):
        await quota.flush()


def _report(exc: Exception) -> None:
    log.error("house.failed", cause=exc)
