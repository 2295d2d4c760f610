"""Distil a sentence encoder into the table of word vectors (faqbot/search/data/word_vectors.npz).

usage: python tests/bench/distill.py VECTORS.npz [...] [--leave-out SET,SET] [--dims 64] [--out FILE]

Each VECTORS.npz has `t`, texts, and `v`, their vectors by the encoder. A ridge regression finds for each character and
run of two and three characters the vector whose sum over a text comes close to the encoder's. Needs numpy and scipy.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from scipy import sparse

from faqbot.language.normalize import normalise
from faqbot.search.terms import terms_of

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "faqbot" / "search" / "data" / "word_vectors.npz"
DATA = ROOT.parent / "shared" / "bench" / "data"
RIDGE, STEPS = 0.3, 60
# Texts in which a term must occur, by its length in characters.
# Shorter texts are single words, which say nothing of how often a term stands in a sentence.
SENTENCE_CHARS = 6
MIN_TEXTS = {1: 1, 2: 2, 3: 4}


def texts_of(names: list[str]) -> set[str]:
    """All texts of question sets, for leaving them out of the training."""
    found: set[str] = set()
    for name in names:
        folder = DATA / name if (DATA / name).is_dir() else Path(name)
        for path in folder.rglob("*.jsonl") if folder.is_dir() else [folder]:
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                found |= {row.get("q", ""), row.get("question", ""), *row.get("phrasings", ())}
                found.add(f"{row.get('question')} {row.get('answer')}")
    return found


def han_terms(text: str) -> list[str]:
    return [term for term in terms_of(normalise(text)) if "\u3400" <= term[0] <= "\ufaff" or term[:2] == "w:"]


def main() -> None:
    options = {"--leave-out": "", "--dims": "64", "--out": str(TABLE)}
    paths = []
    arguments = iter(sys.argv[1:])
    for argument in arguments:
        if argument in options:
            options[argument] = next(arguments)
        else:
            paths.append(argument)
    left_out = texts_of([name for name in options["--leave-out"].split(",") if name])
    vectors: dict[str, np.ndarray] = {}
    for path in paths:
        table = np.load(path, allow_pickle=True)
        vectors |= dict(zip(table["t"].tolist(), table["v"], strict=True))
    texts = [t for t in vectors if t not in left_out and any("\u4e00" <= c <= "\u9fff" for c in t)]
    targets = np.stack([vectors[t] for t in texts])
    targets -= targets.mean(axis=0)
    sample = targets[np.random.RandomState(0).permutation(len(targets))[:5000]]
    axes = np.linalg.svd(sample, full_matrices=False)[2][: int(options["--dims"])].T
    targets = targets @ axes
    term_lists = [han_terms(text) for text in texts]
    counts = Counter(term for terms in term_lists for term in terms)
    known = [t for t, n in counts.items() if n >= MIN_TEXTS[1 if t[:2] == "w:" else len(t)]]
    numbers = {term: n for n, term in enumerate(known)}
    rows, columns, values = [], [], []
    for n, terms in enumerate(term_lists):
        ids = [numbers[term] for term in terms if term in numbers]
        rows += [n] * len(ids)
        columns += ids
        values += [len(terms) ** -0.5] * len(ids)
    design = sparse.csr_matrix((values, (rows, columns)), shape=(len(texts), len(known)), dtype=np.float32)
    weights = conjugate_gradient(design, targets)
    share = 1 - ((targets - design @ weights) ** 2).sum() / (targets**2).sum()
    print(f"{len(texts)} texts, {len(known)} terms, {share:.3f} of the variance explained")
    scales = np.maximum(np.abs(weights).max(axis=1, keepdims=True) / 127, 1e-9).astype(np.float32)
    quantised = np.round(weights / scales).astype(np.int8)
    sentences = [set(terms) for text, terms in zip(texts, term_lists, strict=True) if len(text) >= SENTENCE_CHARS]
    occurrences = Counter(term for terms in sentences for term in terms)
    shares = np.array([occurrences[term] / len(sentences) for term in known], dtype=np.float32)
    np.savez_compressed(
        options["--out"], terms=np.array("\n".join(known)), vectors=quantised, scales=scales, shares=shares
    )
    print(f"{Path(options['--out']).stat().st_size / 2**20:.1f} MB")


def conjugate_gradient(design: sparse.csr_matrix, targets: np.ndarray) -> np.ndarray:
    """Solve the ridge regression for all columns of `targets` at once."""
    weights = np.zeros((design.shape[1], targets.shape[1]), dtype=np.float32)
    residual = design.T @ targets
    direction, square = residual.copy(), (residual**2).sum(axis=0)
    for _ in range(STEPS):
        product = design.T @ (design @ direction) + RIDGE * direction
        step = square / np.maximum((direction * product).sum(axis=0), 1e-12)
        weights += step * direction
        residual -= step * product
        following = (residual**2).sum(axis=0)
        direction = residual + following / np.maximum(square, 1e-12) * direction
        square = following
    return weights


if __name__ == "__main__":
    main()
