"""Same question: answer 同问 with the last answer that the group got. Pure."""

from __future__ import annotations

from faqbot.dialogue.decision_context import DecisionContext
from faqbot.language.remarks import RemarkKind, remark_kind
from faqbot.model.decisions import Answered, Likely, MultiAnswer, Part
from faqbot.model.entries import Entry
from faqbot.model.plain_replies import SmallTalk, SmallTalkKind


def asks_the_same_question(text: str) -> bool:
    """Return True for a message that only says that its sender has the question of a colleague, too."""
    return remark_kind(text) is RemarkKind.SAME_QUESTION


def same_answer(context: DecisionContext) -> Answered | Likely | MultiAnswer | SmallTalk | None:
    """Give the asker of 同问 the last answer of the group, as far as they may see it; None for any other message."""
    if not asks_the_same_question(context.message.text) or context.index.has_wording(context.message.text):
        return None
    last = context.group_answer
    found = [context.index.by_id.get(entry_id) for entry_id in last.entry_ids] if last else []
    entries = [e for e in found if e is not None and not e.private and context.answerable(e)]
    if last is None or not entries:
        return SmallTalk(SmallTalkKind.NOTHING_TO_REPEAT)
    if last.is_guess:
        return Likely(entries[0], 1.0, entries[0].question, repeated=True)
    answers = [_again(entry) for entry in entries]
    if len(answers) == 1:
        return answers[0]
    return MultiAnswer(tuple(Part(answer.entry.question, answer) for answer in answers))


def _again(entry: Entry) -> Answered:
    return Answered(entry, 1.0, entry.question, repeated=True)
