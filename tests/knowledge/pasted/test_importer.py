"""Texts as people copy them from documents, tables and chats become proposals, doubtful ones with the reason."""

from __future__ import annotations

import pytest

from faqbot.knowledge.pasted.importer import read_pasted

PAIRS = [("年假几天？", "五天。"), ("病假怎么请？", "上钉钉。")]

# What it was copied from, the text, and the questions with their answers.
READ = [
    ("问 and 答", "问：年假几天？\n答：五天。\n\n问：病假怎么请？\n答：上钉钉。", PAIRS),
    ("with narrow colons", "问:年假几天？\n答:五天。\n问:病假怎么请？\n答:上钉钉。", PAIRS),
    ("Q and A", "Q: 年假几天？\nA: 五天。\n\nQ: 病假怎么请？\nA: 上钉钉。", PAIRS),
    ("numbered Q and A", "Q1：年假几天？\nA1：五天。\nQ2：病假怎么请？\nA2：上钉钉。", PAIRS),
    ("Q1. and A1.", "Q1. 年假几天？\nA1. 五天。\nQ2. 病假怎么请？\nA2. 上钉钉。", PAIRS),
    ("Q without A", "Q1：年假几天？\n五天。\nQ2：病假怎么请？\n上钉钉。", PAIRS),
    ("问题一", "问题一：年假几天？\n答：五天。\n问题二：病假怎么请？\n答：上钉钉。", PAIRS),
    ("brackets", "【问】年假几天？\n【答】五天。\n【问】病假怎么请？\n【答】上钉钉。", PAIRS),
    ("marks alone on their lines",
     "问题：\n年假几天？\n答案：\n五天。\n问题：\n病假怎么请？\n答案：\n上钉钉。", PAIRS),
    ("on one line", "问：年假几天？ 答：五天。\n问：病假怎么请？ 答：上钉钉。", PAIRS),
    ("bold Q and A", "**Q：年假几天？**\n\nA：五天。\n\n**Q：病假怎么请？**\n\nA：上钉钉。", PAIRS),
    ("numbered 问", "1. 问：年假几天？\n   答：五天。\n2. 问：病假怎么请？\n   答：上钉钉。", PAIRS),
    ("答 alone", "年假几天？\n答：五天。\n病假怎么请？\n答：上钉钉。", PAIRS),
    ("numbered headings", "1、年假几天？\n五天。\n2、病假怎么请？\n上钉钉。", PAIRS),
    ("Chinese numbers", "一、年假几天？\n\n五天。\n\n二、病假怎么请？\n\n上钉钉。", PAIRS),
    ("numbers in brackets", "（一）年假几天？\n五天。\n（二）病假怎么请？\n上钉钉。", PAIRS),
    ("dotted numbers", "1.1 年假几天？\n五天。\n1.2 病假怎么请？\n上钉钉。", PAIRS),
    ("plain headings", "年假几天？\n五天。\n\n病假怎么请？\n上钉钉。", PAIRS),
    ("markdown headings", "## 年假几天？\n\n五天。\n\n## 病假怎么请？\n\n上钉钉。", PAIRS),
    ("bold headings", "**年假几天？**\n五天。\n\n**病假怎么请？**\n上钉钉。", PAIRS),
    ("Word's line ends and blanks", "年假几天？\x0b五天。\u00a0\r\n\r\n病假怎么请？\x0b上钉钉。", PAIRS),
    ("answers on the line", "1. 年假几天？五天。\n2. 病假怎么请？上钉钉。", PAIRS),
    ("one heading lacks its mark", "1、年假几天？\n五天。\n2、病假怎么请\n上钉钉。",
     [PAIRS[0], ("病假怎么请", PAIRS[1][1])]),
    ("no question marks at all", "年假几天\n五天。\n\n病假怎么请\n上钉钉。",
     [("年假几天", PAIRS[0][1]), ("病假怎么请", PAIRS[1][1])]),
    ("title and page numbers",
     "员工常见问题\n\n1、年假几天？\n五天。\n- 1 -\n2、病假怎么请？\n上钉钉。\n第 2 页 共 9 页", PAIRS),
    ("contents on top",
     "目录\n1. 年假几天？\n2. 病假怎么请？\n\n1. 年假几天？\n五天。\n2. 病假怎么请？\n上钉钉。", PAIRS),
    ("chapters between", "第一章 年假\n年假几天？\n五天。\n第二章 病假\n病假怎么请？\n上钉钉。", PAIRS),
    ("two columns", "年假几天？\t五天。\n病假怎么请？\t上钉钉。", PAIRS),
    ("with a heading row", "问题\t答案\n年假几天？\t五天。\n病假怎么请？\t上钉钉。", PAIRS),
    ("columns the other way round", "答案\t问题\n五天。\t年假几天？\n上钉钉。\t病假怎么请？", PAIRS),
    ("without headings, the other way round", "五天。\t年假几天？\n上钉钉。\t病假怎么请？", PAIRS),
    ("with numbers", "序号\t常见问题\t标准答案\n1\t年假几天？\t五天。\n2\t病假怎么请？\t上钉钉。", PAIRS),
    ("with numbers, no headings", "1\t年假几天？\t五天。\n2\t病假怎么请？\t上钉钉。", PAIRS),
    ("a table of bars",
     "| 问题 | 答案 |\n| --- | --- |\n| 年假几天？ | 五天。 |\n| 病假怎么请？ | 上钉钉。 |", PAIRS),
    ("one row", "年假几天？\t五天。", PAIRS[:1]),
    ("a chat, name and time",
     "小李 2026-11-25 10:30:12\n年假几天？\n\n张姐 2026-11-25 10:31:02\n五天。\n\n小李 2026-11-25 10:31:30\n"
     "谢谢张姐\n"
     "\n小王 11:02\n病假怎么请？\n\n张姐 11:05\n上钉钉。", PAIRS),
    ("a chat, time first",
     "10:30 小李\n年假几天？\n10:31 张姐\n五天。\n11:02 小王\n病假怎么请？\n11:05 张姐\n上钉钉。", PAIRS),
    ("a chat on lines",
     "[10:30] 小李: 年假几天？\n[10:31] 张姐: 五天。\n[11:02] 小王: 病假怎么请？\n[11:05] 张姐: 上钉钉。", PAIRS),
    ("a chat, names with colons",
     "小李:\n年假几天？\n\n张姐:\n五天。\n\n小王:\n病假怎么请？\n\n张姐:\n上钉钉。", PAIRS),
    ("a chat with the date between",
     "—— 11月25日 10:30 ——\n小李 10:30\n年假几天？\n张姐 10:31\n五天。\n昨天 11:00\n小王 昨天 11:02\n"
     "病假怎么请？\n张姐 昨天 11:05\n"
     "上钉钉。",
     PAIRS),
    ("a chat with courtesies",
     "小李 10:30\n@张姐 你好，请问年假几天？\n张姐 10:31\n好的\n张姐 10:31\n@小李 五天。\n小李 10:32\n收到\n"
     "小王 10:33\n在吗，病假怎么请？\n"
     "张姐 10:35\n上钉钉。", PAIRS),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "pairs"), READ, ids=[row[0] for row in READ])
