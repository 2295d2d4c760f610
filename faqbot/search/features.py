"""Texts as sets of weighted features in flat arrays: which texts share what, in one pass over the rare parts.

Features are Han characters, pairs and triples of neighbours, and, for other scripts, word stems, pairs of stems and
runs of letters. A feature weighs more the fewer entries it occurs in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from faqbot.language.builtin_synonyms import STOP_WEIGHT, STOP_WORDS
from faqbot.language.normalize import HAN
from faqbot.search.arrays import Doubles, Floats, Ints, Positions, flatten

_RUN = re.compile(rf"[a-z0-9]+|[{HAN}]+|[^\W\d_{HAN}]+")
# What a feature weighs besides its rarity, by kind.
_HAN_WEIGHTS = (0.45, 1.0, 0.4)  # one, two, three characters
_STEM, _STEM_PAIR, _LETTERS = 1.0, 0.4, 0.35
_LETTER_RUNS = (3, 4)
_ENDINGS = ("ings", "ing", "ed", "es", "s", "ly", "tion", "e")


def features(text: str) -> list[str]:
    """The distinct features of a normalised text, in order of appearance.

    Stems begin with `w:`, pairs of stems with `p:`, runs of letters with `c:`.
    """
    found: list[str] = []
    before = ""
    for run in _RUN.findall(text):
        if "\u3400" <= run[0] <= "\ufaff":
            found += run
            found += [run[i : i + 2] for i in range(len(run) - 1)]
            found += [run[i : i + 3] for i in range(len(run) - 2)]
            before = ""
            continue
        stem = _stem(run)
        found.append(f"w:{stem}")
        if before:
            found.append(f"p:{before} {stem}")
        before = stem
        if run.isalpha():
            padded = f" {run} "
            found += [f"c:{padded[i : i + n]}" for n in _LETTER_RUNS for i in range(len(padded) - n + 1)]
    return list(dict.fromkeys(found))


def kind_weight(feature: str) -> float:
    kind = feature[:2]
    if kind[1:] != ":":
        return _HAN_WEIGHTS[len(feature) - 1]
    if kind == "w:":
        return _STEM * (STOP_WEIGHT if feature[2:] in STOP_WORDS else 1.0)
    if kind == "p:":
        return _STEM_PAIR
    return _LETTERS


def is_single(feature: str) -> bool:
    """Whether the feature is one character or one word stem."""
    return len(feature) == 1 or feature[:2] == "w:"


def readable(feature: str) -> bool:
    """Whether a person would recognise the feature as a part of what was written."""
    return feature[:2] == "w:" or (len(feature) == 2 and feature[0] >= "\u3400")


@lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    """A rough English stem; other words come back as they are."""
    if len(word) <= 4 or not word.isascii():
        return word
    if word.endswith(("ies", "ied")):
        return word[:-3] + "y"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:-1] + "y" if word.endswith("i") else word


@dataclass(frozen=True, slots=True)
class Bag:
    """A question as features: the ids known here, and what is to know of the others."""

    known: Sequence[int]
    total: float  # the weight of all features, known or not
    unseen: float  # the share of it that no wording holds
    rarest_unseen: float
    norm: float
    bare_norm: float


@dataclass(frozen=True, slots=True)
class Bags:
    """The known features of several questions one after another: `ids`, the question each is `of`, and its `place`
    among the known features of that question, counted from 1."""

    each: Sequence[Bag]
    ids: Positions
    of: Positions
    place: Positions

    @classmethod
    def together(cls, each: Sequence[Bag]) -> Bags:
        ids, of, firsts = flatten([bag.known for bag in each])
        return cls(each, ids, of, np.arange(1, len(ids) + 1) - firsts[of])


class FeatureTable:
    """The features of many wordings, grouped by the entry they belong to. Read-only after construction.

    `owner` gives the entry of each wording and must not decrease.
    """

    def __init__(self, texts: Sequence[str], owner: Ints, entry_count: int) -> None:
        self._vocabulary: dict[str, int] = {}
        sizes = np.zeros(len(texts), dtype=np.int64)
        flat: list[int] = []
        number_of = self._vocabulary.setdefault
        for row, text in enumerate(texts):
            found = features(text)
            sizes[row] = len(found)
            flat += [number_of(f, len(self._vocabulary)) for f in found]
        self.rows = len(texts)
        self.entry_count = entry_count
        self.starts = np.searchsorted(owner, np.arange(entry_count)).astype(np.int64)
        self.counts = np.bincount(owner, minlength=entry_count).astype(np.int64)
        ids = np.array(flat, dtype=np.int32)
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), sizes)
        size = len(self._vocabulary)
        self.row_ids, self.row_starts = ids, np.concatenate(([0], np.cumsum(sizes)))
        order = np.argsort(ids, kind="stable")
        self._postings = rows[order]
        self._posting_starts = np.concatenate(([0], np.cumsum(np.bincount(ids, minlength=size))))
        # Each (entry, feature) once, with the share of the entry's wordings that hold it.
        pairs, counts = np.unique(owner[rows].astype(np.int64) * max(1, size) + ids, return_counts=True)
        pair_entry, pair_feature = pairs // max(1, size), pairs % max(1, size)
        self.entry_ids = pair_feature.astype(np.int32)
        self.entry_shares = np.sqrt(counts / self.counts[pair_entry]).astype(np.float32)
        self.entry_starts = np.searchsorted(pair_entry, np.arange(entry_count + 1))
        spread = np.bincount(pair_feature, minlength=size)
        self._rarest = float(self._rarity(np.zeros(1))[0])
        kinds = np.fromiter(map(kind_weight, self._vocabulary), dtype=np.float32, count=size)
        self.weights: Floats = (kinds * self._rarity(spread)).astype(np.float32)
        # Single characters and stems with their bare rarity: what is spoken of, whatever the order.
        single = np.fromiter(map(is_single, self._vocabulary), dtype=np.bool_, count=size)
        self.bare: Floats = np.where(single, self._rarity(spread) ** 2, 0.0).astype(np.float32)
        self.bare_norms: Floats = np.sqrt(np.maximum(np.bincount(rows, self.bare[ids], self.rows), 1e-9))
        squares = (self.weights**2)[ids]
        self.norms: Floats = np.sqrt(np.maximum(np.bincount(rows, squares, self.rows), 1e-9)).astype(np.float32)
        self.row_totals: Floats = np.maximum(np.bincount(rows, self.weights[ids], self.rows), 1e-9).astype(np.float32)
        self._centre_norms = self._measure_centres(ids, rows, owner, size)

    def bags(self, texts: Sequence[Sequence[str]]) -> list[Bag]:
        """The bag of each text, given as its features."""
        number_of = self._vocabulary.get
        known: list[list[int]] = []
        unknown: list[list[str]] = []
        for found in texts:
            ids = [number for f in found if (number := number_of(f)) is not None]
            known.append(ids)
            unknown.append([f for f in found if f not in self._vocabulary] if len(ids) < len(found) else [])
        flat, of, _ = flatten(known)
        weights = self.weights[flat].astype(np.float64)
        totals = np.bincount(of, weights, len(texts)).tolist()
        squares = np.bincount(of, weights**2, len(texts)).tolist()
        bares = np.bincount(of, self.bare[flat], len(texts)).tolist()
        return [self._bag(*facts) for facts in zip(known, unknown, totals, squares, bares, strict=True)]

    def _bag(self, known: Sequence[int], unknown: Sequence[str], weight: float, squares: float, bare: float) -> Bag:
        unseen, rarest = 0.0, 0.0
        if unknown:
            weights = [kind_weight(f) * self._rarest for f in unknown]
            unseen, rarest = sum(weights), max(weights)
            squares += sum([w * w for w in weights])
            bare += self._rarest**2 * sum([is_single(f) for f in unknown])
        total = (weight + unseen) or 1.0
        return Bag(known, total, unseen / total, rarest, squares**0.5 or 1.0, bare**0.5 or 1.0)

    def knows(self, feature: str) -> bool:
        return feature in self._vocabulary

    def weight(self, feature: str) -> float:
        """What a feature weighs; one that no wording has, as much as the rarest."""
        number = self._vocabulary.get(feature)
        return float(self.weights[number]) if number is not None else kind_weight(feature) * self._rarest

    def cosines(self, bags: Bags) -> tuple[Doubles, Doubles]:
        """How alike each wording is, 0 to 1; and how alike its single words are, whatever their order.

        A row for each question, a column for each wording.
        """
        shape = (len(bags.each), self.rows)
        if not len(bags.ids):
            return np.zeros(shape), np.zeros(shape)
        starts, ends = self._posting_starts[bags.ids], self._posting_starts[bags.ids + 1]
        times, postings = ends - starts, self._postings
        cells = np.concatenate([postings[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)])
        if len(bags.each) > 1:
            cells = cells + (bags.of * self.rows).repeat(times)
        size = shape[0] * shape[1]
        dots = np.bincount(cells, (self.weights[bags.ids] ** 2).repeat(times), size).reshape(shape)
        bare = np.bincount(cells, self.bare[bags.ids].repeat(times), size).reshape(shape)
        norms = np.array([[bag.norm] for bag in bags.each], dtype=np.float32)
        bare_norms = np.array([[bag.bare_norm] for bag in bags.each])
        return dots / (self.norms * norms), bare / (self.bare_norms * bare_norms)

    def best(self, likeness: Doubles) -> Doubles:
        """For each entry that of its best wording; columns as wordings in, as entries out."""
        if self.rows == self.entry_count:
            return likeness
        best: Doubles = np.maximum.reduceat(likeness, self.starts, axis=1)
        return best

    def centre(self, cosines: Doubles) -> Doubles:
        """For each entry the cosine of the mean of its wordings; columns as wordings in, as entries out."""
        if self.rows == self.entry_count:
            return cosines / self._centre_norms
        return np.add.reduceat(cosines, self.starts, axis=1) / self._centre_norms

    def wordings_of(self, entry: int) -> range:
        start = int(self.starts[entry])
        return range(start, start + int(self.counts[entry]))

    def _rarity(self, spread: npt.NDArray[np.generic]) -> Floats:
        return (np.log((self.entry_count + 1) / (spread.astype(np.float32) + 0.5)) + 0.5).astype(np.float32)

    def _measure_centres(self, ids: Ints, rows: Ints, owner: Ints, size: int) -> Doubles:
        """The length of each entry's sum of unit vectors."""
        keys = owner[rows].astype(np.int64) * max(1, size) + ids
        pairs, inverse = np.unique(keys, return_inverse=True)
        sums = np.bincount(inverse, self.weights[ids] / self.norms[rows])
        lengths = np.bincount(pairs // max(1, size), sums**2, self.entry_count)
        return np.sqrt(np.maximum(lengths, 1e-9))
