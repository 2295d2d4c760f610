"""Dates: reads years, quarters, weekdays and times of day as quantities: 2026年=二〇二六年, Q1=一季度. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from functools import cache

from faqbot.differences.numerals import CHINESE_NUMERAL, NUMBER, value_of
from faqbot.differences.quantities import Quantity
from faqbot.language.vocabulary import any_of, quantity_words
from faqbot.model.differences import Difference, DifferenceKind

_ANY_YEAR = ("前年", "去年", "今年")
_BESIDE_TIME = re.compile(r"[之以]?(?:(?P<before>前)|后)(?![台天])")
# Every date has one of these.
_MAY_HAVE_DATE = re.compile(r"[\d年周季点]|星期|礼拜|二[零〇]")
_YEAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:年度?|届|(?=[-/.]\d))|(?<![\d过于足到满])(20[123]\d)(?![\d.]|\s*[元块个天人次kw+])"
    r"|([二一][零〇九][零〇一二三四五六七八九]{2})年?"
)
# Two digits are a year where no span of time is meant: 26年放假, not 满26年 or 工作26年.
_SHORT_YEAR = re.compile(
    r"(?<![\d.满足到过职作干龄了])(2[0-9]|3[0-9])年(?![以之]?[上下内后前]|的?工龄|的?合同|的?司龄|多|整|了)"
)
_QUARTER = re.compile(r"(?:(?<![a-z0-9])q\s?([1-4])(?![a-z0-9])|第?\s?([1-4一二三四首])\s?(?<!个)季度?)")
_VERSION = re.compile(r"(?<![a-z0-9])v\s?(\d+(?:\.\d+)*)(?![a-z0-9])")
_DAY_OF_WEEK = "(?:周|星期|礼拜)([一二三四五六日天末1-7])"
_WEEKDAYS = re.compile(f"{_DAY_OF_WEEK}(?:(?:(?:[至到~—-]|、)(?:周|星期|礼拜)?)([一二三四五六日天1-7]))?(?![个天期])")
_CLOCK = re.compile(
    rf"(?P<part>早上|上午|中午|下午|傍晚|晚上|晚|早)?(?:(?P<h>\d{{1,2}})[:：](?P<m>\d\d)(?!\d)"
    rf"|(?P<hour>\d{{1,2}}|{CHINESE_NUMERAL}{{1,3}})点(?!点)(?P<rest>半|[一三]刻|整|钟|\d{{1,2}}分?|{CHINESE_NUMERAL}{{1,3}}分?)?)"
)
_WEEKDAY_NUMBERS = {c: n for n, c in enumerate("一二三四五六日", 1)} | {"天": 7}
_QUARTER_NUMBERS = {"一": 1, "二": 2, "三": 3, "四": 4, "首": 1}
_PARTS_AFTER_NOON = ("下午", "傍晚", "晚上", "晚")
_MINUTES = {"半": 30, "一刻": 15, "三刻": 45}


def read_dates(text: str) -> tuple[tuple[Quantity, ...], str]:
    """Return the dates of a lower-case text, and the text with a blank in place of each."""
    if not _MAY_HAVE_DATE.search(text):
        return (), text
    found: list[Quantity] = []
    for signs, pattern, read in _readers():
        if not any(sign in text for sign in signs):
            continue
        pieces: list[str] = []
        end = 0
        for match in pattern.finditer(text):
            if quantity := read(match):
                found.append(quantity)
                pieces += (text[end : match.start()], " ")
                end = match.end()
        text = "".join(pieces) + text[end:]
    return tuple(found), text


@cache
def _readers() -> tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], Quantity | None]], ...]:
    """Return each pattern of a date with its reader, after characters of which a text must have one."""
    return (
        ("12二", _YEAR, _year),
        ("年", _SHORT_YEAR, _year),
        ("年", _relative_year(), _named_year),
        ("q季", _QUARTER, _quarter),
        ("v", _VERSION, _version),
        ("周星礼", _WEEKDAYS, _weekdays),
        ("点:：", _CLOCK, _clock),
    )


def year_differences(
    question: Sequence[Quantity], wording: Sequence[Quantity], entry_years: Set[str]
) -> Iterator[Difference]:
    """Find the years of a question of which neither the wording nor any text of the entry speaks.

    This year is any, and the years before stand in stories.
    """
    if any(quantity.dimension == "year" for quantity in wording):
        return
    for quantity in question:
        if quantity.dimension == "year" and quantity.value not in (*_ANY_YEAR, *entry_years):
            yield Difference(DifferenceKind.DATE, quantity.words)


def _year(match: re.Match[str]) -> Quantity:
    number = NUMBER.match(match[1] or match[match.lastindex or 0])
    value = value_of(number) if number else None
    value = value or 0
    return Quantity("year", "年", f"{value + 2000 if value < 100 else value:g}", match[0])


def _named_year(match: re.Match[str]) -> Quantity:
    return Quantity("year", "年", quantity_words().years[match[0]], match[0])


def _version(match: re.Match[str]) -> Quantity:
    return Quantity("version", "版", match[1], match[0])


def _quarter(match: re.Match[str]) -> Quantity:
    digit = match[1] or match[2]
    return Quantity("quarter", "季度", str(_QUARTER_NUMBERS.get(digit, digit)), match[0])


def _weekdays(match: re.Match[str]) -> Quantity | None:
    if match[1] == "末":
        return None
    days = [str(_WEEKDAY_NUMBERS.get(day, day)) for day in match.groups() if day]
    return Quantity("weekday", "", "-".join(days), match[0])


def _clock(match: re.Match[str]) -> Quantity | None:
    if match["h"]:
        hour, minute = int(match["h"]), int(match["m"])
    else:
        number = NUMBER.fullmatch(match["hour"])
        value = value_of(number) if number else None
        if value is None or (match["hour"] == "一" and not match["rest"] and not match["part"]):
            # 早一点 and 快一点 are no time.
            return None
        hour, minute = int(value), _minutes(match["rest"] or "")
    if match["part"] in _PARTS_AFTER_NOON and hour < 12:
        hour += 12
    behind = _BESIDE_TIME.match(match.string, match.end())
    limit = "" if not behind else "at_most" if behind["before"] else "at_least"
    return Quantity("clock", "", f"{hour}:{minute:02}", match[0] + (behind[0] if behind else ""), limit)


def _minutes(rest: str) -> int:
    if rest in _MINUTES:
        return _MINUTES[rest]
    number = NUMBER.match(rest)
    return int(value_of(number) or 0) if number else 0


@cache
def _relative_year() -> re.Pattern[str]:
    return re.compile(any_of(quantity_words().years))
