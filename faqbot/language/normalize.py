"""Chinese text made comparable: one form for all ways to write the same question. str in, str out, nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Protocol, cast

# A question is a sentence, not a document; longer texts are cut before matching so that
# one pasted page cannot occupy the process.
MAX_MATCHED_CHARS = 400

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# A name after @ ends at a blank; without one it cannot be told from the question behind it.
_MENTION = re.compile(r"(?<!\S)[@＠][^\s@＠,，:：。！？!?]{1,30}(?=[\s,，:：])|(?<=\s)[@＠][^\s@＠]{1,30}$")
_NOT_WORD = re.compile(r"[^\w%]|_")
WHITESPACE = re.compile(r"\s+")
# A number is a number only before what it counts: 三天 is 3天, but 五险一金 and 统一 stay words.
_COUNTED = "天|年|月|日|号|小时|分钟|次|岁|元|块|周|星期|倍|级|层|楼|点|人|名|份|张|遍|季度|万"
_NUMBER = re.compile(rf"[一二两三四五六七八九十百千零]+(?=个?(?:{_COUNTED}))")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_SPACE_AT_HAN = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")
# Zero-width marks, soft hyphens and those that turn the direction of writing.
INVISIBLE_MARKS = dict.fromkeys(
    [0xAD, 0xFE0F, 0xFEFF, *range(0x200B, 0x200E), 0x2060, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)

# Politeness and padding around the question itself, longest first so that a longer phrase wins.
_FILLERS_BEFORE = (
    "请问一下|想请问一下|想请问|请教一下|请教|我想问一下|我想问问|我想问下|想问一下|想问问|想问下|问一下|问下|问问|我问一下|"
    "麻烦问一下|麻烦问下|麻烦|请问|你好啊|你好呀|你好|您好|哈喽|嗨|(?:hello|hi)(?![a-z0-9])|各位|大家好|那个|"
    "有谁知道|谁知道|有没有人知道|我想知道|想知道|想了解一下|想了解|了解一下|咨询一下|咨询下|"
    "帮我看下|帮我看看|帮忙看下|帮我查一下|帮我查下|求问|话说|小助手"
)
_FILLERS_AFTER = (
    "谢谢你|谢谢您|谢谢啦|谢谢了|谢谢|多谢|谢了|感谢|辛苦了|麻烦了|拜托了|急急急|在线等|"
    "呢|啊|呀|吧|哦|噢|喔|哈|啦|嘛|咧|哇|诶|欸|(?<![怎什多那这要])么|吗"
)
_BEFORE = re.compile(rf"^(?:(?:{_FILLERS_BEFORE})\s*)+")
_AFTER = re.compile(rf"(?:\s*(?:{_FILLERS_AFTER}))+$")


def is_han(character: str) -> bool:
    return "\u3400" <= character[:1] <= "\u9fff"


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@cache
def _converter(name: str) -> _Converter:
    from opencc import OpenCC  # its dictionaries are loaded at first use

    return cast(_Converter, OpenCC(name))


def _simplified(text: str) -> str:
    """Traditional → Simplified, words too (軟體 → 软件). Simplified text stays: its words mean what they say."""
    if _converter("t2s").convert(text) == text:
        return text
    return _converter("tw2sp").convert(text)


@lru_cache(maxsize=8192)
def normalise(text: str) -> str:
    """Fold width, case, script, punctuation, emoji and @names away; idempotent."""
    # Half a character, as broken emoji leave behind, cannot be converted.
    text = text[: MAX_MATCHED_CHARS * 2].encode("utf-8", "replace").decode("utf-8").translate(INVISIBLE_MARKS)
    text = _MENTION.sub(" ", text)
    text = unicodedata.normalize("NFKC", text).casefold()
    if any("\u3400" <= c <= "\u9fff" for c in text):
        text = _simplified(text)
    text = _NOT_WORD.sub(" ", text)
    text = WHITESPACE.sub(" ", text).strip()
    text = _SPACE_AT_HAN.sub("", text)
    return in_digits(text)[:MAX_MATCHED_CHARS].strip()


def in_digits(text: str) -> str:
    """Write the numbers that count something in digits: 十五天 is 15天, 五险一金 stays."""
    return _NUMBER.sub(_in_digits, text)


def _in_digits(match: re.Match[str]) -> str:
    """三 → 3, 十五 → 15, 一百二十 → 120; what is no number stays."""
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
    core = _AFTER.sub("", _BEFORE.sub("", normalised)).strip()
    return core or normalised


def only_fillers(normalised: str) -> bool:
    """Whether nothing is left to ask: `你好，请问`."""
    return bool(normalised) and not _AFTER.sub("", _BEFORE.sub("", normalised)).strip()


# Words that carry nothing a wording could be told apart by: 年假有几天, 我的年假是几天 and 年假几天 are one question.
_EMPTY_WORDS = re.compile("[有是](?=多少|多长时间|什么|怎么|哪里)|一下|[我你咱]们?|[的了吗呢吧啊呀哦嘛哈]|\\s")


def skeleton(folded: str) -> str:
    """What is left of a question without empty words; two texts with one skeleton ask the same."""
    return _EMPTY_WORDS.sub("", folded)


class Synonyms:
    """Groups of words that mean the same; every member is rewritten to the first of its group."""

    def __init__(self, groups: Iterable[Sequence[str]] = ()) -> None:
        self._canonical: dict[str, str] = {}
        for group in groups:
            words = [w for w in (normalise(word) for word in group) if w]
            for word in words:
                self._canonical.setdefault(word, words[0])
        # By first character, the longest first: most characters of a text begin no known word at all.
        self._starting: dict[str, list[str]] = {}
        for word in sorted(self._canonical, key=len, reverse=True):
            self._starting.setdefault(word[0], []).append(word)

    def apply(self, normalised: str) -> str:
        """Rewrite each known word; the longest match wins, so 住房公积金 is not read as 住房 + 公积金."""
        pieces: list[str] = []
        copied = at = 0
        while at < len(normalised):
            for word in self._starting.get(normalised[at], ()):
                if normalised.startswith(word, at) and _stands_alone(normalised, at, word):
                    pieces += (normalised[copied:at], self._canonical[word])
                    at += len(word)
                    copied = at
                    break
            else:
                at += 1
        return "".join(pieces) + normalised[copied:] if pieces else normalised


def _stands_alone(text: str, at: int, word: str) -> bool:
    """Latin words match whole words only: `hr` must not be found inside `three`."""
    if not word.isascii():
        return True
    before, after = text[at - 1 : at], text[at + len(word) : at + len(word) + 1]
    return not any(c.isascii() and c.isalnum() for c in (before, after) if c)
