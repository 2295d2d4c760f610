"""What is kept of one message for reports, and the word for what was decided on it. Pure."""

from __future__ import annotations

from faqbot.access.privacy import private_entry, withheld
from faqbot.language.masking import mask_numbers
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Command,
    CommandResult,
    Decision,
    Failure,
    Menu,
    MultiAnswer,
    NoneOfThese,
    Offered,
    OutOfList,
    PrivateReply,
    SmallTalk,
    TooLate,
    TopicList,
    Unanswered,
)
from faqbot.model.messages import DeliveryResult, Message
from faqbot.model.question_log import QuestionRecord


def outcome_of(decision: Decision) -> str:
    """The word for a decision in records, log and metrics."""
    match decision:
        case Answered(picked=True):
            return "picked"
        case Answered():
            return "answered"
        case AskedBack(unclear=unclear):
            return "asked_again" if unclear else "asked_back"
        case MultiAnswer():
            return "unanswered" if decision.missed else "answered"
        case Offered():
            return "offered"
        case Unanswered():
            return "unanswered"
        case PrivateReply(inner):
            return outcome_of(inner)
        case NoneOfThese():
            return "none_of_these"
        case Menu() | TopicList():
            return "menu"
        case SmallTalk(kind):
            return kind.value
        case OutOfList():
            return "out_of_list"
        case TooLate():
            return "late"
        case Failure():
            return "broken"
        case Command(kind):
            return kind.value
        case CommandResult(outcome=outcome):
            return outcome


def record_of(message: Message, decision: Decision, verdict: DeliveryResult, now: float) -> QuestionRecord | None:
    """What reports need; small talk and menus are not questions.

    Of several questions in one message the one that was not found is kept: that is the gap in the knowledge.
    """
    entry, score, text = "", 0.0, message.text
    inner = decision.decision if isinstance(decision, PrivateReply) else decision
    match inner:
        case AskedBack(unclear=True):
            pass
        case Answered(answer, score) | AskedBack(answer, score):
            entry = answer.id
        case Offered(candidates):
            entry, score = candidates[0].entry.id, candidates[0].score
        case Unanswered(nearest):
            score = nearest[0].score if nearest else 0.0
        case MultiAnswer():
            if inner.missed:
                text = inner.missed[0].text
            else:
                entry, score = inner.answered[0].entry.id, inner.answered[0].score
        case Failure() | NoneOfThese():
            pass
        case _:
            return None
    private = private_entry(decision)
    return QuestionRecord(
        message_id=message.id,
        asked_at=message.sent_at or now,
        conversation_id=message.conversation_id,
        asker=message.asker,
        text=mask_numbers(text) if private is None else withheld(private.topic),
        outcome=outcome_of(decision),
        entry_id=entry if private is None else "",
        score=score,
        delivery=verdict.reason,
    )
