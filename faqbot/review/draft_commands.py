"""The commands 通过, 退回 and 撤销, by which owners and administrators decide on drafts in chat."""

from __future__ import annotations

import re
from collections.abc import Collection

from faqbot.dialogue.command_parser import leading_number
from faqbot.errors import EditError, FileSourceError, NotAllowed
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.escaping import escape_markdown
from faqbot.model.commands import Command, CommandKind, CommandResult
from faqbot.model.entries import Entry
from faqbot.model.messages import Message
from faqbot.review import draft_review
from faqbot.review.draft_records import DraftReview, Reviewer, last_authors, may_approve, number_drafts

_QUOTED_NUMBER = re.compile(r"草稿\s*(\d{1,6})(?!\d)")
_MAX_LISTED = 8
_MAX_REASON_CHARS = 200
_VERBS = {CommandKind.APPROVE: "通过", CommandKind.SEND_BACK: "退回", CommandKind.WITHDRAW: "撤销"}
_NO_DRAFT = {
    CommandKind.APPROVE: "现在没有等您通过的草稿。",
    CommandKind.SEND_BACK: "现在没有等您处理的草稿。",
    CommandKind.WITHDRAW: "24 小时内没有您通过的草稿。要撤销别人通过的，请写上编号。",
}


class DraftCommands:
    """`admins` are userIds who may decide on every draft; other people may decide on those they own."""

    def __init__(self, workspace: Workspace, admins: Collection[str]) -> None:
        self._workspace = workspace
        self._admins = admins

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        verb = _VERBS[command.kind]
        try:
            groups = self._workspace.snapshot.groups
            if message.staff_id not in self._admins and not groups.is_owner(message.staff_id):
                raise NotAllowed("草稿只能由它的负责人或管理员处理。您要是想问问题，请直接把问题发给我。")
            await self._workspace.base.refresh()
            review, entry = await self._select(message, command)
            return await self._decide(message, command, review, entry)
        except (NotAllowed, EditError, FileSourceError) as exc:
            return CommandResult(f"没有{verb}", f"没有{verb}：{exc}", "order_refused")
        except StaleEdit:
            return CommandResult(f"没有{verb}", f"没有{verb}：有人刚才改了这个文件，请再发一次。", "order_refused")

    # -- which draft -------------------------------------------------------------------------

    async def _select(self, message: Message, command: Command) -> tuple[DraftReview, Entry]:
        """Find the draft by its number, by the quoted message, or as the only possible one. Raises NotAllowed."""
        number, _ = leading_number(command.text)
        quoted = {int(n) for n in _QUOTED_NUMBER.findall(message.quoted)}
        if number is None and len(quoted) == 1:
            (number,) = quoted
        entries = {e.id: e for e in self._workspace.snapshot.entries}
        reviews = await number_drafts(self._workspace)
        if number is not None:
            review = reviews.get(number)
            entry = entries.get(review.entry_id) if review else None
            if review is None or entry is None:
                raise NotAllowed(f"没有草稿 {number}：它可能早就处理过了，或者被删掉了。")
            self._must_be_allowed(message, number, entry)
            return review, entry
        candidates = [
            (review, entry)
            for review in reviews.values()
            if (entry := entries.get(review.entry_id))
            and self._may_decide(message, entry)
            and self._applies(message, command, review, entry)
        ]
        if command.kind is CommandKind.WITHDRAW:
            candidates = sorted(candidates, key=lambda candidate: candidate[0].at)[-1:]
        if not candidates:
            raise NotAllowed(_NO_DRAFT[command.kind])
        if len(candidates) > 1:
            example = f"{_VERBS[command.kind]} {candidates[0][0].number}"
            raise NotAllowed(
                f"有 {len(candidates)} 份草稿等您处理，请写上编号，例如「{example}」。"
                + _listed(candidates, in_group=message.is_group)
            )
        return candidates[0]

    def _applies(self, message: Message, command: Command, review: DraftReview, entry: Entry) -> bool:
        if command.kind is CommandKind.WITHDRAW:
            return review.userid == message.staff_id and review.can_be_withdrawn(entry, self._workspace.clock())
        return review.is_pending(entry)

    def _may_decide(self, message: Message, entry: Entry) -> bool:
        return may_approve(self._workspace.snapshot.groups, self._admins, message.staff_id, entry)

    def _must_be_allowed(self, message: Message, number: int, entry: Entry) -> None:
        if not self._may_decide(message, entry):
            owner = f"由{escape_markdown(entry.owner)}负责" if entry.owner else "没有写负责人"
            raise NotAllowed(f"草稿 {number} {owner}，请他们或管理员来处理。")

    # -- the decision ------------------------------------------------------------------------

    async def _decide(self, message: Message, command: Command, review: DraftReview, entry: Entry) -> CommandResult:
        by = Reviewer(message.sender_name, message.staff_id)
        label = _label(review, entry, in_group=message.is_group)
        match command.kind:
            case CommandKind.APPROVE:
                return await self._approve(review, entry, by, label)
            case CommandKind.SEND_BACK:
                why = leading_number(command.text)[1][:_MAX_REASON_CHARS]
                await draft_review.send_back(self._workspace, entry, by, why)
                return CommandResult("已退回", f"已退回{label}，它还是草稿。改过以后会再请负责人看。", "sent_back")
            case _:
                await draft_review.withdraw(self._workspace, review, by)
                return CommandResult("已撤销", f"{label}又是草稿了，机器人不再用它回答。", "withdrawn")

    async def _approve(self, review: DraftReview, entry: Entry, by: Reviewer, label: str) -> CommandResult:
        if not entry.draft:
            # A repeat of one's own approval is answered like the first.
            if review.userid != by.userid:
                return CommandResult(
                    "已经通过了", f"{label}已经由 {escape_markdown(review.by) or '别人'} 通过了。", "approved"
                )
        else:
            author = (await last_authors(self._workspace, {entry.id})).get(entry.id)
            if author is not None and author.userid == by.userid:
                raise NotAllowed("这一条是您自己写的，请另一位负责人或管理员来通过，或者在控制台里通过。")
            await draft_review.approve(self._workspace, entry, by)
        return CommandResult(
            "已通过",
            f"已通过{label}，机器人现在就用它回答。24 小时内回复「撤销 {review.number}」可以收回。",
            "approved",
        )


def _label(review: DraftReview, entry: Entry, *, in_group: bool) -> str:
    # In a group the question of a private entry is not shown.
    if in_group and entry.private:
        return f"草稿 {review.number}"
    return f"草稿 {review.number}「{escape_markdown(entry.question)}」"


def _listed(candidates: Collection[tuple[DraftReview, Entry]], *, in_group: bool) -> str:
    lines = [f"- {_label(review, entry, in_group=in_group)}" for review, entry in list(candidates)[:_MAX_LISTED]]
    return "\n\n" + "\n".join(lines)
