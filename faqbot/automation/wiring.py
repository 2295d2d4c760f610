"""Build the parts that run rules: scheduler, runner, event queue and the actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from faqbot.attendance.report import AttendanceReports
from faqbot.automation.add_contact import AddContactAction
from faqbot.automation.attendance_report import AttendanceReportAction
from faqbot.automation.event_queue import EventQueue
from faqbot.automation.event_worker import EventWorker
from faqbot.automation.executor import ActionExecutor
from faqbot.automation.runner import Runner
from faqbot.automation.scheduler import Scheduler
from faqbot.dingtalk.wiring import DingTalkClients
from faqbot.knowledge.wiring import KnowledgeParts
from faqbot.model.notices import Event
from faqbot.outbox.outbox import Outbox
from faqbot.rules.definitions import Automations
from faqbot.runtime.background import Loop
from faqbot.runtime.resources import Resources


@dataclass(frozen=True, slots=True)
class AutomationParts:
    """The parts that run the rules; `automations` returns the rules that are live."""

    runner: Runner
    scheduler: Scheduler
    event_worker: EventWorker
    events: EventQueue
    automations: Callable[[], Automations]

    def hears_dingtalk(self) -> bool:
        """Return True if a rule waits for an event of DingTalk's."""
        return self.automations().has_dingtalk_events()

    async def take(self, event: Event) -> None:
        """Accept an event of DingTalk if a rule waits for it; a repeat changes nothing. Raises StoreError."""
        if self.automations().rules_for_event(event.name):
            await self.events.accept(event)

    @property
    def loops(self) -> Mapping[str, Loop]:
        return {"rules": self.scheduler.run, "events": self.event_worker.run}


def open_automation(
    resources: Resources,
    knowledge: KnowledgeParts,
    dingtalk: DingTalkClients,
    outbox: Outbox,
    reports: AttendanceReports,
    *,
    digest: Callable[[], Awaitable[tuple[str, str]]],
    late: float,
) -> AutomationParts:
    """Build the parts; nothing runs yet.

    `digest` makes title and markdown of the weekly digest. `late` is how many seconds late a timed rule may start.
    """
    settings, automations = resources.settings, knowledge.automations
    hr = tuple(sorted(settings.admins))
    add_contact = AddContactAction(dingtalk.contacts, outbox, settings.timezone, hr)
    report = AttendanceReportAction(reports, outbox, knowledge.owners, hr)
    executor = ActionExecutor(
        outbox,
        resources.session,
        people=knowledge.owners,
        automations=automations,
        add_person=add_contact.add,
        report=report.report,
        digest=digest,
    )
    runner = Runner(resources.store, executor.do, variable=settings.variable, clock=resources.clock)
    scheduler = Scheduler(
        resources.store, runner, automations, zone=settings.timezone, clock=resources.clock, late=late
    )
    events = EventQueue(resources.store, clock=resources.clock)
    return AutomationParts(runner, scheduler, EventWorker(events, runner, automations), events, automations)
