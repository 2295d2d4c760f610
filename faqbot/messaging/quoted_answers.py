"""Finds the answer of the bot that a message quotes, by the question log: DingTalk tells no id of the bot's replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faqbot.access.privacy import withheld, withheld_topic
from faqbot.access.visibility import Allowed, listable
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.language.masking import mask_numbers
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.model.conversation import LastAnswer
from faqbot.model.entries import Entry
from faqbot.model.messages import Message, QuoteOrigin
from faqbot.model.question_log import DELIVERED, RATED, QuestionRecord
from faqbot.replies.quoted_text import AnswerMatch, Match, QuotedText

# Older answers are not looked for.
QUOTABLE_SECONDS = 14 * 86400.0
_ANSWERS = ("answered", "picked", "likely")
# An answer stands in the chat this soon after its question, unless it was delayed.
_PROMPT_SECONDS = 30.0
_MAX_DELAY_SECONDS = 3600.0
# DingTalk's times of a question and of its answer may come from two of its machines.
_CLOCK_SKEW_SECONDS = 2.0
# Without the time of the quoted answer, a text that HR has changed since must be as like as this, and more like than
# any other by the margin.
_SURE_LIKENESS, _MARGIN = 90.0, 8.0

_Found = tuple[QuestionRecord, AnswerMatch]


class QuotedAnswers:
    """Finds quoted answers; raises StoreError. Among several that may be meant it finds none."""

    def __init__(self, workspace: Workspace, departments: AskerDepartments) -> None:
        self._workspace = workspace
        self._departments = departments

    async def find(self, message: Message, *, surely: bool = False) -> LastAnswer | None:
        """Return the quoted answer, or that to the quoted question; None if it is not known which it is.

        `surely` leaves out quoted questions, and what only begins like an answer or stands near one in time.
        """
        now = self._workspace.clock()
        since = now - QUOTABLE_SECONDS
        if not message.is_quote or 0 < message.quoted_at < since:
            return None
        on_record = await self._workspace.store.questions(since)
        records = [r for r in on_record if _is_of_conversation(r, message) and r.outcome != RATED]
        quoted = QuotedText(message.quoted, from_bot=message.quoted_from is QuoteOrigin.BOT)
        found = None if surely else _by_question(message, records)
        if found is None and message.quoted_from is not QuoteOrigin.PERSON and not quoted.holds_several_answers:
            least = Match.SAME if surely and not quoted.is_own else Match.SIMILAR
            found = self._by_answer(message, quoted, records, least)
            if found is None and not message.is_group:
                found = await self._private(message, quoted, records)
            if found is None and not surely and not quoted.is_readable:
                found = _by_time(message, records)
        return self._last_answer(*found, now) if found else None

    def _by_answer(
        self, message: Message, quoted: QuotedText, records: Sequence[QuestionRecord], least: Match
    ) -> _Found | None:
        """Find the answer whose text is quoted; a text changed since must agree with the time, or be very like it."""
        answers = [r for r in records if _is_answer(r) and _may_be_quoted(r, message)]
        entries = filter(None, map(self._entry, {r.entry_id for r in answers}))
        matches = {entry.id: quoted.match(entry) for entry in entries}
        best = max((m.match for m in matches.values()), default=Match.NONE)
        if best is Match.NONE or best < least:
            return None
        found = [(r, m) for r in answers if (m := matches.get(r.entry_id)) and m.match is best]
        if best is Match.SIMILAR:
            found = [one for one in found if _is_prompt(one[0], message)] if message.quoted_at else _most_like(found)
        return _only_one(found, message)

    async def _private(self, message: Message, quoted: QuotedText, records: Sequence[QuestionRecord]) -> _Found | None:
        """Find a private answer in the single chat; its record holds only the topic."""
        allowed = await self.listed(message)
        entries = [e for e in self._workspace.snapshot.entries if e.private and allowed(e)]
        same = [(e, match) for e in entries if (match := quoted.match(e)).match >= Match.NAMED]
        if len(same) != 1:
            return None
        ((entry, match),) = same
        of_topic = [r for r in records if r.text == withheld(entry.topic) and r.outcome in _ANSWERS]
        record = _nearest([r for r in of_topic if _may_be_quoted(r, message)], message)
        return (replace(record, entry_id=entry.id), match) if record else None

    def _last_answer(self, record: QuestionRecord, match: AnswerMatch, now: float) -> LastAnswer | None:
        entry = self._entry(record.entry_id)
        if entry is None:
            return None
        return LastAnswer(
            record.message_id,
            entry.id,
            entry.question,
            record.score,
            now + OPTIONS_SECONDS,
            match.slot_value,
            record.asked_at,
        )

    def _entry(self, entry_id: str) -> Entry | None:
        return self._workspace.snapshot.entry(entry_id)

    async def listed(self, message: Message) -> Allowed:
        """Return a test for the entries that may be shown to the asker where the message was written."""
        departments = await self._departments.departments(message)
        return listable(message, self._workspace.today(), departments, self._workspace.snapshot.groups)


def _by_question(message: Message, records: Sequence[QuestionRecord]) -> _Found | None:
    """Find the answer to a quoted question, by its id or its text."""
    asked = {r.message_id for r in records if r.message_id == message.quoted_id}
    if not asked:
        # Numbers of people are masked in the log.
        quoted = QuotedText(mask_numbers(message.quoted), from_bot=message.quoted_from is QuoteOrigin.BOT)
        asked = {r.message_id for r in records if quoted.is_question(r.text)}
    answers = [r for r in records if _is_answer(r) and (r.message_id in asked or r.picked_for in asked)]
    return _only_one([(r, AnswerMatch()) for r in answers], message)


def _by_time(message: Message, records: Sequence[QuestionRecord]) -> _Found | None:
    """Find the answer that a quote without text means: the only reply at its time, or else the only answer at all."""
    near = (
        [r for r in records if _is_prompt(r, message)] if message.quoted_at else [r for r in records if _is_answer(r)]
    )
    if not all(map(_is_answer, near)):
        return None
    return _only_one([(r, AnswerMatch()) for r in near], message)


def _is_of_conversation(record: QuestionRecord, message: Message) -> bool:
    """Return True for a question asked here; what was private in a group was answered in its asker's single chat."""
    if record.conversation_id == message.conversation_id:
        return message.is_group or record.asker == message.asker
    return not message.is_group and record.asker == message.asker and withheld_topic(record.text) is not None


