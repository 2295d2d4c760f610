"""What the knowledge base writes for a sound: homophones repaired, typed pinyin and abbreviations written out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from faqbot import sound
from faqbot.features import FeatureTable
from faqbot.text import is_han

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
        wanted = self._wanted(spelled, lambda i: not is_han(spelled[i][0]))
        return [
            choices.most_common(1)[0][0]
            if choices
            else self._spelled_out(span)
            if span == unit and span not in words and _ABBREVIATION.match(span)
            else span
            for (span, unit), choices in zip(spelled, wanted, strict=True)
        ]

    def repair(self, spelled: Sequence[Spelled], table: FeatureTable) -> list[str]:
        """Replace neighbours that nobody wrote here but that sound like a pair somebody did."""

        def odd(i: int) -> bool:
            around = (
                spelled[max(0, i - 1)][0] + spelled[i][0],
                spelled[i][0] + spelled[min(i + 1, len(spelled) - 1)][0],
            )
            return not any(len(pair) == 2 and table.knows(pair) for pair in around)

        wanted = self._wanted(spelled, odd)
        return [
            choices.most_common(1)[0][0] if choices else span
            for (span, _), choices in zip(spelled, wanted, strict=True)
        ]

    def _wanted(self, spelled: Sequence[Spelled], may_change: Callable[[int], bool]) -> list[Counter[str]]:
        """For each unit that may change, the characters its neighbours ask for."""
        wanted: list[Counter[str]] = [Counter() for _ in spelled]
        free = [may_change(i) for i in range(len(spelled))]
        for i in range(len(spelled) - 1):
            if not (free[i] or free[i + 1]):
                continue
            (left, left_unit), (right, right_unit) = spelled[i], spelled[i + 1]
            for pair in self._pairs.get(left_unit + right_unit, ()):
                if (free[i] or pair[0] == left) and (free[i + 1] or pair[1] == right):
                    if free[i]:
                        wanted[i][pair[0]] += 1
                    if free[i + 1]:
                        wanted[i + 1][pair[1]] += 1
                    break
        return wanted

    def _spelled_out(self, letters: str) -> str:
        """The words abbreviated most often like this: gjj → 公积金; the letters if nobody wrote such words."""
        if letters not in self._abbreviated:
            if self._initials is None:
                self._initials = ["".join(map(sound.initial, raw)) for raw in self._raws]
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
