"""The immutable Index: which entries may answer a text, best first, each with a score between 0 and 1.

One pass over rare features gives a short list of entries. On that list several views are computed: how alike the
best wording is and the entry's wordings together, edit distance in writing and in sound, what part of the question and
of the wording is covered, and a small regression that contrasts the listed wordings with each other. Fitted weights
turn the views into a rank and into the probability that the first one is right.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rapidfuzz import fuzz

from faqbot.language import pinyin
from faqbot.language.builtin_synonyms import GROUPS
from faqbot.language.normalize import Synonyms, is_han, normalise, strip_fillers
from faqbot.model.entries import Candidate, Entry
from faqbot.search import scoring
from faqbot.search.arrays import Doubles, Floats
from faqbot.search.candidates import MEANING_VIEWS, CandidateRows, HoldOutQuery, Question, Wordings
from faqbot.search.contradictions import apart
from faqbot.search.features import features, readable
from faqbot.search.scoring import EVIDENCE, MEANING_EVIDENCE, Weights, log_odds
from faqbot.search.semantic import EmbeddingIndex
from faqbot.search.spelling import Spelled, Spellings, join
from faqbot.search.weights import VIEWS

__all__ = (
    "EVIDENCE",
    "MEANING_EVIDENCE",
    "MEANING_VIEWS",
    "CandidateRows",
    "Explanation",
    "HoldOutQuery",
    "Index",
    "Question",
    "SearchQuery",
    "log_odds",
)  # fmt: skip

# A question below this is also tried with its spelling repaired; the repair must make so much of the question known
# that was not, and raise the score by so much.
_DOUBTFUL, _REPAIR_MUST_EXPLAIN, _REPAIR_MUST_GAIN = 0.9, 0.1, 0.05
# How many entries get a closer look; without characters to go by it takes more.
_SHORT_LISTS = {"han": 12, "latin": 28}
# So many questions are judged together at most, and so many likenesses of a question and a wording held at once.
_TOGETHER, _LIKENESSES = 32, 250_000
# A wording HR excluded counts when it is at least so like the question and as like it as the entry's own; from the
# second share on, and nearer than the entry's own, it rules the entry out.
_NOT_LIKE, _NOT_SAME = 0.5, 0.8
# How sure one can be at most of an entry that an excluded wording speaks against: too little to answer outright.
_EXCLUDED = 0.5
# How sure one is of the only entry with the same words but for empty ones.
_SAME_SKELETON = 0.98
_COVERED, _EDIT = VIEWS.index("covered"), VIEWS.index("edit")


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A text to search for: only entries for which `allowed` is true are found. `meaning` is its vector; without it,
    or without vectors of the wordings, the words decide alone."""

    text: str
    allowed: Callable[[Entry], bool] | None = None
    meaning: Floats | None = None


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
    """A question with the rows of its list, best first, and the score of each."""

    question: Question
    listed: CandidateRows
    rows: Sequence[int]
    scores: Sequence[float]


