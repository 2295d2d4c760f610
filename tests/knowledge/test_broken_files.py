"""The mistakes people make in knowledge files: read as meant, or explained at their line while the old answer stays."""

from __future__ import annotations

import os
import re
import time
from datetime import date

import pytest

from faqbot.knowledge.editing.autofix import fix
from faqbot.knowledge.entry_parser import parse_file
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.markup.link_checks import correct_links

NAME = "faq/leave.yaml"
GOOD = "- question: 年假\n  answer: 五天\n"
FILE = """\
topic: 休假
entries:
  - id: annual
    question: 年假有几天？
    also: [年休假几天, 年假天数]
    answer: 五天
"""
SICK = "question: 病假\n{}answer: 三天\n"
OFFICE = b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(range(256))

# what happened, the file, the line to look at, what is said there. All of these keep the file from going live.
BROKEN = [
    ("no dash", "question: 年假\nanswer: 五天\n", 1, "每条要以“- ”开头"),
    ("no dash under entries", "entries:\n  question: 年假\n  answer: 五天\n", 2, "每条要以“- ”开头"),
    ("no dash at the second entry", FILE + "    " + SICK.format("    "), 7, "请在前面加“- ”"),
    ("second entry without a dash, less indent", FILE + "\n  " + SICK.format("  "), 8, "应该有 4 个空格"),
    ("key too deep", "- question: 年假\n    answer: 五天\n", 2, "应该有 2 个空格"),
    ("key too shallow", "- question: 年假\n answer: 五天\n", 2, "应该有 2 个空格"),
    ("key at the edge", "- question: 年假\nanswer: 五天\n", 2, "应该有 2 个空格"),
    ("entry too deep", FILE + "   - " + SICK.format("     "), 7, "“- ”没有和上面的“- ”对齐，前面应该有 2 个空格"),
    ("entry too shallow", FILE + " - " + SICK.format("   "), 7, "前面应该有 2 个空格"),
    ("entry at the edge", FILE + "- " + SICK.format("  "), 7, "前面应该有 2 个空格"),
    ("block not indented", "- question: 年假\n  answer: |\n  五天\n  六天\n", 3, "比“answer”多缩进两个空格"),
    ("block at the edge", "- question: 年假\n  answer: |\n五天\n", 3, "比“answer”多缩进两个空格"),
    ("block that moves left", "- question: 年假\n  answer: |\n    五天\n   六天\n", 4, "比“answer”多缩进两个空格"),
    ("text behind the bar", "- question: 年假\n  answer: | 五天\n    六天\n", 2, "“|”后面不能写字"),
    ("sentence goes on without indent", "- question: 年假\n  answer: 五天\n  不含周末\n", 3,
     "如果是上面“answer”的下半句"),
    ("sentence goes on at the edge", "- question: 年假\n  answer: 五天\n不含周末\n", 3, "如果是上面“answer”的下半句"),
    ("colon in a second line", "- question: 年假\n  answer: 五天\n    注意: 不含周末\n", 3, "给整句加上英文双引号"),
    ("no colon", "- question: 年假\n  answer 五天\n", 2, "“answer”后面少了英文冒号"),
    ("no colon at the first key", "- question 年假\n  answer: 五天\n", 1, "“question”后面少了英文冒号"),
    ("no colon behind entries", "entries\n" + GOOD, 1, "“entries”后面少了英文冒号"),
    ("equals signs", "- question = 年假\n  answer = 五天\n", 1, "“question”后面少了英文冒号"),
    ("wide colon behind an unknown key", "- question: 年假\n  备注：五天\n  answer: 五天\n", 2, "“备注”后面是全角冒号"),
    ("wide colons without dashes", "问：年假\n答：五天\n", 1, "每条要以“- ”开头"),
    ("unknown key", GOOD + "  xyzzy: 1\n", 3, "不认识的键“xyzzy”；条目可以用的有：id、question"),
    ("Chinese key, wrong value", GOOD + "  有效日: 1\n", 3, "不认识的键“有效日”，是不是“有效期”"),
    ("Chinese key, right value", GOOD + "  有效日: {从: 2026-01-01}\n", 3, "“有效日”，是不是“有效期”"),
    ("a remark as a key", GOOD + "  备注: 待核\n", 3, "以 # 开头的一行"),
    ("Q and A", "- Q: 年假\n  A: 五天\n", 1, "请改成“question”（问题）"),
    ("misspelt key", "- question: 年假\n  anwser: 五天\n", 2, "“anwser”，是不是“answer”"),
    ("Chinese key between two", "- 问题: 年假\n  答按: 五天\n", 2, "“答按”，是不是"),
    ("Chinese key by its sound", "- 问提: 年假\n  答案: 五天\n", 1, "“问提”，是不是"),
    ("misspelt key with a wide colon", "- quesiton：年假\n  answer：五天\n", 1, "“quesiton”，是不是“question”"),
    ("capital letters", "- Question: 年假\n  ANSWER: 五天\n", 2, "“ANSWER”，是不是“answer”"),
    ("quoted key", "- “question”: 年假\n  answer: 五天\n", 1, "是不是“question”"),
    ("misspelt entries", "entires:\n" + GOOD, 1, "“entires”，是不是“entries”"),
    ("id twice", "- id: a\n  question: 年假\n  answer: 五\n- id: a\n  question: 病假\n  answer: 三\n", 4,
     "编号“a”重复"),
    ("key twice", GOOD + "  answer: 六天\n", 3, "“answer”重复（第 2 行已有）"),
    ("key twice in two languages", GOOD + "  答案: 六天\n", 3, "“answer”和它是一个意思"),
    ("entries twice", "entries:\n" + GOOD + "entries:\n" + GOOD, 4, "“entries”重复（第 1 行已有）"),
    ("entries within an entry", "entries:\n  - entries:\n    - question: a\n      answer: b\n", 2,
     "不认识的键“entries”"),
    ("quote open to the end", '- question: 年假\n  answer: "五天\n', 2, "引号没有写完"),
    ("quote open to the next quote", GOOD + '- question: "病假\n  answer: "三天"\n', 3, "引号没有写完"),
    ("quote open over an entry", '- question: "年假\n  answer: 五天\n- question: "病假"\n  answer: 三\n', 1,
     "引号没有写完"),
    ("text behind a quote", GOOD + '  also: "年休假" 年假天数\n', 3, "检查这一行的括号和引号"),
    ("bracket open", GOOD + "  also: [年休假, 年假天数\n- " + SICK.format("  "), 3, "方括号 [ ] 没有写完整"),
    ("bracket open to the end", GOOD + "  also: [年休假, 年假天数\n", 3, "方括号 [ ] 没有写完整"),
    ("brace open", GOOD + "  valid: {from: 2026-01-01\n- " + SICK.format("  "), 3, "花括号 { } 没有写完整"),
    ("two lists on one line", GOOD + "  also: [甲] [乙]\n", 3, "括号或引号已经结束"),
    ("dash behind the key", GOOD + "  also: - 甲\n    - 乙\n", 3, "“- ”要另起一行写"),
    ("bold in a list", GOOD + "  also: [**甲**, 乙]\n", 3, "如果是加粗，请给整句加上英文双引号"),
    ("at sign in a list", GOOD + "  also: [@甲]\n", 3, "特殊符号"),
    ("backslash in quotes", '- question: 年假\n  answer: "C:\\资料"\n', 2, "请改用单引号"),
    ("question and answer on one line", "- question: 年假 answer: 五天\n", 1, "“answer”要另起一行"),
    ("question and answer on one line, Chinese", "- 问题：年假几天？ 答案：五天\n", 1, "“答案”要另起一行"),
    ("question and answer parted by a comma", "- question: 年假, answer: 五天\n", 1, "写了两项"),
    ("a quote that swallowed the answer", "- question: '年假\n  answer: 五天'\n", 1, "把“answer”也包了进去"),
    ("numbered lines without a bar", "- question: 年假\n  answer: 1. 五天\n  2. 六天\n", 3, "请写成“answer: |”"),
    ("a wide comma for a colon", "- question，年假\n  answer，五天\n", 1, "“question”后面少了英文冒号"),
    ("bold at the edge of a block", "- question: 年假\n  answer: |\n  **五天**\n", 3, "多缩进两个空格"),
    ("two topics in one file", FILE + "topic: 考勤\n", 7, "几个主题请分成几个文件"),
    ("questions as keys", "年假有几天？: 五天\n病假怎么请？: 找主管\n", 1, "每条要写成两行"),
    ("questions as keys in a list", "- 年假有几天？: 五天\n- 病假怎么请？: 找主管\n", 1, "每条要写成两行"),
    ("wide letters", "- ｑｕｅｓｔｉｏｎ: 年假\n  answer: 五天\n", 1, "是不是“question”"),
    ("an answer by cases in braces", "- question: 年假\n  answer: {上海: 五天}\n", 2, "请写 ask（追问）"),
    ("a question back without its name", "- question: a\n  ask: {哪个城市？}\n  answers: {x: y}\n", 2,
     "冒号前面是名字"),
    ("cases as a list", "- question: a\n  ask: {c: 哪里}\n  answers:\n    - 上海: 五天\n", 4, "前面不要“- ”"),
    ("cases in one sentence", "- question: a\n  ask: {c: 哪里}\n  answers: 上海五天\n", 3, "每种情况一行"),
    ("several owners", GOOD + "  owner: [张三, 李四]\n", 3, "只能写一个"),
    ("GBK", (GOOD + "  source: 员工手册第五章\n").encode("gbk"), 1, "是 GBK 编码"),
    ("UTF-16 from Notepad", GOOD.encode("utf-16"), 1, "UTF-16"),
    ("UTF-16 without a mark", GOOD.encode("utf-16-le"), 1, "不是 UTF-8"),
    ("cut in the middle of a character", FILE.encode()[:60], 4, "没有保存完整"),
    ("zero bytes after a power cut", GOOD.encode() + b"\0" * 64, 3, "没有保存完整"),
    ("a zero byte", "- question: 年\0假\n  answer: 五天\n", 1, "看不见的控制字符"),
    ("no answer", "- question: 年假\n", 1, "没有答案"),
    ("an empty answer", "- question: 年假\n  answer:\n", 1, "没有答案"),
    ("no question", "- answer: 五天\n", 1, "没有问题"),
    ("answer taken for a comment", "- question: 年假\n  answer: #1 规则\n", 1, "第 2 行“#”后面的字被当成注释"),
    ("a list for a question", "- question: [年假, 年休假]\n  answer: 五天\n", 1, "应是一段文字"),
    ("a list for an answer", "- question: 年假\n  answer:\n    - 五天\n    - 六天\n", 3, "写成了列表"),
    ("an answer with cases", "- question: 年假\n  answer:\n    上海: 五天\n", 3, "应是一段文字"),
    ("merge conflict around entries", f"<<<<<<< HEAD\n{GOOD}=======\n{GOOD}>>>>>>> other\n", 1, "合并冲突"),
    ("merge conflict within an answer",
     "- question: 年假\n  answer: |\n    五天\n<<<<<<< HEAD\n    六\n=======\n    七\n>>>>>>> x\n",
     4, "合并冲突"),
    ("two documents", GOOD + "---\n" + GOOD, 3, "文件中间出现了“---”"),
    ("a web page", "<!DOCTYPE html>\n<html><body><p>年假</p></body></html>\n", 1, "网页（HTML）"),
    ("a table", "问题,答案\n年假,五天\n病假,三天\n", 1, "表格（CSV）"),
    ("a quoted table", '"编号","问题","答案"\n"a","年假","五天"\n', 1, "表格（CSV）"),
    ("a letter on one line", "请问，" * 20000 + "\n", 1, "没有看到条目"),
    ("a spreadsheet by another name", OFFICE, 1, "Word 或 Excel 文件"),
    ("a chat's code box", f"```yaml\n{GOOD}```\n", 1, "代码框"),
    ("prose", "# 年假\n\n年假有五天。\n\n## 病假\n", 3, "没有看到条目"),
    ("a note on top", "😀 假期说明\n- question: 年假\n  answer: 五天\n", 1, "如果是说明，请在最前面加 #"),
    ("JSON with a comma too many", '{"entries": [{"question": "年假", "answer": "五天",}]\n', 1, "没有写完整"),
]  # fmt: skip

