"""Remarks: recognises messages that ask nothing of the knowledge: thanks, a doubt, 同问, 你是谁. Pure."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import cache

from faqbot.language.data_files import read_data
from faqbot.language.normalize import INVISIBLE_MARKS, normalise
from faqbot.language.vocabulary import any_of

# A longer message says something, even in light words.
_MAX_CHARS = 24
_REPEATED = re.compile(r"(.)\1{2,}")


class RemarkKind(StrEnum):
    """The kind of a remark, by the reply it gets."""

    THANKS = "thanks"
    GREETING = "greeting"
    ACKNOWLEDGEMENT = "acknowledgement"
    DOUBT = "doubt"
    SAME_QUESTION = "same_question"
    IDENTITY = "identity"


def remark_kind(text: str) -> RemarkKind | None:
    """Return the kind of a text that is of the parts of remarks only; None where anything else is said."""
    words = normalise(text)
    if len(words) > _MAX_CHARS:
        return None
    if _same().fullmatch(_with_signs(text)):
        return RemarkKind.SAME_QUESTION
    if not words:
        return None
    if _identity().fullmatch(words):
        return RemarkKind.IDENTITY
    if _doubt().fullmatch(words):
        return RemarkKind.DOUBT
    return _composed(words)


def _composed(words: str) -> RemarkKind | None:
    """Read a remark of several parts: thanks count before a greeting, and a greeting before 好的."""
    # 嗯嗯嗯嗯 is 嗯嗯; a long row could be read in very many ways.
    words = _REPEATED.sub(r"\1\1", words)
    if not _remark().fullmatch(words):
        return None
    names = {found.lastgroup for found in _part().finditer(words)}
    for name, kind in (
        ("thanks", RemarkKind.THANKS),
        ("greetings", RemarkKind.GREETING),
        ("acknowledgements", RemarkKind.ACKNOWLEDGEMENT),
    ):
        if name in names:
            return kind
    return None


def _with_signs(text: str) -> str:
    """Normalise a text and keep the sign of +1."""
    plain = unicodedata.normalize("NFKC", text.translate(INVISIBLE_MARKS)).replace("➕", "+")
    return normalise(plain.replace("+", "加")).replace("加", "+") if len(plain) <= 2 * _MAX_CHARS else ""


_PARTS = ("thanks", "greetings", "acknowledgements")


@cache
def _part() -> re.Pattern[str]:
    node = read_data("remarks.yaml")
    named = [f"(?P<{name}>{any_of(sorted(node[name].words(), key=len, reverse=True))})" for name in _PARTS]
    return re.compile("|".join(named))


@cache
def _remark() -> re.Pattern[str]:
    node = read_data("remarks.yaml")
    parts = any_of(any_of(node[name].words()) for name in _PARTS)
    around = any_of(node["around"].words())
    # The number of words before a part is bounded, since one may be read as several.
    return re.compile(rf"(?:\s*(?:{around})){{0,4}}(?:\s*(?:{parts})(?:\s*(?:{around})){{0,4}}){{1,6}}\s*")


@cache
def _doubt() -> re.Pattern[str]:
    node = read_data("remarks.yaml")
    doubts, endings, reasons, around = (
        any_of(node[name].words()) for name in ("doubts", "doubt_endings", "reasons", "doubt_around")
    )
    return re.compile(
        rf"(?:{around}|\s){{0,4}}(?:(?:{doubts})(?:的|了|啊|呢)?(?:{endings})|[你您]?(?:真的)?确定|真的假的|(?:{reasons})(?:{endings})?)"
        rf"(?:{around}|\s){{0,3}}"
    )


@cache
def _same() -> re.Pattern[str]:
    node = read_data("remarks.yaml")
    same, around = any_of(node["same"].words()), any_of(node["same_around"].words())
    return re.compile(rf"(?:{around}|\s){{0,2}}(?:(?:{same})(?:{around}|\s){{0,3}}){{1,3}}")


@cache
def _identity() -> re.Pattern[str]:
    node = read_data("remarks.yaml")
    identity, around = any_of(node["identity"].words()), any_of(node["identity_around"].words())
    return re.compile(rf"(?:{around}|\s){{0,4}}(?:{identity})(?:{around}|\s){{0,3}}")
