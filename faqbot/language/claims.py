"""Claim extraction: collects the verifiable statements of an answer: amounts, dates, phones, yes or no. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from faqbot.language.normalize import in_digits
from faqbot.language.vocabulary import any_of, compile_any, statement_words

_DATE = re.compile(
    r"(?<!\d)(?:(\d{4})\s*[年/.-]\s*)?(?:(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]|(?<=[/.-])(\d{1,2})[/.-](\d{1,2})(?![\d.]))"
)
_TIME = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?!\d)")
_THOUSANDS_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_FIRST_SENTENCE = re.compile(r"[^。！!？?；;\n]*")
# Values of one kind that a person is shown.
_MAX_SHOWN = 3

# By kind, such as 天, 元, 日期: the values stated, each in the form in which it is compared, and as it was written.
Claims = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements, in words, of which at most one can be right: one from each answer."""

    here: str
    there: str


def contradiction(here: str, there: str) -> Contradiction | None:
    """Find the first thing on which two answers to one question cannot both be right.

    An answer that lists cases (5 天、10 天) does not contradict one that names only some of them.
    """
    claims_here, claims_there = stated(here), stated(there)
    for kind, values in claims_here.items():
        others = claims_there.get(kind, values)
        if (only_here := values.keys() - others.keys()) and (only_there := others.keys() - values.keys()):
            return Contradiction(_in_words(values, only_here), _in_words(others, only_there))
    permits_here, permits_there = permits(here), permits(there)
    if permits_here is not None and permits_there is not None and permits_here != permits_there:
        return Contradiction(_yes_or_no(permits_here), _yes_or_no(permits_there))
    return None


def stated(answer: str) -> Claims:
    """Collect the statements of an answer that have numbers."""
    text = _plain(answer)
    claims: Claims = {}

    def note(kind: str, value: str, words: str) -> str:
        claims.setdefault(kind, {}).setdefault(value, words.strip())
        return " "

    def note_date(match: re.Match[str]) -> str:
        year, *days = match.groups()
        day = "-".join(str(int(n)) for n in days if n)
        if year:
            note(f"日期 {day}", year, match[0])
        return note("日期", day, match[0])

    def note_amount(match: re.Match[str]) -> str:
        number, unit = float(match[1]), statement_words().units[match[2]]
        if unit == "万元":
            number, unit = number * 10_000, "元"
        return note(unit, f"{number:g}", f"{match[1]} {match[2]}")

    # Each date and time is cut out once it is read, so that its parts are not taken for amounts.
    text = _DATE.sub(note_date, text)
    text = _TIME.sub(lambda m: note("时刻", f"{int(m[1])}:{m[2]}", m[0]), text)
    text = _phone_line().sub(lambda m: note("电话", m[1], m[0]), text)
    _amount().sub(note_amount, text)
    return claims


def permits(answer: str) -> bool | None:
    """Return True if the answer begins with 可以 or 不可以; None where it says neither, or both."""
    first = _FIRST_SENTENCE.match(_plain(answer).strip())
    sentence = first[0] if first else ""
    no = bool(_forbidding().search(sentence))
    yes = bool(_allowing().search(_forbidding().sub("", sentence)))
    return None if yes == no else yes


@cache
def _phone_line() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(statement_words().phone_lines)})\D{{0,4}}(\d[\d-]{{2,}})")


@cache
def _amount() -> re.Pattern[str]:
    # Longer units first: 个工作日 is no 个.
    units = any_of(sorted(statement_words().units, key=len, reverse=True))
    return re.compile(rf"(?<![\d.-])(\d+(?:\.\d+)?)\s*({units})")


@cache
def _forbidding() -> re.Pattern[str]:
    words = statement_words().forbidding
    return compile_any((*words.always, *words.first_sentence))


@cache
def _allowing() -> re.Pattern[str]:
    words = statement_words().allowing
    return compile_any((*words.always, *words.first_sentence))


def _plain(answer: str) -> str:
    text = unicodedata.normalize("NFKC", answer).replace("*", "")
    return in_digits(_THOUSANDS_COMMA.sub("", text))


def _in_words(values: dict[str, str], chosen: set[str]) -> str:
    return "、".join([words for value, words in values.items() if value in chosen][:_MAX_SHOWN])


def _yes_or_no(yes: bool) -> str:
    return "可以" if yes else "不可以"
