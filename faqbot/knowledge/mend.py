"""Small slips of the keyboard in a knowledge file, read as meant: every mended line is reported, none moves.

Works on the text before YAML sees it, because YAML either refuses such lines or, worse, quietly reads something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from faqbot.knowledge.keys import ENTRY_KEYS, FILE_KEYS

_KEYS = sorted({*ENTRY_KEYS, *FILE_KEYS}, key=len, reverse=True)
_TEXT_KEYS = {"question", "answer", "topic", "owner", "source", "id"}
_LIST_KEYS = {"also", "not", "related", "groups", "departments"}
_DASHES = "-－—–"
_KEY_LINE = re.compile(
    rf"^(?P<indent> *)(?P<dash>(?:[{_DASHES}]\s*)?)(?P<key>{'|'.join(map(re.escape, _KEYS))})"
    r"(?P<colon>\s*[:：])(?P<gap>\s*)(?P<value>.*)$"
)
_LIST_ITEM = re.compile(rf"^(?P<indent> *)(?P<dash>[{_DASHES}]\s*)(?P<text>\S.*)$")
_ODD_INDENT = re.compile("^[\\s\u3000\u00a0]*")
_BLOCK = re.compile(r"(?:^|[:\-]\s+)[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_WHOLE_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_WHOLE_QUOTED = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?:#.*)?$""")
_ALIAS_OR_ANCHOR = re.compile(r"^[*&][A-Za-z0-9_-]+(\s|$)")
_COMMENT = re.compile(r"\s#")
_SPECIAL_START = "*&!%@`"
# A bracket that is closed before the sentence ends opens no list: `[手册](https://…) 第 5 章`, `{facts.额度} 元`.
_BRACKET_FIRST = re.compile(r"\[[^\]]*\]\s*[^\s#]|\{[^}]*\}\s*[^\s#]|\{facts\.[^}]*\}$")
_TAB_WIDTH = 2


@dataclass(frozen=True, slots=True)
class Mend:
    """One line that was read differently from how it is written. `line` counts from 1."""

    line: int
    before: str
    after: str
    reason: str


@dataclass(slots=True)
class _Where:
    """Where in the file we are: what the lines above have opened."""

    block: int | None = None  # column of the key whose `|` text we are in
    quote: str = ""  # the quotation mark that is still open
    list_of: int | None = None  # column of the key whose list we are in
    columns: set[int] = field(default_factory=set)  # columns in which keys stand


def mend(text: str) -> tuple[str, list[Mend]]:
    """Return the text with the same number of lines, slips corrected, and what was corrected."""
    lines = text.split("\n")
    result: list[str] = []
    mends: list[Mend] = []
    where = _Where()
    for number, line in enumerate(lines, 1):
        fixed, reasons = _line(line, lines[number:], where)
        result.append(fixed)
        if reasons:
            mends.append(Mend(number, line, fixed, "；".join(reasons)))
    return "\n".join(result), mends


def _line(line: str, following: Sequence[str], where: _Where) -> tuple[str, list[str]]:
    if where.quote:
        if where.quote in line:
            where.quote = ""
        return line, []
    fixed, reasons = _spaces(line)
    column = _column(fixed)
    if where.block is not None:
        # Inside `answer: |` everything is HR's own text; only blanks that YAML would refuse are touched.
        if not fixed.strip():
            return fixed, []
        if column > where.block:
            return (fixed, []) if "\t" in line[: len(line) - len(line.lstrip())] else (line, [])
        if line.startswith("\t") and not _KEY_LINE.match(fixed.lstrip()):
            return " " * (where.block + _TAB_WIDTH) + fixed.lstrip(), reasons
        where.block = None
    if not fixed.strip() or fixed.lstrip().startswith("#"):
        return fixed, reasons
    if where.list_of is not None:
        item = _LIST_ITEM.match(fixed)
        if item and column > where.list_of:
            more = [] if re.match("- +$", item["dash"]) else [_DASH_REASON]
            return (f"{item['indent']}- {item['text']}" if more else fixed), reasons + more
        where.list_of = None
    fixed, more = _key_line(fixed, following, where)
    return fixed, reasons + more


