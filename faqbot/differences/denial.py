"""Denial: finds that one text denies a plain statement of the other: 年假没休完 and 年假休完了. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from faqbot.language.vocabulary import any_of, compile_any, contrasts
from faqbot.model.differences import Difference, DifferenceKind


class Denials(NamedTuple):
    """The denials of a text, with the words of each denial, and the text without words that only look like one.

    denied: the character behind each denial, the denial with it, and the two characters behind.
    negative: it has a word that denies, whatever it denies.
    """

    denied: tuple[tuple[str, str, str], ...]
    said: str
    negative: bool


def read_denials(plain: str) -> Denials:
    if not _may_deny().search(plain):
        return Denials((), plain, bool(_negative_word().search(plain)))
    said = _either_or().sub(" ", _idiom().sub(" ", plain))
    found = ((match["what"], match[0], said[match.start("what") :][:2]) for match in _negation().finditer(said))
    denied = tuple(words for words in found if words[0].strip())
    return Denials(denied, said, bool(_negative_word().search(said)))


def denial_differences(
    question: Denials, wording: Denials, others: Iterable[Denials], similar: bool
) -> Iterator[Difference]:
    """Find what one of the two denies and the other says plainly, unless another wording denies as the question does.

    similar: the two are so similar that one character which both have is the same word.
    """
    for what, words in _denied_of(question, wording, similar):
        if not any(words == denied for other in others for _, denied, _ in other.denied):
            yield Difference(_kind(words), words, what)
    for what, words in _denied_of(wording, question, similar):
        yield Difference(_kind(words), what, words)


def _denied_of(denying: Denials, saying: Denials, similar: bool) -> Iterator[tuple[str, str]]:
    for what, words, more in denying.denied:
        # Where the denied is a negative word itself (没有忘记), the other text is plain although it has it.
        plain = not saying.denied if _negative_word().fullmatch(what) else not saying.negative
        if plain and (what if similar else more) in saying.said:
            yield what, words


def _kind(words: str) -> DifferenceKind:
    return DifferenceKind.PERMISSION if _permission().match(words) else DifferenceKind.NEGATION


@cache
def _negation() -> re.Pattern[str]:
    return re.compile(f"(?:{any_of(contrasts().denial.negations)})(?P<what>.?)")


@cache
def _may_deny() -> re.Pattern[str]:
    return re.compile(f"[{''.join({word[0] for word in contrasts().denial.negations})}]")


@cache
def _permission() -> re.Pattern[str]:
    return compile_any(contrasts().denial.forbidding)


@cache
def _negative_word() -> re.Pattern[str]:
    return compile_any(contrasts().denial.negative_words)


@cache
def _either_or() -> re.Pattern[str]:
    return compile_any(contrasts().denial.either_or)


@cache
def _idiom() -> re.Pattern[str]:
    return compile_any(contrasts().denial.idioms)
