"""The routine jobs put together: the runner, what its actions work with, and the events on their way to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from faqbot.automation.actions import ActionFailed, Done, Hands
from faqbot.automation.arrivals import Arrivals
from faqbot.automation.events import Events
from faqbot.automation.joining import Joining
from faqbot.automation.rules import AttendanceReport, Automations
from faqbot.automation.runner import Runner
from faqbot.dingtalk.directory import Directory
from faqbot.knowledge.library import Library
from faqbot.outbox import Outbox
from faqbot.settings import Settings
from faqbot.store import Store


@dataclass(frozen=True, slots=True)
class Routine:
    """What works on the routine jobs."""

    runner: Runner
    arrivals: Arrivals


def open_routine(
    settings: Settings,
    session: aiohttp.ClientSession,
    library: Library,
    store: Store,
    outbox: Outbox,
    events: Events,
    directory: Directory,
    clock: Callable[[], float],
    *,
    late: float,
) -> Routine:
    """Put the parts together; nothing runs yet. `late` is how many seconds late a job may begin."""

    def automations() -> Automations:
        return library.current.automations

    joining = Joining(directory, outbox, settings.timezone, lambda: tuple(sorted(settings.admins)))
    hands = Hands(
        outbox,
        session,
        people=lambda name: library.current.groups.keepers(name),
        automations=automations,
        add_person=joining.add,
        report=_no_report,
    )
    runner = Runner(
        store, automations, hands.do, zone=settings.timezone, variable=settings.variable, clock=clock, late=late
    )
    return Routine(runner, Arrivals(events, runner, automations))


async def _no_report(report: AttendanceReport, name: str) -> Done:
    raise ActionFailed("这一版还不能做考勤报表")
