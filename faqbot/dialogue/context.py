"""What one asker's context becomes: what of it still holds, and what a reply adds. Pure."""

from __future__ import annotations

from dataclasses import replace

from faqbot.dialogue.choices import CONTEXT_SECONDS, options
from faqbot.dialogue.clarification import FACT_SECONDS
from faqbot.model.conversation import ConversationState, LastAnswer, Slot
from faqbot.model.decisions import Answered, AskedBack, Decision, MultiAnswer, NoneOfThese, PrivateReply, Unanswered

_NOTHING = ConversationState()
_MISSES_KEPT = 3
# Who got so many replies within so many seconds asks faster than a group can bear.
PER_MINUTE, PACE_SECONDS = 10, 60.0


def fresh(context: ConversationState | None, now: float) -> ConversationState:
    """The parts of a context that hold at `now`."""
    if context is None:
        return _NOTHING
    if now < context.whole_until:
        # Nearly always, and asked several times for each message.
        return context
    return ConversationState(
        options=context.options if now < context.until else (),
        until=context.until if now < context.until else 0.0,
        asked=context.asked if now < context.until else "",
        last=context.last if context.last and now < context.last.until else None,
        misses=tuple(until for until in context.misses if now < until),
        facts=tuple(fact for fact in context.facts if now < fact.until),
        recent=tuple(until for until in context.recent if now < until),
    )


def remember(context: ConversationState, decision: Decision, message_id: str, now: float) -> ConversationState:
    """The context of the asker who was told `decision`, from what held before."""
    context = replace(context, recent=(*context.recent, now + PACE_SECONDS)[-PER_MINUTE:])
    return _remember(context, decision, message_id, now)


def _remember(context: ConversationState, decision: Decision, message_id: str, now: float) -> ConversationState:
    until = now + CONTEXT_SECONDS
    if listed := options(decision):
        # What is shown below an answer to be asked next is no way to say what was meant.
        asked = "" if isinstance(decision, Answered) else message_id
        if isinstance(decision, AskedBack) and decision.unclear and context.options == listed:
            asked = context.asked
        context = replace(context, options=listed, until=until, asked=asked)
    match decision:
        case Answered(entry, score, question):
            last = LastAnswer(message_id, entry.id, question, score, until, decision.said)
            context = replace(context, last=last, misses=())
            # Who asks about Beijing has not said that they are there.
            if not entry.ask or not decision.said or not decision.picked:
                return context
            return _with_fact(context, Slot(entry.ask.name, decision.said, entry.id, now + FACT_SECONDS))
        case AskedBack(entry, ask=ask):
            return _with_fact(context, Slot(ask.name, "", entry.id, until))
        case MultiAnswer() if decision.answered:
            return _remember(context, decision.answered[-1], message_id, now)
        case PrivateReply():
            return replace(context, misses=())
        case Unanswered() | NoneOfThese():
            return replace(context, misses=(*context.misses, until)[-_MISSES_KEPT:])
        case _:
            return context


def _with_fact(context: ConversationState, fact: Slot) -> ConversationState:
    return replace(context, facts=(*(f for f in context.facts if f.name != fact.name), fact))
