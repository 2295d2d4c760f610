"""Builds the parts that the running bot and `jobs run` share, in order from the store to the rules."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from faqbot.analytics.weekly_digest_data import digest_of_week
from faqbot.attendance.report import AttendanceReports
from faqbot.attendance.wiring import open_reports
from faqbot.automation.quiet_hours import GroupQuietHours
from faqbot.automation.robot_keys import RobotKeyLookup
from faqbot.automation.scheduler import LATE_SECONDS
from faqbot.automation.wiring import AutomationParts, open_automation
from faqbot.dingtalk.wiring import DingTalkClients, open_dingtalk
from faqbot.errors import KnowledgeMissing, StartError
from faqbot.knowledge.wiring import KnowledgeParts, open_knowledge
from faqbot.outbox.outbox import Outbox
from faqbot.outbox.wiring import open_outbox
from faqbot.runtime.resources import Resources, open_resources
from faqbot.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The parts below messages, commands and console; none of them runs yet."""

    resources: Resources
    knowledge: KnowledgeParts
    dingtalk: DingTalkClients
    outbox: Outbox
    reports: AttendanceReports
    automation: AutomationParts


@contextlib.asynccontextmanager
async def open_services(
    settings: Settings,
    clock: Callable[[], float],
    *,
    serving: bool,
    late: float = LATE_SECONDS,
    store_clock: Callable[[], float] | None = None,
) -> AsyncIterator[Services]:
    """Open store, session and knowledge, and build the services over them; close all at the end.

    `serving` is False beside a running bot. `clock` (epoch seconds) is the time of conversations and timed rules, and
    `late` is how many seconds late one of those may start. The store forgets by `store_clock`, which is `clock` unless
    given. Raises StartError, StoreError.
    """
    async with contextlib.AsyncExitStack() as stack:
        resources = await stack.enter_async_context(open_resources(settings, clock, store_clock=store_clock))
        try:
            knowledge = await stack.enter_async_context(open_knowledge(resources, serving=serving))
        except KnowledgeMissing as exc:
            raise StartError(str(exc)) from exc
        dingtalk = open_dingtalk(resources)
        outbox = open_outbox(
            resources,
            dingtalk,
            robot_keys=RobotKeyLookup(knowledge.automations, settings.variable).find,
            postpone=GroupQuietHours(knowledge.library, settings.timezone).postpone,
        )
        reports = open_reports(resources, dingtalk, outbox)
        digest = partial(digest_of_week, knowledge.workspace, settings.timezone)
        automation = open_automation(resources, knowledge, dingtalk, outbox, reports, digest=digest, late=late)
        yield Services(resources, knowledge, dingtalk, outbox, reports, automation)
