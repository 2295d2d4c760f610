"""The routine jobs put together: the runner, what its actions work with, and the events on their way to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from faqbot.attendance.report import AttendanceReports
from faqbot.automation.add_contact import Joining
from faqbot.automation.attendance_report import Reporting
from faqbot.automation.event_queue import Events
from faqbot.automation.event_worker import Arrivals
from faqbot.automation.executor import Hands
from faqbot.automation.runner import Runner
from faqbot.dingtalk.api.contacts_cache import Directory
from faqbot.knowledge.knowledge_base import Library
from faqbot.model.notices import Event
from faqbot.outbox.outbox import Outbox
from faqbot.rules.definitions import Automations
from faqbot.settings import Settings
from faqbot.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Routine:
    """What works on the routine jobs."""

    runner: Runner
    arrivals: Arrivals
    events: Events
    automations: Callable[[], Automations]

    async def take(self, event: Event) -> None:
        """Put an event on record if a rule waits for it; a repeat changes nothing. Raises StoreError."""
        if self.automations().on_event(event.name):
            await self.events.accept(event)


def open_routine(
    settings: Settings,
    session: aiohttp.ClientSession,
    library: Library,
    store: Store,
    outbox: Outbox,
    events: Events,
    directory: Directory,
    reports: AttendanceReports,
    clock: Callable[[], float],
    *,
    digest: Callable[[], Awaitable[tuple[str, str]]],
    late: float,
) -> Routine:
    """Put the parts together; nothing runs yet. `late` is how many seconds late a job may begin."""

    def automations() -> Automations:
        return library.current.automations

    def people(name: str) -> tuple[str, ...]:
        return library.current.groups.keepers(name)

    def hr() -> tuple[str, ...]:
        return tuple(sorted(settings.admins))

    joining = Joining(directory, outbox, settings.timezone, hr)
    reporting = Reporting(reports, outbox, people, hr)
    hands = Hands(
        outbox,
        session,
        people=people,
        automations=automations,
        add_person=joining.add,
        report=reporting.report,
        digest=digest,
    )
    runner = Runner(
        store, automations, hands.do, zone=settings.timezone, variable=settings.variable, clock=clock, late=late
    )
    return Routine(runner, Arrivals(events, runner, automations), events, automations)
