"""Dialogue state tracking: compute an asker's next dialogue state from a reply. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.dialogue.clarification import SLOT_SECONDS
from faqbot.model.commands import CommandResult, Response
from faqbot.model.conversation import (
    CaseAnswer,
    ConversationState,
    Fact,
    LastAnswer,
    LikelyAnswer,
    NamedCase,
    OptionList,
    Slot,
)
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Likely,
    LikelyRefused,
    MultiAnswer,
    NoneOfThese,
    PrivateReply,
    Unanswered,
)
from faqbot.model.plain_replies import Failure, OutOfList, SmallTalk, TooLate

_MAX_MISSES = 3
# Rate limit for one asker in a group: more than this many replies within the window flood it.
REPLIES_PER_WINDOW, RATE_WINDOW_SECONDS = 10, 60.0


def state_after_reply(state: ConversationState, response: Response, message_id: str, now: float) -> ConversationState:
    """Return the state of the asker of `message_id` after `response` was delivered; `state` is the one before."""
    reply_expiries = (*state.reply_expiries, now + RATE_WINDOW_SECONDS)[-REPLIES_PER_WINDOW:]
    state = _with_handoff(replace(state, reply_expiries=reply_expiries), response, now)
    return _updated(_with_facts(state, response.facts, now), response, message_id, now)


def _with_handoff(state: ConversationState, response: Response, now: float) -> ConversationState:
    """Remember whether the question for a person is awaited. Other commands and answers change the subject.

    A command ends a list of teams too: it handed the ticket over, or is about something else.
    """
    match response:
        case CommandResult():
            expires_at = now + OPTIONS_SECONDS if response.awaits_question else 0.0
            if any(option.kind == "team" for option in state.options):
                state = replace(state, options=(), options_expire_at=0.0, options_message_id="", options_cases=())
            return replace(state, handoff_expires_at=expires_at)
        case SmallTalk() | OutOfList() | Failure() | TooLate():
            return state
        case _:
            return replace(state, handoff_expires_at=0.0)


def _updated(state: ConversationState, response: Response, message_id: str, now: float) -> ConversationState:
    state = _without_likely(_with_options(state, response, message_id, now), response)
    expires_at = now + OPTIONS_SECONDS
    match response:
        case Answered(entry, score, question):
            answer = LastAnswer(message_id, entry.id, question, score, expires_at, response.slot_value)
            case_answer = CaseAnswer(entry.id, response.slot_value, now + SLOT_SECONDS) if entry.ask else None
            state = replace(state, last_answer=answer, miss_expiries=(), case_answer=case_answer)
            if response.slot_value:
                state = _without_pending(state, entry.id)
            # A question about Beijing may come from anywhere: it tells nothing about the asker.
            if not entry.ask or not response.slot_value or not response.picked or response.slot_supposed:
                return state
            return _with_slot(state, Slot(entry.ask.name, response.slot_value, entry.id, now + SLOT_SECONDS))
        case AskedBack(entry, ask=ask):
            return _with_slot(state, Slot(ask.name, "", entry.id, expires_at))
        case MultiAnswer() if response.answered:
            # Who looks at several cases does not say which of them holds.
            return _updated(state, replace(response.answered[-1], slot_value=""), message_id, now)
        case PrivateReply():
            return replace(state, miss_expiries=())
        case Likely(entry, score, question, others):
            # It may be refused, so it does not show yet that the asker was helped: `miss_expiries` stays.
            answer = LastAnswer(message_id, entry.id, question, score, expires_at)
            likely = LikelyAnswer(message_id, tuple(c.entry.id for c in others), expires_at, response.named_cases)
            return replace(state, last_answer=answer, likely_answer=likely, case_answer=None)
        case Unanswered() | NoneOfThese() | LikelyRefused(entries=()):
            return replace(state, miss_expiries=(*state.miss_expiries, expires_at)[-_MAX_MISSES:])
        case _:
            return state


def _with_options(state: ConversationState, response: Response, message_id: str, now: float) -> ConversationState:
    """Remember the list that was sent, if there was one, and which question it replied to."""
    options = response.options
    if not options:
        return state
    earlier, cases = None, response.named_cases
    if isinstance(response, Answered):
        # Questions listed below an answer are other questions, not candidates for this one.
        message_id = ""
        cases = (NamedCase(response.slot_value),) if response.slot_value and response.slot_supposed else ()
        earlier = state.earlier_list
        if state.options and state.options_message_id and state.options[0].kind != "team":
            earlier = OptionList(state.options, state.options_expire_at, state.options_message_id, state.options_cases)
    elif isinstance(response, LikelyRefused) and state.likely_answer is not None:
        message_id, cases = state.likely_answer.message_id, state.likely_answer.named_cases
    elif isinstance(response, AskedBack) and response.unclear and state.options == options:
        # The same list once more still stands for the question that it was sent for.
        message_id = state.options_message_id
    return replace(
        state,
        options=options,
        options_expire_at=now + OPTIONS_SECONDS,
        options_message_id=message_id,
        earlier_list=earlier,
        options_cases=cases,
    )


def _without_likely(state: ConversationState, response: Response) -> ConversationState:
    """Forget the likely answer once something else was replied to a question, and its answer once it was refused."""
    if isinstance(response, LikelyRefused):
        return replace(state, likely_answer=None, last_answer=None)
    if response.options or response.logged_match is not None:
        return replace(state, likely_answer=None)
    return state


def _with_facts(state: ConversationState, facts: Sequence[Fact], now: float) -> ConversationState:
    """Remember what askers state about themselves, and forget what they deny."""
    for fact in facts:
        state = _with_slot(state, Slot(fact.name, fact.value, "", now + SLOT_SECONDS))
    if not facts:
        return state
    denied = {fact.name for fact in facts if not fact.value}
    # A list that was sent before is answered for what is stated now.
    earlier = replace(state.earlier_list, named_cases=()) if state.earlier_list else None
    slots = tuple(slot for slot in state.slots if slot.name not in denied)
    return replace(state, slots=slots, options_cases=(), earlier_list=earlier)


def _with_slot(state: ConversationState, slot: Slot) -> ConversationState:
    """Add a slot in the place of those with its name; one that is only asked for leaves what was stated before."""
    kept = (s for s in state.slots if s.name != slot.name or (s.value and not slot.value))
    return replace(state, slots=(*kept, slot))


def _without_pending(state: ConversationState, entry_id: str) -> ConversationState:
    return replace(state, slots=tuple(s for s in state.slots if s.value or s.entry_id != entry_id))
