"""Document index: which entries, read whole with their answers, hold the terms of a query.

An answer often has words that nobody wrote into a question. It brings an entry into the list of candidates and says
how much of a query the entry explains; by itself it never makes an entry the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faqbot.language.normalize import Synonyms, normalise
from faqbot.model.entries import Entry
from faqbot.search.arrays import Doubles, Floats, Positions, flatten
from faqbot.search.terms import document_terms
from faqbot.search.word_vectors import word_vectors

# BM25: how soon a repeated term stops counting, and how much a long document is held against its terms.
_SATURATION, _LENGTH_PENALTY = 1.2, 0.5
# Divisors are at least this: a query without any term must not divide by zero.
_SMALLEST_WEIGHT = 1e-9


@dataclass(frozen=True, slots=True)
class DocumentSimilarities:
    """The match of the documents (columns) with each query of a batch (rows): the BM25 score, the weight of the query's
    terms that the document has, and in one column the weight of all terms of the query."""

    scores: Doubles
    covered: Doubles
    totals: Doubles

    def of(self, rows: Positions, entries: Positions) -> tuple[Doubles, Doubles]:
        """Return for pairs of a query and a document the score and the weight as shares of the query's weight."""
        totals, cells = self.totals[rows, 0], (rows, entries)
        return self.scores[cells] / totals, self.covered[cells] / totals


class DocumentIndex:
    """Posting lists over one document for each entry: its wordings and all its answers. Read-only after construction.

    `texts` are the documents, folded.
    """

    def __init__(self, entries: Sequence[Entry], texts: Iterable[str], synonyms: Synonyms, background: float) -> None:
        """`texts` are the folded wordings of each entry, joined; `background` is as for InvertedIndex."""
        self._background = background
        self.entry_count = len(entries)
        self._term_ids: dict[str, int] = {}
        id_of = self._term_ids.setdefault
        flat: list[int] = []
        self.texts: list[str] = []
        lengths = np.zeros(len(entries), dtype=np.int64)
        for number, (entry, wordings) in enumerate(zip(entries, texts, strict=True)):
            answers = " ".join(map(normalise, (entry.answer, *entry.variants, *entry.variants.values())))
            self.texts.append(f"{wordings} {synonyms.apply(answers)}")
            terms = document_terms(self.texts[-1])
            lengths[number] = len(terms)
            flat += [id_of(term, len(self._term_ids)) for term in terms]
        size = max(1, len(self._term_ids))
        owners = np.repeat(np.arange(len(entries), dtype=np.int64), lengths)
        keys, counts = np.unique(np.array(flat, dtype=np.int64) * max(1, self.entry_count) + owners, return_counts=True)
        terms_of_keys = keys // max(1, self.entry_count)
        self._postings = keys % max(1, self.entry_count)
        frequencies = np.bincount(terms_of_keys, minlength=size)
        self._offsets = np.concatenate(([0], np.cumsum(frequencies)))
        self._weights = self._rarity(frequencies, self._term_ids)
        mean = max(1.0, float(lengths.mean())) if len(entries) else 1.0
        norms = _SATURATION * (1 - _LENGTH_PENALTY + _LENGTH_PENALTY * lengths / mean)
        saturated = counts * (_SATURATION + 1) / (counts + norms[self._postings])
        self._values: Floats = (saturated * self._weights[terms_of_keys]).astype(np.float32)

    def compare(self, texts: Sequence[str]) -> DocumentSimilarities:
        """Compare folded queries with every document."""
        shape = (len(texts), self.entry_count)
        term_lists = [list(dict.fromkeys(document_terms(text))) for text in texts]
        id_of = self._term_ids.get
        known = [[i for term in terms if (i := id_of(term)) is not None] for terms in term_lists]
        flat, query_ids, _ = flatten(known)
        totals = np.bincount(query_ids, self._weights[flat], len(texts)) + self._unseen_weights(term_lists, known)
        totals = np.maximum(totals, _SMALLEST_WEIGHT)[:, None]
        if not len(flat):
            return DocumentSimilarities(np.zeros(shape), np.zeros(shape), totals)
        starts, ends = self._offsets[flat], self._offsets[flat + 1]
        spans, sizes = list(map(slice, starts.tolist(), ends.tolist())), ends - starts
        cells = np.concatenate([self._postings[span] for span in spans])
        if len(texts) > 1:
            cells = cells + (query_ids * self.entry_count).repeat(sizes)
        values = (np.concatenate([self._values[span] for span in spans]), self._weights[flat].repeat(sizes))
        sums = [np.bincount(cells, one, shape[0] * shape[1]).astype(np.float64, copy=False) for one in values]
        return DocumentSimilarities(sums[0].reshape(shape), sums[1].reshape(shape), totals)

    def _unseen_weights(self, term_lists: Sequence[Sequence[str]], known: Sequence[Sequence[int]]) -> Doubles:
        """Return for each query the weight of its terms that no document has."""
        weights = np.zeros(len(term_lists))
        for number, (terms, ids) in enumerate(zip(term_lists, known, strict=True)):
            if len(ids) < len(terms):
                unseen = [term for term in terms if term not in self._term_ids]
                weights[number] = self._rarity(np.zeros(len(unseen)), unseen).sum(dtype=np.float64)
        return weights

    def _rarity(self, frequencies: npt.NDArray[np.generic], terms: Iterable[str]) -> Floats:
        counts = frequencies.astype(np.float32)
        if self._background:
            counts = counts + self._background * word_vectors().shares_of(terms)
        rarities: Floats = np.log((self.entry_count + self._background + 1) / (counts + 0.5) + 1)
        return rarities.astype(np.float32)
