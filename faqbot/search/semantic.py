"""Semantic retrieval: cosines of embeddings of questions and wordings, standardised so that models compare. Pure.

Models differ in what a cosine of 0.8 means, so similarity is counted in standard deviations over all wordings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faqbot.search.arrays import Doubles, Floats, Positions

# Standard deviations that map to a similarity of 1.
_DEVIATIONS_OF_ONE = 4.0
# Ridge of the regression among the listed wordings: how much of a wording's similarity to itself is not trusted.
_RIDGE = 0.3


@dataclass(frozen=True, slots=True)
class SemanticSimilarities:
    """Similarities of each question of a batch (rows) with every wording or entry (columns).

    `cosines` are with wordings; `best` (of an entry's best wording) and `centroid` (of the mean of its wordings) are in
    standard deviations.
    """

    cosines: Doubles
    best: Doubles
    centroid: Doubles
    answer: Doubles


class EmbeddingIndex:
    """The embeddings of all wordings, row by row as in the index. Read-only after construction.

    `vectors` are of length 1; `first_rows` gives the first row of each entry and `row_counts` how many it has.
    """

    def __init__(self, vectors: Floats, documents: Floats, first_rows: Positions, row_counts: Positions) -> None:
        self.vectors = vectors
        self.documents = documents
        self._first_rows, self._row_counts = first_rows, row_counts
        sums = np.add.reduceat(vectors, first_rows, axis=0)
        self._centroid_norms = np.maximum(np.linalg.norm(sums, axis=1), 1e-6)

    def similarities(self, questions: Floats, held_out: Positions) -> SemanticSimilarities:
        """Compare each row of `questions` with all wordings; the cells `held_out` of the table count as unlike."""
        cosines = (questions @ self.vectors.T).astype(np.float64)
        mean, deviation = cosines.mean(axis=1, keepdims=True), cosines.std(axis=1, keepdims=True)
        scale = np.where(deviation > 0, deviation, 1.0) * _DEVIATIONS_OF_ONE
        cosines.ravel()[held_out] = 0.0
        best = np.maximum.reduceat(cosines, self._first_rows, axis=1)
        centroid = np.add.reduceat(cosines, self._first_rows, axis=1) / self._centroid_norms
        answer = (questions @ self.documents.T).astype(np.float64)
        answer_mean, answer_deviation = answer.mean(axis=1, keepdims=True), answer.std(axis=1, keepdims=True)
        answer_scale = np.where(answer_deviation > 0, answer_deviation, 1.0) * _DEVIATIONS_OF_ONE
        return SemanticSimilarities(
            cosines, (best - mean) / scale, (centroid - mean) / scale, (answer - answer_mean) / answer_scale
        )

    def contrast(self, entries: Positions, cosines: Doubles) -> Doubles:
        """Predict a question's cosines by kernel ridge regression among all wordings of the entries listed for it, and
        sum the coefficients of each entry, so that what the entries share counts less."""
        first_rows, row_counts = self._first_rows, self._row_counts
        rows = np.concatenate([np.arange(first_rows[e], first_rows[e] + row_counts[e]) for e in entries.tolist()])
        positions = np.repeat(np.arange(len(entries)), row_counts[entries])
        kernel = self.vectors[rows] @ self.vectors[rows].T
        kernel.flat[:: len(rows) + 1] += _RIDGE
        coefficients = np.linalg.solve(kernel, cosines[rows])
        return np.bincount(positions, coefficients, len(entries)).astype(np.float64)