_DASH_REASON = "列表的横线要用半角“-”并在后面加一个空格"


def _spaces(line: str) -> tuple[str, list[str]]:
    """Tabs and wide blanks in the indentation become ordinary blanks."""
    found = _ODD_INDENT.match(line)
    indent = found.group() if found else ""
    plain = indent.replace("\t", " " * _TAB_WIDTH).replace("\u3000", "  ").replace("\u00a0", " ")
    if plain == indent:
        return line, []
    reason = "缩进用了制表符（Tab），请改成空格" if "\t" in indent else "缩进用了全角空格，请改成普通空格"
    return plain + line[len(indent) :], [reason] if line.strip() else []


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _key_line(line: str, following: Sequence[str], where: _Where) -> tuple[str, list[str]]:
    found = _KEY_LINE.match(line)
    if not found:
        if _BLOCK.search(line):
            where.block = _column(line)
        return line, []
    indent, dash, key, colon, gap, value = found.group("indent", "dash", "key", "colon", "gap", "value")
    meant = ENTRY_KEYS.get(key, "")
    wide = "：" in colon
    tight = not gap and bool(value)
    odd_gap = bool(gap.strip(" ")) and bool(value)
    # `- 问题:…` starts an entry anywhere; other lines only count where keys stand already, because
    # deeper inside an answer such a line is text.
    if not dash and (wide or tight or odd_gap) and len(indent) not in where.columns and indent:
        return line, []
    reasons: list[str] = []
    if dash and not re.fullmatch("- +", dash):
        reasons.append(_DASH_REASON)
        dash = "- "
    if wide:
        reasons.append(f"“{key}”后面是全角冒号，请改成半角冒号加空格")
    elif tight:
        reasons.append(f"“{key}:”后面少了一个空格")
    elif odd_gap:
        reasons.append(f"“{key}:”后面要用普通的空格")
    if wide or tight or odd_gap:
        colon, gap = ":", " " if value else ""
    start = len(indent) + len(dash)
    if meant in _TEXT_KEYS and not _goes_on(following, start):
        quoted = _quote_if_needed(value)
        if quoted != value:
            reasons.append("这句话里有 YAML 的特殊符号，请给整句加上英文双引号")
            value = quoted
    where.columns.add(start)
    where.list_of = start - 1 if meant in _LIST_KEYS and not value.strip() else None
    if value[:1] in ("'", '"') and value.count(value[0]) == 1:
        where.quote = value[0]
    fixed = f"{indent}{dash}{key}{colon}{gap}{value}"
    if _BLOCK.search(fixed):
        where.block = start
    return fixed, reasons


def _goes_on(following: Sequence[str], start: int) -> bool:
    """Whether the sentence continues on the next line, so that it cannot be quoted on this one alone."""
    line = following[0] if following else ""
    return bool(line.strip()) and _column(line) > start and not line.lstrip().startswith(("#", "- "))


def _quote_if_needed(value: str) -> str:
    """Quote a one-line text that YAML would read as something else: `**5 天**`, `报销: 怎么办`."""
    comment = _COMMENT.search(value)
    body, rest = (value[: comment.start()], value[comment.start() :]) if comment else (value, "")
    body = body.rstrip()
    if not body or _WHOLE_BLOCK.fullmatch(body) or _WHOLE_QUOTED.fullmatch(body) or _ALIAS_OR_ANCHOR.match(body):
        return value
    broken_quote = body[0] in "\"'" and body.count(body[0]) > 1
    special = body[0] in _SPECIAL_START or re.match(r"(?:[|>]|[?-] )", body) or _BRACKET_FIRST.match(body)
    inner_colon = body[0] not in "\"'" and re.search(r":(\s|$)", body) is not None
    if not (special or inner_colon or broken_quote):
        return value
    return '"' + body.replace("\\", "\\\\").replace('"', '\\"') + '"' + rest
