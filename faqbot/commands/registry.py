"""The orders about people, attendance and announcements put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faqbot.attendance_report import AttendanceReports
from faqbot.automation.rules import Automations
from faqbot.bot import Deed
from faqbot.decisions import OrderKind
from faqbot.deeds.announcing import Announcing
from faqbot.deeds.annual_leave import MyAnnualLeave
from faqbot.deeds.confirming import Confirming
from faqbot.deeds.members import Members
from faqbot.deeds.punches import MyPunches, Punches
from faqbot.deeds.reports import ReportOrders
from faqbot.dingtalk.directory import Directory
from faqbot.outbox import Outbox
from faqbot.settings import Settings
from faqbot.store import Store


@dataclass(frozen=True, slots=True)
class RoutineDeeds:
    """What is done for each order; `reports` has a loop of its own."""

    deeds: Mapping[OrderKind, Deed]
    reports: ReportOrders


def routine_deeds(
    settings: Settings,
    store: Store,
    outbox: Outbox,
    directory: Directory,
    reports: AttendanceReports,
    automations: Callable[[], Automations],
    clock: Callable[[], float],
) -> RoutineDeeds:
    """Put the parts together; nothing runs yet."""
    admins, zone = settings.admins, settings.timezone
    announcing = Announcing(outbox, store, automations, admins)
    orders = ReportOrders(reports, store, outbox, admins, zone, clock)
    deeds: dict[OrderKind, Deed] = {
        OrderKind.MEMBERS: Members(directory, admins),
        OrderKind.PUNCHES: Punches(directory, outbox, admins, zone, clock),
        OrderKind.REPORT: orders,
        OrderKind.CONFIRMATIONS: orders.confirmations,
        OrderKind.MY_PUNCHES: MyPunches(directory, store, zone, clock),
        OrderKind.MY_LEAVE: MyAnnualLeave(directory.api, store, admins, clock),
        OrderKind.ANNOUNCE: announcing,
        OrderKind.CONFIRM: Confirming([announcing.confirm, orders.confirm]),
        OrderKind.CANCEL: announcing.cancel,
    }
    return RoutineDeeds(deeds, orders)
