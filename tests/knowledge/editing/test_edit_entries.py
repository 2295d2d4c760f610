"""Whole entries are added, removed and restored, and what cannot be done without harm is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.errors import EditError
from faqbot.knowledge.editing.entry_fields import EntryFields, entry_to_fields, normalized_fields
from faqbot.knowledge.entry_parser import parse_file
from tests.knowledge.editing.on_bytes import (
    add_entry,
    add_wording,
    change_entry,
    entry_text,
    remove_entry,
    restore_entry,
)
from tests.knowledge.editing.styles import (
    IN_LINES,
    STYLED,
    b,
    changed,
    differences,
    drafts,
    entries,
    one,
    others_unchanged,
)

SAMPLES = sorted((Path(__file__).parents[3] / "knowledge" / "faq").glob("*.yaml"))
SAMPLE_ENTRIES = [(path, entry.id) for path in SAMPLES for entry in parse_file("", path.read_bytes()).entries]


# -- the sample files ------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "entry_id"), SAMPLE_ENTRIES, ids=[i for _, i in SAMPLE_ENTRIES])
def test_one_more_wording_is_one_line_in_every_sample_entry(path, entry_id):
    raw = path.read_bytes()
    gone, come = differences(raw, add_wording(raw, entry_id, "全新的问法，怎么写？"))
    assert len(gone) == len(come) == 1 and "全新的问法" in come[0]
    gone, come = differences(raw, add_wording(raw, entry_id, "全新的问法", "not_"))
    assert len(gone) <= 1 and len(come) == 1


@pytest.mark.parametrize(("path", "entry_id"), SAMPLE_ENTRIES, ids=[i for _, i in SAMPLE_ENTRIES])
def test_every_sample_entry_can_be_removed_and_restored(path, entry_id):
    raw = path.read_bytes()
    text = entry_text(raw, entry_id)
    gone = remove_entry(raw, entry_id)
    assert entry_id not in entries(gone) and gone in {
        raw.replace(b(text + "\n"), b""),
        raw.replace(b("\n" + text), b""),
    }
    others_unchanged(raw, restore_entry(gone, text), entry_id)
    assert entry_text(restore_entry(gone, text), entry_id) == text
    other = changed(raw, entry_id, question="别的问题", source="x", also=())
    assert restore_entry(other, text) == raw


# -- adding, removing, restoring -------------------------------------------------------------------

NEW = EntryFields(question="丁？", answer="一\n二", also=("六",), topic="休假")
ADDED = {
    "english": "\n  - question: 丁？\n    also: [六]\n    answer: |\n      一\n      二\n",
    "chinese": "- 问: 丁？\n  相似问: [六]\n  答: |\n    一\n    二\n",
    "bare list, deep indent": (
        "-   question: 丁？\n    also: [六]\n    answer: |\n      一\n      二\n    topic: 休假\n"
    ),
    "slips": "  - 问题: 丁？\n    也问: [六]\n    答案: |\n      一\n      二\n",
    "one line each": "  - question: 丁？\n    also: [六]\n    answer: |\n      一\n      二\n    topic: 休假\n",
    "carriage returns": "\r\n  - question: 丁？\r\n    also: [六]\r\n    answer: |\r\n      一\r\n      二\r\n",
    "no final line end": "\n-   question: 丁？\n    also: [六]\n    answer: |\n      一\n      二\n    topic: 休假",
}


@pytest.mark.parametrize("style", ADDED)
def test_a_new_entry_is_written_like_the_others_behind_the_last_one(style):
    raw, added = STYLED[style], ADDED[style].encode()
    after = add_entry(raw, NEW)
    assert added in after and after.replace(added, b"", 1) == raw
    assert after.index(added) > raw.index(b("丙答"))


@pytest.mark.parametrize(
    ("raw", "after"),
    [
        (None, "topic: 休假\nentries:\n  - question: 丁？\n    answer: 答\n"),
        ("", "entries:\n  - question: 丁？\n    answer: 答\n    topic: 休假\n"),
        ("# 说明", "# 说明\nentries:\n  - question: 丁？\n    answer: 答\n    topic: 休假"),
        ("# 说明\n", "# 说明\nentries:\n  - question: 丁？\n    answer: 答\n    topic: 休假\n"),
        ("topic: 休假\nentries:\n", "topic: 休假\nentries:\n  - question: 丁？\n    answer: 答\n"),
        ("主题: 休假\n条目: []  # 无\n", "主题: 休假\n条目:  # 无\n  - 问题: 丁？\n    答案: 答\n"),
        ("[]\n", "- question: 丁？\n  answer: 答\n  topic: 休假\n\n"),
        ("entries:\ntopic: 休假\n", "entries:\n  - question: 丁？\n    answer: 答\ntopic: 休假\n"),
        ("entries:\n-\n", "entries:\n-\n- question: 丁？\n  answer: 答\n  topic: 休假\n"),
    ],
)
def test_a_first_entry_finds_its_place(raw, after):
    made = add_entry(raw if raw is None else raw.encode(), EntryFields(question="丁？", answer="答"), topic="休假")
    assert made.decode() == after
    assert restore_entry(made, entry_text(made, "丁")) == made


def test_what_a_new_entry_leaves_empty_is_as_the_top_of_the_file_says():
    raw = b("source: 手册\ngroups: [cid1]\nprivate: true\nentries:\n- question: 甲\n  answer: 答\n")
    after = add_entry(raw, EntryFields(question="丁", answer="答", source="手册"))
    assert after == raw + b("\n- question: 丁\n  answer: 答\n")
    assert one(after, "丁").private and one(after, "丁").groups == ("cid1",)


COMMENTS = """\
# 文件的说明
entries:
  # 甲的说明
  # 两行
  - id: a
    question: 甲
    answer: 答

  # ---- 第二部分 ----
  - id: b
    question: 乙
    answer: 答
    # 乙的尾注

  # 丙的说明
  - id: c
    question: 丙
    answer: 答
