"""Reads and writes .xlsx and .csv tables, and detects texts that Excel converted to other types. Pure."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from faqbot.errors import FaqbotError
from faqbot.knowledge.spreadsheet.columns import COLUMNS, ColumnKind, TableColumn, find_column

SHEET = "知识"
HELP_SHEET = "说明"
# The headings are searched in these first rows: a title may stand above them.
_MAX_HEADER_ROW = 10
# No table of knowledge has as many columns.
_MAX_COLUMNS = 200
# Excel keeps 15 digits of a number.
_MAX_EXACT_NUMBER = 10**15
# Rows between two reports of progress.
_PROGRESS_EVERY_ROWS = 500
# A small file may unpack to a very large one, and each cell, also an empty one, costs some hundred bytes of memory. The
# knowledge of the largest company is far below both limits.
_MAX_UNPACKED_BYTES, _MAX_CELLS = 64 * 2**20, 1_000_000
_CELL_TAG, _CHUNK_BYTES = re.compile(rb"<(?:\w+:)?c[ />]"), 2**20


class SheetError(FaqbotError):
    """The file cannot be read as a table at all; the message tells HR what to do."""


class CellOddity(StrEnum):
    """The ways in which Excel may have changed a cell that was meant as text."""

    NUMBER = "number"
    INEXACT = "inexact"
    DATE = "date"
    TIME = "time"
    FORMULA = "formula"
    ERROR = "error"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` is the one that Excel shows at its left edge."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The headings and the rows below them; `odd` has the oddities of cells by row number and position (from 0)."""

    header: Row
    rows: Sequence[Row]
    odd: dict[tuple[int, int], CellOddity] = field(default_factory=dict)


Progress = Callable[[float], object]


def _silent(share: float) -> None:
    """Ignore the share that is done."""


def read_table(name: str, raw: bytes, progress: Progress = _silent) -> Table:
    """Read a table, whose kind is the ending of its name. Raises SheetError."""
    if name.casefold().endswith((".xlsx", ".xlsm")):
        return _read_xlsx(raw, progress)
    if name.casefold().endswith((".csv", ".tsv", ".txt")):
        return _read_csv(raw, progress)
    raise SheetError("只认得 .xlsx 和 .csv；请在 Excel 里用“另存为”存成其中一种")


def write_table(name: str, rows: Sequence[Sequence[str]], progress: Progress = _silent) -> bytes:
    """Write the rows under the headings of all columns. Raises SheetError."""
    if name.casefold().endswith(".xlsx"):
        return _write_xlsx(rows, progress)
    if name.casefold().endswith(".csv"):
        return _write_csv(rows)
    raise SheetError("文件名要以 .xlsx 或 .csv 结尾")


# -- csv ---------------------------------------------------------------------------------------

# Excel takes texts that begin with these for formulas, and changes numbers, times and dates.
_FORMULA = re.compile(r"[=+\-@＝＋－＠\t]")
_NUMBER_LIKE = re.compile(r"[\d\s:/.,eE%年月日-]*\d[\d\s:/.,eE%年月日-]*|true|false", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"0|[1-9]\d{0,10}")


def _would_change(text: str) -> bool:
    if _FORMULA.match(text):
        return True
    return bool(_NUMBER_LIKE.fullmatch(text)) and "\n" not in text and not _PLAIN_NUMBER.fullmatch(text)


def protect_csv(text: str) -> str:
    """Put an apostrophe before a text that Excel would change when it opens a csv file."""
    return "'" + text if _would_change(text.lstrip("'")) else text


def unprotect_csv(text: str) -> str:
    """Undo `protect_csv`; any other text stays as it is."""
    return text[1:] if text.startswith("'") and _would_change(text.lstrip("'")) else text


