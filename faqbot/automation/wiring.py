"""The routine jobs put together: the runner, what its actions work with, and the events on their way to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from faqbot.attendance.report import AttendanceReports
from faqbot.automation.add_contact import AddContactAction
from faqbot.automation.attendance_report import AttendanceReportAction
from faqbot.automation.event_queue import EventQueue
from faqbot.automation.event_worker import EventWorker
from faqbot.automation.executor import ActionExecutor
from faqbot.automation.runner import Runner
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.model.notices import Event
from faqbot.outbox.outbox import Outbox
from faqbot.rules.definitions import Automations
from faqbot.settings import Settings
from faqbot.store.protocol import Store


@dataclass(frozen=True, slots=True)
class AutomationParts:
    """What works on the routine jobs."""

    runner: Runner
    arrivals: EventWorker
    events: EventQueue
    automations: Callable[[], Automations]

    async def take(self, event: Event) -> None:
        """Put an event on record if a rule waits for it; a repeat changes nothing. Raises StoreError."""
        if self.automations().on_event(event.name):
            await self.events.accept(event)


def open_routine(
    settings: Settings,
    session: aiohttp.ClientSession,
    library: KnowledgeBase,
    store: Store,
    outbox: Outbox,
    events: EventQueue,
    directory: ContactsCache,
    reports: AttendanceReports,
    clock: Callable[[], float],
    *,
    digest: Callable[[], Awaitable[tuple[str, str]]],
    late: float,
) -> AutomationParts:
    """Put the parts together; nothing runs yet. `late` is how many seconds late a job may begin."""

    def automations() -> Automations:
        return library.current.automations

    def people(name: str) -> tuple[str, ...]:
        return library.current.groups.keepers(name)

    def hr() -> tuple[str, ...]:
        return tuple(sorted(settings.admins))

    joining = AddContactAction(directory, outbox, settings.timezone, hr)
    reporting = AttendanceReportAction(reports, outbox, people, hr)
    hands = ActionExecutor(
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
    return AutomationParts(runner, EventWorker(events, runner, automations), events, automations)
