"""Owner requests: asks the owners of a ticket for an answer, in its group or by direct message."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, tzinfo

from faqbot.access.privacy import withheld_topic
from faqbot.handoff.handed_question import MAX_QUESTION_CHARS
from faqbot.handoff.tickets import Ticket, notice_key_prefixes
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.escaping import escape_markdown
from faqbot.model.commands import CommandResult
from faqbot.model.entries import NO_TOPIC
from faqbot.model.group_settings import Groups
from faqbot.model.messages import Message
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.rules.working_hours import format_moment, is_working_time, next_working_morning


class OwnerRequests:
    """`admins` are asked where no owner is named."""

    def __init__(self, workspace: Workspace, outbox: Outbox, admins: Collection[str], timezone: tzinfo) -> None:
        self._workspace = workspace
        self._outbox = outbox
        self._admins = admins
        self._timezone = timezone

    def recipients(self, owner: str, conversation_id: str) -> tuple[tuple[str, ...], str]:
        """Return the userIds to ask and the name they go by."""
        return owners_to_ask(self._workspace.snapshot.groups, self._admins, owner, conversation_id)

    async def send(self, message: Message, ticket: Ticket, *, shows_question: bool) -> CommandResult:
        """Ask the owners of a ticket: mention them in the group in working hours, else write to them; confirm it.

        shows_question: the confirmation repeats the question, which the asker did not write in this message.
        """
        snapshot, number = self._workspace.snapshot, ticket.number
        owners, owner_name = self.recipients(ticket.owner, message.conversation_id)
        if not owners:
            body = f"已经记下来了，单号 {number}。还没有写明由谁来答，HR 会在控制台里看到。"
            return CommandResult(f"单号 {number}", body, "person_nobody")
        name = escape_markdown(owner_name, 20)
        now = datetime.fromtimestamp(self._workspace.clock(), self._timezone)
        calendar = snapshot.automations.calendar
        quiet = snapshot.groups.of(message.conversation_id).quiet if message.is_group else None
        working = is_working_time(now, calendar, quiet)
        if message.is_group and working and not ticket.private:
            mentions = " ".join(f"@{userid}" for userid in owners)
            question = escape_markdown(ticket.question, MAX_QUESTION_CHARS)
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
        if shows_question and not message.is_group and withheld_topic(ticket.question) is None:
            body += f"\n\n> {escape_markdown(ticket.question, MAX_QUESTION_CHARS)}"
        return CommandResult(f"单号 {number}", body, "person")


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
        request = f"{who}{where}问：\n\n> {escape_markdown(ticket.question, MAX_QUESTION_CHARS)}"
    return (
        f"单号 {ticket.number}：{request}\n\n"
        f"{private}引用这条消息回复，或者发「答 {ticket.number}：……」，我转告对方，再存成草稿条目；"
        f"只说给 TA 一个人的，开头写「仅此人：」。"
    )
