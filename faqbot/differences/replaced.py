"""Replaced characters: finds words that differ in one character, which makes another thing: 借入/借出, 王建国/王建华.

Characters that sound alike or nearly (报消/报销) or stand for each other (饭卡/餐卡) make none. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice

from rapidfuzz.distance.Levenshtein import opcodes

from faqbot.language import pinyin
from faqbot.language.normalize import is_han
from faqbot.language.vocabulary import characters
from faqbot.model.differences import Difference, DifferenceKind

# Where more characters of some weight than these differ beside the replaced one, the texts are put otherwise, and
# nothing says that the two characters stand for the same part of them.
_MAX_OTHER_CHARACTERS = 1
# A longer piece is no word.
_MAX_WORD = 4
# Characters of weight that the name of a thing has.
_MIN_WEIGHTY = 2
_NOT_WORD = re.compile(r"\W")


def replaced_differences(question: str, wording: str, is_written: Callable[[str], bool]) -> Iterator[Difference]:
    """Find the words of a question that are those of the wording but for one character.

    is_written: returns whether some wording of the entry has a text.
    """
    operations = opcodes(question, wording)
    tags = ["equal", *(op.tag for op in operations), "equal"]
    replaced: list[tuple[int, int]] = []
    others = ""
    for number, op in enumerate(operations):
        if op.tag == "equal":
            continue
        start, end, other_start, other_end = op.src_start, op.src_end, op.dest_start, op.dest_end
        single = op.tag == "replace" and end - start == 1 == other_end - other_start
        if not single or tags[number] != "equal" or tags[number + 2] != "equal":
            others += question[start:end] + wording[other_start:other_end]
        elif _is_another(question[start], wording[other_start]):
            replaced.append((start, other_start))
    if not replaced or _weighty(others) + len(replaced) - 1 > _MAX_OTHER_CHARACTERS:
        return
    for start, other_start in replaced:
        asked, written = _words_at(question, start, wording, other_start)
        if written and not is_written(asked):
            yield Difference(DifferenceKind.NAME, asked, written)


def word_differences(question: str, wording: str, is_known: Callable[[str], bool]) -> Iterator[Difference]:
    """Find the word of a question in the place of another of the wording, where both are else the same.

    is_known: returns whether some text of the entry has a word or one that sounds like it, which then is no stranger.
    """
    weighty = ((asked, written) for asked, written, _ in _pieces(question, wording) if _weighty(asked + written))
    pieces = list(islice(weighty, 2))
    if len(pieces) != 1:
        return
    asked, written = map(_stripped, pieces[0])
    if not (_is_word(asked) and _is_word(written)) or set(asked) & set(written) or _sounds_like(asked, written):
        return
    if not any(is_known(asked[n : n + 2]) for n in range(len(asked) - 1)):
        yield Difference(DifferenceKind.SUBJECT, asked, written)


def _sounds_like(word: str, other: str) -> bool:
    """Return True if half of the characters of a word may be slips of those of another."""
    alike = sum(bool(pinyin.sounds_of(c) & pinyin.sounds_of(o)) for c, o in zip(word, other, strict=False))
    return len(word) == len(other) and alike * 2 >= len(word)


def substitutions(question: str, wording: str) -> Iterator[tuple[str, str, str]]:
    """Return each piece of a question with that of the wording in its place, and the wording if it had the former."""
    for asked, written, start in _pieces(question, wording):
        if asked and written:
            yield asked, written, bare(wording[:start] + asked + wording[start + len(written) :])


def bare(text: str) -> str:
    """Return a text without blanks and punctuation."""
    return _NOT_WORD.sub("", text).casefold()


def _pieces(question: str, wording: str) -> Iterator[tuple[str, str, int]]:
    """Return what differs, piece by piece, with its place in the wording; a single character that is the same does not
    part two pieces."""
    start = other_start = end = other_end = 0
    for op in opcodes(question, wording):
        if op.tag == "equal" and op.src_end - op.src_start > 1:
            if end > start or other_end > other_start:
                yield question[start:end], wording[other_start:other_end], other_start
            start, other_start = op.src_end, op.dest_end
        end, other_end = op.src_end, op.dest_end
    if end > start or other_end > other_start:
        yield question[start:end], wording[other_start:other_end], other_start


def _stripped(piece: str) -> str:
    return piece.strip(characters().particles + " ")


def _is_word(piece: str) -> bool:
    """Return True if a piece names a thing, as far as its characters say."""
    if any(word in piece for word in characters().general_words):
        return False
    if not 1 < len(piece) <= _MAX_WORD or _weighty(piece) < _MIN_WEIGHTY:
        return False
    return all(is_han(c) and c not in characters().particles for c in piece)


def _is_another(character: str, other: str) -> bool:
    light = characters().light
    if not (is_han(character) and is_han(other)) or character in light or other in light:
        return False
    if pinyin.sounds_of(character) & pinyin.sounds_of(other):
        return False
    return not _groups().get(character, frozenset()) & _groups().get(other, frozenset())


def _words_at(question: str, start: int, wording: str, other_start: int) -> tuple[str, str]:
    """Return the character with one beside it that both texts have there; empty where they share none of weight."""
    for before, behind in ((1, 1), (0, 2)):
        asked = question[max(0, start - before) : start + behind]
        written = wording[max(0, other_start - before) : other_start + behind]
        shared = asked[0] if before else asked[-1]
        if len(asked) == 2 == len(written) and shared in written and _weighty(shared):
            return asked, written
    return "", ""


def _weighty(text: str) -> int:
    light = characters().light
    return sum([is_han(c) and c not in light for c in text])


@cache
def _groups() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, group in enumerate(characters().same):
        for character in group:
            groups.setdefault(character, set()).add(number)
    return {character: frozenset(numbers) for character, numbers in groups.items()}