def _is_answer(record: QuestionRecord) -> bool:
    return record.outcome in _ANSWERS and bool(record.entry_id) and record.delivery == DELIVERED


def _may_be_quoted(record: QuestionRecord, message: Message) -> bool:
    """Return False if the quoted message was written before the question, or long after it."""
    after = message.quoted_at - record.asked_at
    return not message.quoted_at or -_CLOCK_SKEW_SECONDS <= after <= _MAX_DELAY_SECONDS


def _is_prompt(record: QuestionRecord, message: Message) -> bool:
    return -_CLOCK_SKEW_SECONDS <= message.quoted_at - record.asked_at <= _PROMPT_SECONDS


def _most_like(found: Sequence[_Found]) -> list[_Found]:
    """Return those with the entry that is very like the quoted text, if no other is nearly as much."""
    best = max((match.likeness for _, match in found), default=0.0)
    near = [one for one in found if one[1].likeness > best - _MARGIN]
    return near if best >= _SURE_LIKENESS else []


def _only_one(found: Sequence[_Found], message: Message) -> _Found | None:
    """Return the answer with the only entry among those found, the time deciding between several; else None."""
    if len({record.entry_id for record, _ in found}) > 1:
        found = [one for one in found if message.quoted_at and _is_prompt(one[0], message)]
    if len({record.entry_id for record, _ in found}) != 1:
        return None
    record = _nearest([record for record, _ in found], message)
    return next(one for one in found if one[0] is record)


def _nearest(records: Sequence[QuestionRecord], message: Message) -> QuestionRecord | None:
    """Return the record nearest to the time of the quoted message; without that the asker's own last one, else any."""
    if message.quoted_at:
        return min(records, key=lambda r: abs(message.quoted_at - r.asked_at), default=None)
    return max(records, key=lambda r: (r.asker == message.asker, r.asked_at), default=None)
