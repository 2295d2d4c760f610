"""What an answer states that can be wrong: numbers with what they count, dates, times, and yes or no. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from faqbot.language.normalize import in_digits

_DATE = re.compile(
    r"(?<!\d)(?:(\d{4})\s*[年/.-]\s*)?(?:(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]|(?<=[/.-])(\d{1,2})[/.-](\d{1,2})(?![\d.]))"
)
_TIME = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?!\d)")
_LINE = re.compile(r"(?:分机|电话|热线|拨打?|手机)\D{0,4}(\d[\d-]{2,})")
_UNITS = (
    "个工作日|工作日|个自然日|自然日|个小时|小时|个月|分钟|万元|元|块|天|周|星期|年|岁|%|折|倍|次|人|名|份|张|个|级|点"
)
_AMOUNT = re.compile(rf"(?<![\d.-])(\d+(?:\.\d+)?)\s*({_UNITS})")
_SAME_UNITS = {
    "个工作日": "工作日",
    "个自然日": "天",
    "自然日": "天",
    "个小时": "小时",
    "块": "元",
    "星期": "周",
    "名": "人",
}
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NO = re.compile(r"不可以|不能|不行|不允许|不得|不予|不支持|不给|不报销|不发|不算|无法|禁止|没有")
_YES = re.compile(r"可以|(?<!不)能(?=[够报休请用领办申带在换])|允许|支持(?!部)")
_FIRST_SENTENCE = re.compile(r"[^。！!？?；;\n]*")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What one answer states and another states otherwise, in words."""

    here: str
    there: str


def contradiction(here: str, there: str) -> Contradiction | None:
    """The first thing on which two answers to one question cannot both be right; more of the same is no contradiction.

    An answer that lists cases (5 天、10 天) does not contradict one that names some of them.
    """
    mine, theirs = stated(here), stated(there)
    for kind, values in mine.items():
        others = theirs.get(kind, values)
        if (only_here := values.keys() - others.keys()) and (only_there := others.keys() - values.keys()):
            return Contradiction(_shown(values, only_here), _shown(others, only_there))
    yes, other = permits(here), permits(there)
    if yes is not None and other is not None and yes != other:
        return Contradiction(_yes(yes), _yes(other))
    return None


def stated(answer: str) -> dict[str, dict[str, str]]:
    """By what is counted (`天`, `元`, dates, times, phone lines): each value in its comparable form, and as written."""
    text = _plain(answer)
    found: dict[str, dict[str, str]] = {}

    def note(kind: str, value: str, words: str) -> str:
        found.setdefault(kind, {}).setdefault(value, words.strip())
        return " "

    def date(match: re.Match[str]) -> str:
        year, *days = match.groups()
        day = "-".join(str(int(n)) for n in days if n)
        if year:
            note(f"日期 {day}", year, match[0])
        return note("日期", day, match[0])

    def amount(match: re.Match[str]) -> str:
        number, unit = float(match[1]), _SAME_UNITS.get(match[2], match[2])
        if unit == "万元":
            number, unit = number * 10_000, "元"
        return note(unit, f"{number:g}", f"{match[1]} {match[2]}")

    text = _DATE.sub(date, text)
    text = _TIME.sub(lambda m: note("时刻", f"{int(m[1])}:{m[2]}", m[0]), text)
    text = _LINE.sub(lambda m: note("电话", m[1], m[0]), text)
    _AMOUNT.sub(amount, text)
    return found


def permits(answer: str) -> bool | None:
    """Whether the answer begins with 可以 or 不可以; None where it says neither, or both."""
    first = _FIRST_SENTENCE.match(_plain(answer).strip())
    sentence = first[0] if first else ""
    no = bool(_NO.search(sentence))
    yes = bool(_YES.search(_NO.sub("", sentence)))
    return None if yes == no else yes


def _plain(answer: str) -> str:
    text = unicodedata.normalize("NFKC", answer).replace("*", "")
    return in_digits(_THOUSANDS.sub("", text))


def _shown(values: dict[str, str], chosen: set[str]) -> str:
    return "、".join([words for value, words in values.items() if value in chosen][:3])


def _yes(yes: bool) -> str:
    return "可以" if yes else "不可以"
