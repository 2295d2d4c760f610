"""A knowledge file is read as HR meant it, or every slip is explained with its line and nothing goes live."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.knowledge.entry_parser import id_from, parse_file
from faqbot.knowledge.groups_file import parse_groups
from faqbot.knowledge.synonyms_and_facts import parse_facts, parse_synonyms
from faqbot.model.entries import FollowUp, Period, Place
from faqbot.rules.parser import read_automations
from faqbot.yamltext.key_names import ENTRY_KEYS

NAME = "knowledge/faq/leave.yaml"
GOOD = "- question: 年假\n  answer: 五天\n"


def parse(text):
    return parse_file(NAME, text.encode() if isinstance(text, str) else text)


def only(text):
    """The one entry of a text without any problem."""
    parsed = parse(text)
    assert parsed.problems == ()
    (entry,) = parsed.entries
    return entry


def told(parsed):
    return [(p.place.line, p.message) for p in parsed.problems]


def assert_problem(parsed, line, part, *, is_error):
    found = [p for p in parsed.problems if p.place == Place(NAME, line) and part in p.message]
    assert found, told(parsed)
    assert found[0].is_error is is_error
    assert parsed.ok is not any(p.is_error for p in parsed.problems)


# -- the format --------------------------------------------------------------------------------

ENGLISH = """\
topic: 休假
owner: 休假组            # 谁来维护
entries:
  - id: annual-leave
    question: 年假有几天？
    also: [年休假天数, 一年能休多少天年假]
    not: [年假没休完怎么办]          # looks alike, is not this
    answer: |
      满 1 年不满 10 年的，**5 天**；满 20 年的，15 天。
    source: 《员工手册》第 5 章
    related: [annual-leave-carry-over]
    valid: {from: 2026-01-01, until: 2026-12-31}
    review: 2026-12-01
    groups: [cidXXX]
    departments: [1001]
    private: true
    draft: true
  - id: city
    question: 公积金比例是多少？
    ask: {city: 您在哪个城市？}
    answers: {上海: 7%, 北京: 12%, else: 请问当地人事}
"""

CHINESE = """\
主题: 休假
负责人: 休假组            # 谁来维护
条目:
  - 编号: annual-leave
    问题: 年假有几天？
    也问: [年休假天数, 一年能休多少天年假]
    不是: [年假没休完怎么办]          # looks alike, is not this
    答案: |
      满 1 年不满 10 年的，**5 天**；满 20 年的，15 天。
    来源: 《员工手册》第 5 章
    相关: [annual-leave-carry-over]
    有效期: {从: 2026-01-01, 到: 2026-12-31}
    复核: 2026-12-01
    群: [cidXXX]
    部门: [1001]
    私聊: 是
    草稿: 是
  - 编号: city
    问题: 公积金比例是多少？
    追问: {city: 您在哪个城市？}
    答案按: {上海: 7%, 北京: 12%, 其他: 请问当地人事}
