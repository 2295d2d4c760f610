"""Small slips of the keyboard in a knowledge file, read as meant: every mended line is reported, none moves.

Works on the text before YAML sees it, because YAML either refuses such lines or, worse, quietly reads something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from faqbot.yamltext import key_names
from faqbot.yamltext.key_names import ENTRY_KEYS, FILE_KEYS
from faqbot.yamltext.syntax_errors import ANSWER_ON_THE_LINE
from faqbot.yamltext.value_repairs import LIST_KEYS, QUOTE_REASON, quote_if_needed, repair_value

_WORDS = "|".join(map(re.escape, sorted({*ENTRY_KEYS, *FILE_KEYS}, key=len, reverse=True)))
_DASHES = "-－—–"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_KEY_LINE = re.compile(
    rf"^(?P<indent> *)(?P<dash>(?:[{_DASHES}]{{1,2}}[\s{_INVISIBLE}]*)?)(?P<key>{_WORDS})"
    r"(?P<colon>\s*[:：])(?P<gap>\s*)(?P<value>.*)$"
)
# Only where an entry may begin: in the middle of a sentence a number stays one.
_BULLET = re.compile(rf"^( *)((?:[•●▪◆·*]|\d{{1,3}}[.、．)）])\s*)(?=(?:{_WORDS})\s*[:：])")
_NEAR_KEY = re.compile(rf"^( *)((?:[{_DASHES}]\s*)?)([^\s:：,，。#\"'\[\]{{}}]{{2,12}})\s*：\s*(.*)$")
_LIST_ITEM = re.compile(rf"^(?P<indent> *)(?P<dash>[{_DASHES}]\s*)(?P<text>\S.*)$")
_CASE = re.compile(r"^( *)([^\s:：#\"'\[\]{}|>-][^:：]{0,30}?)\s*：[ \u3000]*(.*)$")
_ODD_INDENT = re.compile(f"^[\\s\u3000\u00a0{_INVISIBLE}]*")
_BLOCK = re.compile(r"(?:^|[:\-]\s+)[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
# YAML takes none of these; a zero byte is none of them, but a damaged file. Word writes its line breaks as \x0b.
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_TAB_WIDTH = 2


@dataclass(frozen=True, slots=True)
class LineRepair:
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
    cases_of: int | None = None  # column of the `answers:` whose cases we are in
    case: int | None = None  # column of those cases
    last: int | None = None  # column of the last key
    columns: set[int] = field(default_factory=set)  # columns in which keys stand
    dashes: set[int] = field(default_factory=set)  # columns in which the dashes of entries stand


def repair_lines(text: str) -> tuple[str, list[LineRepair]]:
    """Return the text with the same number of lines, slips corrected, and what was corrected."""
    lines = text.split("\n")
    result: list[str] = []
    mends: list[LineRepair] = []
    where = _Where()
    for number, line in enumerate(lines, 1):
        readable = _CONTROL.sub(lambda found: " " if found[0] in "\x0b\x0c" else "", line)
        fixed, reasons = _line(readable, lines[number : number + 1], where)
        if readable != line:
            reasons = ["有看不见的控制字符，请删掉", *reasons]
        result.append(fixed)
        if reasons:
            mends.append(LineRepair(number, line, fixed, "；".join(reasons)))
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
            return _list_item(fixed, item, following, reasons)
        where.list_of = None
    if where.cases_of is not None:
        if column > where.cases_of:
            return _case(fixed, reasons, where)
        where.cases_of = where.case = None
    fixed, more = _key_line(_snapped(fixed, where) if reasons else fixed, following, where)
    return fixed, reasons + more


def _list_item(line: str, item: re.Match[str], following: Sequence[str], reasons: list[str]) -> tuple[str, list[str]]:
    indent, dash, text = item.group("indent", "dash", "text")
    more = [] if re.match("- +$", dash) else [_DASH_REASON]
    quoted = text if _goes_on(following, len(indent)) else quote_if_needed(text)
    if quoted != text:
        more.append(QUOTE_REASON)
    return (f"{indent}{'- ' if _DASH_REASON in more else dash}{quoted}" if more else line), reasons + more


def _case(line: str, reasons: list[str], where: _Where) -> tuple[str, list[str]]:
    """A line below `answers:`; the wide colon behind a case, such as 上海：, is mended, its text is HR's own."""
    if where.case is None:
        where.case = _column(line)
    found = _CASE.match(line) if _column(line) == where.case else None
    if found:
        line = f"{found[1]}{found[2]}: {quote_if_needed(found[3])}".rstrip()
        reasons = [*reasons, f"“{found[2]}”后面是全角冒号，请改成半角冒号加空格"]
    if _BLOCK.search(line):
        where.block = _column(line)
    return line, reasons


_DASH_REASON = "列表的横线要用半角“-”并在后面加一个空格"


