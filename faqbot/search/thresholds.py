"""Threshold calibration: adjusts the answer thresholds to a knowledge base by hold-out evaluation. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faqbot.search.hold_out import Trial, hold_out_trial
from faqbot.search.index import Index

# Share of the held-out wordings that must be answered rightly, by strictness. Colleagues ask more like HR writes than
# the held-out wordings are like each other, so a greater share is right in practice.
_PRECISION = {"strict": 0.95, "balanced": 0.88, "lenient": 0.82}
# Share that is right at the fitted thresholds.
_FITTED_PRECISION = 0.95
# Weight of an out-of-scope trial. Neighbours of a missing entry are harder than real out-of-scope questions.
_OUT_OF_SCOPE_WEIGHT = 0.35
# Weight of the fitted threshold, in answered wordings.
_PRIOR_WEIGHT = 20.0
# Share of the questions that pass the fitted threshold, for entries with one wording, which cannot be held out.
_USUALLY_ANSWERED = 0.6
# Share of the out-of-scope trials for which no list may be offered.
_OUT_OF_SCOPE_REFUSED = 0.6
# Reach of the calibration: the answer threshold moves down by this at most, up by this share of the way to 1; the offer
# threshold stays between these multiples of the fitted one.
_MAX_DOWN, _MAX_UP_SHARE = 0.05, 0.5
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


# The same for every knowledge base; `learn` moves them by what its own wordings show.
FITTED_THRESHOLDS = {
    "strict": Thresholds(answer_at=0.91, likely_at=0.7, offer_at=0.25),
    "balanced": Thresholds(answer_at=0.8, likely_at=0.5, offer_at=0.35),
    "lenient": Thresholds(answer_at=0.70, likely_at=0.45, offer_at=0.12),
}


def learn(index: Index, strictness: str) -> Thresholds:
    """Calibrate the thresholds of `strictness` (`strict`, `balanced` or `lenient`) for this knowledge base."""
    trial = hold_out_trial(index)
    fitted = FITTED_THRESHOLDS[strictness]
    answer_at = _answer_threshold(trial, fitted.answer_at, _PRECISION[strictness])
    return Thresholds(answer_at, min(fitted.likely_at, answer_at), _offer_threshold(trial, fitted.offer_at))


def _offer_threshold(trial: Trial, fitted: float) -> float:
    """Choose the threshold that refuses a list to most out-of-scope trials, near the fitted one."""
    if len(trial.out_of_scope) < _MIN_TRIALS:
        return fitted
    usual = float(np.quantile(trial.out_of_scope, _OUT_OF_SCOPE_REFUSED))
    return round(min(max(usual, fitted * _OFFER_MIN_FACTOR), fitted * _OFFER_MAX_FACTOR), 4)


def _answer_threshold(trial: Trial, fitted: float, precision: float) -> float:
    """Choose the lowest threshold at which enough answers would be right, by the trials and the fitted threshold."""
    if len(trial.scores) + len(trial.out_of_scope) < _MIN_TRIALS:
        return fitted
    single_wordings = max(0, len(trial.out_of_scope) - len(trial.scores)) * _USUALLY_ANSWERED
    prior = _PRIOR_WEIGHT + single_wordings
    highest = fitted + (1 - fitted) * _MAX_UP_SHARE
    for threshold in np.linspace(fitted - _MAX_DOWN, highest, _STEPS):
        answered = trial.scores >= threshold
        right = float(trial.correct[answered].sum())
        out_of_scope = float((trial.out_of_scope >= threshold).sum())
        wrong = float((1 - trial.correct[answered]).sum()) + _OUT_OF_SCOPE_WEIGHT * out_of_scope
        # Above the fitted threshold the prior is as precise as fitted, below it proportionally less.
        expected = _FITTED_PRECISION * min(1.0, float(threshold) / fitted)
        if (right + prior * expected) / (right + wrong + prior) >= precision:
            return round(float(threshold), 4)
    return round(highest, 4)
