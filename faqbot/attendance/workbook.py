"""The attendance report as an .xlsx file: departments, people, single days, and how the numbers came about. Pure."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from faqbot.attendance.month import ABSENT, MonthReport, Totals
from faqbot.attendance.wording import UNKNOWN_ABSENT, clock_time, notes_of
from faqbot.model.org_chart import Tree

BY_DEPARTMENT, BY_PERSON, DAYS, NOTES = "按部门", "按人", "明细", "说明"
_COUNTS = ("应出勤天数", "出勤天数", "迟到次数", "严重迟到次数", "早退次数", "缺卡次数")


def workbook(report: MonthReport, tree: Tree, timezone: tzinfo, notes: Sequence[str] = ()) -> bytes:
    """The whole file; `notes` are put below the explanations."""
    book = Workbook(write_only=True)
    kinds = sorted(report.totals.leave)
    absent = "旷工天数" if report.approvals_known else f"{UNKNOWN_ABSENT}天数"
    headings = (
        *_COUNTS,
        absent,
        *(f"{kind}（天）" for kind in kinds),
        "请假合计（天）",
        "出差外出（天）",
        "加班（小时）",
    )

    departments = sorted(report.by_department().items(), key=lambda item: tree.path(item[0]))
    rows: list[tuple[Any, ...]] = [(tree.path(d), t.people, *_numbers(t, kinds)) for d, t in departments]
    rows.append(("合计", report.totals.people, *_numbers(report.totals, kinds)))
    _sheet(book, BY_DEPARTMENT, ("部门", "人数", *headings), rows)

    persons = sorted(report.persons, key=lambda p: (tree.path(p.department), p.person.name, p.person.userid))
    _sheet(
        book,
        BY_PERSON,
        ("部门", "姓名", "userId", *headings),
        ((tree.path(p.department), p.person.name, p.person.userid, *_numbers(p.totals, kinds)) for p in persons),
    )

    def time(at: float) -> str:
        return clock_time(at, timezone) if at else ""

    _sheet(
        book,
        DAYS,
        ("部门", "姓名", "日期", "情况", "应打卡", "实际打卡", "分钟"),
        (
            (
                tree.path(p.department),
                p.person.name,
                str(i.day),
                UNKNOWN_ABSENT if i.what == ABSENT and not report.approvals_known else i.what,
                time(i.planned),
                time(i.actual),
                i.minutes or None,
            )
            for p in persons
            for i in p.incidents
        ),
    )
    _sheet(book, NOTES, ("说明",), ((line,) for line in (*notes_of(report), *notes)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _numbers(t: Totals, kinds: Sequence[str]) -> tuple[float, ...]:
    leave = (round(t.leave.get(kind, 0.0), 3) for kind in kinds)
    counts = (t.shifts, t.present, t.late, t.serious_late, t.early, t.missing, t.absent)
    return (*counts, *leave, round(t.leave_days, 3), round(t.trip, 3), round(t.overtime, 2))


def _sheet(book: Workbook, title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, heading in enumerate(headings, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _width(title, heading)
    sheet.append([_cell(sheet, heading, bold=True) for heading in headings])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _width(title: str, heading: str) -> float:
    if title == NOTES:
        return 90
    return {"部门": 24, "姓名": 12, "userId": 16, "日期": 12, "情况": 14}.get(heading, max(8, len(heading) * 2))


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Cell:
    if isinstance(value, str):
        # A sign that no file can hold must not cost the company its report.
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell: Cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        # A name that begins with = is a name, not a formula.
        cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
