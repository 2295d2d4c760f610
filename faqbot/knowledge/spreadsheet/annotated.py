"""The person's own table back, with two columns more: what became of each row, and what to do about it. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from faqbot.knowledge.spreadsheet.columns import REPORT
from faqbot.knowledge.spreadsheet.comparison import ImportPlan
from faqbot.knowledge.spreadsheet.workbook import escaped, open_book, read_records, sheet_of

_RED, _AMBER = "FFC7CE", "FFEB9C"


def annotated(name: str, raw: bytes, plan: ImportPlan, *, written: bool) -> bytes:
    """The table `raw` with the columns 结果 and 建议, everything else as it was. Raises SheetError."""
    said = outcomes(plan, written=written)
    if name.casefold().endswith((".xlsx", ".xlsm")):
        return _xlsx(name, raw, plan, said)
    return _csv(raw, plan, said)


def outcomes(plan: ImportPlan, *, written: bool) -> Mapping[int, tuple[str, str]]:
    """By row number, what became of it and what to do; rows that are not named change nothing."""
    found: dict[int, tuple[str, str]] = {}
    done = "已" if written and plan.ok else "会"
    for edit in plan.edits:
        found[edit.row] = (f"{done}{'修改' if edit.known else '新增'}", "")
    for row in sorted({t.row for t in plan.troubles if t.row}):
        troubles = sorted((t for t in plan.troubles if t.row == row), key=lambda t: not t.is_error)
        advice = "；".join(f"“{t.column}”：{t.message}" if t.column else t.message for t in troubles)
        result = found.get(row, ("没有变化", ""))[0]
        found[row] = ("有错误，没有导入" if troubles[0].is_error else f"{result}，请看建议", advice)
    return found


def _xlsx(name: str, raw: bytes, plan: ImportPlan, said: Mapping[int, tuple[str, str]]) -> bytes:
    from copy import copy

    from openpyxl.styles import PatternFill
    from openpyxl.utils import get_column_letter

    # Excel opens no .xlsm that is none.
    book = open_book(raw, keep_macros=name.casefold().endswith(".xlsm"))
    sheet, heading = sheet_of(book), plan.heading
    present = [str(sheet.cell(heading, at).value or "").strip() for at in range(1, sheet.max_column + 1)]
    width = max((at for at, text in enumerate(present, 1) if text), default=0)
    places = _places(present, width)
    for word, at in zip(REPORT, places, strict=True):
        like, made = sheet.cell(heading, max(1, width)), sheet.cell(heading, at, word)
        made.font, made.fill, made.alignment = copy(like.font), copy(like.fill), copy(like.alignment)
        sheet.column_dimensions[get_column_letter(at)].width = 18 if word == REPORT[0] else 60
    for number in plan.rows:
        result, advice = said.get(number, ("没有变化", ""))
        for text, at in zip((result, advice), places, strict=True):
            cell: Any = sheet.cell(number, at)
            cell.value, cell.data_type, cell.number_format = escaped(text), "s", "@"
            cell.alignment = copy(sheet.cell(number, 1).alignment)
            if advice:
                cell.fill = PatternFill("solid", fgColor=_RED if result.startswith("有错误") else _AMBER)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv(raw: bytes, plan: ImportPlan, said: Mapping[int, tuple[str, str]]) -> bytes:
    records = read_records(raw)
    heading = plan.heading
    present = [cell.strip() for cell in records[heading - 1]]
    width = len(present)
    places = _places(present, width)
    for number, texts in [(heading, REPORT), *((n, said.get(n, ("没有变化", ""))) for n in plan.rows)]:
        cells = records[number - 1]
        cells += [""] * (max(places) - len(cells))
        for text, at in zip(texts, places, strict=True):
            cells[at - 1] = text
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(records)
    return out.getvalue().encode("utf-8-sig")


def _places(present: Sequence[str], width: int) -> list[int]:
    """Where the two columns stand, counted from 1: where an earlier report put them, else behind the last one."""
    places: list[int] = []
    for word in REPORT:
        if word not in present:
            width += 1
        places.append(present.index(word) + 1 if word in present else width)
    return places
