"""Names that people choose (cases, questions back, ids, topics, facts) hold any sign and survive every way they go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqbot.knowledge.editing.entry_fields import entry_to_fields
from faqbot.knowledge.editing.entry_form import EntryForm
from faqbot.knowledge.entry_parser import parse_file
from faqbot.knowledge.facts import fill_facts
from faqbot.knowledge.groups_file import parse_groups
from faqbot.knowledge.regression_questions import parse_saved, with_question
from faqbot.knowledge.spreadsheet.comparison import ImportPlan, KnownEntry, table_rows
from faqbot.knowledge.spreadsheet.importer import import_table
from faqbot.knowledge.spreadsheet.workbook import write_table
from faqbot.knowledge.synonyms_and_facts import parse_facts, parse_synonyms
from faqbot.model.entries import Entry, FollowUp, Place
from faqbot.yamltext.key_names import ELSE_WORDS
from faqbot.yamltext.quoting import write_key, write_scalar
from tests.knowledge.editing.on_bytes import add_entry, change_entry, entry_text, restore_entry

# Every sign that YAML, the line repairs or the cells of a table give a meaning.
NAMES = [
    "0：", "0:", "：", ":", "：：", "a：b", "a： b", "a:b", "a: b", "a :b", "上海：", "上海 ：好", "问题：", "答案: x",
    "问题", "question", "answers", "entries:", "其他地方", "else if",
    "#", "#a", "a#", "a #b", "a# b", "\"", "'", "\"a\"", "'a'", "a\"b", "a'b", "it''s", "“a”", "‘a’", "“", "”",
    "?", "? a", "?a", "a?", "？", "-", "- a", "-a", "a-", "—", "—— a", "－ a", "–", "---", "...", "• a", "* a",
    "1. a", "1、a", "(1) a", "[", "]", "[a]", "a[b]", "[a](b)", "{", "}", "{a}", "a{b}", "{facts.a}", "｛a｝",
    "【a】", "【", "】", "】a【", "【】", "［a］", "\\【a】", "<a>", "&", "&a", "a&b", "*", "*a", "**a**", "!", "!a",
    "|", "|-", "| a", "a |", "> a", ">", "a >", "<", "%", "%a", "100%", "@", "@a", "a@b", "`", "`a`", "a`", ",", "a,b",
    "a, b", "a，b", "、", "a、b", "；", "a；b", ";", "=", "=1+1", "a=b", "+", "+86", "<<", "\\", "C:\\new", "\\n", "/",
    "a/b", "$", "~", "^", "a\tb", "a b", "a  b", "a\u3000b", "a\u00a0b", "\u200b", "\u200ba", "a\u200b", "\ufeffa",
    "a\x07b", "0", "1", "01", "0571", "1.5", "1e3", "0x1F", "0o7", "1_000", "-1", ".5", ".inf", ".nan",
    "true", "TRUE", "no", "No", "on", "y", "是", "否", "null", "Null", "无", "待定", "2026-01-01", "2026年1月1日",
    "2026-01-01 00:00", "9:30", "12:30:45", "😀", "👨‍👩‍👧", "年" * 99, "a：" * 40, "10 年以上", "≥10", "<= 10", "> 10",
]  # fmt: skip
CASES = [name for name in NAMES if name not in ELSE_WORDS]
SIGNS = "上a0年 ：:-#'\"“”{}[]【】｛｝|>&*!%@`,，、\t\\?？~=.、—－<\u3000\u200b\xa0😀"
# A file reads a name as one line without blanks around it.
ANY_NAME = (
    st.one_of(st.text(SIGNS, max_size=8), st.text(st.characters(codec="utf-8"), max_size=20), st.sampled_from(NAMES))
    .map(lambda name: " ".join(re.split("[\r\n\x0b\x0c\x85\u2028\u2029]", name)).strip())
    # What Excel makes of a long number is refused on purpose.
    .filter(lambda name: name and name not in ELSE_WORDS and not re.fullmatch(r"-?\d(\.\d+)?E[+-]?\d+", name))
)
ANY_NAMES = st.lists(ANY_NAME, min_size=1, max_size=5, unique=True)
CALM = settings(deadline=None, max_examples=25)


def asking(name: str, number: int) -> Entry:
    """An entry whose question back and some of whose cases bear the name."""
    variants = {f"{name}甲": "一", name: "二", f"甲{name}{name}": "三\n四", "else": "五"}
    return Entry(f"a{number}", f"问 {number}", "", ask=FollowUp(name, "哪里？"), variants=variants)


def named(name: str, number: int) -> Entry:
    return Entry(
        name, f"问 {number}", "答", topic=name, owner=name, source=name, related=("x", name), also=(name, f"{name}甲"),
        not_=(f"乙{name}", name),
    )  # fmt: skip


def bare(entry: Entry) -> Entry:
    return replace(entry, place=Place("", 0), id_given=True)


def table(entries: Sequence[Entry], name: str) -> bytes:
    return write_table(name, table_rows([KnownEntry("faq/a.yaml", entry, entry.id) for entry in entries]))


def through_a_table(entries: Sequence[Entry], before: Mapping[str, bytes]) -> bytes:
    """The file that an import of exported entries makes; the table changes nothing when it comes again."""
    plan, files = import_table(before, "k.csv", table(entries, "k.csv"))
    assert plan.ok, plan.problems
    plan, again = import_table(files, "k.xlsx", table(entries, "k.xlsx"))
    assert plan == ImportPlan(unchanged=len(entries)) and again == files
    return files["faq/a.yaml"]


def read(raw: bytes) -> list[Entry]:
    parsed = parse_file("a", raw)
    assert not [problem for problem in parsed.problems if problem.is_error or "理解" in problem.message]
    return [bare(entry) for entry in parsed.entries]


def check_table(entries: Sequence[Entry]) -> bytes:
    raw = through_a_table(entries, {})
    assert read(raw) == entries
    return raw


def check_braces(entries: Sequence[Entry]) -> None:
    """The same in a file that is there and has each entry in braces."""
    flow = "".join(f"- {{编号: {e.id}, 问题: 问, 追问: {{k: 哪}}, 答案按: {{甲: 一}}}}\n" for e in entries)
    assert read(through_a_table(entries, {"faq/a.yaml": flow.encode()})) == entries


def check_form(entry: Entry, raw: bytes) -> None:
    """By the form of the console, in which another field is changed."""
    form = EntryForm.of_draft(entry_to_fields(entry), file="a", seen="")
    draft = replace(form, review="2026-12-01").meant(entry_to_fields(entry))
    assert read(change_entry(raw, entry.id, draft)) == [replace(entry, review=date(2026, 12, 1))]


def check_restored(entry: Entry, raw: bytes) -> None:
    """Removed and put back, into a file that is indented another way."""
    other = "条目:\n    - 编号: 别的一条\n      问题: 别的\n      答案: 答\n".encode()
    assert read(restore_entry(other, entry_text(raw, entry.id)))[1:] == [entry]


def check_beside(name: str) -> None:
    """Facts, synonyms, groups and saved questions: a name as our own writing puts it is read as that name."""
    facts, problems = parse_facts("facts.yaml", f"{write_key(name)}: {write_scalar(name)}\n甲乙: 1\n".encode())
    assert not problems and facts == {name: name, "甲乙": "1"}
    if not set(name) & set("{}"):
        assert fill_facts(Entry("a", "问", f"有 {{facts.{name}}} 天"), facts).answer == f"有 {name} 天"
    item = write_scalar(name, in_brackets=True)
    assert parse_synonyms("synonyms.yaml", f"- [{item}, 甲]\n".encode()) == ([[name, "甲"]], [])
    text = f"人员:\n  {write_key(name)}: [u1]\n群:\n  cid1:\n    主题: [{item}]\n    联系人: {write_scalar(name)}\n"
    groups, problems = parse_groups("groups.yaml", text.encode())
    group = groups.conversations["cid1"]
    assert not problems and (group.topics, group.contact, groups.people) == ((name,), name, {name: ("u1",)})
    found, problems = parse_saved("evaluation.yaml", with_question(None, name, name))
    assert not problems and (found[0].question, found[0].entry_ids) == (name, (name,))


def check_editing(entry: Entry, raw: bytes) -> None:
    """Written, changed and put back by the console, into files of another manner."""
    if not entry.variants:
        assert read(add_entry(None, entry_to_fields(entry))) == [entry]
        # Here each list stands over several lines, and nothing at the top.
        raw = b"- id: a\n  question: b\n  answer: c\n  also:\n  - d\n  not:\n  - d\n"
        raw = change_entry(raw, "a", entry_to_fields(entry))
    check_form(entry, raw)
    check_restored(entry, raw)


def numbered(kind: Callable[[str, int], Entry], names: Sequence[str]) -> list[Entry]:
    return [kind(name, number) for number, name in enumerate(names)]


def test_a_case_and_a_question_back_may_have_any_name() -> None:
    entries = numbered(asking, CASES)
    check_table(entries)
    check_braces(entries)


def test_ids_topics_and_wordings_may_hold_any_sign() -> None:
    check_table(numbered(named, NAMES))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_of_facts_people_and_groups_may_hold_any_sign(name: str) -> None:
    check_beside(name)


@CALM
@given(ANY_NAMES)
def test_any_name_survives_every_way(names: list[str]) -> None:
    for kind in (asking, named):
        entries = numbered(kind, names)
        raw = check_table(entries)
        for entry in entries:
            check_editing(entry, entry_text(raw, entry.id).encode())
    check_braces(numbered(asking, names))
    for name in names:
        check_beside(name)


def test_a_name_over_several_lines_is_one_line() -> None:
    raw = '- question: 问\n  ask: {"a\\nb": 哪}\n  answers:\n    "c\\n\\u2028d": 一\n'.encode()
    (entry,) = read(raw)
    assert (entry.ask, entry.variants) == (FollowUp("a b", "哪"), {"c d": "一"})
    assert through_a_table([entry], {"faq/a.yaml": raw}) == raw
    assert read(through_a_table([replace(entry, id="a")], {})) == [replace(entry, id="a")]
