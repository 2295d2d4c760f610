"""Events out of the queue and into the rules that wait for them, several at once, each event finished only when its
rules are."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from faqbot.automation.runner import Firing, Runner
from faqbot.errors import StoreError
from faqbot.model.notices import Event
from faqbot.rules.definitions import Automations
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_periodically

log = EventLog(__name__)

# What other replicas accepted is theirs, unless they died.
_LOOK_SECONDS = 5.0
_AT_ONCE = 20
_LONGEST_ID = 64


class Queue(Protocol):
    """The events that wait; what is taken is a lease's length ours."""

    async def take(self, most: int = 20) -> Sequence[Event]: ...
    async def done(self, event: Event) -> None: ...
    async def later(self, event: Event) -> None: ...
    async def came(self, seconds: float) -> None: ...


class EventWorker:
    """Gives each event to its rules."""

    def __init__(self, queue: Queue, runner: Runner, automations: Callable[[], Automations]) -> None:
        self._queue = queue
        self._runner = runner
        self._automations = automations

    async def run(self) -> None:
        """Take events until cancelled."""

        async def look() -> float:
            while await self.look():
                pass
            return _LOOK_SECONDS

        await run_periodically(
            look, lambda exc: log.error("events.failed", cause=exc), error_delay=_LOOK_SECONDS, wait=self._queue.came
        )

    async def look(self) -> int:
        """Act on what waits; how many events were finished. Raises StoreError."""
        events = await self._queue.take(_AT_ONCE)
        return sum(await asyncio.gather(*(self._act_on(event) for event in events)))

    async def _act_on(self, event: Event) -> bool:
        """Whether all rules that wait for the event are settled about it."""
        automations = self._automations()
        try:
            settled = True
            for rule in automations.on_event(event.name):
                start = Firing(rule, f"{rule.id}#{_short(event.id)}", event.at, event.data, timed=False)
                settled = await self._runner.perform(start, automations) and settled
            if settled:
                await self._queue.done(event)
                return True
        except StoreError:
            settled = False
        except asyncio.CancelledError:
            with suppress(StoreError):
                await self._queue.later(event)
            raise
        except Exception as exc:
            # The edge of the event: the others go on, and this one is tried again after its lease.
            log.error("event.failed", name=event.name, cause=exc)
            return False
        with suppress(StoreError):
            await self._queue.later(event)
        return False


def _short(event_id: str) -> str:
    """The id as part of a key: the sender chose it, so it may be as long as it likes."""
    if len(event_id) <= _LONGEST_ID:
        return event_id
    return hashlib.sha256(event_id.encode("utf-8", "replace")).hexdigest()[:32]
