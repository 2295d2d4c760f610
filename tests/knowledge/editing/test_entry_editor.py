"""One entry is changed in the text HR wrote; every byte that is not about the change stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.errors import EditError
from faqbot.knowledge.editing.entry_fields import EntryFields, entry_to_fields, normalized_fields
from tests.knowledge.editing.on_bytes import add_entry, add_wording, change_entry, remove_entry
from tests.knowledge.editing.styles import (
    STYLED,
    b,
    changed,
    differences,
    drafts,
    entries,
    one,
    others_unchanged,
    outside,
)

every_style = pytest.mark.parametrize("raw", STYLED.values(), ids=STYLED)


# -- changing --------------------------------------------------------------------------------------


@every_style
def test_a_draft_that_changes_nothing_changes_no_byte(raw):
    for entry_id, entry in entries(raw).items():
        assert change_entry(raw, entry_id, entry_to_fields(entry)) == raw


@every_style
@pytest.mark.parametrize(
    "fields",
    [
        {"question": "乙是什么？"},
        {"answer": "新的答案"},
        {"answer": "第一行\n\n  缩进\n- 列表 # 不是注释\n问题：不是键"},
        {"also": ()},
        {"also": ("四", "三")},
        {"also": ("零", "三", "四")},
        {"also": ("四",)},
        {"also": ("三", "七", "四", "八")},
        {"not_": ("九",), "related": ("c", "a")},
        {"not_": ("六", "五", "七")},
        {"topic": "考勤", "owner": "张三", "source": "《手册》: 第 5 章"},
        {"topic": "", "owner": ""},
        {"valid_from": "2026-02-01"},
        {"valid_from": "2026-02-01", "valid_until": "2026-12-31"},
        {"valid_from": "", "valid_until": "2026年3月1日"},
        {"valid_from": "", "valid_until": ""},
        {"review": "2027-01-01"},
        {"review": ""},
        {"groups": ("cid1", "cid2"), "departments": ("1001", "0571")},
        {"private": True, "draft": True},
        {"private": False},
        {"id": "新编号"},
        {"id": "bb", "question": "乙改", "also": ("乙？",), "answer": "x", "draft": True, "source": "y", "related": ()},
    ],
    ids=str,
)
def test_a_change_reads_back_and_touches_nothing_else(raw, fields):
    draft = replace(entry_to_fields(one(raw, "b")), **fields)
    after = change_entry(raw, "b", draft)
    new_id = fields.get("id", "b")
    assert entry_to_fields(one(after, new_id)) == normalized_fields(draft)
    if new_id == "b":
        others_unchanged(raw, after)
    if raw is not STYLED["json"]:
        assert outside(raw) == outside(after, new_id)
    assert after.startswith(b"\xef\xbb\xbf") is raw.startswith(b"\xef\xbb\xbf")
    assert after.endswith(b"\n") is raw.endswith(b"\n") or raw.endswith(b"\r")


# style, what is changed, the lines that go and the lines that come
LINES = [
    ("english", {"also": ("三", "四", "五")}, ["    also: [三, 四]\n"], ["    also: [三, 四, 五]\n"]),
    ("english", {"also": ("三",)}, ["    also: [三, 四]\n"], ["    also: [三]\n"]),
    ("english", {"also": ()}, ["    also: [三, 四]\n"], []),
    ("english", {"not_": ("五",)}, [], ["    not: [五]\n"]),
    ("english", {"draft": True}, [], ["    draft: true\n"]),
    ("english", {"topic": "考勤"}, [], ["    topic: 考勤\n"]),
    ("english", {"source": "9:30"}, [], ['    source: "9:30"\n']),
    ("english", {"valid_until": "2026-12-31"}, [], ["    valid: {until: 2026-12-31}\n"]),
    ("english", {"answer": "乙答\n\n第三段"}, ["      第二段\n"], ["      第三段\n"]),
    ("english", {"question": "乙"}, ["    question: 乙？\n"], ["    question: 乙\n"]),
    ("english", {"related": ()}, ["    related: [a]\n"], []),
    ("carriage returns", {"not_": ("五",)}, [], ["    not: [五]\r\n"]),
    ("chinese", {"also": ("三", "四", "五")}, [], ["    - 五\n"]),
    ("chinese", {"also": ("五", "三", "四")}, [], ["    - 五\n"]),
    ("chinese", {"also": ("三", "no")}, ['    - "四"\n'], ['    - "no"\n']),
    ("chinese", {"also": ("四",)}, ["    - 三   # 说明\n"], []),
    ("chinese", {"also": ("十", "四")}, ["    - 三   # 说明\n"], ["    - 十   # 说明\n"]),
    ("chinese", {"not_": ("五",)}, [], ["  不是: [五]\n"]),
    ("chinese", {"draft": True}, [], ["  草稿: 是\n"]),
    ("chinese", {"private": False}, ["  私聊: 是\n"], []),
    ("chinese", {"valid_from": "2026-01-01"}, [], ["  有效期: {从: 2026-01-01}\n"]),
    ("chinese", {"answer": "一\n二"}, ["  答: 乙答\n"], ["  答: |\n", "    一\n", "    二\n"]),
    ("bare list, deep indent", {"also": ("三", "四")}, ["    also: 三\n"], ["    also: [三, 四]\n"]),
    ("bare list, deep indent", {"answer": '说"好" #2'}, ['    answer: "乙答 #1"\n'], ['    answer: "说\\"好\\" #2"\n']),
    (
        "bare list, deep indent",
        {"valid_from": "2026-02-01"},
        ["    valid: {from: 2026-01-01, until: 2026/12/31}\n"],
        ["    valid: {from: 2026-02-01, until: 2026/12/31}\n"],
    ),
    ("slips", {"answer": "乙答"}, ["\t  答案：乙: 答\n"], ['    答案: "乙答"\n']),
    ("slips", {"source": "手册"}, [], ["    来源: 手册\n"]),
    ("slips", {"valid_until": "2026-12-31"}, ["\t    从: 2026-01-01\n"], ["      从: 2026-01-01\n",
     "      到: 2026-12-31\n"]),
    (
        "one line each",
        {"also": ("三", "四", "五"), "private": False, "source": "a, b"},
        ['  - {id: b, question: "乙？", also: [三, "四"], answer: 乙答, private: yes}   # 注\n'],
        ['  - {id: b, question: "乙？", also: [三, "四", 五], answer: 乙答, source: "a, b"}   # 注\n'],
    ),
    ("lists over lines", {"also": ("三", "四", "五")}, ["           四,\n"], ["           四, 五,\n"]),
    ("lists over lines", {"not_": ("五", "六", "七")}, [], ["      七\n"]),
    ("lists over lines", {"private": False}, [], ["    private: false\n"]),
    ("lists over lines", {"answer": "一\n二"}, ["    answer: 乙\n", "      答   # 还没写完\n"],
     ["    answer: |   # 还没写完\n", "      一\n", "      二\n"]),
    ("lists over lines", {"review": "2027-01-01"}, ["    review: 2026年12月1日\n"], ["    review: 2027-01-01\n"]),
    ("answers", {"groups": ("cid1", "cid2")}, ["    groups: [cid1]\n"], ["    groups: [cid1, cid2]\n"]),
    ("no final line end", {"source": "手册"}, [], ["    source: 手册\n"]),
]  # fmt: skip


@pytest.mark.parametrize(("style", "fields", "gone", "come"), LINES, ids=[f"{r[0]}: {list(r[1])}" for r in LINES])
def test_only_the_lines_of_a_change_change(style, fields, gone, come):
    raw = STYLED[style]
    assert differences(raw, changed(raw, "b", **fields)) == (gone, come)


def test_answering_outright_takes_the_question_back_and_its_answers_away():
    after = changed(STYLED["answers"], "b", answer="到处都一样")
    entry = one(after, "b")
    assert entry.answer == "到处都一样" and entry.ask is None and not entry.variants
    assert b"cid1" in after and b"else" not in after


def test_a_question_back_and_its_answers_stay_byte_for_byte():
    raw = STYLED["answers"]
    kept = raw[raw.index(b("    ask:")) : raw.index(b("    groups:"))]
    assert kept in changed(raw, "b", question="哪里？", also=("一",))


def test_the_end_of_a_sentence_that_was_lost_as_a_comment_does_not_come_twice():
    raw = b("- id: b\n  question: 乙\n  answer: 分机 #8001\n")
    assert changed(raw, "b", answer="分机 #8001") == b('- id: b\n  question: 乙\n  answer: "分机 #8001"\n')
    assert changed(raw, "b", answer="一\n二") == b("- id: b\n  question: 乙\n  answer: |\n    一\n    二\n")


def test_values_from_the_top_of_the_file_are_not_repeated_in_the_entry():
    raw = b("topic: 休假\nowner: 甲\nprivate: true\nentries:\n- id: b\n  question: 乙\n  answer: 答\n")
    after = changed(raw, "b", answer="新答")
    assert differences(raw, after) == (["  answer: 答\n"], ["  answer: 新答\n"])


def test_what_the_top_of_a_file_says_can_be_emptied_for_one_entry_but_not_its_restrictions():
    raw = b("topic: 休假\nreview: 2026-01-01\ngroups: [cid1]\nentries:\n- id: b\n  question: 乙\n  answer: 答\n")
    after = changed(raw, "b", topic="", review="")
    assert (one(after, "b").topic, one(after, "b").review) == ("", None)
    with pytest.raises(EditError, match="群的限制写在文件开头"):
        changed(raw, "b", groups=())


@pytest.mark.parametrize(
    ("key", "value"),
    [("also:", "also: [新]"), ("also: []", "also: [新]"), ("also:   # 待写", "also: [新]   # 待写"), ("also: ~",
    "also: [新]")],
)  # fmt: skip
def test_an_empty_list_is_filled_where_it_stands(key, value):
    raw = f"- id: b\n  question: 乙\n  {key}\n  answer: 答\n".encode()
    assert add_wording(raw, "b", "新") == raw.replace(key.encode(), value.encode())


@pytest.mark.parametrize("written", ["private: 也许", "private: [a]", "private:\n    - a", "private:\n    a: b"])
def test_an_unreadable_value_is_replaced_whole(written):
    raw = f"- id: b\n  question: 乙\n  {written}\n  answer: 答\n".encode()
    assert one(raw, "b").private
    assert changed(raw, "b", private=False) == b("- id: b\n  question: 乙\n  answer: 答\n")


@pytest.mark.parametrize("written", ["valid: 明年", "valid:", "valid: {}", "valid:\n    - 1", "valid: {from: 明年}"])
def test_an_unreadable_period_is_replaced_whole(written):
    raw = f"- id: b\n  question: 乙\n  {written}\n  answer: 答\n".encode()
    after = changed(raw, "b", valid_from="2026-01-01")
    assert after == b("- id: b\n  question: 乙\n  valid: {from: 2026-01-01}\n  answer: 答\n")
    assert not one(after, "b").held


def test_the_first_key_can_go_while_an_id_comes():
    raw = b("- topic: x\n\n  question: 乙\n  answer: 答\n")
    assert changed(raw, "乙", topic="", id="新") == b("-\n\n  id: 新\n  question: 乙\n  answer: 答\n")


def test_a_comment_between_the_dash_and_the_next_key_stays_when_the_first_key_goes():
    raw = b("- topic: x\n  # 说明\n  question: 乙\n  answer: 答\n")
    assert changed(raw, "乙", topic="") == b("-\n  # 说明\n  question: 乙\n  answer: 答\n")
    raw = b("- topic: x  # 主题\n  question: 乙\n  answer: 答\n")
    assert changed(raw, "乙", topic="") == b("- question: 乙\n  answer: 答\n")


# -- ids -------------------------------------------------------------------------------------------


def test_an_entry_without_an_id_keeps_it_when_its_question_changes():
    raw = b("- question: 年假\n  answer: 五天\n")
    assert changed(raw, "年假", question="年假有几天？") == b("- id: 年假\n  question: 年假有几天？\n  answer: 五天\n")
    assert changed(raw, "年假", answer="六天") == b("- question: 年假\n  answer: 六天\n")
    assert changed(raw, "年假", question="年假？") == b("- question: 年假？\n  answer: 五天\n")


def test_entries_with_one_question_are_told_apart_by_the_ids_the_reader_gave_them():
    raw = b(
        "- 问题: 基数\n  答案: 旧\n  有效期: {到: 2026-06-30}\n- 问题: 基数\n  答案: 新\n  有效期: {从: 2026-07-01}\n"
        "- 问题: 基数！\n  答案: 别的\n"
    )
    assert list(entries(raw)) == ["基数", "基数@2026-07-01", "基数-2"]
    after = changed(raw, "基数@2026-07-01", answer="更新")
    assert differences(raw, after) == (["  答案: 新\n"], ["  答案: 更新\n"])
    after = changed(raw, "基数@2026-07-01", valid_from="2026-08-01")
    assert "- 编号: 基数@2026-07-01\n  问题: 基数\n" in after.decode()


def test_ids_that_hang_on_another_entry_are_written_down_when_it_changes_or_goes():
    raw = b("- question: 年假\n  answer: 五\n- question: 年假？\n  answer: 六\n")
    assert list(entries(raw)) == ["年假", "年假-2"]
    gone = remove_entry(raw, "年假")
    assert gone == b("- id: 年假-2\n  question: 年假？\n  answer: 六\n")
    assert list(entries(changed(raw, "年假", id="x"))) == ["x", "年假-2"]
    assert list(entries(add_entry(raw, EntryFields(id="", question="年假!", answer="七")))) == [
        "年假",
        "年假-2",
        "年假-3",
    ]


def test_an_id_of_another_entry_is_refused_with_its_line():
    with pytest.raises(EditError, match=r"编号“a”已经用在f\.yaml:7"):
        raw = STYLED["english"]
        change_entry(raw, "b", replace(entry_to_fields(one(raw, "b")), id="a"), name="f.yaml")


# -- odd texts -------------------------------------------------------------------------------------

ODD = [
    "9:30", "no", "是", "0571", "- x", "a: b", "a:b", "#", "a #b", "  blanks  ", "'", '"', "''", '"x" #y', "it's #1",
    "{facts.x} 元", "[a](b) c", "[a]", "{a}", "*", "**粗**", "&a", "!a", "%a", "@a", "`a`", "|", ">", "?", "? a", "~",
    "null", "=", "<<", "1e3", "0x10", "2026-01-01", "：", "问题：x", "答案: x", "—— 注", "“引号”", "\\", "C:\\d", "\t",
    "a\tb",
    "a\r\nb", "a\rb", "a\nb", "  a\n  b", "a\n\tb", "a\n\u3000b", "a\n \nb", "a\n\n\nb", "---", "...", "\u2028",
    "a\u2028b",
    "a\x85b", "a\x00b", "\ufeffa", "a\ufeff", "😀", "a\u3000b", "\u3000\u3000a", "a，b", "甲、乙", "x" * 300, "#!/",
    "a\n# b", "a\n- b: c",
    "<p>a</p>", "<<<<<<< HEAD", "%YAML 1.2", "\U0010ffff", "a\ufffeb", "a\x7fb", "a\u200bb", ",", "a, b", "[", "}",
    "a]",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_odd_texts_read_back_exactly_in_every_field_and_style(text):
    for raw in STYLED.values():
        if not text.strip():
            continue
        draft = replace(
            entry_to_fields(one(raw, "b")),
            question=text, answer=text, also=(text, "x"), not_=("x", text), topic=text, owner=text, source=text,
            related=(text,), groups=(text, "a"), departments=(text,),
        )  # fmt: skip
        after = change_entry(raw, "b", draft)
        assert entry_to_fields(one(after, "b")) == normalized_fields(draft)
        others_unchanged(raw, after)


@given(st.sampled_from(sorted(STYLED)), drafts())
def test_any_draft_reads_back_exactly_and_all_other_bytes_stay(style, draft):
    raw = STYLED[style]
    after = change_entry(raw, "b", draft)
    assert entry_to_fields(one(after, "b")) == normalized_fields(draft)
    others_unchanged(raw, after)
    if style != "json":
        assert outside(raw) == outside(after)
    assert change_entry(after, "b", draft) == after
