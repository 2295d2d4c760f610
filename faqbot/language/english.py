"""English: recognises questions in English, and finds the Chinese words for what they are about. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from faqbot.language.data_files import read_data
from faqbot.language.normalize import is_han, normalise
from faqbot.language.pinyin import syllables
from faqbot.language.vocabulary import any_of

# Two words may be the name of anything.
_MIN_WORDS = 3


@dataclass(frozen=True, slots=True)
class _Words:
    asking: frozenset[str]
    light: frozenset[str]
    chinese: Mapping[str, str]
    pattern: re.Pattern[str]


@cache
def _words() -> _Words:
    node = read_data("english.yaml")
    chinese = node.map("words", lambda _, word: word.text())
    long_first = sorted(chinese, key=len, reverse=True)
    return _Words(
        frozenset(node["asking"].words()),
        frozenset(node["light"].words()),
        chinese,
        re.compile(rf"\b(?:{any_of(long_first)})\b"),
    )


def is_english_question(text: str) -> bool:
    """Return True for a sentence in English that asks; not for pinyin, a name or an error message."""
    normalised = normalise(text)
    words = re.findall("[a-z]+", normalised)
    if len(words) < _MIN_WORDS or "://" in text or any(map(is_han, normalised)):
        return False
    node = _words()
    if not any(word in node.asking for word in words):
        return False
    others = [word for word in words if word not in node.asking and word not in node.light]
    is_sentence = len(others) < len(words) - 1 or words[0] in node.asking
    return is_sentence and not (others and all(syllables(word) is not None for word in others))


def in_chinese(text: str) -> str:
    """Return the Chinese words for what an English text is about, in its order; empty where none is known."""
    words = _words()
    return "".join(words.chinese[found] for found in words.pattern.findall(normalise(text)))
