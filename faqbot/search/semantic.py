"""Semantic retrieval: cosines of embeddings of questions and wordings, standardised so that models compare. Pure.

Models differ in what a cosine of 0.8 means, so similarity is counted in standard deviations over all wordings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faqbot.search.arrays import Doubles, Floats, Positions

# Standard deviations that map to a similarity of 1.
_DEVIATIONS_OF_ONE = 4.0
# Similarities that are all the same deviate by what is lost in rounding.
_SMALLEST_DEVIATION = 1e-6
# Ridge of the regression among the listed wordings: how much of a wording's similarity to itself is not trusted.
_RIDGE = 0.3


@dataclass(frozen=True, slots=True)
class _Column:
    """Similarities of each question of a batch with every wording or entry, and how they are spread over all."""

    values: Floats
    mean: Doubles
    scale: Doubles

    @classmethod
    def of(cls, questions: Floats, vectors: Floats, mean_vector: Doubles) -> _Column:
        """Compare each row of `questions` with each of `vectors`, whose mean is `mean_vector`."""
        # A product of all questions at once rounds each by how many there are; each must find what it finds alone.
        values = np.stack([vectors @ question for question in questions])
        mean = np.array([float(question @ mean_vector) for question in questions])
        away = values - mean.astype(np.float32)[:, None]
        # One product for each row takes a tenth of the time of np.std.
        deviation = np.sqrt(np.array([float(row @ row) for row in away]) / vectors.shape[0])
        return cls(values, mean, np.where(deviation > _SMALLEST_DEVIATION, deviation, 1.0) * _DEVIATIONS_OF_ONE)

    def standardised(self, values: Floats, rows: Positions) -> Doubles:
        """Turn similarities, of which each belongs to the question in `rows`, into standard deviations."""
        return (values - self.mean[rows]) / self.scale[rows]


@dataclass(frozen=True, slots=True)
class SemanticSimilarities:
    """Similarities of each question of a batch (rows) with every wording or entry (columns), as cosines.

    `wordings` are with wordings; `best` is with an entry's best wording, `centroid` with the mean of its wordings, and
    `answers` with the entry and its answer.
    """

    wordings: _Column
    best: Floats
    centroid: Floats
    answers: _Column

    @property
    def cosines(self) -> Floats:
        """With each wording."""
        return self.wordings.values

    def proximity(self) -> Floats:
        """Sum the three similarities to each entry, in standard deviations, up to a constant for each question."""
        total = self.best + self.centroid
        total *= (1 / self.wordings.scale).astype(np.float32)[:, None]
        total += self.answers.values * (1 / self.answers.scale).astype(np.float32)[:, None]
        offsets = 2 * self.wordings.mean / self.wordings.scale + self.answers.mean / self.answers.scale
        total -= offsets.astype(np.float32)[:, None]
        return total

    def of(self, rows: Positions, entries: Positions) -> tuple[Doubles, Doubles, Doubles]:
        """Return for pairs of a question and an entry the similarity to its best wording, to the mean of its wordings
        and to its answer, in standard deviations."""
        cells = (rows, entries)
        return (
            self.wordings.standardised(self.best[cells], rows),
            self.wordings.standardised(self.centroid[cells], rows),
            self.answers.standardised(self.answers.values[cells], rows),
        )


class EmbeddingIndex:
    """The embeddings of all wordings, row by row as in the index. Read-only after construction.

    `vectors` are of length 1; `first_rows` gives the first row of each entry and `row_counts` how many it has.
    """

    def __init__(self, vectors: Floats, documents: Floats, first_rows: Positions, row_counts: Positions) -> None:
        # Laid out by dimension, a product takes two thirds of the time.
        self.vectors = np.ascontiguousarray(vectors.T).T
        self._documents = np.ascontiguousarray(documents.T).T
        self._mean = vectors.mean(axis=0, dtype=np.float64)
        self._document_mean = documents.mean(axis=0, dtype=np.float64)
        self._first_rows, self._row_counts = first_rows, row_counts
        sums = vectors if len(vectors) == len(first_rows) else np.add.reduceat(vectors, first_rows, axis=0)
        lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums))
        self._centroid_factors: Floats = 1 / np.maximum(lengths, np.float32(1e-6))

    def similarities(self, questions: Floats, held_out: Positions) -> SemanticSimilarities:
        """Compare each row of `questions` with all wordings; the cells `held_out` of the table count as unlike."""
        wordings = _Column.of(questions, self.vectors, self._mean)
        cosines = wordings.values
        if len(held_out):
            cosines.ravel()[held_out] = 0.0
        best = sums = cosines
        if len(self.vectors) != len(self._first_rows):
            best = np.maximum.reduceat(cosines, self._first_rows, axis=1)
            sums = np.add.reduceat(cosines, self._first_rows, axis=1)
        answers = _Column.of(questions, self._documents, self._document_mean)
        return SemanticSimilarities(wordings, best, sums * self._centroid_factors, answers)

    def contrast(self, entries: Positions, cosines: Floats) -> Doubles:
        """Predict a question's cosines by kernel ridge regression among all wordings of the entries listed for it, and
        sum the coefficients of each entry, so that what the entries share counts less."""
        first_rows, row_counts = self._first_rows, self._row_counts
        rows = np.concatenate([np.arange(first_rows[e], first_rows[e] + row_counts[e]) for e in entries.tolist()])
        positions = np.repeat(np.arange(len(entries)), row_counts[entries])
        kernel = self.vectors[rows] @ self.vectors[rows].T
        kernel.flat[:: len(rows) + 1] += _RIDGE
        coefficients = np.linalg.solve(kernel, cosines[rows].astype(np.float64))
        return np.bincount(positions, coefficients, len(entries)).astype(np.float64)
