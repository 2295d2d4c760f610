"""Ranking features: compares a query with each candidate by spelling, by sound, and by shared terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

from faqbot.search.arrays import Doubles, Floats, Ints, Positions, gather_spans
from faqbot.search.inverted_index import InvertedIndex, QueryTermsBatch
from faqbot.search.queries import Query
from faqbot.search.wordings import WordingTable

# Weight of similarity in sound, beside that in writing and in terms, in choosing the best wording of an entry.
_SOUND_WEIGHT = 0.5
# Ridge of the contrast: how much of a wording's similarity to itself is not trusted.
_RIDGE = 0.5
# A divisor is at least this, so that a query without any weighted term does not divide by zero.
_SMALLEST_WEIGHT = 1e-9


class ListSpan(NamedTuple):
    """One candidate list of a batch: the request it answers, its first row, and the row after its last."""

    request_id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of a batch, list after list: the request, the entry and the entry's best wording of each row."""

    request_ids: Positions
    entries: Positions
    wordings: Positions
    lists: Sequence[ListSpan]


def compare_writing(
    table: WordingTable,
    queries: Sequence[Query],
    request_ids: Positions,
    candidate_ids: Positions,
    rows: Positions,
    similarities: Doubles,
) -> tuple[Positions, dict[str, Doubles]]:
    """Compare queries letter by letter with the wordings `rows`, each of the candidate in `candidate_ids`.

    Return the best wording of each candidate, by these and by `similarities` (one for each of `rows`), and three
    features, each the best of the candidate's wordings: `edit` compares folded texts, `raw_edit` texts with their
    synonyms as written, `sound` how they sound.
    """
    pair_requests = request_ids[candidate_ids]
    pair_counts = zip(queries, np.bincount(pair_requests).tolist(), strict=False)
    compared = [(query, count) for query, count in pair_counts if count]
    query_texts = [text for query, count in compared for text in [query.text] * count]
    query_texts += [text for query, count in compared for text in [query.raw] * count]
    query_texts += [text for query, count in compared for text in [query.sound] * count]
    row_list = rows.tolist()
    wording_texts = [*map(table.texts.__getitem__, row_list), *map(table.raws.__getitem__, row_list)]
    wording_texts += map(table.sounds.__getitem__, row_list)
    ratios = process.cpdist(query_texts, wording_texts, scorer=fuzz.ratio, dtype=np.float64).reshape(3, len(rows)) / 100
    edits, _, sounds = ratios
    names = ("edit", "raw_edit", "sound")
    if len(rows) == len(request_ids):
        return rows, dict(zip(names, ratios, strict=True))
    first_pairs = candidate_ids.searchsorted(np.arange(len(request_ids)))
    total = similarities + edits + _SOUND_WEIGHT * sounds
    best_pairs = np.lexsort((-total, candidate_ids))[first_pairs]
    columns = np.maximum.reduceat(ratios, first_pairs, axis=1)
    return rows[best_pairs], dict(zip(names, columns, strict=True))


def compare_terms(
    index: InvertedIndex, terms: QueryTermsBatch, candidates: Candidates, cosines: Doubles
) -> dict[str, Doubles]:
    """Compute the features that say which terms of a query a candidate has.

    - `covered`: share of the query's weight whose terms some wording of the entry has
    - `shared`: the same, each term weighed by how many of the entry's wordings have it
    - `missing`: weight of the rarest term that no wording of the entry has, as a share of the query's rarest
    - `covers`: share of the best wording's weight whose terms the query has
    - `contrast`: see _contrast; `cosines` are those of each best wording
    """
    weights = _QueryWeights.of(index, terms)
    features = _entry_features(index, terms, candidates, weights)
    features |= _wording_features(index, candidates, weights, cosines)
    return features


@dataclass(frozen=True, slots=True)
class _QueryWeights:
    """The weights of the terms of each query: `by_slot` has a row for each query and a column for each slot.

    `cells` maps a term to its cell in `by_slot`, both counted through all rows: the entry for query q and term t is at
    q * vocabulary + t. A term that the query lacks maps to cell 0, whose weight is 0.
    """

    by_slot: Doubles
    cells: Ints
    vocabulary: int

    @classmethod
    def of(cls, index: InvertedIndex, terms: QueryTermsBatch) -> _QueryWeights:
        vocabulary = len(index.weights)
        # Slots count from 1, so that column 0 is free for the terms that a query lacks.
        width = int(terms.slots.max(initial=0)) + 1
        by_slot = np.zeros((len(terms.queries), width))
        slot_cells = terms.query_ids * width + terms.slots
        by_slot.ravel()[slot_cells] = index.weights[terms.term_ids]
        # A large array of zeros costs nothing where it is not touched.
        cells = np.zeros(len(terms.queries) * vocabulary, dtype=np.int32)
        cells[terms.query_ids * vocabulary + terms.term_ids] = slot_cells
        return cls(by_slot, cells, vocabulary)


