"""Lexicon: finds which of many lists of words, some of them regular expressions, a text has. Pure."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from faqbot.language.vocabulary import Words, compile_any

_T = TypeVar("_T", bound=Hashable)

_LOOKAROUND = re.compile(r"\(\?<?[!=](?:[^()]|\([^()]*\))*\)")
_LITERAL = re.compile(r"[\u3400-\u9fffa-z0-9]")
_PLAIN_WORD = re.compile(r"[\u3400-\u9fffa-z0-9]+")


class Lexicon(Generic[_T]):
    """Lists of words by key. Only lists are tried of which a text has the beginning of a word, because most texts touch
    few."""

    def __init__(self, lists: Mapping[_T, Words]) -> None:
        self._patterns = {key: compile_any(words) for key, words in lists.items()}
        # By two characters with which a word begins, or one that it may have.
        self._keys_by_beginning: dict[str, list[_T]] = {}
        for key, words in lists.items():
            for beginning in dict.fromkeys(beginning for word in words for beginning in _beginnings(word)):
                self._keys_by_beginning.setdefault(beginning, []).append(key)

    def find(self, text: str) -> dict[_T, str]:
        """Return the keys of the lists that a text has a word of, each with the first word found."""
        by_beginning = self._keys_by_beginning
        keys: dict[_T, None] = {}
        for beginning in (*text, *map(str.__add__, text, text[1:])):
            if beginning in by_beginning:
                keys.update(dict.fromkeys(by_beginning[beginning]))
        found: dict[_T, str] = {}
        for key in keys:
            if match := self._patterns[key].search(text):
                found[key] = match[0]
        return found


def _beginnings(word: str) -> tuple[str, ...]:
    """Return pieces of which a text must have at least one if it matches a word."""
    if _PLAIN_WORD.fullmatch(word):
        return (word[:2],)
    return tuple(_LITERAL.findall(_LOOKAROUND.sub("", word)))
