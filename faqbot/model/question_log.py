"""The question log: the record of one question, and the ratings of answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rating(StrEnum):
    """Ratings of an answer; all but the first mean that it did not help, and most of them why."""

    HELPFUL = "helpful"
    UNHELPFUL = "unhelpful"
    OUTDATED = "outdated"
    INACCURATE = "inaccurate"
    UNCLEAR = "unclear"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """One question and its outcome, kept for statistics. `asked_at` is in epoch seconds.

    delivery: the reason of the DeliveryResult.
    rating: one of Rating, empty without a rating.
    picked_for: the id of the message whose list this one picked from, or replied 都不是 to.
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


# The `delivery` of a reply that arrived.
DELIVERED = "ok"
