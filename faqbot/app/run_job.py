"""Runs one rule once on demand (`jobs run`), even while a bot is running."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from faqbot.app.wiring import open_services
from faqbot.automation.run_log import RUNS_JOURNAL, Run, unpack_runs
from faqbot.automation.runner import Firing
from faqbot.errors import StartError
from faqbot.outbox.outbox import Outbox
from faqbot.outbox.queued_notice import Delay, SendOutcome
from faqbot.settings import Settings

# The command waits this long for its messages to go out; the running bot sends what waits longer.
_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.2


async def run_job(
    settings: Settings, rule_id: str, values: Mapping[str, object]
) -> tuple[Run, dict[str, SendOutcome | Delay | None]]:
    """Run the rule; return its run and, for each of its notices, its outcome or the reason why it waits.

    Raises StartError, StoreError.
    """
    async with contextlib.AsyncExitStack() as stack:
        services = await stack.enter_async_context(open_services(settings, time.time, serving=False))
        stack.push_async_callback(services.dingtalk.quota.flush)
        automations = services.knowledge.automations()
        rule = automations.rule(rule_id)
        if rule is None:
            raise StartError(f"没有叫“{rule_id}”的任务")
        now = time.time()
        firing = Firing(rule, f"{rule.id}@now-{now:.3f}", now, values)
        await services.automation.runner.perform(firing, automations)
        lines = await services.resources.store.journal(RUNS_JOURNAL, now - 60)
        (run,) = [run for run in unpack_runs(lines, rule_id) if run.key == firing.key]
        return run, await _send(services.outbox, run)


async def _send(outbox: Outbox, run: Run) -> dict[str, SendOutcome | Delay | None]:
    """Send the notices of a run; return the outcome of each, by its key."""
    outcomes: dict[str, SendOutcome | Delay | None] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_WAIT_SECONDS):
            while True:
                outcomes = await outbox.statuses(run.notices)
                if all(isinstance(outcome, SendOutcome) for outcome in outcomes.values()):
                    break
                await outbox.poll()
                await outbox.idle()
                await asyncio.sleep(_POLL_SECONDS)
    return outcomes
