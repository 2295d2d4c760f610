"""Slips of the keyboard are read as meant and reported with their line; everything else is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.knowledge.entry_parser import parse_file
from faqbot.yamltext.key_names import ENTRY_KEYS
from faqbot.yamltext.line_repairs import LineRepair, repair_lines

WIDE_COLON, NO_BLANK, DASH, TAB, WIDE_BLANK, SPECIAL = "全角冒号", "少了一个空格", "横线", "Tab", "全角空格", "特殊符号"

# written, as meant, and what was said on which line
SLIPS = [
    ("- question：年假\n  answer: 五天", "- question: 年假\n  answer: 五天", {1: WIDE_COLON}),
    ("- 问题：年假\n  答案：五天", "- 问题: 年假\n  答案: 五天", {1: WIDE_COLON, 2: WIDE_COLON}),
    ("- 问题 ： 年假\n  答案： 五天", "- 问题: 年假\n  答案: 五天", {1: WIDE_COLON, 2: WIDE_COLON}),
    ("主题：假\n条目:\n- 问: 年假\n  答: 五天", "主题: 假\n条目:\n- 问: 年假\n  答: 五天", {1: WIDE_COLON}),
    ("条目：\n- 问: 年假\n  答: 五天", "条目:\n- 问: 年假\n  答: 五天", {1: WIDE_COLON}),
    ("- 问: 年假\n  also：[一, 二]\n  答: 五天", "- 问: 年假\n  also: [一, 二]\n  答: 五天", {2: WIDE_COLON}),
    ("- 问: 年假\n  答：|\n    五天", "- 问: 年假\n  答: |\n    五天", {2: WIDE_COLON}),
    ("- question:年假\n  answer:五天", "- question: 年假\n  answer: 五天", {1: NO_BLANK, 2: NO_BLANK}),
    ("-question: 年假\n  answer: 五天", "- question: 年假\n  answer: 五天", {1: DASH}),
    ("－ question: 年假\n  answer: 五天", "- question: 年假\n  answer: 五天", {1: DASH}),
    ("—question：年假\n  answer: 五天", "- question: 年假\n  answer: 五天", {1: DASH}),
    ("– 问：年假\n  答：五天", "- 问: 年假\n  答: 五天", {1: DASH, 2: WIDE_COLON}),
    ("entries:\n\t- 问: 年假\n\t  答: 五天", "entries:\n  - 问: 年假\n    答: 五天", {2: TAB, 3: TAB}),
    ("- question: 年假\n\tanswer: 五天", "- question: 年假\n  answer: 五天", {2: TAB}),
    ("entries:\n\t- 问: 年假\n\t\t答: 五天", "entries:\n  - 问: 年假\n    答: 五天", {2: TAB, 3: TAB}),
    ("entries:\n　- 问: 年假\n　　答: 五天", "entries:\n  - 问: 年假\n    答: 五天", {2: WIDE_BLANK, 3: WIDE_BLANK}),
    ("- 问: 年假\n\u00a0\u00a0答: 五天", "- 问: 年假\n  答: 五天", {2: WIDE_BLANK}),
    ("- 问: 年假\n　答：五天", "- 问: 年假\n  答: 五天", {2: WIDE_COLON}),
    ("- 问: 年假\n  答: **5 天**", '- 问: 年假\n  答: "**5 天**"', {2: SPECIAL}),
    ("- 问: @所有人 是什么\n  答: `a` 命令", '- 问: "@所有人 是什么"\n  答: "`a` 命令"', {1: SPECIAL, 2: SPECIAL}),
    ("- 问: 年假\n  答: %开头", '- 问: 年假\n  答: "%开头"', {2: SPECIAL}),
    ("- 问: 年假\n  答: !重要", '- 问: 年假\n  答: "!重要"', {2: SPECIAL}),
    ("- 问: 年假\n  答: &也是 正文", '- 问: 年假\n  答: "&也是 正文"', {2: SPECIAL}),
    ("- 问: 报销: 怎么办\n  答: 找财务", '- 问: "报销: 怎么办"\n  答: 找财务', {1: SPECIAL}),
    ("- 问: 年假\n  答: 见: 手册", '- 问: 年假\n  答: "见: 手册"', {2: SPECIAL}),
    ('- 问: 年假\n  答: **"五"** \\天', '- 问: 年假\n  答: "**\\"五\\"** \\\\天"', {2: SPECIAL}),
    ("- 问: 年假\n  答：**5 天**", '- 问: 年假\n  答: "**5 天**"', {2: SPECIAL}),
]  # fmt: skip


@pytest.mark.parametrize(("written", "meant", "said"), SLIPS)
def test_a_slip_is_read_as_meant_and_reported_with_its_line(written, meant, said):
    text, mends = repair_lines(written)
    assert text == meant
    assert [m.line for m in mends] == list(said)
    for m in mends:
        assert said[m.line] in m.reason
        assert m.before == written.split("\n")[m.line - 1]
        assert m.after == meant.split("\n")[m.line - 1]


@pytest.mark.parametrize(("written", "meant", "said"), SLIPS)
def test_a_file_with_slips_is_live_and_warns_with_the_corrected_line(written, meant, said):
    parsed = parse_file("f.yaml", written.encode())
    assert parsed.ok
    assert parsed.entries == parse_file("f.yaml", meant.encode()).entries
    assert len(parsed.entries) == 1
    corrected = {p.place.line: p.fix for p in parsed.problems}
    assert corrected == {line: meant.split("\n")[line - 1].strip() for line in said}


@pytest.mark.parametrize(("written", "meant", "said"), SLIPS)
def test_mended_text_needs_no_further_mending(written, meant, said):
    assert repair_lines(meant) == (meant, [])


def test_all_slips_of_one_line_are_told_together():
    (only,) = repair_lines("—问题：年假: 几天")[1]
    assert only == LineRepair(1, "—问题：年假: 几天", '- 问题: "年假: 几天"', only.reason)
    assert DASH in only.reason and WIDE_COLON in only.reason and SPECIAL in only.reason


@pytest.mark.parametrize(
    "text",
    [
        "- 问: 年假\n  答: |\n    问题：不是键\n    答案:也不是\n    - 问：同上\n    **粗** `码` @人\n    来源: a: b\n",
        "- 问: 年假\n  答: >-\n    第一行\n    答：第二行\n",
        "- 问: 年假\n  答: |\n    第一行\n\n    答：隔了一行\n",
        "- 问: 年假\n  答: |2\n    答：缩进\n",
        "- 问: 年假\n  答: |  # 注释\n    答：正文\n",
        "- 问: 年假\n  also:\n    - |\n      问：怎么休\n  答: 五天\n",
        "- 问: 年假\n  ask: {city: 哪里}\n  answers:\n    上海: |\n      答：五天\n      **粗**\n    北京: 六天\n",
    ],
)
def test_text_inside_a_block_is_left_alone(text):
    assert repair_lines(text) == (text, [])


def test_a_block_ends_where_the_next_key_stands():
    text, mends = repair_lines("- 问: 年假\n  答: |\n    答：正文\n  来源：手册\n- 问：病假\n  答: 三天")
    assert text == "- 问: 年假\n  答: |\n    答：正文\n  来源: 手册\n- 问: 病假\n  答: 三天"
    assert [m.line for m in mends] == [4, 5]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# 问题：注释\n#答案:注释",
        "- 问: 年假\n  答: 五天：含周末",
        "- 问: 年假\n  答: 第一行\n    答案：还是第一句",
        "- 问: 年假\n  答: 见 https://example.com:8080/a",
        "- 问: 9:30 上班吗\n  答: 5% 的人 & 其他 * 号",
        "- 问: 年假\n  答: [a, b]",
        "- 问: 年假\n  答: \"a: b\"\n  来源: 'c: d'",
        "- 问: 年假\n  答: “五天”",
        "- 问: &name 年假\n  答: *name",
        "这是：一句话\n另一句:话",
        "- 年假：五天",
        "valid: {from: 2026-01-01}",
        '- 问: 年假\n  also: ["、", "，"]\n  答: 五天',
    ],
)
def test_a_text_without_slips_comes_back_as_it_is(text):
    assert repair_lines(text) == (text, [])


# -- properties --------------------------------------------------------------------------------

PLAIN = (
    st.text("年假报销几天怎么办abcxyz 0129，。？！、“”（）%", min_size=1, max_size=20)
    .map(str.strip)
    .filter(lambda s: s and s[0] not in "%“”")
)
ANY = st.text("年假：:-#*&@`\"'|>[]{}?!%，。 问题答案question", min_size=1, max_size=20)


@st.composite
def tidy_files(draw):
    """Files as our own writer would write them: plain sentences bare, anything else quoted or in a block."""
    lines = draw(st.lists(st.sampled_from(["# 说明：随便写", ""]), max_size=2))
    indent = draw(st.sampled_from(["", "  ", "    "]))
    if indent or draw(st.booleans()):
        lines += [f"topic: {draw(PLAIN)}", "entries:"]
    else:
        indent = ""
    for _ in range(draw(st.integers(1, 3))):
        first = True
        for key in draw(st.lists(st.sampled_from(sorted(ENTRY_KEYS)), min_size=1, max_size=4)):
            start = indent + ("- " if first else "  ")
            first = False
            kind = draw(st.sampled_from(["plain", "quoted", "block", "list"]))
            if kind == "plain":
                lines.append(f"{start}{key}: {draw(PLAIN)}")
            elif kind == "quoted":
                lines.append(f"{start}{key}: '{draw(ANY).replace(chr(39), chr(39) * 2)}'")
            elif kind == "list":
                lines.append(f"{start}{key}: [{', '.join(draw(st.lists(PLAIN, max_size=3)))}]")
            else:
                lines.append(f"{start}{key}: |")
                lines += [f"{indent}    {line}" for line in draw(st.lists(ANY, min_size=1, max_size=3))]
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


@given(tidy_files())
def test_tidy_files_come_back_byte_for_byte(text):
    assert repair_lines(text) == (text, [])


SCRAPS = st.lists(
    st.sampled_from(
        ["- ", "-", "－", "—", "\t", "　", " ", "  ", "问题", "answer", "答案", "topic", "：", ":", ": ", "年假",
         "**5**", "@", "|", "a: b", "#", '"', "'", "[", "]", "\n", "\n  ", "\n    "]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(st.one_of(SCRAPS, st.text()))
def test_the_number_of_lines_never_changes_and_mends_name_real_lines(text):
    mended, mends = repair_lines(text)
    lines = text.split("\n")
    assert len(mended.split("\n")) == len(lines)
    assert all(lines[m.line - 1] == m.before for m in mends)
    assert [m.line for m in mends] == sorted({m.line for m in mends})
