"""Ranges as cases of an answer (`ask`): the range that a number in a reply lies in. Pure."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable

from faqbot.language.normalize import in_digits, normalise

# A reply that is only a number with its unit, as people say how long or how old: 我工作5年了.
_NUMBER = re.compile(
    r"(?:那|如果|要是|换成|我|工龄|司龄|入职|入司|在职|来公司|工作|上班|[干做来]了?|了|满|已经|大概|差不多|有|是|今年)*"
    r"(\d+(?:\.\d+)?)\s*(个月|月|年|岁|天|人|级)?(?:工龄|司龄|多|左右|了|的话|的|呢)*"
)
_Holds = Callable[[float, float], bool]
_Bound = tuple[_Holds, float]
_UNIT = r"\s*(?:个?[月年岁天级人])?\s*"
_INCLUDED = r"(?:及|含|\(含\))?"
# The bounds that the words of a range set; 以上, 以下 and 以内 include the number itself.
_BOUNDS: tuple[tuple[re.Pattern[str], _Holds], ...] = (
    (re.compile(r"(?:(?<![不未])满|不少于|不低于|不小于|至少)\s*(\d+)"), operator.ge),
    (re.compile(rf"(\d+){_UNIT}{_INCLUDED}(?:以上|起)"), operator.ge),
    (re.compile(r"(?<!不)(?:超过|大于|多于|高于)\s*(\d+)"), operator.gt),
    (re.compile(r"(?:不满|不足|未满|不到|(?<!不)(?:少于|小于|低于))\s*(\d+)"), operator.lt),
    (re.compile(r"(?:不超过|不大于|不多于|不高于|至多|最多)\s*(\d+)"), operator.le),
    (re.compile(rf"(\d+){_UNIT}{_INCLUDED}(?:以下|以内|之内)"), operator.le),
)
_BETWEEN = re.compile(rf"(\d+){_UNIT}(?:-|—|–|~|到|至)\s*(\d+)")
ANY_NUMBER = re.compile(r"\d+")
AMOUNT = re.compile(r"\d|半")
# A number with a unit, as in the name of a range.
_NUMBER_WITH_UNIT = re.compile(r"\d\s*个?[月年岁天级人]")


def is_amount(case: str) -> bool:
    """Return True if a case is a range or a number with its unit, not a name with a number in it such as 3号楼."""
    plain = in_plain_digits(case)
    return "半" in plain or bool(bounds_of(case)) or _NUMBER_WITH_UNIT.search(plain) is not None


def stated_number(reply: str) -> str:
    """Return the number with its unit of a reply that is only that, as 5年 of 我工作五年了; empty for any other."""
    match = _NUMBER.fullmatch(normalise(reply))
    return f"{match[1]}{match[2] or ''}" if match else ""


def in_range(case: str, reply: str) -> bool | None:
    """Return True if the one number of a reply lies in the range of a case; None if there is no number or no range."""
    match, bounds = _NUMBER.fullmatch(reply), bounds_of(case)
    if match is None or bounds is None:
        return None
    plain = in_plain_digits(case)
    unit, is_months = match[2] or "", (match[2] or "").endswith("月")
    convert_to_years = is_months and "年" in plain
    if unit and not convert_to_years and unit.removeprefix("个") not in plain:
        return None
    number = float(match[1]) / (12 if convert_to_years else 1)
    return all(holds(number, bound) for holds, bound in bounds)


def bounds_of(case: str) -> list[_Bound] | None:
    """Read the bounds that a case sets for a number; None unless every number in the case is understood."""
    plain = in_plain_digits(case)
    if "不含" in plain or ("年" in plain and "月" in plain):
        return None
    if between := _BETWEEN.search(plain):
        bounds: list[_Bound] = [(operator.ge, float(between[1])), (operator.le, float(between[2]))]
    else:
        bounds = [(holds, float(bound)) for pattern, holds in _BOUNDS for bound in pattern.findall(plain)]
    return bounds if bounds and len(bounds) == len(ANY_NUMBER.findall(plain)) else None


def in_plain_digits(case: str) -> str:
    return in_digits(unicodedata.normalize("NFKC", case))
