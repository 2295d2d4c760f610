"""Slot filling: choose the case of an answer by what the asker has said about themselves. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from faqbot.dialogue.case_mentions import CaseMention, Stance
from faqbot.dialogue.case_names import CaseNames
from faqbot.dialogue.case_ranges import stated_number
from faqbot.dialogue.clarification import (
    ELSE_NAME,
    case_name,
    case_of,
    case_of_value,
    could_be_reply,
    implied_case,
    mentions_for,
    named_case,
)
from faqbot.dialogue.decision_context import DecisionContext
from faqbot.dialogue.private_questions import without_private
from faqbot.language.normalize import normalise
from faqbot.model.conversation import ConversationState, NamedCase, Option
from faqbot.model.decisions import Answered, AskedBack, Decision, Unanswered
from faqbot.model.entries import ELSE, Entry

# 那满10年的呢 asks about another case, and says nothing about the asker.
_SUPPOSING = re.compile("^(?:那|如果|要是|换成)|呢$")


def names_pending_case(context: DecisionContext) -> bool:
    """Return True if the text is exactly a case of the question back: 过期 may be one, and a rating elsewhere."""
    entry = context.pending_entry
    if entry is None or context.state.answered_since_asked_back:
        return False
    return normalise(context.message.text) in (normalise(case_name(case)) for case in entry.cases)


def answer_by_named_case(context: DecisionContext) -> Answered | None:
    """Answer a reply that names a case of the question back, or corrects the case of the last answer."""
    text, state = context.message.text, context.state
    entry_ids = (state.pending_entry_id, state.case_answer.entry_id if state.case_answer else "")
    if not any(entry_ids) or context.index.has_wording(text):
        return None
    for entry_id in filter(None, entry_ids):
        entry = context.index.by_id.get(entry_id)
        if entry is None or entry.ask is None or not context.listable(entry):
            continue
        if case := named_case(entry, text, context.sound):
            # A number can be looked up in the ranges of other entries too; the name of its range cannot.
            value = stated_number(text) or case_name(case)
            return answer_with_case(entry, case, value, supposed=_SUPPOSING.search(normalise(text)) is not None)
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
        return answer_with_case(entry, case, (stated_number(text) or text.strip()) if case == ELSE else case)
    if entry.ask is None or not could_be_reply(text) or without_private(context, decision, text).private_entry:
        return decision
    # It may be a reply that is not understood, or no reply at all: the cases are listed again.
    return AskedBack(entry, 0.0, entry.question, entry.ask, unclear=True)


def answer_with_case(entry: Entry, case: str, slot_value: str, *, supposed: bool = False) -> Answered:
    return Answered(entry, 1.0, entry.question, picked=True, case=case, slot_value=slot_value, slot_supposed=supposed)


def with_case(context: DecisionContext, decision: Answered, text: str) -> Answered | AskedBack:
    """Choose the case of an answer that depends on the asker.

    It is the case that the question `text` names or, where it was listed, the question before the list; or that follows
    from what the asker said before. Otherwise they are asked, once.
    """
    entry = decision.entry
    if entry.ask is None or decision.case:
        return decision
    ask_back = AskedBack(
        entry, decision.score, decision.question, entry.ask, picked=decision.picked, repeated=decision.repeated
    )
    if mentions := mentions_for(entry, text) or _mentions_before(context, decision, text):
        return with_mentioned_case(decision, mentions) or ask_back
    slot = context.state.slot(entry.ask.name)
    if slot is None:
        return ask_back
    if not slot.value:
        return decision
    case = case_of_value(entry, slot.value, context.sound)
    # 其他 is another set of cases for another entry, and a range says nothing about ranges with other limits.
    is_other_entry = slot.entry_id != entry.id
    if case is None or (is_other_entry and slot.value == ELSE_NAME):
        return ask_back if is_other_entry or ELSE in entry.variants else decision
    return replace(decision, case=case, slot_value=slot.value, slot_reused=True)


def with_mentioned_case(decision: Answered, mentions: tuple[CaseMention, ...]) -> Answered | None:
    """Choose the only case that is mentioned; None if there are several, or it is ruled out or somebody else's."""
    usable = [mention for mention in mentions if mention.is_usable]
    case = case_of(decision.entry, usable[0]) if len(usable) == 1 else None
    if case is None:
        return None
    is_own = usable[0].stance is Stance.OWN
    return replace(
        decision, case=case, slot_value=shown_case(decision.entry, case, usable[0]), slot_supposed=not is_own
    )


def shown_case(entry: Entry, case: str, mention: CaseMention) -> str:
    """Return the name of a mentioned case for the reply: of a place the city, unless a district is the case."""
    if not mention.place:
        return case_name(case)
    nearest = mention.place.names[0]
    return nearest if nearest in CaseNames.of(entry).places.get(case, ()) else mention.name


def _mentions_before(context: DecisionContext, decision: Answered, text: str) -> tuple[CaseMention, ...]:
    """Find the cases named by the question whose list a line was picked from, or that a follow-up continues."""
    state, entry = context.state, decision.entry
    # Tapping a line sends its question exactly as it stands.
    if decision.picked or text.strip() == entry.question.strip():
        named = _cases_of_list(state, Option("entry", entry.id))
        return tuple(mention for case in named for mention in _mentions_of(entry, case))
    last = state.case_answer
    before = context.index.by_id.get(last.entry_id) if last and decision.is_follow_up else None
    if last and before and before.ask and entry.ask and before.ask.name == entry.ask.name:
        return _mentions_of(entry, NamedCase(last.value))
    return ()


def _cases_of_list(state: ConversationState, option: Option) -> tuple[NamedCase, ...]:
    """Return the cases that were named for the last list that has this line."""
    if option in state.options:
        return state.options_cases
    earlier = state.earlier_list
    return earlier.named_cases if earlier and option in earlier.options else ()


def _mentions_of(entry: Entry, case: NamedCase) -> tuple[CaseMention, ...]:
    stance = Stance.NAMED if case.is_usable else Stance.RULED_OUT
    return tuple(replace(mention, stance=stance) for mention in mentions_for(entry, case.word))
