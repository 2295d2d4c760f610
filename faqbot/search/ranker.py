"""Ranking: retrieves and scores candidates, then applies HR's boosts and exclusions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from rapidfuzz import fuzz

from faqbot.differences.finder import DifferenceFinder, apart
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.search.arrays import Doubles, Floats, Positions
from faqbot.search.candidates import CandidateRows, RetrievalRequest, retrieve
from faqbot.search.queries import Query
from faqbot.search.scoring import score, sigmoid
from faqbot.search.semantic import EmbeddingIndex
from faqbot.search.verification import TermVectors, compare
from faqbot.search.weights import FEATURES, fitted_weights
from faqbot.search.wordings import WordingTable

# Candidates per query, by script: without characters to go by, terms point less surely to the right entry.
_LIST_SIZES = {"han": 18, "latin": 28}
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
# Candidates of a list that are compared for differences: the best, from this score on, until so many agree; and the
# least probability of a list that is worth it, well below that of any list that is shown.
_MAX_COMPARED, _ENOUGH_AGREEING, _COMPARED_FROM, _COMPARED_FROM_LISTED = 8, 3, 0.05, 0.12
# Probability that remains of a candidate being wrong, so that its odds are finite.
_SMALLEST_DOUBT = 1e-9
# Factor of the score of an entry that differs in something decisive: others come first, and it is never answered with.
# Factor of the probability that a list beginning with it holds the right one: the list says what differs.
_DIFFERING_FACTOR, _DIFFERING_LIST_FACTOR = 0.4, 0.65
# Both, where the question names somebody or something that the entry never speaks of: it is about another matter.
_FOREIGN_FACTOR = 0.2
_FOREIGN_KINDS = (DifferenceKind.NAME, DifferenceKind.CODE)
# An entry whose wordings have less than this share of the query's weight is no surer than its list.
_LITTLE_COVERED = 0.2
# A second score above this is a rival of the first: both cannot be right.
_RIVAL_SCORE = 0.5
_EDIT, _COVERED = FEATURES.index("edit"), FEATURES.index("covered")


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ranked candidates of one query: their rows in `candidates`, the best first, and the score of each.

    `listed` is the probability that the first five hold the right one. `differences` gives what the query says
    otherwise, by the row of the candidate; without a key nothing was found.
    """

    query: Query
    candidates: CandidateRows
    rows: Sequence[int]
    scores: Sequence[float]
    listed: float
    differences: Mapping[int, tuple[Difference, ...]]


