"""Compares an edited table with the entries and plans the changes of its import; makes table rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rapidfuzz import fuzz, process

from faqbot.knowledge.entry_parser import distinct_ids, parse_file
from faqbot.knowledge.spreadsheet.columns import (
    BY_KEY,
    CELL_LIMIT,
    COLUMNS,
    REPORT_HEADINGS,
    CellError,
    ColumnKind,
    TableColumn,
    excel_length,
    field_value,
    find_column,
    format_cell,
    normalize_cell,
    parse_cell,
)
from faqbot.knowledge.spreadsheet.workbook import CellOddity, Row, Table
from faqbot.model.entries import Entry, Period, Place, Problem
from faqbot.yamltext import key_names

_EXCEL_ERROR = re.compile(r"#(?:NAME\?|REF!|VALUE!|N/A|DIV/0!|NUM!|NULL!|SPILL!|CALC!)")
_SHORTENED = re.compile(r"-?\d(?:\.\d+)?E[+-]?\d+")
# Names that every file source accepts, short enough for any disk.
_FILE_NAME = re.compile(r"[^\x00-\x1f\x7f<>:\"|?*./~\s][^\x00-\x1f\x7f<>:\"|?*/]{0,59}")
# Similarity (0 to 100) from which an unknown file name is a typo rather than a new file.
_MIN_NAME_SIMILARITY = 85
# Files that are listed to a person who named none.
_MAX_FILES_LISTED = 8
# Fields that, left blank in a row, have the value at the top of the file.
_SHARED = frozenset(key_names.SHARED_KEYS)


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """A present entry; `local_id` is its id within its file, which differs if its id is made from the question."""

    file: str
    entry: Entry
    local_id: str


@dataclass(frozen=True, slots=True)
class TableProblem:
    """An error or a warning about a row; row 0 is the whole table."""

    row: int
    column: str
    message: str
    is_error: bool = True

    def __str__(self) -> str:
        where = f"第 {self.row} 行" if self.row else ""
        return f"{where}{f'“{self.column}”' if self.column else ''}{'：' if where or self.column else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class CellChange:
    """The change of one cell: its heading, the present text and the new one."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TableEdit:
    """An entry to write into `file`; a new one if `known` is None."""

    row: int
    file: str
    entry: Entry
    known: KnownEntry | None = None
    changes: tuple[CellChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The edits an import would make. With an error among the problems it must make none.

    heading, rows: the number of the row with headings and of those below it that hold anything; they tell where things
    stand and not what is done, so they do not count in comparisons.
    """

    edits: tuple[TableEdit, ...] = ()
    unchanged: int = 0
    missing: tuple[KnownEntry, ...] = ()
    problems: tuple[TableProblem, ...] = ()
    heading: int = field(default=0, compare=False)
    rows: tuple[int, ...] = field(default=(), compare=False)

    @property
    def ok(self) -> bool:
        return not any(t.is_error for t in self.problems)

    @property
    def new(self) -> tuple[TableEdit, ...]:
        return tuple(e for e in self.edits if e.known is None)

    @property
    def changed(self) -> tuple[TableEdit, ...]:
        return tuple(e for e in self.edits if e.known is not None)


def known_entries(files: Mapping[str, bytes]) -> tuple[list[KnownEntry], list[Problem]]:
    """Return all entries as they are written, without facts filled in, and the errors of the files."""
    local_entries: list[tuple[str, Entry]] = []
    problems: list[Problem] = []
    places: dict[str, Place] = {}
    for name in sorted(n for n in files if n.startswith("faq/")):
        parsed = parse_file(name, files[name])
        problems += [p for p in parsed.problems if p.is_error]
        for entry in parsed.entries:
            if entry.id_given and (first := places.setdefault(entry.id, entry.place)).file != name:
                problems.append(Problem(entry.place, f"编号“{entry.id}”重复（{first} 已有）"))
            local_entries.append((name, entry))
    entries = distinct_ids((e for _, e in local_entries), set())
    return [KnownEntry(name, e, local.id) for (name, local), e in zip(local_entries, entries, strict=True)], problems


def table_rows(known: Iterable[KnownEntry]) -> list[list[str]]:
    """Return the cells of each entry, in the order of COLUMNS."""
    return [[_cell_text(k, column) for column in COLUMNS] for k in known]


def oversized_cells(known: Iterable[KnownEntry]) -> list[str]:
    """Report each cell that Excel would cut off."""
    return [
        f"{k.entry.place}: 错误：“{column.name}”超过 {CELL_LIMIT} 字，Excel 的一格放不下；请导出 .csv"
        for k in known
        for column in COLUMNS
        if excel_length(_cell_text(k, column)) > CELL_LIMIT
    ]


def _cell_text(known: KnownEntry, column: TableColumn) -> str:
    return known.file if column.key == "file" else format_cell(column.kind, field_value(known.entry, column.key))


def plan_import(table: Table, known: Sequence[KnownEntry], shared: Mapping[str, Entry]) -> ImportPlan:
    """Compare a table with the present entries; `shared` holds the fields at the top of each file."""
    return _Planner(table, known, shared).plan()


@dataclass(slots=True)
class _Planner:
    table: Table
    known: Sequence[KnownEntry]
    shared: Mapping[str, Entry]
    columns: dict[int, TableColumn] = field(default_factory=dict)
    problems: list[TableProblem] = field(default_factory=list)
    claimed_rows: dict[str, int] = field(default_factory=dict)  # id → row
    by_id: dict[str, KnownEntry] = field(default_factory=dict)
    by_question: dict[str, list[KnownEntry]] = field(default_factory=dict)
    new_files: dict[str, int] = field(default_factory=dict)
    new_questions: dict[str, int] = field(default_factory=dict)  # question of a new row → row
    rows_with_errors: set[int] = field(default_factory=set)

    def plan(self) -> ImportPlan:
        self._columns()
        rows = [row for row in self.table.rows if any(self._cell(row, index) for index in self.columns)]
        if not rows:
            self.problems.append(TableProblem(0, "", "表里一条都没有"))
        for k in self.known:
            self.by_id[k.entry.id] = k
            self.by_question.setdefault(k.entry.question, []).append(k)
        # Rows with an id come first, so that a row without one does not take their entry.
        targets = {row.number: self._by_written_id(row) for row in rows}
        edits: list[TableEdit] = []
        unchanged = 0
        for row in rows:
            self._check_shape(row)
            target = targets[row.number] or self._by_question(row)
            if target is not None:
                self.claimed_rows.setdefault(target.entry.id, row.number)
            edit = self._edit(row, target)
            if edit is None:
                unchanged += 1
            else:
                edits.append(edit)
        missing = tuple(k for k in self.known if k.entry.id not in self.claimed_rows)
        self._renamed(edits, missing)
        self._related(edits)
        problems = tuple(sorted(self.problems, key=lambda t: t.row))
        numbers = tuple(row.number for row in rows)
        return ImportPlan(tuple(edits), unchanged, missing, problems, self.table.header.number, numbers)

    def _report(self, row: Row, column: TableColumn | str, message: str, *, is_error: bool = True) -> None:
        name = column if isinstance(column, str) else column.name
        if is_error:
            self.rows_with_errors.add(row.number)
        self.problems.append(TableProblem(row.number, name, message, is_error))

    # -- headings and shape ------------------------------------------------------------------

    def _columns(self) -> None:
        header = self.table.header
        for index, heading in enumerate(header.cells):
            column = find_column(heading)
            if column is None:
                if normalize_cell(heading) and normalize_cell(heading) not in REPORT_HEADINGS:
                    near = key_names.nearest_key(normalize_cell(heading), {c.name: c.key for c in COLUMNS})
                    hint = f"，是不是“{near}”？" if near else ""
                    self._report(header, normalize_cell(heading)[:30], f"不认识的列，不导入{hint}", is_error=False)
            elif column in self.columns.values():
                self._report(header, column, "有两列都叫这个名字，请删掉一列")
            else:
                self.columns[index] = column

    def _cell(self, row: Row, index: int) -> str:
        return normalize_cell(row.cells[index]) if index < len(row.cells) else ""

    def _text(self, row: Row, key: str) -> str:
        return next((self._cell(row, index) for index, column in self.columns.items() if column.key == key), "")

    def _check_shape(self, row: Row) -> None:
        width = len(self.table.header.cells)
        if len(row.cells) <= max(self.columns):
            self._report(row, "", f"这一行只有 {len(row.cells)} 格，表头有 {width} 格")
        if extra := [normalize_cell(text) for text in row.cells[width:] if normalize_cell(text)]:
            self._report(row, "", f"比表头多出一格“{extra[0][:20]}”；内容里有逗号时要用英文双引号括起来")
        for index, column in self.columns.items():
            if self.table.odd.get((row.number, index)) is CellOddity.MERGED:
                self._report(row, column, "和旁边的格子合并了，请取消合并，每格单独填")

    # -- matching rows and entries -------------------------------------------------------------------------

    def _by_written_id(self, row: Row) -> KnownEntry | None:
        entry_id = self._text(row, "id")
        if not entry_id:
            return None
        if entry_id in self.claimed_rows:
            self._report(row, BY_KEY["id"], f"编号“{entry_id[:40]}”和第 {self.claimed_rows[entry_id]} 行重复")
        self.claimed_rows.setdefault(entry_id, row.number)
        return self.by_id.get(entry_id)

    def _by_question(self, row: Row) -> KnownEntry | None:
        """Return the entry of a row without an id: the one with the same question, if no other row has it."""
        question = self._text(row, "question")
        if self._text(row, "id") or not question:
            return None
        matches = [k for k in self.by_question.get(question, ()) if k.entry.id not in self.claimed_rows]
        start = self._text(row, "from")
        if len(matches) > 1 and start:
            # Versions of one answer differ by their first day.
            matches = [k for k in matches if format_cell(ColumnKind.DATE, k.entry.valid.start) == start] or matches
        if len(matches) > 1:
            ids = "、".join(k.entry.id for k in matches[:3])
            self._report(row, BY_KEY["id"], f"有几条都是这个问题，请填编号：{ids}")
        return matches[0] if matches else None

    # -- changes of a row ------------------------------------------------------------------------

    def _edit(self, row: Row, known: KnownEntry | None) -> TableEdit | None:
        """Return the edit that a row asks for; None if it changes nothing."""
        values: dict[str, Any] = {}
        changes: list[CellChange] = []
        file = self._file(row, self._text(row, "file")) or (known.file if known else "")
        if known and file != known.file:
            changes.append(CellChange(BY_KEY["file"].name, known.file, file))
        for index, column in self.columns.items():
            text = self._cell(row, index)
            before = normalize_cell(_cell_text(known, column)) if known else ""
            if text == before or column.key == "file" or (column.key == "id" and (known or not text)):
                continue
            value = self._value(row, index, column, text)
            if not text and column.key in _SHARED and (top := self.shared.get(file)):
                # Else the second import of a table would undo what its new rows inherited.
                value = field_value(top, column.key)
            if value is _UNREADABLE or (known and _same(column, value, before)):
                continue
            values[column.key] = value
            changes.append(CellChange(column.name, before, format_cell(column.kind, value)))
        if known and not changes:
            return None
        if not known:
            file = file or self._guess_file(row, values)
            values = self._inherited(file) | values
        entry = _with(known.entry if known else Entry("", "", "", id_given=False), values)
        self._check(row, entry, known, changes)
        self._check_limits(row, entry, file)
        return TableEdit(row.number, file, entry, known, tuple(changes) if known else ())

    def _value(self, row: Row, index: int, column: TableColumn, text: str) -> Any:
        """Return the value of a cell, or report the problem and return _UNREADABLE."""
        if damage := self._excel_damage(row, index, column, text):
            self._report(row, column, damage)
            return _UNREADABLE
        odd = self.table.odd.get((row.number, index))
        if odd in (CellOddity.NUMBER, CellOddity.TIME):
            self._report(row, column, f"这一格不是文本格式，按“{text}”理解", is_error=False)
        if column.key in ("groups", "departments") and re.search("[,，、;；]", text):
            self._report(row, column, "有逗号，整行会当成一项；几项要在格子里换行，一行一项", is_error=False)
        try:
            return parse_cell(column.kind, text)
        except CellError as exc:
            self._report(row, column, str(exc))
            return _UNREADABLE

    def _excel_damage(self, row: Row, index: int, column: TableColumn, text: str) -> str:
        """Describe a change by Excel, because of which the text cannot be trusted; empty if there is none."""
        odd = self.table.odd.get((row.number, index))
        if odd is CellOddity.FORMULA:
            return f"这是公式（{text[:30]}），请把格子设成文本格式，再填文字"
        if odd is CellOddity.ERROR or _EXCEL_ERROR.fullmatch(text):
            return f"Excel 把内容变成了错误值 {text}，请重新填"
        if odd is CellOddity.INEXACT or _SHORTENED.fullmatch(text):
            return f"Excel 把数字变成了 {text}，后面几位已经丢了；请把格子设成文本格式，重新填完整的数字"
        if odd is CellOddity.DATE and column.kind is not ColumnKind.DATE:
            return f"Excel 把内容变成了日期 {text}，请把格子设成文本格式，再填一遍"
        if excel_length(text) >= CELL_LIMIT:
            return f"太长（{len(text)} 字）；Excel 一格最多 {CELL_LIMIT} 字，后面的可能已经丢了"
        return ""

    def _check(self, row: Row, entry: Entry, known: KnownEntry | None, changes: Sequence[CellChange]) -> None:
        """Check the rules between the cells of one row; a mistake that was there before and is not changed passes."""
        touched = {change.column for change in changes} if known else {column.name for column in COLUMNS}
        if not entry.question and "问题" in touched:
            self._report(row, "问题", "没有写问题")
        if not known and entry.question and not self._text(row, "id"):
            if entry.question in self.new_questions:
                self._report(row, "问题", f"和第 {self.new_questions[entry.question]} 行一样", is_error=False)
            self.new_questions.setdefault(entry.question, row.number)
        if touched & {"答案", "追问", "答案按"} and row.number not in self.rows_with_errors:
            self._check_answer(row, entry)
        if touched & {"编号"} and "\n" in entry.id:
            self._report(row, "编号", "编号里不能换行")
        valid = entry.valid
        if touched & {"有效期从", "有效期到"} and valid.start and valid.end and valid.start > valid.end:
            self._report(row, "有效期到", f"{valid.end} 早于“有效期从”的 {valid.start}，这一条永远不会回答")

    def _check_limits(self, row: Row, entry: Entry, file: str) -> None:
        """Refuse to lift, for one entry, a restriction at the top of its file: an empty list would answer nobody."""
        top = self.shared.get(file)
        for column in (BY_KEY["groups"], BY_KEY["departments"]):
            if top and field_value(top, column.key) and not field_value(entry, column.key):
                self._report(row, column, f"写在 {file} 开头，对所有条目有效，不能只为这一条取消")

    def _check_answer(self, row: Row, entry: Entry) -> None:
        if entry.answer and entry.variants:
            self._report(row, "答案", "“答案”和“答案按”只能填一个")
        elif not entry.answer and not entry.variants:
            self._report(row, "答案", "没有写答案")
        if entry.variants and entry.ask is None:
            self._report(row, "追问", "填了“答案按”，还要在“追问”里写问什么")
        if entry.ask and not entry.variants:
            self._report(row, "答案按", "填了“追问”，还要在“答案按”里写每种情况的答案")

    # -- files -------------------------------------------------------------------------------

    def _file(self, row: Row, text: str) -> str:
        """Return the file that a cell names; empty for a blank cell or one that names no file."""
        if not text:
            return ""
        path = text.replace("\\", "/")
        path = path.removeprefix("./") if "/faq/" not in path else path[path.index("/faq/") + 1 :]
        stem = path.removeprefix("faq/")
        names = {name.casefold(): name for name in self.shared}
        for ending in ("", ".yaml", ".yml"):
            if known_name := names.get(f"faq/{stem}{ending}".casefold()):
                return known_name
        if not _FILE_NAME.fullmatch(stem):
            self._report(row, BY_KEY["file"], f"“{text[:40]}”不能作文件名，请写成 faq/leave.yaml 这样")
            return ""
        name = f"faq/{stem}" if stem.endswith((".yaml", ".yml")) else f"faq/{stem}.yaml"
        near = process.extractOne(name, list(self.shared), scorer=fuzz.ratio, score_cutoff=_MIN_NAME_SIMILARITY)
        if near and _digits(near[0]) == _digits(name):
            self._report(row, BY_KEY["file"], f"没有 {name} 这个文件，是不是 {near[0]}？")
            return ""
        if name not in self.new_files:
            self._report(row, BY_KEY["file"], f"没有 {name} 这个文件，会新建", is_error=False)
        self.new_files.setdefault(name, row.number)
        return name

    def _guess_file(self, row: Row, values: Mapping[str, Any]) -> str:
        """Return the file of a new row without one: the only file there is, or the only one with its topic."""
        if self._text(row, "file"):
            return ""  # reported already
        topic = values.get("topic", "")
        candidates = [name for name, top in self.shared.items() if top.topic == topic] if topic else []
        candidates = candidates or list(self.shared)
        if len(candidates) == 1:
            return candidates[0]
        names = "、".join(list(self.shared)[:_MAX_FILES_LISTED]) + (
            " 等" if len(self.shared) > _MAX_FILES_LISTED else ""
        )
        self._report(row, BY_KEY["file"], f"没有写放在哪个文件里；现在有 {names}")
        return ""

    def _inherited(self, file: str) -> dict[str, Any]:
        top = self.shared.get(file)
        return {key: field_value(top, key) for key in _SHARED} if top else {}

    # -- between the rows --------------------------------------------------------------------

    def _renamed(self, edits: Iterable[TableEdit], missing: Iterable[KnownEntry]) -> None:
        missing_by_question = {k.entry.question: k for k in missing}
        for edit in edits:
            if edit.known is None and (old := missing_by_question.get(edit.entry.question)):
                message = f"问题和“{old.entry.id}”一样，编号不同：会新增一条，旧的还在；只想改内容时请用回旧编号"
                self.problems.append(TableProblem(edit.row, "编号", message, is_error=False))

    def _related(self, edits: Iterable[TableEdit]) -> None:
        ids = {*self.by_id, *self.claimed_rows}
        for edit in edits:
            before = edit.known.entry.related if edit.known else ()
            for other in edit.entry.related:
                if other not in ids and other not in before:
                    message = f"没有编号是“{other[:40]}”的条目"
                    self.problems.append(TableProblem(edit.row, "相关", message, is_error=False))


_UNREADABLE = object()


def _same(column: TableColumn, value: Any, cell: str) -> bool:
    try:
        return bool(parse_cell(column.kind, cell) == value)
    except CellError:
        return False


def _with(entry: Entry, values: Mapping[str, Any]) -> Entry:
    """Return the entry with these fields, as a file would give it back."""
    rest = {key: value for key, value in values.items() if key not in ("from", "until")}
    valid = Period(values.get("from", entry.valid.start), values.get("until", entry.valid.end))
    entry = replace(entry, **rest, valid=valid, id_given=entry.id_given or "id" in values)
    return replace(entry, also=tuple(dict.fromkeys(a for a in entry.also if a != entry.question)))


def _digits(name: str) -> list[str]:
    return sorted(c for c in name if c.isdigit())
