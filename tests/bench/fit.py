"""Fit the weights of ranking and scoring on public question sets and write them to faqbot/search/data/weights.json.

usage: python tests/bench/fit.py [--write] [--ablate] [--embeddings URL]

Reads the sets beside the repository (see README.md here). First every set is judged with weights fitted on the others
only, which is the honest figure; then the weights of all sets together are written. Needs numpy and scipy.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from faqbot.model.entries import Entry
from faqbot.search.candidates import CandidateRows, RetrievalRequest
from faqbot.search.index import Index
from faqbot.search.scoring import log_odds, signals
from faqbot.search.weights import EMBEDDING_FEATURES, EMBEDDING_SIGNALS, FEATURES, SIGNALS, fitted_weights

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "faqbot" / "search" / "data" / "weights.json"
DATA = ROOT.parent / "shared" / "bench" / "data"
HAN = ["zh_hr", "zh_bank", "zh_telecom", "zh_epidemic", "zh_insurance", "zh_lcqmc", "zhtw_esun", "zhtw_labour"]
LATIN = ["en_banking77", "en_clinc150", "en_covidq", "en_hwu64", "en_stackfaq"]
# Features that help one script only add noise to the other; weights are of three kinds, as in `fitted_weights`.
LATIN_FEATURES = set(FEATURES) - {"bare", "best", "raw_edit", "sound"}
RANK_FEATURES = {
    "han": set(FEATURES) - {"best"},
    "latin": LATIN_FEATURES,
    "meaning": LATIN_FEATURES | set(EMBEDDING_FEATURES),
}
FEATURES_OF = {"han": FEATURES, "latin": FEATURES, "meaning": FEATURES + EMBEDDING_FEATURES}
SIGNALS_OF = {"han": SIGNALS, "latin": SIGNALS, "meaning": SIGNALS + EMBEDDING_SIGNALS}
MAX_QUERIES = 600  # per set, drawn with a fixed seed
RANK_RIDGE, CONFIDENCE_RIDGE = 1e-3, 5e-4
HIDDEN_UNITS = 3
# The table of linear and hidden weights, and the weights of the hidden units (see scoring.log_odds).
Confidence = tuple[np.ndarray, np.ndarray]


@dataclass
class Judged:
    """One query of a set: its candidates, which of them are right, and whether an answer exists at all."""

    candidates: CandidateRows
    right: np.ndarray
    in_scope: bool


def load(name: str) -> tuple[list[dict], list[dict]]:
    def read(part: str) -> list[dict]:
        return [json.loads(line) for line in (DATA / name / part).read_text(encoding="utf-8").splitlines()]

    return read("kb.jsonl"), read("queries.jsonl")


def build(kb: list[dict]) -> Index:
    entries = [Entry(e["id"], e["question"], "x", tuple(e.get("phrasings", ()))) for e in kb]
    return Index(entries)


def embed(texts: list[str], url: str) -> np.ndarray:
    """Vectors of length 1 from an OpenAI-compatible endpoint."""
    rows = []
    for start in range(0, len(texts), 64):
        body = json.dumps({"model": "any", "input": texts[start : start + 64]}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as answer:
            rows += [row["embedding"] for row in json.load(answer)["data"]]
    found = np.array(rows, dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def collect(name: str, url: str = "") -> list[Judged]:
    kb, queries = load(name)
    if len(queries) > MAX_QUERIES:
        queries = [queries[i] for i in np.random.RandomState(0).permutation(len(queries))[:MAX_QUERIES]]
    index = build(kb)
    embeddings: list[np.ndarray | None] = [None] * len(queries)
    if url:
        index = index.with_embeddings(embed(list(index.wordings), url))
        embeddings = list(embed([query["q"] for query in queries], url))
    ranker = index.rankers.semantic or index.rankers.lexical
    judged = []
    for query, embedding in zip(queries, embeddings, strict=True):
        (analyzed,) = index.analyzer.analyze([query["q"]])
        if not analyzed.text:
            continue
        candidates = ranker.candidates([RetrievalRequest(analyzed, embedding=embedding)])
        if candidates is None:
            continue
        accepted = {query["id"], *query.get("alt", ())} - {None}
        right = np.array([index.entries[e].id in accepted for e in candidates.entries])
        judged.append(Judged(candidates, right, query["id"] is not None))
    return judged


def fit_rank(sets: list[list[Judged]], kind: str) -> np.ndarray:
    """Conditional logit: the right entry should win against its own candidates. Sets count the same."""
    used = np.array([name in RANK_FEATURES[kind] for name in FEATURES_OF[kind]])
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


def first_signals(judged: list[Judged], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The signals of the first of each list, and whether it was right."""
    rows, right = [], []
    for one in judged:
        rank_scores = one.candidates.features @ weights
        first = int(np.lexsort((-rank_scores, ~one.candidates.exact))[0])
        rows.append(signals(one.candidates, rank_scores)[first])
        right.append(bool(one.right[first]))
    return np.array(rows), np.array(right)


