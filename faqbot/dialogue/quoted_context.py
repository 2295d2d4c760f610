"""Dialogue state of a message that quotes another: its topic is what is quoted, not what was said last. Pure."""

from __future__ import annotations

from dataclasses import replace

from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.language.normalize import normalise
from faqbot.language.pointing_words import question_pointed_at
from faqbot.model.commands import Command, CommandKind, Response
from faqbot.model.conversation import ConversationState, LastAnswer, Option, Slot
from faqbot.model.decisions import Unanswered
from faqbot.model.plain_replies import Menu, SmallTalk, SmallTalkKind, UnclearQuote
from faqbot.model.quotes import OwnList, Quote, QuotedAnswer, QuotedList, QuotedQuestion, UnknownQuote

# Stands for the message that a quoted list replied to, which is not known: a pick from it belongs to no other list.
_QUOTE = "quote"
_ABOUT_AN_ANSWER = (CommandKind.RATE, CommandKind.WHY, CommandKind.KEEPER)
# A longer text says itself what it is about.
_MAX_LEANING_CHARS = 12


def state_going_on(state: ConversationState, quote: Quote | None) -> ConversationState:
    """Return the state on which that after the reply builds: a quoted answer is from now on the last one."""
    if not isinstance(quote, QuotedAnswer):
        return state
    likely = state.likely_answer
    if likely and likely.message_id != quote.answer.message_id:
        likely = None
    return replace(state, last_answer=quote.answer, likely_answer=likely, case_answer=quote.case_answer)


def state_to_decide_by(state: ConversationState, quote: Quote | None, now: float) -> ConversationState:
    """Return the state by which the message itself is decided on: nothing in it refers to anything but the quote."""
    match quote:
        case None | OwnList():
            return state
        case QuotedAnswer(answer, options, case_answer):
            return replace(_about(state, answer, options, None, now), case_answer=case_answer)
        case QuotedList(options, pending):
            return _about(state, None, options, pending, now)
        case QuotedQuestion(topic=topic):
            return _about(state, topic, (), None, now)
        case UnknownQuote():
            return _about(state, None, (), None, now)


def revised_by_quote(text: str, quote: Quote, decided: Command | Response) -> Command | UnclearQuote | None:
    """Return what to do instead of the decision on a message because of its quote; None if that stands.

    What is quoted is asked for if the reply depends on it and it is not known. A command that was quoted must not be
    carried out: who quotes it only asks about it.
    """
    if question_pointed_at(text, "") is not None:
        return UnclearQuote("question")
    match decided, quote:
        case _, OwnList():
            return None
        case Command(CommandKind.PERSON, question), _ if question == text:
            # The question for the person whom its asker asked for before.
            return None
        case Command() | SmallTalk(SmallTalkKind.NOTHING_TO_PICK), QuotedQuestion(quoted) if quoted == text:
            return UnclearQuote("question")
        case SmallTalk(SmallTalkKind.NOTHING_TO_PICK), _:
            return UnclearQuote("list")
        case Command(kind), _ if kind in _ABOUT_AN_ANSWER and not isinstance(quote, QuotedAnswer):
            return UnclearQuote("answer")
        case Command(CommandKind.PERSON, ""), QuotedQuestion(question) | QuotedAnswer(LastAnswer(question=question)):
            return Command(CommandKind.PERSON, question)
        case Command(CommandKind.PERSON, ""), _:
            return UnclearQuote("question")
        case Unanswered() | Menu(unspecific=True), UnknownQuote() if leans_on_quote(text):
            return UnclearQuote("question")
        case _:
            return None


def leans_on_quote(text: str) -> bool:
    """Return True if a text is so short that it may be about what it quotes."""
    return len(normalise(text)) <= _MAX_LEANING_CHARS


def _about(
    state: ConversationState,
    answer: LastAnswer | None,
    options: tuple[Option, ...],
    pending: Slot | None,
    now: float,
) -> ConversationState:
    likely = state.likely_answer
    if likely and not (answer and likely.message_id == answer.message_id):
        likely = None
    # What the asker said of themselves holds on; what an entry asked back is not what is quoted.
    known = tuple(slot for slot in state.slots if slot.value and not (pending and slot.name == pending.name))
    # What is listed below a quoted answer is no list that was sent after it.
    expires_at = answer.expires_at if answer else now + OPTIONS_SECONDS
    return replace(
        state,
        last_answer=answer,
        likely_answer=likely,
        slots=(*known, pending) if pending else known,
        options=options,
        options_expire_at=expires_at if options else 0.0,
        options_message_id=_QUOTE if options else "",
        options_cases=(),
        earlier_list=None,
        case_answer=None,
    )