class Index:
    """Built once from the entries that may be answered; safe to read from any thread."""

    def __init__(self, entries: Iterable[Entry], synonyms: Synonyms | None = None) -> None:
        self.entries = tuple(entries)
        self.by_id = {entry.id: entry for entry in self.entries}
        self._synonyms = synonyms or Synonyms(GROUPS)
        self._shown: list[str] = []
        owner: list[int] = []
        for number, entry in enumerate(self.entries):
            for wording in dict.fromkeys(entry.wordings):
                self._shown.append(wording)
                owner.append(number)
        raws = [strip_fillers(normalise(w)) for w in self._shown]
        self._words = frozenset(w for t in raws for w in t.split() if w.isascii())
        sounds = ["".join(unit for _, unit in pinyin.spell(t, self._words)) for t in raws]
        self._not = {n: tuple(map(self.fold, e.not_)) for n, e in enumerate(self.entries) if e.not_}
        texts = [self._synonyms.apply(t) for t in raws]
        self._wordings = Wordings(self.entries, np.array(owner, dtype=np.int32), raws, texts, sounds)
        self._table = self._wordings.table
        self._spellings = Spellings(raws, sounds)
        # Whether who asks where makes a difference to what may be found.
        self.limited = any(e.groups or e.departments for e in self.entries)
        self.by_department = any(e.departments for e in self.entries)
        self.private = tuple(e for e in self.entries if e.private)
        self.topics = {normalise(e.topic): e.topic for e in self.entries if e.topic}
        chinese = sum(any("\u3400" <= c <= "\u9fff" for c in t) for t in raws)
        self.script = "han" if chinese * 2 >= len(raws) else "latin"
        self._meanings: EmbeddingIndex | None = None
        # Not itself: an index that is replaced must be gone at once, not when so much garbage has piled up that looking
        # through it holds up the whole process.
        self._by_words: Index | None = None
        self._most = _SHORT_LISTS[self.script]
        self._weights = Weights.fitted(self.script)

    @property
    def wordings(self) -> Sequence[str]:
        """All wordings, row by row, as they are to be embedded."""
        return self._shown

    @property
    def folded(self) -> Sequence[str]:
        """All wordings, row by row, in the form in which they are compared."""
        return self._wordings.texts

    def with_meanings(self, vectors: Floats) -> Index:
        """The same index with a vector for each of `wordings`; questions may then come with one too."""
        index = copy.copy(self)
        index._meanings = EmbeddingIndex(vectors, self._table.starts, self._table.counts)
        index._most = _SHORT_LISTS["latin"]
        index._by_words = self
        index._weights = Weights.fitted("meaning")
        return index

    def meaning_of(self, row: int) -> Floats | None:
        """The vector of a wording, if it has one."""
        return self._meanings.vectors[row] if self._meanings is not None else None

    def fold(self, text: str) -> str:
        """The form in which texts are compared: normalised, without padding, synonyms unified."""
        return self._synonyms.apply(strip_fillers(normalise(text)))

    def share_held(self, found: Sequence[str], held: Collection[str]) -> float:
        """What part of the weight of the features `found` those among `held` make up, 0 to 1."""
        total = sum(map(self._table.weight, found))
        return sum(self._table.weight(f) for f in found if f in held) / total if total else 0.0

    def sound_of(self, folded: str) -> str:
        """A folded text as it sounds, a character a syllable."""
        return "".join(unit for _, unit in pinyin.spell(folded, self._words))

    def has_wording(self, text: str) -> bool:
        """Whether HR wrote these very words for some entry."""
        return self._wordings.has(self.fold(text))

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
        return self.search_batch([SearchQuery(text, allowed, meaning)], limit)[0]

    def search_batch(self, asked: Sequence[SearchQuery], limit: int = 5) -> list[tuple[Candidate, ...]]:
        """What `search` finds for each; judging many together takes a fraction of the time."""
        return [self._candidates(found, limit) if found is not None else () for found in self._search(asked)]

    def search_many(
        self, texts: Iterable[str], *, allowed: Callable[[Entry], bool] | None = None, limit: int = 5
    ) -> list[tuple[Candidate, ...]]:
        """Search many texts, as for replaying past questions; equal texts are searched once."""
        texts = list(texts)
        different = list(dict.fromkeys(texts))
        results = self.search_batch([SearchQuery(text, allowed) for text in different], limit)
        found = dict(zip(different, results, strict=True))
        return [found[text] for text in texts]

    def explain(
        self,
        text: str,
        *,
        allowed: Callable[[Entry], bool] | None = None,
        limit: int = 5,
        meaning: Floats | None = None,
    ) -> tuple[Explanation, ...]:
        """For each candidate of `search`, in the same order, what spoke for it."""
        (found,) = self._search([SearchQuery(text, allowed, meaning)])
        if found is None:
            return ()
        asked = [f for f in features(found.question.text) if readable(f)]
        explained: list[Explanation] = []
        for row in found.rows[:limit]:
            held = set(features(self._wordings.texts[int(found.listed.wordings[row])]))
            explained.append(
                Explanation(
                    views={
                        v: round(float(x), 4)
                        for v, x in zip(VIEWS + MEANING_VIEWS, found.listed.views[row], strict=False)
                    },
                    uncovered=tuple(f.removeprefix("w:") for f in asked if f not in held),
                    readings=found.question.readings,
                    compared=found.question.text,
                )
            )
        return tuple(explained)

    def _search(self, asked: Sequence[SearchQuery]) -> list[_Ranked | None]:
        """What was found for each."""
        found: list[_Ranked | None] = [None] * len(asked)
        for index, chunk in self._chunks([a.meaning for a in asked]):
            for n, ranked in zip(chunk, index._search_together([asked[n] for n in chunk]), strict=True):
                found[n] = ranked
        return found

    def _chunks(self, meanings: Sequence[Floats | None]) -> Iterator[tuple[Index, Sequence[int]]]:
        """Which questions, by their numbers, are judged in one set of arrays, and by which index: where wordings have
        vectors, words alone decide on a question without one."""
        together = max(1, min(_TOGETHER, _LIKENESSES // max(1, len(self._shown))))
        for index, has_vector in ((self, True), (self._by_words or self, False)):
            numbers = [n for n, m in enumerate(meanings) if (m is not None or self._meanings is None) == has_vector]
            for start in range(0, len(numbers), together):
                yield index, numbers[start : start + together]

    def _search_together(self, asked: Sequence[SearchQuery]) -> list[_Ranked | None]:
        questions = self.read_many([a.text for a in asked])
        wanted = {
            n: HoldOutQuery(q, a.allowed, meaning=a.meaning)
            for n, (q, a) in enumerate(zip(questions, asked, strict=True))
            if q.text
        }
        found = dict(zip(wanted, self._rank(list(wanted.values())), strict=True))
        if self.script == "han":
            self._repair_doubtful(wanted, found)
        return [found.get(n) for n in range(len(asked))]

    def _repair_doubtful(self, wanted: Mapping[int, HoldOutQuery], found: dict[int, _Ranked | None]) -> None:
        """Put what a repaired spelling finds in place of what was found, where that is better."""
        # Only where the text as written leaves doubt may it have been misspelt; a slip makes words nobody wrote.
        doubtful = [
            n
            for n, ranked in found.items()
            if ranked is None or (ranked.scores[0] < _DOUBTFUL and ranked.question.bag.unseen > 0)
        ]
        repaired = self._repair([wanted[n].question for n in doubtful])
        again: dict[int, HoldOutQuery] = {}
        for n, question in zip(doubtful, repaired, strict=True):
            before = 1.0 if found[n] is None else wanted[n].question.bag.unseen
            if question is not None and question.bag.unseen <= before - _REPAIR_MUST_EXPLAIN:
                again[n] = replace(wanted[n], question=question)
        for n, ranked in zip(again, self._rank(list(again.values())), strict=True):
            first = found[n]
            if ranked and (first is None or ranked.scores[0] > first.scores[0] + _REPAIR_MUST_GAIN):
                found[n] = ranked

    def _rank(self, wanted: Sequence[HoldOutQuery]) -> list[_Ranked | None]:
        found: list[_Ranked | None] = [None] * len(wanted)
        if not wanted or not self.entries:
            return found
        numbers, listed = self._wordings.shortlists(wanted, self._most, self._meanings)
        if listed is None:
            return found
        order, scores = scoring.judge(listed, self._weights)
        self._raise_same_words(listed, scores)
        self._lower_excluded(listed, scores)
        order = order[np.lexsort((-scores[order], listed.of))]
        rows, falling, starts = order.tolist(), scores[order].tolist(), listed.starts.tolist()
        for number, question, a, b in zip(numbers, listed.questions, starts, [*starts[1:], len(rows)], strict=True):
            found[number] = _Ranked(question, listed, rows[a:b], falling[a:b])
        return found

    def sample(self, most: int) -> range:
        """Rows of wordings spread evenly over all, at most `most`."""
        return range(0, len(self._shown), max(1, -(-len(self._shown) // most)))

    def wording(self, row: int) -> str:
        return self._shown[row]

    def owner(self, row: int) -> int:
        """The number of the entry a wording belongs to."""
        return int(self._wordings.owner[row])

    def siblings(self, row: int) -> range:
        """All wordings of the entry a wording belongs to."""
        return self._table.wordings_of(self.owner(row))

    def first(
        self, question: Question, *, without: Sequence[int], meaning: Floats | None = None
    ) -> tuple[int, float] | None:
        """The number and score of the first entry if the wordings `without` did not exist."""
        return self.firsts([HoldOutQuery(question, without=without, meaning=meaning)])[0]

    def firsts(self, wanted: Sequence[HoldOutQuery]) -> list[tuple[int, float] | None]:
        """The number and score of the first entry for each."""
        firsts: list[tuple[int, float] | None] = [None] * len(wanted)
        for index, chunk in self._chunks([w.meaning for w in wanted]):
            for n, found in zip(chunk, index._rank([wanted[n] for n in chunk]), strict=True):
                if found is not None:
                    # Of equals the one that is nearer.
                    best = found.scores[0]
                    row = min(row for row, score in zip(found.rows, found.scores, strict=True) if score == best)
                    firsts[n] = int(found.listed.entries[row]), best
        return firsts

    def read(self, text: str, *, repair: bool = False) -> Question:
        """Prepare a question: write typed pinyin out, unify synonyms, look its features up.

        With `repair`, characters that only sound right are replaced too.
        """
        (question,) = self.read_many([text])
        return (self._repair([question])[0] or question) if repair else question

    def read_many(self, texts: Sequence[str]) -> list[Question]:
        raws = [strip_fillers(normalise(text)) for text in texts]
        spelled = [pinyin.spell(raw, self._words) for raw in raws]
        return self._prepare(raws, spelled, [self._read_letters(s) for s in spelled])

    def _read_letters(self, spelled: Sequence[Spelled]) -> list[str]:
        """What is written, with typed pinyin and abbreviations written out."""
        spans = [span for span, _ in spelled]
        if self.script != "han" or all(map(is_han, spans)):
            return spans
        return self._spellings.read_letters(spelled, self._words)

    def _repair(self, questions: Sequence[Question]) -> list[Question | None]:
        """The questions with characters replaced that only sound right; None where there is nothing to replace."""
        repaired: list[Question | None] = [None] * len(questions)
        if self.script != "han":
            return repaired
        spans: dict[int, list[str]] = {}
        for n, question in enumerate(questions):
            letters_read = self._read_letters(question.spelled)
            units = [unit for _, unit in question.spelled]
            written = self._spellings.repair(list(zip(letters_read, units, strict=True)), self._table)
            if any(new != old for new, (old, _) in zip(written, question.spelled, strict=True)):
                spans[n] = written
        if not spans:
            return repaired
        raws, spelled = [questions[n].raw for n in spans], [questions[n].spelled for n in spans]
        for n, question in zip(spans, self._prepare(raws, spelled, list(spans.values())), strict=True):
            repaired[n] = question
        return repaired

    def _prepare(
        self, raws: Sequence[str], spelled: Sequence[Sequence[Spelled]], spans: Sequence[Sequence[str]]
    ) -> list[Question]:
        """The questions `raws`, cut into `spelled`, with `spans` written in their place."""
        readings = [
            tuple((old, new) for new, (old, _) in zip(written, cut, strict=True) if new != old)
            for written, cut in zip(spans, spelled, strict=True)
        ]
        texts = [
            self._synonyms.apply(join(written) if read else raw)
            for raw, written, read in zip(raws, spans, readings, strict=True)
        ]
        sounds = ["".join([unit for _, unit in cut]) for cut in spelled]
        bags = self._table.bags([features(text) for text in texts])
        return list(map(Question, raws, texts, sounds, bags, spelled, readings))

    def shortlist(self, question: Question, *, meaning: Floats | None = None) -> CandidateRows | None:
        """The entries worth a closer look with their views."""
        meanings = self._meanings if meaning is not None else None
        return self._wordings.shortlists([HoldOutQuery(question, meaning=meaning)], self._most, meanings)[1]

    @staticmethod
    def evidence(question: Question, listed: CandidateRows, ranks: Doubles) -> Doubles:
        """What says how sure one can be: a row for each entry listed for the question, columns as in `SURE`."""
        return scoring.evidence(listed, ranks)

    def _raise_same_words(self, listed: CandidateRows, scores: Doubles) -> None:
        """The only entry with the words of the question is certain; of several it is certainly one."""
        for number in dict.fromkeys(listed.of[listed.exact].tolist()):
            rows = slice(*listed.of.searchsorted([number, number + 1]).tolist())
            exact, raw = listed.exact[rows], listed.questions[number].raw
            if exact.sum() > 1:
                # Nobody can say which.
                scores[rows] = np.where(exact, 0.5, np.minimum(scores[rows], 0.5))
                continue
            same = self._wordings.raws[int(listed.wordings[rows][exact][0])] == raw
            certain = 1.0 if same else _SAME_SKELETON
            scores[rows] = np.where(exact, np.maximum(scores[rows], certain), np.minimum(scores[rows], 0.999))

    def _lower_excluded(self, listed: CandidateRows, scores: Doubles) -> None:
        """A question that is as like a `not:` wording as the entry's own must not be answered by it outright."""
        if not self._not:
            return
        for row, entry in enumerate(listed.entries.tolist()):
            if listed.exact[row]:
                continue
            for other in self._not.get(entry, ()):
                asked, like = listed.questions[listed.of[row]].text, listed.views[row, _EDIT]
                unlike = fuzz.ratio(asked, other) / 100
                if unlike >= _NOT_SAME and unlike > like:
                    scores[row] = min(scores[row], 1.0 - unlike)
                elif unlike >= _NOT_LIKE and unlike >= like and not apart(asked, other):
                    scores[row] = min(scores[row], _EXCLUDED)

    def _candidates(self, found: _Ranked, limit: int) -> tuple[Candidate, ...]:
        listed, rows = found.listed, found.rows[:limit]
        covered = listed.views[rows, _COVERED]
        if listed.views.shape[1] > len(VIEWS):
            # What meaning finds alike is as good a sign as common words.
            covered = np.maximum(covered, listed.views[rows, len(VIEWS) :].max(axis=1))
        entries, wordings = listed.entries[rows].tolist(), listed.wordings[rows].tolist()
        return tuple(
            [
                Candidate(self.entries[e], round(score, 4), self._shown[w], max(c, 0.0))
                for e, score, w, c in zip(entries, found.scores, wordings, covered.tolist(), strict=False)
            ]
        )
