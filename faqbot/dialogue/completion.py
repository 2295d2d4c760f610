"""Complete a decision: choose the case of the answer, add related questions, contacts, greeting. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faqbot.dialogue.answer_policy import NEAR_SCORE, is_overdue, with_related
from faqbot.dialogue.case_vocabulary import CaseVocabulary
from faqbot.dialogue.decision_context import DecisionContext
from faqbot.dialogue.private_questions import without_private
from faqbot.dialogue.slot_filling import with_case
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Decision,
    Likely,
    LikelyRefused,
    MultiAnswer,
    NoneOfThese,
    Offered,
    Part,
    PrivateReply,
    Unanswered,
)
from faqbot.model.entries import Entry
from faqbot.model.plain_replies import SmallTalk, SmallTalkKind


def complete(context: DecisionContext, decision: Decision) -> Decision:
    """Return the decision as it may be replied where the message was written, with all that the reply shows."""
    return _completed(context, _with_cases_said(context, without_private(context, decision, context.message.text)))


def _completed(context: DecisionContext, decision: Decision) -> Decision:
    match decision:
        case Answered():
            answer = with_case(context, decision, context.message.text)
            return _with_related(context, answer) if isinstance(answer, Answered) else answer
        case PrivateReply(Answered() as answer):
            return replace(decision, decision=_with_related(context, answer, in_single_chat=True))
        case MultiAnswer():
            return _with_completed_parts(context, decision)
        case PrivateReply(MultiAnswer() as answers):
            return replace(decision, decision=_with_completed_parts(context, answers))
        case Unanswered(nearest):
            near = [c.entry for c in nearest if c.score >= NEAR_SCORE]
            return replace(decision, contact=_contact(context, near))
        case Likely(entry):
            return replace(decision, overdue=is_overdue(entry, context.knowledge.today))
        case NoneOfThese() | LikelyRefused(entries=()):
            return replace(decision, contact=_contact(context, []))
        case SmallTalk(SmallTalkKind.GREETING):
            return replace(decision, greeting=context.group.greeting.strip())
        case _:
            return decision


def _with_cases_said(context: DecisionContext, decision: Decision) -> Decision:
    """Add the cases that the message names, for its list, and what it states about the asker."""
    if isinstance(decision, PrivateReply):
        inner = _with_cases_said(context, decision.decision)
        return replace(decision, decision=inner) if isinstance(inner, Answered | Offered | MultiAnswer) else decision
    if not isinstance(decision, Answered | AskedBack | Likely | Offered | MultiAnswer | Unanswered):
        return decision
    vocabulary, text = CaseVocabulary.of(context.index), context.message.text
    if not vocabulary.by_entry:
        return decision
    known = {fact.name for fact in decision.facts}
    facts = (*decision.facts, *(fact for fact in vocabulary.facts(text) if fact.name not in known))
    return replace(decision, named_cases=vocabulary.named_cases(text), facts=facts)


def _with_related(context: DecisionContext, answer: Answered, *, in_single_chat: bool = False) -> Answered:
    """Add what may be asked next; a sentence that replies to a follow-up is short, and its answer had them before."""
    if answer.excerpt:
        return answer
    allowed = context.answerable if in_single_chat else context.listable
    return with_related(answer, context.index, allowed, context.knowledge.today)


def _with_completed_parts(context: DecisionContext, decision: MultiAnswer) -> MultiAnswer:
    return replace(decision, parts=tuple(replace(p, decision=_completed_part(context, p)) for p in decision.parts))


def _completed_part(context: DecisionContext, part: Part) -> Decision:
    """Choose the case of one of several answers by its own words, and set `overdue`; there is no room for related
    questions."""
    decision = part.decision
    if not isinstance(decision, Answered):
        return decision
    answer = with_case(context, decision, part.text)
    if isinstance(answer, Answered):
        decision = answer
    return replace(_with_related(context, decision), related=())


def _contact(context: DecisionContext, near: Sequence[Entry]) -> str | None:
    """Return the contact for an asker left without an answer twice: the group's, else the owner of a near entry.

    The owner of something else has nothing to do with the question and is not named.
    """
    state, index = context.state, context.index
    if not state.miss_expiries:
        return None
    listed = (index.by_id.get(option.key) for option in state.options if option.kind == "entry")
    entries = (e for e in (*near, *listed) if e is not None and e.owner.strip() and context.listable(e))
    return context.group.contact.strip() or next((e.owner.strip() for e in entries), "")
