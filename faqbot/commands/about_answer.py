"""Commands 为什么, 谁负责 and 热门: explain the last answer, name its owner, list the most asked questions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime, tzinfo

from faqbot.access.privacy import withheld_topic
from faqbot.access.visibility import Allowed
from faqbot.commands.last_answer import LastAnswers, none_yet
from faqbot.handoff.handed_question import last_question
from faqbot.handoff.owner_requests import owners_to_ask
from faqbot.knowledge.editing.audit_log import FILES, last_change, load_edits
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.facts import has_facts
from faqbot.language.normalize import normalise
from faqbot.markup.blocks import label, numbered, one_line, send_word
from faqbot.markup.escaping import escape_markdown
from faqbot.model.commands import Command, CommandKind, CommandResult
from faqbot.model.conversation import LastAnswer, Option
from faqbot.model.entries import Entry
from faqbot.model.messages import Message
from faqbot.model.question_log import QuestionRecord, received_answers
from faqbot.replies.differences import difference_text

_DAYS = 30
_MAX_HOTTEST = 5
# From this score on wrong answers are rare, so the match is called certain.
_CONFIDENT_SCORE = 0.9


class AboutAnswerCommands:
    """Handles the three commands. Their results show only entries that the asker may see where they wrote."""

    def __init__(
        self, workspace: Workspace, last_answers: LastAnswers, admins: Collection[str], timezone: tzinfo
    ) -> None:
        self._workspace = workspace
        self._last_answers = last_answers
        self._admins = admins
        self._zone = timezone

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        listed = await self._last_answers.listed(message)
        if command.kind is CommandKind.HOTTEST:
            return await self._hottest(message, listed)
        last = await self._last_answers.of(message)
        if last is None:
            return self._no_last_answer(message, command.kind)
        entry = self._workspace.snapshot.entry(last.entry_id)
        if entry is None or not listed(entry):
            return CommandResult("现在说不了", _why_not_available(message, entry))
        return await (
            self._keeper(message, entry, last) if command.kind is CommandKind.KEEPER else self._why(entry, last)
        )

    async def _why(self, entry: Entry, last: LastAnswer) -> CommandResult:
        question_line = f"对上的问法：{label(entry.question)}"
        matched = [fact for fact in await self._matched(entry, last) if fact != question_line]
        facts = [f"答的是：{label(entry.question)}", *matched]
        facts += [f"哪一种情况：按您说的「{escape_markdown(last.slot_value)}」"] if last.slot_value else []
        facts += [f"来源：{one_line(entry.source)}"] if entry.source.strip() else []
        facts.append(f"负责人：{label(entry.owner.strip()) or '没有写'}")
        facts += await self._changed(entry)
        if entry.review:
            when = "该复核了：原定 " if entry.review < self._workspace.today() else "下次复核："
            facts.append(f"{when}{entry.review.isoformat()}")
        return CommandResult("为什么这样回答", "上一个回答的依据：\n\n" + "\n".join(f"- {fact}" for fact in facts))

    async def _matched(self, entry: Entry, last: LastAnswer) -> Sequence[str]:
        """Name the wording that matched and its certainty; after a question back, for the question before the reply."""
        answered, question = await self._last_answers.records(last)
        if answered is None or answered is question:
            return _match(last.question, last.score, question)
        if not last.slot_value or (question and question.outcome == "offered"):
            picked = (f"对上的问法：{label(last.question)}", "把握：您从列表里选的")
            return (*picked, *(f"不一样的地方：{text}" for text in self._differences(entry, question)))
        # A correction long after the question back replies to a question that is not on record any more.
        if question is None or withheld_topic(question.text) is not None:
            return ()
        ranking = self._workspace.snapshot.index.search(question.text, allowed=lambda e: e.id == entry.id)
        return _match(ranking[0].question, question.score, question) if ranking else ()

    def _differences(self, entry: Entry, question: QuestionRecord | None) -> Sequence[str]:
        """Say what differs between an entry that was picked and the question that its list replied to."""
        if question is None or withheld_topic(question.text) is not None:
            return ()
        ranking = self._workspace.snapshot.index.search(question.text, allowed=lambda e: e.id == entry.id)
        return [escape_markdown(difference_text(d)) for d in ranking[0].differs] if ranking else ()

    async def _changed(self, entry: Entry) -> Sequence[str]:
        """Return the date and the author of the last change of the answer; empty if they are unknown."""
        file = self._workspace.file_name(entry.place.file)
        source_entry = self._workspace.as_written(entry)
        change = await asyncio.to_thread(last_change, await load_edits(self._workspace.store), file, source_entry.id)
        if change is None:
            return ()
        day = datetime.fromtimestamp(change.at, self._zone).date()
        who = "在知识文件里" if change.who == FILES else escape_markdown(change.who, 20)
        when = f"上次修改：{_day(day, self._workspace.today())}{f'，{who}' if who else ''}"
        # Facts are changed in one file for all answers, so this date does not cover them.
        return (f"{when}（里面会变的数字另外更新）" if has_facts(source_entry) else when,)

    async def _keeper(self, message: Message, entry: Entry, last: LastAnswer) -> CommandResult:
        owner = label(entry.owner.strip())
        ownership = f"由 **{owner}** 负责" if owner else "没有写负责人"
        # The record of a private question holds only its topic, which may have other owners.
        question = await last_question(self._workspace, message)
        if question is not None and question.message_id == last.message_id:
            how = f"{send_word('人工', message)}，{self._handover(message, None if entry.private else entry.owner)}"
        else:
            # The command 人工 alone would escalate a later question.
            how = f"{send_word('人工', message)}，后面写上问题，{self._handover(message)}"
        return CommandResult("谁负责", f"「{label(entry.question)}」{ownership}。要找人，{how}。")

    def _no_last_answer(self, message: Message, kind: CommandKind) -> CommandResult:
        if kind is CommandKind.WHY:
            return CommandResult(
                "不知道说的是哪一条", f"{none_yet(message)}请先问一次，再{send_word('为什么', message)}。"
            )
        again = f"请先问一次，再{send_word('谁负责', message)}"
        person = f"要直接找人，{send_word('人工', message)}，后面写上问题，{self._handover(message)}"
        return CommandResult("不知道说的是哪一条", f"{none_yet(message)}{again}；{person}。")

    def _handover(self, message: Message, owner: str | None = None) -> str:
        """Name the person who will answer an escalated question; without `owner`, for any question."""
        groups = self._workspace.snapshot.groups
        people, name = owners_to_ask(groups, self._admins, owner or "", message.conversation_id)
        if not people:
            return "我记下来，HR 会在控制台里看到"
        return f"我请{label(name)}来答" if owner is not None else "我请同事来答"

    async def _hottest(self, message: Message, listed: Allowed) -> CommandResult:
        records = await self._workspace.store.questions(self._workspace.clock() - _DAYS * 86400)
        answers = received_answers(records)
        askers = Counter(entry_id for entry_id, _ in dict.fromkeys((r.entry_id, r.asker) for r in answers))
        entries = (self._workspace.snapshot.entry(entry_id) for entry_id, _ in askers.most_common())
        hottest = [entry for entry in entries if entry and not entry.private and listed(entry)][:_MAX_HOTTEST]
        if not hottest:
            return CommandResult(
                "热门问题", f"最近 {_DAYS} 天还没有热门的问题。{send_word('帮助', message)}看可以问什么。"
            )
        body = numbered(f"最近 {_DAYS} 天大家问得最多的：", [entry.question for entry in hottest], message)
        return CommandResult("热门问题", body, options=tuple(Option("entry", entry.id) for entry in hottest))


def _match(wording: str, score: float, record: QuestionRecord | None) -> Sequence[str]:
    if record and record.text and normalise(record.text) == normalise(wording):
        sure = "一字不差"
    elif record and record.outcome == "likely":
        sure = "不太大，所以先问您是不是想问这一条"
    else:
        sure = "很有把握" if score >= _CONFIDENT_SCORE else "比较像"
    return (f"对上的问法：{label(wording)}", f"把握：{sure}")


def _day(day: date, today: date) -> str:
    year = f"{day.year} 年 " if day.year != today.year else ""
    return f"{year}{day.month} 月 {day.day} 日"


def _why_not_available(message: Message, entry: Entry | None) -> str:
    if entry and entry.private and message.is_group:
        return "这一条只在单聊里说。请点我的头像，私聊再问一次。"
    return "上一个回答的条目已经改动，现在不能再查看。请再问一次。"
