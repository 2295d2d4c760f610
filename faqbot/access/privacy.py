"""What is not kept and not said aloud: numbers that say who somebody is, and questions about private matters. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from faqbot.model.decisions import Answered, AskedBack, Decision, MultiAnswer, Offered, PrivateReply, Unanswered
from faqbot.model.entries import NO_TOPIC, Candidate, Entry

# A private entry counts as near from this share of the best one's score on.
_NEAR = 0.5
# Below this score, or with less of its words in any wording, every text is near to something.
_FAINT, _COVERED = 0.03, 0.1
_WITHHELD = re.compile(r"（私密：(.+)）")


def near_private(ranking: Sequence[Candidate]) -> Entry | None:
    """The private entry a question is probably about, however doubtful the answer is."""
    if not ranking:
        return None
    least = max(ranking[0].score * _NEAR, _FAINT)
    near = (c.entry for c in ranking if c.entry.private and c.score >= least and c.covered >= _COVERED)
    return next(near, None)


def private_entry(decision: Decision) -> Entry | None:
    """The private entry that the question of this decision is or may be about."""
    match decision:
        case Answered(entry):
            return entry if entry.private else None
        case AskedBack(entry):
            return entry if entry.private else None
        case Offered(candidates):
            return near_private(candidates)
        case Unanswered(nearest, hidden):
            return near_private(nearest) or next((c.entry for c in hidden), None)
        case PrivateReply(inner):
            return private_entry(inner)
        case MultiAnswer(parts):
            return next(filter(None, (private_entry(p.decision) for p in parts)), None)
        case _:
            return None


def withheld(topic: str) -> str:
    """What stands in the records instead of a private question."""
    return f"（私密：{topic or NO_TOPIC}）"


def withheld_topic(text: str) -> str | None:
    """The topic of a question that was not kept; None for one that was."""
    found = _WITHHELD.fullmatch(text)
    return found[1] if found else None
