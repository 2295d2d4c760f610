"""Near-duplicate detection: finds equivalent questions by subject, intent and distinguishing words.

Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from faqbot.language import pinyin
from faqbot.language.vocabulary import any_of, compile_any, question_words
from faqbot.search.arrays import Doubles
from faqbot.search.terms import terms_of

# 发不发, 有没有, and 能报不 at the end: these ask whether, and deny nothing.
_WHETHER = re.compile(r"(.)[不没]\1|[不否没]$")
# Asking how something is done and with whom is one question; asking where, too, if it is something that one does.
_DOING, _DOING_SOMEWHERE = ("how", "who"), ("how", "who", "where")
# Weights of terms by kind: one character, two neighbours, a word, a pair of words. Longer runs are not compared.
_KIND_WEIGHTS = {"1": 1.0, "2": 0.25, "w:": 2.0, "p:": 0.4}
# Factor for terms with a character that says little about what is asked.
_LIGHT_FACTOR = 0.3
# From this similarity on, two questions whose deciding words agree ask the same; fitted on test_stats.py.
_SAME_SIMILARITY = 0.66
# Shorter subjects that sound the same are rather two words than a slip.
_MIN_SOUND_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Sense:
    """The meaning of a question: its subject, the things it may want to know of it, as bits, and the words that must
    agree."""

    subject: str
    wanted: int
    deciding: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The word lists of questions as patterns; `bits` has a bit for each thing that a question may want to know."""

    wanted: re.Pattern[str]
    bits: Mapping[str, int]
    activities: re.Pattern[str]
    padding: re.Pattern[str]
    unified: Sequence[tuple[re.Pattern[str], str]]
    deciding: re.Pattern[str]

    def mask(self, names: Sequence[str]) -> int:
        return sum(self.bits[name] for name in names)


@cache
def _patterns() -> _Patterns:
    words = question_words()
    return _Patterns(
        wanted=re.compile("|".join(f"(?P<{name}>{any_of(listed)})" for name, listed in words.wanted.items())),
        bits={name: 1 << number for number, name in enumerate(words.wanted)},
        activities=compile_any(words.activities),
        padding=compile_any(words.padding),
        unified=[(compile_any(listed), word) for word, listed in words.unified.items()],
        deciding=compile_any(words.deciding),
    )


def _anything() -> int:
    """Return the bits of a question that only names a thing and may want to know anything of it."""
    return (1 << len(question_words().wanted)) - 1


def sense_of(folded: str) -> Sense:
    """Read the sense of a question in the form of Index.fold."""
    patterns = _patterns()
    text = _WHETHER.sub(lambda match: match.group(1) or "", folded)
    names = {match.lastgroup for match in patterns.wanted.finditer(text)} | ({"may"} if text != folded else set())
    # 能报多少 wants the amount.
    asked_bits = patterns.mask([name for name in names - {"may"} or names if name])
    doing, doing_somewhere = patterns.mask(_DOING), patterns.mask(_DOING_SOMEWHERE)
    if asked_bits & doing_somewhere:
        asked_bits |= doing_somewhere if patterns.activities.search(folded) else doing if asked_bits & doing else 0
    rest = patterns.wanted.sub("", text)
    for pattern, word in patterns.unified:
        rest = pattern.sub(word, rest)
    subject = patterns.padding.sub("", rest).strip() or rest.strip() or folded
    return Sense(subject, asked_bits or _anything(), frozenset(patterns.deciding.findall(subject)))


def leaders_of(senses: Sequence[Sense]) -> list[int]:
    """Return for each question the first one that asks the same, or itself, as its leader.

    A question goes over to a later leader that is more similar to it.
    """
    similarity_to = _similarity_to_each(senses)
    deciding = _numbered([sense.deciding for sense in senses])
    sounds = _numbered([_sound(sense.subject) or n for n, sense in enumerate(senses)])
    asked_bits = np.array([sense.wanted for sense in senses], dtype=np.int64)
    leaders = np.full(len(senses), -1)
    best = np.zeros(len(senses))
    # A question that only names a thing may mean any of the questions about it, so it comes last and leads none.
    for row in np.argsort(asked_bits == _anything(), kind="stable"):
        if leaders[row] >= 0:
            continue
        similarities = np.maximum(similarity_to(row), (sounds == sounds[row]) * _SAME_SIMILARITY)
        similar = np.flatnonzero((similarities >= _SAME_SIMILARITY) & (similarities > best))
        similar = similar[(deciding[similar] == deciding[row]) & (asked_bits[similar] & asked_bits[row] > 0)]
        leaders[similar], best[similar] = row, similarities[similar]
        leaders[row], best[row] = row, np.inf
    return [int(number) for number in leaders]


