"""Wordings as vectors from an embeddings endpoint: one more view of how alike a question and an entry are. Pure.

Models differ in what a cosine of 0.8 means, so likeness is counted in standard deviations over all wordings here.
"""

from __future__ import annotations

import numpy as np

from faqbot.search.arrays import Doubles, Floats, Positions

# So many standard deviations make 1.
_SCALE = 4.0
# Regularisation of the contrast between the listed wordings.
_DOUBT = 0.3


class EmbeddingIndex:
    """The vectors of all wordings, row by row as in the index. Read-only after construction.

    `vectors` are of length 1; `starts` gives the first row of each entry and `counts` how many it has.
    """

    def __init__(self, vectors: Floats, starts: Positions, counts: Positions) -> None:
        self.vectors = vectors
        self._starts, self._counts = starts, counts
        self._centre_norms = np.maximum(np.linalg.norm(np.add.reduceat(vectors, starts, axis=0), axis=1), 1e-6)

    def likeness(self, asked: Floats, left_out: Positions) -> tuple[Doubles, Doubles, Doubles]:
        """The cosine with every wording; and for each entry that of its best wording and of their mean, in
        standard deviations. A row for each row of `asked`; the cells `left_out` of the first table count as unlike.
        """
        cosines = (asked @ self.vectors.T).astype(np.float64)
        mean, spread = cosines.mean(axis=1, keepdims=True), cosines.std(axis=1, keepdims=True)
        scale = np.where(spread > 0, spread, 1.0) * _SCALE
        cosines.ravel()[left_out] = 0.0
        best = np.maximum.reduceat(cosines, self._starts, axis=1)
        centre = np.add.reduceat(cosines, self._starts, axis=1) / self._centre_norms
        return cosines, (best - mean) / scale, (centre - mean) / scale

    def contrast(self, entries: Positions, cosines: Doubles) -> Doubles:
        """Kernel ridge regression among all wordings of the entries listed for one question, summed for each entry."""
        rows = np.concatenate([np.arange(self._starts[e], self._starts[e] + self._counts[e]) for e in entries.tolist()])
        member = np.repeat(np.arange(len(entries)), self._counts[entries])
        kernel = self.vectors[rows] @ self.vectors[rows].T
        kernel.flat[:: len(rows) + 1] += _DOUBT
        weights = np.linalg.solve(kernel, cosines[rows])
        return np.bincount(member, weights, len(entries)).astype(np.float64)
