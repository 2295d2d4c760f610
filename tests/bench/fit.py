"""Fit the weights of ranking and scoring on question sets and write them to faqbot/search/data/weights.json.

usage: python tests/bench/fit.py [--write] [--ablate] [--vectors FILE.npz] [--leave-one-out] [--kind KIND]

Reads the public sets beside the repository (see README.md here) and those in `sets/`. With --leave-one-out every set is
judged with weights fitted on the others only, which is the honest figure. `--vectors` fits the kinds with embeddings,
too: the file keeps the vectors of the built-in encoder between runs. Needs numpy and scipy.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from faqbot.dialogue.answer_policy import ask_for_subject, judge_many
from faqbot.dialogue.small_talk import small_talk
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.model.decisions import Answered, Likely, Offered
from faqbot.model.entries import Entry
from faqbot.search.candidates import CandidateRows, RetrievalRequest
from faqbot.search.index import Index
from faqbot.search.scoring import log_odds, signals
from faqbot.search.thresholds import FITTED_THRESHOLDS, learn
from faqbot.search.verification import TermVectors, compare
from faqbot.search.weights import (
    EMBEDDING_FEATURES,
    EMBEDDING_SIGNALS,
    FEATURES,
    SIGNALS,
    VERIFICATION_SIGNALS,
    Weights,
)

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "faqbot" / "search" / "data" / "weights.json"
DATA = ROOT.parent / "shared" / "bench" / "data"
OWN = Path(__file__).parent / "sets"
TODAY = date(2026, 11, 29)
HAN = ["zh_hr", "zh_bank", "zh_telecom", "zh_epidemic", "zh_insurance", "zh_lcqmc", "zhtw_esun", "zhtw_labour"]
# Sets of the sample knowledge and of three companies that were made up for this.
COMPANIES = ["zh_hrask", "questions", "sample", "food", "retail", "software"]
LATIN = ["en_banking77", "en_clinc150", "en_covidq", "en_hwu64", "en_stackfaq"]
# Judged, but never fitted on.
CONTRAST = ["zh_contrast"]
# Sets of one knowledge base are left out together.
BASE = {"zh_hrask": "sample", "questions": "sample"}
# Features that help one script only add noise to the other; weights are of four kinds, as in `fitted_weights`.
STATIC = {"static", "static_centre", "static_answer"}
LATIN_FEATURES = set(FEATURES) - {"bare", "best", "raw_edit", "sound"} - STATIC
HAN_FEATURES = set(FEATURES) - {"best"}
RANK_FEATURES = {
    "han": HAN_FEATURES,
    "latin": LATIN_FEATURES,
    "han_meaning": HAN_FEATURES | set(EMBEDDING_FEATURES),
    "latin_meaning": LATIN_FEATURES | set(EMBEDDING_FEATURES),
}
MAX_QUERIES = 600  # per set, drawn with a fixed seed
RANK_RIDGE, CONFIDENCE_RIDGE, VERIFICATION_RIDGE = 1e-3, 5e-4, 1e-3
HIDDEN_UNITS = 3
LISTED = 5
# The table of linear and hidden weights, and the weights of the hidden units (see scoring.log_odds).
Confidence = tuple[np.ndarray, np.ndarray]


@dataclass
class Judged:
    """One query of a set: its candidates, which of them are right and which differ decisively, the signals of each by
    which it is verified, and whether an answer exists at all."""

    candidates: CandidateRows
    right: np.ndarray
    differs: np.ndarray
    pairs: np.ndarray
    in_scope: bool


@dataclass
class QuestionSet:
    """The index of a knowledge base, the questions to it, and their vectors where there are any."""

    index: Index
    queries: list[dict]
    embeddings: Sequence[np.ndarray | None]
    judged: list[Judged] = field(default_factory=list)


class Vectors:
    """Vectors of texts by the built-in encoder, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, np.ndarray] = {}
        if path.exists():
            table = np.load(path, allow_pickle=True)
            self._known = dict(zip(table["t"].tolist(), table["v"], strict=True))

    def of(self, texts: Sequence[str]) -> np.ndarray:
        from faqbot.embeddings.builtin import MAX_CHARACTERS, load_engine

        cut = [text[:MAX_CHARACTERS] for text in texts]
        if missing := [text for text in dict.fromkeys(cut) if text not in self._known]:
            engine = load_engine()
            self._known |= {text: engine.query(text) for text in missing}
            names = np.array(list(self._known), dtype=object)
            np.savez(self._path, t=names, v=np.stack(list(self._known.values())))
        return np.stack([self._known[text] for text in cut])


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def load(name: str) -> tuple[Index, list[dict]]:
    if name in ("zh_hrask", "questions", "sample"):
        folder = ROOT / "knowledge"
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.yaml")}
        index = build_snapshot(files, label="knowledge", today=TODAY).index
        paths = {
            "zh_hrask": DATA / name / "queries.jsonl",
            "questions": ROOT / "tests" / "questions.jsonl",
            "sample": OWN / name / "queries.jsonl",
        }
        return index, read(paths[name])
    folder = DATA / name if (DATA / name).is_dir() else OWN / name
    queries = read(folder / "queries.jsonl")
    if len(queries) > MAX_QUERIES:
        queries = [queries[i] for i in np.random.RandomState(0).permutation(len(queries))[:MAX_QUERIES]]
    kb = read(folder / "kb.jsonl")
    entries = [Entry(str(e["id"]), e["question"], e.get("answer") or "x", tuple(e.get("phrasings", ()))) for e in kb]
    return Index(entries), queries


