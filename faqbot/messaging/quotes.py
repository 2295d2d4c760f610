"""Quote stages: recognise what a message quotes, and revise the decision where it depends on that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from faqbot.dialogue.choices import NONE_OF_THESE_TEXT, OPTIONS_SECONDS
from faqbot.dialogue.clarification import SLOT_SECONDS, case_name
from faqbot.dialogue.command_parser import quotes_ticket
from faqbot.dialogue.decision_context import DecisionRequest
from faqbot.dialogue.quoted_context import leans_on_quote, revised_by_quote
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.snapshot import Snapshot
from faqbot.language.pointing_words import question_pointed_at
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.batcher import DecisionBatcher
from faqbot.messaging.inbox import Inbox
from faqbot.messaging.pipeline import NextStage, Outcome, Turn
from faqbot.messaging.quoted_answers import QuotedAnswers
from faqbot.model.commands import Command
from faqbot.model.conversation import CaseAnswer, ConversationState, LastAnswer, Option, Slot, drop_expired
from faqbot.model.decisions import Answered, Likely
from faqbot.model.messages import Message, MessageKind, QuoteOrigin
from faqbot.model.plain_replies import UnclearQuote
from faqbot.model.quotes import OwnList, Quote, QuotedAnswer, QuotedList, QuotedQuestion, UnknownQuote
from faqbot.replies.quoted_text import QuotedText, are_lines_of, options_of
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

# A quote without text means the list that the asker was sent within this time of the quoted message.
_SAME_TIME_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """The quoted text, and the question that the message asks by quoting it; None if it has a text of its own."""

    quote: Quote
    question: str | None = None


class ReadQuote:
    """Recognises what a message quotes. A message that only points at a quoted question asks that question."""

    def __init__(
        self,
        answers: QuotedAnswers,
        workspace: Workspace,
        batcher: DecisionBatcher,
        departments: AskerDepartments,
        inbox: Inbox,
    ) -> None:
        self._answers = answers
        self._workspace = workspace
        self._batcher = batcher
        self._departments = departments
        self._inbox = inbox

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        message = turn.message
        has_text = message.kind in (MessageKind.TEXT, MessageKind.VOICE)
        # Who answers a question that was handed over quotes its ticket, which is read elsewhere.
        if not message.is_quote or not has_text or quotes_ticket(message):
            return await proceed(turn)
        reading = await self._read(message)
        if reading.question is not None:
            message = replace(message, text=reading.question)
        return await proceed(replace(turn, message=message, quote=reading.quote))

    async def _read(self, message: Message) -> _Reading:
        quoted = QuotedText(message.quoted, from_bot=message.quoted_from is QuoteOrigin.BOT)
        question = question_pointed_at(message.text, quoted.question)
        try:
            if question is None:
                return _Reading(await self._inbox.retry_until_available(lambda: self._beside_text(message, quoted)))
            return await self._inbox.retry_until_available(lambda: self._alone(message, question))
        except Exception as exc:
            # Whatever went wrong, the message itself must be replied to.
            log.error("quote.unread", cause=exc)
            return _Reading(UnknownQuote())

    async def _alone(self, message: Message, question: str) -> _Reading:
        """Read the quote of a message that has nothing to say beside it."""
        answer = await self._answers.find(message, surely=True)
        if answer is not None:
            return _Reading(self._quoted(answer), answer.question)
        return _Reading(QuotedQuestion(question), question) if question else _Reading(UnknownQuote())

    async def _beside_text(self, message: Message, quoted: QuotedText) -> Quote:
        snapshot, now = self._workspace.snapshot, self._workspace.clock()
        state = drop_expired(await self._inbox.context(message), now)
        is_own_list = _is_own_list(message, quoted, state, snapshot)
        listed = await self._answers.listed(message)
        entries = [entry for entry in snapshot.entries if listed(entry)]
        asked_back = quoted.asked_back(entries)
        options = options_of(quoted.lines, entries, asked_back)
        if asked_back is None and (answer := await self._answers.find(message)):
            return self._quoted(answer, state.options if is_own_list else options)
        if is_own_list:
            return OwnList()
        if asked_back is not None and asked_back.ask is not None:
            pending = Slot(asked_back.ask.name, "", asked_back.id, now + OPTIONS_SECONDS)
            return QuotedList(options, pending)
        if options:
            return QuotedList(options)
        if not quoted.question:
            return UnknownQuote()
        return QuotedQuestion(quoted.question, await self._topic(message, quoted.question))

    def _quoted(self, answer: LastAnswer, options: tuple[Option, ...] = ()) -> QuotedAnswer:
        entry = self._workspace.snapshot.entry(answer.entry_id)
        if entry is None or entry.ask is None:
            return QuotedAnswer(answer, options)
        expires_at = self._workspace.clock() + SLOT_SECONDS
        return QuotedAnswer(answer, options, CaseAnswer(entry.id, answer.slot_value, expires_at))

    async def _topic(self, message: Message, question: str) -> LastAnswer | None:
        """Return the answer that a quoted question would get, as the topic of a short text beside it."""
        if not leans_on_quote(message.text):
            return None
        asked = replace(message, text=question, quoted="", is_quote=False)
        departments = await self._departments.departments(message)
        decision = await self._batcher.decide(DecisionRequest(asked, departments=departments))
        if not isinstance(decision, Answered | Likely) or (decision.entry.private and message.is_group):
            return None
        expires_at = self._workspace.clock() + OPTIONS_SECONDS
        return LastAnswer("", decision.entry.id, decision.question, decision.score, expires_at)


class ReviseByQuote:
    """Revises a decision that depends on the quote: a command gets its subject, an unknown quote is asked for."""

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        if turn.quote is None:
            return await proceed(turn)
        match revised_by_quote(turn.message.text, turn.quote, turn.decided):
            case Command() as command:
                turn = replace(turn, command=command)
            case UnclearQuote() as unclear:
                turn = replace(turn, command=None, response=unclear)
        return await proceed(turn)


def _is_own_list(message: Message, quoted: QuotedText, state: ConversationState, snapshot: Snapshot) -> bool:
    """Return True if the list is quoted from which the asker may pick now."""
    if not state.options:
        return False
    if quoted.lines:
        return are_lines_of(quoted.lines, [_name(option, snapshot) for option in state.options])
    sent_at = state.options_expire_at - OPTIONS_SECONDS
    return not quoted.is_readable and abs(message.quoted_at - sent_at) <= _SAME_TIME_SECONDS


def _name(option: Option, snapshot: Snapshot) -> str:
    """Return the text of a line of a list."""
    entry_id, _, case = option.key.partition("\n")
    match option.kind:
        case "entry":
            entry = snapshot.entry(entry_id)
            return entry.question if entry else ""
        case "case":
            return case_name(case)
        case "topic":
            return option.key
        case "team":
            return case or NONE_OF_THESE_TEXT
        case "none":
            return NONE_OF_THESE_TEXT
