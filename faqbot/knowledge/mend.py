"""Small slips of the keyboard in a knowledge file, read as meant: every mended line is reported, none moves.

Works on the text before YAML sees it, because YAML either refuses such lines or, worse, quietly reads something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from faqbot.knowledge.keys import ENTRY_KEYS, FILE_KEYS

_KEYS = sorted({*ENTRY_KEYS, *FILE_KEYS}, key=len, reverse=True)
_TEXT_KEYS = {"question", "answer", "topic", "owner", "source", "id"}
_KEY_LINE = re.compile(
    rf"^(?P<indent>\s*)(?P<dash>(?:[-－—–]\s*)?)(?P<key>{'|'.join(map(re.escape, _KEYS))})"
    r"(?P<colon>\s*[:：])(?P<gap>\s*)(?P<value>.*)$"
)
_ODD_INDENT = re.compile("^[\\s\u3000\u00a0]*")
_BLOCK = re.compile(r"(?:^|[:\-]\s+)[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_ALIAS_OR_ANCHOR = re.compile(r"^[*&][A-Za-z0-9_-]+(\s|$)")
_SPECIAL_START = "*&!%@`"
_TAB_WIDTH = 2


@dataclass(frozen=True, slots=True)
class Mend:
    """One line that was read differently from how it is written. `line` counts from 1."""

    line: int
    before: str
    after: str
    reason: str


def mend(text: str) -> tuple[str, list[Mend]]:
    """Return the text with the same number of lines, slips corrected, and what was corrected."""
    lines: list[str] = []
    mends: list[Mend] = []
    block_column: int | None = None
    columns: set[int] = set()
    for number, line in enumerate(text.split("\n"), 1):
        fixed, reasons = _spaces(line)
        column = len(fixed) - len(fixed.lstrip(" "))
        if block_column is not None and (not fixed.strip() or column > block_column):
            # Inside `answer: |` everything is HR's own text; only blanks that YAML would refuse are touched.
            lines.append(fixed if "\t" in line[: len(line) - len(line.lstrip())] else line)
            continue
        block_column = None
        if fixed.strip() and not fixed.lstrip().startswith("#"):
            fixed, more = _key_line(fixed, columns)
            reasons += more
        lines.append(fixed)
        if reasons:
            mends.append(Mend(number, line, fixed, "；".join(reasons)))
        if _BLOCK.search(fixed):
            block_column = _key_column(fixed)
    return "\n".join(lines), mends


def _spaces(line: str) -> tuple[str, list[str]]:
    """Tabs and wide blanks in the indentation become ordinary blanks."""
    found = _ODD_INDENT.match(line)
    indent = found.group() if found else ""
    plain = indent.replace("\t", " " * _TAB_WIDTH).replace("\u3000", "  ").replace("\u00a0", " ")
    if plain == indent:
        return line, []
    reason = "缩进用了制表符（Tab），请改成空格" if "\t" in indent else "缩进用了全角空格，请改成普通空格"
    return plain + line[len(indent) :], [reason] if line.strip() else []


def _key_column(line: str) -> int:
    found = _KEY_LINE.match(line)
    if found:
        return found.start("key")
    return len(line) - len(line.lstrip(" "))


def _key_line(line: str, columns: set[int]) -> tuple[str, list[str]]:
    found = _KEY_LINE.match(line)
    if not found:
        return line, []
    indent, dash, key, colon, gap, value = found.group("indent", "dash", "key", "colon", "gap", "value")
    wide = "：" in colon
    tight = not gap and bool(value)
    # `- 问题:…` starts an entry anywhere; other lines only count where keys stand already, because
    # deeper inside an answer such a line is text.
    if not dash and (wide or tight) and found.start("key") not in columns and indent:
        return line, []
    reasons: list[str] = []
    if dash and (not dash.startswith("-") or len(dash) == 1):
        reasons.append("列表的横线要用半角“-”并在后面加一个空格")
        dash = "- "
    if wide:
        reasons.append(f"“{key}”后面是全角冒号，请改成半角冒号加空格")
    elif tight:
        reasons.append(f"“{key}:”后面少了一个空格")
    if wide or tight:
        colon, gap = ":", " " if value else ""
    quoted = _quote_if_needed(ENTRY_KEYS.get(key, ""), value)
    if quoted != value:
        reasons.append("这句话里有 YAML 的特殊符号，请给整句加上英文双引号")
        value = quoted
    columns.add(len(indent) + len(dash))
    return f"{indent}{dash}{key}{colon}{gap}{value}", reasons


def _quote_if_needed(key: str, value: str) -> str:
    """Quote a one-line text that YAML would read as something else: `**5 天**`, `报销: 怎么办`."""
    if key not in _TEXT_KEYS or not value or value[0] in "\"'|>[{#":
        return value
    special = value[0] in _SPECIAL_START and not _ALIAS_OR_ANCHOR.match(value)
    inner_colon = re.search(r":(\s|$)", value) is not None
    if not special and not inner_colon:
        return value
    body = value.rstrip()
    return '"' + body.replace("\\", "\\\\").replace('"', '\\"') + '"'
