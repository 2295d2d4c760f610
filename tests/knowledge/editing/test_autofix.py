"""Corrections whose meaning is certain are made where they stand; every other byte stays, and nothing says less."""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from faqbot.cli import cli
from faqbot.knowledge.editing.autofix import Fix, fix
from faqbot.knowledge.entry_parser import parse_file
from faqbot.yamltext.encoding import detect_encoding
from faqbot.yamltext.key_names import ENTRY_KEYS, FILE_KEYS, PERIOD_KEYS, certain_key

NAME = "faq/leave.yaml"
GOOD = "- question: 年假\n  answer: 五天\n"
MIXED = (
    "# 说明：不动\r\n主题：休假   # 注：不动\r\nentries:\r\n\r\n"
    "  - question：年假\r\n    also:   [ 甲,甲 , 乙,]   # 列表\n\tanswer: |\r\n      问题：正文\r\n\t  Tab 正文\r\n"
    "    souce: '手册'   # 出处\r\n    related: [a]"
)


def fixed(text):
    raw, fixes = fix(text.encode(), NAME)
    return raw.decode(), [(f.line, f.before, f.after) for f in fixes]


def test_every_correction_names_its_file_line_before_and_after():
    raw, fixes = fix("- question：年假\n  anwser: 五天\n".encode(), NAME)
    assert raw == GOOD.encode()
    assert fixes == [
        Fix(NAME, 1, "- question：年假", "- question: 年假", fixes[0].reason),
        Fix(NAME, 2, "  anwser: 五天", "  answer: 五天", fixes[1].reason),
    ]
    assert "键写错了" in fixes[1].reason


def test_two_corrections_of_one_line_are_told_as_one():
    assert fixed("- quesiton：年假\n  answer: 五天\n") == (GOOD, [(1, "- quesiton：年假", "- question: 年假")])


def test_only_the_lines_in_question_change_whatever_the_line_ends():
    raw, fixes = fix(MIXED.encode(), NAME)
    before, after = MIXED.split("\n"), raw.decode().split("\n")
    assert len(before) == len(after)
    changed = {n for n, (a, b) in enumerate(zip(before, after, strict=True), 1) if a != b}
    assert changed == {f.line for f in fixes} == {2, 5, 6, 7, 9, 10}
    assert after[1] == "主题: 休假   # 注：不动\r"
    assert after[5] == "    also:   [ 甲 , 乙,]   # 列表"
    assert after[9] == "    source: '手册'   # 出处\r"
    assert fix(raw, NAME) == (raw, [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("also: [甲, 乙, 甲]", "also: [甲, 乙]"),
        ("also: [年假, 甲]", "also: [甲]"),
        ("also: [甲, 甲, 甲, 乙, 乙]", "also: [甲, 乙]"),
        ("not: [甲, '甲']", "not: [甲]"),
        ("also:\n    - 甲\n    - 甲 # 又一次\n    - 乙", "also:\n    - 甲\n    - 乙"),
        ("also: |\n    甲\n    乙\n    甲", "also: |\n    甲\n    乙"),
        ("also: [甲,\n    乙,\n    甲]", "also: [甲,\n    乙]"),
    ],
)
def test_a_wording_that_stands_twice_in_one_entry_goes_once(before, after):
    assert fixed(f"{GOOD}  {before}\n")[0] == f"{GOOD}  {after}\n"


def test_a_list_that_only_repeats_the_question_goes():
    assert fixed(f"{GOOD}  also: [年假]\n") == (GOOD, [(3, "  also: [年假]", "")])


def test_a_wording_in_two_entries_and_two_lists_stays():
    text = f"{GOOD}  also: [甲]\n  not: [甲]\n- question: 病假\n  answer: 三\n  also: [甲]\n"
    assert fixed(text) == (text, [])


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-16", "utf-8-sig"])
def test_a_file_in_another_encoding_becomes_utf8(encoding):
    text = GOOD.replace("\n", "\r\n") + "  source: 《员工手册》第 5 章——“假期”\r\n"
    raw, fixes = fix(text.encode(encoding), NAME)
    assert raw == text.encode() and [f.line for f in fixes] == [1]
    assert fix(raw, NAME) == (raw, [])