def accepted(query: dict) -> set[str]:
    return {str(key) for key in (query["id"], *query.get("alt", ())) if key is not None}


def collect(name: str, vectors: Vectors | None) -> QuestionSet:
    index, queries = load(name)
    embeddings: Sequence[np.ndarray | None] = [None] * len(queries)
    if vectors:
        index = index.with_embeddings(vectors.of(index.embedded_texts))
        embeddings = list(vectors.of([query["q"] for query in queries]))
    ranker = index.rankers.semantic or index.rankers.lexical
    result = QuestionSet(index, queries, embeddings)
    for query, embedding in zip(queries, embeddings, strict=True):
        if small_talk(query["q"], index, lambda _: True) or ask_for_subject(query["q"], index, lambda _: True):
            continue
        (analyzed,) = index.analyzer.analyze([query["q"]])
        candidates = ranker.candidates([RetrievalRequest(analyzed, embedding=embedding)]) if analyzed.text else None
        if candidates is None:
            continue
        right = np.array([index.entries[e].id in accepted(query) for e in candidates.entries])
        reading, terms = index.finder.read(query["q"]), TermVectors.of(analyzed.text)
        differs, pairs = [], []
        for row, (entry, wording) in enumerate(zip(candidates.entries, candidates.wordings, strict=True)):
            found = index.finder.differences(reading, index.table.originals[wording], index.entries[entry])
            differs.append(bool(found) and not candidates.exact[row])
            pairs.append(
                compare(terms, [index.table.term_vectors(int(wording))], [index.table.documents.texts[entry]], [0.0])[0]
            )
        in_scope = query["id"] is not None
        result.judged.append(Judged(candidates, right, np.array(differs), np.array(pairs), in_scope))
    return result


