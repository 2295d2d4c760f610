"""Repairs typing mistakes in raw lines before YAML is parsed, and reports each repair.

YAML would refuse such lines or, worse, silently read something else. No line is added or removed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from faqbot.yamltext import key_names
from faqbot.yamltext.key_names import ENTRY_KEYS, FILE_KEYS
from faqbot.yamltext.syntax_errors import ANSWER_ON_THE_LINE
from faqbot.yamltext.value_repairs import LIST_KEYS, QUOTE_REASON, quote_if_needed, repair_value

_KEYS = "|".join(map(re.escape, sorted({*ENTRY_KEYS, *FILE_KEYS}, key=len, reverse=True)))
_DASHES = "-－—–"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_KEY_LINE = re.compile(
    rf"^(?P<indent> *)(?P<dash>(?:[{_DASHES}]{{1,2}}[\s{_INVISIBLE}]*)?)(?P<key>{_KEYS})"
    r"(?P<colon>\s*[:：])(?P<gap>\s*)(?P<value>.*)$"
)
# Only before a key: elsewhere a number or a bullet is part of a sentence.
_BULLET = re.compile(rf"^( *)((?:[•●▪◆·*]|\d{{1,3}}[.、．)）])\s*)(?=(?:{_KEYS})\s*[:：])")
_NEAR_KEY = re.compile(rf"^( *)((?:[{_DASHES}]\s*)?)([^\s:：,，。#\"'\[\]{{}}]{{2,12}})\s*：\s*(.*)$")
_LIST_ITEM = re.compile(rf"^(?P<indent> *)(?P<dash>[{_DASHES}]\s*)(?P<text>\S.*)$")
_CASE = re.compile(r"^( *)([^\s:：#\"'\[\]{}|>-][^:：]{0,30}?)\s*：[ \u3000]*(.*)$")
_ODD_INDENT = re.compile(f"^[\\s\u3000\u00a0{_INVISIBLE}]*")
_BLOCK = re.compile(r"(?:^|[:\-]\s+)[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
# Characters that YAML refuses. A zero byte is not among them: it tells of a damaged file. Word breaks lines by \x0b.
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_TAB_WIDTH = 2


@dataclass(frozen=True, slots=True)
class LineRepair:
    """One line that is read differently from how it is written; `line` counts from 1."""

    line: int
    before: str
    after: str
    reason: str


@dataclass(slots=True)
class _Context:
    """The blocks, quotes and lists that the lines above have opened, and the columns in which keys and dashes stand."""

    block: int | None = None  # column of the key whose `|` block is open
    quote: str = ""  # the quotation mark that is still open
    list_of: int | None = None  # column of the key whose list is open
    cases_of: int | None = None  # column of the `answers:` whose cases follow
    case: int | None = None  # column of those cases
    last: int | None = None  # column of the last key
    columns: set[int] = field(default_factory=set)  # columns in which keys stand
    dashes: set[int] = field(default_factory=set)  # columns in which the dashes of entries stand


def repair_lines(text: str) -> tuple[str, list[LineRepair]]:
    """Return the repaired text, which has the same number of lines, and the repairs."""
    lines = text.split("\n")
    result: list[str] = []
    repairs: list[LineRepair] = []
    context = _Context()
    for number, line in enumerate(lines, 1):
        readable = _CONTROL.sub(lambda match: " " if match[0] in "\x0b\x0c" else "", line)
        repaired, reasons = _repair_line(readable, lines[number : number + 1], context)
        if readable != line:
            reasons = ["有看不见的控制字符，请删掉", *reasons]
        result.append(repaired)
        if reasons:
            repairs.append(LineRepair(number, line, repaired, "；".join(reasons)))
    return "\n".join(result), repairs


def _repair_line(line: str, following: Sequence[str], context: _Context) -> tuple[str, list[str]]:
    if context.quote:
        if context.quote in line:
            context.quote = ""
        return line, []
    repaired, reasons = _repair_indent(line)
    column = _column(repaired)
    if context.block is not None:
        # Inside `answer: |` everything is HR's text; only indentation that YAML would refuse is changed.
        if not repaired.strip():
            return repaired, []
        if column > context.block:
            return (repaired, []) if "\t" in line[: len(line) - len(line.lstrip())] else (line, [])
        if line.startswith("\t") and not _KEY_LINE.match(repaired.lstrip()):
            return " " * (context.block + _TAB_WIDTH) + repaired.lstrip(), reasons
        context.block = None
    if not repaired.strip() or repaired.lstrip().startswith("#"):
        return repaired, reasons
    if context.list_of is not None:
        item = _LIST_ITEM.match(repaired)
        if item and column > context.list_of:
            return _repair_list_item(repaired, item, following, reasons)
        context.list_of = None
    if context.cases_of is not None:
        if column > context.cases_of:
            return _repair_case(repaired, reasons, context)
        context.cases_of = context.case = None
    repaired, more = _repair_key_line(_realigned(repaired, context) if reasons else repaired, following, context)
    return repaired, reasons + more


def _repair_list_item(
    line: str, item: re.Match[str], following: Sequence[str], reasons: list[str]
) -> tuple[str, list[str]]:
    indent, dash, text = item.group("indent", "dash", "text")
    more = [] if re.match("- +$", dash) else [_DASH_REASON]
    quoted = text if _continues(following, len(indent)) else quote_if_needed(text)
    if quoted != text:
        more.append(QUOTE_REASON)
    return (f"{indent}{'- ' if _DASH_REASON in more else dash}{quoted}" if more else line), reasons + more


def _repair_case(line: str, reasons: list[str], context: _Context) -> tuple[str, list[str]]:
    """Repair the wide colon behind the name of a case below `answers:`, as in 上海：; its text is left as it is."""
    if context.case is None:
        context.case = _column(line)
    match = _CASE.match(line) if _column(line) == context.case else None
    if match:
        line = f"{match[1]}{match[2]}: {quote_if_needed(match[3])}".rstrip()
        reasons = [*reasons, f"“{match[2]}”后面是全角冒号，请改成半角冒号加空格"]
    if _BLOCK.search(line):
        context.block = _column(line)
    return line, reasons


_DASH_REASON = "列表的横线要用半角“-”并在后面加一个空格"


def _repair_indent(line: str) -> tuple[str, list[str]]:
    """Replace tabs and wide blanks in the indentation by blanks, and remove invisible characters."""
    match = _ODD_INDENT.match(line)
    indent = match.group() if match else ""
    spaces = indent.replace("\t", " " * _TAB_WIDTH).replace("\u3000", "  ").replace("\u00a0", " ")
    spaces = re.sub(f"[{_INVISIBLE}]", "", spaces)
    if spaces == indent:
        return line, []
    if "\t" in indent:
        reason = "缩进用了制表符（Tab），请改成空格"
    elif re.search(f"[{_INVISIBLE}]", indent):
        reason = "行首有看不见的字符，请删掉"
    else:
        reason = "缩进用了全角空格，请改成普通空格"
    return spaces + line[len(indent) :], [reason] if line.strip() else []


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _realigned(line: str, context: _Context) -> str:
    """Move a key behind odd blanks to the column of the keys above, as nobody sees how wide such blanks are."""
    match = _KEY_LINE.match(line)
    column = _column(line)
    if not match or match["dash"] or match["colon"] != ":" or not match["gap"] or column in context.columns:
        return line
    return " " * (column if context.last is None else context.last) + line.lstrip(" ")


def _repair_key_line(line: str, following: Sequence[str], context: _Context) -> tuple[str, list[str]]:
    line, reasons = _repair_bullet(line, context)
    match = _KEY_LINE.match(line)
    if not match:
        line, reasons = _repair_near_key(line, context)
        if _BLOCK.search(line):
            context.block = _column(line)
        return line, reasons
    indent, dash, key, colon, gap, value = match.group("indent", "dash", "key", "colon", "gap", "value")
    meant = ENTRY_KEYS.get(key, "")
    wide = "：" in colon
    tight = not gap and bool(value)
    odd_gap = bool(gap.strip(" ")) and bool(value)
    # `- 问题:…` begins an entry anywhere. Other lines are repaired only in a column of keys: deeper inside an answer
    # such a line is text.
    if not dash and (wide or tight or odd_gap) and len(indent) not in context.columns and indent:
        return line, []
    if dash and not re.fullmatch("- +", dash):
        reasons.append(_DASH_REASON)
        # After two dashes the keys below stay aligned with the first one.
        dash = "-".ljust(len(dash)) if dash[1:2] in tuple(_DASHES) else "- "
    if wide:
        reasons.append(f"“{key}”后面是全角冒号，请改成半角冒号加空格")
    elif tight:
        reasons.append(f"“{key}:”后面少了一个空格")
    elif odd_gap:
        reasons.append(f"“{key}:”后面要用普通的空格")
    if wide or tight or odd_gap:
        colon, gap = ":", " " if value else ""
    start = len(indent) + len(dash)
    if not _continues(following, start) and not _has_answer_on_line(meant, value, following):
        value, reason = repair_value(meant, value)
        reasons += [reason] if reason else []
    _remember(context, len(indent) if dash else None, start, meant, value)
    repaired = f"{indent}{dash}{key}{colon}{gap}{value}"
    if _BLOCK.search(repaired):
        context.block = start
    return repaired, reasons


def _remember(context: _Context, dash: int | None, start: int, meant: str, value: str) -> None:
    if dash is not None:
        context.dashes.add(dash)
    context.columns.add(start)
    context.last = start
    context.cases_of = start if meant == "answers" and not value.strip() else None
    context.list_of = start - 1 if meant in LIST_KEYS and not value.strip() else None
    if value[:1] in ("'", '"') and value.count(value[0]) == 1:
        context.quote = value[0]


def _repair_bullet(line: str, context: _Context) -> tuple[str, list[str]]:
    """Replace the bullet or number of `• 问题: …` and `1. 问题: …` by the dash of an entry."""
    match = _BULLET.match(line)
    if not match or (match[1] and len(match[1]) not in context.dashes):
        return line, []
    # The keys below stay aligned with the first one.
    dash = "-".ljust(max(2, len(match[2])))
    return match[1] + dash + line[match.end() :], ["每条要以横线和空格“- ”开头"]


def _repair_near_key(line: str, context: _Context) -> tuple[str, list[str]]:
    """Repair the wide colon of a misspelt key; its spelling is reported by the field reader."""
    match = _NEAR_KEY.match(line)
    if not match or not (match[2] or len(match[1]) in context.columns or not match[1]):
        return line, []
    indent, dash, word, value = match.groups()
    if not key_names.certain_key(word, ENTRY_KEYS | FILE_KEYS):
        return line, []
    dash = dash if not dash or re.fullmatch("- +", dash) else "- "
    _remember(context, len(indent) if dash else None, len(indent) + len(dash), "", value)
    return f"{indent}{dash}{word}: {value}".rstrip(), [f"“{word}”后面是全角冒号，请改成半角冒号加空格"]


def _has_answer_on_line(meant: str, value: str, following: Sequence[str]) -> bool:
    """Return True if the answer stands on the line of its question; quoted with it, it would be lost."""
    below = _KEY_LINE.match(following[0]) if following else None
    has_answer_below = below is not None and ENTRY_KEYS.get(below["key"]) == "answer"
    return meant == "question" and ANSWER_ON_THE_LINE.search(value) is not None and not has_answer_below


def _continues(following: Sequence[str], start: int) -> bool:
    """Return True if the sentence continues on the next line, so that it cannot be quoted on this one."""
    line = following[0] if following else ""
    return bool(line.strip()) and _column(line) > start and not line.lstrip().startswith(("#", "- "))