@pytest.mark.parametrize(
    "raw",
    [
        GOOD.encode()[:-2],
        (GOOD * 20).encode()[:-2],
        (GOOD * 20).encode()[:200] + b"\xb5" + (GOOD * 20).encode()[200:],
        (GOOD * 20).encode() + b"\xff\xfe",
        "- question: 請問年假有幾天呢\n  answer: 員工滿一年有七天\n".encode("big5"),
        "- question: 有給休暇は何日ですか\n".encode("shift-jis"),
        "- question: café crème\n  answer: déjà vu\n".encode("latin-1"),
        bytes(range(256)),
        GOOD.encode() + b"\0" * 99,
        GOOD.encode("utf-16-le"),
        GOOD.encode("utf-16")[:-1],
    ],
)
def test_bytes_that_may_be_something_else_are_left_alone(raw):
    assert detect_encoding(raw) == ""
    assert fix(raw, NAME) == (raw, [])


def test_other_files_are_only_brought_to_utf8():
    text = "robots：\n\tx: [甲, 甲]\nanwser: 1\n"
    assert fix(text.encode(), "automations.yaml") == (text.encode(), [])
    assert fix(text.encode("gbk") + "中文的说明文字\n".encode("gbk"), "automations.yaml")[0].startswith(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "  备注: 甲\n",  # a key of nobody's
        GOOD + "  note: 甲\n",  # near to `not`, but a word of its own
        GOOD + "  reviewer: 张三\n",  # near to `review`, and no date
        "- question: 年假\n  答按: 五天\n",  # `答案` or `答案按`
        GOOD + "  answr: 六天\n",  # there is an answer
        "- question: 年假\n  answer: 五天\n  answer: 六天\n",
        "- question: 年假\n  问法: [甲]\n  answer: 五天\n",
        GOOD + "  also: [甲，乙]\n",
        GOOD + "  valid: 2026年1月1日\n",
        GOOD + "  review: 2026/1/1\n",
        "- question: 年假\n  answer: 分机 #8001\n",
        '- question: "年假\n  answer: 五天\n',
        "question: 年假\nanswer: 五天\n",
        GOOD + "---\n" + GOOD,
        "",
        "# 无\n",
    ],
)
def test_what_may_mean_something_else_is_left_to_people(text):
    assert fixed(text) == (text, [])


@pytest.mark.parametrize(
    ("word", "allowed", "meant"),
    [
        ("anwser", ENTRY_KEYS, "answer"), ("Answer", ENTRY_KEYS, "answer"), ("ａｌｓｏ", ENTRY_KEYS, "also"),
        ("qestion", ENTRY_KEYS, "question"), ("relatd", ENTRY_KEYS, "related"), ("ID", ENTRY_KEYS, "id"),
        ("nto", ENTRY_KEYS, "not"), ("负责", ENTRY_KEYS, "负责人"), ("来原", ENTRY_KEYS, "来源"), ("相拟问",
         ENTRY_KEYS, "相似问"),
        ("部们", ENTRY_KEYS, "部门"), ("主提", ENTRY_KEYS, "主题"), ("entires", FILE_KEYS, "entries"), ("form",
         PERIOD_KEYS, "from"),
        ("util", PERIOD_KEYS, "until"), ("note", ENTRY_KEYS, ""), ("notes", ENTRY_KEYS, ""), ("title", ENTRY_KEYS, ""),
        ("标题", ENTRY_KEYS, ""), ("问法", ENTRY_KEYS, ""), ("备注", ENTRY_KEYS, ""), ("date", ENTRY_KEYS, ""), ("tip",
         ENTRY_KEYS, ""),
        ("a", ENTRY_KEYS, ""), ("", ENTRY_KEYS, ""), ("内容", ENTRY_KEYS, ""), ("anything else", ENTRY_KEYS, ""),
    ],
)  # fmt: skip
def test_a_key_is_put_right_only_if_one_can_be_meant(word, allowed, meant):
    assert certain_key(word, allowed) == meant


def test_every_allowed_key_is_itself():
    assert all(ENTRY_KEYS[certain_key(word, ENTRY_KEYS)] == meant for word, meant in ENTRY_KEYS.items())


