"""The immutable Index: which entries may answer a text, best first, each with a score between 0 and 1.

A first pass over all wordings by rare characters and words (tf-idf cosine over flat arrays) gives a short list; only on
that list edit similarity is computed. The score mixes both with the share of the question that the wording covers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from faqbot.model import Candidate, Entry
from faqbot.text import Synonyms, normalise, strip_fillers, tokens

_SHORT_LIST = 40
# Single Han characters say less than pairs or words.
_SINGLE_HAN_WEIGHT = 0.4
# Shares of the views in the score; they add up to 1.
_COSINE, _EDIT, _COVERED = 0.4, 0.3, 0.3
# A wording HR excluded counts when it is at least this like the question, and pulls the entry down by this factor.
_NOT_LIKE, _NOT_FACTOR = 0.85, 0.5

_Floats = npt.NDArray[np.float32]
_Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Query:
    text: str
    counts: dict[str, float]  # weight of each distinct token
    total: float


class Index:
    """Built once from the entries that may be answered; safe to read from any thread."""

    def __init__(self, entries: Iterable[Entry], synonyms: Synonyms | None = None) -> None:
        self._synonyms = synonyms or Synonyms()
        self.entries = tuple(entries)
        shown: list[str] = []
        owner: list[int] = []
        for number, entry in enumerate(self.entries):
            for wording in entry.wordings:
                shown.append(wording)
                owner.append(number)
        self._shown = shown
        self._owner = np.array(owner, dtype=np.int32)
        self._folded = [self.fold(w) for w in shown]
        self._exact: dict[str, list[int]] = {}
        for number, text in enumerate(self._folded):
            self._exact.setdefault(text, []).append(number)
        self._not = [tuple(self.fold(w) for w in e.not_) for e in self.entries]
        self.topics = {normalise(e.topic): e.topic for e in self.entries if e.topic}
        self._index_tokens()

    def fold(self, text: str) -> str:
        """The form in which texts are compared: normalised, without padding, synonyms unified."""
        return self._synonyms.apply(strip_fillers(normalise(text)))

    def search(
        self, text: str, *, allowed: Callable[[Entry], bool] | None = None, limit: int = 5
    ) -> tuple[Candidate, ...]:
        """Rank the entries for which `allowed` is true; at most `limit`, best first."""
        query = self._query(self.fold(text))
        if not query.text or not self._folded:
            return ()
        cosine, covered = self._scan(query)
        best: dict[int, Candidate] = {}
        for wording in self._short_list(query, cosine, allowed):
            candidate = self._judge(query, wording, float(cosine[wording]), float(covered[wording]))
            number = int(self._owner[wording])
            if number not in best or candidate.score > best[number].score:
                best[number] = candidate
        ranked = sorted(best.values(), key=lambda c: -c.score)
        return tuple(ranked[:limit])

    def _index_tokens(self) -> None:
        rows: dict[str, list[int]] = {}
        for number, text in enumerate(self._folded):
            for token in dict.fromkeys(tokens(text)):
                rows.setdefault(token, []).append(number)
        size = max(1, len(self.entries))
        self._weight: dict[str, float] = {}
        self._rows: dict[str, _Ints] = {}
        lengths = np.zeros(len(self._folded), dtype=np.float32)
        for token, numbers in rows.items():
            postings = np.array(numbers, dtype=np.int32)
            # Rarity among entries, not wordings: an entry with many wordings must not make its words common.
            spread = len(np.unique(self._owner[postings]))
            weight = _rarity(token, size, spread)
            self._weight[token] = weight
            self._rows[token] = postings
            lengths[postings] += weight**2
        self._lengths = np.sqrt(np.maximum(lengths, 1e-9))
        self._entry_count = size

    def _query(self, folded: str) -> _Query:
        counts = {
            token: self._weight.get(token) or _rarity(token, self._entry_count, 0)
            for token in dict.fromkeys(tokens(folded))
        }
        return _Query(folded, counts, sum(counts.values()))

    def _scan(self, query: _Query) -> tuple[_Floats, _Floats]:
        """Cosine with every wording, and the share of the question's weight each wording holds."""
        dot = np.zeros(len(self._folded), dtype=np.float32)
        covered = np.zeros(len(self._folded), dtype=np.float32)
        for token, weight in query.counts.items():
            rows = self._rows.get(token)
            if rows is not None:
                dot[rows] += weight**2
                covered[rows] += weight
        norm = sum(w**2 for w in query.counts.values()) ** 0.5 or 1.0
        return dot / (self._lengths * norm), covered / (query.total or 1.0)

    def _short_list(self, query: _Query, cosine: _Floats, allowed: Callable[[Entry], bool] | None) -> Sequence[int]:
        order = np.argsort(-cosine, kind="stable")
        found: list[int] = list(self._exact.get(query.text, ()))
        for wording in order:
            if cosine[wording] <= 0 or len(found) >= _SHORT_LIST:
                break
            if allowed is None or allowed(self.entries[int(self._owner[wording])]):
                found.append(int(wording))
        if allowed is not None:
            found = [w for w in found if allowed(self.entries[int(self._owner[w])])]
        return list(dict.fromkeys(found))

    def _judge(self, query: _Query, wording: int, cosine: float, covered: float) -> Candidate:
        entry = self.entries[int(self._owner[wording])]
        folded = self._folded[wording]
        edit = fuzz.ratio(query.text, folded) / 100
        parts = {"words": cosine, "edit": edit, "covered": covered}
        score = 1.0 if folded == query.text else _COSINE * cosine + _EDIT * edit + _COVERED * covered
        unlike = max(
            (fuzz.ratio(query.text, other) / 100 for other in self._not[int(self._owner[wording])]),
            default=0.0,
        )
        if unlike >= _NOT_LIKE and unlike > edit:
            parts["not"] = unlike
            score *= _NOT_FACTOR
        held = set(tokens(folded))
        uncovered = tuple(t for t in query.counts if t not in held and len(t) > 1)
        return Candidate(entry, round(min(score, 1.0), 4), self._shown[wording], parts, uncovered)


def _rarity(token: str, size: int, spread: int) -> float:
    weight = float(np.log((size + 1) / (spread + 0.5)) + 0.3)
    return weight * (_SINGLE_HAN_WEIGHT if len(token) == 1 and token > "\u3400" else 1.0)
