"""How sure the bot must be here before it answers: learnt from the knowledge base itself. Pure.

Each of a sample of wordings is asked as if HR had not written it, which shows how often the first entry is right; and
as if its whole entry did not exist, which makes it a stranger nobody wrote an answer for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faqbot.search.arrays import Doubles
from faqbot.search.index import HoldOutQuery, Index

# At most so many wordings are tried, which takes well under a second: of fewer, one entry more or less would move the
# bar, and the answers to others with it.
_SAMPLE = 1000
# What share of the held-out wordings that would be answered must be right, by strictness. Colleagues ask more like HR
# writes than the held-out wordings are like each other, so more than this is right in practice.
_PRECISION = {"strict": 0.95, "balanced": 0.88, "lenient": 0.82}
# Strangers made from neighbours are harder than those who come by; so much does one count against a wording.
_STRANGER_WEIGHT = 0.35
# What share is right at the fitted bars.
_FITTED_PRECISION = 0.95
# The fitted bar counts as much as so many wordings answered.
_PRIOR = 20.0
# What share of the questions passes the fitted bar, for entries with one wording, which cannot be held out.
_USUALLY_ANSWERED = 0.6
# This share of the strangers made from neighbours should not even see a list.
_STRANGERS_REFUSED = 0.6
# How far what was learnt may move the fitted bar: down by so much, up by this share of the way to 1.
_DOWN, _UP = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """Scores of the first entries and whether they were right, for held-out wordings and for strangers."""

    scores: Doubles
    right: Doubles
    strangers: Doubles


def rehearse(index: Index) -> Trial:
    """Ask a sample of the wordings without themselves, and without their whole entry."""
    rows = index.sample(_SAMPLE)
    wanted: list[HoldOutQuery] = []
    # The row a wording was held out at, None where its whole entry was.
    held_out: list[int | None] = []
    for row, question in zip(rows, index.read_many([index.wording(row) for row in rows]), strict=True):
        siblings = tuple(index.siblings(row))
        meaning = index.meaning_of(row)
        if len(siblings) > 1:
            wanted.append(HoldOutQuery(question, without=(row,), meaning=meaning))
            held_out.append(row)
        wanted.append(HoldOutQuery(question, without=siblings, meaning=meaning))
        held_out.append(None)
    scores: list[float] = []
    right: list[bool] = []
    strangers: list[float] = []
    for row_or_none, found in zip(held_out, index.firsts(wanted), strict=True):
        if found is not None and row_or_none is None:
            strangers.append(found[1])
        elif found is not None and row_or_none is not None:
            scores.append(found[1])
            right.append(found[0] == index.owner(row_or_none))
    return Trial(np.array(scores), np.array(right, dtype=float), np.array(strangers))


def learn(index: Index, strictness: str) -> Thresholds:
    """The bars for this knowledge base: the fitted ones, moved by what its own wordings show."""
    trial = rehearse(index)
    fitted = FITTED_THRESHOLDS[strictness]
    answer_at = _answer_bar(trial, fitted.answer_at, _PRECISION[strictness])
    return Thresholds(answer_at, _offer_bar(trial, fitted.offer_at))


def _offer_bar(trial: Trial, fitted: float) -> float:
    """A list is shown to few strangers: the bar follows how high the neighbours of a missing entry come."""
    if len(trial.strangers) < 10:
        return fitted
    usual = float(np.quantile(trial.strangers, _STRANGERS_REFUSED))
    return round(min(max(usual, fitted * 0.6), fitted * 1.6), 4)


def _answer_bar(trial: Trial, fitted: float, precision: float) -> float:
    """The lowest bar at which what is answered would be right often enough, seen together with the fitted bar."""
    if len(trial.scores) + len(trial.strangers) < 10:
        return fitted
    alone = max(0, len(trial.strangers) - len(trial.scores)) * _USUALLY_ANSWERED
    prior = _PRIOR + alone
    high = fitted + (1 - fitted) * _UP
    for bar in np.linspace(fitted - _DOWN, high, 33):
        taken = trial.scores >= bar
        good = float(trial.right[taken].sum())
        bad = float((1 - trial.right[taken]).sum()) + _STRANGER_WEIGHT * float((trial.strangers >= bar).sum())
        # Above the fitted bar the prior holds what is asked for, below it proportionally less.
        expected = _FITTED_PRECISION * min(1.0, float(bar) / fitted)
        if (good + prior * expected) / (good + bad + prior) >= precision:
            return round(float(bar), 4)
    return round(high, 4)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which an entry is answered outright, and from which it is offered in a list."""

    answer_at: float
    offer_at: float


# The fitted bars; each knowledge base moves them by what its own wordings show (see calibration).
FITTED_THRESHOLDS = {
    "strict": Thresholds(answer_at=0.91, offer_at=0.25),
    "balanced": Thresholds(answer_at=0.86, offer_at=0.18),
    "lenient": Thresholds(answer_at=0.70, offer_at=0.12),
}