class Ranker:
    """Ranks the entries of a wording table, by terms alone or by `embeddings` too. Safe to use from any thread.

    `excluded` gives the folded wordings that HR excluded, by the number of the entry.
    """

    def __init__(
        self,
        table: WordingTable,
        excluded: Mapping[int, Sequence[str]],
        finder: DifferenceFinder,
        embeddings: EmbeddingIndex | None = None,
    ) -> None:
        self._finder = finder
        self.embeddings = embeddings
        self._table = table
        self._excluded = excluded
        self._list_size = _LIST_SIZES[table.script]
        self.weights = fitted_weights(f"{table.script}_meaning" if embeddings else table.script)

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
        order, scores, listed = score(candidates, self.weights)
        self._promote_exact(candidates, scores)
        order = order[np.lexsort((-scores[order], candidates.list_ids))]
        differences = self._verify(candidates, order, scores, listed)
        if self.embeddings is None:
            _doubt_uncovered(candidates, scores, listed)
        self._demote_excluded(candidates, scores)
        order = order[np.lexsort((-scores[order], candidates.list_ids))]
        _weigh_rivals(candidates, order, scores)
        firsts = order[candidates.list_starts].tolist()
        listed *= [_factor(differences.get(row, ()), _DIFFERING_LIST_FACTOR) for row in firsts]
        rows, sorted_scores, starts = order.tolist(), scores[order].tolist(), candidates.list_starts.tolist()
        ends = [*starts[1:], len(rows)]
        facts = zip(candidates.request_ids, candidates.queries, starts, ends, listed.tolist(), strict=True)
        for request_id, query, start, end, probability in facts:
            span = slice(start, end)
            rankings[request_id] = Ranking(query, candidates, rows[span], sorted_scores[span], probability, differences)
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

    def _verify(
        self, candidates: CandidateRows, order: Positions, scores: Doubles, listed: Doubles
    ) -> dict[int, tuple[Difference, ...]]:
        """Correct the scores of the best candidates by what they do not share with their query, and put those that
        differ in something decisive behind those that agree; return the differences by row.

        A list that is neither answered from nor shown stays as it is, and so does one with the words of the query.
        """
        found: dict[int, tuple[Difference, ...]] = {}
        starts = candidates.list_starts.tolist()
        ends = [*starts[1:], len(order)]
        for query, start, end, probability in zip(candidates.queries, starts, ends, listed.tolist(), strict=True):
            rows = order[start:end].tolist()
            values = scores[rows].tolist()
            if candidates.exact[rows[0]] or max(probability, values[0]) < _COMPARED_FROM_LISTED:
                continue
            unified = "" if query.rewrites else query.text
            reading, terms = self._finder.read(query.original, query.raw, unified), TermVectors.of(query.text)
            agreeing = 0
            verified: list[float] = []
            for place, row in enumerate(rows):
                if values[place] < _COMPARED_FROM or place >= _MAX_COMPARED or agreeing >= _ENOUGH_AGREEING:
                    # What is not compared does not outrank what is, only because that was found to differ.
                    lowest = min(values[:place], default=1.0)
                    values[place:] = [min(value, lowest) for value in values[place:]]
                    break
                if place >= len(verified):
                    end_place = _ENOUGH_AGREEING if place < _ENOUGH_AGREEING else _MAX_COMPARED
                    span = slice(place, end_place)
                    verified += self._verified(candidates, terms, rows[span], values[span])
                wording = self._table.originals[candidates.wordings[row]]
                values[place] = verified[place]
                if differences := self._finder.differences(
                    reading, wording, self._table.entries[candidates.entries[row]]
                ):
                    found[row] = differences
                    values[place] *= _factor(differences, _DIFFERING_FACTOR)
                agreeing += not differences
            scores[rows] = values
        return found

    def _verified(
        self, candidates: CandidateRows, terms: TermVectors, rows: Sequence[int], values: Sequence[float]
    ) -> list[float]:
        """Return the corrected scores of those rows, the first ones, that are compared."""
        values = list(takewhile(lambda value: value >= _COMPARED_FROM, values))
        chosen = rows[: len(values)]
        wordings = [self._table.term_vectors(number) for number in candidates.wordings[chosen].tolist()]
        documents = [self._table.documents.texts[number] for number in candidates.entries[chosen].tolist()]
        odds = [math.log(value / max(1 - value, _SMALLEST_DOUBT)) for value in values]
        corrected: list[float] = sigmoid(compare(terms, wordings, documents, odds) @ self.weights.verification).tolist()
        return corrected

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


def _doubt_uncovered(candidates: CandidateRows, scores: Doubles, listed: Doubles) -> None:
    """Lower the scores of entries that share little with the query but in their answers to the probability that their
    list holds the right one. Few such questions were fitted, and one word of an answer makes an entry seem sure.
    """
    little = (candidates.features[:, _COVERED] < _LITTLE_COVERED) & ~candidates.exact
    scores[little] = np.minimum(scores[little], listed[candidates.list_ids[little]])


def _weigh_rivals(candidates: CandidateRows, order: Positions, scores: Doubles) -> None:
    """Lower the first score of a list whose second is above one half too, to the share of its odds in the odds of both:
    only one of two entries that a question fits alike is right. What would then be above the first is lowered to it."""
    starts = candidates.list_starts
    firsts = order[starts]
    seconds = order[np.minimum(starts + 1, len(order) - 1)]
    rivals = (candidates.list_ids[seconds] == candidates.list_ids[firsts]) & (seconds != firsts)
    rivals &= (scores[seconds] > _RIVAL_SCORE) & ~candidates.exact[firsts]
    odds = scores / np.maximum(1 - scores, _SMALLEST_DOUBT)
    highest = np.ones(len(starts))
    highest[rivals] = odds[firsts[rivals]] / (odds[firsts[rivals]] + odds[seconds[rivals]])
    np.minimum(scores, highest[candidates.list_ids], out=scores)


def _factor(differences: Sequence[Difference], differing: float) -> float:
    """Return the factor of a probability for what a question says otherwise than an entry; 1 for nothing."""
    if any(one.kind in _FOREIGN_KINDS and not one.written for one in differences):
        return _FOREIGN_FACTOR
    return differing if differences else 1.0


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
