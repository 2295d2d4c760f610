"""Messages that only point at what they quote, such as 这个呢 and 帮忙看下. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from faqbot.language.data_files import Words, read_data
from faqbot.language.normalize import normalise
from faqbot.language.sentence_splitting import asks
from faqbot.language.vocabulary import any_of

# A longer text says something of its own.
_MAX_POINTING_CHARS = 16
_MENTION = re.compile(r"@\S+(?:\s|$)")
_PLUS_ONE = re.compile(r"\+\s*1+[\s!。.~]*")


def question_pointed_at(text: str, quoted: str) -> str | None:
    """Return the question that `text` beside a quote asks, which is the quoted one; None if it says more than that."""
    plain = _MENTION.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    words = normalise(plain)
    if not words or _PLUS_ONE.fullmatch(plain):
        return quoted
    if len(words) > _MAX_POINTING_CHARS:
        return None
    if found := _asking_about_quote().fullmatch(words):
        return quoted if asks(quoted) else f"{quoted}{found['asking']}"
    return quoted if _only_pointing().fullmatch(words) else None


@cache
def _only_pointing() -> re.Pattern[str]:
    pointing, around = (any_of(_longest_first(name)) for name in ("pointing", "around"))
    return re.compile(rf"(?:{around})*(?:{pointing})(?:{pointing}|{around})*")


@cache
def _asking_about_quote() -> re.Pattern[str]:
    pointing, around, asking = (any_of(_longest_first(name)) for name in ("pointing", "around", "asking"))
    return re.compile(rf"(?:{pointing}|{around})*(?P<asking>{asking})(?:{around})*")


@cache
def _words(name: str) -> Words:
    return read_data("pointing.yaml")[name].words()


def _longest_first(name: str) -> list[str]:
    return sorted(_words(name), key=len, reverse=True)
