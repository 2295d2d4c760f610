"""The same entries in the ways people write them, and what a test asks of an edited file."""

from __future__ import annotations

import difflib
from dataclasses import replace

from hypothesis import strategies as st

from faqbot.knowledge.editing.entry_fields import EntryFields, entry_to_fields
from faqbot.knowledge.entry_parser import parse_file
from tests.knowledge.editing.on_bytes import change_entry, entry_text


def entries(raw):
    parsed = parse_file("", raw)
    assert parsed.ok, parsed.problems
    return {entry.id: entry for entry in parsed.entries}


def one(raw, entry_id):
    return entries(raw)[entry_id]


def differences(before, after):
    """The lines that went and the lines that came."""
    lines = list(difflib.ndiff(before.decode().splitlines(True), after.decode().splitlines(True)))
    return [x[2:] for x in lines if x[0] == "-"], [x[2:] for x in lines if x[0] == "+"]


def changed(raw, entry_id, **fields):
    return change_entry(raw, entry_id, replace(entry_to_fields(one(raw, entry_id)), **fields))


def b(text):
    return text.encode()


def others_unchanged(before, after, entry_id="b"):
    old, new = entries(before), entries(after)
    place = next(iter(new.values())).place
    kept = {k: replace(e, place=place, id_given=True) for k, e in old.items() if k != entry_id}
    assert {k: replace(e, place=place, id_given=True) for k, e in new.items() if k != entry_id} == kept


def outside(raw, entry_id="b"):
    """What stands above and below an entry."""
    text = entry_text(raw, entry_id)
    content = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    assert text.rstrip("\n") in content
    above, _, below = content.partition(text.rstrip("\n"))
    return above, below


# The same entries in the ways people write them. The one that is edited is `b`; the others hold traps.
STYLES = {
    "english": """\
# 假期
topic: 休假   # 主题
owner: "休假组"
entries:

  # 甲的说明
  - id: a
    question: '甲'
    answer: 甲答
    also: [一,  二 ,]   # 列表

  # 乙的说明
  - id: b
    question: 乙？
    also: [三, 四]
    answer: |
      乙答

      第二段
    # 来源待补
    related: [a]

  - id: c
    question: "丙"
    answer: >-
      丙答
# 完
""",
    "chinese": """\
主题: 休假
条目:
- 编号: a
  问: 甲
  答: 甲答
- 编号: b
  问: 乙？
  相似问:
    - 三   # 说明
    - "四"
  答: 乙答
  私聊: 是
- 编号: c
  问: 丙
  相似问:
  - 五
  答: |+
    丙答

""",
    "bare list, deep indent": """\
-   id: a
    question: 甲
    answer: 甲答
-   question: 乙？
    id: b
    answer: "乙答 #1"
    valid: {from: 2026-01-01, until: 2026/12/31}
    also: 三
-
    # 注释
    id: c
    question: 丙
    answer: 丙答
""",
    "slips": """\
主题：休假
条目：
\t- 编号：a
\t  问题：甲
\t  答案：**甲** 答
\t- 编号：b
\t  问题：乙？
\t  答案：乙: 答
\t  有效期:
\t    从: 2026-01-01
\t- 编号：c
\t  问题：丙
\t  答案：丙答
""",
    "one line each": """\
entries:
  - {id: a, question: 甲, answer: 甲答}
  - {id: b, question: "乙？", also: [三, "四"], answer: 乙答, private: yes}   # 注
  - {id: c, question: 丙, answer: 丙答}
""",
    "json": '[{"id": "a", "question": "甲", "answer": "甲答"},\n {"id": "b", "question": "乙？", "answer": "乙答"}]\n',
    "answers": """\
entries:
  - id: b
    question: 乙？
    ask: {city: 哪里？}   # 追问
    answers:
      上海: 一
      else: |
        二
    groups: [cid1]
  - id: c
    question: 丙
    answer: 丙答
""",
    "lists over lines": """\
private: true
entries:
  - id: b
    question: 乙？
    also: [三,   # 第一个
           四,
    ]
    not: |
      五
      六
    answer: 乙
      答   # 还没写完
    review: 2026年12月1日
""",
}  # fmt: skip
STYLED = {name: text.encode() for name, text in STYLES.items()}
STYLED["carriage returns"] = STYLED["english"].replace(b"\n", b"\r\n")
STYLED["old mac"] = STYLED["chinese"].replace(b"\n", b"\r")
STYLED["byte order mark"] = b"\xef\xbb\xbf" + STYLED["english"]
STYLED["no final line end"] = STYLED["bare list, deep indent"].rstrip(b"\n")
STYLED["mixed line ends"] = STYLED["english"].replace(b"\n", b"\r\n", 9)
IN_LINES = [name for name in STYLED if name != "json"]

ANY = st.one_of(st.text(max_size=40), st.text("年假 a:-#'\"{}[]|>&*!%@`,\n\t\\?~=：，、“”0.\u3000\r", max_size=30))
TEXT = ANY.filter(str.strip)


LIST = st.lists(ANY, max_size=4).map(tuple)
DAY = st.one_of(st.just(""), st.dates().map(str))


@st.composite
def drafts(draw):
    first, last = sorted((draw(DAY), draw(DAY)))
    return EntryFields(
        id="b",
        question=draw(TEXT),
        also=draw(LIST),
        not_=draw(LIST),
        answer=draw(TEXT),
        topic=draw(ANY),
        owner=draw(ANY),
        source=draw(ANY),
        related=draw(LIST),
        valid_from=first,
        valid_until=last,
        review=draw(DAY),
        groups=draw(LIST),
        departments=draw(LIST),
        private=draw(st.booleans()),
        draft=draw(st.booleans()),
    )
