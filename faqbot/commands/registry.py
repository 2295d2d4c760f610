"""Registry of the chat commands: build the handler of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from faqbot.attendance.leave_command import LeaveCommand
from faqbot.attendance.punch_commands import OwnPunchesCommand, PunchLookupCommand
from faqbot.attendance.report import AttendanceReports
from faqbot.attendance.report_commands import ReportCommands
from faqbot.attendance.report_requests import ReportRequests
from faqbot.commands.about_answer import AboutAnswerCommands
from faqbot.commands.announcement import AnnouncementCommands
from faqbot.commands.confirmation import ConfirmCommand
from faqbot.commands.last_answer import LastAnswers
from faqbot.commands.members import MembersCommand
from faqbot.commands.orders import ExplainOrder
from faqbot.commands.own_questions import OwnQuestionsCommand
from faqbot.commands.rating import RatingCommands
from faqbot.dingtalk.wiring import DingTalkClients
from faqbot.handoff.answering import TicketAnswering
from faqbot.handoff.escalation import Escalation
from faqbot.handoff.owner_requests import OwnerRequests
from faqbot.knowledge.wiring import KnowledgeParts
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.quoted_answers import QuotedAnswers
from faqbot.model.commands import CommandHandler, CommandKind
from faqbot.outbox.outbox import Outbox
from faqbot.review.draft_commands import DraftCommands
from faqbot.runtime.resources import Resources


@dataclass(frozen=True, slots=True)
class CommandRegistry:
    """The handler of each kind of command; `report_requests` has a loop of its own."""

    handlers: Mapping[CommandKind, CommandHandler]
    report_requests: ReportRequests


def open_commands(
    resources: Resources,
    knowledge: KnowledgeParts,
    dingtalk: DingTalkClients,
    departments: AskerDepartments,
    outbox: Outbox,
    reports: AttendanceReports,
) -> CommandRegistry:
    """Build the handlers; nothing runs yet."""
    workspace, store, clock = knowledge.workspace, resources.store, resources.clock
    admins, zone = resources.settings.admins, resources.settings.timezone
    last_answers = LastAnswers(workspace, QuotedAnswers(workspace, departments))
    about_answer = AboutAnswerCommands(workspace, last_answers, admins, zone)
    drafts = DraftCommands(workspace, admins)
    escalation = Escalation(workspace, departments, OwnerRequests(workspace, outbox, admins, zone))
    announcements = AnnouncementCommands(outbox, store, knowledge.automations, admins)
    report_requests = ReportRequests(reports, store, outbox, clock)
    report_commands = ReportCommands(report_requests, reports.confirmations, admins, zone, clock)
    handlers: dict[CommandKind, CommandHandler] = {
        CommandKind.MY_QUESTIONS: OwnQuestionsCommand(store, clock),
        CommandKind.APPROVE: drafts,
        CommandKind.SEND_BACK: drafts,
        CommandKind.WITHDRAW: drafts,
        CommandKind.PERSON: escalation,
        CommandKind.TEAM: escalation,
        CommandKind.CANCEL_PERSON: escalation,
        CommandKind.REPLY: TicketAnswering(workspace, outbox, admins),
        CommandKind.WHY: about_answer,
        CommandKind.KEEPER: about_answer,
        CommandKind.HOTTEST: about_answer,
        CommandKind.RATE: RatingCommands(workspace, last_answers),
        CommandKind.MEMBERS: MembersCommand(dingtalk.contacts, admins),
        CommandKind.PUNCHES: PunchLookupCommand(dingtalk.contacts, outbox, admins, zone, clock),
        CommandKind.REPORT: report_commands,
        CommandKind.CONFIRMATIONS: report_commands.confirmations,
        CommandKind.MY_PUNCHES: OwnPunchesCommand(dingtalk.contacts, store, zone, clock),
        CommandKind.MY_LEAVE: LeaveCommand(dingtalk.api, store, admins, clock),
        CommandKind.ANNOUNCE: announcements,
        CommandKind.CONFIRM: ConfirmCommand([announcements.confirm, report_commands.confirm]),
        CommandKind.EXPLAIN: ExplainOrder(admins),
        CommandKind.CANCEL: announcements.cancel,
    }
    return CommandRegistry(handlers, report_requests)