def _write_csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([c.name for c in COLUMNS])
    dates = [c.kind is ColumnKind.DATE for c in COLUMNS]
    for row in rows:
        writer.writerow([text if is_date else protect_csv(text) for text, is_date in zip(row, dates, strict=True)])
    # Without a byte order mark Excel takes UTF-8 for the code page of the machine.
    return out.getvalue().encode("utf-8-sig")


def _read_csv(raw: bytes, progress: Progress) -> Table:
    records = read_records(raw)
    progress(1.0)
    numbered = [Row(number, [unprotect_csv(cell) for cell in cells]) for number, cells in enumerate(records, 1)]
    return _table(numbered, {})


def read_records(raw: bytes) -> list[list[str]]:
    """Return the rows of a csv file, split by the delimiter that gives most headings. Raises SheetError."""
    text = _decode(raw)
    separator = re.match(r"sep=(.)\r?\n", text)
    delimiters = [separator.group(1)] if separator else [",", ";", "\t", "，"]
    # A cell may be longer than the limit of the csv module, which holds for the whole process.
    usual = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        tables = [_records(text, delimiter) for delimiter in delimiters]
    finally:
        csv.field_size_limit(usual)
    return max(tables, key=lambda rows: max((_known(row) for row in rows[:_MAX_HEADER_ROW]), default=0))


