"""The loop of the routine jobs: what is due or has happened is claimed by one replica, done, and written down.

A firing is named by its rule and its *intended* time. Whoever claims it holds a lease: when it dies before the end
another takes over, and the names of what is sent keep anything from appearing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from faqbot.automation.executor import ActionResult, Task
from faqbot.automation.payloads import moment_values
from faqbot.automation.run_log import RUNS_JOURNAL, Outcome, Run, pack_run
from faqbot.errors import DeliveryError, StoreError
from faqbot.rules.conditions import judge
from faqbot.rules.definitions import Automations, EventTrigger, Notify, Rule, Variables
from faqbot.rules.schedule import Occurrence, occasions
from faqbot.rules.values import MissingValue, Values
from faqbot.runtime.leases import LEASE_SECONDS, run_under_lease
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_periodically, wait_for_event
from faqbot.runtime.retry import backoff
from faqbot.store.protocol import ClaimStore, JournalStore, MarkStore, NoteStore

log = EventLog(__name__)

# A firing found so late was missed while nobody ran; until then it is done as if nothing had been.
LATE_SECONDS = 120.0
# A rule that was just written counts from the moment it is seen.
_LOOK_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_LONG_SECONDS = 600.0
# What is older is not made up for, and not looked for.
_LOOK_BACK_SECONDS = 40 * 86400.0
_REMEMBER_SECONDS = 60 * 86400.0
# A call to work is of no use hours later.
_FRESH_SECONDS = 2 * 3600.0
_TRIES = 5
_MARKS = "jobs-settled"


class RunStore(ClaimStore, NoteStore, MarkStore, JournalStore, Protocol):
    """The roles of the store that hold runs and their log."""


Do = Callable[[Task], Awaitable[ActionResult]]


@dataclass(frozen=True, slots=True)
class Firing:
    """One time a rule is started: by which name it is known, when it should be, and what it may use."""

    rule: Rule
    key: str
    due: float
    values: Values
    timed: bool


class Runner:
    """`automations` gives the rules that are live. `clock` is epoch seconds.

    With an endless `late` everything that a moved clock passes is done, none is missed: that is for rehearsals.
    """

    def __init__(
        self,
        store: RunStore,
        automations: Callable[[], Automations],
        do: Do,
        *,
        zone: ZoneInfo,
        variable: Variables,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        late: float = LATE_SECONDS,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self._store = store
        self._automations = automations
        self._do = do
        self._zone = zone
        self._variable = variable
        self._clock = clock
        self._sleep = sleep
        self._late = late
        self._lease = lease
        self._settled: dict[str, tuple[str, float]] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._warned = ""
        self._looking = asyncio.Lock()
        self._wake = asyncio.Event()

    # -- the loop --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Do what is due, until cancelled."""
        await run_periodically(
            self.look,
            lambda exc: log.error("jobs.failed", cause=exc),
            error_delay=_LOOK_SECONDS,
            wait=partial(wait_for_event, self._wake),
        )

    def wake(self) -> None:
        """Look again now: the clock was moved or something came in."""
        self._wake.set()

    async def look(self) -> float:
        """Begin what is due; the seconds until this should be asked again. Raises StoreError."""
        # The loop and somebody who moves the clock must not both begin the same.
        async with self._looking:
            return await self._look(self._clock())

    async def _look(self, now: float) -> float:
        automations = self._automations()
        await self._warn(automations, now)
        pause = _LOOK_SECONDS
        for rule in automations.rules:
            trigger = rule.trigger
            if trigger is None or isinstance(trigger, EventTrigger) or rule.id in self._busy:
                continue
            since = await self._settled_until(rule, now)
            coming = occasions(trigger, since, now + _LOOK_SECONDS, self._zone, automations.calendar)
            # After days off a job of every minute has come round some thousand times; meanwhile others are answered.
            found = await asyncio.to_thread(list, coming) if now - since > _LONG_SECONDS else list(coming)
            if passed := [occasion for occasion in found if occasion.at <= now]:
                self._busy[rule.id] = asyncio.create_task(self._catch_up(rule, passed, automations))
            else:
                pause = min([pause, *(occasion.at - now for occasion in found if not occasion.why_not)])
        return pause

    async def _catch_up(self, rule: Rule, passed: Sequence[Occurrence], automations: Automations) -> None:
        """Settle what has come round for one rule, oldest first, as far as this replica can."""
        last = max((occasion.at for occasion in passed if not occasion.why_not), default=0.0)
        try:
            for occasion in passed:
                if not await self._settle(rule, occasion, automations, last=occasion.at >= last):
                    # Another replica is at it; if that one dies, its lease ends.
                    await self._sleep(_AGAIN_SECONDS)
                    return
                await self._mark(rule, occasion.at)
        except StoreError:
            # What was sent is known by its names; all of it is done again when the store is back.
            await self._sleep(_AGAIN_SECONDS)
        except Exception as exc:
            # The edge of the job: it must not stop the others.
            log.error("job.broke", rule=rule.id, cause=exc)
            await self._sleep(_LOOK_SECONDS)
        finally:
            del self._busy[rule.id]
            self._wake.set()

    async def idle(self) -> None:
        """Wait until nothing is being done."""
        while self._busy:
            await asyncio.wait(self._busy.values())

    async def drain(self, seconds: float) -> None:
        """Wait for what is being done; the rest is done by the next process."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.idle()
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- one time of one rule --------------------------------------------------------------------

    async def _settle(self, rule: Rule, occasion: Occurrence, automations: Automations, *, last: bool) -> bool:
        """Whether nothing is left to do about an occasion: it was done, or begun here, or must not be."""
        moment = datetime.fromtimestamp(occasion.at, self._zone)
        key = f"{rule.id}@{moment.isoformat(timespec='minutes')}"
        if await self._store.note(_done(key)) is not None:
            return True
        start = Firing(rule, key, occasion.at, moment_values(moment), timed=True)
        late = self._clock() - occasion.at > self._late and await self._store.note(_begun(key)) is None
        if occasion.why_not:
            await self._pass_over(start, "day_off", occasion.why_not)
        elif late and not (rule.missed == "once" and last):
            shown = moment.strftime("%m-%d %H:%M")
            more = "" if rule.missed == "skip" else "，只补最后一次"
            await self._pass_over(start, "missed", f"{shown} 的时候机器人没有运行{more}")
        else:
            return await self.perform(start, automations)
        return True

    async def perform(self, start: Firing, automations: Automations) -> bool:
        """Run a rule once for this start, unless it must not be; False while another replica is at it.

        Raises StoreError.
        """
        if await self._store.note(_done(start.key)) is not None:
            return True
        if why_not := automations.why_not(start.rule, self._variable):
            await self._pass_over(start, "broken", why_not)
            return True
        if start.rule.condition is not None and not (judged := judge(start.rule.condition, start.values)).holds:
            await self._pass_over(start, "condition", judged.reason)
            return True

        async def run() -> None:
            # The one that held the lease before may have finished just as it ran out.
            if await self._store.note(_done(start.key)) is None:
                await self._store.put_note(_begun(start.key), "1", _REMEMBER_SECONDS)
                await self._record(await self.act(start))

        return await run_under_lease(self._store, f"job:{start.key}", run, lease=self._lease)

    async def act(self, start: Firing) -> Run:
        """Do the actions one after the other; the first that fails ends the run. Raises StoreError."""
        step_name = f"job-step:{start.key}"
        done_before = int(await self._store.note(step_name) or 0)
        stale = start.timed and start.rule.missed == "skip" and self._late < math.inf
        until = start.due + _FRESH_SECONDS if stale else 0.0
        said: list[str] = []
        notices: list[str] = []
        for number, action in enumerate(start.rule.actions, 1):
            # An action that posts nothing to the outbox is not repeated after a kill.
            if number <= done_before and not isinstance(action, Notify):
                continue
            try:
                done = await self._patiently(Task(action, start.key, number, start.values, until))
            except (MissingValue, DeliveryError) as exc:
                more = f"第 {number} 步：" if len(start.rule.actions) > 1 else ""
                return self._outcome(start, "failed", f"{more}{exc}", notices)
            except StoreError:
                raise
            except Exception as exc:
                # The edge of the job: it must neither stop the others nor be tried without end.
                log.error("job.broke", rule=start.rule.id, cause=exc)
                return self._outcome(start, "failed", "内部错误，详见日志", notices)
            said += [done.why] if done.why else []
            notices += done.notices
            await self._store.put_note(step_name, str(number), _REMEMBER_SECONDS)
        return self._outcome(start, "done", "；".join(said), notices)

    async def _patiently(self, task: Task) -> ActionResult:
        """Do an action, again after pauses while it may still work. Raises what Hands.do raises."""
        for attempt in range(_TRIES - 1):
            try:
                return await self._do(task)
            except DeliveryError as exc:
                if exc.permanent:
                    raise
                log.warning("job.retry", key=task.key, code=exc.code, attempt=attempt + 1)
            await self._sleep(backoff(attempt, first=1.0))
        return await self._do(task)

    # -- what is written down --------------------------------------------------------------------

    def _outcome(self, start: Firing, outcome: Outcome, why: str, notices: Sequence[str] = ()) -> Run:
        return Run(start.rule.id, start.key, self._clock(), start.due, outcome, why, tuple(notices))

    async def _pass_over(self, start: Firing, outcome: Outcome, why: str) -> None:
        """Write down, by one replica, that a rule was not run and why."""
        if await self._store.claim(f"job-pass:{start.key}", _REMEMBER_SECONDS):
            await self._record(self._outcome(start, outcome, why))

    async def _record(self, run: Run) -> None:
        await self._store.write_journal(RUNS_JOURNAL, run.at, pack_run(run))
        await self._store.put_note(_done(run.key), run.outcome, _REMEMBER_SECONDS)
        if run.outcome == "failed":
            log.alarm("job.failed", rule=run.rule_id, key=run.key, what=f"“{run.rule_id}”没有做成：{run.why}")
        else:
            log.info("job.settled", rule=run.rule_id, key=run.key, outcome=run.outcome)

    async def _settled_until(self, rule: Rule, now: float) -> float:
        """Up to when all is settled about a rule; for one that is new or has another schedule, until now."""
        shape = hashlib.sha256(repr(rule.trigger).encode()).hexdigest()[:8]
        known = self._settled.get(rule.id)
        if known is None:
            text = (await self._store.marks(_MARKS)).get(rule.id, "")
            marked, _, at = text.partition("|")
            known = (marked, float(at or 0))
        if known[0] != shape:
            known = (shape, now)
            await self._store.put_mark(_MARKS, rule.id, f"{shape}|{now!r}")
        self._settled[rule.id] = known
        return max(known[1], now - _LOOK_BACK_SECONDS)

    async def _mark(self, rule: Rule, at: float) -> None:
        shape = self._settled[rule.id][0]
        await self._store.put_mark(_MARKS, rule.id, f"{shape}|{at!r}")
        self._settled[rule.id] = (shape, at)

    async def _warn(self, automations: Automations, now: float) -> None:
        """Say once a day that the holidays of this year are not known."""
        today = datetime.fromtimestamp(now, self._zone).date()
        if str(today) == self._warned or automations.calendar.knows(today.year):
            return
        self._warned = str(today)
        if await self._store.claim(f"job-calendar:{today}", 86400):
            log.alarm("jobs.calendar_unknown", year=today.year, what=calendar_warning(today.year))


def calendar_warning(year: int) -> str:
    """What to do about a year whose holidays are not known."""
    return (
        f"还不知道 {year} 年的节假日安排，暂时按周一到周五算工作日；请升级 faqbot（或其中的 chinesecalendar），"
        "也可以在 automations.yaml 的 calendar 里写上放假和补班的日子"
    )


def _begun(key: str) -> str:
    return f"job-begun:{key}"


def _done(key: str) -> str:
    return f"job-done:{key}"
