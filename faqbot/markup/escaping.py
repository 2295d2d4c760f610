"""Escapes any text for markdown, so that it is shown as it was typed."""

from __future__ import annotations

from faqbot.language.normalize import INVISIBLE_MARKS, WHITESPACE


def escape_markdown(text: str, limit: int = 60) -> str:
    """Make a person's words safe to show: one line of at most `limit` characters, none with a meaning in markdown or @.

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
