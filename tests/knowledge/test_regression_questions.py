"""`evaluation.yaml`: every way of writing it that `evaluate` takes, and one question more or less in its place."""

from __future__ import annotations

import pytest

from faqbot.analytics.evaluation import read_questions
from faqbot.errors import EditError
from faqbot.knowledge.regression_questions import NAME, parse_saved, unknown_ids, with_question, without_question

FILE = """\
# 每年入职培训时常问的
- {q: 年假几天, id: annual-leave}

- q: 明天下雨吗   # 不该回答
  id:
- {问: 0571, 编号: phone, alt: [fax]}
"""


def read(raw):
    saved, problems = parse_saved(NAME, raw)
    return [(s.question, s.entry_ids) for s in saved], [(p.place.line, p.message) for p in problems]


def test_what_the_command_reads_is_read_alike():
    found, problems = read(FILE.encode())
    assert found == [("年假几天", ("annual-leave",)), ("明天下雨吗", ()), ("0571", ("phone", "fax"))] and problems == []
    theirs = [(e.question, e.entry_id) for e in read_questions(NAME, FILE.encode())]
    assert theirs[:2] == [("年假几天", "annual-leave"), ("明天下雨吗", None)]


def test_an_item_that_says_nothing_is_told_with_its_line():
    found, problems = read("- 年假几天\n- {id: a}\n- {q: 甲, id: a}\n".encode())
    assert found == [("甲", ("a",))]
    assert [line for line, _ in problems] == [1, 2]


@pytest.mark.parametrize("text", ["q: 甲\n", "- {q: 甲\n", "甲"])
def test_a_file_of_another_shape_is_an_error(text):
    found, problems = read(text.encode())
    assert found == [] and len(problems) == 1


def test_an_entry_that_is_not_there_is_told():
    saved, _ = parse_saved(NAME, FILE.encode())
    assert [p.place.line for p in unknown_ids(saved, {"annual-leave", "fax"})] == [6]


@pytest.mark.parametrize(
    "question", ["婚假几天", "a: b", "#8001 是哪里", "他说“可以”, 真的吗", '"', "[甲]", "- 甲", "0571", "no"]
)
@pytest.mark.parametrize(
    "before",
    [
        None,
        b"",
        FILE.encode(),
        b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode(),
        FILE[:-1].encode(),
        "# 只有注释\n".encode(),
    ],
)
def test_one_question_more_leaves_every_other_byte(before, question):
    after = with_question(before, question, "an id: 1")
    old, _ = read(before or b"")
    assert read(after) == ([*old, (question, ("an id: 1",))], [])
    assert after.startswith((before or b"").rstrip())
    assert [(e.question, e.entry_id) for e in read_questions(NAME, after)][-1] == (question, "an id: 1")
    back = without_question(after, question, "an id: 1")
    assert read(back) == (old, []) and back.strip() == (before or b"").strip()


@pytest.mark.parametrize("text", ["[{q: 甲, id: a}]\n", "q: 甲\n", "- {q: 甲\n"])
def test_a_file_written_otherwise_is_not_touched(text):
    with pytest.raises(EditError):
        with_question(text.encode(), "乙", "b")


def test_a_question_that_is_not_kept_cannot_be_taken_out():
    with pytest.raises(EditError, match="已经不在"):
        without_question(FILE.encode(), "年假几天", "other")
