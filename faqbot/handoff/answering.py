"""Command 答 12：…: an owner answers ticket 12; the asker gets the answer; a draft is made of one for everybody."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from faqbot.access.privacy import withheld, withheld_topic
from faqbot.dialogue.command_parser import leading_number
from faqbot.errors import EditError, FileSourceError, NotAllowed
from faqbot.handoff.tickets import Ticket, TicketState, load_tickets, notice_key_prefixes, save_ticket
from faqbot.knowledge.editing.entry_fields import EntryFields
from faqbot.knowledge.editing.proposals import propose_entry
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.language.personal_answers import Audience, MarkedAnswer, personal_sign, read_mark
from faqbot.markup.blocks import grey, line_breaks, send_word
from faqbot.markup.escaping import escape_markdown
from faqbot.model.commands import Command, CommandResult
from faqbot.model.entries import TICKET_ENTRY_PREFIX
from faqbot.model.group_settings import looks_like_userid
from faqbot.model.messages import Message
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.runtime.leases import run_when_free
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

# The file of drafts whose topic has no file yet.
_DEFAULT_FILE = "faq/人工回答.yaml"
# Another edit may change the file in between.
_SAVE_TRIES = 4
_SAVED = "已存成草稿，等另一位负责的同事或管理员通过。"


class TicketAnswering:
    """`admins` may answer every ticket; other people those whose topic they own."""

    def __init__(self, workspace: Workspace, outbox: Outbox, admins: Collection[str]) -> None:
        self._workspace = workspace
        self._outbox = outbox
        self._admins = admins

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        number, text = leading_number(command.text)
        results: list[CommandResult] = []

        async def reply() -> None:
            results.append(await self._reply(message, number or 0, text))

        # Of two who answer at once, the answer that is sent must be the one that is stored.
        await run_when_free(self._workspace.store, f"ticket-reply:{number}", reply)
        return results[-1]

    async def _reply(self, message: Message, number: int, text: str) -> CommandResult:
        try:
            ticket = (await load_tickets(self._workspace.store)).get(number)
            self._check_allowed(message, number, ticket)
            assert ticket is not None
            answer = read_mark(text)
            if not answer.text and answer.audience is Audience.EVERYBODY:
                return await self._save_answer(message, ticket)
            if not answer.text:
                raise NotAllowed(f"请把答案写在后面，例如「答 {number}：可以，找张三盖章」。")
            if ticket.state is TicketState.ANSWERED and ticket.answered_with != message.key:
                raise NotAllowed(f"单号 {number} 已经由 {escape_markdown(ticket.answered_by, 20) or '别人'} 答过了。")
            return await self._answer(message, ticket, answer)
        except NotAllowed as exc:
            return CommandResult("没有转告", str(exc), "order_refused")

    def _check_allowed(self, message: Message, number: int, ticket: Ticket | None) -> None:
        groups = self._workspace.snapshot.groups
        owners = groups.owner_userids(ticket.owner) if ticket else ()
        if message.staff_id and (message.staff_id in self._admins or message.staff_id in owners):
            if ticket is None:
                raise NotAllowed(f"没有单号 {number}：它可能早就处理过了。")
            return
        if ticket is None and not groups.is_owner(message.staff_id):
            raise NotAllowed("这样的单号只能由负责的同事来答。您要是想问问题，请直接把问题发给我。")
        owner = f"由{escape_markdown(ticket.owner, 20)}来答" if ticket and ticket.owner else "由管理员来答"
        raise NotAllowed(f"单号 {number} {owner}。" if ticket else f"没有单号 {number}：它可能早就处理过了。")

    async def _answer(self, message: Message, ticket: Ticket, marked: MarkedAnswer) -> CommandResult:
        """Send the answer, record it, make the draft; after a crash each of these may be repeated."""
        text = marked.text
        in_same_group = message.conversation_id == ticket.conversation_id and ticket.is_group and not ticket.private
        if not in_same_group:
            await self._send(message, ticket, text)
        answered = replace(
            ticket,
            state=TicketState.ANSWERED,
            answer="" if ticket.private else text,
            answered_with=message.key,
            answered_by=message.sender_name,
        )
        await save_ticket(self._workspace.store, answered)
        draft_id, remark = await self._draft_for_all(message, ticket, marked)
        # Of a private question only the topic is stored.
        question = withheld(ticket.topic) if ticket.private else ticket.question
        await save_ticket(self._workspace.store, replace(answered, question=question, draft=draft_id))
        if in_same_group:
            asker = _asker_userid(ticket)
            who = f"@{asker}" if asker else escape_markdown(ticket.asker_name, 20)
            body = f"{who} {_body(ticket, text, message, remark)}"
            return CommandResult(f"单号 {ticket.number} 有答案了", body, "replied", mentions=(asker,) if asker else ())
        return CommandResult("已转告", f"单号 {ticket.number} 已转告对方。{remark}", "replied")

    async def _draft_for_all(self, message: Message, ticket: Ticket, answer: MarkedAnswer) -> tuple[str, str]:
        """Make a draft unless the answer is for its asker only; return its id, and a remark to who answered."""
        if answer.audience is Audience.ASKER:
            return "", "只转告对方，没有存成草稿。"
        if answer.audience is Audience.UNMARKED and (sign := personal_sign(answer.text, ticket.asker_name)):
            # The answer to a private question is not kept, so that it cannot be saved later.
            word = (
                "想存就在控制台里新建条目"
                if ticket.private
                else f"想存就{send_word(f'存为问答 {ticket.number}', message)}"
            )
            return "", f"没有存成草稿：像是只说给一个人听的（含「{escape_markdown(sign)}」）。{word}。"
        draft_id = await self._make_draft(message, ticket, answer.text)
        return draft_id, _SAVED if draft_id else ""

    async def _save_answer(self, message: Message, ticket: Ticket) -> CommandResult:
        """Make the draft of an answer that was passed on already; repeated, it does the same."""
        if ticket.state is not TicketState.ANSWERED:
            raise NotAllowed(f"单号 {ticket.number} 还没有答案，请先{send_word(f'答 {ticket.number}：……', message)}。")
        if not ticket.answer:
            raise NotAllowed(f"单号 {ticket.number} 是私密的，答案没有留下。想存就在控制台里新建条目。")
        draft_id = await self._make_draft(message, ticket, ticket.answer)
        if not draft_id:
            raise NotAllowed(f"单号 {ticket.number} 没有存成，请在控制台里新建条目。")
        await save_ticket(self._workspace.store, replace(ticket, draft=draft_id))
        return CommandResult("已存成草稿", f"单号 {ticket.number} 的回答{_SAVED}", "replied")

    async def _send(self, message: Message, ticket: Ticket, text: str) -> None:
        """Post the answer to the asker once. Raises NotAllowed for an asker who cannot be written to."""
        _, key_prefix = notice_key_prefixes(ticket.number)
        key, title = f"{key_prefix}asker", f"单号 {ticket.number} 有答案了"
        if ticket.is_group and not ticket.private:
            # The outbox cannot mention anybody in a group, so the text has the name.
            body = f"{escape_markdown(ticket.asker_name, 20) or '您好'}：\n\n{_body(ticket, text, message)}"
            to = Address("group", ticket.conversation_id)
            await self._outbox.post(Notice(key, to, title, body))
        elif asker := _asker_userid(ticket):
            await self._outbox.post(Notice(key, Address("person", asker), title, _body(ticket, text, message)))
        else:
            raise NotAllowed("对方不在本公司的通讯录里，我没法转告；请直接联系对方。")

    async def _make_draft(self, message: Message, ticket: Ticket, text: str) -> str:
        """Add a draft entry to the file of the topic and return its id; empty if none could be made."""
        if withheld_topic(ticket.question) is not None:
            return ""
        entry_id = f"{TICKET_ENTRY_PREFIX}{ticket.number}"
        entry_fields = EntryFields(
            question=ticket.question,
            answer=text,
            id=entry_id,
            topic=ticket.topic,
            owner=ticket.owner,
            private=ticket.private,
            draft=True,
        )
        for _ in range(_SAVE_TRIES):
            await self._workspace.base.refresh()
            if self._workspace.snapshot.entry(entry_id) is not None:
                return entry_id
            try:
                file = self._file(ticket)
                proposal = await propose_entry(file, (await self._workspace.source.read()).get(file), entry_fields)
                await self._workspace.save(message.sender_name, proposal, "add", message.staff_id)
                return entry_id
            except StaleEdit:
                continue
            except (EditError, FileSourceError) as exc:
                log.error("ticket.no_draft", ticket=ticket.number, reason=str(exc))
                return ""
        return ""

    def _file(self, ticket: Ticket) -> str:
        """Return the file of the ticket's entry, else of any entry of its topic, else the default one."""
        same_topic = [
            e for e in self._workspace.snapshot.entries if e.topic == ticket.topic and e.private == ticket.private
        ]
        example = next((e for e in same_topic if e.id == ticket.entry_id), next(iter(same_topic), None))
        return self._workspace.file_name(example.place.file) if example and ticket.topic else _DEFAULT_FILE


def _asker_userid(ticket: Ticket) -> str:
    """Return the asker's userId; empty for an asker outside the company."""
    return ticket.asker if looks_like_userid(ticket.asker) else ""


def _body(ticket: Ticket, text: str, message: Message, remark: str = "") -> str:
    question = "" if withheld_topic(ticket.question) is not None else f"您问的「{escape_markdown(ticket.question)}」，"
    by = f"由 {escape_markdown(message.sender_name, 20)} 回答"
    return f"{question}单号 {ticket.number} 有答案了：\n\n{line_breaks(text)}{grey(by, remark)}"
