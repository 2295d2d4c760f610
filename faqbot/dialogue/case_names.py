"""Names of the cases of an answer (`ask`): the words and the places that each of them stands for. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from faqbot.dialogue.case_ranges import is_amount
from faqbot.language.gazetteer import PlaceMention, is_place, place_mentions
from faqbot.language.normalize import normalise
from faqbot.language.place_words import place_words
from faqbot.model.entries import ELSE, Entry

# The name of the fallback case in a list.
ELSE_NAME = "其他"
_PADDING = re.compile(
    "[我们是在的人呢吧啊呀哦就应该]|办公|公司|参保|工作|上班|目前|现在|这边|那边|地区|员工|城市|选|base|市$"
)
# Words for the office in a place: 上海总部 is the case of 上海.
_OFFICE = re.compile(
    r"(?:总部|[分子]?公司|办公室|办事处|工?厂|基地|园区|职场|分部|(?:研发)?中心|门店|市|省|地区|区|含)+$"
)
_BETWEEN_PLACES = re.compile(r"[、/,，;；()（）\s]|和|及|与")
_RULING_OUT = re.compile("^(?:非|除了?|不在)|(?:以外|之外|除外|外)$")
_NUMERALS = "一二三四五六七八九十百"


def case_name(case: str) -> str:
    return ELSE_NAME if case == ELSE else case


def without_padding(text: str) -> str:
    """Remove padding, unless the text is nothing else: 是 may be a case."""
    plain = normalise(text)
    return _PADDING.sub("", plain) or plain.rstrip("的啊呀呢吧") or plain


def core_of(text: str) -> str:
    """Return the words of a reply without padding; empty if it is nothing else."""
    return _PADDING.sub("", normalise(text))


@dataclass(frozen=True, slots=True)
class CaseNames:
    """The ways in which a text may name the cases of an entry.

    by_word: the case of each word, such as 外包员工 and 外包; not numbers, nor places.
    places: the places that each case stands for, if it stands for places only.
    names: the cases but the fallback.
    """

    by_word: Mapping[str, str]
    places: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    has_else: bool

    @classmethod
    def of(cls, entry: Entry) -> CaseNames:
        names = tuple(case for case in entry.variants if case != ELSE)
        places = {case: found for case in names if (found := _places_of(case))}
        by_word: dict[str, str] = {}
        for case in names:
            if case in places or is_amount(case):
                continue
            for word in (normalise(case), without_padding(case)):
                if len(word) > 1:
                    by_word.setdefault(word, case)
        return cls(by_word, places, names, ELSE in entry.variants)

    def case_of_place(self, place: PlaceMention) -> str | None:
        """Find the case that holds for a place: its own, that of its city or province, or the fallback.

        None if it cannot be told: only a part of the place is a case, or the cases are not all places.
        """
        named = {name: case for case, names in self.places.items() for name in names if not _rules_out(case)}
        for name in place.names:
            if name in named:
                return named[name]
        if any(set(place.names) & set(_wider(name)) for name in named):
            return None
        if others := [case for case in self.places if _rules_out(case)]:
            is_ruled_out = any(set(place.names) & set(self.places[case]) for case in others)
            return others[0] if len(others) == 1 and not is_ruled_out else None
        return ELSE if self.has_else and len(self.places) == len(self.names) else None

    def case_of_kind(self, word: str) -> str | None:
        """Return the fallback for a word of the kind of a case, as 外包员工 beside 正式员工; None for any other."""
        kind = normalise(word)[-_KIND_SUFFIX_CHARS:]
        is_same = len(normalise(word)) > _KIND_SUFFIX_CHARS and any(
            normalise(case).endswith(kind) for case in self.names if case not in self.places
        )
        return ELSE if is_same and self.has_else else None


# Replies and cases with the same last characters are of one kind, as 外包员工 and 正式员工.
_KIND_SUFFIX_CHARS = 2


def bounded(word: str) -> str:
    """Return the pattern of a word that is no part of a longer number: no 二厂 in 十二厂, no 3号楼 in 13号楼."""
    before = rf"(?<![{_NUMERALS}])" if word[0] in _NUMERALS else r"(?<![0-9a-z])" if word[0].isascii() else ""
    after = r"(?![0-9a-z])" if word[-1].isascii() else ""
    return before + re.escape(word) + after


def _places_of(case: str) -> tuple[str, ...]:
    """List the places that a case stands for; empty if it says anything else."""
    found: list[str] = []
    for part in filter(None, _BETWEEN_PLACES.split(_RULING_OUT.sub("", unicodedata.normalize("NFKC", case)))):
        names = _place_names(part)
        if not names:
            return ()
        found += names
    return tuple(found)


def _place_names(part: str) -> tuple[str, ...]:
    word = normalise(part)
    if word in place_words().groups:
        return place_words().groups[word]
    core = word if is_place(word) else _OFFICE.sub("", word)
    mentions = place_mentions(core)
    if len(mentions) == 1 and mentions[0].start == 0 and (mentions[0].end == len(core) or is_place(core)):
        return (mentions[0].names[0],)
    return (core,) if is_place(core) else ()


def _rules_out(case: str) -> bool:
    return _RULING_OUT.search(unicodedata.normalize("NFKC", case)) is not None


def _wider(name: str) -> tuple[str, ...]:
    """List the places that a place is a part of."""
    mentions = place_mentions(name)
    return mentions[0].names[1:] if mentions else ()
