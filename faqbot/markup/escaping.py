"""Writes anybody's text into markdown so that it shows as typed."""

from __future__ import annotations

from faqbot.language.normalize import INVISIBLE_MARKS, WHITESPACE


def neutralise(text: str, limit: int = 60) -> str:
    """Make a person's words safe to show again: one line, no character with a meaning in markdown or @.

    DingTalk documents no backslash escape, so each such character is replaced by its full-width twin.
    """
    line = WHITESPACE.sub(" ", text.translate(INVISIBLE_MARKS)).strip()
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return line.replace("://", "：／／").translate(_UNSAFE)


_UNSAFE = str.maketrans(
    {
        "[": "［", "]": "］", "(": "（", ")": "）", "<": "＜", ">": "＞", "*": "＊", "_": "＿",
        "#": "＃", "@": "＠", "`": "｀", "~": "～", "|": "｜", "\\": "＼", "!": "！",
    }
)  # fmt: skip