# 完
"""


@pytest.mark.parametrize(
    ("entry_id", "gone"),
    [
        ("a", "  # 甲的说明\n  # 两行\n  - id: a\n    question: 甲\n    answer: 答\n\n"),
        ("b", "  - id: b\n    question: 乙\n    answer: 答\n    # 乙的尾注\n\n"),
        ("c", "\n  # 丙的说明\n  - id: c\n    question: 丙\n    answer: 答\n"),
    ],
)
def test_an_entry_goes_with_the_comment_that_is_clearly_its_own(entry_id, gone):
    raw = b(COMMENTS)
    assert gone in COMMENTS
    assert remove_entry(raw, entry_id).decode() == COMMENTS.replace(gone, "")
    assert entry_text(raw, entry_id) == gone.strip("\n") + "\n"


def test_the_comment_at_the_top_of_a_bare_list_is_the_files():
    raw = b("# 假期：由休假组维护\n- question: 甲\n  answer: 答\n- question: 乙\n  answer: 答\n")
    assert remove_entry(raw, "甲") == b("# 假期：由休假组维护\n- question: 乙\n  answer: 答\n")


def test_the_only_entry_below_three_dashes_can_go_and_come_back():
    raw = b"---\n- question: a\n  answer: b\n"
    gone = remove_entry(raw, "a")
    assert gone == b"---\n" and parse_file("", gone).problems == ()
    assert add_entry(gone, EntryFields(question="a", answer="b")) == raw


def test_the_last_entry_of_a_file_can_go_and_come_back():
    raw = b("# 说明\ntopic: 休假\nentries:\n  - question: 甲\n    answer: 答\n")
    gone = remove_entry(raw, "甲")
    assert gone == b("# 说明\ntopic: 休假\nentries:\n")
    assert restore_entry(gone, entry_text(raw, "甲")) == raw
    assert entries(restore_entry(None, entry_text(raw, "甲"))).keys() == {"甲"}


VERSIONS = """\
- 问题: 基数
  答案: 旧
  有效期: {到: 2026-06-30}
- 问题: 基数
  答案: 新
  有效期: {从: 2026-07-01}
- 问题: 基数！
  答案: 别的
