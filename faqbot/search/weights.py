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
)  # fmt: skip
# Further features where wordings have embeddings.
EMBEDDING_FEATURES = ("meaning", "meaning_centre", "meaning_contrast")
# Signals from which the probability of a candidate is computed (see scoring).
SIGNALS = (
    "one", "rank", "gap", "share", "share_of_rank", "bare", "centre", "edit", "sound", "covered", "covers",
    "contrast", "shared", "missing", "both_covered", "unseen", "length", "weight",
)  # fmt: skip
# Further signals where wordings have embeddings.
EMBEDDING_SIGNALS = ("meaning", "meaning_centre", "meaning_contrast", "meaning_gap", "meaning_centre_gap")


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the features for the rank, and of the signals for the log-odds (see scoring.log_odds)."""

    rank: Doubles
    confidence: Doubles
    output: Doubles


@cache
def fitted_weights(kind: str) -> Weights:
    """Return the weights for `han` (knowledge mostly in Chinese), `latin` (any other) or `meaning` (with embeddings).

    tests/bench/fit.py fits and writes them.
    """
    fitted = _read()[kind]
    with_embeddings = kind == "meaning"
    features = FEATURES + EMBEDDING_FEATURES if with_embeddings else FEATURES
    signals = SIGNALS + EMBEDDING_SIGNALS if with_embeddings else SIGNALS
    return Weights(
        np.array([fitted["rank"][name] for name in features]),
        np.array([fitted["confidence"][name] for name in signals]),
        np.array(fitted["output"]),
    )


@cache
def _read() -> dict[str, Any]:
    text = files("faqbot.search").joinpath("data/weights.json").read_text(encoding="utf-8")
    weights: dict[str, Any] = json.loads(text)
    return weights
