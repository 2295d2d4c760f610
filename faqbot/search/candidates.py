"""The short list: which entries are worth a closer look for a question, and how alike they are in every view.

Many questions are judged in one set of arrays; their lists differ in length and stand one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from faqbot.language.normalize import skeleton
from faqbot.model.entries import Entry
from faqbot.search.arrays import Doubles, Floats, Ints, Positions, flatten, gather_spans
from faqbot.search.features import Bag, Bags, FeatureTable
from faqbot.search.semantic import EmbeddingIndex
from faqbot.search.weights import VIEWS

# What comes beside the views where wordings have vectors.
MEANING_VIEWS = ("meaning", "meaning_centre", "meaning_contrast")
# The pull of meaning on the short list.
_MEANING_NEARNESS = 1.5
_WORDINGS_EACH = 2
# Where not all are allowed, first a list so many times as long is looked through.
_LOOKED_THROUGH = 3
# Regularisation of the contrast: how much of a wording's likeness to itself is not trusted.
_DOUBT = 0.5


# Of each list the number of its question, its first row and the row after its last.
Lists = Sequence[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Question:
    """A text prepared for comparing: `text` has synonyms unified and sounds repaired, `raw` has not.

    `spelled` is `raw` cut into what is written and the unit it sounds like.
    """

    raw: str
    text: str
    sound: str
    bag: Bag
    spelled: Sequence[tuple[str, str]]
    readings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HoldOutQuery:
    """A question whose short list is wanted: of the entries that are `allowed`, and as if the wordings `without` did
    not exist. `meaning` is its vector."""

    question: Question
    allowed: Callable[[Entry], bool] | None = None
    without: Sequence[int] = ()
    meaning: Floats | None = None


@dataclass(frozen=True, slots=True)
class CandidateRows:
    """Short lists, none of them empty: entries, their best wordings, and a row of views each.

    List n is of `questions[n]` and begins at row `starts[n]`; `of` is the n of each row, `places` its place in the
    list. `exact` marks the rows whose wording is the question itself but for empty words.
    """

    questions: Sequence[Question]
    starts: Positions
    of: Positions
    places: Positions
    entries: Positions
    wordings: Positions
    views: Doubles
    exact: npt.NDArray[np.bool_]


class Wordings:
    """All wordings in the forms in which they are compared, row by row, grouped by entry. Read-only.

    `owner` is the number of the entry of each; `raws` are normalised, in `texts` synonyms are unified too, and
    `sounds` is how they sound.
    """

    def __init__(
        self, entries: Sequence[Entry], owner: Ints, raws: Sequence[str], texts: Sequence[str], sounds: Sequence[str]
    ) -> None:
        self.owner, self.raws, self.texts, self.sounds = owner, raws, texts, sounds
        self.table = FeatureTable(texts, owner, len(entries))
        self._entries = entries
        self._same: dict[str, list[int]] = {}
        for row, text in enumerate(texts):
            self._same.setdefault(skeleton(text), []).append(row)

    def has(self, folded: str) -> bool:
        """Whether some wording is this text but for empty words."""
        return skeleton(folded) in self._same

    def shortlists(
        self, wanted: Sequence[HoldOutQuery], most: int, meanings: EmbeddingIndex | None
    ) -> tuple[list[int], CandidateRows | None]:
        """Which of `wanted` have any entry worth a look, and their lists of about `most` entries each.

        With `meanings`, each of `wanted` must have a vector.
        """
        bags = Bags.together([w.question.bag for w in wanted])
        cosines, bare = self.table.cosines(bags)
        left_out = np.array([n * self.table.rows + r for n, w in enumerate(wanted) for r in w.without], dtype=np.int64)
        cosines.ravel()[left_out] = bare.ravel()[left_out] = 0.0
        best, centre = self.table.best(cosines), self.table.centre(cosines)
        nearness = best + centre + self.table.best(bare)
        if meanings is not None:
            vectors = np.stack([w.meaning for w in wanted if w.meaning is not None])
            alike, alike_best, alike_centre = meanings.likeness(vectors, left_out)
            nearness += _MEANING_NEARNESS * (alike_best + alike_centre)
        same = [self._same_words(w) for w in wanted]
        entries, of, _ = flatten(self._nearest(nearness, wanted, same, most))
        likeness = cosines + bare
        of, entries, member, rows = self._closest_wordings(of, entries, likeness, left_out)
        if not len(of):
            return [], None
        questions = [w.question for w in wanted]
        wordings, edits = self._compare_writing(questions, of, member, rows, likeness)
        sizes = np.bincount(of)
        asked = sizes.nonzero()[0]
        sizes = sizes[asked]
        ends = sizes.cumsum()
        lists = list(zip(asked.tolist(), (ends - sizes).tolist(), ends.tolist(), strict=True))
        views = {"bare": bare[of, wordings], "best": best[of, entries], "centre": centre[of, entries], **edits}
        views |= self._compare_features(bags, lists, of, entries, wordings, cosines[of, wordings])
        if meanings is not None:
            views["meaning"], views["meaning_centre"] = alike_best[of, entries], alike_centre[of, entries]
            contrasts = [meanings.contrast(entries[a:b], alike[n]) for n, a, b in lists]
            views["meaning_contrast"] = np.concatenate(contrasts)
        exact = np.zeros(len(of), dtype=np.bool_)
        for n, a, b in lists:
            for wording in same[n]:
                at = a + np.flatnonzero(entries[a:b] == self.owner[wording])
                exact[at], wordings[at] = True, wording
        table = np.empty((len(of), len(views)))
        for column, view in enumerate(VIEWS if meanings is None else VIEWS + MEANING_VIEWS):
            table[:, column] = views[view]
        starts = ends - sizes
        numbers = np.arange(len(lists)).repeat(sizes)
        places = np.arange(len(of)) - starts[numbers]
        return asked.tolist(), CandidateRows(
            [questions[n] for n, _, _ in lists], starts, numbers, places, entries, wordings, table, exact
        )

    def _same_words(self, wanted: HoldOutQuery) -> list[int]:
        """The wordings that are the question but for empty words."""
        same = [w for w in self._same.get(skeleton(wanted.question.text), ()) if w not in wanted.without]
        # Who wrote these very words comes before who wrote the same with another empty word.
        return [w for w in same if self.raws[w] == wanted.question.raw] or same

    def _nearest(
        self, nearness: Doubles, wanted: Sequence[HoldOutQuery], same: Sequence[Sequence[int]], most: int
    ) -> list[list[int]]:
        """For each question the entries with the greatest nearness among those allowed, and those with a wording in
        `same`."""
        count = nearness.shape[1]
        chosen: list[list[int]] = [[] for _ in wanted]
        for size in (most, most * _LOOKED_THROUGH):
            rows = [n for n, w in enumerate(wanted) if (w.allowed is None) == (size == most)]
            if not rows:
                continue
            far = -(nearness if len(rows) == len(wanted) else nearness[rows])
            numbers = np.arange(len(rows))[:, None]
            if size < count:
                order = far.argpartition(size - 1, axis=1)[:, :size]
                far = far[numbers, order]
                order = order[numbers, far.argsort(axis=1, kind="stable")]
            else:
                order = far.argsort(axis=1, kind="stable")
            above = np.add.reduce(far < 0, axis=1).tolist()
            for n, nearest, positive in zip(rows, order.tolist(), above, strict=True):
                chosen[n] = self._allowed(nearest, positive, nearness[n], wanted[n].allowed, most)
        for n, wordings in enumerate(same):
            allowed = wanted[n].allowed
            missing = {int(self.owner[w]) for w in wordings} - set(chosen[n])
            chosen[n] += [e for e in sorted(missing) if allowed is None or allowed(self._entries[e])]
        return chosen

    def _allowed(
        self,
        nearest: Sequence[int],
        positive: int,
        nearness: Doubles,
        allowed: Callable[[Entry], bool] | None,
        most: int,
    ) -> list[int]:
        """The first `most` of the nearest entries that are allowed; only the first `positive` are near at all."""
        if allowed is None:
            return list(nearest[: min(most, positive)])
        entries = self._entries
        kept = list(islice((place for place, e in enumerate(nearest) if allowed(entries[e])), most))
        if len(kept) == min(most, len(nearness)) or len(nearest) == len(nearness):
            return [nearest[place] for place in kept if place < positive]
        order = np.argsort(-nearness, kind="stable")[: np.count_nonzero(nearness > 0)]
        return list(islice((e for e in order.tolist() if allowed(entries[e])), most))

    def _closest_wordings(
        self, of: Positions, entries: Positions, likeness: Doubles, left_out: Positions
    ) -> tuple[Positions, Positions, Positions, Positions]:
        """The listed entries that have wordings left, and a few of the wordings of each: `member` says which of the
        entries, `rows` which wording."""
        counts = self.table.counts[entries]
        member = np.arange(len(entries)).repeat(counts)
        rows = np.arange(len(member)) + (self.table.starts[entries] - counts.cumsum() + counts)[member]
        if len(left_out):
            kept = ~np.isin(of[member] * self.table.rows + rows, left_out)
            member, rows = member[kept], rows[kept]
            counts = np.bincount(member, minlength=len(entries))
            some = counts > 0
            of, entries, counts = of[some], entries[some], counts[some]
            member = (np.cumsum(some) - 1)[member]
        many = counts > _WORDINGS_EACH
        if many.any():
            # Few enough keep their order, of others the most alike come first.
            alike = np.where(many[member], likeness[of[member], rows], 0.0)
            order = np.lexsort((-alike, member))
            place = np.arange(len(member)) - (np.cumsum(counts) - counts)[member]
            order = order[place < _WORDINGS_EACH]
            member, rows = member[order], rows[order]
        return of, entries, member, rows

    def _compare_writing(
        self, questions: Sequence[Question], of: Positions, member: Positions, rows: Positions, likeness: Doubles
    ) -> tuple[Positions, dict[str, Doubles]]:
        """The most alike wording of each listed entry; and how alike its wordings are letter by letter."""
        number = of[member]
        listed, times = rows.tolist(), np.bincount(number).tolist()
        asked = [(q, n) for q, n in zip(questions, times, strict=False) if n]
        said = [text for q, n in asked for text in [q.text] * n]
        said += [text for q, n in asked for text in [q.raw] * n]
        said += [text for q, n in asked for text in [q.sound] * n]
        written = [*map(self.texts.__getitem__, listed), *map(self.raws.__getitem__, listed)]
        written += map(self.sounds.__getitem__, listed)
        ratios = process.cpdist(said, written, scorer=fuzz.ratio, dtype=np.float64).reshape(3, len(rows)) / 100
        edits, _, sounds = ratios
        names = ("edit", "raw_edit", "sound")
        if len(rows) == len(of):
            return rows, dict(zip(names, ratios, strict=True))
        firsts = member.searchsorted(np.arange(len(of)))
        most_alike = np.lexsort((-(likeness[number, rows] + edits + 0.5 * sounds), member))[firsts]
        columns = np.maximum.reduceat(ratios, firsts, axis=1)
        return rows[most_alike], dict(zip(names, columns, strict=True))

    def _compare_features(
        self, bags: Bags, lists: Lists, of: Positions, entries: Positions, wordings: Positions, cosines: Doubles
    ) -> dict[str, Doubles]:
        """`covered` is the share of the question that the wordings of an entry hold at all, `shared` the same weighed
        by how many of them do, `missing` the rarest feature none holds, as a share of the question's rarest, and
        `covers` the share of a wording's weight that the question holds; for `contrast` see there."""
        table = self.table
        width = int(bags.place.max(initial=0)) + 1
        # A row for each question; what was not asked has weight 0 in the first column of the first.
        weights = np.zeros((len(bags.each), width))
        flat = weights.ravel()
        numbers = bags.of * width + bags.place
        flat[numbers] = table.weights[bags.ids]
        # A large table of zeros costs nothing where it is not touched.
        number_of = np.zeros(len(bags.each) * len(table.weights), dtype=np.int32)
        number_of[bags.of * len(table.weights) + bags.ids] = numbers
        first_cell = of * len(table.weights)

        sizes, (held, shares) = gather_spans(table.entry_starts, entries, table.entry_ids, table.entry_shares)
        number = number_of[first_cell.repeat(sizes) + held]
        hit = number.nonzero()[0]
        member, number = np.arange(len(of)).repeat(sizes)[hit], number[hit]
        known = flat[number]
        totals = np.array([bag.total for bag in bags.each])[of]
        views = {
            "covered": np.bincount(member, known, len(of)) / totals,
            "shared": np.bincount(member, known * shares[hit], len(of)) / totals,
        }
        holder = member, number - of[member] * width

        sizes, (held,) = gather_spans(table.row_starts, wordings, table.row_ids)
        member = np.arange(len(of)).repeat(sizes)
        cells = first_cell.repeat(sizes) + held
        views["covers"] = np.bincount(member, flat[number_of[cells]], len(of)) / table.row_totals[wordings]
        values = table.weights[held] / table.norms[wordings].repeat(sizes)
        # The features of each list get numbers of their own.
        met = np.zeros(len(number_of), dtype=np.bool_)
        met[cells] = True
        distinct = met.nonzero()[0]
        number_of[distinct] = np.arange(len(distinct))
        edges = distinct.searchsorted([n * len(table.weights) for n, _, _ in lists])
        views["contrast"] = _contrast(
            lists, member, number_of[cells], [*edges.tolist(), len(distinct)], values, cosines
        )

        weights[:, 0] = [bag.rarest_unseen for bag in bags.each]
        absent = weights[of]
        absent[holder] = 0.0
        rarest = np.maximum(np.maximum.reduce(weights, axis=1), 1e-9)
        views["missing"] = np.maximum.reduce(absent, axis=1) / rarest[of]
        return views


