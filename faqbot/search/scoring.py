"""From views to order and probability: which of the listed entries comes first, and how sure one can be of each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from faqbot.search.arrays import Doubles, Positions
from faqbot.search.candidates import MEANING_VIEWS, CandidateRows
from faqbot.search.weights import RANK, SURE, SURE_OUT, VIEWS

# What tells how sure one can be of an entry; the columns of `evidence` and the keys of SURE.
EVIDENCE = (
    "one", "rank", "gap", "share", "share_of_rank", "bare", "centre", "edit", "sound", "covered", "covers",
    "contrast", "shared", "missing", "both_covered", "unseen", "length", "weight",
)  # fmt: skip

# What comes beside the evidence where wordings have vectors.
MEANING_EVIDENCE = ("meaning", "meaning_centre", "meaning_contrast", "meaning_gap", "meaning_centre_gap")
# How far ahead the first one is taken to be when there is no second.
_NO_RIVAL = 6.0
# The views that are evidence by themselves, in the order of EVIDENCE.
_TELLING = [VIEWS.index(view) for view in EVIDENCE[5:14]]
_COVERED, _COVERS = VIEWS.index("covered"), VIEWS.index("covers")


@dataclass(frozen=True, slots=True)
class Weights:
    """Fitted weights: of the views for the rank, and of the evidence for the log-odds (see log_odds)."""

    rank: Doubles
    sure: Doubles
    out: Doubles

    @classmethod
    def fitted(cls, kind: str) -> Weights:
        """For `han`, `latin` or `meaning`."""
        meaning = kind == "meaning"
        views, evidence = (VIEWS + MEANING_VIEWS, EVIDENCE + MEANING_EVIDENCE) if meaning else (VIEWS, EVIDENCE)
        return cls(
            np.array([RANK[kind][view] for view in views]),
            np.array([SURE[kind][e] for e in evidence]),
            np.array(SURE_OUT[kind]),
        )


def judge(listed: CandidateRows, weights: Weights) -> tuple[Positions, Doubles]:
    """The rows of all lists in order, best first within each list; and for each row how probable it is right."""
    # Equal rows must come to equal sums, which a matrix product does not promise.
    ranks = np.add.reduce(listed.views * weights.rank, axis=1)
    scores = _sigmoid(log_odds(evidence(listed, ranks), weights.sure, weights.out))
    # The very words HR wrote come first, whatever else is alike.
    order = np.lexsort((-ranks, ~listed.exact, listed.of))
    falling = np.minimum.accumulate(_side_by_side(listed, scores[order]), axis=1)
    scores[order] = falling[listed.of, listed.places]
    return order, scores


def evidence(listed: CandidateRows, ranks: Doubles) -> Doubles:
    """What says how sure one can be: a row for each listed entry, columns as in `SURE`."""
    gap, ahead = _gap(listed, ranks)
    raised = np.exp(ranks - ahead)
    shares = raised / np.add.reduceat(raised, listed.starts)[listed.of]
    views = listed.views
    facts = [(q.bag.unseen, math.log1p(len(q.text)), math.log1p(q.bag.total)) for q in listed.questions]
    found = np.empty((len(ranks), len(EVIDENCE)))
    found[:, 0] = 1.0
    found[:, 1] = ranks
    found[:, 2] = np.minimum(np.maximum(gap, -_NO_RIVAL), _NO_RIVAL)
    found[:, 3] = shares
    found[:, 4] = shares * ranks
    found[:, 5:14] = views[:, _TELLING]
    found[:, 14] = views[:, _COVERED] * views[:, _COVERS]
    found[:, 15:] = np.array(facts)[listed.of]
    beside = views[:, len(VIEWS) :]
    if not beside.shape[1]:
        return found
    gaps = [_gap(listed, beside[:, column])[0] for column in (0, 1)]
    return np.column_stack((found, beside, *gaps))


def log_odds(evidence: Doubles, table: Doubles, out: Doubles) -> Doubles:
    """How sure the evidence makes one: rows of evidence, the fitted table and the weights of its bent columns."""
    direct, bent = table[:, 0], table[:, 1:]
    return evidence @ direct + np.tanh(evidence @ bent) @ out


def _gap(listed: CandidateRows, values: Doubles) -> tuple[Doubles, Doubles]:
    """How far each value is ahead of the best of the others of its list; and the best of its list."""
    # Negative, so that what fills a list up comes last.
    rising = _side_by_side(listed, -values)
    rising.sort(axis=1)
    top = -rising[:, 0]
    second = -rising[:, 1] if rising.shape[1] > 1 else np.full(len(top), -np.inf)
    alone = second == -np.inf
    second[alone] = top[alone] - _NO_RIVAL
    top, second = top[listed.of], second[listed.of]
    return values - np.where(values >= top, second, top), top


def _side_by_side(listed: CandidateRows, values: Doubles) -> Doubles:
    """A row for each list, filled up to the longest with infinity."""
    table = np.full((len(listed.questions), int(np.maximum.reduce(listed.places)) + 1), np.inf)
    table[listed.of, listed.places] = values
    return table


def _sigmoid(values: Doubles) -> Doubles:
    return 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(values, -30), 30)))
