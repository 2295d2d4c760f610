"""Verification: looks at what a question and the wording that it matched do not share, and what that says. Pure.

Ranking weighs what two texts have in common. 钥匙丢了怎么补 and 工牌丢了怎么补 have most in common; what is left of the
question, and explained by nothing in the entry, tells that it is about something else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from faqbot.search.arrays import Floats
from faqbot.search.terms import terms_of
from faqbot.search.word_vectors import word_vectors

_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class TermVectors:
    """The terms of a text, each with its row in the table of word vectors (None where it has none), the sum of their
    vectors, and the length of that: how much the text says."""

    rows: dict[str, int | None]
    vector: Floats
    length: float

    @classmethod
    def of(cls, text: str) -> TermVectors:
        """Take the terms of a normalised text: Chinese characters and runs of them, and word stems."""
        row_of = word_vectors().rows_by_term.get
        rows = {term: row_of(term) for term in terms_of(text) if term[1:2] != ":" or term[0] == "w"}
        vector = _sum(list(rows.values()))
        return cls(rows, vector, _length(vector))


def compare(query: TermVectors, wording: TermVectors, document: str, log_odds: float) -> tuple[float, ...]:
    """Compute the signals of weights.VERIFICATION_SIGNALS for a query and the best wording of an entry.

    `rest` is the weight of the query's terms that the wording lacks as a share of the query's, in length of summed word
    vectors; `unexplained` that of those which `document`, all texts of the entry, lacks too; `lacking` that of the
    wording's terms which the query lacks; `rests_alike` the cosine of both rests; the shares count terms.
    `log_odds` are those of the ranking.
    """
    shared = _sum([row for term, row in query.rows.items() if term in wording.rows])
    rest, lacking = query.vector - shared, wording.vector - shared
    rest_terms = [term for term in query.rows if term not in wording.rows]
    unexplained = [query.rows[term] for term in rest_terms if term.removeprefix("w:") not in document]
    rest_length, lacking_length = _length(rest), _length(lacking)
    count = max(1, len(query.rows))
    return (
        1.0,
        log_odds,
        rest_length / (query.length + _SMALLEST),
        _length(_sum(unexplained)) / (query.length + _SMALLEST),
        lacking_length / (wording.length + _SMALLEST),
        float(rest @ lacking) / (rest_length * lacking_length + _SMALLEST),
        len(rest_terms) / count,
        len(unexplained) / count,
    )


def _sum(rows: list[int | None]) -> Floats:
    total: Floats = word_vectors().vectors[[row for row in rows if row is not None]].sum(axis=0)
    return total


def _length(vector: Floats) -> float:
    return math.sqrt(float(vector @ vector))