def _spaces(line: str) -> tuple[str, list[str]]:
    """Tabs and wide blanks in the indentation become ordinary blanks; what nobody can see goes."""
    found = _ODD_INDENT.match(line)
    indent = found.group() if found else ""
    plain = indent.replace("\t", " " * _TAB_WIDTH).replace("\u3000", "  ").replace("\u00a0", " ")
    plain = re.sub(f"[{_INVISIBLE}]", "", plain)
    if plain == indent:
        return line, []
    if "\t" in indent:
        reason = "缩进用了制表符（Tab），请改成空格"
    elif re.search(f"[{_INVISIBLE}]", indent):
        reason = "行首有看不见的字符，请删掉"
    else:
        reason = "缩进用了全角空格，请改成普通空格"
    return plain + line[len(indent) :], [reason] if line.strip() else []


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _snapped(line: str, where: _Where) -> str:
    """A key behind odd blanks stands where the keys above stand: nobody sees how wide such blanks are."""
    found = _KEY_LINE.match(line)
    column = _column(line)
    if not found or found["dash"] or found["colon"] != ":" or not found["gap"] or column in where.columns:
        return line
    return " " * (column if where.last is None else where.last) + line.lstrip(" ")


def _key_line(line: str, following: Sequence[str], where: _Where) -> tuple[str, list[str]]:
    line, reasons = _bullet(line, where)
    found = _KEY_LINE.match(line)
    if not found:
        line, reasons = _near_key(line, where)
        if _BLOCK.search(line):
            where.block = _column(line)
        return line, reasons
    indent, dash, key, colon, gap, value = found.group("indent", "dash", "key", "colon", "gap", "value")
    meant = ENTRY_KEYS.get(key, "")
    wide = "：" in colon
    tight = not gap and bool(value)
    odd_gap = bool(gap.strip(" ")) and bool(value)
    # `- 问题:…` starts an entry anywhere; other lines only count where keys stand already, because
    # deeper inside an answer such a line is text.
    if not dash and (wide or tight or odd_gap) and len(indent) not in where.columns and indent:
        return line, []
    if dash and not re.fullmatch("- +", dash):
        reasons.append(_DASH_REASON)
        # Behind two dashes the keys below keep their place under the first one.
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
    if not _goes_on(following, start) and not _holds_answer(meant, value, following):
        value, reason = repair_value(meant, value)
        reasons += [reason] if reason else []
    _remember(where, len(indent) if dash else None, start, meant, value)
    fixed = f"{indent}{dash}{key}{colon}{gap}{value}"
    if _BLOCK.search(fixed):
        where.block = start
    return fixed, reasons


def _remember(where: _Where, dash: int | None, start: int, meant: str, value: str) -> None:
    if dash is not None:
        where.dashes.add(dash)
    where.columns.add(start)
    where.last = start
    where.cases_of = start if meant == "answers" and not value.strip() else None
    where.list_of = start - 1 if meant in LIST_KEYS and not value.strip() else None
    if value[:1] in ("'", '"') and value.count(value[0]) == 1:
        where.quote = value[0]


def _bullet(line: str, where: _Where) -> tuple[str, list[str]]:
    """`• 问题: …` and `1. 问题: …` begin an entry like a dash."""
    found = _BULLET.match(line)
    if not found or (found[1] and len(found[1]) not in where.dashes):
        return line, []
    # The keys below keep their place under the first one.
    dash = "-".ljust(max(2, len(found[2])))
    return found[1] + dash + line[found.end() :], ["每条要以横线和空格“- ”开头"]


def _near_key(line: str, where: _Where) -> tuple[str, list[str]]:
    """The wide colon of a misspelt key; its spelling is a question of its own."""
    found = _NEAR_KEY.match(line)
    if not found or not (found[2] or len(found[1]) in where.columns or not found[1]):
        return line, []
    indent, dash, word, value = found.groups()
    if not key_names.certain_key(word, ENTRY_KEYS | FILE_KEYS):
        return line, []
    dash = dash if not dash or re.fullmatch("- +", dash) else "- "
    _remember(where, len(indent) if dash else None, len(indent) + len(dash), "", value)
    return f"{indent}{dash}{word}: {value}".rstrip(), [f"“{word}”后面是全角冒号，请改成半角冒号加空格"]


def _holds_answer(meant: str, value: str, following: Sequence[str]) -> bool:
    """Whether the answer was written behind its question, on the same line: quoted it would be lost."""
    below = _KEY_LINE.match(following[0]) if following else None
    has_answer_below = below is not None and ENTRY_KEYS.get(below["key"]) == "answer"
    return meant == "question" and ANSWER_ON_THE_LINE.search(value) is not None and not has_answer_below


def _goes_on(following: Sequence[str], start: int) -> bool:
    """Whether the sentence continues on the next line, so that it cannot be quoted on this one alone."""
    line = following[0] if following else ""
    return bool(line.strip()) and _column(line) > start and not line.lstrip().startswith(("#", "- "))
