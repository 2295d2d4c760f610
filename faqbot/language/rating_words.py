"""Rating words: the whole messages that say whether an answer helped, by the rating that they give. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from faqbot.language.data_files import read_data
from faqbot.language.normalize import normalise
from faqbot.language.vocabulary import any_of

# A longer message says something, even in light words.
_MAX_CHARS = 18


@dataclass(frozen=True, slots=True)
class SaidRating:
    """A rating that a message gives, by its name in the data file; `always` where it needs no answer before it."""

    name: str
    always: bool


@dataclass(frozen=True, slots=True)
class _Patterns:
    always: Mapping[str, re.Pattern[str]]
    after_an_answer: Mapping[str, re.Pattern[str]]
    refusals: re.Pattern[str]


def said_rating(text: str) -> SaidRating | None:
    """Read the rating that a whole message gives; None for any other message."""
    words = _words(text)
    if not words:
        return None
    for by_name, always in ((_patterns().always, True), (_patterns().after_an_answer, False)):
        for name, pattern in by_name.items():
            if pattern.fullmatch(words):
                return SaidRating(name, always)
    return None


def is_refusal(text: str) -> bool:
    """Return True for 不是 and the like, which refuse an answer that was just given."""
    return bool(_patterns().refusals.fullmatch(_words(text)))


def _words(text: str) -> str:
    words = normalise(text)
    return words if len(words) <= _MAX_CHARS else ""


@cache
def _patterns() -> _Patterns:
    node = read_data("ratings.yaml")
    before, behind = (any_of(sorted(node[name].words(), key=len, reverse=True)) for name in ("before", "behind"))

    def whole(words: str) -> re.Pattern[str]:
        return re.compile(rf"(?:(?:{before})\s*)*?(?:{words})(?:\s*(?:{behind}))*")

    def by_name(group: str) -> dict[str, re.Pattern[str]]:
        return node.map(group, lambda _, words: whole(any_of(words.words())))

    return _Patterns(by_name("always"), by_name("after_an_answer"), whole(any_of(node["refusals"].words())))
