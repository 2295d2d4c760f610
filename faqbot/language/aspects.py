"""Aspects: the detail that a short question asks for, such as price or place, and the sentences of an answer that give
it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from faqbot.language.data_files import Words, read_data
from faqbot.language.follow_ups import own_words
from faqbot.language.normalize import in_digits
from faqbot.language.small_talk_words import without_unspecific
from faqbot.language.vocabulary import compile_any

# Asking for the way to do something is answered by any sentence on that; other details have words of their own.
_WAY = "way"
# A part of a long word may be missing from the sentence that is about it.
_LONG_CHARS, _HELD_SHARE = 4, 0.5
_SENTENCE = re.compile(r"[^。；;！!？?\n]*[^。；;！!？?\s][。；;！!？?]?")
_LIST_MARK = re.compile(r"^\s*(?:[-*+>]|\d+[.、)])\s+")
_LIMIT = re.compile(r"(?:不?超过|不?超出|[不未]?满|不?足|[高低大小多少]于)(?=\s*[\d几多])")
_PADDING = re.compile("[一1]直|老是|总是|哪[张条家份本辆台套](?=.)")
# 500 元以下 says who approves and not what it costs.
_AMOUNT_LIMIT = re.compile(r"\d[\d,.]*\s*[万千]?元\s*(?:以[上下内]|起|及以[上下])")
# 半天半天 is 半天.
_REPEATED = re.compile(r"(\w\w)\1")
_DENIES = re.compile("[没不无未非免丢]")
_BOLD = "**"
# Words that say nothing of their own; beside how much or where also verbs, as 发 of 最低发多少.
_LIGHT = re.compile("^(?:里面|里头|在内|进去|1)$")
_LIGHT_BESIDE_ASPECT = re.compile(rf"{_LIGHT.pattern}|^[发给拿领交收付]|[发给拿领交收付]$")
_HALF_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}

Fold = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Aspect:
    asked: re.Pattern[str]
    said: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class DetailQuestion:
    """A short question about something that was just spoken of.

    aspects: the details that it asks for, any of which replies to it.
    own: its words beyond those, in the form that is compared: 折现 of 可以折现吗.
    denies: it denies something, as in 没有发票呢.
    """

    aspects: tuple[str, ...]
    own: tuple[str, ...]
    denies: bool

    @classmethod
    def read(cls, text: str, known: Iterable[str], fold: Fold) -> DetailQuestion:
        """Read a text; words of the `known` texts, which say what it is about, are none of its own."""
        rest = _PADDING.sub("", _LIMIT.sub("", _REPEATED.sub(r"\1", own_words(text))))
        aspects: list[str] = []
        for name, aspect in _aspects().items():
            rest, times = aspect.asked.subn(" ", rest)
            aspects += [name] if times else []
        folded = [fold(one) for one in known]
        own = _words_in(rest, light=_LIGHT_BESIDE_ASPECT if aspects else _LIGHT)
        words = tuple(word for word in map(fold, own) if word and not any(word in one for one in folded))
        if not aspects and not words:
            # All its characters are light ones, or known: 再婚 after a question on 婚假.
            words = (fold(rest),)
        return cls(tuple(aspects), words, bool(_DENIES.search(rest)))

    def sentences_in(self, answer: str, fold: Fold) -> Sequence[str]:
        """Return the sentences of an answer in markdown that hold the reply; a list item comes with its heading."""
        found: list[str] = []
        heading = ""
        for line in answer.splitlines():
            plain = line.strip()
            is_item = bool(_LIST_MARK.match(plain))
            holding = [s for s in _SENTENCE.findall(_LIST_MARK.sub("", plain)) if self._is_held_by(s, heading, fold)]
            if holding and is_item and heading and heading not in found:
                found.append(heading)
            found += [f"- {_balanced(s)}" if is_item else _balanced(s) for s in holding]
            if not is_item:
                heading = plain if plain.endswith((":", "：")) else ""
        return found

    def _is_held_by(self, sentence: str, heading: str, fold: Fold) -> bool:
        text = in_digits(sentence.replace(_BOLD, ""))
        if self.denies and not _DENIES.search(text):
            return False
        # 超过 6 小时 is a limit of something else and not what 超了 asks about.
        folded = fold(_LIMIT.sub(" ", f"{heading} {text}"))
        single = _compounds().sub(" ", folded)
        if not all(_holds(single if len(word) == 1 else folded, word, fold) for word in self.own):
            return False
        plain = _AMOUNT_LIMIT.sub(" ", text.translate(_HALF_WIDTH))
        says = any(_aspects()[name].said.search(plain) for name in self.aspects)
        return says or not self.aspects or (_WAY in self.aspects and bool(self.own))


def as_written(text: str) -> str:
    """Return a normalised text with the words that are usually written for what it says: 折现 for 换成钱."""
    for word, group in _alike().items():
        if word in text and not any(other in text for other in group if word in other and word != other):
            text = text.replace(word, group[0])
    return text


def _words_in(text: str, light: re.Pattern[str]) -> list[str]:
    """List the words of a text that say what it is about; those for the same thing whole, light characters or not."""
    found: list[str] = []
    for word in sorted(_alike(), key=len, reverse=True):
        if word in text:
            found.append(word)
            text = text.replace(word, " ")
    return [*found, *(word for one in without_unspecific(text) if (word := light.sub("", one)))]


def _holds(text: str, word: str, fold: Fold) -> bool:
    """Return True if a folded text has a word, or another for the same thing, or the most of a long word."""
    if word in text or any(fold(other) in text for other in _alike().get(word, ())):
        return True
    if len(word) < _LONG_CHARS:
        return False
    pairs = [word[n : n + 2] for n in range(len(word) - 1)]
    return sum(pair in text for pair in pairs) >= _HELD_SHARE * len(pairs)


def _balanced(sentence: str) -> str:
    """Drop the bold marks of a sentence that holds only one end of them."""
    text = sentence.strip().rstrip("；;，,")
    return text if text.count(_BOLD) % 2 == 0 else text.replace(_BOLD, "")


@cache
def _aspects() -> dict[str, _Aspect]:
    node = read_data("follow_ups.yaml")
    return node.map(
        "aspects",
        lambda _, aspect: _Aspect(compile_any(aspect["asked"].words()), compile_any(aspect["said"].words())),
    )


@cache
def _compounds() -> re.Pattern[str]:
    return compile_any(read_data("follow_ups.yaml")["compounds"].words())


@cache
def _alike() -> dict[str, Words]:
    return {word: group for group in read_data("follow_ups.yaml")["alike"].word_lists() for word in group}
