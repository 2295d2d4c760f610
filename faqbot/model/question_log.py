"""What became of one message, as it is kept for reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rating(StrEnum):
    """What an asker said about an answer; all but the first say that it was no help, most of them why."""

    HELPFUL = "helpful"
    UNHELPFUL = "unhelpful"
    OUTDATED = "outdated"
    INACCURATE = "inaccurate"
    UNCLEAR = "unclear"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """What became of one message, kept for reports; `delivery` is the reason of its Verdict, `rating` one of Rating.

    `picked_for` is the message whose list this one picked from, or said 都不是 to.
    """

    message_id: str
    asked_at: float
    conversation_id: str
    asker: str
    text: str
    outcome: str
    entry_id: str = ""
    score: float = 0.0
    delivery: str = "ok"
    rating: str = ""
    picked_for: str = ""


DELIVERED = "ok"
