"""Estimates how many lines a markdown text takes on the screen of a telephone. Pure."""

from __future__ import annotations

import re
import unicodedata
from math import ceil

# A bubble on a screen of 390 px holds 19 Chinese characters in a line.
_LINE_HALF_WIDTHS = 38
# A picture is at most 320 px high, as many as these lines.
_PICTURE_LINES = 13
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def screen_lines(markdown: str) -> int:
    """Count the lines that are shown, with those that wrapping makes of one; blank lines are only space."""
    pictures = len(_PICTURE.findall(markdown))
    shown = _LINK.sub(r"\1", _PICTURE.sub("", markdown)).replace("*", "")
    return pictures * _PICTURE_LINES + sum(ceil(_width(line.strip()) / _LINE_HALF_WIDTHS) for line in shown.split("\n"))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)
