"""What the knowledge base writes for a sound: homophones repaired, typed pinyin and abbreviations written out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from faqbot.language import pinyin
from faqbot.language.normalize import is_han
from faqbot.search.features import FeatureTable

Spelled = tuple[str, str]  # what is written, the unit it sounds like

_ABBREVIATION = re.compile(r"[a-z]{2,6}$")


class Spellings:
    """Learns from all wordings (`raws`) and how they sound (`sounds`), row by row."""

    def __init__(self, raws: Sequence[str], sounds: Sequence[str]) -> None:
        self._raws = raws
        self._initials: list[str] | None = None
        self._abbreviated: dict[str, str] = {}
        pairs: dict[str, Counter[str]] = {}
        for raw, heard in zip(raws, sounds, strict=True):
            # Only where each character is one unit do writing and sound stand side by side.
            if len(raw) == len(heard):
                for i in range(len(raw) - 1):
                    if is_han(raw[i]) and is_han(raw[i + 1]):
                        pairs.setdefault(heard[i : i + 2], Counter())[raw[i : i + 2]] += 1
        self._pairs = {heard: [pair for pair, _ in counts.most_common()] for heard, counts in pairs.items()}

    def read_letters(self, spelled: Sequence[Spelled], words: frozenset[str]) -> list[str]:
        """Write typed pinyin and abbreviations as the knowledge base does; Chinese characters stay."""
        wanted = self._wanted(spelled, [not is_han(span) for span, _ in spelled])
        return [
            choice
            if choice
            else self._spelled_out(span)
            if span == unit and span not in words and _ABBREVIATION.match(span)
            else span
            for (span, unit), choice in zip(spelled, wanted, strict=True)
        ]

    def repair(self, spelled: Sequence[Spelled], table: FeatureTable) -> list[str]:
        """Replace neighbours that nobody wrote here but that sound like a pair somebody did."""
        spans = [span for span, _ in spelled]
        # At either end a character stands beside itself.
        pairs = map("".join, zip([*spans[:1], *spans], [*spans, *spans[-1:]], strict=True))
        known = [len(pair) == 2 and table.knows(pair) for pair in pairs]
        odd = [not (before or after) for before, after in pairwise(known)]
        return [choice or span for span, choice in zip(spans, self._wanted(spelled, odd), strict=True)]

    def _wanted(self, spelled: Sequence[Spelled], free: Sequence[bool]) -> list[str]:
        """For each unit that is free to change, the character its neighbours ask for, the left one first."""
        wanted = [""] * len(spelled)
        for i in range(len(spelled) - 1):
            if not (free[i] or free[i + 1]):
                continue
            (left, left_unit), (right, right_unit) = spelled[i], spelled[i + 1]
            for pair in self._pairs.get(left_unit + right_unit, ()):
                if (free[i] or pair[0] == left) and (free[i + 1] or pair[1] == right):
                    if free[i] and not wanted[i]:
                        wanted[i] = pair[0]
                    if free[i + 1]:
                        wanted[i + 1] = pair[1]
                    break
        return wanted

    def _spelled_out(self, letters: str) -> str:
        """The words abbreviated most often like this: gjj → 公积金; the letters if nobody wrote such words."""
        if letters not in self._abbreviated:
            if self._initials is None:
                self._initials = ["".join(map(pinyin.initial, raw)) for raw in self._raws]
            found: Counter[str] = Counter()
            for raw, initials in zip(self._raws, self._initials, strict=True):
                at = initials.find(letters)
                if at >= 0 and all(map(is_han, raw[at : at + len(letters)])):
                    found[raw[at : at + len(letters)]] += 1
            self._abbreviated[letters] = found.most_common(1)[0][0] if found else letters
        return self._abbreviated[letters]


def join(spans: Sequence[str]) -> str:
    """Latin words keep their distance; Chinese needs none."""
    joined = ""
    for span in spans:
        joined += f" {span}" if joined and joined[-1].isascii() and span[0].isascii() else span
    return joined
