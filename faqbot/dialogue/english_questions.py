"""English questions: list what their Chinese words find, never more, as nobody wrote an English wording. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faqbot.model.decisions import Answered, AskedBack, Decision, Likely, Offered, Unanswered
from faqbot.model.entries import Candidate


def on_english(decision: Decision, on_chinese_words: Sequence[Decision]) -> Decision:
    """Return the decision on a question in English from the one on its own words and those on its Chinese words."""
    if isinstance(decision, Unanswered):
        decision = next(filter(None, map(_as_list, on_chinese_words)), decision)
    return replace(decision, in_english=True) if isinstance(decision, Offered | Unanswered) else decision


def _as_list(decision: Decision) -> Offered | None:
    match decision:
        case Offered():
            return decision
        case Likely():
            return decision.as_list
        case Answered(entry, score, question) | AskedBack(entry, score, question):
            return Offered((Candidate(entry, score, question),))
        case _:
            return None
