"""Terms: cuts a text into the n-grams of characters and words by which wordings are indexed and compared.

Chinese gives one, two or three neighbouring characters; other scripts word stems, pairs of stems and runs of letters.
"""

from __future__ import annotations

import re
from functools import lru_cache

from faqbot.language.normalize import HAN
from faqbot.language.vocabulary import builtin_synonyms

_RUN = re.compile(rf"[a-z0-9]+|[{HAN}]+|[^\W\d_{HAN}]+")
# Factors beside the rarity of a term, by kind of term.
_HAN_WEIGHTS = (0.45, 1.0, 0.4)  # one, two, three characters
_STEM_WEIGHT, _STEM_PAIR_WEIGHT, _LETTERS_WEIGHT = 1.0, 0.4, 0.35
# Function words say little about what is asked.
_STOP_WORD_FACTOR = 0.5
_LETTER_RUN_LENGTHS = (3, 4)
_ENGLISH_ENDINGS = ("ings", "ing", "ed", "es", "s", "ly", "tion", "e")


@lru_cache(maxsize=256)
def terms_of(text: str) -> tuple[str, ...]:
    """List the distinct terms of a normalised text, in order of appearance; the last are kept, for several steps.

    Stems begin with `w:`, pairs of stems with `p:`, runs of letters with `c:`.
    """
    terms: list[str] = []
    previous_stem = ""
    for run in _RUN.findall(text):
        if "\u3400" <= run[0] <= "\ufaff":
            terms += run
            terms += [run[i : i + 2] for i in range(len(run) - 1)]
            terms += [run[i : i + 3] for i in range(len(run) - 2)]
            previous_stem = ""
            continue
        stem = _stem(run)
        terms.append(f"w:{stem}")
        if previous_stem:
            terms.append(f"p:{previous_stem} {stem}")
        previous_stem = stem
        if run.isalpha():
            padded = f" {run} "
            terms += [f"c:{padded[i : i + n]}" for n in _LETTER_RUN_LENGTHS for i in range(len(padded) - n + 1)]
    return tuple(dict.fromkeys(terms))


def document_terms(text: str) -> list[str]:
    """List the terms of a normalised text by which whole documents are found, in order, repeated ones too.

    Two neighbouring Chinese characters, or a word stem; single characters fit any long text.
    """
    terms: list[str] = []
    for run in _RUN.findall(text):
        if "\u3400" <= run[0] <= "\ufaff":
            terms += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
        else:
            terms.append(f"w:{_stem(run)}")
    return terms


def kind_weight(term: str) -> float:
    """Return the factor that a term's weight gets for its kind, whatever its rarity."""
    prefix = term[:2]
    if prefix[1:] != ":":
        return _HAN_WEIGHTS[len(term) - 1]
    if prefix == "w:":
        return _STEM_WEIGHT * (_STOP_WORD_FACTOR if term[2:] in builtin_synonyms().stop_words else 1.0)
    if prefix == "p:":
        return _STEM_PAIR_WEIGHT
    return _LETTERS_WEIGHT


def is_unigram(term: str) -> bool:
    """Return True if the term is one character or one word stem."""
    return len(term) == 1 or term[:2] == "w:"


def is_readable(term: str) -> bool:
    """Return True if a person would recognise the term as a part of the text: a stem or two characters."""
    return term[:2] == "w:" or (len(term) == 2 and term[0] >= "\u3400")


@lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    """Cut a rough English stem; other words come back as they are."""
    if len(word) <= 4 or not word.isascii():
        return word
    if word.endswith(("ies", "ied")):
        return word[:-3] + "y"
    for ending in _ENGLISH_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:-1] + "y" if word.endswith("i") else word
