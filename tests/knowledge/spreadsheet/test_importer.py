"""A table brought into the files: what was asked is there afterwards, every other byte stays, or nothing happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.spreadsheet.columns import COLUMNS
from faqbot.knowledge.spreadsheet.comparison import ImportPlan, KnownEntry, known_entries, table_rows
from faqbot.knowledge.spreadsheet.files import PlaceError, export_table, write_folder
from faqbot.knowledge.spreadsheet.importer import import_table
from faqbot.knowledge.spreadsheet.workbook import write_table
from faqbot.model.entries import Entry, FollowUp, Place
from tests.conftest import SAMPLE
from tests.knowledge.spreadsheet.test_comparison import FULL, csv, entries, is_refused, known, said

NAMES = [c.name for c in COLUMNS]
LEAVE = """\
# 假期：由休假组维护
topic: 休假
owner: 休假组   # 找小王
private: true
entries:
  - id: annual   # 常问
    question: 年假有几天？
    also: [年假天数, "一年几天"]
    answer: |
      **5 天**
      - 看工龄

  # 病假的说明
  - question: 病假怎么请？
    answer: '打电话'

  - id: city
    question: 产假多少天？
    ask: {city: 您在哪个城市？}
    answers:
      上海: 158 天。
      else: 问休假组。
