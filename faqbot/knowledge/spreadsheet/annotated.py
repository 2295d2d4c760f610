"""Annotates an imported table with two more columns: the result of each row, and advice. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from faqbot.knowledge.spreadsheet.columns import REPORT_HEADINGS
from faqbot.knowledge.spreadsheet.comparison import ImportPlan
from faqbot.knowledge.spreadsheet.workbook import escape_cell, open_book, read_records, sheet_of

_RED, _AMBER = "FFC7CE", "FFEB9C"


def annotate_table(name: str, raw: bytes, plan: ImportPlan, *, written: bool) -> bytes:
    """Return the table `raw` with the columns 结果 and 建议, everything else as it was. Raises SheetError."""
    results = row_results(plan, written=written)
    if name.casefold().endswith((".xlsx", ".xlsm")):
        return _xlsx(name, raw, plan, results)
    return _csv(raw, plan, results)


def row_results(plan: ImportPlan, *, written: bool) -> Mapping[int, tuple[str, str]]:
    """Return result and advice by row number; rows that are left out change nothing."""
    results: dict[int, tuple[str, str]] = {}
    aspect = "已" if written and plan.ok else "会"
    for edit in plan.edits:
        results[edit.row] = (f"{aspect}{'修改' if edit.known else '新增'}", "")
    for row in sorted({t.row for t in plan.problems if t.row}):
        problems = sorted((t for t in plan.problems if t.row == row), key=lambda t: not t.is_error)
        advice = "；".join(f"“{t.column}”：{t.message}" if t.column else t.message for t in problems)
        result = results.get(row, ("没有变化", ""))[0]
        results[row] = ("有错误，没有导入" if problems[0].is_error else f"{result}，请看建议", advice)
    return results


def _xlsx(name: str, raw: bytes, plan: ImportPlan, results: Mapping[int, tuple[str, str]]) -> bytes:
    from copy import copy

    from openpyxl.styles import PatternFill
    from openpyxl.utils import get_column_letter

    # Excel refuses an .xlsm file without its macros.
    book = open_book(raw, keep_macros=name.casefold().endswith(".xlsm"))
    sheet, heading = sheet_of(book), plan.heading
    present = [str(sheet.cell(heading, column).value or "").strip() for column in range(1, sheet.max_column + 1)]
    width = max((column for column, text in enumerate(present, 1) if text), default=0)
    places = _places(present, width)
    for word, column in zip(REPORT_HEADINGS, places, strict=True):
        like, heading_cell = sheet.cell(heading, max(1, width)), sheet.cell(heading, column, word)
        heading_cell.font, heading_cell.fill, heading_cell.alignment = (
            copy(like.font),
            copy(like.fill),
            copy(like.alignment),
        )
        sheet.column_dimensions[get_column_letter(column)].width = 18 if word == REPORT_HEADINGS[0] else 60
    for number in plan.rows:
        result, advice = results.get(number, ("没有变化", ""))
        for text, column in zip((result, advice), places, strict=True):
            cell: Any = sheet.cell(number, column)
            cell.value, cell.data_type, cell.number_format = escape_cell(text), "s", "@"
            cell.alignment = copy(sheet.cell(number, 1).alignment)
            if advice:
                cell.fill = PatternFill("solid", fgColor=_RED if result.startswith("有错误") else _AMBER)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv(raw: bytes, plan: ImportPlan, results: Mapping[int, tuple[str, str]]) -> bytes:
    records = read_records(raw)
    heading = plan.heading
    present = [cell.strip() for cell in records[heading - 1]]
    width = len(present)
    places = _places(present, width)
    for number, texts in [(heading, REPORT_HEADINGS), *((n, results.get(n, ("没有变化", ""))) for n in plan.rows)]:
        cells = records[number - 1]
        cells += [""] * (max(places) - len(cells))
        for text, column in zip(texts, places, strict=True):
            cells[column - 1] = text
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(records)
    return out.getvalue().encode("utf-8-sig")


def _places(present: Sequence[str], width: int) -> list[int]:
    """Return the numbers of the two columns, from 1: those of an earlier report, else the next free ones."""
    places: list[int] = []
    for word in REPORT_HEADINGS:
        if word not in present:
            width += 1
        places.append(present.index(word) + 1 if word in present else width)
    return places
