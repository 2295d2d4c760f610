"""Start rules at their scheduled times: find due ones, catch up on missed ones, and store the progress."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from faqbot.automation.overview import calendar_warning
from faqbot.automation.payloads import moment_values
from faqbot.automation.runner import Firing, Runner
from faqbot.rules.definitions import Automations, EventTrigger, Rule
from faqbot.rules.schedule import Occurrence, occurrences
from faqbot.runtime.lanes import Lanes
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import ClaimStore, MarkStore

log = EventLog(__name__)

# An occurrence that is found later than this was missed while no replica ran; until then it runs as if it were on time.
LATE_SECONDS = 120.0
# The poll interval. A rule that was just written counts from the moment when a poll first sees it.
_POLL_SECONDS = 5.0
# A rule that another replica is running is looked at again after this long; if that replica dies, its lease ends.
_LEASE_RETRY_SECONDS = 1.0
# Occurrences of a longer time are searched in a thread: after days off a rule of every minute has thousands of them.
_LONG_SECONDS = 600.0
# Occurrences that are older are neither made up for nor written down as missed.
_LOOK_BACK_SECONDS = 40 * 86400.0
# The notices of a rule that is not made up for expire after this long: a call to work is of no use hours later.
_NOTICE_EXPIRY_SECONDS = 2 * 3600.0
# The marks that hold for each rule a hash of its trigger and the time up to which its occurrences are done.
_PROGRESS = "jobs-settled"


class ScheduleStore(ClaimStore, MarkStore, Protocol):
    """The roles of the store that hold the progress of schedules."""


class Scheduler:
    """`automations` returns the rules that are live. `clock` is epoch seconds.

    `late` is how many seconds late an occurrence may start. If it is infinite nothing counts as missed, however far
    the clock is moved: the sandbox needs that.
    """

    def __init__(
        self,
        store: ScheduleStore,
        runner: Runner,
        automations: Callable[[], Automations],
        *,
        zone: ZoneInfo,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        late: float = LATE_SECONDS,
    ) -> None:
        self._store = store
        self._runner = runner
        self._automations = automations
        self._zone = zone
        self._clock = clock
        self._late = late
        self._lanes = Lanes(
            lambda rule_id, exc: log.error("job.broke", rule=rule_id, cause=exc),
            error_delay=_POLL_SECONDS,
            sleep=sleep,
        )
        self._progress: dict[str, tuple[str, float]] = {}
        self._warned_on = ""
        self._polling = asyncio.Lock()

    async def run(self) -> None:
        """Start the rules that are due, until cancelled."""
        await self._lanes.run(self.poll, lambda exc: log.error("jobs.failed", cause=exc))

    def wake(self) -> None:
        """Poll again now, since the clock was moved."""
        self._lanes.wake()

    async def idle(self) -> None:
        """Wait until no rule is running."""
        await self._lanes.idle()

    async def drain(self, seconds: float) -> None:
        """Wait for the rules that are running; the next process does those that are not done by then."""
        await self._lanes.drain(seconds)

    async def poll(self) -> float:
        """Start the rules that are due; return the seconds until the next poll. Raises StoreError."""
        # The loop and the sandbox, which moves the clock, must not both start the same.
        async with self._polling:
            now, automations = self._clock(), self._automations()
            await self._warn_of_unknown_holidays(automations, now)
            pauses = [await self._start_if_due(rule, automations, now) for rule in automations.rules]
            return min([_POLL_SECONDS, *pauses])

    async def _start_if_due(self, rule: Rule, automations: Automations, now: float) -> float:
        """Start the rule if it is due; return the seconds until it will be."""
        trigger = rule.trigger
        if trigger is None or isinstance(trigger, EventTrigger) or not self._lanes.is_free(rule.id):
            return math.inf
        since = await self._done_until(rule, now)
        coming = occurrences(trigger, since, now + _POLL_SECONDS, self._zone, automations.calendar)
        next_ones = await asyncio.to_thread(list, coming) if now - since > _LONG_SECONDS else list(coming)
        if due := [occurrence for occurrence in next_ones if occurrence.at <= now]:
            self._lanes.start(rule.id, partial(self._catch_up, rule, due, automations))
            return math.inf
        return min((occurrence.at - now for occurrence in next_ones if not occurrence.skip_reason), default=math.inf)

    async def _catch_up(self, rule: Rule, due: Sequence[Occurrence], automations: Automations) -> float:
        """Run or skip the occurrences of one rule, oldest first, until one that another replica is running."""
        last = max((occurrence.at for occurrence in due if not occurrence.skip_reason), default=0.0)
        for occurrence in due:
            if not await self._run_or_skip(rule, occurrence, automations, last=occurrence.at >= last):
                return _LEASE_RETRY_SECONDS
            await self._record_progress(rule, occurrence.at)
        return 0.0

    async def _run_or_skip(self, rule: Rule, occurrence: Occurrence, automations: Automations, *, last: bool) -> bool:
        """Run the rule, or write down why it is not run; return False while another replica is running it.

        `last` says that no later occurrence is due.
        """
        moment = datetime.fromtimestamp(occurrence.at, self._zone)
        key = f"{rule.id}@{moment.isoformat(timespec='minutes')}"
        if await self._runner.is_done(key):
            return True
        expiring = rule.misfire_policy == "skip" and self._late < math.inf
        expires = occurrence.at + _NOTICE_EXPIRY_SECONDS if expiring else 0.0
        firing = Firing(rule, key, occurrence.at, moment_values(moment), expires)
        late = self._clock() - occurrence.at > self._late and not await self._runner.has_begun(key)
        if occurrence.skip_reason:
            await self._runner.skip(firing, "day_off", occurrence.skip_reason)
        elif late and not (rule.misfire_policy == "once" and last):
            more = "" if rule.misfire_policy == "skip" else "，只补最后一次"
            await self._runner.skip(firing, "missed", f"{moment.strftime('%m-%d %H:%M')} 的时候机器人没有运行{more}")
        else:
            return await self._runner.perform(firing, automations)
        return True

    # -- progress --------------------------------------------------------------------------------

    async def _done_until(self, rule: Rule, now: float) -> float:
        """Return the time up to which all occurrences of a rule are done; now for one that is new or rescheduled."""
        trigger_hash = hashlib.sha256(repr(rule.trigger).encode()).hexdigest()[:8]
        progress = self._progress.get(rule.id)
        if progress is None:
            text = (await self._store.marks(_PROGRESS)).get(rule.id, "")
            stored_hash, _, at = text.partition("|")
            progress = (stored_hash, float(at or 0))
        if progress[0] != trigger_hash:
            progress = (trigger_hash, now)
            await self._store.put_mark(_PROGRESS, rule.id, f"{trigger_hash}|{now!r}")
        self._progress[rule.id] = progress
        return max(progress[1], now - _LOOK_BACK_SECONDS)

    async def _record_progress(self, rule: Rule, at: float) -> None:
        trigger_hash = self._progress[rule.id][0]
        await self._store.put_mark(_PROGRESS, rule.id, f"{trigger_hash}|{at!r}")
        self._progress[rule.id] = (trigger_hash, at)

    async def _warn_of_unknown_holidays(self, automations: Automations, now: float) -> None:
        """Log once a day, by one replica, that the holidays of this year are not known."""
        today = datetime.fromtimestamp(now, self._zone).date()
        if str(today) == self._warned_on or automations.calendar.knows(today.year):
            return
        self._warned_on = str(today)
        if await self._store.claim(f"job-calendar:{today}", 86400):
            log.critical("jobs.calendar_unknown", year=today.year, what=calendar_warning(today.year))
