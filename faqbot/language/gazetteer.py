"""Gazetteer: recognises names of places in a text, such as Chinese provinces and cities. Pure."""

from __future__ import annotations

import re
from functools import cache

from faqbot.language.vocabulary import any_of, places


def is_place(text: str) -> bool:
    """Return True if a text is the name of a place and nothing else: 杭州, 广东省深圳市, 苏州工业园区."""
    return _full_name().fullmatch(text) is not None


def places_in(text: str) -> tuple[str, ...]:
    """List the places that a text names, each once."""
    return tuple(dict.fromkeys(_any_name().findall(text)))


@cache
def _any_name() -> re.Pattern[str]:
    # Longer names first: 张家港 is not 张家 and something.
    return re.compile(any_of(sorted(places().names, key=len, reverse=True)))


@cache
def _full_name() -> re.Pattern[str]:
    return re.compile(
        f"(?:(?:{_any_name().pattern})(?:省|市|自治区|自治州|特别行政区)?)+"
        r"(?:[\u4e00-\u9fff]{1,4}(?:新区|区|县|镇))?"
    )
