"""Quantities: reads the numbers of a text with their units and limits, and compares them: 300元/300美元, 满/不满一年.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from faqbot.differences.numerals import CHINESE_NUMERAL, NUMBER, value_of
from faqbot.language.vocabulary import Unit, any_of, quantity_words
from faqbot.model.differences import Difference, DifferenceKind

# Characters before a number in which a limit may stand: 超过了人民币 5000 元.
_LIMIT_SPAN = 8
_NO_UNIT = Unit("", "", 1)
# Digits in the order of their values, first Arabic.
_DIGITS = "0123456789零一二三四五六七八九"
_COUNTABLE = ("piece", "people", "times")
_MEASURES = ("duration", "distance", "weight", "area")
# Behind 每 a month and a day are durations: 每月, 每日.
_EACH = {"month": Unit("duration", "月", 1), "day": Unit("duration", "天", 1)}
_MAY_COUNT = re.compile(rf"[\d每半]|{CHINESE_NUMERAL}")
_TOKEN = re.compile(f"(?P<each>每个?)|{NUMBER.pattern}")
# A Chinese numeral with one of these is a number also where it counts nothing that is known.
_LARGE = re.compile("[百千万亿]")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text: `value` in its `unit`, a range as text. `limit` is empty where the number itself is meant.

    `per`: `each` or `one` for one of a unit by which something else is counted (每公里, 一天多少钱), `counted` for a
    time that has passed (工龄十年), else empty. `number`: the number as written, not converted.
    """

    dimension: str
    unit: str
    value: str
    words: str
    limit: str = ""
    per: str = ""
    number: str = ""


def read_quantities(text: str) -> tuple[tuple[Quantity, ...], str]:
    """Return the quantities of a lower-case text, and the text with a blank in place of each."""
    if not _MAY_COUNT.search(text):
        return (), text
    found: list[Quantity] = []
    rest: list[str] = []
    position = 0
    for match in _TOKEN.finditer(text):
        if match.start() < position:
            continue
        read = _each(text, match.end()) if match["each"] else _quantity(text, match)
        if read:
            quantity, end = read
            found.append(quantity)
            rest += (text[position : match.start()], " ")
            position = end
    return tuple(found), "".join(rest) + text[position:]


def _each(text: str, position: int) -> tuple[Quantity, int] | None:
    """Read the unit behind 每, if it is a measure."""
    unit, end = _unit_at(text, position, ordinal=False)
    unit = _EACH.get(unit.dimension, unit)
    if unit.dimension not in _MEASURES:
        return None
    return Quantity(unit.dimension, unit.name, f"{unit.factor:g}", "每" + text[position:end], per="each"), end


def _quantity(text: str, match: re.Match[str]) -> tuple[Quantity, int] | None:
    """Read the quantity whose number is given, and return it with its end; None if the characters count nothing."""
    start, end = match.span()
    before = text[max(0, start - _LIMIT_SPAN) : start]
    if _in_code().search(before):
        return None
    ordinal, percent = before.rstrip().endswith("第"), before.endswith("百分之")
    unit, end = (Unit("share", "%", 1), end) if percent else _unit_at(text, end, ordinal)
    value = value_of(match)
    if (
        value is None
        or (value == 1 and _named().search(before))
        or (match["chinese"] and not ordinal and not _counts(match[0], value, unit))
    ):
        return None
    if unit.name in ("米", "元") and (tenth := _tenth().match(text, end)):
        value, end = value + _DIGITS.index(tenth[0]) % 10 / 10, tenth.end()
    if unit.dimension == "duration" and text.startswith("半", end):
        value, end = value + 0.5, end + 1
    elif unit.dimension == "piece" and (half := _half().match(text, end)):
        unit, value, end = quantity_words().units["个" + half[1]], value + 0.5, half.end()
    limit, words, end = _limit(before, text, end)
    if unit.dimension == "day" and limit:
        # 七日内 is a span of time.
        unit = _EACH["day"]
    prefix = "百分之" if percent else "第" if ordinal else words
    per = ""
    if unit.dimension in _MEASURES and not ordinal and not limit:
        per = "counted" if _counted().search(before) else "one" if value == 1 else ""
    shown = prefix + text[start:end]
    number = f"{value:g}"
    return Quantity(unit.dimension, unit.name, f"{value * unit.factor:g}", shown, limit, per, number), end


def _counts(numeral: str, value: float, unit: Unit) -> bool:
    """Return True if a Chinese numeral counts something: not so 一个, 一次 and 五 in 五险."""
    if unit is _NO_UNIT:
        return bool(_LARGE.search(numeral))
    return value != 1 or unit.dimension not in _COUNTABLE


def _unit_at(text: str, position: int, ordinal: bool) -> tuple[Unit, int]:
    """Read the unit at a position of a text, and return it with its end."""
    match = _unit().match(text, position)
    if match:
        unit = quantity_words().units[match[1]]
        if not ordinal or unit.dimension in quantity_words().ordinals or unit.dimension in quantity_words().dates:
            return unit, match.end()
    if ordinal and position < len(text):
        position += text[position] == " "
        return Unit("第" + text[position : position + 1], "第" + text[position : position + 1], 1), position + 1
    return _NO_UNIT, position


