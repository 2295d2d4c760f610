"""Fit the weights of the matcher on public question sets and write them to faqbot/search/weights.py.

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
from faqbot.search import weights as kept
from faqbot.search.index import EVIDENCE, MEANING_EVIDENCE, MEANING_VIEWS, CandidateRows, Index, Question, log_odds
from faqbot.search.weights import VIEWS

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "bench" / "data"
HAN = ["zh_hr", "zh_bank", "zh_telecom", "zh_epidemic", "zh_insurance", "zh_lcqmc", "zhtw_esun", "zhtw_labour"]
LATIN = ["en_banking77", "en_clinc150", "en_covidq", "en_hwu64", "en_stackfaq"]
# Views and evidence that help one script only add noise to the other.
LATIN_VIEWS = set(VIEWS) - {"bare", "best", "raw_edit", "sound"}
RANK_VIEWS = {"han": set(VIEWS) - {"best"}, "latin": LATIN_VIEWS, "meaning": LATIN_VIEWS | set(MEANING_VIEWS)}
VIEWS_OF = {"han": VIEWS, "latin": VIEWS, "meaning": VIEWS + MEANING_VIEWS}
EVIDENCE_OF = {"han": EVIDENCE, "latin": EVIDENCE, "meaning": EVIDENCE + MEANING_EVIDENCE}
LIMIT = 600
RIDGE = 1e-3
HIDDEN, SMOOTH = 3, 5e-4
Sure = tuple[np.ndarray, np.ndarray]


@dataclass
class Asked:
    """One question of a set: its short list, which of it is right, and whether an answer exists at all."""

    question: Question
    listed: CandidateRows
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


def collect(name: str, url: str = "") -> list[Asked]:
    kb, queries = load(name)
    if len(queries) > LIMIT:
        queries = [queries[i] for i in np.random.RandomState(0).permutation(len(queries))[:LIMIT]]
    index = build(kb)
    meanings: list[np.ndarray | None] = [None] * len(queries)
    if url:
        index = index.with_meanings(embed(list(index.wordings), url))
        meanings = list(embed([query["q"] for query in queries], url))
    found = []
    for query, meaning in zip(queries, meanings, strict=True):
        question = index.read(query["q"])
        listed = index.shortlist(question, meaning=meaning) if question.text else None
        if listed is None:
            continue
        wanted = {query["id"], *query.get("alt", ())} - {None}
        right = np.array([index.entries[e].id in wanted for e in listed.entries])
        found.append(Asked(question, listed, right, query["id"] is not None))
    return found


def fit_rank(sets: list[list[Asked]], script: str) -> np.ndarray:
    """Conditional logit: the right entry should win against its own short list. Sets count the same."""
    used = np.array([view in RANK_VIEWS[script] for view in VIEWS_OF[script]])
    rows = [(a.listed.views[:, used], a.right, 1 / len(s)) for s in sets for a in s if a.right.any()]
    width = max(len(right) for _, right, _ in rows)
    views = np.zeros((len(rows), width, used.sum()))
    absent = np.full((len(rows), width), -1e9)
    right = np.zeros((len(rows), width))
    for n, (x, y, _) in enumerate(rows):
        views[n, : len(y)], absent[n, : len(y)], right[n, : len(y)] = x, 0.0, y
    share = np.array([w for _, _, w in rows])
    share /= share.sum()

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = views @ weights + absent
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        hit = (p * right).sum(axis=1) + 1e-12
        pull = p * right / hit[:, None] - p
        gradient = -((share[:, None] * pull)[:, :, None] * views).sum(axis=(0, 1))
        return -(share * np.log(hit)).sum() + RIDGE * weights @ weights, gradient + 2 * RIDGE * weights

    weights = np.zeros(len(used))
    weights[used] = minimize(loss, np.zeros(used.sum()), jac=True, method="L-BFGS-B").x
    return weights


def evidence(asked: list[Asked], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The evidence for the first of each list, and whether it was right."""
    rows, right = [], []
    for a in asked:
        ranks = a.listed.views @ weights
        first = int(np.lexsort((-ranks, ~a.listed.exact))[0])
        rows.append(Index.evidence(a.question, a.listed, ranks)[first])
        right.append(bool(a.right[first]))
    return np.array(rows), np.array(right)


def fit_sure(sets: list[list[Asked]], weights: np.ndarray) -> Sure:
    """Is the first one right? Strangers count as wrong. Linear in the evidence plus HIDDEN bent combinations of it."""
    found = [evidence(s, weights) for s in sets]
    x = np.vstack([rows for rows, _ in found])
    y = np.concatenate([right for _, right in found]).astype(float)
    share = np.concatenate([np.full(len(right), 1 / len(right)) for _, right in found]) / len(sets)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    mean[0], spread[0] = 0.0, 1.0  # the constant
    scaled = (x - mean) / spread
    width = scaled.shape[1]

    def parts(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return t[:width], t[width : width * (1 + HIDDEN)].reshape(width, HIDDEN), t[width * (1 + HIDDEN) :]

    def loss(t: np.ndarray) -> tuple[float, np.ndarray]:
        direct, bent, out = parts(t)
        hidden = np.tanh(scaled @ bent)
        p = 1 / (1 + np.exp(-(scaled @ direct + hidden @ out)))
        error = share * (p - y)
        back = error[:, None] * out * (1 - hidden**2)
        gradient = np.concatenate((scaled.T @ error, (scaled.T @ back).ravel(), hidden.T @ error))
        value = -(share * (y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))).sum()
        return value + SMOOTH * t @ t, gradient + 2 * SMOOTH * t

    start = np.random.RandomState(0).randn(width * (1 + HIDDEN) + HIDDEN) * 0.1
    found_at = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    direct, bent, out = parts(found_at)
    table = np.column_stack((direct, bent)) / spread[:, None]
    table[0] -= (table[1:] * mean[1:, None]).sum(axis=0)
    return table, out


