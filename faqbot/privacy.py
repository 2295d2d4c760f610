"""Numbers that say who somebody is, taken out of texts that are kept. Pure."""

from __future__ import annotations

import re
import unicodedata

_GAP = r"[ \-‐-―·]?"
_EDGE_BEFORE, _EDGE_AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
# An id card number ends in a digit or X; people group digits by blanks or dashes. The longest is looked for first.
_KINDS = (
    ("证件号", re.compile(rf"{_EDGE_BEFORE}[1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx]{_EDGE_AFTER}")),
    ("卡号", re.compile(rf"{_EDGE_BEFORE}\d(?:{_GAP}\d){{14,18}}{_EDGE_AFTER}")),
    ("手机号", re.compile(rf"(?<![0-9])(?:(?:\+|00)?86{_GAP})?1[3-9](?:{_GAP}\d){{9}}(?![0-9])")),
)


def mask_numbers(text: str) -> str:
    """Replace mobile, identity card and bank card numbers by what they are, such as 〔手机号〕."""
    # Full-width digits are digits too; only texts that hold any are looked at through their plain form.
    plain = "".join(_digit(c) for c in text)
    for name, pattern in _KINDS:
        while (found := pattern.search(plain)) is not None:
            start, end = found.span()
            text = f"{text[:start]}〔{name}〕{text[end:]}"
            plain = f"{plain[:start]}〔{name}〕{plain[end:]}"
    return text


def _digit(char: str) -> str:
    """The character as ASCII if it is a digit, a blank or X in another width; always one character."""
    if char.isascii():
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return {"　": " ", "Ｘ": "X", "ｘ": "x", "－": "-", "＋": "+", "\u00a0": " "}.get(char, char)
