"""Finds markup from Word, web pages and other tools that DingTalk's messages do not show. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAGS = "font|br|b|i|u|p|s|div|span|a|img|table|tr|td|th|ul|ol|li|strong|em|center|hr|code|pre|del|mark|sub|sup|h[1-6]"
# The name of each kind of markup, its pattern, and what to write instead.
_KINDS = (
    (
        "表格",
        re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?)?\s*$|^\s*\|(?:[^|]+\|){2,}\s*$"),
        "表格请改成列表，一行一项，例如“- 上海：158 天”",
    ),
    ("代码框", re.compile(r"^\s*(?:```|~~~)"), "代码框请去掉上下两行 ```"),
    (
        "网页标签",
        re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>|&(?:nbsp|lt|gt|amp|quot);", re.IGNORECASE),
        "网页标签请删掉：加粗写成 **文字**，换行直接回车",
    ),
    ("删除线", re.compile(r"~~[^~\s](?:[^~]*[^~\s])?~~"), "删除线请连同作废的文字一起删掉"),
)


def find_unsupported_markup(lines: Iterable[str]) -> tuple[int, str] | None:
    """Return the number (from 0) of the first line with such markup and a message about all of it, or None."""
    first, kinds = -1, {}
    for number, line in enumerate(lines):
        if "|" not in line and "<" not in line and "&" not in line and "~~" not in line and "```" not in line:
            continue
        for kind, pattern, advice in _KINDS:
            if kind not in kinds and pattern.search(line):
                kinds[kind] = advice
                first = number if first < 0 else first
    if not kinds:
        return None
    return (
        first,
        f"钉钉的消息里显示不出{'、'.join(kinds)}，员工会看到一堆符号；{'；'.join(kinds.values())}",
    )