def _records(text: str, delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return []


def _decode(raw: bytes) -> str:
    encodings = ["utf-16"] if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetError("文件不是 UTF-8 也不是 GBK 编码；请在 Excel 里另存为“CSV UTF-8”或 .xlsx")


# -- xlsx --------------------------------------------------------------------------------------

# XML cannot hold these characters, so Excel writes them as _x001F_; the x of a text that only looks like that is
# escaped itself.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|x(?=[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x(00[01][0-9A-Fa-f]|0078|[Ff]{3}[EeFf])_")


def escape_cell(text: str) -> str:
    """Return the text as a cell can hold it."""
    return _NOT_XML.sub(lambda match: f"_x{ord(match.group()):04X}_", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text) if "_x" in text else text


def _write_xlsx(rows: Sequence[Sequence[str]], progress: Progress) -> bytes:
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(SHEET)
    _write_headings(sheet)
    for number, cells in enumerate(_text_cells(sheet, rows)):
        sheet.append(cells)
        if number % _PROGRESS_EVERY_ROWS == 0:
            progress(number / len(rows) * 0.5)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{len(rows) + 1}"
    _write_help(book.create_sheet(HELP_SHEET))
    out = io.BytesIO()
    book.save(out)
    progress(1.0)
    return out.getvalue()


def _text_cell(sheet: Any, text: str) -> Any:
    """Make a cell that Excel leaves alone: a text, wrapped, at the top of its row."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment

    cell = WriteOnlyCell(sheet, value=escape_cell(text))
    cell.data_type = "s"  # else `=1+1` would be a formula
    cell.number_format = "@"  # else Excel reads the text again as soon as somebody touches the cell
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _text_cells(sheet: Any, rows: Iterable[Sequence[str]]) -> Iterator[list[Any]]:
    """Make the cells of each row; an empty text has no cell."""
    from openpyxl.cell import WriteOnlyCell

    # Setting format and alignment anew on each cell, as the public interface wants it, takes a fifth more time than
    # sharing the style of one; `_style` has no public name.
    style = _text_cell(sheet, "")._style
    for row in rows:
        cells: list[Any] = [WriteOnlyCell(sheet, value=escape_cell(text)) if text else None for text in row]
        for cell in filter(None, cells):
            cell.data_type, cell._style = "s", style
        yield cells


def _write_headings(sheet: Any) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    headings = []
    for number, column in enumerate(COLUMNS, 1):
        dimension = sheet.column_dimensions[get_column_letter(number)]
        dimension.width = column.width
        dimension.number_format = "@"
        dimension.alignment = Alignment(wrap_text=True, vertical="top")
        heading = _text_cell(sheet, column.name)
        heading.font = Font(bold=True, color="FFFFFF")
        heading.fill = PatternFill("solid", fgColor="3370A6")
        headings.append(heading)
    sheet.append(headings)


HELP = (
    "一行是一条问答。改完存盘，用 faqbot import 文件名 试看，确认后加 --write 写进知识文件。",
    "“编号”用来认出是哪一条，请不要改。新条目插在哪一行都行，“编号”可以空着。",
    "一格里要写几项时（也问、不是、相关、群、部门），在格子里按 Alt+回车换行，一行一项。",
    "删掉一行不会删掉知识里的条目，除非导入时加 --delete-missing；删掉一整列表示这一列都不改。",
    "把格子清空，就是把这一项删掉；主题、负责人、来源、复核、群、部门、私聊空着时，用知识文件开头写的。",
    "请不要合并单元格，不要写公式。所有格子都是文本格式：0571、9:30 会照原样保留。",
)


def _write_help(sheet: Any) -> None:
    from openpyxl.styles import Font

    sheet.column_dimensions["A"].width = 14
    sheet.column_dimensions["B"].width = 100
    for line in HELP:
        sheet.append([None, _text_cell(sheet, line)])
    sheet.append([])
    for column in COLUMNS:
        name = _text_cell(sheet, column.name)
        name.font = Font(bold=True)
        sheet.append([name, _text_cell(sheet, column.help)])


def _read_xlsx(raw: bytes, progress: Progress) -> Table:
    book = open_book(raw)
    progress(0.7)
    rows, odd = _sheet_rows(sheet_of(book))
    progress(1.0)
    return _table(rows, odd)


def open_book(raw: bytes, *, keep_macros: bool = False) -> Any:
    """Open an .xlsx file. Raises SheetError."""
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if (
                sum(part.file_size for part in packed.infolist()) > _MAX_UNPACKED_BYTES
                or _count_cells(packed) > _MAX_CELLS
            ):
                raise SheetError("这个 Excel 文件解开以后太大；请只留下知识那张表，删掉下面的空行，另存为 .xlsx")
        with warnings.catch_warnings():
            # openpyxl warns of features of Excel that it does not know; none of them is text.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(raw), keep_vba=keep_macros)
    except SheetError:
        raise
    except Exception as exc:
        # The libraries raise many kinds of errors for damaged files.
        old = raw.startswith(b"\xd0\xcf\x11\xe0")
        why = "（它是旧的 .xls，或者有密码）" if old else ""
        raise SheetError(f"这不是能读的 Excel 文件{why}；请在 Excel 里去掉密码，另存为 .xlsx") from exc
    if not book.worksheets:
        raise SheetError("这个 Excel 文件里没有工作表；请另存为 .xlsx")
    return book


def _count_cells(packed: zipfile.ZipFile) -> int:
    """Count the cells of all sheets."""
    count = 0
    for name in packed.namelist():
        if not name.startswith("xl/worksheets/"):
            continue
        with packed.open(name) as part:
            carry = b""
            while chunk := part.read(_CHUNK_BYTES):
                whole, tag, rest = (carry + chunk).rpartition(b"<")
                count += len(_CELL_TAG.findall(whole))
                # A tag may be split between two chunks.
                carry = tag + rest
    return count


def sheet_of(book: Any) -> Any:
    """Return the sheet that looks most like the knowledge table."""
    sheets = [s for s in book.worksheets if s.title != HELP_SHEET] or book.worksheets
    return max(sheets, key=lambda s: (_best_header(s), s.title == SHEET))


def _best_header(sheet: Any) -> int:
    top = sheet.iter_rows(max_row=_MAX_HEADER_ROW, values_only=True)
    return max((_known([v for v in row if isinstance(v, str)]) for row in top), default=0)


def _sheet_rows(sheet: Any) -> tuple[list[Row], dict[tuple[int, int], CellOddity]]:
    """Return the rows that hold anything, and oddities; a stray format in the last of a million rows costs nothing."""
    row_cells: dict[int, list[str]] = {}
    odd: dict[tuple[int, int], CellOddity] = {}
    # `iter_rows` would make up a cell for every place in between, and only `_cells` lists those that are there.
    cells = [
        (place, cell) for place, cell in sheet._cells.items() if cell.value is not None and place[1] <= _MAX_COLUMNS
    ]
    width = max((column for (_, column), _ in cells), default=0)
    for (number, column), cell in cells:
        text, note = _cell(cell.value, cell.data_type, cell)
        row_cells.setdefault(number, [""] * width)[column - 1] = text
        if note:
            odd[number, column - 1] = note
    for area in sheet.merged_cells.ranges:
        _fill_merged(area.bounds, row_cells, odd)
    return [Row(number, row_cells[number]) for number in sorted(row_cells)], odd


def _fill_merged(
    bounds: tuple[int, int, int, int], cells: dict[int, list[str]], odd: dict[tuple[int, int], CellOddity]
) -> None:
    """Copy a cell that is merged over rows into each of them; report one that is merged over columns."""
    left, top, right, bottom = bounds
    if top not in cells or left > len(cells[top]):
        return
    for number in cells.keys() & range(top, bottom + 1):
        if right > left:
            odd |= {(number, column - 1): CellOddity.MERGED for column in range(left, min(right, _MAX_COLUMNS) + 1)}
            continue
        cells[number][left - 1] = cells[top][left - 1]
        if note := odd.get((top, left - 1)):
            odd[number, left - 1] = note


def _cell(value: Any, data_type: str, cell: Any) -> tuple[str, CellOddity | None]:
    """Return the text of a cell as it looks in Excel, and its oddity, if any."""
    match value:
        case None:
            return "", None
        case str() if data_type == "s":
            return _unescape(value), None
        case str():
            return value, CellOddity.ERROR if data_type == "e" else CellOddity.FORMULA
        case bool():
            return "TRUE" if value else "FALSE", None
        case int() | float():
            return _number(value, cell.number_format)
        case datetime() if value.time() == time():
            return value.date().isoformat(), CellOddity.DATE
        case datetime():
            return value.isoformat(" ", "minutes"), CellOddity.DATE
        case date():
            return value.isoformat(), CellOddity.DATE
        case time():
            return _clock(value.hour, value.minute, value.second), CellOddity.TIME
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return _clock(*divmod(minutes, 60), seconds), CellOddity.TIME
        case _:
            return str(value), CellOddity.FORMULA


def _number(value: int | float, style: str) -> tuple[str, CellOddity | None]:
    if abs(value) >= _MAX_EXACT_NUMBER:
        return str(value), CellOddity.INEXACT
    if "%" in style:
        return f"{round(value * 100, 10):.15g}%", CellOddity.NUMBER
    text = str(int(value)) if value == int(value) else f"{value:.15g}"
    return text, None if style in ("General", "@", "0") else CellOddity.NUMBER


def _clock(hours: int, minutes: int, seconds: int) -> str:
    return f"{hours}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


# -- both --------------------------------------------------------------------------------------


def _known(cells: Iterable[str]) -> int:
    return len({column.key for cell in cells if cell and (column := find_column(cell))})


def _table(rows: Sequence[Row], odd: dict[tuple[int, int], CellOddity]) -> Table:
    """Find the row of headings; rows above it are a title."""
    best = max(rows[:_MAX_HEADER_ROW], key=lambda row: _known(row.cells), default=None)
    if best is None or not _headings(best.cells) & {"id", "question"}:
        raise SheetError("没有找到表头：要有一行写着“问题”“答案”等列名（至少要有“问题”或“编号”）")
    return Table(best, [row for row in rows if row.number > best.number], odd)


def _headings(cells: Iterable[str]) -> set[str]:
    columns: list[TableColumn | None] = [find_column(cell) for cell in cells]
    return {column.key for column in columns if column}
