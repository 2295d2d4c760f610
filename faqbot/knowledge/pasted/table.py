"""Makes proposed entries from pasted table rows, with cells separated by tabs or vertical bars. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from faqbot.knowledge.pasted.proposal import ParsedText, ProposedEntry, looks_like_question
from faqbot.yamltext.key_names import ENTRY_KEYS

_CELL = re.compile(r'(?:"((?:[^"]|"")*)"(?=[\t\n]|\Z)|([^\t\n]*))(\t|\n|\Z)')
_BARS = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^[\s|:-]+$")
_OTHER_NAMES = {
    "q": "question", "标题": "question", "常见问题": "question", "标准问": "question", "标准问题": "question",
    "员工问题": "question", "提问": "question", "咨询问题": "question",
    "a": "answer", "回答": "answer", "答复": "answer", "回复": "answer", "解答": "answer", "内容": "answer",
    "标准答案": "answer", "参考答案": "answer", "标准回复": "answer",
    "其他问法": "also", "问法": "also", "相似问法": "also", "扩展问": "also", "同义问": "also",
}  # fmt: skip
# Share of rows with several cells from which a text counts as a table.
_MIN_TABLE_SHARE = 0.6

TableRow = list[str]


def bars_to_tabs(text: str) -> str:
    """Rewrite tables with bars (`| 问题 | 答案 |`) as rows with tabs."""
    lines: list[str] = []
    for line in text.split("\n"):
        if _BARS.match(line) and line.count("|") > 2:
            if not _RULE.match(line):
                lines.append("\t".join(cell.strip() for cell in line.strip().strip("|").split("|")))
        else:
            lines.append(line)
    return "\n".join(lines)


def is_table(text: str) -> bool:
    """Return True if most rows have two cells or more; a row may continue in lines without a tab."""
    rows = [row for row in _rows(text) if any(row)]
    wide = sum(sum(map(bool, row)) > 1 for row in rows)
    return wide >= 1 and (wide >= len(rows) * _MIN_TABLE_SHARE or (wide > 1 and "\t" in text.split("\n", 1)[0]))


def read_table(text: str) -> ParsedText:
    """Make one proposal of each row; the columns are known by their headings or guessed."""
    rows = _joined([row for row in _rows(text) if any(row)])
    headings = [_meaning(cell) for cell in rows[0]] if rows else []
    unread: list[str] = []
    guessed = not {"question", "answer"} <= set(headings)
    if guessed:
        headings = _guessed(rows)
    else:
        rows = rows[1:]
    proposals: list[ProposedEntry] = []
    for row in rows:
        cells = {meant: cell for meant, cell in zip(headings, row, strict=False) if meant}
        if not (cells.get("question") or cells.get("answer")):
            unread.append(" ".join(filter(None, row)))
            continue
        others = [cell for meant, cell in zip([*headings, *[""] * len(row)], row, strict=False) if cell and not meant]
        proposals.append(_proposed(cells, others, guessed and not looks_like_question(cells.get("question", ""))))
    return ParsedText(tuple(proposals), tuple(unread))


def _proposed(cells: dict[str, str], others: Sequence[str], doubtful: bool) -> ProposedEntry:
    question, *also = [line.strip() for line in cells.get("question", "").split("\n") if line.strip()] or [""]
    also += [text.strip() for text in re.split(r"[\n；;]", cells.get("also", "")) if text.strip()]
    doubts = ["没有标题行，哪一列是问题是猜的"] if doubtful else []
    doubts += [f"这一行里还有“{'、'.join(others)[:60]}”，没有用到"] if others else []
    return ProposedEntry(question, cells.get("answer", ""), tuple(also), tuple(doubts))


def _rows(text: str) -> list[TableRow]:
    """Return the cells of each line; a quoted one may hold line ends, as spreadsheets copy them."""
    rows: list[TableRow] = [[]]
    position = 0
    while position < len(text):
        cell = _CELL.match(text, position)
        if cell is None:
            break
        quoted, bare, separator = cell.groups()
        rows[-1].append((quoted.replace('""', '"') if quoted is not None else bare).strip())
        if separator == "\n":
            rows.append([])
        position = cell.end()
    return rows


def _joined(rows: list[TableRow]) -> list[TableRow]:
    """Join lines that continue the last cell of a row, as word processors copy a cell of several lines."""
    joined: list[TableRow] = []
    for row in rows:
        if len(row) == 1 and joined and len(joined[-1]) > 1:
            joined[-1][-1] += f"\n{row[0]}"
        else:
            joined.append(row)
    return joined


def _meaning(heading: str) -> str:
    word = re.sub(r"[\s*（(].*|[:：]", "", heading).casefold()
    meant = ENTRY_KEYS.get(word) or _OTHER_NAMES.get(word, "")
    return meant if meant in ("question", "answer", "also") else ""


def _guessed(rows: list[TableRow]) -> list[str]:
    """Guess the columns: the one with most questions, and the longest of the others as answers; numbers are neither."""
    width = max((len(row) for row in rows), default=0)
    columns = [[row[n] for row in rows if n < len(row)] for n in range(width)]
    texts = [n for n, cells in enumerate(columns) if not all(re.fullmatch(r"[\d.、]*", cell) for cell in cells)]
    if len(texts) < 2:
        return ["question", "answer"][:width]
    asking = max(texts, key=lambda n: (sum(map(looks_like_question, columns[n])), -n))
    answering = max((n for n in texts if n != asking), key=lambda n: sum(map(len, columns[n])))
    return ["question" if n == asking else "answer" if n == answering else "" for n in range(width)]
