"""Candidate retrieval: selects the few entries worth scoring for a query, and collects their features.

Queries are processed in batches, in one set of arrays; their candidate lists differ in length and lie end to end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from faqbot.language.normalize import is_mostly_chinese
from faqbot.model.entries import Entry
from faqbot.search.arrays import Doubles, Flags, Floats, Positions, flatten
from faqbot.search.documents import DocumentSimilarities
from faqbot.search.inverted_index import InvertedIndex, QueryTermsBatch
from faqbot.search.queries import Query
from faqbot.search.ranking_features import Candidates, ListSpan, compare_terms, compare_writing
from faqbot.search.semantic import EmbeddingIndex, SemanticSimilarities
from faqbot.search.weights import EMBEDDING_FEATURES, FEATURES
from faqbot.search.word_vectors import word_vectors
from faqbot.search.wordings import WordingTable

# Weight of the semantic similarities beside those of terms when candidates are chosen.
_SEMANTIC_WEIGHT = 1.5
# Weight of the answers' terms, too.
_ANSWER_WEIGHT = 1.0
# Weight of the static similarities.
_STATIC_WEIGHT = 1.0
# Wordings of one entry that are compared letter by letter; the most similar by terms, since each comparison costs time.
_WORDINGS_PER_ENTRY = 2
# If not every entry is allowed, a list this many times as long is filtered first, as sorting all entries takes longer.
_FILTERED_LIST_FACTOR = 3


@dataclass(frozen=True, slots=True)
class RetrievalRequest:
    """A query whose candidates are sought among the entries that are `allowed`, as if the wordings in the rows
    `held_out` did not exist. `embedding` is the vector of the text."""

    query: Query
    allowed: Callable[[Entry], bool] | None = None
    held_out: Sequence[int] = ()
    embedding: Floats | None = None


@dataclass(frozen=True, slots=True)
class CandidateRows:
    """The candidate lists of a batch end to end, one row for each candidate; no list is empty.

    List n answers request `request_ids[n]`, is of `queries[n]` and begins at row `list_starts[n]`. Of each row:
    `list_ids` is the n of its list, `positions` its place in the list, `entries` the number of its entry, `wordings`
    the row of the entry's best wording, `features` the columns named by `FEATURES`, and `exact` whether that wording
    is the query itself, empty words aside.
    """

    request_ids: Sequence[int]
    queries: Sequence[Query]
    list_starts: Positions
    list_ids: Positions
    positions: Positions
    entries: Positions
    wordings: Positions
    features: Doubles
    exact: Flags


@dataclass(frozen=True, slots=True)
class _Similarities:
    """Similarities of each query of a batch (rows) with every wording or entry (columns).

    `cosines` and `unigrams` are with wordings. `proximity` is with entries and chooses the candidates; `best` and
    `centroid` are parts of it: the cosine of an entry's best wording and of the mean of its wordings. `held_out` are
    the cells of the wordings that are to be ignored.
    """

    cosines: Doubles
    unigrams: Doubles
    best: Doubles
    centroid: Doubles
    proximity: Doubles
    documents: DocumentSimilarities
    static: SemanticSimilarities | None
    semantic: SemanticSimilarities | None
    held_out: Positions

    def by_terms(self, request_ids: Positions, rows: Positions) -> Doubles:
        """Return the similarity of each of these wordings to its request by all terms and by unigrams, summed."""
        cells = (request_ids, rows)
        return self.cosines[cells] + self.unigrams[cells]


def retrieve(
    table: WordingTable, requests: Sequence[RetrievalRequest], list_size: int, embeddings: EmbeddingIndex | None
) -> CandidateRows | None:
    """Find about `list_size` candidates for each request; None if no request has any.

    With `embeddings`, each request must have an embedding.
    """
    terms = QueryTermsBatch.of([request.query.terms for request in requests])
    similarities = _compare_with_all(table, terms, requests, embeddings)
    exact_rows = [_exact_rows(table, request) for request in requests]
    entries, request_ids, _ = flatten(_choose_entries(table, similarities.proximity, requests, exact_rows, list_size))
    request_ids, entries, candidate_ids, rows = _choose_wordings(table.index, request_ids, entries, similarities)
    if not len(request_ids):
        return None
    queries = [request.query for request in requests]
    by_terms = similarities.by_terms(request_ids[candidate_ids], rows)
    wordings, features = compare_writing(table, queries, request_ids, candidate_ids, rows, by_terms)
    candidates = Candidates(request_ids, entries, wordings, _list_spans(request_ids))
    features |= _similarity_features(candidates, similarities, embeddings)
    features |= compare_terms(table.index, terms, candidates, similarities.cosines[request_ids, wordings])
    return _candidate_rows(table, queries, candidates, features, exact_rows)


def _compare_with_all(
    table: WordingTable,
    terms: QueryTermsBatch,
    requests: Sequence[RetrievalRequest],
    embeddings: EmbeddingIndex | None,
) -> _Similarities:
    index = table.index
    cosines, unigrams = index.cosines(terms)
    cells = [n * index.row_count + row for n, request in enumerate(requests) for row in request.held_out]
    held_out = np.array(cells, dtype=np.int64)
    cosines.ravel()[held_out] = unigrams.ravel()[held_out] = 0.0
    best, centroid = index.best_by_entry(cosines), index.centroid_by_entry(cosines)
    documents = table.documents.compare([request.query.text for request in requests])
    proximity = best + centroid
    proximity += index.best_by_entry(unigrams)
    proximity += documents.scores * (_ANSWER_WEIGHT / documents.totals)
    static = None
    if table.script == "han" and table.word_vectors is not None:
        # What they know of other scripts, mostly single letters and numbers, likens a pasted link to anything.
        texts = [request.query.text for request in requests]
        vectors = word_vectors().embed([text if is_mostly_chinese(text) else "" for text in texts])
        static = table.word_vectors.similarities(vectors, held_out)
        proximity += _STATIC_WEIGHT * static.proximity()
    semantic = None
    if embeddings is not None:
        vectors = np.stack([request.embedding for request in requests if request.embedding is not None])
        semantic = embeddings.similarities(vectors, held_out)
        proximity += _SEMANTIC_WEIGHT * semantic.proximity()
    return _Similarities(cosines, unigrams, best, centroid, proximity, documents, static, semantic, held_out)


def _exact_rows(table: WordingTable, request: RetrievalRequest) -> list[int]:
    """List the wordings that are the query itself, empty words aside; those with its very words hide the others."""
    rows = [row for row in table.rows_with_words_of(request.query.text) if row not in request.held_out]
    return [row for row in rows if table.raws[row] == request.query.raw] or rows


def _choose_entries(
    table: WordingTable,
    proximity: Doubles,
    requests: Sequence[RetrievalRequest],
    exact_rows: Sequence[Sequence[int]],
    list_size: int,
) -> list[list[int]]:
    """Choose for each request the closest of the allowed entries, and those that own a wording in `exact_rows`."""
    entry_count = proximity.shape[1]
    chosen: list[list[int]] = [[] for _ in requests]
    for size in (list_size, list_size * _FILTERED_LIST_FACTOR):
        ids = [n for n, request in enumerate(requests) if (request.allowed is None) == (size == list_size)]
        if not ids:
            continue
        distance = -(proximity if len(ids) == len(requests) else proximity[ids])
        rows = np.arange(len(ids))[:, None]
        if size < entry_count:
            order = distance.argpartition(size - 1, axis=1)[:, :size]
            distance = distance[rows, order]
            order = order[rows, distance.argsort(axis=1, kind="stable")]
        else:
            order = distance.argsort(axis=1, kind="stable")
        close_counts = np.add.reduce(distance < 0, axis=1).tolist()
        for n, closest, close_count in zip(ids, order.tolist(), close_counts, strict=True):
            chosen[n] = _filter_allowed(table, closest, close_count, proximity[n], requests[n].allowed, list_size)
    for n, wordings in enumerate(exact_rows):
        allowed = requests[n].allowed
        missing = {int(table.owners[row]) for row in wordings} - set(chosen[n])
        chosen[n] += [entry for entry in sorted(missing) if allowed is None or allowed(table.entries[entry])]
    return chosen


def _filter_allowed(
    table: WordingTable,
    closest: Sequence[int],
    close_count: int,
    proximity: Doubles,
    allowed: Callable[[Entry], bool] | None,
    list_size: int,
) -> list[int]:
    """Keep the first `list_size` allowed entries of `closest`, of which only the first `close_count` have any
    proximity; look through all entries if too few of these are allowed."""
    if allowed is None:
        return list(closest[: min(list_size, close_count)])
    entries = table.entries
    places = list(islice((place for place, entry in enumerate(closest) if allowed(entries[entry])), list_size))
    if len(places) == min(list_size, len(proximity)) or len(closest) == len(proximity):
        return [closest[place] for place in places if place < close_count]
    order = np.argsort(-proximity, kind="stable")[: np.count_nonzero(proximity > 0)]
    return list(islice((entry for entry in order.tolist() if allowed(entries[entry])), list_size))


def _choose_wordings(
    index: InvertedIndex, request_ids: Positions, entries: Positions, similarities: _Similarities
) -> tuple[Positions, Positions, Positions, Positions]:
    """Choose the wordings of each candidate entry that are compared letter by letter.

    Return the request and the entry of each candidate that has wordings left, and for each chosen wording the
    candidate it belongs to and its row.
    """
    counts = index.row_counts[entries]
    candidate_ids = np.arange(len(entries)).repeat(counts)
    rows = np.arange(len(candidate_ids)) + (index.first_rows[entries] - counts.cumsum() + counts)[candidate_ids]
    if len(similarities.held_out):
        remaining = ~np.isin(request_ids[candidate_ids] * index.row_count + rows, similarities.held_out)
        candidate_ids, rows = candidate_ids[remaining], rows[remaining]
        counts = np.bincount(candidate_ids, minlength=len(entries))
        nonempty = counts > 0
        request_ids, entries, counts = request_ids[nonempty], entries[nonempty], counts[nonempty]
        candidate_ids = (np.cumsum(nonempty) - 1)[candidate_ids]
    too_many = counts > _WORDINGS_PER_ENTRY
    if too_many.any():
        # An entry with few wordings keeps their order; of many the most similar come first.
        by_terms = similarities.by_terms(request_ids[candidate_ids], rows)
        order = np.lexsort((-np.where(too_many[candidate_ids], by_terms, 0.0), candidate_ids))
        place = np.arange(len(candidate_ids)) - (np.cumsum(counts) - counts)[candidate_ids]
        order = order[place < _WORDINGS_PER_ENTRY]
        candidate_ids, rows = candidate_ids[order], rows[order]
    return request_ids, entries, candidate_ids, rows


def _list_spans(request_ids: Positions) -> list[ListSpan]:
    sizes = np.bincount(request_ids)
    nonempty = sizes.nonzero()[0]
    sizes = sizes[nonempty]
    ends = sizes.cumsum()
    return list(map(ListSpan, nonempty.tolist(), (ends - sizes).tolist(), ends.tolist()))


def _similarity_features(
    candidates: Candidates, similarities: _Similarities, embeddings: EmbeddingIndex | None
) -> dict[str, Doubles]:
    by_wording, by_entry = (
        (candidates.request_ids, candidates.wordings),
        (candidates.request_ids, candidates.entries),
    )
    features = {
        "bare": similarities.unigrams[by_wording],
        "best": similarities.best[by_entry],
        "centre": similarities.centroid[by_entry],
    }
    features["answer"], features["explained"] = similarities.documents.of(*by_entry)
    nothing = np.zeros(len(candidates.entries))
    static = similarities.static.of(*by_entry) if similarities.static else (nothing, nothing, nothing)
    features["static"], features["static_centre"], features["static_answer"] = static
    semantic = similarities.semantic
    if semantic is not None and embeddings is not None:
        features["meaning"], features["meaning_centre"], features["meaning_answer"] = semantic.of(*by_entry)
        features["meaning_contrast"] = np.concatenate(
            [
                embeddings.contrast(candidates.entries[one.start : one.end], semantic.cosines[one.request_id])
                for one in candidates.lists
            ]
        )
    return features


def _candidate_rows(
    table: WordingTable,
    queries: Sequence[Query],
    candidates: Candidates,
    features: dict[str, Doubles],
    exact_rows: Sequence[Sequence[int]],
) -> CandidateRows:
    entries, lists = candidates.entries, candidates.lists
    wordings = candidates.wordings.copy()
    exact = np.zeros(len(entries), dtype=np.bool_)
    for request_id, start, end in lists:
        for row in exact_rows[request_id]:
            owners = start + np.flatnonzero(entries[start:end] == table.owners[row])
            exact[owners], wordings[owners] = True, row
    names = FEATURES + EMBEDDING_FEATURES if len(features) > len(FEATURES) else FEATURES
    columns = np.empty((len(entries), len(names)))
    for column, name in enumerate(names):
        columns[:, column] = features[name]
    list_starts = np.array([one.start for one in lists], dtype=np.int64)
    list_ids = np.arange(len(lists)).repeat([one.end - one.start for one in lists])
    request_ids = [one.request_id for one in lists]
    return CandidateRows(
        request_ids,
        [queries[n] for n in request_ids],
        list_starts,
        list_ids,
        np.arange(len(entries)) - list_starts[list_ids],
        entries,
        wordings,
        columns,
        exact,
    )