def _limit(before: str, text: str, end: int) -> tuple[str, str, int]:
    """Return the limit that a quantity is, the words before it that say so, and the end of those behind it."""
    if match := _limit_before().search(before):
        return quantity_words().limits_before[match[1]], match[1], end
    if match := _limit_behind().match(text, end):
        return quantity_words().limits_behind[match[1]], "", match.end()
    return "", "", end


def quantity_differences(
    question: Sequence[Quantity], wording: Sequence[Quantity], others: Iterable[Sequence[Quantity]]
) -> Iterator[Difference]:
    """Find the quantities of a question instead of which the wording has another of the same dimension.

    others: those of the other wordings of the entry, any of which may have the same.
    """
    if not question or not wording:
        return
    asked = [own for own in question if not _has(wording, own)]
    written = [other for other in wording if not _has(question, other)]
    if not asked or not written:
        return
    elsewhere = list(others)
    for own in asked:
        other = next((other for other in written if _comparable(own, other)), None)
        if other and not any(
            own.value == its.value and _same(own, its) for quantities in elsewhere for its in quantities
        ):
            yield Difference(_kind(own, other), own.words, other.words)


def _has(quantities: Iterable[Quantity], own: Quantity) -> bool:
    return any(_same(own, other) for other in quantities)


def _same(own: Quantity, other: Quantity) -> bool:
    if {own.unit, other.unit} == {"年"} and (own.value == "今年") != (other.value == "今年"):
        # This year is that of any calendar, for all that is known here, but neither the last nor the next.
        return own.value.isdecimal() or other.value.isdecimal()
    if own.value != other.value or not _agrees(own.limit, other.limit):
        return False
    return own.unit == other.unit or not own.unit or not other.unit


def _agrees(limit: str, other: str) -> bool:
    """Return True if two limits at one number do not exclude each other; the number itself is at least the number."""
    if {limit, other} & {"below"}:
        return {limit, other} <= {"below", "at_most"}
    return {limit, other} != {"at_most", "at_least"}


def _comparable(own: Quantity, other: Quantity) -> bool:
    """Return True if one quantity may stand in the place of the other."""
    pers = {own.per, other.per}
    if len(pers) == 2 and (
        "each" in pers or pers == {"one", "counted"} or ("one" in pers and (own.limit or other.limit))
    ):
        return False
    if not own.dimension or not other.dimension or own.dimension == other.dimension:
        return True
    if own.per and own.per == other.per:
        return True
    if {own.dimension, other.dimension} == {"year", "duration"} and own.words.endswith("年"):
        # 2年 in the place of 2026年.
        return not own.per and not other.per and not own.limit
    return bool(own.number) and own.number == other.number and not {own.per, other.per} & {"each", "one"}


def _kind(own: Quantity, other: Quantity) -> DifferenceKind:
    words = quantity_words()
    if own.value == other.value and own.unit == other.unit:
        return DifferenceKind.LIMIT
    if own.number == other.number != "":
        return DifferenceKind.UNIT
    if own.unit and other.unit and own.unit != other.unit:
        return DifferenceKind.UNIT
    dimension = own.dimension or other.dimension
    if dimension in words.levels:
        return DifferenceKind.LEVEL
    if dimension in words.dates or dimension in ("year", "clock", "weekday"):
        return DifferenceKind.DATE
    ordinal = dimension in words.ordinals or dimension.startswith("第")
    return DifferenceKind.ORDINAL if ordinal else DifferenceKind.NUMBER


@cache
def _unit() -> re.Pattern[str]:
    words = sorted(quantity_words().units, key=len, reverse=True)
    # A Latin unit ends where no other letter goes on.
    return re.compile(r"\s*(" + any_of(re.escape(w) + ("(?![a-z0-9])" if w[-1].isascii() else "") for w in words) + ")")


@cache
def _limit_before() -> re.Pattern[str]:
    words = any_of(map(re.escape, sorted(quantity_words().limits_before, key=len, reverse=True)))
    return re.compile(rf"({words})(?:[了过于到]|金额|每[天日晚次人月年]|人民币|\s|整)*第?$")


@cache
def _limit_behind() -> re.Pattern[str]:
    words = any_of(map(re.escape, sorted(quantity_words().limits_behind, key=len, reverse=True)))
    return re.compile(rf"\s*(?:人民币|整)?的?({words})(?![测存涵勤])")


@cache
def _counted() -> re.Pattern[str]:
    return re.compile(r"(?:入职|工作|干|做|来|进公司|司龄|工龄|待|延长|提前|连续|累计|再|了|第)[了过满]?\s*$")


@cache
def _in_code() -> re.Pattern[str]:
    return re.compile(r"[a-z][-_.]?$|(?<![a-z0-9])[a-z] $")


@cache
def _tenth() -> re.Pattern[str]:
    """Match the tenth behind a unit: 4米2, 三块五."""
    return re.compile(f"[0-9一二三四五六七八九](?![0-9.%]|{_unit().pattern}|[十百千万])")


@cache
def _named() -> re.Pattern[str]:
    """Match what before one of a unit makes it a certain one: 最后一天, 上一年."""
    return re.compile("(?:最后|这|那|上|下|同|有|某|另|哪|任何|头)$")


@cache
def _half() -> re.Pattern[str]:
    return re.compile("半(月|小时|钟头|星期|礼拜)")
