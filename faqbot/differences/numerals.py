"""Numerals: reads numbers in digits and in Chinese characters: 5000, 5千, 五千, 1.5万, 一百二十, 二〇二六. Pure."""

from __future__ import annotations

import re

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_LARGE_SCALES = {"万": 10_000, "亿": 100_000_000}
# k and w stand for thousand and ten thousand only where no Latin word goes on.
_LETTER_SCALES = {"k": 1000, "w": 10_000, "千": 1000, "百": 100} | _LARGE_SCALES
NUMERAL_CHARACTERS = "零〇一二两三四五六七八九十百千万亿半"
CHINESE_NUMERAL = "[零〇一二两三四五六七八九十百千万亿]"
NUMBER = re.compile(
    r"(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?)(?P<scale>(?:[百千]?[万亿]|[百千]|[kw](?![a-z0-9])))?"
    rf"|(?P<chinese>{CHINESE_NUMERAL}+(?:点[零一二三四五六七八九]+)?|半(?=[年天个小]))"
)


def value_of(match: re.Match[str]) -> float | None:
    """Return the value of a match of NUMBER; None if the characters are no number: 万一, 三五."""
    if digits := match["digits"]:
        value = float(digits.replace(",", ""))
        for scale in match["scale"] or "":
            value *= _LETTER_SCALES[scale]
        return value
    return _chinese_value(match["chinese"])


def _chinese_value(text: str) -> float | None:
    if text == "半":
        return 0.5
    whole, _, fraction = text.partition("点")
    if len(whole) > 1 and all(c in _DIGITS for c in whole):
        # A year or a code, digit by digit; 三五 is about that many.
        return float("".join(str(_DIGITS[c]) for c in whole)) if len(whole) >= 4 else None
    value = _scaled_value(whole)
    if value is None or not fraction:
        return value
    return float(f"{value}." + "".join(str(_DIGITS[c]) for c in fraction))


def _scaled_value(text: str) -> int | None:
    total = section = 0
    digit: int | None = None
    last_scale = 1
    for character in text:
        if character in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[character]
            if not digit:
                last_scale = 1
        elif character in _SCALES:
            if digit is None and (section or total or character != "十"):
                return None
            last_scale = _SCALES[character]
            section += (1 if digit is None else digit) * last_scale
            digit = None
        else:
            if not section and not digit:
                return None
            last_scale = _LARGE_SCALES[character]
            total += (section + (digit or 0)) * last_scale
            section, digit = 0, None
    # 一万五 is 15000, but 一百零五 is 105.
    return total + section + (digit or 0) * (last_scale // 10 or 1)
