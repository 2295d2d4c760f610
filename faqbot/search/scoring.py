"""Scoring: computes the order of candidates, and the probability that each is right, from features."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from faqbot.search.arrays import Doubles, Positions
from faqbot.search.candidates import CandidateRows
from faqbot.search.weights import FEATURES, SIGNALS, Weights

# Lead that the only candidate of a list is taken to have, and the greatest that counts.
_LARGEST_GAP = 6.0
# The features that are signals by themselves, in the order of SIGNALS.
_FEATURE_SIGNALS = [FEATURES.index(name) for name in SIGNALS[5:19]]
_STATIC = FEATURES.index("static")
_COVERED, _COVERS = FEATURES.index("covered"), FEATURES.index("covers")


class Scores(NamedTuple):
    """The rows of all lists in `order`, the best of each list first; for each row the probability that it is `right`,
    falling along each list; for each list the probability that its first rows hold the right one (`listed`)."""

    order: Positions
    right: Doubles
    listed: Doubles


def score(candidates: CandidateRows, weights: Weights) -> Scores:
    """Rank the rows of each list, and compute how probable it is that they are right."""
    # Equal rows must have equal sums, which a matrix product does not promise.
    rank_scores = np.add.reduce(candidates.features * weights.rank, axis=1)
    columns = signals(candidates, rank_scores)
    scores = sigmoid(log_odds(columns, weights.confidence, weights.output))
    # A candidate with the very words of the query comes first, however similar others are.
    order = np.lexsort((-rank_scores, ~candidates.exact, candidates.list_ids))
    falling = np.minimum.accumulate(_pad_lists(candidates, scores[order]), axis=1)
    scores[order] = falling[candidates.list_ids, candidates.positions]
    firsts = columns[order[candidates.list_starts]]
    return Scores(order, scores, sigmoid(log_odds(firsts, weights.listed, weights.listed_output)))


def signals(candidates: CandidateRows, rank_scores: Doubles) -> Doubles:
    """Compute the signals on which probabilities depend: a row for each candidate, columns as in `SIGNALS`."""
    gaps, best = _gaps(candidates, rank_scores)
    exponentials = np.exp(rank_scores - best)
    shares = exponentials / np.add.reduceat(exponentials, candidates.list_starts)[candidates.list_ids]
    features = candidates.features
    query_facts = [
        (q.terms.unseen_share, math.log1p(len(q.text)), math.log1p(q.terms.total_weight)) for q in candidates.queries
    ]
    columns = np.empty((len(rank_scores), len(SIGNALS)))
    columns[:, 0] = 1.0
    columns[:, 1] = rank_scores
    columns[:, 2] = np.minimum(np.maximum(gaps, -_LARGEST_GAP), _LARGEST_GAP)
    columns[:, 3] = shares
    columns[:, 4] = shares * rank_scores
    columns[:, 5:19] = features[:, _FEATURE_SIGNALS]
    columns[:, 19] = features[:, _COVERED] * features[:, _COVERS]
    columns[:, 20:23] = np.array(query_facts)[candidates.list_ids]
    columns[:, 23] = _gaps(candidates, features[:, _STATIC])[0]
    semantic = features[:, len(FEATURES) :]
    if not semantic.shape[1]:
        return columns
    semantic_gaps = [_gaps(candidates, semantic[:, column])[0] for column in (0, 1, 3)]
    return np.column_stack((columns, semantic, *semantic_gaps))


def log_odds(signals: Doubles, confidence: Doubles, output: Doubles) -> Doubles:
    """Return the log-odds that each candidate is right: a linear term plus a hidden layer of tanh over its signals.

    The first column of `confidence` holds the linear weights, the others those of the hidden units, whose weights in
    the sum are `output`.
    """
    linear, hidden = confidence[:, 0], confidence[:, 1:]
    return signals @ linear + np.tanh(signals @ hidden) @ output


def _gaps(candidates: CandidateRows, values: Doubles) -> tuple[Doubles, Doubles]:
    """Return how far each value is ahead of the best other value of its list, and the best value of its list."""
    # Negated, so that the padding comes last.
    ascending = _pad_lists(candidates, -values)
    ascending.sort(axis=1)
    best = -ascending[:, 0]
    second = -ascending[:, 1] if ascending.shape[1] > 1 else np.full(len(best), -np.inf)
    alone = second == -np.inf
    second[alone] = best[alone] - _LARGEST_GAP
    best, second = best[candidates.list_ids], second[candidates.list_ids]
    return values - np.where(values >= best, second, best), best


def _pad_lists(candidates: CandidateRows, values: Doubles) -> Doubles:
    """Lay the values out with a row for each list, padded with infinity to the length of the longest."""
    padded = np.full((len(candidates.queries), int(np.maximum.reduce(candidates.positions)) + 1), np.inf)
    padded[candidates.list_ids, candidates.positions] = values
    return padded


def sigmoid(values: Doubles) -> Doubles:
    return 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(values, -30), 30)))
