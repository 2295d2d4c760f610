"""人工: a question is handed to those who keep its topic, under a number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from faqbot.access.privacy import withheld_topic
from faqbot.access.visibility import answerable
from faqbot.dialogue.answer_policy import NEAR_SCORE
from faqbot.dialogue.choices import picked_number
from faqbot.handoff.tickets import Progress, Ticket, keep, next_number, notice_keys, tickets
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.snapshot import Snapshot
from faqbot.language.masking import mask_numbers
from faqbot.markup.escaping import neutralise
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.model.commands import Command, CommandResult
from faqbot.model.entries import NO_TOPIC, Entry, nearest_private
from faqbot.model.group_settings import Groups
from faqbot.model.messages import Message
from faqbot.model.notices import Address, Notice
from faqbot.model.question_log import QuestionRecord
from faqbot.outbox.outbox import Outbox
from faqbot.rules.working_hours import at_work, next_morning, told

# The question that 人工 is about was asked this long ago at most.
_BEFORE_SECONDS = 1800.0
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class _Question:
    """What is handed over, and the entry it is probably about; the text of a private one may not be known."""

    text: str
    entry: Entry | None
    private: bool


class Escalation:
    """`admins` are asked where an owner has no people."""

    def __init__(
        self,
        workspace: Workspace,
        audience: AskerDepartments,
        outbox: Outbox,
        admins: Collection[str],
        timezone: tzinfo,
    ) -> None:
        self._workspace = workspace
        self._audience = audience
        self._outbox = outbox
        self._admins = admins
        self._zone = timezone

    async def __call__(self, message: Message, order: Command) -> CommandResult:
        snapshot = self._workspace.snapshot
        question = await self._question(message, order, snapshot)
        if question is None:
            example = "「@我 人工 我的年假天数不对」" if message.is_group else "「人工 我的年假天数不对」"
            return CommandResult("要问什么？", f"请把问题写在后面，例如{example}。", "person_what")
        ticket = await self._ticket(message, question, snapshot)
        keepers, name = called(snapshot.groups, self._admins, ticket.owner, message.conversation_id)
        if not keepers:
            return CommandResult(
                f"单号 {ticket.number}",
                f"已经记下来了，单号 {ticket.number}。还没有写明由谁来答，HR 会在控制台里看到。",
                "person_nobody",
            )
        return await self._call(message, ticket, keepers, name, snapshot)

    async def _question(self, message: Message, order: Command, snapshot: Snapshot) -> _Question | None:
        """What stands behind the word, else what the asker asked last here."""
        departments = await self._audience.departments(message)
        allowed = answerable(message, self._workspace.today(), departments, snapshot.groups)
        text, entry_id = order.text, ""
        if not text:
            record = await asked_last(self._workspace, message)
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
        return _Question(mask_numbers(text)[:_LONGEST], entry, private is not None)

    async def _ticket(self, message: Message, question: _Question, snapshot: Snapshot) -> Ticket:
        """The ticket of this message, or an open one of the same asker about the same."""
        for ticket in (await tickets(self._workspace.store)).values():
            same = ticket.asker == message.asker and ticket.question == question.text
            if ticket.message == message.key or (same and ticket.progress is Progress.OPEN):
                return ticket
        entry = question.entry
        contact = snapshot.groups.of(message.conversation_id).contact.strip()
        ticket = Ticket(
            number=await next_number(self._workspace.store, self._workspace.clock(), message.key),
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
        await keep(self._workspace.store, ticket)
        return ticket

    async def _call(
        self, message: Message, ticket: Ticket, keepers: tuple[str, ...], name: str, snapshot: Snapshot
    ) -> CommandResult:
        number, shown = ticket.number, neutralise(name, 20)
        now = datetime.fromtimestamp(self._workspace.clock(), self._zone)
        calendar = snapshot.automations.calendar
        quiet = snapshot.groups.of(message.conversation_id).quiet if message.is_group else None
        working = at_work(now, calendar, quiet)
        if message.is_group and working and not ticket.private:
            at = " ".join(f"@{userid}" for userid in keepers)
            body = (
                f"已请{shown}来答，单号 {number}：{at}\n\n> {neutralise(ticket.question, _LONGEST)}\n\n"
                f"来答的同事请引用这条消息 @我 回复，或者发「@我 答 {number}：……」。"
            )
            return CommandResult(f"单号 {number}：请{shown}来答", body, "person", mentions=keepers)
        morning = next_morning(now, calendar)
        to_keepers, _ = notice_keys(number)
        notices = [
            Notice(
                f"{to_keepers}{userid}",
                Address("person", userid),
                f"单号 {number}：有人等您来答",
                _notice(ticket, message),
                not_before=0.0 if working else morning.timestamp(),
            )
            for userid in keepers
        ]
        await self._outbox.post(*notices)
        whom = f"请{shown}来答" if not (ticket.private and message.is_group) else "私下请负责的同事来答"
        if working:
            said = f"已经{whom}，单号 {number}。有了答案，我告诉您。"
        else:
            said = f"现在不是上班时间，我会在 {told(morning)} {whom}，单号 {number}。有了答案，我告诉您。"
        return CommandResult(f"单号 {number}", said, "person")


async def asked_last(workspace: Workspace, message: Message) -> QuestionRecord | None:
    """The question that the asker of this message asked last here, which 人工 alone is about. Raises StoreError.

    A pick from a list or a reply to what was asked back is about the question before it; the reply stands beside it.
    """
    records = await workspace.store.questions(workspace.clock() - _BEFORE_SECONDS)
    # What was answered aside was asked in a group.
    mine = [
        r
        for r in records
        if r.asker == message.asker and (r.conversation_id == message.conversation_id or not message.is_group)
    ]
    if not mine:
        return None
    last = mine[-1]
    before = next((r for r in mine if r.message_id == last.picked_for), None)
    if before is None or withheld_topic(last.text) is not None:
        return last
    replied = before.outcome == "asked_back" and picked_number(last.text) is None
    return replace(last, text=f"{before.text}（{last.text}）" if replied else before.text)


def called(groups: Groups, admins: Collection[str], owner: str, conversation_id: str) -> tuple[tuple[str, ...], str]:
    """Who is asked about what `owner` keeps, and what they are called; nobody where none is named anywhere."""
    for name in (owner.strip(), groups.of(conversation_id).contact.strip()):
        if name and (people := groups.owner_userids(name)):
            return people, name
    return tuple(admins), "管理员"


def _notice(ticket: Ticket, message: Message) -> str:
    where = f"在「{neutralise(message.conversation_title, 30)}」" if message.is_group else "在单聊里"
    who = neutralise(ticket.asker_name, 20) or "有人"
    private = "这是私密的事，请只在这里回复。" if ticket.private else ""
    if withheld_topic(ticket.question) is not None:
        about = neutralise(ticket.topic, 20) or NO_TOPIC
        asked = f"{who}{where}问了一件「{about}」方面的私密的事，原话没有保留，请直接找 TA。"
    else:
        asked = f"{who}{where}问：\n\n> {neutralise(ticket.question, _LONGEST)}"
    return (
        f"单号 {ticket.number}：{asked}\n\n"
        f"{private}引用这条消息回复，或者发「答 {ticket.number}：……」，我转告对方，再存成草稿条目。"
    )