def fit_rank(sets: list[list[Judged]], kind: str) -> np.ndarray:
    """Conditional logit: the right entry should win against its own candidates. Sets count the same."""
    names = features_of(kind)
    used = np.array([name in RANK_FEATURES[kind] for name in names])
    rows = [(j.candidates.features[:, used], j.right, 1 / len(s)) for s in sets for j in s if j.right.any()]
    width = max(len(right) for _, right, _ in rows)
    features = np.zeros((len(rows), width, used.sum()))
    absent = np.full((len(rows), width), -1e9)
    right = np.zeros((len(rows), width))
    for n, (x, y, _) in enumerate(rows):
        features[n, : len(y)], absent[n, : len(y)], right[n, : len(y)] = x, 0.0, y
    share = np.array([w for _, _, w in rows])
    share /= share.sum()

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = features @ weights + absent
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        hit = (p * right).sum(axis=1) + 1e-12
        pull = p * right / hit[:, None] - p
        gradient = -((share[:, None] * pull)[:, :, None] * features).sum(axis=(0, 1))
        return -(share * np.log(hit)).sum() + RANK_RIDGE * weights @ weights, gradient + 2 * RANK_RIDGE * weights

    weights = np.zeros(len(used))
    weights[used] = minimize(loss, np.zeros(used.sum()), jac=True, method="L-BFGS-B").x
    return weights


def order_of(one: Judged, weights: np.ndarray) -> np.ndarray:
    """The order by rank, entries with the words of the query first and those that differ last."""
    rank_scores = one.candidates.features @ weights
    return np.lexsort((-rank_scores, ~one.candidates.exact, one.differs))


def first_signals(judged: list[Judged], weights: np.ndarray, listed: int) -> tuple[np.ndarray, np.ndarray]:
    """The signals of the first of each list, and whether one of the first `listed` was right.

    An entry that differs is never the answer, so a list of such entries teaches nothing about answers.
    """
    rows, right = [], []
    for one in judged:
        order = order_of(one, weights)
        if listed == 1 and one.differs[order[0]]:
            continue
        rank_scores = one.candidates.features @ weights
        rows.append(signals(one.candidates, rank_scores)[order[0]])
        right.append(bool(one.right[order[:listed]].any()))
    return np.array(rows), np.array(right)


def fit_confidence(sets: list[list[Judged]], weights: np.ndarray, listed: int) -> Confidence:
    """Is one of the first `listed` right? Out-of-scope queries count as wrong. Linear in the signals plus HIDDEN_UNITS
    of tanh."""
    firsts = [first_signals(s, weights, listed) for s in sets]
    x = np.vstack([rows for rows, _ in firsts])
    y = np.concatenate([right for _, right in firsts]).astype(float)
    share = np.concatenate([np.full(len(right), 1 / len(right)) for _, right in firsts]) / len(sets)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    mean[0], spread[0] = 0.0, 1.0  # the constant
    scaled = (x - mean) / spread
    width = scaled.shape[1]

    def parts(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        end = width * (1 + HIDDEN_UNITS)
        return t[:width], t[width:end].reshape(width, HIDDEN_UNITS), t[end:]

    def loss(t: np.ndarray) -> tuple[float, np.ndarray]:
        linear, hidden, output = parts(t)
        units = np.tanh(scaled @ hidden)
        p = 1 / (1 + np.exp(-(scaled @ linear + units @ output)))
        error = share * (p - y)
        back = error[:, None] * output * (1 - units**2)
        gradient = np.concatenate((scaled.T @ error, (scaled.T @ back).ravel(), units.T @ error))
        value = -(share * (y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))).sum()
        return value + CONFIDENCE_RIDGE * t @ t, gradient + 2 * CONFIDENCE_RIDGE * t

    start = np.random.RandomState(0).randn(width * (1 + HIDDEN_UNITS) + HIDDEN_UNITS) * 0.1
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    linear, hidden, output = parts(fitted)
    table = np.column_stack((linear, hidden)) / spread[:, None]
    table[0] -= (table[1:] * mean[1:, None]).sum(axis=0)
    return table, output


