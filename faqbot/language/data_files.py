"""Data files: reads the YAML files of word lists in this package, with the place of a mistake in its error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeVar

import yaml

Words = tuple[str, ...]
_T = TypeVar("_T")

# The loader in C is many times faster; an installation of PyYAML may lack it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class DataNode:
    """A part of a data file, with its place for error messages."""

    value: Any
    place: str

    def __getitem__(self, key: str) -> DataNode:
        value = self._mapping()
        if key not in value:
            raise ValueError(f"{self.place} lacks {key}")
        return DataNode(value[key], f"{self.place}: {key}")

    def map(self, key: str, read: Callable[[str, DataNode], _T]) -> dict[str, _T]:
        """Read each value of the mapping under `key`, given its own key."""
        node = self[key]
        return {name: read(name, node[name]) for name in node._mapping()}

    def words(self) -> Words:
        """Read a list of words, none of them empty or twice in it."""
        value = self.value
        if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
            raise ValueError(f"{self.place} is no list of words")
        if len(set(value)) < len(value):
            raise ValueError(f"{self.place} has a word twice")
        return tuple(value)

    def word_lists(self) -> tuple[Words, ...]:
        """Read a mapping of names to lists of words; the names are for the reader only."""
        return tuple(self[name].words() for name in self._mapping())

    def numbers(self) -> dict[str, float]:
        """Read a mapping of words to numbers."""
        value = self._mapping()
        if not all(isinstance(number, int | float) for number in value.values()):
            raise ValueError(f"{self.place} is no mapping of words to numbers")
        return value

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise ValueError(f"{self.place} is no text")
        return self.value

    def _mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict) or not all(isinstance(key, str) for key in self.value):
            raise ValueError(f"{self.place} is no mapping of names")
        return self.value


def read_data(name: str) -> DataNode:
    """Read a data file of this package, by its name in `data/`."""
    text = files("faqbot.language").joinpath("data", name).read_text(encoding="utf-8")
    return DataNode(yaml.load(text, _LOADER), name)
