"""One question back (`ask`): which case of an answer a reply means. Pure."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable

from faqbot.language.gazetteer import is_place, places_in
from faqbot.language.normalize import in_digits, normalise
from faqbot.language.sentence_splitting import asks
from faqbot.model.entries import Entry

ELSE = "else"
ELSE_NAME = "其他"
# What an asker said about themselves holds for so long.
FACT_SECONDS = 1800.0
# So much besides the case itself a reply may say.
_BESIDES = 2
_LONGEST_REPLY = 8
# 外包员工 and 正式员工 are of one kind.
_SAME_ENDING = 2
# 不在上海 is anything but 上海.
_DENIES = re.compile("[不没非别]|离开|除了|以外|之外")
_PADDING = re.compile(
    "[我们是在的人呢吧啊呀哦就应该]|办公|公司|参保|工作|上班|目前|现在|这边|那边|地区|员工|城市|选|base|市$"
)
_ELSE_WORDS = {"其他", "其它", "别", "别处", "都不是", "都不", "以上都不是", "其他城市", "其他地方"}
# Nothing but a number with its unit, as people say how long or how old: 我工作5年了.
_NUMBER = re.compile(
    r"(?:我|工龄|司龄|入职|工作|满|已经|大概|差不多|有|是|今年)*(\d+(?:\.\d+)?)\s*(个月|月|年|岁|天|人|级)?(?:多|左右|了|的)*"
)
_Holds = Callable[[float, float], bool]
_Bound = tuple[_Holds, float]
_UNIT = r"\s*(?:个?[月年岁天级人])?\s*"
_INCLUDED = r"(?:及|含|\(含\))?"
# What a range says of a number; 以上, 以下 and 以内 include the number itself.
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


def cases_of(entry: Entry) -> tuple[str, ...]:
    """The cases an answer depends on, as they may be picked; the fallback comes last."""
    return (*(case for case in entry.variants if case != ELSE), *(case for case in entry.variants if case == ELSE))


def case_name(case: str) -> str:
    return ELSE_NAME if case == ELSE else case


def case_of(entry: Entry, reply: str, sound: Sound) -> str | None:
    """The case that a reply names, in other words or by a number that lies in its range; None for any other text.

    `sound` is how a text sounds: 上海 and shanghai are one.
    """
    said = _bare(reply)
    named = _names(entry)
    for case, name in named.items():
        if said and (said == name or sound(said) == sound(name)):
            return case
    if ELSE in entry.variants and said in _ELSE_WORDS:
        return ELSE
    in_range = [case for case in named if _inside(case, normalise(reply))]
    return in_range[0] if len(in_range) == 1 else None


def spoken_of(entry: Entry, question: str) -> tuple[str, ...]:
    """What a question itself says of the kind that the cases are of: 北京 of 北京公积金交多少, 外包员工, or several."""
    said = normalise(question)
    names = [name for name in _names(entry).values() if len(name) > 1 and not _AMOUNT.search(name)]
    places = places_in(said) if any(map(is_place, names)) else ()
    return tuple(dict.fromkeys((*places, *(name for name in names if name in said))))


def denies(question: str, word: str) -> bool:
    """Whether a question speaks of a word only to rule it out: 不在上海."""
    return (
        re.search(rf"(?:{_DENIES.pattern})\w{{0,2}}{re.escape(word)}|{re.escape(word)}(?:以外|之外)", question)
        is not None
    )


def case_within(entry: Entry, reply: str) -> str | None:
    """The case of a short reply that asks nothing: the one it holds (上海浦东), else the fallback where the reply says
    something of the same kind as the cases (杭州 beside 上海, 外包员工 beside 正式员工); empty where the cases are
    ranges and it cannot be told which of them it means; None for any other remark."""
    said = _PADDING.sub("", normalise(reply))
    if not may_reply(reply):
        return None
    named = _names(entry)
    within = [(case, name) for case, name in named.items() if name in said]
    if within:
        case, name = within[0]
        alone = len(within) == 1 and len(said) - len(name) <= _BESIDES
        return case if alone and not _DENIES.search(said.replace(name, "")) else None
    ranges = [case for case in entry.variants if _ANY_NUMBER.search(_plain(case))]
    if ranges and _AMOUNT.search(_plain(reply)):
        inside = [_inside(case, normalise(reply)) for case in ranges]
        if True in inside or (None in inside and ELSE in entry.variants):
            return ""
        return ELSE if ELSE in entry.variants else None
    alike = any(_same_kind(case, name, said, normalise(reply)) for case, name in named.items())
    return ELSE if ELSE in entry.variants and alike else None


def may_reply(text: str) -> bool:
    """Whether a text is short enough to say which case holds, and asks nothing."""
    return not asks(text) and 0 < len(_PADDING.sub("", normalise(text))) <= _LONGEST_REPLY


def _same_kind(case: str, name: str, said: str, reply: str) -> bool:
    if is_place(name):
        return is_place(said)
    return len(reply) > _SAME_ENDING and normalise(case).endswith(reply[-_SAME_ENDING:])


def _names(entry: Entry) -> dict[str, str]:
    """What each case but the fallback is called, without padding."""
    return {case: _bare(case) for case in entry.variants if case != ELSE}


def _bare(text: str) -> str:
    """A text without padding, unless it is nothing else: 是 may be a case."""
    plain = normalise(text)
    return _PADDING.sub("", plain) or plain.rstrip("的啊呀呢吧") or plain


def _inside(case: str, reply: str) -> bool | None:
    """Whether the one number of a reply lies in the range of a case; None where one of them is no such thing."""
    found, bounds = _NUMBER.fullmatch(reply), _bounds(case)
    if found is None or bounds is None:
        return None
    plain = _plain(case)
    unit, months = found[2] or "", (found[2] or "").endswith("月")
    in_years = months and "年" in plain
    if unit and not in_years and unit.removeprefix("个") not in plain:
        return None
    number = float(found[1]) / (12 if in_years else 1)
    return all(holds(number, bound) for holds, bound in bounds)


def _bounds(case: str) -> list[_Bound] | None:
    """What must hold of a number in the range that a case describes; None where not all of it is understood."""
    plain = _plain(case)
    if "不含" in plain or ("年" in plain and "月" in plain):
        return None
    if between := _BETWEEN.search(plain):
        found: list[_Bound] = [(operator.ge, float(between[1])), (operator.le, float(between[2]))]
    else:
        found = [(holds, float(bound)) for pattern, holds in _BOUNDS for bound in pattern.findall(plain)]
    return found if found and len(found) == len(_ANY_NUMBER.findall(plain)) else None


def _plain(case: str) -> str:
    return in_digits(unicodedata.normalize("NFKC", case))