def fit_verification(sets: list[list[Judged]], weights: np.ndarray, confidence: Confidence) -> np.ndarray:
    """Logistic regression on the signals of the best candidate that agrees: is it right?"""
    rows, right, shares = [], [], []
    for judged in sets:
        chosen = []
        for one in judged:
            first = order_of(one, weights)[0]
            if one.differs[first] or one.candidates.exact[first]:
                continue
            odds = log_odds(signals(one.candidates, one.candidates.features @ weights)[first], *confidence)
            pair = one.pairs[first].copy()
            pair[1] = odds
            chosen.append((pair, bool(one.right[first])))
        rows += [pair for pair, _ in chosen]
        right += [y for _, y in chosen]
        shares += [1 / len(chosen) / len(sets)] * len(chosen)
    x, y, share = np.array(rows), np.array(right, dtype=float), np.array(shares)
    spread = x.std(axis=0) + 1e-9
    spread[0] = 1.0
    scaled = x / spread

    def loss(t: np.ndarray) -> tuple[float, np.ndarray]:
        p = 1 / (1 + np.exp(-scaled @ t))
        value = -(share * (y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))).sum()
        pull = np.r_[0.0, t[1:]]
        return value + VERIFICATION_RIDGE * pull @ pull, scaled.T @ (share * (p - y)) + 2 * VERIFICATION_RIDGE * pull

    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x / spread


def fit(sets: list[list[Judged]], kind: str) -> Weights:
    rank = fit_rank(sets, kind)
    confidence = fit_confidence(sets, rank, 1)
    listed = fit_confidence(sets, rank, LISTED)
    return Weights(rank, *confidence, *listed, fit_verification(sets, rank, confidence))


def features_of(kind: str) -> tuple[str, ...]:
    return FEATURES + EMBEDDING_FEATURES if kind.endswith("meaning") else FEATURES


def signals_of(kind: str) -> tuple[str, ...]:
    return SIGNALS + EMBEDDING_SIGNALS if kind.endswith("meaning") else SIGNALS


FIGURES = ("top1", "hit3", "ans90", "ans95", "out", "out ok", "likely", "lik ok", "reach", "near", "lists", "said")


def judge(questions: QuestionSet, weights: Weights, calibrate: bool) -> list[float]:
    """Figures of a set, judged as the bot would: shares of the in-scope queries whose right entry is first, among the
    first three, answered at a precision of 90 and of 95 %; at the bars of the bot, the share answered outright and the
    precision of that, the same of likely answers, the share whose right entry is reached; of near misses the share
    answered or guessed, of other out-of-scope queries the share with a list or guess, and with an answer."""
    index = questions.index
    (index.rankers.semantic or index.rankers.lexical).weights = weights
    limits = learn(index, "balanced") if calibrate else FITTED_THRESHOLDS["balanced"]
    texts = [query["q"] for query in questions.queries]
    results = judge_many(texts, index, limits=limits, today=TODAY, embeddings=questions.embeddings)
    rows = []
    for query, (decision, ranking) in zip(questions.queries, results, strict=True):
        wanted = accepted(query)
        ids = [candidate.entry.id for candidate in ranking]
        match decision:
            case Answered() | Likely():
                shown = [decision.entry.id]
            case Offered():
                shown = [candidate.entry.id for candidate in decision.candidates]
            case _:
                shown = []
        rows.append(
            (
                query["id"] is not None,
                "near" in query or query.get("kind", "").startswith("near"),
                bool(wanted & set(ids[:1])),
                bool(wanted & set(ids[:3])),
                type(decision).__name__,
                bool(wanted & set(shown)),
                ranking[0].score if ranking and shown else 0.0,
            )
        )
    asked = [row for row in rows if row[0]]
    near, strangers = [r for r in rows if not r[0] and r[1]], [r for r in rows if not r[0] and not r[1]]

    def share(part: list, whole: list) -> float:
        return len(part) / len(whole) if whole else float("nan")

    def shares_of(name: str) -> tuple[float, float]:
        chosen = [row for row in rows if row[4] == name]
        right = [row for row in chosen if row[5]]
        return share(right, asked), share(right, chosen)

    scores, right = np.array([row[6] for row in rows]), np.array([row[2] for row in rows])
    order = np.argsort(-scores, kind="stable")
    taken = np.cumsum(right[order])
    precision = taken / np.arange(1, len(order) + 1)
    at = [float(taken[precision >= t].max()) / len(asked) if (precision >= t).any() else 0.0 for t in (0.90, 0.95)]
    return [
        share([r for r in asked if r[2]], asked),
        share([r for r in asked if r[3]], asked),
        *at,
        *shares_of("Answered"),
        *shares_of("Likely"),
        share([r for r in asked if r[5]], asked),
        share([r for r in near if r[4] in ("Answered", "Likely")], near),
        share([r for r in strangers if r[4] in ("Offered", "Likely")], strangers),
        share([r for r in strangers if r[4] == "Answered"], strangers),
    ]