def _entry_features(
    index: InvertedIndex, terms: QueryTermsBatch, candidates: Candidates, weights: _QueryWeights
) -> dict[str, Doubles]:
    """Compute `covered`, `shared` and `missing` (see compare_terms)."""
    request_ids, row_count = candidates.request_ids, len(candidates.entries)
    sizes, (entry_terms, shares) = gather_spans(
        index.entry_offsets, candidates.entries, index.entry_terms, index.entry_shares
    )
    cells = weights.cells[(request_ids * weights.vocabulary).repeat(sizes) + entry_terms]
    common = cells.nonzero()[0]
    rows, cells = np.arange(row_count).repeat(sizes)[common], cells[common]
    common_weights = weights.by_slot.ravel()[cells]
    totals = np.array([query.total_weight for query in terms.queries])[request_ids]
    unseen = np.array([query.rarest_unseen for query in terms.queries])
    absent = weights.by_slot[request_ids]
    absent[:, 0] = unseen[request_ids]
    absent[rows, cells - request_ids[rows] * absent.shape[1]] = 0.0
    rarest = np.maximum(np.maximum(np.maximum.reduce(weights.by_slot, axis=1), unseen), _SMALLEST_WEIGHT)
    return {
        "covered": np.bincount(rows, common_weights, row_count) / totals,
        "shared": np.bincount(rows, common_weights * shares[common], row_count) / totals,
        "missing": np.maximum.reduce(absent, axis=1) / rarest[request_ids],
    }


def _wording_features(
    index: InvertedIndex, candidates: Candidates, weights: _QueryWeights, cosines: Doubles
) -> dict[str, Doubles]:
    """Compute `covers` and `contrast` (see compare_terms). Overwrites `weights.cells`."""
    wordings = candidates.wordings
    sizes, (row_terms,) = gather_spans(index.row_offsets, wordings, index.row_terms)
    rows = np.arange(len(wordings)).repeat(sizes)
    cells = (candidates.request_ids * weights.vocabulary).repeat(sizes) + row_terms
    common_weights = weights.by_slot.ravel()[weights.cells[cells]]
    # The terms of each list get numbers of their own. `weights.cells` has served its purpose and takes them: touching
    # a second array that large would take longer than all the rest here.
    occurs = np.zeros(len(weights.cells), dtype=np.bool_)
    occurs[cells] = True
    distinct = occurs.nonzero()[0]
    local_ids = weights.cells
    local_ids[distinct] = np.arange(len(distinct))
    edges = distinct.searchsorted([one.request_id * weights.vocabulary for one in candidates.lists])
    values = index.weights[row_terms] / index.row_norms[wordings].repeat(sizes)
    return {
        "covers": np.bincount(rows, common_weights, len(wordings)) / index.row_weights[wordings],
        "contrast": _contrast(
            candidates.lists, rows, local_ids[cells], [*edges.tolist(), len(distinct)], values, cosines
        ),
    }


def _contrast(
    lists: Sequence[ListSpan],
    rows: Positions,
    term_ids: Ints,
    term_edges: Sequence[int],
    values: Floats,
    cosines: Doubles,
) -> Doubles:
    """Solve a kernel ridge regression among the best wordings of each list, so that terms they share count less.

    Each of `term_ids` is of the wording at `rows`, with its value in a vector of length 1; those of list n are numbered
    from `term_edges[n]` up to `term_edges[n + 1]`. The `cosines` of the wordings with the query are predicted.
    """
    list_edges = [*rows.searchsorted([one.start for one in lists]).tolist(), len(rows)]
    contrast = np.empty(len(cosines))
    targets = cosines.astype(np.float32)
    # Lists of one size are solved in one call.
    kernels: dict[int, list[Floats]] = {}
    starts: dict[int, list[int]] = {}
    for (_, a, b), (start, end), (first, last) in zip(lists, pairwise(list_edges), pairwise(term_edges), strict=True):
        vectors = np.zeros((b - a, last - first), dtype=np.float32)
        vectors[rows[start:end] - a, term_ids[start:end] - first] = values[start:end]
        kernels.setdefault(b - a, []).append(vectors @ vectors.T)
        starts.setdefault(b - a, []).append(a)
    for size, same_size in kernels.items():
        kernel = np.array(same_size)
        kernel.reshape(len(kernel), -1)[:, :: size + 1] += _RIDGE
        cells = np.array(starts[size])[:, None] + np.arange(size)
        contrast[cells] = np.linalg.solve(kernel, targets[cells][:, :, None])[:, :, 0]
    return contrast
