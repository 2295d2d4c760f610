"""Fitted weights of ranking and scoring: loads data/weights.json and names the feature of each weight."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from faqbot.search.arrays import Doubles

# Features of a candidate (see candidates, ranking_features); `explain` and `ask --json` show them by these names.
FEATURES = (
    "bare", "best", "centre", "edit", "raw_edit", "sound", "covered", "covers", "contrast", "shared", "missing",
    "answer", "explained", "static", "static_centre", "static_answer",
)  # fmt: skip
# Further features where wordings have embeddings.
EMBEDDING_FEATURES = ("meaning", "meaning_centre", "meaning_contrast", "meaning_answer")
# Signals from which the probability of a candidate is computed (see scoring).
SIGNALS = (
    "one", "rank", "gap", "share", "share_of_rank", "bare", "centre", "edit", "sound", "covered", "covers",
    "contrast", "shared", "missing", "answer", "explained", "static", "static_centre", "static_answer", "both_covered",
    "unseen", "length", "weight", "static_gap",
)  # fmt: skip
# Further signals where wordings have embeddings.
EMBEDDING_SIGNALS = (
    "meaning", "meaning_centre", "meaning_contrast", "meaning_answer", "meaning_gap", "meaning_centre_gap",
    "meaning_answer_gap",
)  # fmt: skip

# Signals by which the best candidates are verified (see verification).
VERIFICATION_SIGNALS = (
    "one", "log_odds", "rest", "unexplained", "lacking", "rests_alike", "rest_share", "unexplained_share",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the features for the rank, and of the signals for the log-odds (see scoring.log_odds).

    `confidence` and `output` are for a candidate being right, `listed` and `listed_output` for the first candidates of
    a list holding the right one. `verification` weighs the signals of verification.compare.
    """

    rank: Doubles
    confidence: Doubles
    output: Doubles
    listed: Doubles
    listed_output: Doubles
    verification: Doubles


@cache
def fitted_weights(kind: str) -> Weights:
    """Return the weights for `han` (knowledge mostly in Chinese) or `latin` (any other), or for `han_meaning` or
    `latin_meaning`, with embeddings.

    tests/bench/fit.py fits and writes them.
    """
    fitted = _read()[kind]
    with_embeddings = kind.endswith("meaning")
    features = FEATURES + EMBEDDING_FEATURES if with_embeddings else FEATURES
    signals = SIGNALS + EMBEDDING_SIGNALS if with_embeddings else SIGNALS
    return Weights(
        np.array([fitted["rank"][name] for name in features]),
        np.array([fitted["confidence"][name] for name in signals]),
        np.array(fitted["output"]),
        np.array([fitted["listed"][name] for name in signals]),
        np.array(fitted["listed_output"]),
        np.array([fitted["verification"][name] for name in VERIFICATION_SIGNALS]),
    )


@cache
def _read() -> dict[str, Any]:
    text = files("faqbot.search").joinpath("data/weights.json").read_text(encoding="utf-8")
    weights: dict[str, Any] = json.loads(text)
    return weights