def test_questions_and_answers_are_found(name, text, pairs):
    assert [(p.question, p.answer) for p in read_pasted(text).proposals] == pairs


def only(text):
    (proposal,) = read_pasted(text).proposals
    return proposal


# -- the shape of answers ----------------------------------------------------------------------


def test_an_answer_keeps_its_lines_and_lists_and_loses_its_common_indent():
    text = "问：年假几天？\n答：按工龄：\n  • 满 1 年：5 天\n  • 满 10 年：10 天\n\n\n\n  余额在钉钉里看。\n"
    assert only(text).answer == "按工龄：\n  - 满 1 年：5 天\n  - 满 10 年：10 天\n\n  余额在钉钉里看。"


def test_a_numbered_list_within_an_answer_begins_no_question():
    text = "1、病假怎么请？\n按下面做：\n1. 告诉上级\n2. 提交请假单\n3. 补交证明\n2、年假几天？\n5 天"
    assert [(p.question, p.answer) for p in read_pasted(text).proposals] == [
        ("病假怎么请？", "按下面做：\n1. 告诉上级\n2. 提交请假单\n3. 补交证明"),
        ("年假几天？", "5 天"),
    ]


def test_a_numbered_heading_that_asks_nothing_is_one_where_only_it_can_fill_the_row():
    text = "1、年假几天？\n五天。\n1、要先申请\n2、要批准\n2、班车时刻\n见公告栏\n3、病假怎么请？\n上钉钉。\n"
    assert [p.question for p in read_pasted(text).proposals] == ["年假几天？", "病假怎么请？"]
    text = text.replace("2、要批准\n", "")
    first, second, third = read_pasted(text).proposals
    assert (second.question, second.answer) == ("班车时刻", "见公告栏") and "看不出是在问什么" in second.doubts[0]
    assert first.answer == "五天。\n1、要先申请" and third.question == "病假怎么请？"


def test_a_question_within_a_marked_answer_stays_there():
    text = "问：年假有几天？\n答：5 天。\n还有别的假吗？\n有福利假。\n问：病假怎么请？\n答：钉钉。"
    assert read_pasted(text).proposals[0].answer == "5 天。\n还有别的假吗？\n有福利假。"


def test_a_cell_of_several_lines_stays_one_answer():
    from_sheet = '年假有几天？\t"按工龄：\n满 1 年 5 天，叫""年休假"""\n病假怎么请？\t钉钉'
    from_word = '年假有几天？\t按工龄：\n满 1 年 5 天，叫"年休假"\n病假怎么请？\t钉钉'
    for text in (from_sheet, from_word):
        first, second = read_pasted(text).proposals
        assert first.answer == '按工龄：\n满 1 年 5 天，叫"年休假"' and second.answer == "钉钉"


