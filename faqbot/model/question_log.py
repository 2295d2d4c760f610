"""The question log: the record of one question, and the ratings of answers."""

from __future__ import annotations

from collections.abc import Collection
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


# The outcome of a record that is no question: somebody rated the answer to a colleague's. `picked_for` is that one, so
# that neither's rating replaces the other's.
RATED = "rated"


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """One question and its outcome, kept for statistics. `asked_at` is in epoch seconds.

    delivery: the reason of the DeliveryResult.
    rating: one of Rating, empty without a rating.
    picked_for: the id of the message whose list this one picked from, or replied 都不是 to, or whose likely answer it
    refused.
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
_WITH_ANSWER = ("answered", "picked", "likely")


def received_answers(records: Collection[QuestionRecord]) -> list[QuestionRecord]:
    """Return the records of the answers that reached their asker, without the likely ones that were refused."""
    refused = {r.picked_for for r in records if r.outcome == "likely_refused"}
    return [r for r in records if r.outcome in _WITH_ANSWER and r.delivery == DELIVERED and r.message_id not in refused]