SCRAPS = st.lists(
    st.sampled_from(
        ["- ", "-", "－", "•", "1. ", "\t", "　", " ", "  ", "问题", "quesiton", "answer", "awnser", "also", "答案",
        "topic", "：",
         ":", ": ", "年假", "**5**", "@", "|", "a: b", "#", '"', "'", "“", "”", "[甲, 甲]", "【甲】", "[", "]",
         "{从：2026-01-01}",
         "有效期", "\n", "\r\n", "\n  ", "\n    ", "\n- 问题: 年假\n  答案: 五天\n", "\u200b", "\ufeff"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(SCRAPS)
def test_corrections_never_make_it_worse_and_leave_nothing_for_a_second_time(text):
    raw = text.encode()
    before = parse_file(NAME, raw)
    after, fixes = fix(raw, NAME)
    now = parse_file(NAME, after)
    assert bool(fixes) is (after != raw)
    assert fix(after, NAME) == (after, [])
    if before.ok:
        said = [(e.question, e.answer, e.also, e.topic, e.valid, e.id) for e in before.entries]
        assert now.ok and said == [(e.question, e.answer, e.also, e.topic, e.valid, e.id) for e in now.entries]


@given(st.binary(max_size=80))
def test_no_bytes_make_it_fail(raw):
    after, _ = fix(raw, NAME)
    assert fix(after, NAME) == (after, [])


# -- faqbot check --fix ----------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "knowledge" / "faq").mkdir(parents=True)
    return tmp_path / "knowledge"


def check(*arguments):
    return CliRunner().invoke(cli, ["check", *arguments])


def test_check_puts_right_what_is_certain_shows_it_and_reports_what_is_left(folder):
    path = folder / NAME
    path.write_text("- question：年假\n  anwser: 五天\n  备注: 甲\n", encoding="utf-8")
    os.chmod(path, 0o640)
    done = check("--fix")
    assert path.read_text(encoding="utf-8") == GOOD + "  备注: 甲\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert "knowledge/faq/leave.yaml:1: 已改" in done.stdout and "原来：anwser: 五天" in done.stdout
    assert "现在：answer: 五天" in done.stdout
    assert "knowledge/faq/leave.yaml:3: 错误：不认识的键“备注”" in done.stdout
    assert done.exit_code == 1 and "改了 2 处" in done.stderr
    assert [p.name for p in path.parent.iterdir()] == ["leave.yaml"]


def test_check_without_fix_changes_nothing_and_with_it_a_second_time_neither(folder):
    path = folder / NAME
    text = "- question：年假\n  answer: 五天\n"
    path.write_text(text, encoding="utf-8")
    assert check().exit_code == 0 and path.read_text(encoding="utf-8") == text
    assert check("--fix").exit_code == 0
    inode = path.stat().st_ino
    assert check("--fix").exit_code == 0 and path.stat().st_ino == inode


def test_a_gbk_file_is_live_after_check_fix(folder):
    (folder / NAME).write_bytes((GOOD + "  source: 员工手册\n").encode("gbk"))
    done = check("--fix", str(folder))
    assert done.exit_code == 0 and "GBK 编码" in done.stdout
    assert (folder / NAME).read_bytes() == (GOOD + "  source: 员工手册\n").encode()


def test_a_read_only_file_is_said_and_the_others_are_put_right(folder):
    for name in (NAME, "faq/other.yaml"):
        (folder / name).write_text("- question：年假\n  answer: 五天\n", encoding="utf-8")
    os.chmod(folder / NAME, 0o444)
    done = check("--fix")
    assert done.exit_code == 2 and "faq/leave.yaml 是只读的" in done.stderr
    assert "question：" in (folder / NAME).read_text(encoding="utf-8")
    assert "question: " in (folder / "faq/other.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("style", ["json", "github"])
def test_what_was_put_right_does_not_disturb_a_script(folder, style):
    (folder / NAME).write_text("- question：年假\n  answer: 五天\n", encoding="utf-8")
    done = check("--fix", "--format", style)
    assert done.stdout.strip() in ("", "[]") and "已改" in done.stderr
