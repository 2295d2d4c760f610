"""The immutable Index: which entries may answer a text, best first, each with a score between 0 and 1.

One pass over rare features gives a short list of entries. On that list several views are computed: how alike the
best wording is and the entry's wordings together, edit distance in writing and in sound, what part of the question and
of the wording is covered, and a small regression that contrasts the listed wordings with each other. Fitted weights
turn the views into a rank and into the probability that the first one is right.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from faqbot import sound
from faqbot.features import Bag, FeatureTable, Floats, Ints, features, readable
from faqbot.fitted import RANK, SURE, SURE_OUT, VIEWS
from faqbot.lexicon import GROUPS
from faqbot.meaning import Meanings
from faqbot.model import Candidate, Entry
from faqbot.spelling import Spellings, join
from faqbot.text import Synonyms, is_han, normalise, skeleton, strip_fillers

Doubles = npt.NDArray[np.float64]

# What tells how sure one can be of an entry; the columns of Index.evidence and the keys of SURE.
EVIDENCE = (
    "one", "rank", "gap", "share", "share_of_rank", "bare", "centre", "edit", "sound", "covered", "covers",
    "contrast", "shared", "missing", "both_covered", "unseen", "length", "weight",
)  # fmt: skip

# What comes beside the views and the evidence where wordings have vectors.
MEANING_VIEWS = ("meaning", "meaning_centre", "meaning_contrast")
MEANING_EVIDENCE = ("meaning", "meaning_centre", "meaning_contrast", "meaning_gap", "meaning_centre_gap")
# The pull of meaning on the short list.
_MEANING_NEARNESS = 1.5

# A question below this is also tried with its spelling repaired; the repair must make so much of the question known
# that was not, and raise the score by so much.
_DOUBTFUL, _REPAIR_MUST_EXPLAIN, _REPAIR_MUST_GAIN = 0.9, 0.1, 0.05
# How many entries get a closer look; without characters to go by it takes more.
_SHORT_LISTS = {"han": 12, "latin": 28}
_WORDINGS_EACH = 2
# Regularisation of the contrast: how much of a wording's likeness to itself is not trusted.
_DOUBT = 0.5
# A wording HR excluded counts when it is at least this like the question and more like it than the entry's own.
_NOT_LIKE = 0.8
# How far ahead the first one is taken to be when there is no second.
_NO_RIVAL = 6.0
# How sure one is of the only entry with the same words but for empty ones.
_SAME_SKELETON = 0.98
_LARGE_VOCABULARY = 4_000
_COVERED, _COVERS = VIEWS.index("covered"), VIEWS.index("covers")
# The views that are evidence by themselves, in the order of EVIDENCE.
_TELLING = [VIEWS.index(view) for view in EVIDENCE[5:14]]


@dataclass(frozen=True, slots=True)
class Question:
    """A text prepared for comparing: `text` has synonyms unified and sounds repaired, `raw` has not."""

    raw: str
    text: str
    sound: str
    bag: Bag
    readings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """The short list for one question: entries, their best wordings, and a row of views each."""

    entries: Ints
    wordings: Ints
    views: Doubles
    unseen: float  # share of the question's weight that no wording of any entry holds
    exact: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a candidate came where it did: each view, the parts of the question its wording lacks, what was read as
    something else, and the form in which the question was compared."""

    views: Mapping[str, float]
    uncovered: tuple[str, ...]
    readings: tuple[tuple[str, str], ...]
    compared: str


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A question with its short list in order and the score of each."""

    question: Question
    listed: Listed
    order: npt.NDArray[np.intp]
    scores: Doubles

    @property
    def best(self) -> float:
        return float(self.scores.max())

    def ranked(self, limit: int) -> list[int]:
        """Positions in the short list, best first."""
        order = self.order[np.argsort(-self.scores[self.order], kind="stable")]
        return [int(i) for i in order[:limit]]


class Index:
    """Built once from the entries that may be answered; safe to read from any thread."""

    def __init__(self, entries: Iterable[Entry], synonyms: Synonyms | None = None) -> None:
        self.entries = tuple(entries)
        self._synonyms = synonyms or Synonyms(GROUPS)
        self._shown: list[str] = []
        owner: list[int] = []
        for number, entry in enumerate(self.entries):
            for wording in dict.fromkeys(entry.wordings):
                self._shown.append(wording)
                owner.append(number)
        self._owner = np.array(owner, dtype=np.int32)
        self._raw = [strip_fillers(normalise(w)) for w in self._shown]
        self._text = [self._synonyms.apply(t) for t in self._raw]
        self._words = frozenset(w for t in self._raw for w in t.split() if w.isascii())
        self._sound = ["".join(unit for _, unit in sound.spell(t, self._words)) for t in self._raw]
        self._not = {n: tuple(map(self.fold, e.not_)) for n, e in enumerate(self.entries) if e.not_}
        self._table = FeatureTable(self._text, self._owner, len(self.entries))
        self._spellings = Spellings(self._raw, self._sound)
        self._same: dict[str, list[int]] = {}
        for number, text in enumerate(self._text):
            self._same.setdefault(skeleton(text), []).append(number)
        self.topics = {normalise(e.topic): e.topic for e in self.entries if e.topic}
        chinese = sum(any("\u3400" <= c <= "\u9fff" for c in t) for t in self._raw)
        self.script = "han" if chinese * 2 >= len(self._raw) else "latin"
        self._meanings: Meanings | None = None
        self._by_words: Index = self
        self._most = _SHORT_LISTS[self.script]
        self._weigh(self.script)

    def _weigh(self, kind: str) -> None:
        """Take up the fitted weights for `kind`."""
        meaning = kind == "meaning"
        views, evidence = (VIEWS + MEANING_VIEWS, EVIDENCE + MEANING_EVIDENCE) if meaning else (VIEWS, EVIDENCE)
        self._rank_weights = np.array([RANK[kind][view] for view in views])
        self._sure = np.array([SURE[kind][e] for e in evidence])
        self._sure_out = np.array(SURE_OUT[kind])

    @property
    def wordings(self) -> Sequence[str]:
        """All wordings, row by row, as they are to be embedded."""
        return self._shown

    def with_meanings(self, vectors: Floats) -> Index:
        """The same index with a vector for each of `wordings`; questions may then come with one too."""
        index = copy.copy(self)
        index._meanings = Meanings(vectors, self._table.starts, self._table.counts)
        index._most = _SHORT_LISTS["latin"]
        index._by_words = self
        index._weigh("meaning")
        return index

    def meaning_of(self, row: int) -> Floats | None:
        """The vector of a wording, if it has one."""
        return self._meanings.vectors[row] if self._meanings is not None else None

    def fold(self, text: str) -> str:
        """The form in which texts are compared: normalised, without padding, synonyms unified."""
        return self._synonyms.apply(strip_fillers(normalise(text)))

    def has_wording(self, text: str) -> bool:
        """Whether HR wrote these very words for some entry."""
        return skeleton(self.fold(text)) in self._same

    def search(
        self,
        text: str,
        *,
        allowed: Callable[[Entry], bool] | None = None,
        limit: int = 5,
        meaning: Floats | None = None,
    ) -> tuple[Candidate, ...]:
        """Rank the entries for which `allowed` is true; at most `limit`, best first.

        `meaning` is the vector of the text; without it, or without vectors of the wordings, the words decide alone.
        """
        if self._meanings is not None and meaning is None:
            return self._by_words.search(text, allowed=allowed, limit=limit)
        found = self._search(text, allowed, meaning)
        if found is None:
            return ()
        return tuple(self._candidate(found, i) for i in found.ranked(limit))

    def explain(
        self,
        text: str,
        *,
        allowed: Callable[[Entry], bool] | None = None,
        limit: int = 5,
        meaning: Floats | None = None,
    ) -> tuple[Explanation, ...]:
        """For each candidate of `search`, in the same order, what spoke for it."""
        if self._meanings is not None and meaning is None:
            return self._by_words.explain(text, allowed=allowed, limit=limit)
        found = self._search(text, allowed, meaning)
        if found is None:
            return ()
        asked = [f for f in features(found.question.text) if readable(f)]
        explained: list[Explanation] = []
        for i in found.ranked(limit):
            held = set(features(self._text[int(found.listed.wordings[i])]))
            explained.append(
                Explanation(
                    views={
                        v: round(float(x), 4)
                        for v, x in zip(VIEWS + MEANING_VIEWS, found.listed.views[i], strict=False)
                    },
                    uncovered=tuple(f.removeprefix("w:") for f in asked if f not in held),
                    readings=found.question.readings,
                    compared=found.question.text,
                )
            )
        return tuple(explained)

    def _search(
        self, text: str, allowed: Callable[[Entry], bool] | None, meaning: Floats | None = None
    ) -> _Ranked | None:
        found = self._rank(self.read(text), allowed, meaning)
        # Only where the text as written leaves doubt may it have been misspelt; a slip makes words nobody wrote.
        if self.script != "han" or (found is not None and (found.best >= _DOUBTFUL or found.listed.unseen <= 0)):
            return found
        repaired = self.read(text, repair=True)
        before = found.listed.unseen if found is not None else 1.0
        if not repaired.readings or repaired.bag.unseen > before - _REPAIR_MUST_EXPLAIN:
            return found
        again = self._rank(repaired, allowed, meaning)
        better = again is not None and (found is None or again.best > found.best + _REPAIR_MUST_GAIN)
        return again if better else found

    def _rank(
        self, question: Question, allowed: Callable[[Entry], bool] | None, meaning: Floats | None
    ) -> _Ranked | None:
        listed = self.shortlist(question, allowed=allowed, meaning=meaning) if question.text and self.entries else None
        if listed is None:
            return None
        return _Ranked(question, listed, *self.score(question, listed))

    def search_many(
        self, texts: Iterable[str], *, allowed: Callable[[Entry], bool] | None = None, limit: int = 5
    ) -> list[tuple[Candidate, ...]]:
        """Search many texts, as for replaying past questions; equal texts are searched once."""
        found: dict[str, tuple[Candidate, ...]] = {}
        result: list[tuple[Candidate, ...]] = []
        for text in texts:
            if text not in found:
                found[text] = self.search(text, allowed=allowed, limit=limit)
            result.append(found[text])
        return result

    def sample(self, most: int) -> range:
        """Rows of wordings spread evenly over all, at most `most`."""
        return range(0, len(self._shown), max(1, -(-len(self._shown) // most)))

    def wording(self, row: int) -> str:
        return self._shown[row]

    def owner(self, row: int) -> int:
        """The number of the entry a wording belongs to."""
        return int(self._owner[row])

    def siblings(self, row: int) -> range:
        """All wordings of the entry a wording belongs to."""
        return self._table.wordings_of(int(self._owner[row]))

    def first(
        self, question: Question, *, without: Sequence[int], meaning: Floats | None = None
    ) -> tuple[int, float] | None:
        """The number and score of the first entry if the wordings `without` did not exist."""
        if self._meanings is not None and meaning is None:
            return self._by_words.first(question, without=without)
        listed = self.shortlist(question, without=without, meaning=meaning)
        if listed is None:
            return None
        _, scores = self.score(question, listed)
        best = int(scores.argmax())
        return int(listed.entries[best]), float(scores[best])

    def read(self, text: str, *, repair: bool = False) -> Question:
        """Prepare a question: write typed pinyin out, unify synonyms, look its features up.

        With `repair`, characters that only sound right are replaced too.
        """
        raw = strip_fillers(normalise(text))
        spelled = sound.spell(raw, self._words)
        written = raw
        readings: tuple[tuple[str, str], ...] = ()
        if self.script == "han" and (repair or not all(is_han(span) for span, _ in spelled)):
            spans = self._spellings.read_letters(spelled, self._words)
            if repair:
                spans = self._spellings.repair(
                    [(new, unit) for new, (_, unit) in zip(spans, spelled, strict=True)], self._table
                )
            readings = tuple((old, new) for new, (old, _) in zip(spans, spelled, strict=True) if new != old)
            written = join(spans) if readings else raw
        prepared = self._synonyms.apply(written)
        heard = "".join(unit for _, unit in spelled)
        return Question(raw, prepared, heard, self._table.bag(features(prepared)), readings)

    def shortlist(
        self,
        question: Question,
        *,
        allowed: Callable[[Entry], bool] | None = None,
        without: Sequence[int] = (),
        meaning: Floats | None = None,
    ) -> Listed | None:
        """The entries worth a closer look with their views; `without` leaves wordings out, for learning."""
        cosines, bare = self._table.cosines(question.bag)
        if len(without):
            cosines[list(without)] = bare[list(without)] = 0.0
        best, centre = self._table.best_and_centre(cosines)
        same = [w for w in self._same.get(skeleton(question.text), ()) if w not in without]
        # Who wrote these very words comes before who wrote the same with another empty word.
        same = [w for w in same if self._raw[w] == question.raw] or same
        nearness = best + centre + self._table.best(bare)
        if self._meanings is not None and meaning is not None:
            alike, alike_best, alike_centre = self._meanings.likeness(meaning, without)
            nearness += _MEANING_NEARNESS * (alike_best + alike_centre)
        entries = self._nearest(nearness, allowed, same)
        if not len(entries):
            return None
        entries, wordings, firsts = self._closest_wordings(entries, cosines + bare, set(without))
        if not len(entries):
            return None
        listed = self._view(question, entries, wordings, firsts, cosines, bare, best, centre, same)
        if self._meanings is None or meaning is None:
            return listed
        contrast = self._meanings.contrast(entries, alike)
        beside = np.column_stack((alike_best[entries], alike_centre[entries], contrast))
        return replace(listed, views=np.hstack((listed.views, beside)))

    def score(self, question: Question, listed: Listed) -> tuple[npt.NDArray[np.intp], Doubles]:
        """The order of the listed entries, best first, and for each how probable it is that it is right."""
        ranks = listed.views @ self._rank_weights
        scores = _sigmoid(log_odds(self.evidence(question, listed, ranks), self._sure, self._sure_out))
        # The very words HR wrote come first, whatever else is alike.
        order = np.lexsort((-ranks, ~listed.exact))
        scores[order] = np.minimum.accumulate(scores[order])
        same = int(listed.exact.sum())
        if same == 1:
            wording = int(listed.wordings[int(listed.exact.argmax())])
            certain = 1.0 if self._raw[wording] == question.raw else _SAME_SKELETON
            scores = np.where(listed.exact, np.maximum(scores, certain), np.minimum(scores, 0.999))
        elif same:
            # It is certainly one of them, and nobody can say which.
            scores = np.minimum(scores, 0.5)
            scores[listed.exact] = 0.5
        return order, self._minus_excluded(question, listed, scores)

    @staticmethod
    def evidence(question: Question, listed: Listed, ranks: Doubles) -> Doubles:
        """What says how sure one can be: a row for each listed entry, columns as in `SURE`."""
        gap = np.clip(_gap(ranks), -_NO_RIVAL, _NO_RIVAL)
        shares = np.exp(ranks - ranks.max())
        shares /= shares.sum()
        found = np.zeros((len(ranks), len(EVIDENCE)))
        found[:, 0] = 1.0
        found[:, 1] = ranks
        found[:, 2] = gap
        found[:, 3] = shares
        found[:, 4] = shares * ranks
        found[:, 5:14] = listed.views[:, _TELLING]
        found[:, 14] = listed.views[:, _COVERED] * listed.views[:, _COVERS]
        found[:, 15] = listed.unseen
        found[:, 16] = math.log1p(len(question.text))
        found[:, 17] = math.log1p(question.bag.total)
        beside = listed.views[:, len(VIEWS) :]
        if not beside.shape[1]:
            return found
        gaps = [_gap(beside[:, column]) for column in (0, 1)]
        return np.hstack((found, beside, np.column_stack(gaps)))

    def _nearest(self, nearness: Doubles, allowed: Callable[[Entry], bool] | None, same: Sequence[int]) -> Ints:
        """The entries with the greatest nearness among those allowed, and those with a wording in `same`."""
        size = min(len(nearness), self._most if allowed is None else self._most * 3)
        order = np.argpartition(-nearness, size - 1)[:size] if size < len(nearness) else np.arange(len(nearness))
        order = order[np.argsort(-nearness[order], kind="stable")]
        if allowed is not None:
            kept = [int(e) for e in order if allowed(self.entries[e])]
            if len(kept) < min(self._most, len(nearness)) and size < len(nearness):
                kept = [int(e) for e in np.argsort(-nearness, kind="stable") if allowed(self.entries[e])]
            order = np.array(kept, dtype=np.int64)
        order = order[: self._most]
        chosen = order[nearness[order] > 0].tolist()
        missing = {int(self._owner[w]) for w in same} - set(chosen)
        chosen += [e for e in sorted(missing) if allowed is None or allowed(self.entries[e])]
        return np.array(chosen, dtype=np.int32)

    def _closest_wordings(
        self, entries: Ints, likeness: Doubles, without: set[int]
    ) -> tuple[Ints, list[int], list[int]]:
        """The entries that have wordings left, a few wordings of each in turn, and where each entry's begin."""
        kept: list[int] = []
        wordings: list[int] = []
        firsts: list[int] = []
        for entry in entries.tolist():
            rows: Sequence[int] = self._table.wordings_of(entry)
            if without:
                rows = [r for r in rows if r not in without]
            if not rows:
                continue
            if len(rows) > _WORDINGS_EACH:
                rows = sorted(rows, key=likeness.__getitem__, reverse=True)[:_WORDINGS_EACH]
            kept.append(entry)
            firsts.append(len(wordings))
            wordings += rows
        return np.array(kept, dtype=np.int32), wordings, firsts

    def _view(
        self,
        question: Question,
        entries: Ints,
        wordings: list[int],
        firsts: list[int],
        cosines: Doubles,
        bare: Doubles,
        best: Doubles,
        centre: Doubles,
        same: Sequence[int],
    ) -> Listed:
        size = len(entries)
        ratio = fuzz.ratio
        edits = np.array([ratio(question.text, self._text[w]) for w in wordings]) / 100
        raw_edits = np.array([ratio(question.raw, self._raw[w]) for w in wordings]) / 100
        sounds = np.array([ratio(question.sound, self._sound[w]) for w in wordings]) / 100
        likeness = (cosines[wordings] + bare[wordings] + edits + 0.5 * sounds).tolist()
        spans = zip(firsts, [*firsts[1:], len(wordings)], strict=True)
        chosen = np.array([wordings[max(range(a, b), key=likeness.__getitem__)] for a, b in spans], dtype=np.int32)
        covered, shared, missing = self._cover_entries(question.bag, entries)
        covers, contrast = self._compare_wordings(question.bag, chosen, cosines)
        views = {
            "bare": bare[chosen],
            "best": best[entries],
            "centre": centre[entries],
            "edit": np.maximum.reduceat(edits, firsts),
            "raw_edit": np.maximum.reduceat(raw_edits, firsts),
            "sound": np.maximum.reduceat(sounds, firsts),
            "covered": covered,
            "covers": covers,
            "contrast": contrast,
            "shared": shared,
            "missing": missing,
        }
        table = np.empty((size, len(VIEWS)))
        for column, view in enumerate(VIEWS):
            table[:, column] = views[view]
        exact = np.zeros(size, dtype=np.bool_)
        for wording in same:
            for position in np.flatnonzero(entries == self._owner[wording]).tolist():
                exact[position], chosen[position] = True, wording
        return Listed(entries, chosen, table, question.bag.unseen, exact)

    def _cover_entries(self, bag: Bag, entries: Ints) -> tuple[Doubles, Doubles, Doubles]:
        """For each entry: the share of the question its wordings hold at all, the same weighed by how many of
        them do, and the rarest feature none holds, as a share of the question's rarest."""
        table = self._table
        spans = [slice(table.entry_starts[e], table.entry_starts[e + 1]) for e in entries.tolist()]
        ids = np.concatenate([table.entry_ids[s] for s in spans])
        shares = np.concatenate([table.entry_shares[s] for s in spans])
        # Counted from 1, so that the table starts as zeros, which cost nothing until they are touched.
        position = np.zeros(len(table.weights), dtype=np.int32)
        position[bag.known] = np.arange(1, len(bag.known) + 1, dtype=np.int32)
        where = position[ids]
        hit = where > 0
        rows = np.repeat(np.arange(len(spans)), [s.stop - s.start for s in spans])[hit]
        held = np.zeros((len(spans), max(1, len(bag.known))), dtype=np.float32)
        held[rows, where[hit] - 1] = shares[hit]
        weights = bag.weights if len(bag.known) else np.zeros(1, dtype=np.float32)
        present = held > 0
        unknown = bag.rarest_unseen
        absent = np.where(present, 0.0, weights).max(axis=1)
        rarest = max(unknown, float(weights.max()), 1e-9)
        total = bag.total
        covered, shared = present @ weights / total, held @ weights / total
        return _doubles(covered), _doubles(shared), _doubles(np.maximum(absent, unknown) / rarest)

    def _compare_wordings(self, bag: Bag, wordings: Ints, cosines: Doubles) -> tuple[Doubles, Doubles]:
        """The share of each wording's weight that the question holds; and a kernel ridge regression among the
        wordings, in which what they share with each other counts less."""
        table = self._table
        starts, ends = table.row_starts[wordings], table.row_starts[wordings + 1]
        ids = np.concatenate([table.row_ids[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)])
        rows = np.repeat(np.arange(len(wordings)), ends - starts)
        asked = np.zeros(len(table.weights), dtype=np.float32)
        asked[bag.known] = bag.weights
        covers = np.bincount(rows, asked[ids], len(wordings)) / table.row_totals[wordings]
        columns, width = _renumber(ids, len(table.weights))
        vectors = np.zeros((len(wordings), width), dtype=np.float32)
        vectors[rows, columns] = table.weights[ids] / table.norms[wordings][rows]
        kernel = vectors @ vectors.T
        kernel.flat[:: len(wordings) + 1] += _DOUBT
        contrast = np.linalg.solve(kernel, cosines[wordings].astype(np.float32))
        return covers, _doubles(contrast)

    def _minus_excluded(self, question: Question, listed: Listed, scores: Doubles) -> Doubles:
        """A question that is more like a `not:` wording than like the entry's own must not be answered by it."""
        if not self._not:
            return scores
        for position, entry in enumerate(listed.entries.tolist()):
            for other in self._not.get(entry, ()):
                unlike = fuzz.ratio(question.text, other) / 100
                own = float(listed.views[position, VIEWS.index("edit")])
                if unlike >= _NOT_LIKE and unlike > own:
                    scores[position] = min(scores[position], 1.0 - unlike)
        return scores

    def _candidate(self, found: _Ranked, position: int) -> Candidate:
        views = found.listed.views[position]
        return Candidate(
            entry=self.entries[int(found.listed.entries[position])],
            score=round(float(found.scores[position]), 4),
            question=self._shown[int(found.listed.wordings[position])],
            # Where meaning was compared, what it finds alike is as good a sign as common words.
            covered=float(max(views[_COVERED], *views[len(VIEWS) :], 0.0)),
        )