# what happened, the file, the line, what is said, and what is read all the same: the file is live.
READ = [
    ("a bell", "- question: 年假\n  answer: 五\x07天\n", 2, "看不见的控制字符", {"answer": "五天"}),
    ("Word's line break", "- question: 年假\n  answer: 五\x0b天\n", 2, "看不见的控制字符", {"answer": "五 天"}),
    ("wide colons", "- 问题：年假\n  答案：六天\n", 2, "全角冒号", {"answer": "六天"}),
    ("no blank behind colons", "- question:年假\n  answer:六天\n", 1, "少了一个空格", {"answer": "六天"}),
    ("tab", "- question: 年假\n\tanswer: 六天\n", 2, "Tab", {"answer": "六天"}),
    ("two tabs", "- question: 年假\n\t\tanswer: 六天\n", 2, "Tab", {"answer": "六天"}),
    ("tab behind a colon", "- question:\t年假\n  answer: 六天\n", 1, "普通的空格", {"question": "年假"}),
    ("wide blanks", "- question: 年假\n　　answer: 六天\n", 2, "全角空格", {"answer": "六天"}),
    ("blanks from a web page", "-\u00a0question: 年假\n\u00a0\u00a0answer: 六天\n", 2, "空格", {"answer": "六天"}),
    ("invisible character", "\u200b- question: 年假\n  answer: 六天\n", 1, "看不见的字符", {"question": "年假"}),
    ("files glued together", GOOD + "\ufeff- question: 病假\n  answer: 三\n", 3, "看不见的字符", {"answer": "五天"}),
    ("wide dash", "－ question: 年假\n  answer: 六天\n", 1, "横线", {"answer": "六天"}),
    ("Word's dash", "— question: 年假\n  answer: 六天\n", 1, "横线", {"answer": "六天"}),
    ("bullets", "• question: 年假\n  answer: 六天\n", 1, "“- ”开头", {"answer": "六天"}),
    ("numbers", "1. question: 年假\n   answer: 六天\n", 1, "“- ”开头", {"answer": "六天"}),
    ("Chinese quotes around an id", "- id: “年假”\n  question: 假\n  answer: 六天\n", 1, "中文引号", {"id": "年假"}),
    ("Chinese quotes in a list", GOOD + "  also: [“甲”，“乙”]\n", 3, "方括号和逗号", {"also": ("甲", "乙")}),
    ("one Chinese quote", '- question: "年假”\n  answer: 六天\n', 1, "引号要一样", {"question": "年假"}),
    ("the other Chinese quote", '- question: “年假"\n  answer: 六天\n', 1, "引号要一样", {"question": "年假"}),
    ("quotes within a sentence", '- question: 年假\n  answer: "五天"以上\n', 2, "双引号", {"answer": '"五天"以上'}),
    ("wide brackets", GOOD + "  also: 【甲, 乙】\n", 3, "方括号", {"also": ("甲", "乙")}),
    ("half a wide bracket", GOOD + "  also: [甲, 乙】\n", 3, "方括号", {"also": ("甲", "乙")}),
    ("wide commas", GOOD + "  also: [甲，乙]\n", 3, "中文逗号", {"also": ("甲，乙",)}),
    ("commas without brackets", GOOD + "  also: 甲，乙\n", 3, "被当成一种问法", {"also": ("甲，乙",)}),
    ("lines without dashes", GOOD + "  also:\n    甲\n    乙\n", 4, "请在每一句前面加“- ”", {"also": ("甲 乙",)}),
    ("wide braces", GOOD + "  valid: ｛from：2026-01-01，until：2026-12-31｝\n", 3, "有效期应写成", {"held": ""}),
    ("no blanks in braces", GOOD + "  valid: {from:2026-01-01}\n", 3, "有效期应写成", {"held": ""}),
    ("a period in words", GOOD + "  valid: 2026-01-01 至 2026-12-31\n", 3, "有效期应写成", {"held": ""}),
    ("one date for a period", GOOD + "  valid: 2026年1月1日\n", 3, "有效期应写成", {"held": "有效期读不懂"}),
    ("a day that is none", GOOD + "  review: 2026-2-30\n", 3, "2026-2-30", {"review": None}),
    ("a month that is none", GOOD + "  valid: {from: 2026-13-01}\n", 3, "2026-13-01", {"held": "有效期读不懂"}),
    ("a flag in other words", GOOD + "  private: 可能\n", 3, "true（是）", {"private": True}),
    ("bold", "- question: 年假\n  answer: **六天**\n", 2, "双引号", {"answer": "**六天**"}),
    ("bold in a list of lines", GOOD + "  also:\n    - **甲**\n", 4, "双引号", {"also": ("**甲**",)}),
    ("colon in a list of lines", GOOD + "  also:\n    - 年假: 几天\n", 4, "双引号", {"also": ("年假: 几天",)}),
    ("two dashes", "-- question: 年假\n   answer: 六天\n", 1, "横线", {"answer": "六天"}),
    ("a Chinese dash", "——问题：年假\n  答案：六天\n", 1, "横线", {"answer": "六天"}),
    ("a period with an arrow", GOOD + "  valid: 2026-01-01 -> 2026-12-31\n", 3, "有效期应写成", {"held": ""}),
    ("semicolons without brackets", GOOD + "  also: 甲；乙\n", 3, "被当成一种问法", {"also": ("甲；乙",)}),
    ("list lines in a sentence", "- question: 年假\n  answer: 有\n    - 五\n    - 六\n", 3, "请写成“answer: |”",
     {"answer": "有 - 五 - 六"}),
    ("a period since a day", GOOD + "  valid: 2026-01-01 起\n", 3, "有效期应写成", {"held": ""}),
    ("a period up to a day", GOOD + "  valid: 截至 2026-12-31\n", 3, "有效期应写成", {"held": ""}),
    ("wide commas between quotes", GOOD + '  also: ["甲"，"乙"]\n', 3, "英文的方括号和逗号", {"also": ("甲", "乙")}),
    ("a comma item", GOOD + '  also: ["、"，"甲", "，"]\n', 3, "方括号和逗号", {"also": ("、", "甲", "，")}),
    ("wide colons behind cases", "- 问: a\n  追问: {城市：哪里}\n  答案按:\n    上海：五\n    其他：六\n", 4,
     "全角冒号", {"variants": {"上海": "五", "else": "六"}}),
    ("nothing in words", GOOD + "  source: 无\n", 3, "没有就把它删掉", {"source": "无"}),
    ("an answer that is none", "- question: 年假\n  answer: 待补充\n", 2, "draft: true", {"answer": "待补充"}),
    ("the name of a group", GOOD + "  groups: [全员群]\n", 3, "不像会话编号", {"groups": ("全员群",)}),
    ("hash in a repeated wording", GOOD + "  also:\n    - 年假 #1\n", 4, "被当成注释", {"also": ()}),
    ("a link in wide brackets", "- question: 年假\n  answer: 见[手册]（https://a.com）\n", 2, "英文的方括号", {}),
    ("a link without https", "- question: 年假\n  answer: 见[手册](www.a.com)\n", 2, "少了 https://", {}),
    ("a link without an address", "- question: 年假\n  answer: 见[手册](待补充)\n", 2, "不是网址", {}),
    ("a table in an answer", "- question: 年假\n  answer: |\n    |甲|乙|\n    |---|---|\n", 3, "显示不出表格", {}),
    ("a tag in an answer", "- question: 年假\n  answer: 五<br>六\n", 2, "显示不出网页标签", {}),
    ("mention", "- question: 年假\n  answer: @张三\n", 2, "双引号", {"answer": "@张三"}),
    ("colon in a sentence", "- question: 年假\n  answer: 注意: 六天\n", 2, "双引号", {"answer": "注意: 六天"}),
    ("hash in a sentence", "- question: 年假\n  answer: 分机 #8001\n", 2, "被当成注释", {"answer": "分机"}),
    ("key out of line", "- question: 年假\n    来源：手册\n  answer: 六天\n", 2, "没有和上面的键对齐",
     {"answer": "六天"}),
]  # fmt: skip

