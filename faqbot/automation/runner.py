"""Run a rule once per firing (timer or event): check that it may run, execute its actions, log the run.

If the replica that holds the lease of a run dies, another repeats it; the keys of its notices prevent a second arrival.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from faqbot.automation.executor import ActionResult, Task
from faqbot.automation.run_log import RUNS_JOURNAL, Run, RunOutcome
from faqbot.errors import DeliveryError, StoreError
from faqbot.rules.conditions import judge
from faqbot.rules.definitions import Automations, EnvironmentLookup, Notify, Rule
from faqbot.rules.values import MissingValue, Values
from faqbot.runtime.leases import LEASE_SECONDS, OnceStore, run_once
from faqbot.runtime.log import EventLog
from faqbot.runtime.retry import retry
from faqbot.store.json_records import to_json
from faqbot.store.protocol import JournalStore

log = EventLog(__name__)

# A firing is known to be done for this long; the scheduler does not look further back.
REMEMBER_SECONDS = 60 * 86400.0
# An action that may still succeed is repeated after these delays.
_RETRY_DELAYS_SECONDS = (1.0, 2.0, 4.0, 8.0)


class RunStore(OnceStore, JournalStore, Protocol):
    """The roles of the store that hold claims and notes of runs, and their journal."""


Do = Callable[[Task], Awaitable[ActionResult]]


@dataclass(frozen=True, slots=True)
class Firing:
    """One start of a rule. `due` is the intended time, `values` are those that the rule may use.

    `key` names the firing by its rule and by its intended time or its event.

    The notices of the run expire at `expires`; 0 leaves them the default. Times are epoch seconds.
    """

    rule: Rule
    key: str
    due: float
    values: Values
    expires: float = 0.0


class Runner:
    """`do` does one action. `clock` is epoch seconds."""

    def __init__(
        self,
        store: RunStore,
        do: Do,
        *,
        variable: EnvironmentLookup,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self._store = store
        self._do = do
        self._variable = variable
        self._clock = clock
        self._sleep = sleep
        self._lease = lease

    async def perform(self, firing: Firing, automations: Automations) -> bool:
        """Run the rule once for this firing, unless it must not run; return False while another replica runs it.

        Raises StoreError.
        """
        if await self.is_done(firing.key):
            return True
        if why_not := automations.blocked_reason(firing.rule, self._variable):
            await self.skip(firing, "broken", why_not)
            return True
        condition = firing.rule.condition
        if condition is not None and not (judged := judge(condition, firing.values)).holds:
            await self.skip(firing, "condition", judged.reason)
            return True

        async def run() -> str:
            await self._store.put_note(_begun_note(firing.key), "1", REMEMBER_SECONDS)
            finished = await self._act(firing)
            await self._write_down(finished)
            return finished.outcome

        return await run_once(
            self._store,
            f"job:{firing.key}",
            run,
            done_note=_done_note(firing.key),
            remember=REMEMBER_SECONDS,
            lease=self._lease,
        )

    async def skip(self, firing: Firing, outcome: RunOutcome, why: str) -> None:
        """Write down, as one replica for all, that a rule was not run and why. Raises StoreError."""
        if await self._store.claim(f"job-pass:{firing.key}", REMEMBER_SECONDS):
            await self._write_down(self._run(firing, outcome, why))
            await self._store.put_note(_done_note(firing.key), outcome, REMEMBER_SECONDS)

    async def is_done(self, key: str) -> bool:
        """Return True if the firing was run or skipped. Raises StoreError."""
        return await self._store.note(_done_note(key)) is not None

    async def has_begun(self, key: str) -> bool:
        """Return True if a replica has begun to run the firing. Raises StoreError."""
        return await self._store.note(_begun_note(key)) is not None

    async def _act(self, firing: Firing) -> Run:
        """Do the actions one after the other; the first that fails ends the run. Raises StoreError."""
        step_note = f"job-step:{firing.key}"
        steps_done = int(await self._store.note(step_note) or 0)
        results: list[str] = []
        notices: list[str] = []
        for number, action in enumerate(firing.rule.actions, 1):
            # After a crash, steps that were done are not repeated; posting notices again is harmless, and the run
            # needs their keys.
            if number <= steps_done and not isinstance(action, Notify):
                continue
            try:
                result = await self._do_with_retries(Task(action, firing.key, number, firing.values, firing.expires))
            except (MissingValue, DeliveryError) as exc:
                step = f"第 {number} 步：" if len(firing.rule.actions) > 1 else ""
                return self._run(firing, "failed", f"{step}{exc}", notices)
            except StoreError:
                raise
            except Exception as exc:
                # The edge of the run: it must not be tried without end.
                log.error("job.broke", rule=firing.rule.id, cause=exc)
                return self._run(firing, "failed", "内部错误，详见日志", notices)
            results += [result.why] if result.why else []
            notices += result.notices
            await self._store.put_note(step_note, str(number), REMEMBER_SECONDS)
        return self._run(firing, "done", "；".join(results), notices)

    async def _do_with_retries(self, task: Task) -> ActionResult:
        """Do an action, again after pauses while it may still succeed. Raises as ActionExecutor.do."""

        def log_retry(failure: DeliveryError, attempt: int) -> None:
            log.warning("job.retry", key=task.key, code=failure.code, attempt=attempt)

        return await retry(lambda: self._do(task), delays=_RETRY_DELAYS_SECONDS, sleep=self._sleep, on_retry=log_retry)

    def _run(self, firing: Firing, outcome: RunOutcome, why: str, notices: Sequence[str] = ()) -> Run:
        return Run(firing.rule.id, firing.key, self._clock(), firing.due, outcome, why, tuple(notices))

    async def _write_down(self, run: Run) -> None:
        await self._store.write_journal(RUNS_JOURNAL, run.at, to_json(run))
        if run.outcome == "failed":
            log.critical("job.failed", rule=run.rule_id, key=run.key, what=f"“{run.rule_id}”没有做成：{run.why}")
        else:
            log.info("job.settled", rule=run.rule_id, key=run.key, outcome=run.outcome)


def _begun_note(key: str) -> str:
    return f"job-begun:{key}"


def _done_note(key: str) -> str:
    return f"job-done:{key}"
