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
    """Lists of words by key. Only lists are tried of which a text has a character, because most texts touch few."""

    def __init__(self, lists: Mapping[_T, Words]) -> None:
        self._patterns = {key: compile_any(words) for key, words in lists.items()}
        self._keys_by_character: dict[str, list[_T]] = {}
        for key, words in lists.items():
            for character in dict.fromkeys(c for word in words for c in _needed_characters(word)):
                self._keys_by_character.setdefault(character, []).append(key)

    def find(self, text: str) -> dict[_T, str]:
        """Return the keys of the lists that a text has a word of, each with the first word found."""
        keys = dict.fromkeys(key for c in text for key in self._keys_by_character.get(c, ()))
        found = ((key, self._patterns[key].search(text)) for key in keys)
        return {key: match[0] for key, match in found if match}


def _needed_characters(word: str) -> str:
    """Return characters of which a text must have at least one if it matches a word."""
    if _PLAIN_WORD.fullmatch(word):
        return word[0]
    return "".join(_LITERAL.findall(_LOOKAROUND.sub("", word)))
