"""Command 人工: an asker hands a question to the owners of its topic, as a ticket, or picks the team that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faqbot.access.visibility import answerable, listable
from faqbot.dialogue.choices import NONE_OF_THESE_TEXT
from faqbot.handoff.handed_question import (
    LAST_QUESTION_SECONDS,
    HandedQuestion,
    last_question,
    question_from_record,
    question_from_text,
)
from faqbot.handoff.owner_requests import OwnerRequests
from faqbot.handoff.teams import entry_of_owner, topics_of
from faqbot.handoff.tickets import (
    Ticket,
    TicketState,
    load_tickets,
    next_ticket_number,
    save_ticket,
)
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.blocks import numbered, send_word, typed
from faqbot.markup.escaping import escape_markdown
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.model.commands import Command, CommandKind, CommandResult
from faqbot.model.conversation import Option
from faqbot.model.messages import Message


class Escalation:
    """Handles the request for a person, the team picked for it and its cancellation."""

    def __init__(
        self, workspace: Workspace, asker_departments: AskerDepartments, owner_requests: OwnerRequests
    ) -> None:
        self._workspace = workspace
        self._asker_departments = asker_departments
        self._owner_requests = owner_requests

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        number, _, owner = command.text.partition("\n")
        match command.kind:
            case CommandKind.CANCEL_PERSON:
                return await self._cancel(message, number)
            case CommandKind.TEAM:
                return await self._hand_to_team(message, int(number), owner)
            case _:
                return await self._request(message, command.text)

    async def _request(self, message: Message, text: str) -> CommandResult:
        """Hand over the text behind the command word, else what the asker said last; or ask them for it."""
        tickets = [t for t in (await load_tickets(self._workspace.store)).values() if t.asker == message.asker]
        ticket = next((t for t in tickets if t.message == message.key), None)
        if ticket is None and text:
            question = await question_from_text(text, message, self._workspace, self._asker_departments)
            ticket = await self._ticket(message, question, tickets)
        elif ticket is None:
            ticket = await self._ticket_of_last_question(message, tickets)
        if ticket is None:
            return _ask_for_question(message)
        if ticket.owners_offered:
            return await self._offer_teams(message, ticket)
        return await self._owner_requests.send(message, ticket, shows_question=not text)

    async def _ticket_of_last_question(self, message: Message, tickets: Sequence[Ticket]) -> Ticket | None:
        """Return the ticket for the last question, or the one handed over since it; None if nothing is left to ask."""
        record = await last_question(self._workspace, message)
        since = record.asked_at if record else self._workspace.clock() - LAST_QUESTION_SECONDS
        here = (t for t in tickets if t.conversation_id == message.conversation_id)
        later = max((t for t in here if t.at >= since), key=lambda t: t.number, default=None)
        if later is not None:
            return later if later.state is TicketState.OPEN else None
        if record is None:
            return None
        question = await question_from_record(record, message, self._workspace, self._asker_departments)
        return await self._ticket(message, question, tickets)

    async def _ticket(self, message: Message, question: HandedQuestion, tickets: Sequence[Ticket]) -> Ticket:
        """Return an open ticket of the asker with the same question, or a new one."""
        for ticket in tickets:
            if ticket.question == question.text and ticket.state is TicketState.OPEN:
                return ticket
        entry = question.entry
        owner = (entry.owner.strip() if entry else "") or self._contact(message)
        ticket = Ticket(
            number=await next_ticket_number(self._workspace.store, self._workspace.clock(), message.key),
            message=message.key,
            at=self._workspace.clock(),
            asker=message.asker,
            asker_name=message.sender_name,
            conversation_id=message.conversation_id,
            is_group=message.is_group,
            question=question.text,
            topic=entry.topic if entry else "",
            owner="" if question.owners else owner,
            entry_id=entry.id if entry else "",
            private=question.private,
            owners_offered=question.owners,
        )
        await save_ticket(self._workspace.store, ticket)
        return ticket

    async def _offer_teams(self, message: Message, ticket: Ticket) -> CommandResult:
        """List the teams whose topic the question may be; the ticket waits for the asker's pick."""
        snapshot = self._workspace.snapshot
        departments = await self._asker_departments.departments(message)
        listed = listable(message, self._workspace.today(), departments, snapshot.groups)
        teams = [_team_line(owner, topics_of(owner, snapshot, listed)) for owner in ticket.owners_offered]
        _, otherwise = self._owner_requests.recipients("", message.conversation_id)
        intro = f"单号 {ticket.number} 记下了。请选一下该谁来答："
        body = numbered(
            intro, [*teams, NONE_OF_THESE_TEXT], message, f"都不是的话，请{escape_markdown(otherwise, 20)}来答。"
        )
        options = tuple(Option.of_team(ticket.number, owner) for owner in (*ticket.owners_offered, ""))
        return CommandResult(f"单号 {ticket.number}：请谁来答？", body, "person_which", options)

    async def _hand_to_team(self, message: Message, number: int, owner: str) -> CommandResult:
        """Hand a ticket to the team that its asker picked, without one to the contact; repeated, it does the same."""
        ticket = await self._own_ticket(message, number)
        if ticket is None:
            return CommandResult(
                f"单号 {number}", f"单号 {number} 已经处理过了。要再问，请{_how_to_ask(message)}。", "order_refused"
            )
        snapshot = self._workspace.snapshot
        departments = await self._asker_departments.departments(message)
        allowed = answerable(message, self._workspace.today(), departments, snapshot.groups)
        entry = entry_of_owner(ticket.question, owner, snapshot, allowed) if owner else None
        ticket = replace(
            ticket,
            topic=entry.topic if entry else "",
            owner=owner or self._contact(message),
            entry_id=entry.id if entry else "",
            owners_offered=(),
        )
        await save_ticket(self._workspace.store, ticket)
        return await self._owner_requests.send(message, ticket, shows_question=True)

    async def _cancel(self, message: Message, number: str) -> CommandResult:
        """Close the ticket whose team was not picked, if there is one; closing it twice changes nothing."""
        if number and (ticket := await self._own_ticket(message, int(number))):
            await save_ticket(self._workspace.store, replace(ticket, state=TicketState.CLOSED))
        return CommandResult("不找人了", "好的，不找人了。有问题随时问我。", "person_cancelled")

    async def _own_ticket(self, message: Message, number: int) -> Ticket | None:
        """Return the asker's own ticket with this number while it is open."""
        ticket = (await load_tickets(self._workspace.store)).get(number)
        is_open = ticket is not None and ticket.asker == message.asker and ticket.state is TicketState.OPEN
        return ticket if is_open else None

    def _contact(self, message: Message) -> str:
        return self._workspace.snapshot.groups.of(message.conversation_id).contact.strip()


def _ask_for_question(message: Message) -> CommandResult:
    at = " @我 " if message.is_group else ""
    body = f"您要问什么？请{at}写成一条消息，我转给同事；不找人了就发{typed('取消', message)}。"
    return CommandResult("要问什么？", body, "person_what", awaits_question=True)


def _how_to_ask(message: Message) -> str:
    return f"{send_word('人工', message)}，后面写上问题"


def _team_line(owner: str, topics: str) -> str:
    return f"{owner}（{topics}）" if topics else owner
