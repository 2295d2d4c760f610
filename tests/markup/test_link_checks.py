"""Links that DingTalk would not open are told with their line and, where it is known, as they are meant."""

from __future__ import annotations

import pytest

from faqbot.knowledge.editing.autofix import fix
from faqbot.knowledge.entry_parser import parse_file
from faqbot.markup.link_checks import correct_links, find_link_problems
from faqbot.markup.unsupported_markup import find_unsupported_markup

BRACKETS, SCHEME, MISSING = "英文的方括号和圆括号", "网址开头应是 https://", "网址开头少了 https://"
ROUND, WIDE = "网址前后不能有空格", "网址里有空格或全角的符号"

# The line, what is said, the line as it is meant, and whether nothing else can be meant.
SLIPS = [
    ("见[手册](www.a.com)。", MISSING, "见[手册](https://www.a.com)。", True),
    ("见［手册］（https://a.com/b）。", BRACKETS, "见[手册](https://a.com/b)。", True),
    ("[手册]（https://a.com)", BRACKETS, "[手册](https://a.com)", True),
    ("[手册](https://a.com）", BRACKETS, "[手册](https://a.com)", True),
    ("[手册]（www.a.com）", BRACKETS, "[手册](https://www.a.com)", True),
    ("[手册] (https://a.com)", BRACKETS, "[手册](https://a.com)", True),
    ("[手册]（https：//a.com）", BRACKETS, "[手册](https://a.com)", True),
    ("![图]（https://a.com/a.png）", BRACKETS, "![图](https://a.com/a.png)", True),
    ("[手册](http:/a.com/x)", SCHEME, "[手册](http://a.com/x)", True),
    ("[手册](https:\\\\a.com)", SCHEME, "[手册](https://a.com)", True),
    ("[手册](https// a.com)", SCHEME, "[手册](https://a.com)", True),
    ("[手册]( https://a.com )", ROUND, "[手册](https://a.com)", True),
    ("[问](dtmd://x/y )", ROUND, "[问](dtmd://x/y)", True),
    ("打开 https:// a.com/x 看", SCHEME, "打开 https://a.com/x 看", True),
    ("打开http:/a.com看", SCHEME, "打开http://a.com看", True),
    ("打开 https：//a.com", SCHEME, "打开 https://a.com", True),
    ("[手册](htps://a.com)", SCHEME, "[手册](https://a.com)", False),
    ("[手册](intra.a.com/hr)", MISSING, "[手册](https://intra.a.com/hr)", False),
    ("[手册](https://a.com。)", WIDE, "[手册](https://a.com)", False),
    ("[手册](https://a。com/b？c=1)", WIDE, "[手册](https://a.com/b?c=1)", False),
    ("[手册](https://a.com/ b)", WIDE, "[手册](https://a.com/b)", False),
    ("[手册](https://a.com/x", "少了一个右括号", "[手册](https://a.com/x)", False),
    ("（手册）[https://a.com]", "写反了", "[手册](https://a.com)", False),
    ("[手册]()", "链接的括号里没有网址", "", False),
    ("![图]()", "图片的括号里没有网址", "", False),
    ("[](https://a.com)", "方括号里没有字", "", False),
    ("[手册](待补充)", "“待补充”不是网址", "", False),
    ("[手册](附件1.pdf)", "“附件1.pdf”不是网址", "", False),
    ("[手册](C:\\资料\\a.docx)", "电脑里的文件", "", False),
    ("[手册](\\\\server\\a.docx)", "电脑里的文件", "", False),
    ("[手册](file:///D:/a.pdf)", "电脑里的文件", "", False),
    ("![流程图](请假 流程.png)", "不能有空格", "", False),
    ("[流程图](流程.png)", "“流程.png”不是网址", "", False),
    ("[手册](https://)", "没有写完整", "", False),
    ("[手册](https://待补充)", "没有写完整", "", False),
]  # fmt: skip

LINKS = [
    "[手册](https://a.com/b?c=1&d=2#e)", "[手册](Https://a.com)", "[手册](http://oa/)", "[手册](https://a.com/A_(b))",
    "![](https://a.com/a.png)", "![流程图](流程.png)", "[邮箱](mailto:hr@a.com)", "[问年假](dtmd://dingtalkclient/sendMessage?content=x)",
    "[手册]({facts.手册})", "![图]({facts.图})", "网址 www.a.com", "https://a.com:8080/x 和 http://b.com",
    "【福利】（https://a.com）",
    "［注］（见第 5 条）", "[注]（见附件）", "[1] (a)", "（https://a.com）", "a[0](",
    "工时 9:00//18:00", "超文本传输协议（HTTP）", "",
]  # fmt: skip


@pytest.mark.parametrize(("line", "reason", "meant", "sure"), SLIPS, ids=[row[0] for row in SLIPS])
def test_a_link_that_is_none_is_explained(line, reason, meant, sure):
    (slip,) = find_link_problems(line)
    assert reason in slip.reason and bool(slip.correction) == bool(meant)
    assert correct_links(line, sure=False) == (meant or line)
    assert correct_links(line) == (meant if sure else line)
    assert find_link_problems(correct_links(line)) == ([] if sure else [slip])