def near_pairs(
    senses: Sequence[Sense], may_pair: Callable[[int, int], bool], min_similarity: float
) -> Iterator[tuple[int, int]]:
    """Find for each question the first earlier one that asks nearly the same, as (earlier, later), where there is one.

    Both want the same, agree in the deciding words, have at least `min_similarity` and `may_pair`. Of earlier ones with
    one sense only the first is compared, so that a file full of copies takes no longer than another.
    """
    weights = [_weights(sense.subject) for sense in senses]
    frequencies: Counter[str] = Counter(term for terms in weights for term in terms)
    rows_by_term: dict[tuple[int, frozenset[str], str], list[int]] = {}
    compared: set[Sense] = set()
    for row, (sense, own) in enumerate(zip(senses, weights, strict=True)):
        row_lists = [
            rows_by_term.setdefault((sense.wanted, sense.deciding, term), [])
            for term in _rare_terms(own, frequencies, min_similarity)
        ]
        for other in sorted({other for rows in row_lists for other in rows}):
            if _similarity(own, weights[other]) >= min_similarity and may_pair(other, row):
                yield other, row
                break
        if sense not in compared:
            compared.add(sense)
            for rows in row_lists:
                rows.append(row)


def _similarity_to_each(senses: Sequence[Sense]) -> Callable[[int], Doubles]:
    """Return a function that gives the similarity of one question to each: twice the weight they share over the weight
    of both (Dice)."""
    numbers: dict[str, int] = {}
    term_ids = [np.array([numbers.setdefault(t, len(numbers)) for t in _compared_terms(s.subject)]) for s in senses]
    rows = np.repeat(np.arange(len(term_ids)), list(map(len, term_ids)))
    flat = np.concatenate([*term_ids, np.zeros(0, dtype=np.int64)])
    weights = np.array(list(map(_weight, numbers)))
    totals = np.bincount(rows, weights[flat], len(term_ids))
    postings = np.split(rows[np.argsort(flat, kind="stable")], np.cumsum(np.bincount(flat))[:-1])

    def similarity_to(row: int) -> Doubles:
        own = term_ids[row]
        rows_with = [postings[term] for term in own]
        repeated = np.repeat(weights[own], list(map(len, rows_with)))
        shared = np.bincount(np.concatenate(rows_with), repeated, len(term_ids))
        similarities: Doubles = 2 * shared / (totals[row] + totals)
        return similarities

    return similarity_to


def _similarity(weights: Mapping[str, float], other: Mapping[str, float]) -> float:
    shared = sum(weight for term, weight in weights.items() if term in other)
    return 2 * shared / (sum(weights.values()) + sum(other.values()))


def _rare_terms(weights: Mapping[str, float], frequencies: Counter[str], min_similarity: float) -> list[str]:
    """List as many of the rarest terms as make sure that a question without any of them has less than
    `min_similarity`."""
    may_lack = sum(weights.values()) * (1 - min_similarity / (2 - min_similarity))
    rare: list[str] = []
    for term in sorted(weights, key=lambda t: (frequencies[t], t)):
        rare.append(term)
        may_lack -= weights[term]
        if may_lack < 0:
            break
    return rare


def _weights(subject: str) -> dict[str, float]:
    return {term: _weight(term) for term in _compared_terms(subject)}


def _compared_terms(subject: str) -> list[str]:
    """List the terms that are compared; the subject itself if it has none."""
    return [term for term in terms_of(subject) if _kind(term) in _KIND_WEIGHTS] or [subject]


def _weight(term: str) -> float:
    light = question_words().light_characters
    return _KIND_WEIGHTS.get(_kind(term), 1.0) * (_LIGHT_FACTOR if light & set(term) else 1.0)


def _kind(term: str) -> str:
    return term[:2] if term[1:2] == ":" else str(len(term))


def _sound(subject: str) -> str:
    return "".join(unit for _, unit in pinyin.spell(subject)) if len(subject) >= _MIN_SOUND_LENGTH else ""


def _numbered(values: Sequence[object]) -> npt.NDArray[np.int64]:
    """Number the different values in order of appearance."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)