def _contrast(
    lists: Lists, member: Positions, features: Ints, edges: Sequence[int], values: Floats, cosines: Doubles
) -> Doubles:
    """A kernel ridge regression among the wordings of each list, in which what they share with each other counts
    less. Each of the `features` is of the wording `member` with its value in a vector of length 1; those of list n
    are numbered from `edges[n]` up to `edges[n + 1]`."""
    starts = [*member.searchsorted([a for _, a, _ in lists]).tolist(), len(member)]
    contrast = np.empty(len(cosines))
    alike = cosines.astype(np.float32)
    kernels: dict[int, list[Floats]] = {}
    rows: dict[int, list[int]] = {}
    for (_, a, b), (start, end), (first, last) in zip(lists, pairwise(starts), pairwise(edges), strict=True):
        vectors = np.zeros((b - a, last - first), dtype=np.float32)
        vectors[member[start:end] - a, features[start:end] - first] = values[start:end]
        kernels.setdefault(b - a, []).append(vectors @ vectors.T)
        rows.setdefault(b - a, []).append(a)
    for size, same_size in kernels.items():
        kernel = np.array(same_size)
        kernel.reshape(len(kernel), -1)[:, :: size + 1] += _DOUBT
        at = np.array(rows[size])[:, None] + np.arange(size)
        contrast[at] = np.linalg.solve(kernel, alike[at][:, :, None])[:, :, 0]
    return contrast
