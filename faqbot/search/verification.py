"""Verification: looks at what a question and the wording that it matched do not share, and what that says. Pure.

Ranking weighs what two texts have in common. 钥匙丢了怎么补 and 工牌丢了怎么补 have most in common; what is left of the
question, and explained by nothing in the entry, tells that it is about something else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faqbot.search.arrays import Doubles, Floats
from faqbot.search.terms import terms_of
from faqbot.search.word_vectors import NO_ROW, word_vectors

_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class TermVectors:
    """The terms of a text, each with its row in the table of word vectors, the sum of their vectors, and the length of
    that: how much the text says."""

    rows: dict[str, int]
    vector: Floats
    length: float

    @classmethod
    def of(cls, text: str) -> TermVectors:
        """Take the terms of a normalised text: Chinese characters and runs of them, and word stems."""
        row_of = word_vectors().rows_by_term.get
        rows = {term: row_of(term, NO_ROW) for term in terms_of(text) if term[1:2] != ":" or term[0] == "w"}
        vector: Floats = word_vectors().vectors_of(list(rows.values())).sum(axis=0)
        return cls(rows, vector, math.sqrt(float(vector @ vector)))


def compare(
    query: TermVectors, wordings: Sequence[TermVectors], documents: Sequence[str], log_odds: Sequence[float]
) -> Doubles:
    """Compute the signals of weights.VERIFICATION_SIGNALS, a row for each of several entries: for a query, the best
    wording of the entry, the `document` with all its texts, and the log-odds of the ranking.

    `rest` is the weight of the query's terms that the wording lacks as a share of the query's, in length of summed word
    vectors; `unexplained` that of those which the document lacks too; `lacking` that of the wording's terms which the
    query lacks; `rests_alike` the cosine of both rests; the shares count terms.
    """
    terms, count = query.rows, len(wordings)
    rest_terms = [[term for term in terms if term not in wording.rows] for wording in wordings]
    unexplained_terms = [
        [term for term in rest if term.removeprefix("w:") not in document]
        for rest, document in zip(rest_terms, documents, strict=True)
    ]
    sums = _sums(
        [[row for term, row in terms.items() if term in wording.rows] for wording in wordings]
        + [[terms[term] for term in unexplained] for unexplained in unexplained_terms]
    )
    shared, unexplained = sums[:count], sums[count:]
    rest, lacking = query.vector - shared, np.array([wording.vector for wording in wordings]) - shared
    alike = np.einsum("ij,ij->i", rest, lacking).tolist()
    vectors = np.concatenate((rest, lacking, unexplained))
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors).astype(np.float64)).tolist()
    query_length, term_count = query.length + _SMALLEST, max(1, len(terms))
    return np.array(
        [
            (
                1.0,
                log_odds[n],
                lengths[n] / query_length,
                lengths[n + 2 * count] / query_length,
                lengths[n + count] / (wordings[n].length + _SMALLEST),
                alike[n] / (lengths[n] * lengths[n + count] + _SMALLEST),
                len(rest_terms[n]) / term_count,
                len(unexplained_terms[n]) / term_count,
            )
            for n in range(count)
        ]
    )


def _sums(row_lists: Sequence[Sequence[int]]) -> Floats:
    """Sum the word vectors of each list, all lists in one step."""
    # Filled up with rows of zeros. Each sum must be added up in the order of its list, so that what two texts share
    # leaves nothing over; np.add.reduceat promises no order.
    width = max(1, *map(len, row_lists))
    filled = [[*rows, *[NO_ROW] * (width - len(rows))] for rows in row_lists]
    total: Floats = word_vectors().vectors_of(filled).sum(axis=1)
    return total
