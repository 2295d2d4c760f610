"""Phonetic matching: cuts Chinese and typed pinyin into sound units, equal for syllables that sound alike.

zh/z, ch/c, sh/s, ang/an, eng/en, ing/in, uang/uan and l/n are not told apart, as in much of spoken Mandarin.
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import cache, lru_cache

from faqbot.language.normalize import HAN

_FIRST_UNIT = 0xE000  # in the private use area: one code point for each folded syllable
_RUN = re.compile(rf"[{HAN}]+|[a-z]+|[^{HAN}a-z\s]+")
# Initials and finals, each with the one it is heard as.
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_FINALS = (("iang", "ian"), ("uang", "uan"), ("ang", "an"), ("eng", "en"), ("ing", "in"))
_MAX_SYLLABLE_LETTERS = 6


@cache
def _readings() -> dict[int, str]:
    """Return the readings of each code point, the most usual first, with tone marks.

    The phrase dictionary of pypinyin, which takes much memory, is not loaded.
    """
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin.pinyin_dict import pinyin_dict

    return pinyin_dict


@cache
def _syllables() -> frozenset[str]:
    all_syllables = {_without_tone(reading.split(",")[0]) for reading in set(_readings().values())}
    return frozenset(s for s in all_syllables if len(s) > 1 or s in "aeo") - {"ng", "hm", "hng"}


def _without_tone(reading: str) -> str:
    """Drop the tone: `lǜ` → `lv`."""
    marked = unicodedata.normalize("NFD", reading)
    marked = marked.replace("u\u0308", "v")
    return "".join(c for c in marked if "a" <= c <= "z")


@cache
def _units() -> dict[str, str]:
    folded = sorted({_folded(s) for s in _syllables()})
    return {syllable: chr(_FIRST_UNIT + number) for number, syllable in enumerate(folded)}


def _unit(syllable: str) -> str:
    return _units().get(_folded(syllable), syllable)


def _folded(syllable: str) -> str:
    """Replace initial and final by the sounds that they are confused with."""
    folded = syllable
    for spelling, sound in _INITIALS:
        if folded.startswith(spelling):
            folded = sound + folded[len(spelling) :]
            break
    for spelling, sound in _FINALS:
        if folded.endswith(spelling):
            folded = folded[: -len(spelling)] + sound
            break
    return folded


@lru_cache(maxsize=32768)
def of_character(character: str) -> str:
    """Return the unit of one Chinese character; the character itself if its sound is not known."""
    syllable = _syllable_of(character)
    return _unit(syllable) if syllable else character


@lru_cache(maxsize=8192)
def sounds_of(character: str) -> frozenset[str]:
    """Return the units of all readings of one Chinese character: two that share one may be taken for each other."""
    return frozenset(_unit(_without_tone(reading)) for reading in _readings().get(ord(character), "").split(","))


@lru_cache(maxsize=8192)
def syllables(word: str) -> tuple[str, ...] | None:
    """Cut typed pinyin into syllables, the longest first: `nianjia` → nian, jia; None if it is no pinyin."""
    # Filled from the end: the length of the first syllable of the rest from each position, 0 where none fits.
    lengths = [0] * len(word)
    for start in range(len(word) - 1, -1, -1):
        for size in range(min(_MAX_SYLLABLE_LETTERS, len(word) - start), 0, -1):
            end = start + size
            if (end == len(word) or lengths[end]) and word[start:end] in _syllables():
                lengths[start] = size
                break
    parts: list[str] = []
    position = 0
    while position < len(word):
        if not lengths[position]:
            return None
        parts.append(word[position : position + lengths[position]])
        position += lengths[position]
    return tuple(parts)


def spell(normalised: str, words: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Cut a text into pieces, each with its sound unit. Latin words among `words` are not read as pinyin.

    A piece that is neither Chinese nor pinyin is its own unit.
    """
    pieces: list[tuple[str, str]] = []
    for run in _RUN.findall(normalised):
        if "\u3400" <= run[0] <= "\ufaff":
            pieces += [(character, of_character(character)) for character in run]
        elif run[0].isascii() and run.isalpha() and run not in words and (cut := syllables(run)):
            pieces += [(syllable, _unit(syllable)) for syllable in cut]
        else:
            pieces.append((run, run))
    return pieces


def initial(character: str) -> str:
    """Return the letter with which a character is abbreviated: 公 → g; the character itself if it has none."""
    return _syllable_of(character)[:1] or character


def _syllable_of(character: str) -> str:
    reading = _readings().get(ord(character))
    return _without_tone(reading.split(",")[0]) if reading else ""
