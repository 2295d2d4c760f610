"""The orders about people, attendance and announcements put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faqbot.attendance.leave_command import LeaveCommand
from faqbot.attendance.punch_commands import PunchCommands, Punches
from faqbot.attendance.report import AttendanceReports
from faqbot.attendance.report_commands import ReportCommands
from faqbot.commands.announcement import AnnouncementCommands
from faqbot.commands.confirmation import ConfirmCommand
from faqbot.commands.members import MembersCommand
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.model.decisions import CommandHandler, CommandKind
from faqbot.outbox.outbox import Outbox
from faqbot.rules.definitions import Automations
from faqbot.settings import Settings
from faqbot.store.protocol import Store


@dataclass(frozen=True, slots=True)
class CommandRegistry:
    """What is done for each order; `reports` has a loop of its own."""

    deeds: Mapping[CommandKind, CommandHandler]
    reports: ReportCommands


def routine_deeds(
    settings: Settings,
    store: Store,
    outbox: Outbox,
    directory: ContactsCache,
    reports: AttendanceReports,
    automations: Callable[[], Automations],
    clock: Callable[[], float],
) -> CommandRegistry:
    """Put the parts together; nothing runs yet."""
    admins, zone = settings.admins, settings.timezone
    announcing = AnnouncementCommands(outbox, store, automations, admins)
    orders = ReportCommands(reports, store, outbox, admins, zone, clock)
    deeds: dict[CommandKind, CommandHandler] = {
        CommandKind.MEMBERS: MembersCommand(directory, admins),
        CommandKind.PUNCHES: Punches(directory, outbox, admins, zone, clock),
        CommandKind.REPORT: orders,
        CommandKind.CONFIRMATIONS: orders.confirmations,
        CommandKind.MY_PUNCHES: PunchCommands(directory, store, zone, clock),
        CommandKind.MY_LEAVE: LeaveCommand(directory.api, store, admins, clock),
        CommandKind.ANNOUNCE: announcing,
        CommandKind.CONFIRM: ConfirmCommand([announcing.confirm, orders.confirm]),
        CommandKind.CANCEL: announcing.cancel,
    }
    return CommandRegistry(deeds, orders)
