"""Command 人工: an asker hands a question to the owners of its topic, as a ticket."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from faqbot.access.privacy import withheld_topic
from faqbot.access.visibility import answerable
from faqbot.dialogue.answer_policy import NEAR_SCORE
from faqbot.dialogue.choices import is_pick
from faqbot.handoff.tickets import (
    Ticket,
    TicketState,
    load_tickets,
    next_ticket_number,
    notice_key_prefixes,
    save_ticket,
)
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.snapshot import Snapshot
from faqbot.language.masking import mask_numbers
from faqbot.markup.escaping import escape_markdown
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.model.commands import Command, CommandResult
from faqbot.model.entries import NO_TOPIC, Entry, nearest_private
from faqbot.model.group_settings import Groups
from faqbot.model.messages import Message
from faqbot.model.notices import Address, Notice
from faqbot.model.question_log import QuestionRecord
from faqbot.outbox.outbox import Outbox
from faqbot.rules.working_hours import format_moment, is_working_time, next_working_morning

# 人工 alone is about a question asked within this time.
_LAST_QUESTION_SECONDS = 1800.0
_MAX_QUESTION_CHARS = 500


@dataclass(frozen=True, slots=True)
class _Question:
    """The question to hand over and the entry it is probably about; of a private one the text may be withheld."""

    text: str
    entry: Entry | None
    private: bool


class Escalation:
    """`admins` are asked where no owner is named."""

    def __init__(
        self,
        workspace: Workspace,
        asker_departments: AskerDepartments,
        outbox: Outbox,
        admins: Collection[str],
        timezone: tzinfo,
    ) -> None:
        self._workspace = workspace
        self._asker_departments = asker_departments
        self._outbox = outbox
        self._admins = admins
        self._timezone = timezone

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        snapshot = self._workspace.snapshot
        question = await self._question(message, command, snapshot)
        if question is None:
            example = "「@我 人工 我的年假天数不对」" if message.is_group else "「人工 我的年假天数不对」"
            return CommandResult("要问什么？", f"请把问题写在后面，例如{example}。", "person_what")
        ticket = await self._ticket(message, question, snapshot)
        owners, owner_name = owners_to_ask(snapshot.groups, self._admins, ticket.owner, message.conversation_id)
        if not owners:
            return CommandResult(
                f"单号 {ticket.number}",
                f"已经记下来了，单号 {ticket.number}。还没有写明由谁来答，HR 会在控制台里看到。",
                "person_nobody",
            )
        return await self._ask_owners(message, ticket, owners, owner_name, snapshot)

    async def _question(self, message: Message, command: Command, snapshot: Snapshot) -> _Question | None:
        """Return the text behind the command word, else the last question of the asker; None if there is neither."""
        departments = await self._asker_departments.departments(message)
        allowed = answerable(message, self._workspace.today(), departments, snapshot.groups)
        text, entry_id = command.text, ""
        if not text:
            record = await last_question(self._workspace, message)
            if record is None:
                return None
            if (topic := withheld_topic(record.text)) is not None:
                entry = next((e for e in snapshot.entries if e.private and e.topic == topic), None)
                return _Question(record.text, entry, private=True)
            text, entry_id = record.text, record.entry_id
        ranking = snapshot.index.search(text, allowed=lambda entry: entry.private or allowed(entry))
        private = nearest_private(ranking)
        likely = next((c.entry for c in ranking if c.score >= NEAR_SCORE and allowed(c.entry)), None)
        entry = snapshot.entry(entry_id) or private or likely
        return _Question(mask_numbers(text)[:_MAX_QUESTION_CHARS], entry, private is not None)

    async def _ticket(self, message: Message, question: _Question, snapshot: Snapshot) -> Ticket:
        """Return the ticket of this message, or an open one of the asker with the same question, or a new one."""
        for ticket in (await load_tickets(self._workspace.store)).values():
            same = ticket.asker == message.asker and ticket.question == question.text
            if ticket.message == message.key or (same and ticket.state is TicketState.OPEN):
                return ticket
        entry = question.entry
        contact = snapshot.groups.of(message.conversation_id).contact.strip()
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
            owner=(entry.owner.strip() if entry else "") or contact,
            entry_id=entry.id if entry else "",
            private=question.private,
        )
        await save_ticket(self._workspace.store, ticket)
        return ticket

    async def _ask_owners(
        self, message: Message, ticket: Ticket, owners: tuple[str, ...], owner_name: str, snapshot: Snapshot
    ) -> CommandResult:
        """Mention the owners in the group in working hours, else write to them; confirm it to the asker."""
        number, name = ticket.number, escape_markdown(owner_name, 20)
        now = datetime.fromtimestamp(self._workspace.clock(), self._timezone)
        calendar = snapshot.automations.calendar
        quiet = snapshot.groups.of(message.conversation_id).quiet if message.is_group else None
        working = is_working_time(now, calendar, quiet)
        if message.is_group and working and not ticket.private:
            mentions = " ".join(f"@{userid}" for userid in owners)
            question = escape_markdown(ticket.question, _MAX_QUESTION_CHARS)
            body = (
                f"已请{name}来答，单号 {number}：{mentions}\n\n> {question}\n\n"
                f"来答的同事请引用这条消息 @我 回复，或者发「@我 答 {number}：……」。"
            )
            return CommandResult(f"单号 {number}：请{name}来答", body, "person", mentions=owners)
        morning = next_working_morning(now, calendar)
        key_prefix, _ = notice_key_prefixes(number)
        notices = [
            Notice(
                f"{key_prefix}{userid}",
                Address("person", userid),
                f"单号 {number}：有人等您来答",
                _notice(ticket, message),
                not_before=0.0 if working else morning.timestamp(),
            )
            for userid in owners
        ]
        await self._outbox.post(*notices)
        request = f"请{name}来答" if not (ticket.private and message.is_group) else "私下请负责的同事来答"
        if working:
            body = f"已经{request}，单号 {number}。有了答案，我告诉您。"
        else:
            body = f"现在不是上班时间，我会在 {format_moment(morning)} {request}，单号 {number}。有了答案，我告诉您。"
        return CommandResult(f"单号 {number}", body, "person")


async def last_question(workspace: Workspace, message: Message) -> QuestionRecord | None:
    """Return the last question of the asker in this conversation. Raises StoreError.

    A choice from a list stands for the question before it, a reply to a clarifying question for both together.
    """
    records = await workspace.store.questions(workspace.clock() - _LAST_QUESTION_SECONDS)
    # A question from a group that was answered in private may be followed up in the single chat.
    theirs = [
        r
        for r in records
        if r.asker == message.asker and (r.conversation_id == message.conversation_id or not message.is_group)
    ]
    if not theirs:
        return None
    last = theirs[-1]
    before = next((r for r in theirs if r.message_id == last.picked_for), None)
    if before is None or withheld_topic(last.text) is not None:
        return last
    is_reply = before.outcome == "asked_back" and not is_pick(last.text)
    return replace(last, text=f"{before.text}（{last.text}）" if is_reply else before.text)


def owners_to_ask(
    groups: Groups, admins: Collection[str], owner: str, conversation_id: str
) -> tuple[tuple[str, ...], str]:
    """Return the userIds to ask and the name they go by: the owner, else the contact of the group, else `admins`."""
    for name in (owner.strip(), groups.of(conversation_id).contact.strip()):
        if name and (userids := groups.owner_userids(name)):
            return userids, name
    return tuple(admins), "管理员"


def _notice(ticket: Ticket, message: Message) -> str:
    where = f"在「{escape_markdown(message.conversation_title, 30)}」" if message.is_group else "在单聊里"
    who = escape_markdown(ticket.asker_name, 20) or "有人"
    private = "这是私密的事，请只在这里回复。" if ticket.private else ""
    if withheld_topic(ticket.question) is not None:
        about = escape_markdown(ticket.topic, 20) or NO_TOPIC
        request = f"{who}{where}问了一件「{about}」方面的私密的事，原话没有保留，请直接找 TA。"
    else:
        request = f"{who}{where}问：\n\n> {escape_markdown(ticket.question, _MAX_QUESTION_CHARS)}"
    return (
        f"单号 {ticket.number}：{request}\n\n"
        f"{private}引用这条消息回复，或者发「答 {ticket.number}：……」，我转告对方，再存成草稿条目。"
    )
