"""Threshold calibration: adjusts the answer thresholds to a knowledge base by hold-out evaluation. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faqbot.search.arrays import Doubles, Flags
from faqbot.search.hold_out import Trial, hold_out_trial
from faqbot.search.index import Index

# Share of the held-out wordings that must be answered rightly, by strictness. Colleagues ask more like HR writes than
# the held-out wordings are like each other, so a greater share is right in practice.
_PRECISION = {"strict": 0.95, "balanced": 0.88, "lenient": 0.82}
# Share that is right at the fitted thresholds.
_FITTED_PRECISION = 0.95
# Share of the likely answers that must be right, and of those at the fitted threshold that are.
_LIKELY_PRECISION, _FITTED_LIKELY_PRECISION = 0.8, 0.84
# Weight of an out-of-scope trial, and of a wording with another word in it. Neighbours of a missing entry are harder
# than real out-of-scope questions, and made-up ones harder still.
_OUT_OF_SCOPE_WEIGHT, _NEIGHBOUR_WEIGHT = 0.35, 0.2
# Weight of the fitted threshold, in answered wordings.
_PRIOR_WEIGHT = 20.0
# Share of the questions that pass the fitted threshold, for entries with one wording, which cannot be held out.
_USUALLY_ANSWERED = 0.6
# Share of the everyday questions for which no list may be offered.
_STRANGERS_REFUSED = 0.9
# Reach of the calibration: thresholds for answers move down by this at most, up by this share of the way to 1; the
# offer threshold stays between these multiples of the fitted one.
_MAX_DOWN, _MAX_UP_SHARE = 0.02, 0.35
_OFFER_MIN_FACTOR, _OFFER_MAX_FACTOR = 0.6, 1.6
# With fewer trials the fitted thresholds stay.
_MIN_TRIALS = 10
# Thresholds that are tried.
_STEPS = 33


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which an entry is answered outright, shown as the likely answer, and offered in a list."""

    answer_at: float
    likely_at: float
    offer_at: float


# From the strictest on. The same for every knowledge base; `learn` moves them by what its own wordings show.
FITTED_THRESHOLDS = {
    "strict": Thresholds(answer_at=0.94, likely_at=0.70, offer_at=0.36),
    "balanced": Thresholds(answer_at=0.88, likely_at=0.54, offer_at=0.27),
    "lenient": Thresholds(answer_at=0.78, likely_at=0.44, offer_at=0.19),
}
# Those where questions have embeddings. Words were asked first, so the questions that are left are harder.
FITTED_BY_MEANING = {
    "strict": Thresholds(answer_at=0.96, likely_at=0.66, offer_at=0.30),
    "balanced": Thresholds(answer_at=0.92, likely_at=0.48, offer_at=0.21),
    "lenient": Thresholds(answer_at=0.84, likely_at=0.40, offer_at=0.15),
}


def learn(index: Index, strictness: str) -> Thresholds:
    """Calibrate the thresholds of `strictness` (`strict`, `balanced` or `lenient`) for this knowledge base."""
    trial = hold_out_trial(index)
    fitted = FITTED_BY_MEANING if index.has_embeddings else FITTED_THRESHOLDS
    names = tuple(fitted)
    answer_at, likely_at = 1.0, 1.0
    for name in names[: names.index(strictness) + 1]:
        answer_at = _answer_threshold(trial, fitted[name].answer_at, _PRECISION[name], _FITTED_PRECISION)
        # Fewer scores are left below a lower threshold for answers, and may be worse, but lenient asks for no more.
        likely_at = min(likely_at, _likely_threshold(trial, fitted[name].likely_at, answer_at))
    return Thresholds(answer_at, likely_at, _offer_threshold(trial, fitted[strictness].offer_at))


def _likely_threshold(trial: Trial, fitted: float, answer_at: float) -> float:
    return _answer_threshold(trial, fitted, _LIKELY_PRECISION, _FITTED_LIKELY_PRECISION, answer_at)


def _offer_threshold(trial: Trial, fitted: float) -> float:
    """Choose the threshold that refuses a list to most everyday questions, near the fitted one."""
    if _is_short(trial) or len(trial.strangers) < _MIN_TRIALS:
        return fitted
    usual = float(np.quantile(trial.strangers, _STRANGERS_REFUSED))
    return round(min(max(usual, fitted * _OFFER_MIN_FACTOR), fitted * _OFFER_MAX_FACTOR), 4)


def _answer_threshold(
    trial: Trial, fitted: float, precision: float, fitted_precision: float, below: float = 1.0
) -> float:
    """Choose the lowest threshold at which enough answers would be right, by the trials and the fitted threshold.

    `fitted_precision` is what is right at the fitted one. Only scores under `below` count: those from there on are
    answered otherwise.
    """
    if _is_short(trial):
        return fitted
    single_wordings = max(0, len(trial.out_of_scope) - len(trial.scores)) * _USUALLY_ANSWERED
    prior = _PRIOR_WEIGHT + single_wordings
    highest = fitted + (1 - fitted) * _MAX_UP_SHARE
    highest = min(highest, below)
    for threshold in np.linspace(fitted - _MAX_DOWN, highest, _STEPS):
        answered = _between(trial.scores, threshold, below)
        right = float(trial.correct[answered].sum())
        wrong = float((1 - trial.correct[answered]).sum())
        wrong += _OUT_OF_SCOPE_WEIGHT * float(_between(trial.out_of_scope, threshold, below).sum())
        wrong += _NEIGHBOUR_WEIGHT * float(_between(trial.neighbours, threshold, below).sum())
        # Above the fitted threshold the prior is as precise as fitted, below it proportionally less.
        expected = fitted_precision * min(1.0, float(threshold) / fitted)
        if (right + prior * expected) / (right + wrong + prior) >= precision:
            return round(float(threshold), 4)
    return round(highest, 4)


def _is_short(trial: Trial) -> bool:
    """Return True if too few wordings were tried to move any threshold."""
    return len(trial.scores) + len(trial.out_of_scope) < _MIN_TRIALS


def _between(scores: Doubles, low: float, high: float) -> Flags:
    """Mark the scores from `low` up to, not including, `high`; from 1 on nothing is above."""
    return (scores >= low) & ((scores < high) | (high >= 1))
