"""Words for places beyond their names: nicknames, districts, abbreviations, and what only looks like a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from faqbot.language.data_files import DataNode, Words, read_data


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """The other words for cities, each with its city, and the words that tell whether a name means a place.

    abbreviations: single characters for cities; latin: cities in Latin letters.
    areas: the province of each city; groups: the places behind a word for several.
    ordinary: names that are also ordinary words.
    not_behind, not_before: the characters around a name with which it is no place.
    things: words behind a place that make another thing of the two, as regular expressions.
    """

    nicknames: Mapping[str, str]
    districts: Mapping[str, str]
    abbreviations: Mapping[str, str]
    latin: Mapping[str, str]
    areas: Mapping[str, str]
    groups: Mapping[str, Words]
    ordinary: frozenset[str]
    not_behind: Mapping[str, str]
    not_before: Mapping[str, str]
    things: Words


@cache
def place_words() -> PlaceWords:
    node = read_data("places.yaml")
    return PlaceWords(
        _by_word(node, "nicknames"),
        _by_word(node, "districts"),
        _texts(node, "abbreviations"),
        _texts(node, "latin"),
        _by_word(node, "provinces"),
        node.map("groups", lambda _, words: words.words()),
        frozenset(node["ordinary"].words()),
        _texts(node, "not_behind"),
        _texts(node, "not_before"),
        node["things"].words(),
    )


def _by_word(node: DataNode, key: str) -> dict[str, str]:
    """Read a mapping of names to lists of words, as the name for each word."""
    lists = node.map(key, lambda _, words: words.words())
    return {word: name for name, words in lists.items() for word in words}


def _texts(node: DataNode, key: str) -> dict[str, str]:
    return node.map(key, lambda _, text: text.text())