FINE = [
    ("emoji", "- question: 年假😀\n  answer: 五天🎉\n"),
    ("Chinese quotes in a sentence", "- question: “年假”几天\n  answer: “五天”\n"),
    ("dates with slashes", GOOD + "  review: 2026/1/1\n"),
    ("old Mac line ends", GOOD.replace("\n", "\r")),
    ("JSON", '{"entries": [{"question": "年假", "answer": "五天"}]}\n'),
    ("signs of comparison in an answer", "- question: 年假\n  answer: |\n    <<<<<<< 看这里\n    <5 天\n"),
]

# The slips for which only one thing can be meant are put right, and the file is live afterwards.
PUT_RIGHT = {
    "Chinese key, right value", "misspelt key", "Chinese key by its sound", "misspelt key with a wide colon",
    "capital letters", "quoted key", "misspelt entries", "GBK", "UTF-16 from Notepad", "wide letters",
}  # fmt: skip
# Shown but left to HR: more than one thing may be meant.
LEFT = {
    "wide commas", "commas without brackets", "lines without dashes", "one date for a period", "a day that is none",
    "a month that is none", "a flag in other words", "hash in a sentence", "key out of line",
    "nothing in words", "an answer that is none",
    "semicolons without brackets", "list lines in a sentence", "the name of a group", "hash in a repeated wording",
    "a link without an address", "a table in an answer", "a tag in an answer",
}  # fmt: skip