def table(title: str, sets: dict[str, QuestionSet], kind: str, calibrate: bool) -> dict[str, list[float]]:
    """Print the figures of each set, judged with weights fitted on the others."""
    print(f"{title:22}" + "".join(f"{name:>7}" for name in FIGURES))
    rows = {}
    for name, questions in sets.items():
        others = [s.judged for n, s in sets.items() if BASE.get(n, n) != BASE.get(name, name) and n not in CONTRAST]
        rows[name] = judge(questions, fit(others, kind), calibrate)
        print(f"{name:22}" + "".join(f"{v:7.3f}" for v in rows[name]), flush=True)
    for title, names in (("mean of the public", HAN + LATIN), ("mean of companies", COMPANIES)):
        chosen = [rows[name] for name in names if name in rows]
        if chosen:
            print(f"{title:22}" + "".join(f"{v:7.3f}" for v in np.nanmean(chosen, axis=0)), flush=True)
    return rows


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    vectors = Vectors(Path(sys.argv[sys.argv.index("--vectors") + 1])) if "--vectors" in sys.argv else None
    kinds = ["han", "latin", *(["han_meaning", "latin_meaning"] if vectors else [])]
    if "--kind" in sys.argv:
        kinds = [sys.argv[sys.argv.index("--kind") + 1]]
    fitted: dict[str, dict] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    for kind in kinds:
        names = HAN + COMPANIES + CONTRAST if kind.startswith("han") else LATIN
        sets = {name: collect(name, vectors if kind.endswith("meaning") else None) for name in names}
        if "--leave-one-out" in sys.argv:
            table(kind, sets, kind, "--calibrate" in sys.argv)
        if "--ablate" in sys.argv:
            ablate(sets, kind)
        weights = fit([s.judged for n, s in sets.items() if n not in CONTRAST], kind)
        fitted[kind] = in_words(weights, kind)
    if "--write" in sys.argv:
        WEIGHTS.write_text(json.dumps(fitted, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def ablate(sets: dict[str, QuestionSet], kind: str) -> None:
    """Print the figures when one feature is left out and everything is fitted again."""
    every = RANK_FEATURES[kind]
    for feature in sorted(every):
        RANK_FEATURES[kind] = every - {feature}
        table(f"without {feature}", sets, kind, False)
    RANK_FEATURES[kind] = every


def in_words(weights: Weights, kind: str) -> dict:
    """Name the weights by their features and signals."""

    def named(names: Sequence[str], rows: np.ndarray) -> dict:
        return {name: np.round(row, 5).tolist() for name, row in zip(names, rows, strict=True)}

    return {
        "rank": named(features_of(kind), weights.rank),
        "confidence": named(signals_of(kind), weights.confidence),
        "output": np.round(weights.output, 5).tolist(),
        "listed": named(signals_of(kind), weights.listed),
        "listed_output": np.round(weights.listed_output, 5).tolist(),
        "verification": named(VERIFICATION_SIGNALS, weights.verification),
    }


if __name__ == "__main__":
    main()