def fit_confidence(sets: list[list[Judged]], weights: np.ndarray) -> Confidence:
    """Is the first one right? Out-of-scope queries count as wrong. Linear in the signals plus HIDDEN_UNITS of tanh."""
    firsts = [first_signals(s, weights) for s in sets]
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


def judge(judged: list[Judged], weights: np.ndarray, confidence: Confidence) -> list[float]:
    """Shares of the in-scope queries: right first, right among three, answered at a precision of 90 % and of 95 %."""
    rows, right = first_signals(judged, weights)
    score = log_odds(rows, *confidence)
    score[[bool(one.candidates.exact.any()) for one in judged]] += 50
    in_scope = np.array([one.in_scope for one in judged])
    hit3 = []
    for one in judged:
        order = np.lexsort((-(one.candidates.features @ weights), ~one.candidates.exact))
        hit3.append(bool(one.right[order[:3]].any()))
    order = np.argsort(-score, kind="stable")
    taken = np.cumsum(right[order])
    precision = taken / np.arange(1, len(order) + 1)
    shares = []
    for target in (0.90, 0.95):
        good = precision >= target
        shares.append(float(taken[good].max() / in_scope.sum()) if good.any() else 0.0)
    return [right.sum() / in_scope.sum(), np.array(hit3)[in_scope].mean(), *shares]


def ablate(names: list[str], kind: str, sets: dict[str, list[Judged]]) -> None:
    """Print the loss on the mean of the sets when one feature is left out and everything is fitted again."""

    def means(left_out: set[str]) -> np.ndarray:
        every = RANK_FEATURES[kind]
        RANK_FEATURES[kind] = every - left_out
        rows = []
        for name in names:
            others = [sets[n] for n in names if n != name]
            weights = fit_rank(others, kind)
            rows.append(judge(sets[name], weights, fit_confidence(others, weights)))
        RANK_FEATURES[kind] = every
        return np.mean(rows, axis=0)

    whole = means(set())
    print(f"{kind + ', without':32}{'top1':>7}{'hit3':>7}{'ans90':>7}{'ans95':>7}")
    for feature in FEATURES_OF[kind]:
        if feature in RANK_FEATURES[kind]:
            print(f"{feature:32}" + "".join(f"{v:+7.3f}" for v in means({feature}) - whole), flush=True)


def table(names: list[str], kind: str, sets: dict[str, list[Judged]]) -> None:
    print(f"{'each set judged by the others':32}{'top1':>7}{'hit3':>7}{'ans90':>7}{'ans95':>7}")
    rows = []
    for name in names:
        others = [sets[n] for n in names if n != name]
        weights = fit_rank(others, kind)
        rows.append(judge(sets[name], weights, fit_confidence(others, weights)))
        print(f"{name:32}" + "".join(f"{v:7.3f}" for v in rows[-1]))
    print(f"{'mean':32}" + "".join(f"{v:7.3f}" for v in np.mean(rows, axis=0)), flush=True)


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    with ProcessPoolExecutor(2) as pool:
        sets = dict(zip(HAN + LATIN, pool.map(collect, HAN + LATIN), strict=True))
    fitted: dict[str, tuple[np.ndarray, Confidence]] = {}
    for kind, names in (("han", HAN), ("latin", LATIN)):
        table(names, kind, sets)
        if "--ablate" in sys.argv:
            ablate(names, kind, sets)
        weights = fit_rank([sets[n] for n in names], kind)
        fitted[kind] = (weights, fit_confidence([sets[n] for n in names], weights))
    if "--embeddings" in sys.argv:
        url = sys.argv[sys.argv.index("--embeddings") + 1]
        sets = {name: collect(name, url) for name in LATIN}
        table(LATIN, "meaning", sets)
        weights = fit_rank(list(sets.values()), "meaning")
        fitted["meaning"] = (weights, fit_confidence(list(sets.values()), weights))
    else:
        before = fitted_weights("meaning")
        fitted["meaning"] = (before.rank, (before.confidence, before.output))
    if "--write" in sys.argv:
        write(fitted)


def write(fitted: dict[str, tuple[np.ndarray, Confidence]]) -> None:
    """Write the weights, one feature or signal a line."""

    def lines(rows: list[str]) -> str:
        return ",\n".join(f"      {row}" for row in rows)

    kinds = []
    for kind, (weights, (table, output)) in fitted.items():
        rank = lines([f'"{name}": {v:.4f}' for name, v in zip(FEATURES_OF[kind], weights, strict=True)])
        named = zip(SIGNALS_OF[kind], table, strict=True)
        confidence = lines([f'"{name}": [{", ".join(f"{v:.5f}" for v in row)}]' for name, row in named])
        outputs = ", ".join(f"{v:.5f}" for v in output)
        kinds.append(
            f'  "{kind}": {{\n    "rank": {{\n{rank}\n    }},\n    "confidence": {{\n{confidence}\n    }},\n'
            f'    "output": [{outputs}]\n  }}'
        )
    WEIGHTS.write_text("{\n" + ",\n".join(kinds) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
