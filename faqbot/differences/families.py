"""Families: finds that a question is about a kind of a thing that the entry does not know: 流产假 for 产假. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from faqbot.language import pinyin
from faqbot.language.normalize import HAN
from faqbot.language.vocabulary import any_of, family_words
from faqbot.model.differences import Difference, DifferenceKind

# By the word for a thing of a kind (考试假), what it is called in general (假).
Members = Mapping[str, str]


def members_in(plain: str) -> Members:
    """Return the words of a text that name a kind of one of the listed things."""
    return {
        match["kind"] + match["thing"]: match["thing"]
        for match in _member().finditer(plain)
        if not _no_kind().search(match["kind"])
    }


def family_differences(question: Members, wording: Members, entry_text: str, entry_sound: str) -> Iterator[Difference]:
    """Find the kinds that no text of the entry names.

    entry_text, entry_sound: all its texts in a row, and their sound, by which a slip is no other kind.
    """
    for word, thing in question.items():
        kind = word.removesuffix(thing)
        known = (
            (len(kind) > 1 and kind in entry_text)
            or kind[-1] + thing in entry_text
            or sound_of(kind + thing) in entry_sound
        )
        if not known and thing in entry_text:
            written = next((other for other, its_thing in wording.items() if its_thing == thing), "")
            yield Difference(DifferenceKind.FAMILY, word, written)


def sound_of(text: str) -> str:
    return "".join(map(pinyin.of_character, text))


@cache
def _member() -> re.Pattern[str]:
    things = any_of(family_words().things)
    return re.compile(rf"(?P<kind>[{HAN}]{{1,2}})(?P<thing>{things})(?![{family_words().not_behind}])")


@cache
def _no_kind() -> re.Pattern[str]:
    return re.compile(any_of(family_words().no_kinds))
