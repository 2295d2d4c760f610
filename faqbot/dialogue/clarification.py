"""Clarification (`ask`): determine which case of an answer a reply or a question refers to. Pure."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable

from faqbot.language.gazetteer import is_place, places_in
from faqbot.language.normalize import in_digits, normalise
from faqbot.language.sentence_splitting import asks
from faqbot.model.entries import ELSE, Entry

# The name of the fallback case in a list.
ELSE_NAME = "其他"
# Facts that askers state about themselves are valid for half an hour.
SLOT_SECONDS = 1800.0
# Characters that a reply may hold beside the name of the case.
_MAX_EXTRA_CHARS = 2
_MAX_REPLY_CHARS = 8
# Replies and cases with the same last characters are of one kind, as 外包员工 and 正式员工.
_KIND_SUFFIX_CHARS = 2
# 不在上海 means any case but 上海.
_NEGATION = re.compile("[不没非别]|离开|除了|以外|之外")
_PADDING = re.compile(
    "[我们是在的人呢吧啊呀哦就应该]|办公|公司|参保|工作|上班|目前|现在|这边|那边|地区|员工|城市|选|base|市$"
)
_ELSE_WORDS = {"其他", "其它", "别", "别处", "都不是", "都不", "以上都不是", "其他城市", "其他地方"}
# A reply that is only a number with its unit, as people say how long or how old: 我工作5年了.
_NUMBER = re.compile(
    r"(?:我|工龄|司龄|入职|工作|满|已经|大概|差不多|有|是|今年)*(\d+(?:\.\d+)?)\s*(个月|月|年|岁|天|人|级)?(?:多|左右|了|的)*"
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
_ANY_NUMBER = re.compile(r"\d+")
_AMOUNT = re.compile(r"\d|半")

Sound = Callable[[str], str]


def case_name(case: str) -> str:
    return ELSE_NAME if case == ELSE else case


def named_case(entry: Entry, reply: str, sound: Sound) -> str | None:
    """Find the case that a reply names, by its name or by a number in its range; None for any other text.

    `sound` maps a text to its pronunciation, so that 上海 and shanghai are the same.
    """
    core = _without_padding(reply)
    names = _case_names(entry)
    for case, name in names.items():
        if core and (core == name or sound(core) == sound(name)):
            return case
    if ELSE in entry.variants and core in _ELSE_WORDS:
        return ELSE
    in_range = [case for case in names if _in_range(case, normalise(reply))]
    return in_range[0] if len(in_range) == 1 else None


def mentioned_cases(entry: Entry, question: str) -> tuple[str, ...]:
    """Find words of a question that are of the kind of the cases: 北京 in 北京公积金交多少, 外包员工, or several."""
    words = normalise(question)
    names = [name for name in _case_names(entry).values() if len(name) > 1 and not _AMOUNT.search(name)]
    places = places_in(words) if any(map(is_place, names)) else ()
    return tuple(dict.fromkeys((*places, *(name for name in names if name in words))))


def is_ruled_out(question: str, word: str) -> bool:
    """Return True if a question mentions a word only to rule it out, as in 不在上海."""
    negated = rf"(?:{_NEGATION.pattern})\w{{0,2}}{re.escape(word)}|{re.escape(word)}(?:以外|之外)"
    return re.search(negated, question) is not None


def implied_case(entry: Entry, reply: str) -> str | None:
    """Find the case that a short reply implies; None for a remark that is no reply.

    It is the case whose name the reply contains (上海浦东); else the fallback if the reply is of the same kind as the
    cases (杭州 beside 上海, 外包员工 beside 正式员工). Empty if the cases are ranges and more than one may hold.
    """
    core = _PADDING.sub("", normalise(reply))
    if not could_be_reply(reply):
        return None
    names = _case_names(entry)
    contained = [(case, name) for case, name in names.items() if name in core]
    if contained:
        case, name = contained[0]
        is_only_one = len(contained) == 1 and len(core) - len(name) <= _MAX_EXTRA_CHARS
        return case if is_only_one and not _NEGATION.search(core.replace(name, "")) else None
    ranges = [case for case in entry.variants if _ANY_NUMBER.search(_in_plain_digits(case))]
    if ranges and _AMOUNT.search(_in_plain_digits(reply)):
        inside = [_in_range(case, normalise(reply)) for case in ranges]
        if True in inside or (None in inside and ELSE in entry.variants):
            return ""
        return ELSE if ELSE in entry.variants else None
    same_kind = any(_same_kind(case, name, core, normalise(reply)) for case, name in names.items())
    return ELSE if ELSE in entry.variants and same_kind else None


def could_be_reply(text: str) -> bool:
    """Return True if a text is short enough to name a case and asks nothing."""
    return not asks(text) and 0 < len(_PADDING.sub("", normalise(text))) <= _MAX_REPLY_CHARS


def _same_kind(case: str, name: str, core: str, reply: str) -> bool:
    if is_place(name):
        return is_place(core)
    return len(reply) > _KIND_SUFFIX_CHARS and normalise(case).endswith(reply[-_KIND_SUFFIX_CHARS:])


def _case_names(entry: Entry) -> dict[str, str]:
    """Map each case but the fallback to its name without padding."""
    return {case: _without_padding(case) for case in entry.variants if case != ELSE}


def _without_padding(text: str) -> str:
    """Remove padding, unless the text is nothing else: 是 may be a case."""
    plain = normalise(text)
    return _PADDING.sub("", plain) or plain.rstrip("的啊呀呢吧") or plain


def _in_range(case: str, reply: str) -> bool | None:
    """Return True if the one number of a reply lies in the range of a case; None if there is no number or no range."""
    match, bounds = _NUMBER.fullmatch(reply), _bounds(case)
    if match is None or bounds is None:
        return None
    plain = _in_plain_digits(case)
    unit, is_months = match[2] or "", (match[2] or "").endswith("月")
    convert_to_years = is_months and "年" in plain
    if unit and not convert_to_years and unit.removeprefix("个") not in plain:
        return None
    number = float(match[1]) / (12 if convert_to_years else 1)
    return all(holds(number, bound) for holds, bound in bounds)


def _bounds(case: str) -> list[_Bound] | None:
    """Read the bounds that a case sets for a number; None unless every number in the case is understood."""
    plain = _in_plain_digits(case)
    if "不含" in plain or ("年" in plain and "月" in plain):
        return None
    if between := _BETWEEN.search(plain):
        bounds: list[_Bound] = [(operator.ge, float(between[1])), (operator.le, float(between[2]))]
    else:
        bounds = [(holds, float(bound)) for pattern, holds in _BOUNDS for bound in pattern.findall(plain)]
    return bounds if bounds and len(bounds) == len(_ANY_NUMBER.findall(plain)) else None


def _in_plain_digits(case: str) -> str:
    return in_digits(unicodedata.normalize("NFKC", case))
