"""One question back (`ask`): which case of an answer a reply means. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from faqbot.model import Entry
from faqbot.splitting import asks
from faqbot.text import normalise

ELSE = "else"
ELSE_NAME = "其他"
# What an asker said about themselves holds for so long.
FACT_SECONDS = 1800.0
# So much besides the case itself a reply may say.
_BESIDES = 2
_LONGEST_ELSE = 8
_PADDING = re.compile(
    "[我们是在的人呢吧啊呀哦就应该]|办公|公司|参保|工作|上班|目前|现在|这边|那边|地区|员工|城市|选|base|市$"
)
_ELSE_WORDS = {"其他", "其它", "别", "别处", "都不是", "都不", "以上都不是", "其他城市", "其他地方"}
# Nothing but a number with its unit, as people say how long or how old: 我工作5年了.
_NUMBER = re.compile(
    r"(?:我|工龄|司龄|入职|工作|满|已经|大概|差不多|有|是|今年)*(\d+(?:\.\d+)?)\s*(个月|月|年|岁|天|人|级)?(?:多|左右|了|的)*"
)
_FROM = re.compile(r"(?:(?<![不未])满|超过|大于|不少于|不低于)\s*(\d+)|(\d+)\s*\w?(?:及?以上|起)")
_BELOW = re.compile(r"(?:不满|不足|未满|少于|小于|低于)\s*(\d+)|(\d+)\s*\w?(?:及?以下|以内|之内)")
_BETWEEN = re.compile(r"(\d+)\s*(?:-|—|–|~|到|至)\s*(\d+)")

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
    said = _PADDING.sub("", normalise(reply))
    named = _names(entry)
    for case, name in named.items():
        if said and (said == name or sound(said) == sound(name)):
            return case
    if ELSE in entry.variants and said in _ELSE_WORDS:
        return ELSE
    in_range = [case for case in named if _covers(case, normalise(reply))]
    return in_range[0] if len(in_range) == 1 else None


def case_within(entry: Entry, reply: str) -> str | None:
    """The case of a short reply that asks nothing: the one it holds (上海浦东), else the fallback."""
    said = _PADDING.sub("", normalise(reply))
    if asks(reply) or not 0 < len(said) <= _LONGEST_ELSE:
        return None
    within = [(case, name) for case, name in _names(entry).items() if name in said]
    if within:
        case, name = within[0]
        return case if len(within) == 1 and len(said) - len(name) <= _BESIDES else None
    return ELSE if ELSE in entry.variants else None


def _names(entry: Entry) -> dict[str, str]:
    """What each case but the fallback is called, without padding."""
    plain = {case: normalise(case) for case in entry.variants if case != ELSE}
    return {case: _PADDING.sub("", name) or name for case, name in plain.items()}


def _covers(case: str, reply: str) -> bool:
    """Whether the one number of a reply lies in the range that a case describes, such as 满 1 年不满 10 年."""
    found = _NUMBER.fullmatch(reply)
    if found is None:
        return False
    plain = unicodedata.normalize("NFKC", case)
    unit, months = found[2] or "", (found[2] or "").endswith("月")
    in_years = months and "年" in plain
    if unit and not in_years and unit.removeprefix("个") not in plain:
        return False
    number = float(found[1]) / (12 if in_years else 1)
    if between := _BETWEEN.search(plain):
        return float(between[1]) <= number <= float(between[2])
    low, high = _FROM.search(plain), _BELOW.search(plain)
    if not low and not high:
        return False
    return (not low or number >= float(low[1] or low[2])) and (not high or number < float(high[1] or high[2]))
