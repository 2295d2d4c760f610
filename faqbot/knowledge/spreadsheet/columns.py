"""Defines the columns of the knowledge table, and writes and reads the cell of each field of an Entry. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from faqbot.model.entries import Entry, FollowUp
from faqbot.yamltext import key_names

# Length of a cell in UTF-16 units that Excel holds; it silently cuts off the rest.
CELL_LIMIT = 32_767
# Name given to a question back whose cell holds only the question.
ASK_NAME = "情况"

# YAML takes keys of at most 1,024 characters, and an escaped character takes several.
_MAX_NAME_LENGTH = 200

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]0{1,2}:00(?::00)?)?")
_HEADING = re.compile(r"【(.*)】")
_LOOKS_LIKE_HEADING = re.compile(r"[\\\s]*【.*】\s*")
_TICKS = frozenset({"√", "✓", "✔", "☑"})


class ColumnKind(StrEnum):
    """The type of the values in a column."""

    TEXT = "text"
    LIST = "list"
    DATE = "date"
    FLAG = "flag"
    ASK = "ask"
    VARIANTS = "variants"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column: the field it holds, its heading, and the other headings that are understood on import."""

    key: str
    name: str
    kind: ColumnKind
    others: tuple[str, ...] = ()
    width: int = 16
    help: str = ""


COLUMNS = (
    TableColumn(
        "file", "文件", ColumnKind.TEXT, ("file", "文件名"), 20, "放在哪个文件里，例如 faq/leave.yaml；没有的会新建"
    ),
    TableColumn(
        "id", "编号", ColumnKind.TEXT, ("id",), 24, "不重复的名字，导入时靠它认出是哪一条，请不要改；新条目可以空着"
    ),
    TableColumn("topic", "主题", ColumnKind.TEXT, ("topic",), 14, "“帮助”里按它分组"),
    TableColumn("owner", "负责人", ColumnKind.TEXT, ("owner",), 14, "谁负责保证答案正确"),
    TableColumn("question", "问题", ColumnKind.TEXT, ("question", "问"), 30, "必填。员工会打的一句话"),
    TableColumn("also", "也问", ColumnKind.LIST, ("also", "相似问"), 32, "同一件事的其他问法，一行一种"),
    TableColumn("not_", "不是", ColumnKind.LIST, ("not",), 24, "看着像、其实不是问这一条的问法，一行一种"),
    TableColumn(
        "answer", "答案", ColumnKind.TEXT, ("answer", "答"), 60, "必填（有“答案按”时空着）。发给员工的原文，可以换行"
    ),
    TableColumn("source", "来源", ColumnKind.TEXT, ("source",), 22, "依据，例如《员工手册》第 5 章"),
    TableColumn("related", "相关", ColumnKind.LIST, ("related",), 22, "相关条目的编号，一行一个"),
    TableColumn(
        "from", "有效期从", ColumnKind.DATE, ("valid_from", "valid from", "from"), 13, "例如 2026-01-01，之前不回答"
    ),
    TableColumn(
        "until", "有效期到", ColumnKind.DATE, ("valid_until", "valid until", "until"), 13, "例如 2026-12-31，之后不回答"
    ),
    TableColumn("review", "复核", ColumnKind.DATE, ("review",), 13, "例如 2026-12-01，哪天该再看一遍"),
    TableColumn("groups", "群", ColumnKind.LIST, ("groups",), 16, "只在这些会话里回答，一行一个会话编号"),
    TableColumn("departments", "部门", ColumnKind.LIST, ("departments",), 12, "只给这些部门的人，一行一个部门编号"),
    TableColumn("private", "私聊", ColumnKind.FLAG, ("private",), 8, "写“是”：群里不发答案，私聊发给提问人"),
    TableColumn("draft", "草稿", ColumnKind.FLAG, ("draft",), 8, "写“是”：还没有定稿，不回答"),
    TableColumn(
        "ask", "追问", ColumnKind.ASK, ("ask",), 24, "答案要看情况时反问的一句话；两行时第一行是名字，例如 city"
    ),
    TableColumn(
        "variants",
        "答案按",
        ColumnKind.VARIANTS,
        ("answers",),
        40,
        "和“追问”一起用，代替“答案”。每种情况先单独写一行【上海】，下面写答案；【其他】是兜底",
    ),
)
# Columns that a report adds to a person's own table; an import ignores them.
REPORT_HEADINGS = ("结果", "建议")
BY_KEY = {column.key: column for column in COLUMNS}
_BY_HEADING = {
    word.casefold().replace(" ", "_"): column
    for column in COLUMNS
    for word in (column.name, column.key, *column.others)
}


class CellError(ValueError):
    """The text of a cell cannot be read; the message tells HR how to write it."""


