"""Lexicon: finds which of many lists of words, some of them regular expressions, a text has. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from faqbot.language.data_files import Words
from faqbot.language.vocabulary import compile_any, contrasts, places

_LOOKAROUND = re.compile(r"\(\?<?[!=](?:[^()]|\([^()]*\))*\)")
_LITERAL = re.compile(r"[\u3400-\u9fffa-z0-9]")
_PLAIN_WORD = re.compile(r"[\u3400-\u9fffa-z0-9]+")


class Side(NamedTuple):
    """One side of a matter, by their names in the word list."""

    matter: str
    side: str


class Kind(NamedTuple):
    """A kind of a thing: the name of the thing, and the number of the kind in the word list."""

    thing: str
    number: int


class Condition(NamedTuple):
    """A condition, by its number in the word list."""

    number: int


class PlaceName(NamedTuple):
    """A place, by its name."""

    name: str


Key = Side | Kind | Condition | PlaceName


class Lexicon:
    """Lists of words by key. Only lists are tried of which a text has the beginning of a word, because most texts touch
    few."""

    def __init__(self, lists: Mapping[Key, Words]) -> None:
        self._patterns = {key: compile_any(words) for key, words in lists.items()}
        # By two characters with which a word begins, or one that it may have.
        self._keys_by_beginning: dict[str, list[Key]] = {}
        for key, words in lists.items():
            for beginning in dict.fromkeys(beginning for word in words for beginning in _beginnings(word)):
                self._keys_by_beginning.setdefault(beginning, []).append(key)

    def find(self, text: str) -> dict[Key, str]:
        """Return the keys of the lists that a text has a word of, each with the first word found."""
        by_beginning = self._keys_by_beginning
        keys: dict[Key, None] = {}
        for beginning in (*text, *map(str.__add__, text, text[1:])):
            if beginning in by_beginning:
                keys.update(dict.fromkeys(by_beginning[beginning]))
        found: dict[Key, str] = {}
        for key in keys:
            if match := self._patterns[key].search(text):
                found[key] = match[0]
        return found


def _beginnings(word: str) -> tuple[str, ...]:
    """Return pieces of which a text must have at least one if it matches a word."""
    if _PLAIN_WORD.fullmatch(word):
        return (word[:2],)
    return tuple(_LITERAL.findall(_LOOKAROUND.sub("", word)))


@cache
def lexicon() -> Lexicon:
    """Return all lists in one, so that a text is gone through once."""
    words = contrasts()
    lists: dict[Key, Words] = {}
    for matter, sides in words.opposites.items():
        lists |= {Side(matter, side): listed for side, listed in sides.items()}
    for thing, kinds in words.kinds.items():
        lists |= {Kind(thing, number): listed for number, listed in enumerate(kinds)}
    lists |= {Condition(number): listed for number, listed in enumerate(words.conditions)}
    lists |= {PlaceName(name): (name,) for name in places().names if name not in places().elsewhere}
    return Lexicon(lists)