def _renumber(ids: Ints, size: int) -> tuple[npt.NDArray[np.signedinteger[Any]], int]:
    """Number the distinct ids from 0; returns the new number of each and how many there are."""
    if size > _LARGE_VOCABULARY:
        distinct, columns = np.unique(ids, return_inverse=True)
        return columns, len(distinct)
    # Marking a small table is several times faster than sorting.
    number = np.zeros(size, dtype=np.int32)
    number[ids] = 1
    met = np.flatnonzero(number)
    number[met] = np.arange(len(met), dtype=np.int32)
    return number[ids], len(met)


def log_odds(evidence: Doubles, table: Doubles, out: Doubles) -> Doubles:
    """How sure the evidence makes one: rows of evidence, the fitted table and the weights of its bent columns."""
    direct, bent = table[:, 0], table[:, 1:]
    return evidence @ direct + np.tanh(evidence @ bent) @ out


def _doubles(values: npt.NDArray[Any]) -> Doubles:
    return values.astype(np.float64)


def _gap(values: Doubles) -> Doubles:
    """How far each value is ahead of the best of the others."""
    top = float(values.max())
    second = float(np.partition(values, -2)[-2]) if len(values) > 1 else top - _NO_RIVAL
    return values - np.where(values >= top, second, top)


def _sigmoid(values: Doubles) -> Doubles:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -30, 30)))