def find_column(heading: str) -> TableColumn | None:
    """Return the column of a heading such as `问题`, `问题 *`, `Question`, `valid from`; None for an unknown one."""
    word = re.sub(r"[(（].*|\*+$", "", normalize_cell(heading).replace("\n", " ")).strip()
    return _BY_HEADING.get(word.casefold().replace(" ", "_"))


def normalize_cell(text: str) -> str:
    """Return the text as a knowledge file would give it back: `\\n` as line end, no blanks around."""
    return _LINE_ENDS.sub("\n", text).strip()


def excel_length(text: str) -> int:
    """Return the length as Excel counts it: an emoji is two."""
    return len(text) + sum(c > "\uffff" for c in text)


def field_value(entry: Entry, key: str) -> Any:
    """Return the field of an entry that a column holds; not for `file`, which an entry does not know."""
    if key == "from":
        return entry.valid.start
    if key == "until":
        return entry.valid.end
    return getattr(entry, key)


def format_cell(kind: ColumnKind, value: Any) -> str:
    """Return the text of a cell."""
    match kind:
        case ColumnKind.TEXT:
            return str(value)
        case ColumnKind.LIST:
            return "\n".join(value)
        case ColumnKind.DATE:
            return value.isoformat() if value else ""
        case ColumnKind.FLAG:
            return "是" if value else ""
        case ColumnKind.ASK:
            return f"{value.name}\n{value.question}" if value else ""
        case ColumnKind.VARIANTS:
            return _format_variants(value)


def parse_cell(kind: ColumnKind, text: str) -> Any:
    """Return the value of the text of a cell. Raises CellError."""
    text = normalize_cell(text)
    match kind:
        case ColumnKind.TEXT:
            return text
        case ColumnKind.LIST:
            return tuple(_lines(text))
        case ColumnKind.DATE:
            return _date(text)
        case ColumnKind.FLAG:
            return _flag(text)
        case ColumnKind.ASK:
            name, _, question = text.partition("\n") if "\n" in text else (ASK_NAME, "", text)
            return FollowUp(_name(name), question.strip()) if text else None
        case ColumnKind.VARIANTS:
            return _variants(text)


def _lines(text: str) -> Iterable[str]:
    return (line.strip() for line in text.split("\n") if line.strip())


def _date(text: str) -> date | None:
    if not text:
        return None
    match = _DATE.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else _no_date(text)
    except ValueError:
        return _no_date(text)


def _no_date(text: str) -> date:
    raise CellError(f"“{text[:30]}”不是日期，请写成 2026-12-31 这样")


def _flag(text: str) -> bool:
    word = text.casefold()
    if word in key_names.YES or word in _TICKS:
        return True
    if word in key_names.NO:
        return False
    raise CellError(f"“{text[:30]}”看不懂，请写“是”，或者空着")


def _name(text: str) -> str:
    """Return a name that becomes a key of YAML. Raises CellError for one that is too long."""
    if len(text.strip()) > _MAX_NAME_LENGTH:
        raise CellError(f"“{text.strip()[:20]}…”太长，请用 {_MAX_NAME_LENGTH} 字以内的词")
    return text.strip()


def _format_variants(variants: Mapping[str, str]) -> str:
    blocks = []
    for word, text in variants.items():
        # A line of the answer that looks like a heading gets a backslash, which _variants() takes away again.
        lines = (
            f"\\{line}" if _LOOKS_LIKE_HEADING.fullmatch(line) else line
            for line in _LINE_ENDS.sub("\n", text).split("\n")
        )
        blocks.append("\n".join((f"【{'其他' if word == 'else' else word}】", *lines)))
    return "\n".join(blocks)


def _variants(text: str) -> dict[str, str]:
    lines_of_case: dict[str, list[str]] = {}
    answer: list[str] | None = None
    for line in text.split("\n"):
        if heading := _HEADING.fullmatch(line.strip()):
            word = _name(heading.group(1))
            word = "else" if word in key_names.ELSE_WORDS else word
            if word in lines_of_case:
                raise CellError(f"【{heading.group(1)}】写了两次")
            if not word:
                raise CellError("【】里没有写是哪种情况")
            answer = lines_of_case.setdefault(word, [])
        elif answer is not None:
            answer.append(line.replace("\\", "", 1) if _LOOKS_LIKE_HEADING.fullmatch(line) else line)
        elif line.strip():
            raise CellError("每种情况要先单独写一行，例如【上海】，下一行再写答案")
    variants = {word: "\n".join(lines).strip() for word, lines in lines_of_case.items()}
    if empty := [word for word, answer_text in variants.items() if not answer_text]:
        raise CellError(f"【{empty[0]}】下面没有答案")
    return variants
