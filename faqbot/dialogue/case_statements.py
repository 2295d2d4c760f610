"""Case statements: messages that say nothing but where askers are or what they are, or ask for another case. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from faqbot.dialogue.case_mentions import Stance
from faqbot.dialogue.case_vocabulary import CaseVocabulary
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.dialogue.clarification import SLOT_SECONDS, mentions_for, stated_kind_of
from faqbot.dialogue.decision_context import DecisionContext
from faqbot.dialogue.slot_filling import answer_with_case, with_mentioned_case
from faqbot.language.sentence_splitting import asks
from faqbot.model.conversation import ConversationState
from faqbot.model.decisions import Answered, AskedBack
from faqbot.model.entries import ELSE, Entry
from faqbot.model.remembered import Remembered


def reply_to_statement(context: DecisionContext) -> Answered | AskedBack | Remembered | None:
    """Reply to a message that only states a case: 我人在苏州, 不在上海了, 那杭州的呢; None for any other.

    It answers the question back, or the last answer once more for another case; with neither, what is stated about the
    asker is remembered.
    """
    text = context.message.text
    vocabulary = CaseVocabulary.of(context.index)
    if not vocabulary.by_entry or context.index.has_wording(text):
        return None
    if not vocabulary.states_only_cases(text):
        return None
    for entry, is_pending in _open_entries(context):
        if decision := _reply_for_entry(context, vocabulary, entry, is_pending=is_pending):
            return decision
    return _remembered(context, vocabulary)


def _open_entries(context: DecisionContext) -> Iterator[tuple[Entry, bool]]:
    """List the entries that a statement may be about, with True for the one that asked back."""
    if context.pending_entry is not None:
        yield context.pending_entry, True
    last = context.state.case_answer
    entry = context.index.by_id.get(last.entry_id) if last else None
    if entry is not None and (entry is not context.pending_entry or context.state.answered_since_asked_back):
        yield entry, False


def _reply_for_entry(
    context: DecisionContext, vocabulary: CaseVocabulary, entry: Entry, *, is_pending: bool
) -> Answered | AskedBack | None:
    text = context.message.text
    if entry.ask is None or not context.listable(entry):
        return None
    mentions = mentions_for(entry, text)
    if not mentions:
        word = stated_kind_of(entry, text)
        return answer_with_case(entry, ELSE, word) if word else None
    is_stated = any(mention.stance is Stance.OWN for mention in mentions)
    if is_stated and not is_pending and _lists_since(context.state):
        # The list is what the asker is about; its line will be answered for the new case.
        return None
    if not is_stated and is_pending and context.state.answered_since_asked_back:
        return None
    answer = with_mentioned_case(Answered(entry, 1.0, entry.question, picked=True), mentions)
    if answer is None:
        denied = () if asks(text) else vocabulary.denied(text, context.state.slots)
        return AskedBack(entry, 1.0, entry.question, entry.ask, facts=denied)
    if is_stated and not is_pending and answer.slot_value == _last_value(context.state):
        # The last answer was for this case already.
        return None
    (mention,) = (one for one in mentions if one.is_usable)
    if mention.stance is Stance.NAMED and _is_about_asker(context, entry, is_pending=is_pending):
        return replace(answer, slot_supposed=False, facts=vocabulary.facts_of(mention))
    return answer


def _is_about_asker(context: DecisionContext, entry: Entry, *, is_pending: bool) -> bool:
    """Return True if a bare case is what askers say about themselves: in reply to a question back, or to correct it."""
    if entry.ask is None or asks(context.message.text):
        return False
    slot, last_value = context.state.slot(entry.ask.name), _last_value(context.state)
    shows_all_cases = not last_value
    return is_pending or shows_all_cases or (slot is not None and slot.value == last_value)


def _last_value(state: ConversationState) -> str:
    return state.case_answer.value if state.case_answer else ""


def _lists_since(state: ConversationState) -> bool:
    """Return True if a list for a question was sent after the last answer that depends on its asker."""
    if state.case_answer is None or not state.options_message_id:
        return False
    return state.options_expire_at - OPTIONS_SECONDS > state.case_answer.expires_at - SLOT_SECONDS


def _remembered(context: DecisionContext, vocabulary: CaseVocabulary) -> Remembered | None:
    """Remember what the asker states, or forget what they deny; None if they state nothing about themselves."""
    text = context.message.text
    facts = vocabulary.facts(text)
    usable = [fact for m in vocabulary.mentions(text) if m.is_usable for fact in vocabulary.facts_of(m)]
    if any(fact.name == other.name and fact.value != other.value for fact in facts for other in usable):
        # 我在二厂，也在一厂 does not say which of them counts.
        return None
    if facts:
        words = tuple(dict.fromkeys(fact.value for fact in facts))
        are_places = any(m.place for m in vocabulary.mentions(text) if m.stance is Stance.OWN)
        return Remembered(words, are_places, facts)
    if denied := vocabulary.denied(text, context.state.slots):
        words = tuple(dict.fromkeys(s.value for s in context.state.slots if s.name in {fact.name for fact in denied}))
        return Remembered(words, are_places=False, facts=denied)
    return None
