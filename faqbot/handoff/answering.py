"""答 12：…: the answer of somebody who keeps the topic goes to who asked, and becomes a draft of an entry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from faqbot.access.privacy import withheld, withheld_topic
from faqbot.dialogue.command_parser import leading_number
from faqbot.errors import EditError, FileSourceError, NotAllowed
from faqbot.handoff.tickets import Progress, Ticket, keep, notice_keys, tickets
from faqbot.knowledge.editing.entry_fields import EntryFields
from faqbot.knowledge.editing.proposals import propose_entry
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.blocks import grey, line_breaks
from faqbot.markup.escaping import neutralise
from faqbot.model.commands import Command, CommandResult
from faqbot.model.group_settings import looks_like_userid
from faqbot.model.messages import Message
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.leases import run_when_free
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

# Where drafts go whose topic has no file yet.
_FILE = "faq/人工回答.yaml"
_TRIES = 4


class TicketAnswering:
    """`admins` may answer every ticket; others those whose topic they keep."""

    def __init__(self, workspace: Workspace, outbox: Outbox, admins: Collection[str]) -> None:
        self._workspace = workspace
        self._outbox = outbox
        self._admins = admins

    async def __call__(self, message: Message, order: Command) -> CommandResult:
        number, text = leading_number(order.text)
        said: list[CommandResult] = []

        async def reply() -> None:
            said.append(await self._reply(message, number or 0, text))

        # Two who answer at once must not send the words of one and keep those of the other.
        await run_when_free(self._workspace.store, f"ticket-reply:{number}", reply)
        return said[-1]

    async def _reply(self, message: Message, number: int, text: str) -> CommandResult:
        try:
            ticket = (await tickets(self._workspace.store)).get(number)
            self._must_be_allowed(message, number, ticket)
            assert ticket is not None
            if not text:
                raise NotAllowed(f"请把答案写在后面，例如「答 {number}：可以，找张三盖章」。")
            if ticket.progress is Progress.ANSWERED and ticket.answered_with != message.key:
                raise NotAllowed(f"单号 {number} 已经由 {neutralise(ticket.answered_by, 20) or '别人'} 答过了。")
            return await self._answer(message, ticket, text)
        except NotAllowed as exc:
            return CommandResult("没有转告", str(exc), "order_refused")

    def _must_be_allowed(self, message: Message, number: int, ticket: Ticket | None) -> None:
        groups = self._workspace.snapshot.groups
        keepers = groups.owner_userids(ticket.owner) if ticket else ()
        if message.staff_id and (message.staff_id in self._admins or message.staff_id in keepers):
            if ticket is None:
                raise NotAllowed(f"没有单号 {number}：它可能早就处理过了。")
            return
        if ticket is None and not groups.is_owner(message.staff_id):
            raise NotAllowed("这样的单号只能由负责的同事来答。您要是想问问题，请直接把问题发给我。")
        owner = f"由{neutralise(ticket.owner, 20)}来答" if ticket and ticket.owner else "由管理员来答"
        raise NotAllowed(f"单号 {number} {owner}。" if ticket else f"没有单号 {number}：它可能早就处理过了。")

    async def _answer(self, message: Message, ticket: Ticket, text: str) -> CommandResult:
        """Tell the asker, write down that it is done, make the draft; each can be done again without harm."""
        here = message.conversation_id == ticket.conversation_id and ticket.is_group and not ticket.private
        if not here:
            await self._send(message, ticket, text)
        answered = replace(
            ticket,
            progress=Progress.ANSWERED,
            answer="" if ticket.private else text,
            answered_with=message.key,
            answered_by=message.sender_name,
        )
        await keep(self._workspace.store, answered)
        draft = await self._drafted(message, ticket, text)
        # Of a private question only the topic stays.
        question = withheld(ticket.topic) if ticket.private else ticket.question
        await keep(self._workspace.store, replace(answered, question=question, draft=draft))
        noted = "已存成草稿，等另一位负责的同事或管理员通过。" if draft else ""
        if here:
            asker = _known(ticket)
            who = f"@{asker}" if asker else neutralise(ticket.asker_name, 20)
            body = f"{who} {_body(ticket, text, message, noted)}"
            return CommandResult(f"单号 {ticket.number} 有答案了", body, "replied", mentions=(asker,) if asker else ())
        return CommandResult("已转告", f"单号 {ticket.number} 已转告对方。{noted}", "replied")

    async def _send(self, message: Message, ticket: Ticket, text: str) -> None:
        """Through the outbox, once. Raises NotAllowed where there is no way to the asker."""
        _, to_asker = notice_keys(ticket.number)
        key, title = f"{to_asker}asker", f"单号 {ticket.number} 有答案了"
        if ticket.is_group and not ticket.private:
            # Nobody can be @ed this way.
            body = f"{neutralise(ticket.asker_name, 20) or '您好'}：\n\n{_body(ticket, text, message)}"
            to = Address("group", ticket.conversation_id)
            await self._outbox.post(Notice(key, to, title, body))
        elif asker := _known(ticket):
            await self._outbox.post(Notice(key, Address("person", asker), title, _body(ticket, text, message)))
        else:
            raise NotAllowed("对方不在本公司的通讯录里，我没法转告；请直接联系对方。")

    async def _drafted(self, message: Message, ticket: Ticket, text: str) -> str:
        """The id of the draft; empty where none could be made."""
        if withheld_topic(ticket.question) is not None:
            return ""
        entry_id = f"ticket-{ticket.number}"
        draft = EntryFields(
            question=ticket.question,
            answer=text,
            id=entry_id,
            topic=ticket.topic,
            owner=ticket.owner,
            private=ticket.private,
            draft=True,
        )
        for _ in range(_TRIES):
            await self._workspace.base.refresh()
            if self._workspace.snapshot.entry(entry_id) is not None:
                return entry_id
            try:
                file = self._file(ticket)
                proposal = await propose_entry(file, (await self._workspace.source.read()).get(file), draft)
                await self._workspace.save(message.sender_name, proposal, "add", message.staff_id)
                return entry_id
            except StaleEdit:
                continue
            except (EditError, FileSourceError) as exc:
                log.error("ticket.no_draft", ticket=ticket.number, reason=str(exc))
                return ""
        return ""

    def _file(self, ticket: Ticket) -> str:
        """Where the topic's entries are."""
        same = [e for e in self._workspace.snapshot.entries if e.topic == ticket.topic and e.private == ticket.private]
        near = next((e for e in same if e.id == ticket.entry_id), next(iter(same), None))
        return self._workspace.file_name(near.place.file) if near and ticket.topic else _FILE


def _known(ticket: Ticket) -> str:
    """The asker's userId, where there is one."""
    return ticket.asker if looks_like_userid(ticket.asker) else ""


def _body(ticket: Ticket, text: str, message: Message, noted: str = "") -> str:
    asked = "" if withheld_topic(ticket.question) is not None else f"您问的「{neutralise(ticket.question)}」，"
    by = f"由 {neutralise(message.sender_name, 20)} 回答"
    return f"{asked}单号 {ticket.number} 有答案了：\n\n{line_breaks(text)}{grey(by, noted)}"