# -- other wordings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "问：年假有几天？\n也问：年休假天数；一年几天年假\n答：5 天",
        "问题\t相似问法\t答案\n年假有几天？\t年休假天数；一年几天年假\t5 天",
        '问题\t答案\n"年假有几天？\n年休假天数\n一年几天年假"\t5 天',
    ],
)
def test_other_wordings_go_with_their_question(text):
    proposal = only(text)
    assert (proposal.question, proposal.also) == ("年假有几天？", ("年休假天数", "一年几天年假"))
    assert proposal.doubts == ()


def test_questions_right_below_one_another_are_one_with_a_doubt():
    proposal = only("年假有几天？\n年休假是多少天？\n5 天")
    assert (proposal.question, proposal.also) == ("年假有几天？", ("年休假是多少天？",))
    assert proposal.doubts == ("连着的几个问题当成了同一个问题的几种问法",)


# -- doubts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("问：年假有几天？\n答：\n问：病假怎么请？", "没有找到答案"),
        ("问：年假\n答：5 天", "看不出是在问什么"),
        ("问：" + "年假有几天，" * 20 + "？\n答：5 天", "问题太长"),
        ("问：找谁报销？\n答：找张三 13812345678", "手机号"),
        ("问：年假有几天？\n答：明天发通知", "“明天”，过后就不对了"),
        ("问：怎么报销？\n答：流程见下图", "“见下图”，粘贴时没有带过来"),
        ("问：怎么报销？\n答：" + "很长" * 3000, "一条钉钉消息装不下"),
        ("问：年假有几天？\n答：5 天\n问：年假有几天\n答：7 天", "和第 1 条是同一个问题，答案却不一样"),
        ("年假\t5 天\n病假\t3 天", "哪一列是问题是猜的"),
        ("分类\t问题\t答案\n休假\t年假有几天？\t5 天", "这一行里还有“休假”"),
        ("小李 10:30\n年假有几天？\n小李 10:30\n病假呢？\n张姐 10:31\n都是 5 天", "连着问了几句"),
        ("小李 10:30\n年假有几天？\n张姐 10:31\n你在哪个城市？", "回答像是在反问"),
        ("小李 10:30\n我想休假。\n年假有几天？\n张姐 10:31\n5 天", "提问里还有“我想休假。”"),
        ("小李 10:30\n年假有几天？\n张姐 10:31\n5 天", "请改成给所有人看的说法"),
    ],
)
def test_what_is_doubtful_is_said(text, doubt):
    assert any(doubt in said for said in read_pasted(text).proposals[-1].doubts)


def test_the_same_pair_twice_is_proposed_once():
    assert len(read_pasted("问：年假有几天？\n答：5 天\n" * 3).proposals) == 1


# -- nothing lost, nothing made up -------------------------------------------------------------


def test_lines_without_a_place_are_given_back():
    found = read_pasted("员工手册 2026 版\n人力资源部\n\n1、年假有几天？\n5 天\n2、病假怎么请？\n钉钉")
    assert found.unread == ("员工手册 2026 版", "人力资源部") and len(found.proposals) == 2


def test_in_a_chat_what_nobody_asked_is_given_back():
    found = read_pasted("张姐 10:00\n明早 9 点开会\n小李 10:30\n年假有几天？\n张姐 10:31\n5 天\n小李 10:32\n谢谢")
    assert found.unread == ("张姐：明早 9 点开会",) and len(found.proposals) == 1


@pytest.mark.parametrize(
    "text", ["", " \n\t\n", "各位同事：\n\n本周五下午大扫除，请整理好桌面。\n\n行政部", "12345", "\t\t\n\t"]
)
def test_a_text_that_asks_nothing_proposes_nothing(text):
    found = read_pasted(text)
    assert found.proposals == () and found.kind == ""


@pytest.mark.parametrize(
    ("text", "kind"),
    [(READ[0][1], "一问一答"), (READ[27][1], "表格"), (READ[35][1], "聊天记录"), (READ[13][1], "问题和下面的文字")],
)
def test_how_it_was_read_is_said(text, kind):
    assert read_pasted(text).kind == kind


def test_every_line_of_a_long_document_is_in_a_proposal_or_given_back():
    lines = [f"{n}、第 {n} 项怎么办理？\n找 {n} 号窗口，带证件。\n  - 原件 {n}" for n in range(1, 2001)]
    found = read_pasted("说明\n" + "\n".join(lines))
    assert len(found.proposals) == 2000 and found.unread == ("说明",)
    assert found.proposals[-1].answer == "找 2000 号窗口，带证件。\n  - 原件 2000"
