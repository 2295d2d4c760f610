"""Verification: looks at what a question and the wording that it matched do not share, and what that says. Pure.

Ranking weighs what two texts have in common. 钥匙丢了怎么补 and 工牌丢了怎么补 have most in common; what is left of the
question, and explained by nothing in the entry, tells that it is about something else.
"""

from __future__ import annotations

import math
from collections.abc import Set

import numpy as np

from faqbot.search.arrays import Doubles, Floats
from faqbot.search.terms import terms_of
from faqbot.search.word_vectors import word_vectors

_SMALLEST = 1e-6


class QueryTermVectors:
    """The terms of a query with their word vectors, to be compared with several wordings."""

    def __init__(self, text: str) -> None:
        self.terms = compared_terms(text)
        self.known = frozenset(self.terms)
        self.length = _length(word_vectors().sum_of(self.terms))


def compare(query: QueryTermVectors, wording_terms: Set[str], document: str, log_odds: float) -> Doubles:
    """Compute the signals of weights.VERIFICATION_SIGNALS for a query and the best wording of an entry.

    `rest` is the weight of the query's terms that the wording lacks as a share of the query's, in length of summed word
    vectors; `unexplained` that of those which `document`, all texts of the entry, lacks too; `lacking` that of the
    wording's terms which the query lacks; `rests_alike` the cosine of both rests; the shares count terms.
    `log_odds` are those of the ranking.
    """
    vectors = word_vectors()
    rest = [term for term in query.terms if term not in wording_terms]
    unexplained = [term for term in rest if term.removeprefix("w:") not in document]
    rest_vector = vectors.sum_of(rest)
    lacking_vector = vectors.sum_of([term for term in wording_terms if term not in query.known])
    whole = vectors.sum_of(list(wording_terms))
    count = max(1, len(query.terms))
    return np.array(
        [
            1.0,
            log_odds,
            _length(rest_vector) / (query.length + _SMALLEST),
            _length(vectors.sum_of(unexplained)) / (query.length + _SMALLEST),
            _length(lacking_vector) / (_length(whole) + _SMALLEST),
            float(rest_vector @ lacking_vector) / (_length(rest_vector) * _length(lacking_vector) + _SMALLEST),
            len(rest) / count,
            len(unexplained) / count,
        ]
    )


def compared_terms(text: str) -> list[str]:
    """List the terms of a normalised text that are compared: Chinese characters and runs of them, and word stems."""
    return [term for term in terms_of(text) if term[1:2] != ":" or term[0] == "w"]


def _length(vector: Floats) -> float:
    return math.sqrt(float(vector @ vector))
