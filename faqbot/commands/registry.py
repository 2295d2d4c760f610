"""The orders about people, attendance and announcements put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faqbot.attendance.leave_command import MyAnnualLeave
from faqbot.attendance.punch_commands import MyPunches, Punches
from faqbot.attendance.report import AttendanceReports
from faqbot.attendance.report_commands import ReportOrders
from faqbot.commands.announcement import Announcing
from faqbot.commands.confirmation import Confirming
from faqbot.commands.members import Members
from faqbot.dingtalk.api.contacts_cache import Directory
from faqbot.model.decisions import Deed, OrderKind
from faqbot.outbox.outbox import Outbox
from faqbot.rules.definitions import Automations
from faqbot.settings import Settings
from faqbot.store.protocol import Store


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