JARGON = re.compile(
    r"(?i)mapping|scalar|token|sequence|block|flow|parser|stream|alias|anchor|indicator|escape|expected|unicode\w|None"
)


def raw(text):
    return text if isinstance(text, bytes) else text.encode()


def rows(table):
    return [pytest.param(*row[1:], id=row[0]) for row in table]


def test_the_table_is_long_enough_and_every_name_is_its_own():
    names = [row[0] for row in (*BROKEN, *READ, *FINE)]
    assert len(BROKEN) >= 60 and len(names) == len(set(names))
    assert set(names) >= PUT_RIGHT | LEFT


@pytest.mark.parametrize(("text", "line", "part"), rows(BROKEN))
def test_a_mistake_is_explained_at_its_line_in_plain_words(text, line, part):
    parsed = parse_file("f.yaml", raw(text))
    assert not parsed.ok
    told = [(p.place.line, p.message) for p in parsed.problems if p.is_error]
    assert any(at == line and part in message for at, message in told), told
    assert min(at for at, _ in told) == line or len(told) > 1
    for problem in parsed.problems:
        assert not JARGON.search(problem.message.replace(text if isinstance(text, str) else "", "")), problem.message
        assert re.search("[\u4e00-\u9fff]", problem.message)


@pytest.mark.parametrize(("text", "line", "part", "read"), rows(READ))
def test_a_slip_is_read_as_meant_or_safely_and_said(text, line, part, read):
    parsed = parse_file("f.yaml", raw(text))
    assert parsed.ok, parsed.problems
    told = [(p.place.line, p.message) for p in parsed.problems]
    assert any(at == line and part in message for at, message in told), told
    assert {name: getattr(parsed.entries[0], name) for name in read} == read


