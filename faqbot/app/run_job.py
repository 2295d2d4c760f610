"""One rule run once on demand, beside a bot that may be running: the `jobs run` command."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from datetime import date, datetime

from faqbot.analytics.weekly_figures import digest_of
from faqbot.app.knowledge_source import shelf_of
from faqbot.app.running import http_session, open_api, open_outbox, open_reports
from faqbot.automation.event_queue import EventQueue
from faqbot.automation.run_log import RUNS, Run, unpack_runs
from faqbot.automation.runner import LATE_SECONDS, Firing
from faqbot.automation.wiring import open_routine
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import Robot
from faqbot.errors import StartError
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.outbox.outbox import Outbox
from faqbot.outbox.queued_notice import Delay, SendOutcome
from faqbot.runtime.metrics import Metrics
from faqbot.settings import Settings
from faqbot.store.opening import open_store

# So long the command waits for its messages to go out; what waits longer is the running bot's.
_WAIT_SECONDS = 60.0


async def run_now(
    settings: Settings, rule_id: str, values: Mapping[str, object]
) -> tuple[Run, dict[str, SendOutcome | Delay | None]]:
    """Run the rule; what became of it and of its notices, or what they still wait for.

    Raises StartError, KnowledgeMissing, StoreError.
    """

    def today() -> date:
        return datetime.now(settings.timezone).date()

    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        store = await open_store(settings.store)
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(http_session(settings))
        shelf = shelf_of(settings, store)
        library = KnowledgeBase(shelf, today, settings.strictness)
        stack.push_async_callback(library.close)
        await library.refresh()
        quota = Quota(store, metrics, calls=settings.quota_calls, messages=settings.quota_messages, today=today)
        stack.push_async_callback(quota.flush)
        api = open_api(settings, session, store, metrics, quota.call)
        robot = Robot(api, settings.robot_code)
        outbox = open_outbox(settings, session, library, store, robot, metrics, quota, time.time)
        directory = ContactsCache(api, store)
        reports = open_reports(settings, directory, store, outbox, quota, time.time)
        workspace = Workspace(library, shelf, store, today)
        routine = open_routine(
            settings,
            session,
            library,
            store,
            outbox,
            EventQueue(store),
            directory,
            reports,
            time.time,
            digest=lambda: digest_of(workspace, settings.timezone),
            late=LATE_SECONDS,
        )
        automations = library.current.automations
        rule = automations.rule(rule_id)
        if rule is None:
            raise StartError(f"没有叫“{rule_id}”的任务")
        now = time.time()
        start = Firing(rule, f"{rule.id}@now-{now:.3f}", now, values, timed=False)
        await routine.runner.perform(start, automations)
        (run,) = [r for r in unpack_runs(await store.journal(RUNS, now - 60), rule_id) if r.key == start.key]
        return run, await _sent(outbox, run)


async def _sent(outbox: Outbox, run: Run) -> dict[str, SendOutcome | Delay | None]:
    """Send the notices of a run, and tell what became of each."""
    fates: dict[str, SendOutcome | Delay | None] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_WAIT_SECONDS):
            while True:
                fates = await outbox.fates(run.notices)
                if all(isinstance(fate, SendOutcome) for fate in fates.values()):
                    break
                await outbox.look()
                await outbox.idle()
                await asyncio.sleep(0.2)
    return fates