@pytest.mark.parametrize("line", LINKS)
def test_a_link_and_what_was_meant_as_none_are_left_alone(line):
    assert find_link_problems(line) == []


# -- in a file ---------------------------------------------------------------------------------

FILE = """\
source: '[手册](www.a.com)'
entries:
  - question: 年假
    answer: |
      第一行
      见［手册］（https://a.com）和[表](www.b.com)   # 这是正文
  - question: 病假
    answer: 见 [手册] (https://a.com)   # [注] (https://b.com)
  - question: 产假
    ask: {city: 哪里}
    answers:
      上海: "[手册]（https://c.com）"
      else: 见手册
"""


def warned(text):
    parsed = parse_file("faq/a.yaml", text.encode())
    assert parsed.ok
    return [(p.place.line, p.message, p.fix) for p in parsed.problems]


def test_each_is_told_once_at_its_own_line_with_the_whole_line_as_it_should_be():
    mended = "见[手册](https://a.com)和[表](https://www.b.com)   # 这是正文"
    brackets, missing = "链接要用英文的方括号和圆括号，中间不空格", "网址开头少了 https://"
    assert warned(FILE) == [
        (1, missing, "source: '[手册](https://www.a.com)'"),
        (6, brackets, mended),
        (6, missing, mended),
        (8, brackets, "answer: 见 [手册](https://a.com)   # [注] (https://b.com)"),
        (12, brackets, '上海: "[手册](https://c.com)"'),
    ]


def test_those_that_are_sure_are_put_right_and_every_other_byte_stays():
    raw, fixes = fix(FILE.replace("\n", "\r\n").encode(), "faq/a.yaml")
    wanted = (
        FILE.replace("(www.", "(https://www.")
        .replace("［手册］（https://a.com）", "[手册](https://a.com)")
        .replace("见 [手册] (", "见 [手册](")
        .replace("（https://c.com）", "(https://c.com)")
    )
    assert raw.decode() == wanted.replace("\n", "\r\n")
    assert [f.line for f in fixes] == [1, 6, 8, 12] and all("链接" in f.reason for f in fixes)
    assert fix(raw, "faq/a.yaml") == (raw, []) and warned(raw.decode()) == []


def test_a_link_at_the_start_of_a_sentence_is_quoted_as_it_must_be():
    raw, fixes = fix("- question: 年假\n  answer: ［手册］（https://a.com）\n".encode(), "faq/a.yaml")
    assert raw.decode() == '- question: 年假\n  answer: "[手册](https://a.com)"\n' and len(fixes) == 1


def test_what_is_not_sure_is_left_to_people():
    text = "- question: 年假\n  answer: 见[手册](intra.a.com/hr)和[表](待补充)\n"
    assert fix(text.encode(), "faq/a.yaml") == (text.encode(), [])
    assert [line for line, _, _ in warned(text)] == [2, 2]


# -- what is not shown -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "place", "kinds"),
    [
        (["如下：", "| 城市 | 天数 |", "|---|---|", "| 上海 | 158 |"], 1, "表格"),
        (["城市 | 天数", "--- | ---", "上海 | 158"], 1, "表格"),
        (["```", "年假", "```"], 0, "代码框"),
        (["一<br>二", "<font color='red'>三</font>"], 0, "网页标签"),
        (["一&nbsp;二"], 0, "网页标签"),
        (["原来 ~~5 天~~ 现在 7 天"], 0, "删除线"),
        (["~~旧~~", "<b>新</b>", "```"], 0, "删除线、网页标签、代码框"),
    ],
)
def test_what_dingtalk_does_not_show_is_told_with_what_to_do(lines, place, kinds):
    told = find_unsupported_markup(lines)
    assert told and told[0] == place and f"显示不出{kinds}，" in told[1]


@pytest.mark.parametrize(
    "line",
    [
        "a < b 且 c > d",
        "<<员工手册>>",
        "甲|乙",
        "R&D",
        "~5 天~",
        "1~~2",
        "-----",
        "<姓名>",
        "x <= 3",
        "**粗** *斜*",
        "> 引用",
    ],
)
def test_what_is_shown_is_not_told(line):
    assert find_unsupported_markup([line]) is None


def test_one_gentle_warning_stands_at_the_first_line_of_its_kind():
    text = "- question: 年假\n  answer: |\n    如下：\n    | 城市 | 天数 |\n    |---|---|\n    <b>完</b>\n"
    ((line, message, _),) = warned(text)
    assert line == 4 and "显示不出表格、网页标签" in message


# -- length ------------------------------------------------------------------------------------


def test_an_answer_for_two_messages_is_told_where_the_second_begins():
    lines = [f"    第 {n} 段：" + "很长" * 400 for n in range(1, 9)]
    text = "- question: 年假\n  answer: |\n" + "\n".join(lines) + "\n"
    ((line, message, _),) = warned(text)
    assert "会分成 2 条" in message
    assert line == 3 + 5
