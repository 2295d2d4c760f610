"""通过, 退回 and 撤销: a word about a draft, by somebody who answers for it."""

from __future__ import annotations

import re
from collections.abc import Collection

from faqbot.dialogue.command_parser import leading_number
from faqbot.errors import EditError, FileSourceError, NotAllowed
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.escaping import neutralise
from faqbot.model.commands import Command, CommandKind, CommandResult
from faqbot.model.entries import Entry
from faqbot.model.messages import Message
from faqbot.review import draft_review
from faqbot.review.draft_review import DraftReview, Reviewer

_QUOTED = re.compile(r"草稿\s*(\d{1,6})(?!\d)")
_LISTED = 8
_LONGEST_REASON = 200
_VERBS = {CommandKind.APPROVE: "通过", CommandKind.SEND_BACK: "退回", CommandKind.WITHDRAW: "撤销"}


class DraftCommands:
    """`admins` are userIds who may say a word about every draft; others about those they keep."""

    def __init__(self, workspace: Workspace, admins: Collection[str]) -> None:
        self._workspace = workspace
        self._admins = admins

    async def __call__(self, message: Message, order: Command) -> CommandResult:
        verb = _VERBS[order.kind]
        try:
            if message.staff_id not in self._admins and not self._workspace.snapshot.groups.is_owner(message.staff_id):
                raise NotAllowed("草稿只能由它的负责人或管理员处理。您要是想问问题，请直接把问题发给我。")
            await self._workspace.base.refresh()
            chosen = await self._chosen(message, order)
            return await self._said(message, order, *chosen)
        except (NotAllowed, EditError, FileSourceError) as exc:
            return CommandResult(f"没有{verb}", f"没有{verb}：{exc}", "order_refused")
        except StaleEdit:
            return CommandResult(f"没有{verb}", f"没有{verb}：有人刚才改了这个文件，请再发一次。", "order_refused")

    async def _chosen(self, message: Message, order: Command) -> tuple[DraftReview, Entry]:
        """The paper that is meant: by number, by the quoted message, or the only one it can be. Raises NotAllowed."""
        number, _ = leading_number(order.text)
        quoted = {int(n) for n in _QUOTED.findall(message.quoted)}
        if number is None and len(quoted) == 1:
            (number,) = quoted
        entries = {e.id: e for e in self._workspace.snapshot.entries}
        found = await draft_review.number_drafts(self._workspace)
        if number is not None:
            paper = found.get(number)
            entry = entries.get(paper.entry) if paper else None
            if paper is None or entry is None:
                raise NotAllowed(f"没有草稿 {number}：它可能早就处理过了，或者被删掉了。")
            self._must_be_allowed(message, number, entry)
            return paper, entry
        mine = [
            (paper, entry)
            for paper in found.values()
            if (entry := entries.get(paper.entry))
            and self._may(message, entry)
            and self._fits(message, order, paper, entry)
        ]
        if order.kind is CommandKind.WITHDRAW:
            mine = sorted(mine, key=lambda pair: pair[0].at)[-1:]
        if not mine:
            raise NotAllowed(_NONE[order.kind])
        if len(mine) > 1:
            raise NotAllowed(
                f"有 {len(mine)} 份草稿等您处理，请写上编号，例如「{_VERBS[order.kind]} {mine[0][0].number}」。"
                + _listed(mine, in_group=message.is_group)
            )
        return mine[0]

    def _fits(self, message: Message, order: Command, paper: DraftReview, entry: Entry) -> bool:
        if order.kind is CommandKind.WITHDRAW:
            return paper.userid == message.staff_id and paper.can_be_withdrawn(entry, self._workspace.clock())
        return paper.waits(entry)

    def _may(self, message: Message, entry: Entry) -> bool:
        return draft_review.may_approve(self._workspace.snapshot.groups, self._admins, message.staff_id, entry)

    def _must_be_allowed(self, message: Message, number: int, entry: Entry) -> None:
        if not self._may(message, entry):
            owner = f"由{neutralise(entry.owner)}负责" if entry.owner else "没有写负责人"
            raise NotAllowed(f"草稿 {number} {owner}，请他们或管理员来处理。")

    async def _said(self, message: Message, order: Command, paper: DraftReview, entry: Entry) -> CommandResult:
        by = Reviewer(message.sender_name, message.staff_id)
        what = _name(paper, entry, in_group=message.is_group)
        match order.kind:
            case CommandKind.APPROVE:
                return await self._approve(paper, entry, by, what)
            case CommandKind.SEND_BACK:
                why = leading_number(order.text)[1][:_LONGEST_REASON]
                await draft_review.send_back(self._workspace, entry, by, why)
                return CommandResult("已退回", f"已退回{what}，它还是草稿。改过以后会再请负责人看。", "sent_back")
            case _:
                await draft_review.withdraw(self._workspace, paper, by)
                return CommandResult("已撤销", f"{what}又是草稿了，机器人不再用它回答。", "withdrawn")

    async def _approve(self, paper: DraftReview, entry: Entry, by: Reviewer, what: str) -> CommandResult:
        if not entry.draft:
            # Also what a repeat of the same order finds.
            if paper.userid != by.userid:
                return CommandResult(
                    "已经通过了", f"{what}已经由 {neutralise(paper.by) or '别人'} 通过了。", "approved"
                )
        else:
            maker = (await draft_review.made_by(self._workspace, {entry.id})).get(entry.id)
            if maker is not None and maker.userid == by.userid:
                raise NotAllowed("这一条是您自己写的，请另一位负责人或管理员来通过，或者在控制台里通过。")
            await draft_review.approve(self._workspace, entry, by)
        return CommandResult(
            "已通过", f"已通过{what}，机器人现在就用它回答。24 小时内回复「撤销 {paper.number}」可以收回。", "approved"
        )


_NONE = {
    CommandKind.APPROVE: "现在没有等您通过的草稿。",
    CommandKind.SEND_BACK: "现在没有等您处理的草稿。",
    CommandKind.WITHDRAW: "24 小时内没有您通过的草稿。要撤销别人通过的，请写上编号。",
}


def _name(paper: DraftReview, entry: Entry, *, in_group: bool) -> str:
    # What is private is not spoken of where others read.
    if in_group and entry.private:
        return f"草稿 {paper.number}"
    return f"草稿 {paper.number}「{neutralise(entry.question)}」"


def _listed(found: Collection[tuple[DraftReview, Entry]], *, in_group: bool) -> str:
    lines = [f"- {_name(paper, entry, in_group=in_group)}" for paper, entry in list(found)[:_LISTED]]
    return "\n\n" + "\n".join(lines)
