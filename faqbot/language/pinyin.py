"""How Chinese sounds: each character, and each syllable of typed pinyin, as one unit in which near-sounds are equal.

zh/z, ch/c, sh/s, ang/an, eng/en, ing/in, uang/uan and l/n are not told apart, as in much of spoken Mandarin.
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import cache, lru_cache

from faqbot.language.normalize import HAN

_UNITS_START = 0xE000  # private use: one code point a folded syllable
_RUN = re.compile(rf"[{HAN}]+|[a-z]+|[^{HAN}a-z\s]+")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_FINALS = (("iang", "ian"), ("uang", "uan"), ("ang", "an"), ("eng", "en"), ("ing", "in"))
_LONGEST_SYLLABLE = 6


@cache
def _readings() -> dict[int, str]:
    """Code point → its most usual reading, with tone marks. The phrase dictionary is not loaded."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin.pinyin_dict import pinyin_dict

    return pinyin_dict


@cache
def _syllables() -> frozenset[str]:
    found = {_plain(reading.split(",")[0]) for reading in set(_readings().values())}
    return frozenset(s for s in found if len(s) > 1 or s in "aeo") - {"ng", "hm", "hng"}


def _plain(reading: str) -> str:
    """Drop the tone: `lǜ` → `lv`."""
    marked = unicodedata.normalize("NFD", reading)
    marked = marked.replace("u\u0308", "v")
    return "".join(c for c in marked if "a" <= c <= "z")


@cache
def _unit_table() -> dict[str, str]:
    folded = sorted({_folded(s) for s in _syllables()})
    return {syllable: chr(_UNITS_START + number) for number, syllable in enumerate(folded)}


def _unit(syllable: str) -> str:
    return _unit_table().get(_folded(syllable), syllable)


def _folded(syllable: str) -> str:
    folded = syllable
    for written, heard in _INITIALS:
        if folded.startswith(written):
            folded = heard + folded[len(written) :]
            break
    for written, heard in _FINALS:
        if folded.endswith(written):
            folded = folded[: -len(written)] + heard
            break
    return folded


@lru_cache(maxsize=32768)
def of_character(character: str) -> str:
    """The unit of one Chinese character; the character itself if nobody knows how it sounds."""
    reading = _readings().get(ord(character))
    plain = _plain(reading.split(",")[0]) if reading else ""
    return _unit(plain) if plain else character


@lru_cache(maxsize=8192)
def syllables(word: str) -> tuple[str, ...] | None:
    """Cut typed pinyin into syllables, the longest first: `nianjia` → nian, jia; None if it is no pinyin."""
    # From the end: how many letters the first syllable takes of what is left, 0 where nothing fits.
    takes = [0] * len(word)
    for start in range(len(word) - 1, -1, -1):
        for size in range(min(_LONGEST_SYLLABLE, len(word) - start), 0, -1):
            end = start + size
            if (end == len(word) or takes[end]) and word[start:end] in _syllables():
                takes[start] = size
                break
    found: list[str] = []
    at = 0
    while at < len(word):
        if not takes[at]:
            return None
        found.append(word[at : at + takes[at]])
        at += takes[at]
    return tuple(found)


def spell(normalised: str, words: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Cut a text into (what is written, the unit it sounds like). Latin words among `words` are not pinyin.

    What is neither Chinese nor pinyin sounds like itself.
    """
    found: list[tuple[str, str]] = []
    for run in _RUN.findall(normalised):
        if "\u3400" <= run[0] <= "\ufaff":
            found += [(character, of_character(character)) for character in run]
        elif run[0].isascii() and run.isalpha() and run not in words and (cut := syllables(run)):
            found += [(syllable, _unit(syllable)) for syllable in cut]
        else:
            found.append((run, run))
    return found


def initial(character: str) -> str:
    """The letter with which a character is abbreviated: 公 → g."""
    reading = _readings().get(ord(character))
    plain = _plain(reading.split(",")[0]) if reading else ""
    return plain[:1] or character
