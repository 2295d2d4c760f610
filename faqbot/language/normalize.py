"""Text normalisation: maps spellings of the same question to one form, and drops filler words. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Protocol, cast

from faqbot.language.chat_marks import without_chat_marks
from faqbot.language.vocabulary import any_of, compile_any, filler_words

# A question is a sentence, not a document; longer texts are cut before matching, so that one pasted page cannot occupy
# the process.
MAX_MATCHED_CHARS = 400

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_NOT_WORD = re.compile(r"[^\w%]|_")
WHITESPACE = re.compile(r"\s+")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_HAN_CHARACTER, _OTHER_WORD = re.compile(f"[{HAN}]"), re.compile(rf"[^\W_{HAN}]+")
# Chinese characters for each word in another script that make a text Chinese: iPhone 13 Pro Max 怎么报 is.
_LEAST_CHINESE = 0.5
_SPACE_AT_HAN = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")
_SEAM = re.compile(rf"(?<=[{HAN}])([{HAN}]) ([{HAN}])(?=[{HAN}])")
# Zero-width marks, soft hyphens and those that turn the direction of writing.
INVISIBLE_MARKS = dict.fromkeys(
    [0xAD, 0xFE0F, 0xFEFF, *range(0x200B, 0x200E), 0x2060, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)


def is_han(character: str) -> bool:
    return "\u3400" <= character[:1] <= "\u9fff"


def is_mostly_chinese(text: str) -> bool:
    """Return True unless a text is written in another script, as a link or an error message that was pasted."""
    return len(_HAN_CHARACTER.findall(text)) >= _LEAST_CHINESE * len(_OTHER_WORD.findall(text))


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@cache
def _converter(name: str) -> _Converter:
    from opencc import OpenCC  # its dictionaries are loaded at first use

    return cast(_Converter, OpenCC(name))


def simplified(text: str) -> str:
    """Convert Traditional to Simplified, words too (軟體 → 软件).

    Text that is Simplified already keeps its words, which have their Simplified meaning.
    """
    if _converter("t2s").convert(text) == text:
        return text
    return _converter("tw2sp").convert(text)


@lru_cache(maxsize=8192)
def normalise(text: str) -> str:
    """Fold width, case, script, punctuation, emoji, quotes and @names away; idempotent."""
    text = _SPACE_AT_HAN.sub("", _with_blanks(text))
    return in_digits(text)[:MAX_MATCHED_CHARS].strip()


def seams_of(text: str) -> frozenset[str]:
    """Return the pairs of characters that only meet in the normalised text, because a blank or a mark between two
    Chinese words was dropped: 假上 of 产假 上海. A text that is spaced character by character has none."""
    return frozenset(before + after for before, after in _SEAM.findall(_with_blanks(text)))


@lru_cache(maxsize=8192)
def _with_blanks(text: str) -> str:
    """Normalise a text, with a blank wherever there was one or a mark."""
    # Half a character, as broken emoji leave behind, cannot be converted.
    text = text[: MAX_MATCHED_CHARS * 2].encode("utf-8", "replace").decode("utf-8").translate(INVISIBLE_MARKS)
    text = without_chat_marks(text)
    text = unicodedata.normalize("NFKC", text).casefold()
    if any("\u3400" <= c <= "\u9fff" for c in text):
        text = simplified(text)
    text = _NOT_WORD.sub(" ", text)
    return WHITESPACE.sub(" ", text).strip()


def in_digits(text: str) -> str:
    """Write the numbers that count something in digits: 十五天 is 15天, 五险一金 stays."""
    return _counting_numeral().sub(lambda m: _after_letter(m) + _to_digits(m), text)


def _after_letter(match: re.Match[str]) -> str:
    """Return the blank that keeps a number apart from a Latin word: wfh 一周."""
    before = match.string[match.start() - 1 : match.start()]
    return " " if before.isascii() and before.isalpha() else ""


@cache
def _counting_numeral() -> re.Pattern[str]:
    return re.compile(rf"[一二两三四五六七八九十百千零]+(?=个?(?:{any_of(filler_words().counted)}))")


def _to_digits(match: re.Match[str]) -> str:
    """Convert 三 to 3, 十五 to 15, 一百二十 to 120; a text that is no number stays."""
    total, digit = 0, -1
    for character in match.group():
        if character in _SCALES:
            total += max(digit, 1 if digit < 0 else 0) * _SCALES[character]
            digit = -1
        elif digit > 0:
            return match.group()  # 三五天: about that many
        else:
            digit = _DIGITS[character]
    return str(total + max(digit, 0))


def strip_fillers(normalised: str) -> str:
    """Drop greetings, politeness and closing particles; a text of fillers only stays as it is."""
    return _without_fillers(normalised) or normalised


def only_fillers(normalised: str) -> bool:
    """Return True if a text asks nothing: `你好，请问`."""
    return bool(normalised) and not _without_fillers(normalised)


def _without_fillers(normalised: str) -> str:
    return _fillers_after().sub("", _fillers_before().sub("", normalised)).strip()


@cache
def _fillers_before() -> re.Pattern[str]:
    return re.compile(rf"^(?:(?:{any_of(filler_words().before)})\s*)+")


@cache
def _fillers_after() -> re.Pattern[str]:
    return re.compile(rf"(?:\s*(?:{any_of(filler_words().after)}))+$")


def skeleton(folded: str) -> str:
    """Drop empty words from a question; two texts with one skeleton ask the same."""
    return _empty_words().sub("", folded)


@cache
def _empty_words() -> re.Pattern[str]:
    return compile_any(filler_words().empty)


class Synonyms:
    """Groups of words that mean the same; every member is rewritten to the first of its group."""

    def __init__(self, groups: Iterable[Sequence[str]] = ()) -> None:
        self._canonical: dict[str, str] = {}
        for group in groups:
            words = [w for w in (normalise(word) for word in group) if w]
            for word in words:
                self._canonical.setdefault(word, words[0])
        # By first character, the longest first: most characters of a text begin no known word at all.
        self._by_first_character: dict[str, list[str]] = {}
        for word in sorted(self._canonical, key=len, reverse=True):
            self._by_first_character.setdefault(word[0], []).append(word)

    def apply(self, normalised: str) -> str:
        """Rewrite each known word; the longest match wins, so 住房公积金 is not read as 住房 + 公积金."""
        pieces: list[str] = []
        copied = position = 0
        while position < len(normalised):
            for word in self._by_first_character.get(normalised[position], ()):
                if normalised.startswith(word, position) and _stands_alone(normalised, position, word):
                    pieces += (normalised[copied:position], self._canonical[word])
                    position += len(word)
                    copied = position
                    break
            else:
                position += 1
        return "".join(pieces) + normalised[copied:] if pieces else normalised


def _stands_alone(text: str, position: int, word: str) -> bool:
    """Return True if a Latin word is a whole word there: `hr` must not be found inside `three`."""
    if not word.isascii():
        return True
    before, after = text[position - 1 : position], text[position + len(word) : position + len(word) + 1]
    return not any(c.isascii() and c.isalnum() for c in (before, after) if c)