"""
FILES = {"faq/leave.yaml": LEAVE.encode(), "facts.yaml": b"a: 1\n"}


def brought(files: Mapping[str, bytes], *lines: str, delete: bool = False) -> tuple[ImportPlan, dict[str, bytes]]:
    return import_table(files, "k.csv", csv(*lines), delete_missing=delete)


def bare(entry: Entry) -> Entry:
    return replace(entry, place=Place("", 0), id_given=True)


def by_id(files: Mapping[str, bytes]) -> dict[str, Entry]:
    found, problems = known_entries(files)
    assert not problems
    return {k.entry.id: k.entry for k in found}


def table(name: str, files: Mapping[str, bytes]) -> bytes:
    return write_table(name, table_rows(known_entries(files)[0]))


@pytest.mark.parametrize("name", ["k.xlsx", "k.csv"])
def test_an_export_changes_not_a_byte_when_it_comes_back(name: str) -> None:
    for files in (FILES, FolderSource(SAMPLE).read_now()):
        plan, after = import_table(files, name, table(name, files), delete_missing=True)
        assert plan == ImportPlan(unchanged=len(known_entries(files)[0])) and after == files


@pytest.mark.parametrize("name", ["k.xlsx", "k.csv"])
def test_the_sample_knowledge_can_be_made_again_from_its_table(name: str) -> None:
    files = FolderSource(SAMPLE).read_now()
    plan, after = import_table({}, name, table(name, files))
    assert plan.ok and sorted(after) == sorted(n for n in files if n.startswith("faq/"))
    assert {i: bare(e) for i, e in by_id(after).items()} == {i: bare(e) for i, e in by_id(files).items()}


def test_only_the_changed_line_changes() -> None:
    plan, after = brought(FILES, "编号,问题,也问", 'annual,年假几天？,"年假天数\n一年几天\n休几天"')
    assert plan.ok
    expected = LEAVE.replace("年假有几天？", "年假几天？").replace('"一年几天"]', '"一年几天", 休几天]')
    assert after == FILES | {"faq/leave.yaml": expected.encode()}


def test_line_ends_and_the_mark_at_the_start_stay() -> None:
    raw = b"\xef\xbb\xbf" + LEAVE.replace("\n", "\r\n").encode()
    _, after = brought({"faq/leave.yaml": raw}, "编号,来源", "annual,《手册》")
    expected = raw.replace(
        b"      - \xe7\x9c\x8b\xe5\xb7\xa5\xe9\xbe\x84\r\n", "      - 看工龄\r\n    source: 《手册》\r\n".encode()
    )
    assert after["faq/leave.yaml"] == expected


def test_what_stands_at_the_top_is_shown_and_not_written_again() -> None:
    files = dict(FILES)
    row = dict(zip(NAMES, table_rows(known_entries(files)[0])[0], strict=True))
    assert (row["主题"], row["负责人"], row["私聊"], row["文件"]) == ("休假", "休假组", "是", "faq/leave.yaml")
    _, after = brought(files, "编号,问题,答案,主题,负责人,私聊,草稿", "new,事假？,找上级,休假,小李,,是")
    assert after["faq/leave.yaml"].decode() == LEAVE + (
        "\n  - id: new\n    question: 事假？\n    answer: 找上级\n    owner: 小李\n    draft: true\n"
    )


def test_what_a_row_leaves_blank_is_what_the_top_says() -> None:
    files = {"faq/leave.yaml": LEAVE.replace("    answer: '打电话'", "    owner: 小李\n    answer: '打电话'").encode()}
    plan, after = brought(files, "编号,负责人,私聊,主题", "annual,,否,", "病假怎么请,,,")
    assert [(c.column, c.before, c.after) for e in plan.edits for c in e.changes] == [
        ("私聊", "是", ""),
        ("负责人", "小李", "休假组"),
    ]
    assert after["faq/leave.yaml"].decode() == LEAVE.replace("看工龄\n", "看工龄\n    private: false\n")


def test_a_table_brought_in_twice_changes_nothing_the_second_time() -> None:
    lines = (
        "文件,编号,问题,答案,主题,负责人,来源,私聊,追问,答案按",
        "leave,,事假？,找上级,,,,,,",
        'sick,x,年假？,,,,,,哪,"【甲】\n一"',
    )
    plan, once = brought(FILES, *lines)
    assert plan.ok and len(plan.new) == 2
    plan, twice = brought(once, *lines)
    assert plan.unchanged == 2 and not plan.edits and twice == once


def test_an_entry_keeps_the_id_that_was_made_from_its_question() -> None:
    plan, after = brought(FILES, "编号,问题", "病假怎么请,生病了怎么请假？")
    assert plan.ok and by_id(after)["病假怎么请"].question == "生病了怎么请假？"
    assert "    answer: '打电话'\n" in after["faq/leave.yaml"].decode()


def test_a_new_entry_never_takes_the_id_of_another() -> None:
    files = FILES | {"faq/b.yaml": "- question: 事假？\n  answer: 一\n".encode()}
    before = by_id(files)["事假"]
    plan, after = brought(files, "文件,编号,问题,答案,有效期从", "b,事假,事假？,一,", "leave,,事假？,二,2030-01-01")
    assert plan.ok and bare(by_id(after)["事假"]) == bare(before)
    assert sorted(e.answer for e in by_id(after).values() if e.question == "事假？") == ["一", "二"]


@pytest.mark.parametrize(
    ("cell", "variants"),
    [
        ("【上海】\n128 天。\n【其他】\n问休假组。", {"上海": "128 天。", "else": "问休假组。"}),
        ("【北京】\n一\n\n- 二\n【是】\n9:30", {"北京": "一\n\n- 二", "是": "9:30"}),
    ],
)
def test_the_answers_of_a_question_back_can_be_changed(cell: str, variants: dict[str, str]) -> None:
    plan, after = brought(FILES, "编号,答案按", f'city,"{cell}"')
    assert plan.ok and by_id(after)["city"].variants == variants
    assert after["faq/leave.yaml"].decode().startswith(LEAVE[: LEAVE.index("    answers:")])


def test_a_question_back_may_come_and_go() -> None:
    lines = ("编号,答案,追问,答案按", 'annual,,"age\n工龄几年？","【十年】\n10 天"', "city,158 天,,")
    plan, after = brought(FILES, *lines)
    found = by_id(after)
    assert plan.ok and found["annual"].ask == FollowUp("age", "工龄几年？")
    assert found["annual"].variants == {"十年": "10 天"} and found["annual"].answer == ""
    assert (found["city"].answer, found["city"].ask, found["city"].variants) == ("158 天", None, {})


def test_a_question_back_is_written_in_braces_too() -> None:
    text = "- {编号: a, 问题: 问, 答案: 答}\n- {编号: b, 问题: 二, 追问: {k: 哪}, 答案按: {甲: 一}}\n"
    files = {"faq/a.yaml": text.encode()}
    lines = ("编号,答案,追问,答案按", 'a,,哪里？,"【甲】\n一，二\n三"', 'b,,"k\n哪里？","【甲】\n二"')
    plan, after = brought(files, *lines)
    assert said(plan) == []
    assert by_id(after)["a"].variants == {"甲": "一，二\n三"} and by_id(after)["b"].variants == {"甲": "二"}
    assert by_id(after)["b"].ask == FollowUp("k", "哪里？")


def test_missing_entries_stay_unless_they_are_to_go_with_their_comments() -> None:
    plan, after = brought(FILES, "编号,问题", "annual,年假有几天？", "city,产假多少天？")
    assert [k.entry.id for k in plan.missing] == ["病假怎么请"] and after == FILES
    _, after = brought(FILES, "编号,问题", "annual,年假有几天？", "city,产假多少天？", delete=True)
    start, end = LEAVE.index("  # 病假的说明"), LEAVE.index("  - id: city")
    assert after["faq/leave.yaml"].decode() == LEAVE[:start] + LEAVE[end:]
    _, after = brought(FILES, "编号,问题", "annual,年假有几天？", delete=True)
    assert after["faq/leave.yaml"].decode() == LEAVE[:start].rstrip() + "\n"


def test_all_entries_of_a_file_may_go_and_new_ones_come() -> None:
    files = FILES | {"faq/b.yaml": "- question: 事假？\n  answer: 一\n".encode()}
    _, after = brought(files, "文件,编号,问题,答案", "leave,n,新的？,答", "b,事假,事假？,一", delete=True)
    assert list(by_id(after)) == ["事假", "n"]
    assert after["faq/leave.yaml"].decode().startswith("# 假期：由休假组维护\ntopic: 休假\n")


def test_an_entry_moves_to_another_file_whole() -> None:
    before = by_id(FILES)
    plan, after = brought(FILES, "文件,编号", "sick,病假怎么请", "sick,city", "leave,annual")
    assert plan.ok and {i: bare(e) for i, e in by_id(after).items()} == {i: bare(e) for i, e in before.items()}
    assert set(after) == {*FILES, "faq/sick.yaml"}
    assert (
        after["faq/sick.yaml"].decode().startswith("topic: 休假\nowner: 休假组\nentries:\n  - question: 病假怎么请？\n")
    )


def test_nothing_happens_when_any_row_has_a_problem() -> None:
    plan, after = brought(FILES, "编号,问题", "annual,新的问法", "city,")
    assert not plan.ok and after == FILES


def test_a_file_with_errors_is_not_touched_and_named() -> None:
    files = FILES | {"faq/bad.yaml": b"- question: a\n  anwser: b\n"}
    plan, after = brought(files, "文件,编号,问题,答案", "bad,x,问,答")
    assert after == files and "faq/bad.yaml 里有错误，请先改好" in said(plan)[0]
    plan, after = brought(files, "编号,问题", "annual,别的问法")
    assert plan.ok and after != files


def test_a_file_that_cannot_be_edited_says_why() -> None:
    files = {"faq/a.yaml": "entries: [{id: a, question: 甲, answer: 一}, {id: b, question: 乙, answer: 二}]\n".encode()}
    plan, after = brought(files, "编号", "a", delete=True)
    assert after == files and "方括号" in said(plan)[0]
    plan, after = brought(files, "编号,答案", "a,新")
    assert plan.ok and by_id(after)["a"].answer == "新"


def test_limits_at_the_top_cannot_be_lifted_for_one_entry() -> None:
    files = FILES | {"faq/a.yaml": "groups: [cid]\nentries:\n  - {id: a, question: 甲, answer: 一}\n".encode()}
    plan, after = brought(files, "编号,群", "a,")
    assert plan.ok and after == files
    plan, after = brought(files, "文件,编号", "a,annual")
    assert after == files and said(plan) == [
        "错误：第 2 行“群”：写在 faq/a.yaml 开头，对所有条目有效，不能只为这一条取消"
    ]


@given(st.lists(entries, min_size=1, max_size=4, unique_by=lambda e: e.id))
def test_whatever_an_entry_says_can_be_written_and_read_again(found: list[Entry]) -> None:
    rows = table_rows(known(*found))
    plan, after = import_table({}, "k.csv", write_table("k.csv", rows))
    if is_refused(rows):
        return
    assert said(plan) == [] or all(line.startswith("提醒") for line in said(plan))
    assert [bare(k.entry) for k in known_entries(after)[0]] == [bare(e) for e in found]
    again, same = import_table(after, "k.xlsx", write_table("k.xlsx", rows))
    assert again == ImportPlan(unchanged=len(found)) and same == after


TOP = {"topic": "顶", "owner": "", "source": "顶", "private": True, "review": date(2026, 1, 1)}
HEAD = "topic: 顶\nsource: 顶   # 依据\nprivate: true\nreview: 2026-01-01\n".encode()


@given(st.lists(entries, min_size=2, max_size=2), st.booleans())
def test_any_entry_can_become_any_other(found: list[Entry], has_top: bool) -> None:
    old, new = (replace(e, id="x") for e in found)
    _, files = import_table(
        {}, "k.csv", write_table("k.csv", table_rows(known(replace(old, topic="甲"), replace(FULL, id="y"))))
    )
    rows = table_rows(known(new))
    if not files or is_refused(rows):
        return
    wanted = new
    if has_top and files["faq/a.yaml"].startswith(b"entries:"):
        files["faq/a.yaml"] = HEAD + files["faq/a.yaml"]
        wanted = replace(new, **{key: value for key, value in TOP.items() if not getattr(new, key)})
    plan, after = import_table(files, "k.csv", write_table("k.csv", rows))
    assert plan.ok, said(plan)
    assert bare(by_id(after)["x"]) == bare(wanted) and bare(by_id(after)["y"]) == bare(by_id(files)["y"])


def test_ten_thousand_rows_are_written() -> None:
    entries = "".join(f"- id: e{i}\n  question: 第 {i} 个问题？\n  answer: 答 {i}\n" for i in range(5_000))
    files = {"faq/a.yaml": entries.encode()}
    lines = [f"e{i},第 {i} 个问题？,新 {i}" for i in range(10_000)]
    plan, after = brought(files, "编号,问题,答案", *lines)
    assert len(plan.changed) == 5_000 and len(plan.new) == 5_000
    assert [k.entry.answer for k in known_entries(after)[0]] == [f"新 {i}" for i in range(10_000)]


# -- on disk -----------------------------------------------------------------------------------


def test_a_folder_must_be_empty_and_names_stay_inside(tmp_path: Path) -> None:
    write_folder(FILES, tmp_path / "new" / "k")
    assert FolderSource(tmp_path / "new" / "k").read_now() == FILES
    with pytest.raises(PlaceError, match="不是空目录"):
        write_folder(FILES, tmp_path / "new" / "k")
    for name in ("../x", "/etc/x", "faq/../../x", "..\\x"):
        with pytest.raises(PlaceError, match="不在知识目录里"):
            write_folder({name: b""}, tmp_path / "other")


def test_what_excel_cannot_hold_is_not_exported_to_it(tmp_path: Path) -> None:
    files = {"faq/a.yaml": f"- question: 问\n  answer: {'长' * 40_000}\n".encode()}
    problems, _ = export_table(files, tmp_path / "k.xlsx", force=False, progress=lambda part: None)
    assert "faq/a.yaml:1: 错误：“答案”超过 32767 字" in problems[0] and not (tmp_path / "k.xlsx").exists()
    assert export_table(files, tmp_path / "k.csv", force=False, progress=lambda part: None) == ([], 1)
    assert import_table(files, "k.csv", (tmp_path / "k.csv").read_bytes())[0] == ImportPlan(unchanged=1)


def test_ids_are_the_ones_of_the_whole_knowledge() -> None:
    files = {f"faq/{n}.yaml": "- question: 同样的？\n  answer: 答\n".encode() for n in "ab"}
    found: list[KnownEntry] = known_entries(files)[0]
    assert [(k.entry.id, k.local_id) for k in found] == [("同样的", "同样的"), ("同样的-2", "同样的")]
    plan, after = brought(files, "编号,答案", "同样的-2,新")
    assert plan.ok and {i: e.answer for i, e in by_id(after).items()} == {"同样的": "答", "同样的-2": "新"}
