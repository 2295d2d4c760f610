"""The person's own table comes back with what became of each row, and can be brought in again as it is."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from faqbot.errors import FaqbotError
from faqbot.knowledge.spreadsheet import workbook
from faqbot.knowledge.spreadsheet.annotated import annotate_table
from faqbot.knowledge.spreadsheet.importer import import_table

FILES = {
    "faq/a.yaml": "- id: one\n  question: 甲？\n  answer: 一\n- id: two\n  question: 乙？\n  answer: 二\n".encode()
}
ROWS = [
    ["星野科技的问答", "", "", ""],
    ["编号", "问题", "答案", "备注"],
    ["one", "甲？", "改过的一", "我的备注"],
    ["two", "乙？", "二", ""],
    ["", "", "", ""],
    ["", "丙？", "三", ""],
    ["", "", "没有问题的答案", ""],
]
SAID = [
    ["", ""],
    ["结果", "建议"],
    ["会修改", ""],
    ["没有变化", ""],
    ["", ""],
    ["会新增", ""],
    ["有错误，没有导入", "“问题”：没有写问题"],
]


def xlsx(rows):
    book = Workbook()
    book.active.title = "我的表"
    for row in rows:
        book.active.append([text or None for text in row])
    book.active["C3"].comment = None
    book.active.column_dimensions["B"].width = 44
    other = book.create_sheet("别的")
    other["A1"] = "=1+1"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv(rows):
    return "".join(",".join(row) + "\r\n" for row in rows).encode("gb18030")


def cells(name, raw):
    if name.endswith("csv"):
        return workbook.read_records(raw)
    rows = load_workbook(io.BytesIO(raw))["我的表"].iter_rows(values_only=True)
    return [[str(value or "") for value in row] for row in rows]


@pytest.mark.parametrize(("name", "write"), [("k.xlsx", xlsx), ("k.csv", csv)])
def test_every_row_says_what_became_of_it(name, write):
    raw = write(ROWS)
    plan, _ = import_table(FILES, name, raw)
    back = annotate_table(name, raw, plan, written=True)
    found = cells(name, back)
    width = len(ROWS[0])
    assert [row[:width] for row in found] == ROWS
    assert [[*row[width:], "", ""][:2] for row in found] == SAID
    again, _ = import_table(FILES, name, back)
    assert [t.column for t in again.problems] == [t.column for t in plan.problems], "the two columns are no trouble"
    assert cells(name, annotate_table(name, back, again, written=False)) == found, "and are written over, not added to"


def test_what_was_written_is_told_as_done():
    raw = xlsx(ROWS[:6])
    plan, _ = import_table(FILES, "k.xlsx", raw)
    assert [row[4] for row in cells("k.xlsx", annotate_table("k.xlsx", raw, plan, written=True))][2:4] == [
        "已修改",
        "没有变化",
    ]


def test_the_rest_of_the_workbook_stays():
    raw = xlsx(ROWS)
    plan, _ = import_table(FILES, "k.xlsx", raw)
    book = load_workbook(io.BytesIO(annotate_table("k.xlsx", raw, plan, written=False)))
    assert book["别的"]["A1"].value == "=1+1" and book["我的表"].column_dimensions["B"].width == 44
    assert book["我的表"]["F7"].data_type == "s" and book["我的表"]["F7"].fill.fgColor.rgb.endswith("FFC7CE")


def test_what_is_said_of_a_cell_may_quote_signs_that_no_file_can_hold():
    raw = xlsx([["编号", "问题", "答案", "复核"], ["one", "甲？", "一", "_x0001_明年"]])
    plan, _ = import_table(FILES, "k.xlsx", raw)
    said = cells("k.xlsx", annotate_table("k.xlsx", raw, plan, written=False))
    assert said[1][4:] == ["有错误，没有导入", "“复核”：“_x0001_明年”不是日期，请写成 2026-12-31 这样"]


def test_a_file_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(workbook, "_MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(FaqbotError, match="解开以后太大"):
        import_table(FILES, "k.xlsx", xlsx(ROWS))


def repacked(raw, change, **written):
    """The workbook with the bytes of each part as `change` gives them, None leaving a part out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", **written) as new:
        for name in old.namelist():
            if (content := change(name, old.read(name))) is not None:
                new.writestr(name, content)
    return out.getvalue()


def test_a_sheet_of_too_many_cells_is_refused_however_small_the_file(monkeypatch):
    monkeypatch.setattr(workbook, "_MAX_CELLS", 16)
    # Tags lie across the pieces that are read.
    monkeypatch.setattr(workbook, "_CHUNK_BYTES", 7)
    assert import_table(FILES, "k.xlsx", xlsx(ROWS))[0].edits
    monkeypatch.setattr(workbook, "_MAX_CELLS", 15)
    with pytest.raises(FaqbotError, match="解开以后太大"):
        import_table(FILES, "k.xlsx", xlsx(ROWS))


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            lambda raw: raw.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"), id="locked"
        ),
        pytest.param(lambda raw: repacked(raw, lambda n, c: c, compression=zipfile.ZIP_LZMA)[:-900], id="cut"),
        pytest.param(lambda raw: raw[:300] + b"\xff" * 40 + raw[340:], id="damaged"),
        pytest.param(
            lambda raw: repacked(raw, lambda n, c: c.replace(b'r="2"', b'r="2" s="99"') if n == SHEET else c),
            id="style",
        ),
        pytest.param(
            lambda raw: repacked(raw, lambda n, c: re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", c, flags=re.S)),
            id="empty",
        ),
        pytest.param(
            lambda raw: repacked(raw, lambda n, c: c.replace(b' t="', b' s="77" t="') if n == SHEET else c), id="cells"
        ),
    ],
)
def test_a_damaged_workbook_is_said_plainly(raw):
    with pytest.raises(FaqbotError, match="Excel"):
        import_table(FILES, "k.xlsx", raw(xlsx(ROWS)))


def test_a_workbook_with_macros_comes_back_as_one():
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    macros = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    raw = repacked(xlsx(ROWS), lambda n, c: c.replace(kind, macros))
    plan, _ = import_table(FILES, "k.xlsm", raw)
    made = annotate_table("k.xlsm", raw, plan, written=False)
    assert macros in zipfile.ZipFile(io.BytesIO(made)).read("[Content_Types].xml")
    assert [row[4] for row in cells("k.xlsm", made)] == [said[0] for said in SAID]