"""


@pytest.mark.parametrize("entry_id", ["基数", "基数@2026-07-01", "基数-2"])
@pytest.mark.parametrize("named", [True, False])
def test_restoring_an_entry_without_a_written_id_overwrites_no_other(entry_id, named):
    raw = b(VERSIONS)
    text, given = entry_text(raw, entry_id), {"entry_id": entry_id} if named else {}
    assert restore_entry(changed(raw, entry_id, answer="改"), text, **given) == raw or not named
    back = restore_entry(remove_entry(raw, entry_id), text, **given)
    answers = {e.answer for e in entries(back).values()}
    assert answers == {"旧", "新", "别的"}
    if named:
        assert {i: e.answer for i, e in entries(back).items()} == {i: e.answer for i, e in entries(raw).items()}


def test_a_named_entry_is_restored_although_its_question_and_period_changed():
    raw = b(VERSIONS)
    text = entry_text(raw, "基数@2026-07-01")
    other = changed(raw, "基数@2026-07-01", question="缴存基数", valid_from="2026-08-01", answer="再改")
    assert entries(restore_entry(other, text, entry_id="基数@2026-07-01")).keys() == entries(raw).keys()


@pytest.mark.parametrize("name", IN_LINES)
@pytest.mark.parametrize("source", IN_LINES)
def test_an_entry_can_be_restored_into_a_file_of_another_style(name, source):
    text = entry_text(STYLED[source], "b")
    after = restore_entry(STYLED[name], text)
    others_unchanged(STYLED[name], after)
    old, new = one(STYLED[source], "b"), one(after, "b")
    assert (new.question, new.answer, new.also, new.variants) == (old.question, old.answer, old.also, old.variants)
    assert restore_entry(after, entry_text(STYLED[name], "b")) == STYLED[name] or name in ("slips", "mixed line ends")


def test_a_wording_that_is_there_already_changes_nothing():
    raw = STYLED["english"]
    assert add_wording(raw, "b", " 三 ") == raw == add_wording(raw, "b", "乙？")
    with pytest.raises(EditError, match="问法是空的"):
        add_wording(raw, "b", "  ")


@given(st.sampled_from(sorted(IN_LINES)), drafts())
def test_any_draft_can_be_added_and_all_bytes_before_stay(style, draft):
    raw = STYLED[style]
    after = add_entry(raw, replace(draft, id="新"))
    others_unchanged(raw, after, "新")
    shared_private = style == "lists over lines"
    assert entry_to_fields(one(after, "新")) == replace(
        normalized_fields(draft),
        id="新",
        **{f: getattr(normalized_fields(draft), f) or getattr(one(after, "新"), f) for f in ("topic", "owner")},
        private=draft.private or shared_private,
    )
    assert entries(remove_entry(after, "新")).keys() == entries(raw).keys()


@given(drafts())
def test_any_draft_makes_a_new_file(draft):
    raw = add_entry(None, draft)
    (entry,) = entries(raw).values()
    assert entry_to_fields(entry) == normalized_fields(draft)


# -- what is refused -------------------------------------------------------------------------------

FINE = "- id: b\n  question: 乙\n  answer: 答\n"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (FINE + "  anwser: x\n", "f.yaml:4：不认识的键“anwser”"),
        (FINE + FINE, "f.yaml:4：编号“b”重复"),
        (FINE + '- question: "丙\n', "f.yaml:4：引号没有写完"),
        (FINE + "---\n" + FINE, "f.yaml:4：文件中间出现了“---”"),
        (FINE.replace("乙", "&x 乙") + "- question: *x\n  answer: 答\n", "f.yaml:2用了 YAML 的引用"),
        (FINE + "  also: !x [丙]\n", "f.yaml:4用了 YAML 的引用"),
        (FINE.encode("gbk"), "f.yaml:2：文件不是 UTF-8"),
    ],
)
def test_a_file_with_errors_or_references_is_not_edited(text, part):
    raw = text if isinstance(text, bytes) else text.encode()
    draft = EntryFields(question="丁", answer="答")
    for edit in (
        lambda: change_entry(raw, "b", draft, name="f.yaml"),
        lambda: add_wording(raw, "b", "丁", name="f.yaml"),
        lambda: add_entry(raw, draft, name="f.yaml"),
        lambda: remove_entry(raw, "b", name="f.yaml"),
        lambda: entry_text(raw, "b", name="f.yaml"),
        lambda: restore_entry(raw, FINE, name="f.yaml"),
    ):
        with pytest.raises(EditError, match=part):
            edit()


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"question": " "}, "问题不能为空"),
        ({"answer": "\n"}, "答案不能为空"),
        ({"valid_from": "明年"}, "有效期开始“明年”不是日期"),
        ({"review": "2026-02-30"}, "复核日期“2026-02-30”不是日期"),
        ({"valid_from": "2026-12-31", "valid_until": "2026-01-01"}, "晚于结束"),
        ({"owner": "半个\ud83d"}, "半个表情"),
    ],
)
def test_a_draft_that_no_file_can_hold_is_refused_with_the_reason(fields, part):
    with pytest.raises(EditError, match=part):
        changed(b(FINE), "b", **fields)


def test_an_unknown_id_is_refused():
    with pytest.raises(EditError, match="找不到编号是“x”的条目"):
        add_wording(b(FINE), "x", "丁")


def test_entries_in_square_brackets_are_changed_but_neither_added_nor_removed():
    raw = STYLED["json"]
    for edit in (
        lambda: add_entry(raw, NEW),
        lambda: remove_entry(raw, "b"),
        lambda: restore_entry(raw, FINE),
    ):
        with pytest.raises(EditError, match="方括号"):
            edit()
    assert entry_text(raw, "b") == raw.decode().split("\n")[1] + "\n"


@pytest.mark.parametrize("text", ["", "年假", "- question: 乙\n", FINE + FINE.replace("b", "c"), "- id: b\n answer"])
def test_a_text_that_is_not_one_entry_is_not_restored(text):
    with pytest.raises(EditError, match="不是完整的一条"):
        restore_entry(b(FINE), text)