def judge(asked: list[Asked], weights: np.ndarray, sure: Sure) -> list[float]:
    rows, right = evidence(asked, weights)
    score = log_odds(rows, *sure)
    score[[bool(a.listed.exact.any()) for a in asked]] += 50
    in_scope = np.array([a.in_scope for a in asked])
    hit3 = []
    for a in asked:
        order = np.lexsort((-(a.listed.views @ weights), ~a.listed.exact))
        hit3.append(bool(a.right[order[:3]].any()))
    order = np.argsort(-score, kind="stable")
    taken = np.cumsum(right[order])
    precision = taken / np.arange(1, len(order) + 1)
    shares = []
    for bar in (0.90, 0.95):
        good = precision >= bar
        shares.append(float(taken[good].max() / in_scope.sum()) if good.any() else 0.0)
    return [right.sum() / in_scope.sum(), np.array(hit3)[in_scope].mean(), *shares]


def ablate(names: list[str], script: str, sets: dict[str, list[Asked]]) -> None:
    """What is lost on the mean of the sets when one view is left out and everything is fitted again."""

    def means(left_out: set[str]) -> np.ndarray:
        every = RANK_VIEWS[script]
        RANK_VIEWS[script] = every - left_out
        rows = []
        for name in names:
            others = [sets[n] for n in names if n != name]
            weights = fit_rank(others, script)
            rows.append(judge(sets[name], weights, fit_sure(others, weights)))
        RANK_VIEWS[script] = every
        return np.mean(rows, axis=0)

    whole = means(set())
    print(f"{script + ', without':32}{'top1':>7}{'hit3':>7}{'ans90':>7}{'ans95':>7}")
    for view in VIEWS_OF[script]:
        if view in RANK_VIEWS[script]:
            print(f"{view:32}" + "".join(f"{v:+7.3f}" for v in means({view}) - whole), flush=True)


def table(names: list[str], script: str, sets: dict[str, list[Asked]]) -> None:
    print(f"{'each set judged by the others':32}{'top1':>7}{'hit3':>7}{'ans90':>7}{'ans95':>7}")
    rows = []
    for name in names:
        others = [sets[n] for n in names if n != name]
        weights = fit_rank(others, script)
        rows.append(judge(sets[name], weights, fit_sure(others, weights)))
        print(f"{name:32}" + "".join(f"{v:7.3f}" for v in rows[-1]))
    print(f"{'mean':32}" + "".join(f"{v:7.3f}" for v in np.mean(rows, axis=0)), flush=True)


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    with ProcessPoolExecutor(2) as pool:
        sets = dict(zip(HAN + LATIN, pool.map(collect, HAN + LATIN), strict=True))
    fitted: dict[str, tuple[np.ndarray, Sure]] = {}
    for script, names in (("han", HAN), ("latin", LATIN)):
        table(names, script, sets)
        if "--ablate" in sys.argv:
            ablate(names, script, sets)
        weights = fit_rank([sets[n] for n in names], script)
        fitted[script] = (weights, fit_sure([sets[n] for n in names], weights))
    if "--embeddings" in sys.argv:
        url = sys.argv[sys.argv.index("--embeddings") + 1]
        sets = {name: collect(name, url) for name in LATIN}
        table(LATIN, "meaning", sets)
        weights = fit_rank(list(sets.values()), "meaning")
        fitted["meaning"] = (weights, fit_sure(list(sets.values()), weights))
    elif "meaning" in kept.RANK:
        sure = (np.array(list(kept.SURE["meaning"].values())), np.array(kept.SURE_OUT["meaning"]))
        fitted["meaning"] = (np.array(list(kept.RANK["meaning"].values())), sure)
    if "--write" in sys.argv:
        write(fitted)


def write(fitted: dict[str, tuple[np.ndarray, Sure]]) -> None:
    lines = [
        '"""Weights of the matcher, fitted offline by tests/bench/fit.py on public question sets; do not edit by hand.',
        "",
        "RANK orders the short list. SURE turns the evidence for an entry into log-odds that it is right: the first",
        "number of a row counts directly, the others through tanh and then by SURE_OUT.",
        "`han` is for knowledge mostly in Chinese, `latin` for any other, `meaning` for knowledge with vectors.",
        '"""',
        "",
        "# fmt: off",
        f"VIEWS = {VIEWS!r}",
        "RANK = {",
    ]
    for script, (weights, _) in fitted.items():
        shown = ", ".join(f'"{k}": {v:.4f}' for k, v in zip(VIEWS_OF[script], weights, strict=True))
        lines.append(f'    "{script}": {{{shown}}},')
    lines += ["}", "SURE = {"]
    for script, (_, (table, _)) in fitted.items():
        lines.append(f'    "{script}": {{')
        for name, row in zip(EVIDENCE_OF[script], table, strict=True):
            lines.append(f'        "{name}": ({", ".join(f"{v:.5f}" for v in row)}),')
        lines.append("    },")
    lines += ["}", "SURE_OUT = {"]
    for script, (_, (_, out)) in fitted.items():
        lines.append(f'    "{script}": ({", ".join(f"{v:.5f}" for v in out)}),')
    lines.append("}")
    (ROOT / "faqbot" / "search" / "weights.py").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
