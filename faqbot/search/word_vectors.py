"""Word vectors: static embeddings of Chinese texts, summed over their characters and runs of two and three.

The table was distilled from a sentence encoder (tests/bench/distill.py): it knows that 薪水 is near 工资, needs no
library, and takes microseconds a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
import numpy.typing as npt

from faqbot.search.arrays import Floats, flatten
from faqbot.search.terms import terms_of

# A text says what it is about at its beginning; the rest of a long answer only blurs its vector.
_MAX_CHARS = 300
_SMALLEST_NORM = 1e-9
# Texts whose term vectors are held in memory at once.
_BLOCK = 128
# The row of a term that is not in the table.
NO_ROW = -1


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Facts about common terms, a row for each of `rows_by_term`.

    quantised, scales: what a term says, as small integers and their factor, which take a quarter of the memory of the
    vectors. A text is the sum over its terms. A row of zeros at the end is for unknown terms.
    shares: the share of everyday questions that have the term.
    """

    rows_by_term: dict[str, int]
    quantised: npt.NDArray[np.int8]
    scales: Floats
    shares: Floats

    def vectors_of(self, rows: npt.ArrayLike) -> Floats:
        """Return the vectors of the terms in these rows, of the shape of `rows` with one more axis."""
        chosen = np.asarray(rows, dtype=np.int64)
        vectors: Floats = self.quantised[chosen] * self.scales[chosen]
        return vectors

    def shares_of(self, terms: Iterable[str]) -> Floats:
        """Return the share of everyday questions with each term, 0 for one that is not known."""
        row_of = self.rows_by_term.get
        shares = self.shares
        return np.array([shares[row] if (row := row_of(term)) is not None else 0.0 for term in terms], np.float32)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return a vector of length 1 for each normalised text; zeros for a text without any known term."""
        result = np.zeros((len(texts), self.quantised.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), _BLOCK):
            self._sum(texts[start : start + _BLOCK], result[start : start + _BLOCK])
        norms = np.sqrt(np.einsum("ij,ij->i", result, result))
        result /= np.maximum(norms, _SMALLEST_NORM)[:, None]
        return result

    def _sum(self, texts: Sequence[str], result: Floats) -> None:
        """Write the sum over the terms of each text into a row of `result`; leave zeros where none is known."""
        row_of = self.rows_by_term.get
        rows = [[row for row in map(row_of, terms_of(text[:_MAX_CHARS])) if row is not None] for text in texts]
        flat, _, starts = flatten(rows)
        nonempty = np.array([bool(numbers) for numbers in rows], dtype=np.bool_)
        if len(flat):
            result[nonempty] = np.add.reduceat(self.vectors_of(flat), starts[nonempty], axis=0)


@cache
def word_vectors() -> WordVectors:
    """Load the table that comes with the package, at first use."""
    content = files("faqbot.search").joinpath("data/word_vectors.npz").read_bytes()
    with np.load(BytesIO(content), allow_pickle=False) as table:
        terms = str(table["terms"]).split("\n")
        stored = table["vectors"]
        quantised = np.concatenate((stored, np.zeros((1, stored.shape[1]), dtype=np.int8)))
        scales = np.concatenate((table["scales"], np.zeros((1, 1), dtype=np.float32)))
        shares = table["shares"]
    return WordVectors({term: row for row, term in enumerate(terms)}, quantised, scales, shares)
