"""Masking: replaces numbers that identify a person, such as mobile and bank card numbers. Pure."""

from __future__ import annotations

import re
import unicodedata

# Gap between groups of digits. Only the groupings in use count: any other row of numbers is dates, amounts or a hotline
# with its extension.
_G = r"[ \-‐-―·]{0,3}"
_EDGE_BEFORE, _EDGE_AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_ID_CARD = (
    rf"[1-9]\d\d{_G}\d{{3}}{_G}\d{{4}}{_G}\d\d{_G}\d\d{_G}\d{{3}}[\dX]|[1-9]\d{{3}}(?:{_G}\d{{4}}){{3}}{_G}\d[\dX]"
)
# Digits behind four groups of four belong to the card unless still more follow, such as those of a mobile.
_BANK_CARD = (
    rf"[1-9]\d{{14,18}}|[3-9]\d{{3}}(?:{_G}\d{{4}}){{3}}(?:{_G}\d{{1,3}}(?!{_G}\d))?|[3-9]\d{{5}}{_G}\d{{9,13}}"
)
_MOBILE = rf"1[3-9]\d(?:{_G}\d{{4}}{_G}\d{{4}}|\d{_G}\d{{3}}{_G}\d{{4}}|{_G}\d{{3}}{_G}\d{{5}}|(?:{_G}\d\d){{4}})"
# By name, longer numbers first.
_KINDS = (
    ("证件号", re.compile(rf"{_EDGE_BEFORE}(?:{_ID_CARD}){_EDGE_AFTER}", re.IGNORECASE)),
    ("卡号", re.compile(rf"{_EDGE_BEFORE}(?:{_BANK_CARD}){_EDGE_AFTER}")),
    ("手机号", re.compile(rf"(?<![0-9])(?:(?:\+|00)?86{_G})?(?:{_MOBILE})(?![0-9])")),
)


_ANY_DIGIT = re.compile(r"\d")


def mask_numbers(text: str) -> str:
    """Replace mobile, identity card and bank card numbers by their kind, such as 〔手机号〕.

    An unbroken run of twenty digits or more is an order or a transaction and stays. A bank card of eighteen digits
    cannot be told from an identity card and is called one.
    """
    if _ANY_DIGIT.search(text) is None:
        return text
    # Numbers are searched for in their plain form, since full-width digits are digits too.
    plain = "".join(_digit(c) for c in text)
    masked = True
    # Of two numbers written together the second has a border only when the first is masked.
    while masked:
        masked = False
        for name, pattern in _KINDS:
            while (match := pattern.search(plain)) is not None:
                start, end = match.span()
                text = f"{text[:start]}〔{name}〕{text[end:]}"
                plain = f"{plain[:start]}〔{name}〕{plain[end:]}"
                masked = True
    return text


def _digit(char: str) -> str:
    """Return the character as ASCII if it is a digit, blank, sign or X in another width; always one character."""
    if char.isascii():
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return {"　": " ", "Ｘ": "X", "ｘ": "x", "－": "-", "＋": "+", "\u00a0": " "}.get(char, char)
