"""Slot filling: choose the case of an answer by what the asker has said about themselves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faqbot.dialogue.clarification import (
    ELSE_NAME,
    case_name,
    could_be_reply,
    implied_case,
    is_ruled_out,
    mentioned_cases,
    named_case,
)
from faqbot.dialogue.decision_context import DecisionContext
from faqbot.dialogue.private_questions import without_private
from faqbot.language.normalize import normalise
from faqbot.model.decisions import Answered, AskedBack, Decision, Unanswered
from faqbot.model.entries import ELSE, Entry


def names_pending_case(context: DecisionContext) -> bool:
    """Return True if the text is exactly a case of the question back: 过期 may be one, and a rating elsewhere."""
    entry = context.pending_entry
    if entry is None or context.state.answered_since_asked_back:
        return False
    return normalise(context.message.text) in (normalise(case_name(case)) for case in entry.cases)


def answer_by_named_case(context: DecisionContext) -> Answered | None:
    """Answer a reply that names a case of the question back, or corrects the case of the last answer."""
    text, state = context.message.text, context.state
    entry_ids = (state.pending_entry_id, state.last_answer.entry_id if state.last_answer else "")
    if not any(entry_ids) or context.index.has_wording(text):
        return None
    for entry_id in filter(None, entry_ids):
        entry = context.index.by_id.get(entry_id)
        if entry is None or entry.ask is None or not context.listable(entry):
            continue
        if case := named_case(entry, text, context.sound):
            # A number can be looked up in the ranges of other entries too; the name of its range cannot.
            slot_value = text.strip() if _has_number(text) else case_name(case)
            return _answer_with_case(entry, case, slot_value)
    return None


def answer_by_implied_case(context: DecisionContext, decision: Decision) -> Decision:
    """Answer a reply in other words to the question back, if nothing was found for it nor answered since."""
    entry, text = context.pending_entry, context.message.text
    if not isinstance(decision, Unanswered) or entry is None:
        return decision
    if context.state.answered_since_asked_back or not context.listable(entry):
        return decision
    case = implied_case(entry, text)
    if case is not None:
        # An empty case means that all cases are listed.
        return _answer_with_case(entry, case, text.strip() if case == ELSE else case)
    if entry.ask is None or not could_be_reply(text) or without_private(context, decision, text).private_entry:
        return decision
    # It may be a reply that is not understood, or no reply at all: the cases are listed again.
    return AskedBack(entry, 0.0, entry.question, entry.ask, unclear=True)


def _answer_with_case(entry: Entry, case: str, slot_value: str) -> Answered:
    return Answered(entry, 1.0, entry.question, picked=True, case=case, slot_value=slot_value)


def with_case(context: DecisionContext, decision: Answered) -> Answered | AskedBack:
    """Choose the case of an answer that depends on the asker.

    It is the case that the question names, or that follows from what the asker said before; otherwise they are asked,
    once.
    """
    entry = decision.entry
    if entry.ask is None or decision.case:
        return decision
    ask_back = AskedBack(entry, decision.score, decision.question, entry.ask, picked=decision.picked)
    if mentioned := mentioned_cases(entry, context.message.text):
        case = _only_case(context, entry, mentioned)
        return ask_back if case is None else replace(decision, case=case, slot_value=mentioned[0])
    slot = context.state.slot(entry.ask.name)
    if slot is None:
        return ask_back
    if not slot.value:
        return decision
    case = named_case(entry, slot.value, context.sound)
    # 其他 is another set of cases for another entry, and a range says nothing about ranges with other limits.
    is_other_entry = slot.entry_id != entry.id
    if is_other_entry and (slot.value == ELSE_NAME or (case is None and _has_number(slot.value))):
        return ask_back
    case = case or (ELSE if ELSE in entry.variants else "")
    return replace(decision, case=case, slot_value=slot.value, slot_reused=True) if case else decision


def _only_case(context: DecisionContext, entry: Entry, mentioned: Sequence[str]) -> str | None:
    """Return the case of the only one that a question mentions; None if there are several or it is ruled out."""
    if len(mentioned) > 1 or is_ruled_out(normalise(context.message.text), mentioned[0]):
        return None
    return named_case(entry, mentioned[0], context.sound) or (ELSE if ELSE in entry.variants else None)


def _has_number(text: str) -> bool:
    return any(character.isdigit() for character in normalise(text))
