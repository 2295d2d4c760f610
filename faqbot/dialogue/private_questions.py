"""Private questions in a group: turn the answer into a private reply, and keep them off lists. Pure."""

from __future__ import annotations

from dataclasses import replace

from faqbot.dialogue.decision_context import DecisionContext
from faqbot.language.normalize import normalise
from faqbot.model.decisions import Answered, Decision, Likely, MultiAnswer, Offered, Part, PrivateReply, Unanswered
from faqbot.model.entries import Candidate, nearest_private


def without_private(context: DecisionContext, decision: Decision, text: str) -> Decision:
    """Keep colleagues from reading anything that is or may be about a private matter."""
    if isinstance(decision, Unanswered):
        return replace(decision, hidden=decision.hidden or _hidden_candidates(context, text))
    if not context.message.is_group:
        return decision
    match decision:
        case MultiAnswer(parts):
            parts = tuple(Part(p.text, without_private(context, p.decision, p.text)) for p in parts)
            # If one of them is private, all are answered in private, so that none goes without an answer.
            is_private = any(isinstance(p.decision, PrivateReply) for p in parts)
            return PrivateReply(decision) if is_private else replace(decision, parts=parts)
        case Answered() | Offered() if decision.private_entry:
            return PrivateReply(decision)
        case Offered(candidates):
            # A private question far behind the one that was probably meant is left out of the list.
            return replace(decision, candidates=tuple(c for c in candidates if not c.entry.private))
        case Likely(others=others):
            return replace(decision, others=tuple(c for c in others if not c.entry.private))
        case _:
            return decision


def _hidden_candidates(context: DecisionContext, text: str) -> tuple[Candidate, ...]:
    """Find a private entry that the question probably means although its asker may not see it, or whose topic it is."""
    index = context.index
    if named := [e for e in index.private if e.topic and normalise(e.topic) == normalise(text)]:
        return (Candidate(named[0], 0.0, named[0].question),)
    if all(map(context.answerable, index.private)):
        return ()
    ranking = index.search(text, allowed=lambda entry: entry.private or context.answerable(entry))
    nearest = nearest_private(ranking)
    return tuple(c for c in ranking if c.entry is nearest)
