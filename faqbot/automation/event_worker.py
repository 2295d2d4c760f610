"""Worker of the event queue: claim several events at once, run their rules, and mark them finished."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from faqbot.automation.event_queue import EventQueue
from faqbot.automation.runner import Firing, Runner
from faqbot.errors import StoreError
from faqbot.model.notices import Event
from faqbot.rules.definitions import Automations
from faqbot.runtime.lanes import Lanes
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

# The poll interval. A live replica acts at once on what it accepted, so polling only finds the events of a dead one.
_POLL_SECONDS = 5.0
_MAX_AT_ONCE = 20
_MAX_ID_LENGTH = 64


class EventWorker:
    """`automations` returns the rules that are live."""

    def __init__(self, queue: EventQueue, runner: Runner, automations: Callable[[], Automations]) -> None:
        self._queue = queue
        self._runner = runner
        self._automations = automations
        self._lanes = Lanes(
            lambda name, exc: log.error("event.failed", name=name.partition("\n")[0], cause=exc),
            error_delay=_POLL_SECONDS,
            wake=queue.accepted,
        )

    async def run(self) -> None:
        """Act on events until cancelled; those under way are then left to the next process."""
        try:
            await self._lanes.run(self.poll, lambda exc: log.error("events.failed", cause=exc))
        finally:
            await self._lanes.drain(0)

    async def poll(self) -> float:
        """Start to act on events that wait; return the seconds until the next poll. Raises StoreError."""
        free = _MAX_AT_ONCE - self._lanes.running
        # Claim many at a time, since each claim reads all events that wait.
        if free >= _MAX_AT_ONCE // 2:
            for event in await self._queue.claim(free):
                lane = f"{event.name}\n{event.id}"
                if self._lanes.is_free(lane):
                    self._lanes.start(lane, partial(self._act_on, event))
        return _POLL_SECONDS

    async def _act_on(self, event: Event) -> float:
        """Run the rules that wait for an event, and finish the event once all of them are done."""
        try:
            if await self._run_rules(event):
                await self._queue.finish(event)
                return 0.0
        except (StoreError, asyncio.CancelledError):
            await self._retry_later(event)
            raise
        await self._retry_later(event)
        return 0.0

    async def _run_rules(self, event: Event) -> bool:
        """Return False while another replica is running one of the rules."""
        automations, all_done = self._automations(), True
        for rule in automations.rules_for_event(event.name):
            firing = Firing(rule, f"{rule.id}#{_short(event.id)}", event.at, event.data)
            all_done = await self._runner.perform(firing, automations) and all_done
        return all_done

    async def _retry_later(self, event: Event) -> None:
        with suppress(StoreError):
            await self._queue.retry_later(event)


def _short(event_id: str) -> str:
    """Return the id as part of a key, hashed if it is long: the sender chose it."""
    if len(event_id) <= _MAX_ID_LENGTH:
        return event_id
    return hashlib.sha256(event_id.encode("utf-8", "replace")).hexdigest()[:32]