"""


def test_every_key_is_read():
    parsed = parse(ENGLISH)
    assert parsed.problems == ()
    leave, city = parsed.entries
    assert leave.id == "annual-leave" and leave.id_given
    assert leave.question == "年假有几天？"
    assert leave.also == ("年休假天数", "一年能休多少天年假")
    assert leave.not_ == ("年假没休完怎么办",)
    assert leave.answer == "满 1 年不满 10 年的，**5 天**；满 20 年的，15 天。"
    assert (leave.topic, leave.owner, leave.source) == ("休假", "休假组", "《员工手册》第 5 章")
    assert leave.related == ("annual-leave-carry-over",)
    assert leave.valid == Period(date(2026, 1, 1), date(2026, 12, 31))
    assert leave.review == date(2026, 12, 1)
    assert (leave.groups, leave.departments) == (("cidXXX",), ("1001",))
    assert leave.private and leave.draft and not leave.held
    assert leave.place == Place(NAME, 4)
    assert city.answer == ""
    assert city.ask == FollowUp("city", "您在哪个城市？")
    assert dict(city.variants) == {"上海": "7%", "北京": "12%", "else": "请问当地人事"}
    assert list(city.variants) == ["上海", "北京", "else"]


def test_chinese_keys_give_equal_entries():
    assert parse(CHINESE).problems == ()
    assert parse(CHINESE).entries == parse(ENGLISH).entries


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("问", "question"),
        ("答", "answer"),
        ("相似问", "also"),
        ("问题", "question"),
        ("答案", "answer"),
        ("也问", "also"),
    ],
)
def test_short_and_long_chinese_keys_mean_the_same(word, key):
    assert ENTRY_KEYS[word] == key
    lines = {"question": "年假", "answer": "五天", "also": "[年休假]"}
    text = "- " + "\n  ".join(f"{word if k == key else k}: {v}" for k, v in lines.items())
    assert only(text) == only("- question: 年假\n  answer: 五天\n  also: [年休假]")


def test_a_bare_list_is_a_file():
    assert only(GOOD).question == "年假"
    assert only("entries:\n" + GOOD).answer == only(GOOD).answer
    assert only("---\n" + GOOD).question == "年假"


def test_only_question_and_answer_are_required():
    entry = only(GOOD)
    assert (entry.topic, entry.owner, entry.source, entry.also, entry.groups) == ("", "", "", (), ())
    assert entry.valid == Period() and entry.review is None
    assert not (entry.private or entry.draft or entry.held or entry.id_given)


@pytest.mark.parametrize(
    ("key", "value", "field", "read"),
    [
        ("topic", "休假", "topic", "休假"),
        ("owner", "休假组", "owner", "休假组"),
        ("source", "手册", "source", "手册"),
        ("groups", "[cid1, cid2]", "groups", ("cid1", "cid2")),
        ("departments", "[1001]", "departments", ("1001",)),
        ("private", "true", "private", True),
        ("review", "2026-12-01", "review", date(2026, 12, 1)),
        ("主题", "休假", "topic", "休假"),
        ("负责人", "休假组", "owner", "休假组"),
        ("来源", "手册", "source", "手册"),
        ("群", "[cid1]", "groups", ("cid1",)),
        ("部门", "[1001]", "departments", ("1001",)),
        ("私聊", "是", "private", True),
        ("复核", "2026-12-01", "review", date(2026, 12, 1)),
    ],
)
def test_a_key_at_the_top_holds_for_all_entries(key, value, field, read):
    parsed = parse(f"{key}: {value}\nentries:\n{GOOD}- question: 病假\n  answer: 三天\n")
    assert parsed.problems == ()
    assert [getattr(e, field) for e in parsed.entries] == [read, read]


def test_an_entry_overrides_what_stands_at_the_top():
    text = "topic: 休假\nprivate: true\nentries:\n" + GOOD + "  topic: 考勤\n  私聊: 否\n"
    assert (only(text).topic, only(text).private) == ("考勤", False)


@pytest.mark.parametrize(
    "value", ["9:30", "0571", "no", "yes", "2026-01-01", "1e3", "0x10", "1_000", "3.10", "=", "是"]
)
def test_values_are_read_as_written(value):
    text = (
        f"- id: {value}\n  question: {value}\n  answer: {value}\n  also: [问 {value}, {value}]\n  related: [{value}]\n"
    )
    entry = only(text)
    assert (entry.id, entry.question, entry.answer, entry.related) == (value, value, value, (value,))
    assert entry.also == (f"问 {value}",)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("“五天”以上", "“五天”以上"),
        ('"五天"', "五天"),
        ("'it''s'", "it's"),
        ("见 https://example.com/a?b=1#c", "见 https://example.com/a?b=1#c"),
        ("五天 # 注释", "五天"),
        ("第一行\n    第二行", "第一行 第二行"),
        ("|\n    第一行\n\n    第二行", "第一行\n\n第二行"),
        (">-\n    第一行\n    第二行", "第一行 第二行"),
        ('"~"', "~"),
    ],
)
def test_sentences_are_read_as_meant(written, read):
    assert only(f"- question: 年假\n  answer: {written}\n").answer == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[甲, 乙]", ("甲", "乙")),
        ("\n    - 甲\n    - 乙", ("甲", "乙")),
        ("甲", ("甲",)),
        ("|\n    甲\n    乙", ("甲", "乙")),
        ("[甲, 甲, '', 年假]", ("甲",)),
        ("[]", ()),
        ("", ()),
    ],
)
def test_a_list_may_be_written_in_several_ways(written, read):
    assert only(f"- question: 年假\n  answer: 五天\n  also: {written}\n").also == read


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("{from: 2026-01-01, until: 2026-12-31}", Period(date(2026, 1, 1), date(2026, 12, 31))),
        ("{从: 2026年1月1日, 到: 2026/12/31}", Period(date(2026, 1, 1), date(2026, 12, 31))),
        ("{from: 2026.3.5}", Period(date(2026, 3, 5), None)),
        ("{until: '2026-12-31'}", Period(None, date(2026, 12, 31))),
        ("{from: , until: 2026-12-31}", Period(None, date(2026, 12, 31))),
        ("", Period()),
    ],
)
def test_valid_takes_dates_as_people_write_them(written, period):
    entry = only(f"- question: 年假\n  answer: 五天\n  valid: {written}\n")
    assert entry.valid == period and not entry.held


@pytest.mark.parametrize(
    ("word", "yes"),
    [
        ("true", True),
        ("是", True),
        ("Yes", True),
        ("1", True),
        ("false", False),
        ("否", False),
        ("no", False),
        ("", False),
    ],
)
def test_flags_understand_yes_and_no_in_both_languages(word, yes):
    entry = only(f"- question: 年假\n  answer: 五天\n  private: {word}\n  draft: {word}\n")
    assert (entry.private, entry.draft) == (yes, yes)


@pytest.mark.parametrize("text", ["", "\n\n", "# 还没写\n", "[]", "entries: []\n", "topic: 休假\nentries:\n"])
def test_a_file_without_entries_is_fine(text):
    parsed = parse(text)
    assert parsed.ok and parsed.entries == () and parsed.problems == ()


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(ends):
    assert only("\ufeff" + GOOD.replace("\n", ends)) == only(GOOD)


# -- ask and answers ---------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["else", "其他", "其它", "否则"])
def test_the_fallback_of_a_question_back_has_several_names(word):
    entry = only(f"- question: 公积金\n  ask: {{city: 哪个城市}}\n  answers:\n    上海: 7%\n    {word}: 问人事\n")
    assert dict(entry.variants) == {"上海": "7%", "else": "问人事"}


def test_answers_win_over_answer_and_say_so():
    parsed = parse("- question: 公积金\n  answer: 统一\n  ask: {city: 哪个城市}\n  answers: {上海: 7%}\n")
    assert_problem(parsed, 1, "以 answers 为准", is_error=False)
    assert parsed.entries[0].answer == "" and dict(parsed.entries[0].variants) == {"上海": "7%"}


# -- ids -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "made"),
    [
        ("年假有几天？", "年假有几天"),
        ("VPN 怎么用", "vpn-怎么用"),
        ("？？？", "entry"),
        ("  a_b  ", "a-b"),
        ("长" * 99, "长" * 40),
    ],
)
def test_an_id_is_made_from_the_question(question, made):
    assert id_from(question) == made


@given(st.text(max_size=80))
def test_a_made_id_is_one_short_line_and_stable(question):
    made = id_from(question)
    assert 0 < len(made) <= 60 and len(made.splitlines()) == 1
    assert id_from(question) == made


def test_an_id_stays_when_other_parts_of_the_file_change():
    before = only(GOOD).id
    changed = parse(f"topic: 休假\nentries:\n- question: 病假\n  answer: 三天\n{GOOD}  also: [年休假]\n")
    assert changed.entries[1].id == before


def test_ids_are_distinct_where_questions_look_the_same():
    parsed = parse(
        GOOD + "- question: 年假？\n  answer: 五\n- question: 年假！\n  answer: 六\n"
        "- id: 年假-2\n  question: 假\n  answer: 七\n"
    )
    ids = [e.id for e in parsed.entries]
    assert parsed.ok and len(set(ids)) == 4 and ids[0] == "年假" and ids[3] == "年假-2"


def test_versions_of_one_answer_get_ids_of_their_own():
    parsed = parse(
        "- question: 基数\n  answer: 旧\n  valid: {until: 2026-06-30}\n"
        "- question: 基数\n  answer: 新\n  valid: {from: 2026-07-01}\n"
    )
    assert parsed.problems == ()
    assert [e.id for e in parsed.entries] == ["基数", "基数@2026-07-01"]


def test_an_id_may_be_any_text_without_a_line_break():
    assert only("- id: 年假 / 5（天）\n" + GOOD.replace("-", " ")).id == "年假 / 5（天）"
    parsed = parse('- id: "a\\nb"\n' + GOOD.replace("-", " "))
    assert_problem(parsed, 1, "不能换行", is_error=False)
    assert parsed.entries[0].id == "a b"


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "line", "part"),
    [
        (GOOD.encode("gbk"), 1, "GBK"),
        (b"# ok\n" + GOOD.encode("gbk"), 2, "GBK"),
        (GOOD.encode("utf-16"), 1, "UTF-8"),
        (b"- question: a\n  answer: \xff\xff\n", 2, "UTF-8"),
        (GOOD.encode()[:-2], 2, "UTF-8"),
    ],
)
def test_a_file_that_is_not_utf8_is_explained(raw, line, part):
    parsed = parse(raw)
    assert parsed.entries == ()
    assert_problem(parsed, line, part, is_error=True)


# Each text does not go live, and the reader is told on which line to look and for what.
BROKEN = [
    # a key nobody knows; the nearest allowed one is named
    ("- question: 年假\n  awnser: 五天\n", 2, "“awnser”，是不是“answer”"),
    ("- qustion: 年假\n  answer: 五天\n", 1, "“qustion”，是不是“question”"),
    ("- Question: 年假\n  answer: 五天\n", 1, "“Question”，是不是“question”"),
    (GOOD + "  souce: 手册\n", 3, "“souce”，是不是“source”"),
    (GOOD + "  负责: 休假组\n", 3, "“负责”，是不是“负责人”"),
    (GOOD + "  xyzzy: 1\n", 3, "不认识的键“xyzzy”"),
    (GOOD + "  xyzzy: 1\n", 3, "question、also"),
    ("tpoic: 休假\nentries:\n" + GOOD, 1, "“tpoic”，是不是“topic”"),
    ("id: x\nentries:\n" + GOOD, 1, "“id”不能直接写在这里"),
    (GOOD + "  valid: {frm: 2026-01-01}\n", 3, "“frm”，是不是“from”"),
    # a key twice
    (GOOD + "  answer: 六天\n", 3, "“answer”重复（第 2 行已有）"),
    (GOOD + "  答案: 六天\n", 3, "“答案”重复（第 2 行已有，“answer”和它是一个意思）"),
    ("- 问: 年假\n  问题: 年假\n  答: 五天\n", 2, "“问题”重复（第 1 行已有，“问”"),
    (GOOD + "  also: [a]\n  相似问: [b]\n", 4, "“相似问”重复（第 3 行已有，“also”"),
    ("topic: a\n主题: b\nentries:\n" + GOOD, 2, "“主题”重复（第 1 行已有，“topic”"),
    ("entries:\n" + GOOD + "条目: []\n", 4, "“条目”重复（第 1 行已有"),
    (GOOD + "  valid: {from: 2026-01-01, 从: 2026-02-01}\n", 3, "“从”重复"),
    ("- question: a\n  ask: {c: 哪里}\n  answers:\n    x: 1\n    x: 2\n", 5, "“x”重复（第 4 行已有）"),
    # no question, no answer
    ("- answer: 五天\n", 1, "没有问题"),
    ("- question:\n  answer: 五天\n", 1, "没有问题"),
    ("- question: ''\n  answer: 五天\n", 1, "没有问题"),
    ("- question: ~\n  answer: 五天\n", 1, "没有问题"),
    (GOOD + "- id: x\n  answer: 三天\n", 3, "没有问题"),
    ("- question: 年假\n", 1, "没有答案"),
    ("- question: 年假\n  answer:\n", 1, "没有答案"),
    ("- question: 年假\n  answer: |\n\n", 1, "没有答案"),
    ("- question: 年假\n  answer: #8001\n", 1, "第 2 行“#”后面的字被当成注释"),
    ("- question: 年假\n    answer：五天\n", 1, "第 2 行的“answer”没有和上面对齐"),
    # an id twice
    ("- id: a\n  question: 甲\n  answer: x\n- id: a\n  question: 乙\n  answer: y\n", 4, "编号“a”重复（第 1 行已有）"),
    # another shape
    ("年假五天\n", 1, "没有看到条目"),
    ("topic: 休假\n", 1, "没有“entries:”"),
    ("{}\n", 1, "没有“entries:”"),
    ("entries: 年假\n", 1, "每条要以“- ”开头"),
    ("entries:\n  question: 年假\n", 1 + 1, "每条要以“- ”开头"),
    ("- 年假\n", 1, "每条应写成"),
    (GOOD + "- [年假, 五天]\n", 3, "每条应写成"),
    (GOOD + "  also: {a: b}\n", 3, "“also”应是一个列表"),
    (GOOD + "  also: [[a]]\n", 3, "“also”应是一段文字"),
    (GOOD + "  groups: {a: b}\n", 3, "“groups”应是一个列表"),
    ("- question: a\n  ask: {a: 甲, b: 乙}\n  answers: {x: 1}\n", 2, "只问一个问题"),
    ("- question: a\n  answers: {x: 1}\n", 2, "却没有 ask"),
    ("- question: a\n  ask: {c: 哪里}\n  answers: [x]\n", 3, "answers 应写成"),
    # not YAML
    ("- question: 年假\n  answer: 五天\n  valid: {from: 2026-01-01\n", 3, "花括号 { } 没有写完整"),
    ('- question: 年假\n  answer: "五天\n', 2, "引号没有写完"),
    ("- question: 年假\n  answer: '五天\n", 2, "引号没有写完"),
    ('- question: 年假\n  answer: "C:\\d"\n', 2, "反斜杠"),
    (GOOD + " source: 手册\n", 3, "没有对齐"),
    (GOOD + "   source: 手册\n", 3, "缩进不对"),
    ("- question: 年假\nanswer: 五天\n", 2, "没有对齐"),
    (GOOD + "  also: @甲\n", 3, "特殊符号"),
    (GOOD + "  also: [`甲`]\n", 3, "特殊符号"),
    (GOOD + "  also: [**甲**]\n", 3, "如果是加粗，请给整句加上英文双引号"),
    (GOOD + "  also: - 甲\n", 3, "要另起一行写"),
    (GOOD + "---\n- question: b\n  answer: c\n", 3, "出现了“---”"),
    ("- ? [a]\n  : b\n", 1, "键只能是一个词"),
    ("- &a\n  question: x\n  answer: y\n- *a\n", 4, "不支持用 *名字 引用"),
    (GOOD + "  <<: *base\n", 3, "不支持用 *名字 引用"),
    (GOOD + "  <<: {topic: a}\n", 3, "不支持用 << 引用"),
    ("- question: a\n  answer: *base\n", 2, "不支持用 *名字 引用"),
    ("- question: a\n  answer: x\x00y\n", 2, "控制字符"),
    ("[" * 100_000, 1, "层数太多"),
    ("- " * 100_000, 1, "层数太多"),
    ("{a: " * 50_000, 1, "层数太多"),
    ("\n".join(" " * n + "a:" for n in range(500)), 13, "层数太多"),
]


@pytest.mark.parametrize(("text", "line", "part"), BROKEN, ids=[f"{n}-{row[2][:20]}" for n, row in enumerate(BROKEN)])
def test_a_broken_text_does_not_go_live_and_is_explained(text, line, part):
    parsed = parse(text)
    assert not parsed.ok
    assert_problem(parsed, line, part, is_error=True)


@pytest.mark.parametrize(("text", "line", "part"), BROKEN, ids=[f"{n}-{row[2][:20]}" for n, row in enumerate(BROKEN)])
def test_every_problem_names_its_file_and_quotes_its_line(text, line, part):
    lines = text.split("\n")
    for problem in parse(text).problems:
        assert problem.place.file == NAME
        assert problem.message and "\n" not in problem.message
        assert problem.quote == lines[problem.place.line - 1].strip()[:120]


@pytest.mark.parametrize(
    ("text", "line", "corrected"),
    [
        ("- question: 年假\n  awnser: 五天\n", 2, "answer: 五天"),
        ("- qustion: 年假\n  answer: 五天\n", 1, "- question: 年假"),
        ("tpoic: 休假\nentries:\n" + GOOD, 1, "topic: 休假"),
        (GOOD + "  来原: 手册\n", 3, "来源: 手册"),
    ],
)
def test_a_misspelt_key_is_shown_corrected(text, line, corrected):
    assert corrected in [p.fix for p in parse(text).problems if p.place.line == line]


def test_all_problems_of_a_file_are_told_at_once_in_order():
    parsed = parse("- awnser: 五天\n- question: 病假\n- question: 事假\n  answer: x\n  valid: 明年\n  foo: 1\n")
    lines = [p.place.line for p in parsed.problems]
    assert lines == sorted(lines) and set(lines) == {1, 2, 5, 6}


def test_one_broken_entry_leaves_the_others_readable():
    parsed = parse("- question: 病假\n" + GOOD)
    assert not parsed.ok and [e.question for e in parsed.entries] == ["年假"]


@given(st.text(alphabet="-:：[]{}\"'|>#*&!%@`?, \n\t　年假questionanswer答案0", max_size=120))
def test_no_text_makes_the_reader_crash(text):
    text += "\n# 完\n# 完\n"
    parsed = parse(text)
    assert parsed.ok is not any(p.is_error for p in parsed.problems)
    assert all(1 <= p.place.line <= text.count("\n") + 1 for p in parsed.problems)


@given(st.binary(max_size=60))
def test_no_bytes_make_the_readers_crash(raw):
    raw += b"\n# end\n# end\n"
    parse(raw)
    parse_synonyms("synonyms.yaml", raw)
    parse_facts("facts.yaml", raw)
    read_automations("automations.yaml", raw)
    parse_groups("groups.yaml", raw)


# -- warnings ----------------------------------------------------------------------------------

WARNED = [
    (GOOD + "  valid: 明年\n", 3, "有效期应写成", {"held": "有效期读不懂"}),
    (GOOD + "  valid: [2026-01-01]\n", 3, "有效期应写成", {"held": "有效期读不懂"}),
    (GOOD + "  valid: {from: 明年}\n", 3, "“from”不是日期", {"held": "有效期读不懂"}),
    (GOOD + "  valid:\n    until: 2026-02-30\n", 4, "“until”不是日期", {"held": "有效期读不懂"}),
    (GOOD + "  valid: {从: 2026-12-31, 到: 2026-01-01}\n", 3, "开始晚于结束", {}),
    (GOOD + "  review: 年底\n", 3, "复核日期", {"review": None}),
    (GOOD + "  private: 也许\n", 3, "现在按“是”处理", {"private": True}),
    (GOOD + "  private: [a]\n", 3, "现在按“是”处理", {"private": True}),
    (GOOD + "  draft: 也许\n", 3, "现在按“是”处理", {"draft": True}),
    (GOOD + "  groups: []\n", 3, "“groups”是空的", {"held": "groups 是空的"}),
    (GOOD + "  groups:\n", 3, "“groups”是空的", {"held": "groups 是空的"}),
    (GOOD + "  departments: ['']\n", 3, "“departments”是空的", {"held": "departments 是空的"}),
    ("- question: 年假\n  answer: 分机 #8001\n", 2, "“#8001”被当成注释", {"answer": "分机"}),
    ("- question: 年假\n  answer: 五天\n    来源：手册\n", 3, "“来源”没有和上面的键对齐", {"source": ""}),
    ("- question: 年假\n    答案：六天\n  answer: 五天\n", 2, "“答案”没有和上面的键对齐", {"answer": "五天"}),
    (GOOD + "  also: [甲，乙，丙]\n", 3, "中文逗号", {"also": ("甲，乙，丙",)}),
    (GOOD + "  also: [甲、乙]\n", 3, "中文逗号", {"also": ("甲、乙",)}),
    (f"- question: {'长' * 121}\n  answer: 五天\n", 1, "问法太长", {}),
    (GOOD + f"  also: [{'长' * 121}]\n", 1, "问法太长", {}),
    (f"- question: 年假\n  answer: {'长' * 5001}\n", 2, "会分成 2 条", {}),
    ("- question: 年假\n  answer: 五\u202e天\n", 1, "控制字符", {}),
    ("- question: a\n  answer: x\x07y\n", 2, "控制字符", {"answer": "xy"}),
    ("- question: a\n  answer: x\x7fy\n", 2, "控制字符", {"answer": "xy"}),
    ("- question: a\n  answer: b\n  ask: {c: 哪里}\n", 3, "却没有 answers", {"answer": "b", "ask": None}),
    (
        "- question: a\n  ask: 哪里\n  answers: {x: 1}\n",
        2,
        "追问应写成",
        {"ask": FollowUp("哪里", "哪里"), "variants": {"x": "1"}},
    ),
    ("- question: 年\ufffd假\n  answer: 五天\n", 1, "控制字符", {}),
    ("-\n" + GOOD, 1, "空的条目", {}),
    ("- question: a\n  ask: {c: 哪里}\n  answers:\n    x: 1\n    y:\n", 5, "“y”下面没有答案", {"variants": {"x": "1"}}),
]


@pytest.mark.parametrize(
    ("text", "line", "part", "read"), WARNED, ids=[f"{n}-{row[2]}" for n, row in enumerate(WARNED)]
)
def test_a_doubtful_text_is_live_with_a_warning(text, line, part, read):
    parsed = parse(text)
    assert parsed.ok
    assert_problem(parsed, line, part, is_error=False)
    (entry,) = parsed.entries
    assert {name: getattr(entry, name) for name in read} == read


@pytest.mark.parametrize(
    "text",
    [
        "- question: 年假\n  answer: 五天 # 待确认\n",
        "- question: 年假\n  answer: '分机 #8001'\n",
        "- question: 年假\n  answer: |\n    分机 #8001\n    来源：手册\n",
        "- question: 年假\n  answer: 五天\n  also:\n    - 年假，怎么休\n",
        f"- question: {'长' * 120}\n  answer: {'长' * 4500}\n",
    ],
)
def test_a_text_that_is_as_meant_gets_no_warning(text):
    assert parse(text).problems == ()


def test_held_back_entries_say_every_reason():
    parsed = parse(GOOD + "  valid: 明年\n  groups: []\n")
    assert parsed.entries[0].held == "有效期读不懂；groups 是空的"


# -- writing and reading again -----------------------------------------------------------------

WORDS = st.text("年假报销几天abc 019，。！:：#-[]{}*&@`\"'|>%？", min_size=1, max_size=30).filter(str.strip)


@given(question=WORDS, answer=WORDS, also=st.lists(WORDS, max_size=3))
def test_a_quoted_text_is_read_exactly(question, answer, also):
    def quoted(text):
        return "'" + text.replace("'", "''") + "'"

    text = f"- question: {quoted(question)}\n  answer: {quoted(answer)}\n  also:\n"
    text += "".join(f"    - {quoted(a)}\n" for a in also)
    entry = only(text)
    assert entry.question == question.strip() and entry.answer == answer.strip()
    stripped = [a.strip() for a in also]
    assert entry.also == tuple(dict.fromkeys(a for a in stripped if a != entry.question))
    assert replace(entry, also=()) == only(f"- question: {quoted(question)}\n  answer: {quoted(answer)}\n")


# -- the files beside faq/ -----------------------------------------------------------------------


def test_synonyms_are_groups_of_words():
    groups, problems = parse_synonyms("synonyms.yaml", "- [公积金, 住房公积金, gjj]\n- [no, '0']\n".encode())
    assert groups == [["公积金", "住房公积金", "gjj"], ["no", "0"]] and problems == []
    assert parse_synonyms("synonyms.yaml", b"") == ([], [])


@pytest.mark.parametrize(
    ("text", "line", "part", "is_error"),
    [
        ("公积金: gjj\n", 1, "应是一个列表", True),
        ("- [甲, 乙]\n- [丙]\n", 2, "至少要有两个词", False),
        ("- [甲, 乙\n", 1, "方括号", True),
        ("- {甲: 乙}\n", 1, "应是一个列表", True),
    ],
)
def test_slips_in_synonyms_are_explained(text, line, part, is_error):
    _, problems = parse_synonyms("synonyms.yaml", text.encode())
    assert any(p.place.line == line and part in p.message and p.is_error is is_error for p in problems), problems


def test_facts_are_names_and_values_as_written():
    facts, problems = parse_facts("facts.yaml", "公积金基数: 36549\n上班: 9:30\n区号: 0571\n".encode())
    assert facts == {"公积金基数": "36549", "上班": "9:30", "区号": "0571"} and problems == []


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("- a\n", 1, "名字: 值"),
        ("a: [1]\n", 1, "应是一个值"),
        ("a: 1\na: 2\n", 2, "重复（第 1 行已有）"),
        ("a: [1\n", 1, "方括号"),
    ],
)
def test_slips_in_facts_are_explained(text, line, part):
    _, problems = parse_facts("facts.yaml", text.encode())
    assert any(p.is_error and p.place.line == line and part in p.message for p in problems), problems
