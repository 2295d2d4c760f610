"""Attendance report as an .xlsx file: departments, people, incidents, and how totals were computed. Pure."""

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

from faqbot.attendance.month import ABSENT, MonthReport, PersonMonth, Totals
from faqbot.attendance.report_texts import UNKNOWN_ABSENT, explanations, format_clock_time
from faqbot.model.org_chart import Tree

BY_DEPARTMENT, BY_PERSON, DAYS, NOTES = "按部门", "按人", "明细", "说明"
_COUNTS = ("应出勤天数", "出勤天数", "迟到次数", "严重迟到次数", "早退次数", "缺卡次数")

_Row = tuple[Any, ...]


def build_workbook(report: MonthReport, tree: Tree, timezone: tzinfo, notes: Sequence[str] = ()) -> bytes:
    """Return the bytes of the file; `notes` are put below the explanations."""
    book = Workbook(write_only=True)
    leave_kinds = sorted(report.totals.leave)
    headings = _total_headings(report, leave_kinds)
    persons = sorted(report.persons, key=lambda p: (tree.path(p.department), p.person.name, p.person.userid))
    _add_sheet(book, BY_DEPARTMENT, ("部门", "人数", *headings), _department_rows(report, tree, leave_kinds))
    _add_sheet(
        book,
        BY_PERSON,
        ("部门", "姓名", "userId", *headings),
        (
            (tree.path(p.department), p.person.name, p.person.userid, *_total_cells(p.totals, leave_kinds))
            for p in persons
        ),
    )
    _add_sheet(
        book,
        DAYS,
        ("部门", "姓名", "日期", "情况", "应打卡", "实际打卡", "分钟"),
        _incident_rows(persons, tree, timezone, approvals_known=report.approvals_known),
    )
    _add_sheet(book, NOTES, ("说明",), ((line,) for line in (*explanations(report), *notes)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _total_headings(report: MonthReport, leave_kinds: Sequence[str]) -> tuple[str, ...]:
    absent = "旷工天数" if report.approvals_known else f"{UNKNOWN_ABSENT}天数"
    leave = (f"{kind}（天）" for kind in leave_kinds)
    return (*_COUNTS, absent, *leave, "请假合计（天）", "出差外出（天）", "加班（小时）")


def _total_cells(totals: Totals, leave_kinds: Sequence[str]) -> tuple[float, ...]:
    """Return the values below `_total_headings`."""
    t = totals
    counts = (t.shifts, t.present, t.late, t.serious_late, t.early, t.missing, t.absent)
    leave = (round(t.leave.get(kind, 0.0), 3) for kind in leave_kinds)
    return (*counts, *leave, round(t.leave_days, 3), round(t.trip, 3), round(t.overtime, 2))


def _department_rows(report: MonthReport, tree: Tree, leave_kinds: Sequence[str]) -> list[_Row]:
    departments = sorted(report.by_department().items(), key=lambda item: tree.path(item[0]))
    rows: list[_Row] = [(tree.path(d), t.people, *_total_cells(t, leave_kinds)) for d, t in departments]
    return [*rows, ("合计", report.totals.people, *_total_cells(report.totals, leave_kinds))]


def _incident_rows(
    persons: Iterable[PersonMonth], tree: Tree, timezone: tzinfo, *, approvals_known: bool
) -> Iterable[_Row]:
    def clock(at: float) -> str:
        return format_clock_time(at, timezone) if at else ""

    for p in persons:
        for incident in p.incidents:
            what = UNKNOWN_ABSENT if incident.what == ABSENT and not approvals_known else incident.what
            times = (clock(incident.planned), clock(incident.actual), incident.minutes or None)
            yield (tree.path(p.department), p.person.name, str(incident.day), what, *times)


def _add_sheet(book: Workbook, title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, heading in enumerate(headings, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _column_width(title, heading)
    sheet.append([_cell(sheet, heading, bold=True) for heading in headings])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _column_width(title: str, heading: str) -> float:
    if title == NOTES:
        return 90
    return {"部门": 24, "姓名": 12, "userId": 16, "日期": 12, "情况": 14}.get(heading, max(8, len(heading) * 2))


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Cell:
    if isinstance(value, str):
        # A name with a character that .xlsx cannot hold must not make the whole report fail.
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell: Cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        # A name that begins with = is not a formula.
        cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