@pytest.mark.parametrize("text", [row[1] for row in FINE], ids=[row[0] for row in FINE])
def test_what_only_looks_odd_is_fine(text):
    assert parse_file("f.yaml", raw(text)).problems == ()
    assert fix(raw(text), NAME) == (raw(text), [])


@pytest.mark.parametrize("row", [*BROKEN, *READ], ids=lambda row: row[0])
def test_what_is_certain_is_put_right_and_nothing_else(row):
    before = raw(row[1])
    after, fixes = fix(before, NAME)
    was, now = parse_file("f.yaml", before), parse_file("f.yaml", after)
    assert fix(after, NAME) == (after, [])
    if row in READ:
        assert [(e.question, correct_links(e.answer), e.also, e.valid) for e in now.entries] == [
            (e.question, correct_links(e.answer), e.also, e.valid) for e in was.entries
        ]
        assert bool(fixes) is (row[0] not in LEFT)
        assert row[0] in LEFT or not any(row[3] in p.message for p in now.problems if p.place.line == row[2])
    else:
        assert now.ok is (row[0] in PUT_RIGHT), now.problems
    for made in fixes:
        assert made.file == NAME and made.before != made.after and made.line >= 1


async def test_while_a_broken_file_lies_there_the_last_good_answer_stays(tmp_path):
    (tmp_path / "faq").mkdir()
    (tmp_path / "faq" / "other.yaml").write_text("- question: 打卡\n  answer: 早上\n", encoding="utf-8")
    at = time.time() - 10_000

    def save(content):
        nonlocal at
        at += 1
        (tmp_path / NAME).write_bytes(content)
        os.utime(tmp_path / NAME, (at, at))

    save("- question: 年假\n  answer: 旧的答案\n".encode())
    library = KnowledgeBase(FolderSource(tmp_path), lambda: date(2026, 11, 22))
    await library.refresh()
    for what, text, line, _ in BROKEN:
        save(raw(text))
        assert await library.refresh(), what
        snapshot = library.current
        answers = {e.question: e.answer for e in snapshot.entries}
        assert answers == {"年假": "旧的答案", "打卡": "早上"}, what
        assert any(p.is_error and p.place.line == line for p in snapshot.problems), what
    save("- question: 年假\n  answer: 新的答案\n".encode())
    await library.refresh()
    assert library.current.entry("年假").answer == "新的答案"
    await library.close()
