"""The knowledge as a table and back: nothing is lost, nothing is changed by the way, everything odd is said."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.spreadsheet.columns import (
    CELL_LIMIT,
    COLUMNS,
    CellError,
    ColumnKind,
    format_cell,
    normalize_cell,
    parse_cell,
)
from faqbot.knowledge.spreadsheet.comparison import ImportPlan, KnownEntry, known_entries, plan_import, table_rows
from faqbot.knowledge.spreadsheet.summary import problem_lines, summary_lines
from faqbot.knowledge.spreadsheet.workbook import SheetError, protect_csv, read_table, unprotect_csv, write_table
from faqbot.model.entries import Entry, FollowUp, Period
from tests.conftest import SAMPLE

NAMES = [c.name for c in COLUMNS]
TOP = Entry("", "", "")
FULL = Entry(
    id="all",
    question="全部都有？",
    answer="",
    also=("=1+1", "0571", "9:30", "'x", "1.0"),
    not_=("-不是", "@我", "+86"),
    topic="休假, 假期; “引号”",
    owner='张"三"',
    source="《手册》\t第 5 章",
    related=("a,b", "c、d"),
    valid=Period(date(2026, 1, 1), date(2026, 12, 31)),
    review=date(2026, 12, 1),
    groups=("cidA==", "cidB=="),
    departments=("1001", "0099"),
    private=True,
    draft=True,
    ask=FollowUp("city", "您在哪个：城市？"),
    variants={"上海": "158 天。\n【注】见手册\n\n- 一\n- 二", "else": "\\【x】\n  【缩进】\n问休假组😀"},
)


def known(*entries: Entry, file: str = "faq/a.yaml") -> list[KnownEntry]:
    return [KnownEntry(file, entry, entry.id) for entry in entries]


def planned(name: str, raw: bytes, present: Sequence[KnownEntry], top: Mapping[str, Entry] | None = None) -> ImportPlan:
    shared = {k.file: TOP for k in present} if top is None else top
    return plan_import(read_table(name, raw), present, shared)


def resaved(raw: bytes, change: Callable[[Any], object] = lambda sheet: None) -> bytes:
    """The file as it is after somebody opened it, did something and saved it."""
    book = load_workbook(io.BytesIO(raw))
    change(book["知识"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xlsx(rows: Sequence[Sequence[object]], **merge: str) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for area in merge.values():
        sheet.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def said(found: ImportPlan) -> list[str]:
    return list(problem_lines(found.problems))


def nothing_to_do(found: ImportPlan, entries: int) -> bool:
    return found == ImportPlan(unchanged=entries)


# -- round trips -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["k.xlsx", "k.csv"])
def test_the_sample_knowledge_comes_back_unchanged(name: str) -> None:
    present, problems = known_entries(FolderSource(SAMPLE).read_now())
    raw = write_table(name, table_rows(present))
    assert problems == []
    assert nothing_to_do(planned(name, raw, present), len(present))
    if name == "k.xlsx":
        assert nothing_to_do(planned(name, resaved(raw), present), len(present))


@pytest.mark.parametrize("name", ["k.xlsx", "k.csv"])
def test_every_field_survives_and_arrives_whole_in_an_empty_base(name: str) -> None:
    plain = Entry("n", "没有别的", "答")
    raw = write_table(name, table_rows(known(FULL, plain)))
    if name == "k.xlsx":
        raw = resaved(raw)
    assert nothing_to_do(planned(name, raw, known(FULL, plain)), 2)
    found = planned(name, raw, [])
    assert found.ok and [e.entry for e in found.edits] == [FULL, plain]
    assert {e.file for e in found.edits} == {"faq/a.yaml"}


odd_texts = st.one_of(
    st.sampled_from(
        [
            *("=cmd|' /C calc'!A0", "=1+1", "-", "+", "@", "'x", "''=x", '"', '""', "'", "’", ",;\t", "null", "是"),
            *("0571", "9:30", "1.38E+10", "138000000000", "2026-01-01", "1/2", "TRUE", "#NAME?", "_x000D_", "_x0041_"),
            *("x005F_", "a\x07b", "\ufffe", "甲\r\n乙", "a\u2028b", "😀\u200d👩", "  a  ", "\n\n- 一\n\n- 二\n"),
            *("【上海】", "\\【上海】", "<很长>"),
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=30),
)
texts = odd_texts.map(lambda text: normalize_cell(text.replace("<很长>", "长" * 5000)))
lines = texts.map(lambda text: normalize_cell(text.replace("\n", " "))).filter(bool)
names = lines.filter(lambda text: len(text) <= 200)
line_lists = st.lists(lines, max_size=4, unique=True).map(tuple)
days = st.none() | st.dates(date(1990, 1, 1), date(2099, 1, 1))
plain_entries = st.builds(
    Entry,
    id=lines,
    question=texts.filter(bool),
    answer=texts.filter(bool),
    also=line_lists,
    not_=line_lists,
    topic=texts,
    owner=texts,
    source=texts,
    related=line_lists,
    valid=st.builds(Period, days),
    review=days,
    groups=line_lists,
    departments=line_lists,
    private=st.booleans(),
    draft=st.booleans(),
)
asking_entries = st.builds(
    lambda entry, ask, variants: replace(entry, answer="", ask=ask, variants=variants),
    plain_entries,
    st.builds(FollowUp, names, texts.filter(bool)),
    st.dictionaries(names.filter(lambda w: w not in ("其他", "其它", "否则", "else")), texts.filter(bool), min_size=1),
)
entries = (plain_entries | asking_entries).map(
    lambda entry: replace(entry, also=tuple(a for a in entry.also if a != entry.question))
)


EXCEL_WRITES = re.compile(r"-?\d(?:\.\d+)?E[+-]?\d+|#(?:NAME\?|REF!|VALUE!|DIV/0!|NUM!|NULL!|N/A|SPILL!|CALC!)")


def is_refused(rows: list[list[str]]) -> bool:
    """Whether a cell says what Excel writes in the place of something else, which is only taken where it stood."""
    return any(EXCEL_WRITES.fullmatch(cell) for row in rows for cell in row)


@given(st.lists(entries, min_size=1, max_size=4, unique_by=lambda e: e.id), st.sampled_from(["k.xlsx", "k.csv"]))
def test_whatever_an_entry_says_is_read_back(found: list[Entry], name: str) -> None:
    raw = write_table(name, table_rows(known(*found)))
    if name == "k.xlsx":
        raw = resaved(raw)
    assert nothing_to_do(planned(name, raw, known(*found)), len(found))
    there = planned(name, raw, [])
    if not is_refused(table_rows(known(*found))):
        assert [e.entry for e in there.edits] == found


@given(odd_texts)
def test_the_apostrophe_of_a_csv_comes_off_again(text: str) -> None:
    assert unprotect_csv(protect_csv(text)) == text
    assert protect_csv(text)[:1] not in tuple("=+-@")


def test_a_text_is_a_text_for_excel_and_never_a_formula() -> None:
    entry = Entry("0571", "=1+1", "9:30", also=("138000000000",), topic="2026-01-01")
    book = load_workbook(io.BytesIO(write_table("k.xlsx", table_rows(known(entry)))))
    sheet: Any = book["知识"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"} and {cell.number_format for cell in cells} == {"@"}
    assert sheet.freeze_panes == "A2" and sheet["E2"].alignment.wrap_text and sheet["A1"].font.bold
    assert sheet.column_dimensions["H"].width > sheet.column_dimensions["B"].width
    assert sheet.column_dimensions["H"].number_format == "@"
    assert book.sheetnames == ["知识", "说明"]
    shown = {row[0].value for row in book["说明"].iter_rows()}
    assert set(NAMES) <= shown


def test_a_csv_opens_in_excel_and_starts_no_formula() -> None:
    raw = write_table("k.csv", table_rows(known(Entry("a", "=1+1", "- 一\n- 二"))))
    assert raw.startswith(b"\xef\xbb\xbf")
    assert "'=1+1" in raw.decode() and "'- 一\n- 二" in raw.decode()


# -- files as people make them -----------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_may_come_from_anywhere(encoding: str, delimiter: str, end: str) -> None:
    text = end.join([delimiter.join(["编号", "问题", "答案"]), delimiter.join(["a", "问；，", f'"一{end}二"'])]) + end
    found = planned("k.csv", text.encode(encoding), known(Entry("a", "问；，", "一\n二")))
    assert nothing_to_do(found, 1)


def test_headings_may_be_english_in_any_order_starred_and_below_a_title() -> None:
    rows = [["知识库 2026"], [], ["Answer", "QUESTION*", "id", "valid from", "valid_until"], ["答", "问", "a", "", ""]]
    found = planned("k.xlsx", xlsx(rows), known(Entry("a", "问", "答", valid=Period(date(2026, 1, 1)))))
    (edit,) = found.edits
    assert [(c.column, c.before, c.after) for c in edit.changes] == [("有效期从", "2026-01-01", "")]


def test_unknown_columns_are_named_and_missing_ones_change_nothing() -> None:
    found = planned("k.csv", csv("编号,答桉,备注,问题", "all,x,y,全部都有？"), known(FULL))
    assert found.unchanged == 1 and not found.edits
    assert said(found) == [
        "提醒：第 1 行“答桉”：不认识的列，不导入，是不是“答案”？",
        "提醒：第 1 行“备注”：不认识的列，不导入",
    ]


def test_the_same_heading_twice_is_a_problem() -> None:
    found = planned("k.csv", csv("编号,问题,Question", "a,甲,乙"), known(Entry("a", "甲", "答")))
    assert said(found) == ["错误：第 1 行“问题”：有两列都叫这个名字，请删掉一列"]


def test_empty_rows_hidden_columns_and_a_sheet_in_front_do_no_harm() -> None:
    present = known(FULL, Entry("b", "乙", "答"))

    def change(sheet: Any) -> None:
        sheet.insert_rows(3, 5)
        sheet.column_dimensions["G"].hidden = True
        sheet.row_dimensions[8].hidden = True
        sheet["A1000"].value = " \n"
        sheet.parent.create_sheet("目录", 0)["A1"].value = "问题见下一页"

    raw = resaved(write_table("k.xlsx", table_rows(present)), change)
    assert nothing_to_do(planned("k.xlsx", raw, present), 2)


def test_what_is_merged_downwards_counts_for_every_row_and_across_is_a_problem() -> None:
    rows = [["主题", "编号", "问题", "答案"], ["休假", "a", "甲", "答"], ["", "b", "乙", "答"]]
    present = known(Entry("a", "甲", "答", topic="休假"), Entry("b", "乙", "答", topic="休假"))
    assert nothing_to_do(planned("k.xlsx", xlsx(rows, area="A2:A3"), present), 2)
    found = planned("k.xlsx", xlsx(rows, area="C2:D2"), present)
    assert "错误：第 2 行“问题”：和旁边的格子合并了，请取消合并，每格单独填" in said(found)
    found = planned("k.xlsx", xlsx([["知识库"], *rows], area="A1:D1"), present)
    assert found.ok and found.changed


def test_a_stray_cell_at_the_end_of_the_sheet_costs_nothing() -> None:
    def change(sheet: Any) -> None:
        sheet["A1048576"].number_format = "0.00"
        sheet["F1048575"].value = " "
        sheet["XFD2"].value = "x"

    present = known(FULL)
    assert nothing_to_do(planned("k.xlsx", resaved(write_table("k.xlsx", table_rows(present)), change), present), 1)


def test_a_line_break_as_excel_saves_it_is_one() -> None:
    raw = xlsx([["编号", "问题", "答案"], ["a", "问", "甲_x000D_\n乙"]])
    assert nothing_to_do(planned("k.xlsx", raw, known(Entry("a", "问", "甲\n乙"))), 1)


def test_real_dates_numbers_and_truths_are_read_as_meant() -> None:
    head = ["编号", "问题", "答案", "有效期从", "复核", "部门", "私聊"]
    row = [7, "问", 0.5, datetime(2026, 3, 1), date(2026, 4, 1), 1001, True]
    book = Workbook()
    sheet: Any = book.active
    sheet.append(head)
    sheet.append(row)
    sheet["C2"].number_format = "0%"
    sheet["D2"].number_format = 'yyyy"年"m"月"d"日"'
    out = io.BytesIO()
    book.save(out)
    entry = Entry(
        "7", "问", "50%", valid=Period(date(2026, 3, 1)), review=date(2026, 4, 1), departments=("1001",), private=True
    )
    assert nothing_to_do(planned("k.xlsx", out.getvalue(), known(entry)), 1)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2026, 3, 1), "Excel 把内容变成了日期 2026-03-01"),
        (12345678901234567890, "后面几位已经丢了"),
        ("=1+1", "这是公式（=1+1）"),
        ("#NAME?", "错误值 #NAME?"),
        ("1.38E+10", "Excel 把数字变成了 1.38E+10"),
        ("长" * CELL_LIMIT, f"太长（{CELL_LIMIT} 字）"),
    ],
)
def test_what_excel_did_to_a_text_is_a_problem_with_row_and_column(value: object, words: str) -> None:
    raw = xlsx([["编号", "问题", "答案"], ["a", "问", value]])
    (line,) = said(planned("k.xlsx", raw, known(Entry("a", "问", "答"))))
    assert line.startswith("错误：第 2 行“答案”：") and words in line


def test_a_time_is_read_as_it_looks_and_said() -> None:
    raw = xlsx([["编号", "问题", "答案"], ["a", "问", time(9, 30)]])
    found = planned("k.xlsx", raw, known(Entry("a", "问", "答")))
    assert found.ok and found.edits[0].entry.answer == "9:30"
    assert said(found) == ["提醒：第 2 行“答案”：这一格不是文本格式，按“9:30”理解"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a,,答,,", "“问题”：没有写问题"),
        ("a,甲,,,", "“答案”：没有写答案"),
        ("a,甲,答,2026-02-30,", "“有效期从”：“2026-02-30”不是日期"),
        ("a,甲,答,明年,", "“有效期从”：“明年”不是日期"),
        ("a,甲,答,2026-02-03,2026-02-02", "“有效期到”：2026-02-02 早于“有效期从”的 2026-02-03"),
        (",新的,答,,", "“文件”：没有写放在哪个文件里；现在有 faq/a.yaml、faq/b.yaml"),
        ("a,甲", "这一行只有 2 格，表头有 5 格"),
        ("a,甲,答,,,多", "比表头多出一格“多”"),
    ],
)
def test_each_problem_has_its_row(row: str, words: str) -> None:
    present = [*known(Entry("a", "甲", "旧")), *known(Entry("b", "乙", "答"), file="faq/b.yaml")]
    found = planned("k.csv", csv("编号,问题,答案,有效期从,有效期到", "b,乙,答,,", row), present)
    assert not found.ok and any(line.startswith("错误：第 3 行") and words in line for line in said(found))


def test_an_id_twice_is_a_problem() -> None:
    found = planned("k.csv", csv("编号,问题,答案", "a,甲,答", "a,乙,答"), known(Entry("a", "甲", "答")))
    assert said(found) == ["错误：第 3 行“编号”：编号“a”和第 2 行重复"]


def test_an_empty_table_never_means_delete_everything() -> None:
    assert said(planned("k.csv", csv("编号,问题", ",", " , "), known(FULL))) == ["错误：表里一条都没有"]


@pytest.mark.parametrize("raw", [b"", b"\x00\x01", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", "甲,乙\n".encode()])
@pytest.mark.parametrize("name", ["k.xlsx", "k.csv", "k.pdf"])
def test_what_is_no_table_is_refused(name: str, raw: bytes) -> None:
    with pytest.raises(SheetError):
        read_table(name, raw)


def test_an_old_excel_file_is_explained() -> None:
    with pytest.raises(SheetError, match="旧的"):
        read_table("k.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


# -- which entry, which file -------------------------------------------------------------------


def test_without_ids_an_entry_is_known_by_its_question_and_a_version_by_its_first_day() -> None:
    old = Entry("a", "问", "旧", valid=Period(None, date(2025, 12, 31)))
    new = Entry("b", "问", "新", valid=Period(date(2026, 1, 1)))
    found = planned("k.csv", csv("问题,答案,有效期从", "问,更新,2026-01-01"), known(old, new))
    assert [(e.entry.id, e.entry.answer) for e in found.edits] == [("b", "更新")] and found.missing[0].entry.id == "a"
    assert "有几条都是这个问题，请填编号：a、b" in said(planned("k.csv", csv("问题,答案", "问,答"), known(old, new)))[0]


def test_a_new_row_takes_what_the_file_says_for_all_and_finds_its_file_by_topic() -> None:
    top = {"faq/a.yaml": replace(TOP, topic="休假", owner="休假组"), "faq/b.yaml": replace(TOP, topic="薪酬")}
    (edit,) = planned("k.csv", csv("编号,问题,答案,主题,负责人", ",甲,答,休假,"), [], top).edits
    assert edit.file == "faq/a.yaml" and not edit.entry.id_given
    assert (edit.entry.topic, edit.entry.owner) == ("休假", "休假组")


@pytest.mark.parametrize(
    "written", ["faq/leave.yaml", "leave", "Leave.yaml", "faq\\leave.yaml", "./faq/leave", "knowledge/faq/leave.yaml"]
)
def test_a_file_may_be_named_in_several_ways(written: str) -> None:
    present = known(Entry("a", "甲", "答"), file="faq/leave.yaml")
    assert nothing_to_do(planned("k.csv", csv("文件,编号,问题", f"{written},a,甲"), present), 1)


@pytest.mark.parametrize("written", ["faq/leav.yaml", "../etc/passwd", "faq/.hidden", "faq/a/b.yaml", "faq/a:b", "~x"])
def test_a_file_name_that_cannot_be_meant_is_a_problem(written: str) -> None:
    present = known(Entry("a", "甲", "答"), file="faq/leave.yaml")
    found = planned("k.csv", csv("文件,编号,问题", f"{written},a,甲"), present)
    assert not found.ok and said(found)[0].startswith("错误：第 2 行“文件”：")


def test_a_new_file_is_announced_and_an_entry_may_move() -> None:
    present = known(Entry("a", "甲", "答"), file="faq/leave.yaml")
    found = planned("k.csv", csv("文件,编号,问题", "sick,a,甲"), present)
    assert said(found) == ["提醒：第 2 行“文件”：没有 faq/sick.yaml 这个文件，会新建"]
    assert found.edits[0].file == "faq/sick.yaml" and found.edits[0].changes[0].before == "faq/leave.yaml"


def test_a_changed_id_and_an_unknown_related_entry_are_pointed_out() -> None:
    found = planned("k.csv", csv("编号,问题,答案,相关", "b,甲,答,x"), known(Entry("a", "甲", "答")))
    assert found.ok and any("问题和“a”一样，编号不同" in line for line in said(found))
    assert "提醒：第 2 行“相关”：没有编号是“x”的条目" in said(found)


# -- cells and words ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["2026-1-5", "2026/01/05", "2026.1.5", "2026年1月5日", "2026-01-05 00:00:00"])
def test_dates_are_read_as_people_write_them(text: str) -> None:
    assert parse_cell(ColumnKind.DATE, text) == date(2026, 1, 5)


@pytest.mark.parametrize(("text", "value"), [("是", True), ("TRUE", True), ("√", True), ("", False), ("否", False)])
def test_flags_are_read_as_people_write_them(text: str, value: bool) -> None:
    assert parse_cell(ColumnKind.FLAG, text) is value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ColumnKind.FLAG, "也许"),
        (ColumnKind.DATE, "46023"),
        (ColumnKind.VARIANTS, "上海 158 天"),
        (ColumnKind.VARIANTS, "【上海】\n【北京】\n1"),
        (ColumnKind.VARIANTS, "【上海】\n1\n【上海】\n2"),
        (ColumnKind.VARIANTS, "【】\n1"),
        (ColumnKind.VARIANTS, f"【{'长' * 201}】\n1"),
        (ColumnKind.ASK, f"{'长' * 201}\n问"),
    ],
)
def test_a_cell_that_cannot_be_read_says_so(kind: ColumnKind, text: str) -> None:
    with pytest.raises(CellError):
        parse_cell(kind, text)


def test_a_question_back_needs_no_name() -> None:
    assert parse_cell(ColumnKind.ASK, "您在哪里？") == FollowUp("情况", "您在哪里？")
    assert format_cell(ColumnKind.ASK, FollowUp("city", "您在哪里？")) == "city\n您在哪里？"


def test_the_report_shows_the_counts_and_where_a_text_changed() -> None:
    present = known(Entry("a", "甲", "长" * 100 + "5 天"), Entry("b", "乙", "答"), Entry("c", "丙", "答"))
    found = planned("k.csv", csv("编号,问题,答案", f"a,甲,{'长' * 100}7 天", ",丁,答", "c,丙,答"), present)
    assert list(summary_lines(found, delete_missing=False, written=False)) == [
        "新增 1 条，修改 1 条，没有变化 1 条，表里没有 1 条（保留不动）。",
        "新增 第 3 行 faq/a.yaml：丁",
        "修改 第 2 行 faq/a.yaml a",
        "    答案：…长长长长长长长长长长5 天 → …长长长长长长长长长长7 天",
        "表里没有 faq/a.yaml b：乙",
        "这是试看，什么都没有写。确认后加 --write；表里没有的条目要加 --delete-missing 才删除。",
    ]


def test_a_flood_of_problems_is_cut_short() -> None:
    found = planned("k.csv", csv("编号,问题,答案", *(f"n{i},," for i in range(1000))), known(FULL))
    assert len(said(found)) == 51 and said(found)[-1].startswith("……还有 ")


def many(size: int) -> Iterator[Entry]:
    for i in range(size):
        yield Entry(f"e{i}", f"第 {i} 个问题？", f"答案 {i}\n- 一\n- 二", also=(f"问法 {i}", f"说法 {i}"), topic="大")


def test_ten_thousand_rows_are_compared() -> None:
    present = known(*many(10_000))
    rows = table_rows(present)
    rows[5000][NAMES.index("答案")] = "新答案"
    found = planned("k.csv", write_table("k.csv", rows), present)
    assert found.unchanged == 9_999 and [e.entry.answer for e in found.edits] == ["新答案"]
