"""Ranking: retrieves and scores candidates, then applies HR's boosts and exclusions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz

from faqbot.differences.finder import apart
from faqbot.search.arrays import Doubles, Floats
from faqbot.search.candidates import CandidateRows, RetrievalRequest, retrieve
from faqbot.search.queries import Query
from faqbot.search.scoring import score
from faqbot.search.semantic import EmbeddingIndex
from faqbot.search.weights import FEATURES, fitted_weights
from faqbot.search.wordings import WordingTable

# Candidates per query, by script: without characters to go by, terms point less surely to the right entry.
_LIST_SIZES = {"han": 12, "latin": 28}
# Limits of a batch: queries, and similarities of a query and a wording, which are held in memory all at once.
_MAX_QUERIES, _MAX_SIMILARITIES = 32, 250_000
# A wording HR excluded counts if its similarity to the query is at least the first number and not below that of the
# entry's own wordings; from the second number on, and above the entry's own, it rules the entry out.
_EXCLUSION_COUNTS, _EXCLUSION_DECIDES = 0.5, 0.8
# Greatest score of an entry that an excluded wording speaks against: too little to answer outright.
_EXCLUDED_SCORE = 0.5
# Score of the only entry with the words of the query, empty words aside.
_SAME_SKELETON_SCORE = 0.98
# Score of each of several entries with the words of the query: nobody can say which is meant.
_SHARED_WORDS_SCORE = 0.5
# Greatest score of an entry beside one that has the words of the query.
_BESIDE_EXACT_SCORE = 0.999
_EDIT = FEATURES.index("edit")


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ranked candidates of one query: their rows in `candidates`, the best first, and the score of each."""

    query: Query
    candidates: CandidateRows
    rows: Sequence[int]
    scores: Sequence[float]


class Ranker:
    """Ranks the entries of a wording table, by terms alone or by `embeddings` too. Safe to use from any thread.

    `excluded` gives the folded wordings that HR excluded, by the number of the entry.
    """

    def __init__(
        self, table: WordingTable, excluded: Mapping[int, Sequence[str]], embeddings: EmbeddingIndex | None = None
    ) -> None:
        self.embeddings = embeddings
        self._table = table
        self._excluded = excluded
        self._list_size = _LIST_SIZES["latin" if embeddings else table.script]
        self._weights = fitted_weights("meaning" if embeddings else table.script)

    def candidates(self, requests: Sequence[RetrievalRequest]) -> CandidateRows | None:
        """Retrieve the candidates of a batch with their features; None if no request has any."""
        return retrieve(self._table, requests, self._list_size, self.embeddings)

    def rank(self, requests: Sequence[RetrievalRequest]) -> list[Ranking | None]:
        """Rank the entries for each request of a batch; None for a request without any candidate."""
        rankings: list[Ranking | None] = [None] * len(requests)
        if not requests or not self._table.entries:
            return rankings
        candidates = self.candidates(requests)
        if candidates is None:
            return rankings
        order, scores = score(candidates, self._weights)
        self._promote_exact(candidates, scores)
        self._demote_excluded(candidates, scores)
        order = order[np.lexsort((-scores[order], candidates.list_ids))]
        rows, sorted_scores, starts = order.tolist(), scores[order].tolist(), candidates.list_starts.tolist()
        spans = zip(starts, [*starts[1:], len(rows)], strict=True)
        for request_id, query, (start, end) in zip(candidates.request_ids, candidates.queries, spans, strict=True):
            rankings[request_id] = Ranking(query, candidates, rows[start:end], sorted_scores[start:end])
        return rankings

    def _promote_exact(self, candidates: CandidateRows, scores: Doubles) -> None:
        """Make the only entry with the words of the query certain; of several, give each the same half."""
        for list_id in dict.fromkeys(candidates.list_ids[candidates.exact].tolist()):
            rows = slice(*candidates.list_ids.searchsorted([list_id, list_id + 1]).tolist())
            exact, raw = candidates.exact[rows], candidates.queries[list_id].raw
            if exact.sum() > 1:
                others = np.minimum(scores[rows], _SHARED_WORDS_SCORE)
                scores[rows] = np.where(exact, _SHARED_WORDS_SCORE, others)
                continue
            same = self._table.raws[int(candidates.wordings[rows][exact][0])] == raw
            certain = 1.0 if same else _SAME_SKELETON_SCORE
            others = np.minimum(scores[rows], _BESIDE_EXACT_SCORE)
            scores[rows] = np.where(exact, np.maximum(scores[rows], certain), others)

    def _demote_excluded(self, candidates: CandidateRows, scores: Doubles) -> None:
        """Keep a query from an entry if it is as similar to a wording excluded by `not:` as to the entry's own."""
        if not self._excluded:
            return
        for row, entry in enumerate(candidates.entries.tolist()):
            if candidates.exact[row]:
                continue
            for excluded in self._excluded.get(entry, ()):
                text = candidates.queries[candidates.list_ids[row]].text
                own_similarity = candidates.features[row, _EDIT]
                similarity = fuzz.ratio(text, excluded) / 100
                if similarity >= _EXCLUSION_DECIDES and similarity > own_similarity:
                    scores[row] = min(scores[row], 1.0 - similarity)
                elif similarity >= _EXCLUSION_COUNTS and similarity >= own_similarity and not apart(text, excluded):
                    scores[row] = min(scores[row], _EXCLUDED_SCORE)


@dataclass(frozen=True, slots=True)
class Rankers:
    """The ranker by terms, and beside it one by embeddings too where the wordings have them."""

    table: WordingTable
    lexical: Ranker
    semantic: Ranker | None = None

    def batches(self, embeddings: Sequence[Floats | None]) -> Iterator[tuple[Ranker, Sequence[int]]]:
        """Split queries, given by their embeddings, into batches: the ranker of each and the indices of its queries.

        A query without an embedding is ranked by terms alone.
        """
        size = max(1, min(_MAX_QUERIES, _MAX_SIMILARITIES // max(1, len(self.table.originals))))
        for ranker in (self.semantic, self.lexical):
            if ranker is None:
                continue
            ids = [n for n, embedding in enumerate(embeddings) if self._for(embedding) is ranker]
            for start in range(0, len(ids), size):
                yield ranker, ids[start : start + size]

    def _for(self, embedding: Floats | None) -> Ranker:
        return self.semantic if self.semantic is not None and embedding is not None else self.lexical
