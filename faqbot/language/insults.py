"""Insults: recognises insults and swear words, and takes them out of a message that also asks something. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from faqbot.language.data_files import read_data
from faqbot.language.normalize import MAX_MATCHED_CHARS, normalise, only_fillers, simplified
from faqbot.language.remarks import remark_kind
from faqbot.language.small_talk_words import is_chat_words
from faqbot.language.vocabulary import any_of

_SPACES = re.compile(r"[ \t　]+")
# The you of fuck you.
_LEAST_CHARS = 3
_LATIN_WORD = re.compile("[a-z0-9]+")
_BETWEEN_LETTERS = " .。*-_·,，"
# The converter to simplified script leaves these.
_SAME = {"妳": "你"}
# Marks that are left at the ends once an insult is taken out.
_LEFT_OVER = " \t\n　,，.。!！;；、~～:：*"


def without_insults(text: str) -> str:
    """Take the insults out of a text; it stays as it is where it has none, or where nothing else is said."""
    clean = _clean(text)
    return text if clean == text or _says_nothing(clean) else clean


def only_insults(text: str) -> bool:
    """Return True for a text that insults or swears and says nothing else."""
    words = normalise(text)
    if _patterns().alone.fullmatch(words):
        return True
    clean = _clean(text)
    return clean != text and _says_nothing(clean)


def _says_nothing(clean: str) -> bool:
    words = normalise(clean)
    if len(words) <= _LEAST_CHARS and words.isascii():
        return True
    return only_fillers(words) or is_chat_words(clean) or remark_kind(clean) is not None


def _clean(text: str) -> str:
    """Return the text without insults, which may be spelt with blanks and marks between: 傻.逼."""
    if len(text) > MAX_MATCHED_CHARS:
        return text
    letters, places = _letters(text)
    dropped: set[int] = set()
    for pattern in (_patterns().strong, _patterns().weak):
        for match in pattern.finditer(letters):
            start, end = places[match.start()], places[match.end() - 1] + 1
            if _is_of_whole_words(text, start, end):
                dropped.update(range(start, end))
    if not dropped:
        return text
    kept = "".join(" " if n in dropped else character for n, character in enumerate(text))
    return _SPACES.sub(" ", kept).strip(_LEFT_OVER)


def _is_of_whole_words(text: str, start: int, end: int) -> bool:
    """Return False where an insult in Latin letters is only a part of words: the nt of explain to."""
    words = [word for word in _LATIN_WORD.finditer(text.casefold()) if word.start() < end and word.end() > start]
    if any(word.start() < start or word.end() > end for word in words):
        return False
    # c n m is spelt with blanks; cn m is no such word.
    side_by_side = (
        one.end() < two.start() and not text[one.end() : two.start()].strip(_BETWEEN_LETTERS)
        for one, two in pairwise(words)
    )
    return not any(side_by_side) or all(len(word[0]) == 1 for word in words)


def _letters(text: str) -> tuple[str, list[int]]:
    """Return the letters of a text in lower case and simplified script, each with its place in the text."""
    letters: list[str] = []
    places: list[int] = []
    for n, character in enumerate(text):
        for letter in unicodedata.normalize("NFKC", character).casefold():
            letter = _SAME.get(letter, letter)
            if letter.isalnum() or letter == "×":
                letters.append(letter)
                places.append(n)
    plain = "".join(letters)
    same_length = simplified(plain)
    return (same_length if len(same_length) == len(plain) else plain), places


@dataclass(frozen=True, slots=True)
class _Patterns:
    strong: re.Pattern[str]
    weak: re.Pattern[str]
    alone: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    node = read_data("insults.yaml")
    weak, you, bot, between, behind = (
        any_of(node[name].words()) for name in ("weak", "you", "bot", "between", "behind")
    )
    # 你笨 and 垃圾机器人 are insults, 你有病假吗 is none.
    beside = rf"(?:{you}|{bot})(?:{between}){{0,4}}(?:{weak})(?!假|圾|卡|历|证|费|工|率|期)(?:{behind}){{0,2}}"
    before = rf"(?:{weak})的?(?:{bot})"
    return _Patterns(
        strong=re.compile(rf"(?:{any_of(node['strong'].words())})(?:的?(?:{any_of(node['nouns'].words())}))?"),
        weak=re.compile(f"{beside}|{before}"),
        alone=re.compile(f"(?:{between}){{0,4}}(?:{any_of(node['alone'].words())}|{weak})(?:{behind}){{0,2}}"),
    )
