"""Codes: reads Latin words and numbers with letters in a Chinese text, and finds those unknown to an entry: B-2座, KPO.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache

from rapidfuzz import fuzz

from faqbot.language import pinyin
from faqbot.language.normalize import HAN
from faqbot.language.vocabulary import builtin_synonyms, contrasts
from faqbot.model.differences import Difference, DifferenceKind

# One letter of a building or a shift, one letter and a number, or a Latin word with what is joined to it.
_TOKEN = re.compile(
    r"(?<![a-z0-9.])(?:[a-z][座栋幢区楼类级档班组岗线库门款仓口]|[a-z](?: \d+)(?![\d.])"
    r"|[a-z]+(?:[-_.]?\d[a-z0-9]*|[-_][a-z][a-z0-9]*)*)"
)
_NOT_IN_CODE = re.compile(r"[-_. ]")
_DIGIT = re.compile(r"\d")
_HAN = re.compile(f"[{HAN}]")
# A longer Latin word that is this similar to one of the entry is a slip of it.
_MIN_SLIP_LENGTH, _SLIP_SIMILARITY = 5, 75

# By the form in which codes are compared: the words of the text.
Codes = Mapping[str, str]


def read_codes(text: str) -> tuple[Codes, str]:
    """Return the codes and Latin words of a lower-case text, and the text with a blank in place of each."""
    if not re.search("[a-z]", text):
        return {}, text
    codes = {_NOT_IN_CODE.sub("", match[0]): match[0] for match in _TOKEN.finditer(text)}
    return codes, _TOKEN.sub(" ", text)


def code_differences(text: str, question: Codes, wording: Codes, entry: Set[str], sounds: str) -> Iterator[Difference]:
    """Find the codes and Latin words of a Chinese question that the entry does not mention.

    entry: the codes in all texts of the entry; sounds: the initials of its wordings, in which abbreviations stand.
    """
    if not question or not _HAN.search(text):
        return
    unasked = [code for code in wording if code not in question]
    for code, words in question.items():
        letters = [other for other in unasked if len(code) == 1 == len(other)]
        if code in entry or not (letters or _is_name(code)) or _is_written_out(code, entry, sounds):
            continue
        alike = [other for other in unasked if bool(_DIGIT.search(other)) == bool(_DIGIT.search(code))]
        written = wording[alike[0]].upper() if alike else ""
        yield Difference(DifferenceKind.CODE, words.upper() if _DIGIT.search(code) or written else words, written)


def _is_name(code: str) -> bool:
    """Return True if a Latin word names something: not a letter, an English function word or typed pinyin."""
    if len(code) < 2 or code in builtin_synonyms().stop_words or code in _common_words():
        return False
    return not code.isalpha() or not code.isascii() or len(code) <= 3 or pinyin.syllables(code) is None


def _is_written_out(code: str, entry: Set[str], initials: str) -> bool:
    """Return True if the entry has what is abbreviated, or of what this is a slip."""
    if len(code) > 1 and code.isalpha() and code in initials:
        return True
    if len(code) < _MIN_SLIP_LENGTH or _DIGIT.search(code):
        return False
    return any(fuzz.ratio(code, other) >= _SLIP_SIMILARITY for other in entry)


def initials_of(texts: Iterable[str]) -> str:
    """Return the first letters of the sounds of texts: 发票 is fp."""
    return " ".join("".join(map(pinyin.initial, text)) for text in texts)


@cache
def _common_words() -> frozenset[str]:
    return frozenset(contrasts().common_latin_words)
