"""Inverted index: posting lists and weights of the terms of all wordings; computes cosines with queries.

A term weighs more the fewer entries it occurs in (inverse document frequency, an entry being the document).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faqbot.search.arrays import Doubles, Floats, Ints, Positions, flatten
from faqbot.search.terms import is_unigram, kind_weight, terms_of
from faqbot.search.word_vectors import word_vectors

# Norms and totals are divided by; a text without any weighted term must not divide by zero.
_SMALLEST_NORM = 1e-9


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """The terms of one query: the ids of those in the index, and figures about the weight of all."""

    term_ids: Sequence[int]
    total_weight: float  # of all terms, in the index or not
    unseen_share: float  # the share of that weight whose terms are not in the index
    rarest_unseen: float  # the greatest weight among the terms that are not in the index, 0 without any
    norm: float
    unigram_norm: float


@dataclass(frozen=True, slots=True)
class QueryTermsBatch:
    """The indexed terms of several queries laid end to end.

    For each term: its id, the query it belongs to, and its slot, which counts the indexed terms of a query from 1.
    """

    queries: Sequence[QueryTerms]
    term_ids: Positions
    query_ids: Positions
    slots: Positions

    @classmethod
    def of(cls, queries: Sequence[QueryTerms]) -> QueryTermsBatch:
        term_ids, query_ids, starts = flatten([query.term_ids for query in queries])
        return cls(queries, term_ids, query_ids, np.arange(1, len(term_ids) + 1) - starts[query_ids])


class InvertedIndex:
    """The terms of all wordings, one row each, grouped by the entry they belong to. Read-only after construction.

    `owners` gives the entry number of each row and must not decrease. `background` is the number of everyday questions
    that count as entries when terms are weighed, so that a small knowledge base does not take a common word for a rare
    one. Attributes that others read:

    - `row_count`, `entry_count`; `first_rows` and `row_counts` of each entry
    - `weights` of each term; `row_norms` and `row_weights` (the total weight of the terms) of each row
    - `row_terms` with `row_offsets`: the terms of each row, end to end
    - `entry_terms` with `entry_offsets`: the terms of each entry, end to end, and beside them `entry_shares`, the root
      of the share of the entry's rows that have the term
    """

    def __init__(self, texts: Sequence[str], owners: Ints, entry_count: int, background: float) -> None:
        self._term_ids: dict[str, int] = {}
        term_counts = np.zeros(len(texts), dtype=np.int64)
        flat: list[int] = []
        id_of = self._term_ids.setdefault
        for row, text in enumerate(texts):
            terms = terms_of(text)
            term_counts[row] = len(terms)
            flat += [id_of(term, len(self._term_ids)) for term in terms]
        self._background = background
        self.row_count = len(texts)
        self.entry_count = entry_count
        self.first_rows = np.searchsorted(owners, np.arange(entry_count)).astype(np.int64)
        self.row_counts = np.bincount(owners, minlength=entry_count).astype(np.int64)
        term_ids = np.array(flat, dtype=np.int32)
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), term_counts)
        size = len(self._term_ids)
        self.row_terms, self.row_offsets = term_ids, np.concatenate(([0], np.cumsum(term_counts)))
        order = np.argsort(term_ids, kind="stable")
        self._postings = rows[order]
        self._posting_offsets = np.concatenate(([0], np.cumsum(np.bincount(term_ids, minlength=size))))
        pairs, occurrences = np.unique(owners[rows].astype(np.int64) * max(1, size) + term_ids, return_counts=True)
        pair_entries, pair_terms = pairs // max(1, size), pairs % max(1, size)
        self.entry_terms = pair_terms.astype(np.int32)
        self.entry_shares = np.sqrt(occurrences / self.row_counts[pair_entries]).astype(np.float32)
        self.entry_offsets = np.searchsorted(pair_entries, np.arange(entry_count + 1))
        self._weigh(term_ids, rows, np.bincount(pair_terms, minlength=size))
        self._centroid_norms = self._measure_centroids(term_ids, rows, owners)

    def _weigh(self, term_ids: Ints, rows: Ints, document_frequencies: Positions) -> None:
        """Set the weight of each term from the number of entries it occurs in, and the resulting sums of each row."""
        size = len(self._term_ids)
        rarities = self._rarity(document_frequencies, self._term_ids)
        kinds = np.fromiter(map(kind_weight, self._term_ids), dtype=np.float32, count=size)
        self.weights: Floats = (kinds * rarities).astype(np.float32)
        # Only single characters and stems, by their bare rarity: what a text is about, whatever its order.
        unigrams = np.fromiter(map(is_unigram, self._term_ids), dtype=np.bool_, count=size)
        self._unigram_weights: Floats = np.where(unigrams, rarities**2, 0.0).astype(np.float32)
        self._unigram_norms: Floats = np.sqrt(self._sum_by_row(rows, self._unigram_weights[term_ids]))
        self.row_norms: Floats = np.sqrt(self._sum_by_row(rows, (self.weights**2)[term_ids])).astype(np.float32)
        self.row_weights: Floats = self._sum_by_row(rows, self.weights[term_ids]).astype(np.float32)

    def _sum_by_row(self, rows: Ints, values: Floats) -> Doubles:
        return np.maximum(np.bincount(rows, values, self.row_count), _SMALLEST_NORM)

    def query_terms(self, term_lists: Sequence[Sequence[str]]) -> list[QueryTerms]:
        """Look up the terms of several queries."""
        id_of = self._term_ids.get
        indexed: list[list[int]] = []
        unseen: list[list[str]] = []
        for terms in term_lists:
            term_ids = [term_id for term in terms if (term_id := id_of(term)) is not None]
            indexed.append(term_ids)
            unseen.append([term for term in terms if term not in self._term_ids] if len(term_ids) < len(terms) else [])
        flat, query_ids, _ = flatten(indexed)
        weights = self.weights[flat].astype(np.float64)
        totals = np.bincount(query_ids, weights, len(term_lists)).tolist()
        squares = np.bincount(query_ids, weights**2, len(term_lists)).tolist()
        unigrams = np.bincount(query_ids, self._unigram_weights[flat], len(term_lists)).tolist()
        return [self._query_terms(*facts) for facts in zip(indexed, unseen, totals, squares, unigrams, strict=True)]

    def _query_terms(
        self, indexed: Sequence[int], unseen: Sequence[str], seen_weight: float, squares: float, unigrams: float
    ) -> QueryTerms:
        unseen_weight, rarest = 0.0, 0.0
        if unseen:
            rarities = self._rarity(np.zeros(len(unseen)), unseen).tolist()
            weights = [kind_weight(term) * rarity for term, rarity in zip(unseen, rarities, strict=True)]
            unseen_weight, rarest = sum(weights), max(weights)
            squares += sum([w * w for w in weights])
            unigrams += sum([r * r for term, r in zip(unseen, rarities, strict=True) if is_unigram(term)])
        total = (seen_weight + unseen_weight) or 1.0
        return QueryTerms(indexed, total, unseen_weight / total, rarest, squares**0.5 or 1.0, unigrams**0.5 or 1.0)

    def has_term(self, term: str) -> bool:
        return term in self._term_ids

    def weight(self, term: str) -> float:
        """Return the weight of a term; one that no wording has weighs at least as much as if one had it."""
        term_id = self._term_ids.get(term)
        if term_id is not None:
            return float(self.weights[term_id])
        return kind_weight(term) * float(self._rarity(np.zeros(1), [term])[0])

    def cosines(self, batch: QueryTermsBatch) -> tuple[Doubles, Doubles]:
        """Compare every query with every row: the cosine over all terms, and over unigrams, which ignore word order.

        Both are 0 to 1, with a row for each query and a column for each wording.
        """
        shape = (len(batch.queries), self.row_count)
        if not len(batch.term_ids):
            return np.zeros(shape), np.zeros(shape)
        starts, ends = self._posting_offsets[batch.term_ids], self._posting_offsets[batch.term_ids + 1]
        lengths, postings = ends - starts, self._postings
        cells = np.concatenate([postings[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)])
        if len(batch.queries) > 1:
            cells = cells + (batch.query_ids * self.row_count).repeat(lengths)
        size = shape[0] * shape[1]
        dots = np.bincount(cells, (self.weights[batch.term_ids] ** 2).repeat(lengths), size).reshape(shape)
        unigram_dots = np.bincount(cells, self._unigram_weights[batch.term_ids].repeat(lengths), size).reshape(shape)
        norms = np.array([[query.norm] for query in batch.queries], dtype=np.float32)
        unigram_norms = np.array([[query.unigram_norm] for query in batch.queries])
        return dots / (self.row_norms * norms), unigram_dots / (self._unigram_norms * unigram_norms)

    def best_by_entry(self, similarities: Doubles) -> Doubles:
        """Turn similarities to wordings (columns) into those to entries: that of the best wording of each."""
        if self.row_count == self.entry_count:
            return similarities
        best: Doubles = np.maximum.reduceat(similarities, self.first_rows, axis=1)
        return best

    def centroid_by_entry(self, cosines: Doubles) -> Doubles:
        """Turn cosines with wordings (columns) into those with entries: with the mean of the wordings of each."""
        if self.row_count == self.entry_count:
            return cosines / self._centroid_norms
        return np.add.reduceat(cosines, self.first_rows, axis=1) / self._centroid_norms

    def rows_of(self, entry: int) -> range:
        """Return the rows of an entry, given by its number."""
        start = int(self.first_rows[entry])
        return range(start, start + int(self.row_counts[entry]))

    def _rarity(self, document_frequencies: npt.NDArray[np.generic], terms: Iterable[str]) -> Floats:
        frequencies = document_frequencies.astype(np.float32)
        if self._background:
            frequencies = frequencies + self._background * word_vectors().shares_of(terms)
        rarities: Floats = np.log((self.entry_count + self._background + 1) / (frequencies + 0.5)) + 0.5
        return rarities.astype(np.float32)

    def _measure_centroids(self, term_ids: Ints, rows: Ints, owners: Ints) -> Doubles:
        """Return the length of the sum of unit vectors of each entry's wordings."""
        size = max(1, len(self._term_ids))
        keys = owners[rows].astype(np.int64) * size + term_ids
        pairs, inverse = np.unique(keys, return_inverse=True)
        sums = np.bincount(inverse, self.weights[term_ids] / self.row_norms[rows])
        lengths = np.bincount(pairs // size, sums**2, self.entry_count)
        return np.sqrt(np.maximum(lengths, _SMALLEST_NORM))
