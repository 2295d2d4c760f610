"""Spelling correction: fixes homophones, expands typed pinyin and abbreviations to words of the knowledge."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from faqbot.language import pinyin
from faqbot.language.normalize import is_han
from faqbot.search.inverted_index import InvertedIndex

# A piece of text, and the sound unit of it.
SpelledUnit = tuple[str, str]

_ABBREVIATION = re.compile(r"[a-z]{2,6}$")


class SpellingCorrector:
    """Learns from all wordings (`raws`) and their sounds (`sounds`), row by row, which characters are meant by a sound.

    It learns pairs of neighbouring characters: 公积 for any two characters that sound like these.
    """

    def __init__(self, raws: Sequence[str], sounds: Sequence[str]) -> None:
        self._raws = raws
        self._initials: list[str] | None = None
        self._expansions: dict[str, str] = {}
        pairs: dict[str, dict[str, int]] = {}
        for raw, sound in zip(raws, sounds, strict=True):
            # Writing and sound run in parallel only where each character is one unit.
            if len(raw) == len(sound):
                chinese = list(map(is_han, raw))
                for i in range(len(raw) - 1):
                    if chinese[i] and chinese[i + 1]:
                        counts = pairs.get(sound[i : i + 2])
                        if counts is None:
                            counts = pairs[sound[i : i + 2]] = {}
                        pair = raw[i : i + 2]
                        counts[pair] = counts.get(pair, 0) + 1
        # The most frequent first; of equally frequent ones that which came first.
        self._pairs = {
            sound: sorted(counts, key=counts.__getitem__, reverse=True) if len(counts) > 1 else list(counts)
            for sound, counts in pairs.items()
        }

    def write_out_letters(self, units: Sequence[SpelledUnit], known_words: frozenset[str]) -> list[str]:
        """Write typed pinyin and abbreviations in the characters of the knowledge base; Chinese characters stay.

        Latin words among `known_words` stay too.
        """
        replacements = self._replacements(units, [not is_han(text) for text, _ in units])
        return [
            replacement
            if replacement
            else self._expansion(text)
            if text == sound and text not in known_words and _ABBREVIATION.match(text)
            else text
            for (text, sound), replacement in zip(units, replacements, strict=True)
        ]

    def repair(self, units: Sequence[SpelledUnit], index: InvertedIndex) -> list[str]:
        """Replace pairs of characters that no wording has by a pair that sounds the same and that some wording has."""
        texts = [text for text, _ in units]
        # At either end a character is paired with itself.
        pairs = map("".join, zip([*texts[:1], *texts], [*texts, *texts[-1:]], strict=True))
        known = [len(pair) == 2 and index.has_term(pair) for pair in pairs]
        replaceable = [not (before or after) for before, after in pairwise(known)]
        replacements = self._replacements(units, replaceable)
        return [replacement or text for text, replacement in zip(texts, replacements, strict=True)]

    def _replacements(self, units: Sequence[SpelledUnit], replaceable: Sequence[bool]) -> list[str]:
        """Choose for each replaceable unit the character that fits its neighbours, the left one first; "" for none."""
        replacements = [""] * len(units)
        for i in range(len(units) - 1):
            if not (replaceable[i] or replaceable[i + 1]):
                continue
            (left, left_sound), (right, right_sound) = units[i], units[i + 1]
            for pair in self._pairs.get(left_sound + right_sound, ()):
                if (replaceable[i] or pair[0] == left) and (replaceable[i + 1] or pair[1] == right):
                    if replaceable[i] and not replacements[i]:
                        replacements[i] = pair[0]
                    if replaceable[i + 1]:
                        replacements[i + 1] = pair[1]
                    break
        return replacements

    def _expansion(self, letters: str) -> str:
        """Return the words most often abbreviated like this: gjj → 公积金; the letters if no wording has such words."""
        if letters not in self._expansions:
            if self._initials is None:
                self._initials = ["".join(map(pinyin.initial, raw)) for raw in self._raws]
            counts: Counter[str] = Counter()
            for raw, initials in zip(self._raws, self._initials, strict=True):
                start = initials.find(letters)
                end = start + len(letters)
                if start >= 0 and all(map(is_han, raw[start:end])):
                    counts[raw[start:end]] += 1
            self._expansions[letters] = counts.most_common(1)[0][0] if counts else letters
        return self._expansions[letters]


def join_units(texts: Sequence[str]) -> str:
    """Join the pieces of a text: a blank between Latin words, none beside Chinese."""
    joined = ""
    for text in texts:
        joined += f" {text}" if joined and joined[-1].isascii() and text[0].isascii() else text
    return joined
