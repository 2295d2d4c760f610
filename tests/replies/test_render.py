"""A decision becomes markdown that DingTalk shows well: addressed, safe, numbered, split where it is too long."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.dialogue.choices import picked_number
from faqbot.markup.chunking import MARKDOWN_BYTES, split_markdown
from faqbot.model.decisions import Answered, Likely, LikelyRefused, MultiAnswer, NoneOfThese, Offered, Part, Unanswered
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.model.entries import Candidate, Entry, FollowUp
from faqbot.model.messages import Message, MessageKind
from faqbot.model.plain_replies import Introduction, Menu, OutOfList, SmallTalk, SmallTalkKind, TopicList
from faqbot.replies.render import plain_body, render

SINGLE = Message(
    id="m",
    robot_code="r",
    conversation_id="c",
    is_group=False,
    kind=MessageKind.TEXT,
    text="年假",
    staff_id="manager123",
)
GROUP = replace(SINGLE, is_group=True, sender_name="小李")
TAPPING_GROUP = replace(GROUP, group_taps=True)
EXTERNAL = replace(GROUP, staff_id="", sender_id="$:LWCP_v1:$x")

ANNUAL = Entry("annual", "年假有几天", "**5 天**")
SICK = Entry("sick", "病假[条]怎么*请*", "找主管")


def answered(entry, picked=False):
    return Answered(entry, 1.0, entry.question, picked)


# Behind each answer, how to say whether it helped.
HELPED = re.compile(r"(?:\n\n> | · )评价：(?:@我 )?\[?有用\b[^／]*／\[?没用(?:\]\([^)]*\))?")


def one(decision, message=SINGLE):
    """The reply without the note behind an answer that asks whether it helped."""
    (reply,) = render(decision, message)
    return replace(reply, body=HELPED.sub("", reply.body))


def body(decision, message=SINGLE):
    return one(decision, message).body


OFFER = Offered((Candidate(ANNUAL, 0.5, "q"), Candidate(SICK, 0.4, "q")))
MENU = Menu((("休假", 3, "年假有几天"), ("薪酬", 1, "几号发工资")))
TOPIC = TopicList("休假", (ANNUAL, SICK), 2)
LIKELY = Likely(replace(ANNUAL, question="年假有几天？", source="手册", owner="休假组"), 0.6, "q", overdue=True)
DECISIONS = [
    answered(ANNUAL),
    LIKELY,
    replace(LIKELY, answered_minutes_ago=3),
    LikelyRefused(),
    LikelyRefused(contact="休假组"),
    LikelyRefused((ANNUAL, SICK)),
    answered(replace(ANNUAL, private=True)),
    OFFER,
    Unanswered(),
    Unanswered(contact="休假[组]"),
    Unanswered(contact=""),
    NoneOfThese(),
    NoneOfThese(contact="休假组"),
    MENU,
    TOPIC,
    OutOfList(3),
    OutOfList(3, unclear=True),
    Introduction((ANNUAL, SICK)),
    *map(SmallTalk, SmallTalkKind),
]


# -- whom it is for ----------------------------------------------------------------------------


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: type(d).__name__)
def test_a_group_reply_mentions_the_asker_in_text_and_in_at(decision):
    reply = one(decision, GROUP)
    assert reply.mention == "manager123"
    assert reply.body.startswith("@manager123\n\n")
    assert reply.title and reply.body.count("@manager123") == 1


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: type(d).__name__)
def test_a_single_chat_mentions_nobody(decision):
    reply = one(decision)
    assert reply.mention == ""
    assert not reply.body.startswith("@") and "manager123" not in reply.body


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: type(d).__name__)
def test_a_reply_has_the_same_words_in_a_group_once_the_address_is_cut(decision):
    assert one(decision, GROUP).title
    assert body(decision, GROUP).removeprefix("@manager123\n\n") == body(
        decision, replace(GROUP, staff_id="", sender_name="")
    )


@pytest.mark.parametrize(
    ("nick", "shown"),
    [
        ("小李", "小李：\n\n"),
        ("[点我](http://evil.example)", "［点我］（http：／／evil.ex…：\n\n"),
        ("@所有人", "＠所有人：\n\n"),
        ("# 公告\n全体放假", "＃ 公告 全体放假：\n\n"),
        ("长" * 50, "长" * 19 + "…：\n\n"),
        ("", ""),
    ],
)
def test_a_nickname_from_outside_is_shown_harmless_and_not_mentioned(nick, shown):
    reply = one(answered(ANNUAL), replace(EXTERNAL, sender_name=nick))
    assert reply.mention == ""
    assert reply.body == f"{shown}**5 天**"


# -- answers -----------------------------------------------------------------------------------


def test_an_answer_is_hrs_own_words_under_the_question_as_title():
    assert one(answered(ANNUAL)).title == "年假有几天"
    assert body(answered(ANNUAL)) == "**5 天**"


def test_a_picked_answer_repeats_its_question():
    assert body(answered(ANNUAL, picked=True)) == "**年假有几天**\n\n**5 天**"
    assert body(answered(SICK, picked=True)) == "**病假［条］怎么＊请＊**\n\n找主管"


@pytest.mark.parametrize(
    ("source", "owner", "line"),
    [
        ("《员工手册》第 5 章", "", "\n\n> 来源：《员工手册》第 5 章"),
        ("", "休假组", "\n\n> 负责：休假组"),
        ("手册", "休假组", "\n\n> 来源：手册 · 负责：休假组"),
        ("", "", ""),
    ],
)
def test_the_origin_stands_in_one_grey_line(source, owner, line):
    assert body(answered(replace(ANNUAL, source=source, owner=owner))) == "**5 天**" + line


@pytest.mark.parametrize(
    ("message", "rating"),
    [
        (SINGLE, "评价：[有用]／[没用]"),
        (GROUP, "评价：@我 有用／没用"),
        (TAPPING_GROUP, "评价：@我 [有用]／[没用]"),
    ],
)
def test_everything_behind_an_answer_is_one_grey_line(message, rating):
    entry = replace(ANNUAL, source="手册", owner="休假组", review=date(2026, 3, 1))
    (reply,) = render(replace(answered(entry), overdue=True, related=(SICK,)), message)
    before, _, behind = reply.body.partition("\n\n> ")
    assert "还想问（" in before
    assert re.sub(r"\(dtmd:[^)]*\)", "", behind) == (
        f"**待核对**：原定 2026 年 3 月 1 日前复核 · 来源：手册 · 负责：休假组 · {rating}"
    )


def test_a_list_of_one_is_picked_by_the_number_it_names():
    alone = TopicList("休假", (ANNUAL,), 1)
    for message in (GROUP, TAPPING_GROUP):
        assert re.findall(r"(\d)」", body(alone, message)) == ["1"]


@pytest.mark.parametrize("picked", [False, True])
def test_a_private_answer_never_shows_in_a_group(picked):
    private = Entry(
        "p", "哺乳假怎么请", "机密答案", source="机密来源", owner="机密组", private=True, also=("机密问法",),
        ask=FollowUp("city", "机密追问"), variants={"机密": "机密"},
    )  # fmt: skip
    for entry in (private, replace(private, ask=None, variants={})):
        reply = one(answered(entry, picked), GROUP)
        assert "哺乳假" not in reply.title + reply.body and "机密" not in reply.title + reply.body
        assert "私聊" in reply.title and "私聊" in reply.body and reply.mention == "manager123"


def test_a_private_answer_shows_in_a_single_chat():
    assert body(answered(replace(ANNUAL, private=True))) == "**5 天**"


def test_every_variant_is_listed_under_the_question_back():
    entry = replace(
        ANNUAL,
        answer="",
        ask=FollowUp("city", "您在哪个城市？"),
        variants={"上海": "7%", "北京*": "12%\n含补充", "else": "问人事"},
        source="手册",
    )
    assert body(answered(entry)) == (
        "看您在哪个城市：\n\n**上海**\n\n7%\n\n**北京＊**\n\n12%  \n含补充\n\n**其他**\n\n问人事\n\n> 来源：手册"
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("一\n二", "一  \n二"),
        ("一  \n二", "一  \n二"),
        ("一\n\n二", "一\n\n二"),
        ("一\n\n\n\n二", "一\n\n二"),
        ("\n一\n", "一"),
        ("说明：\n- 甲\n- 乙\n结束", "说明：\n\n- 甲\n- 乙\n\n结束"),
        ("说明：\n\n- 甲\n- 乙\n\n结束", "说明：\n\n- 甲\n- 乙\n\n结束"),
        ("1. 甲\n2. 乙", "1. 甲\n2. 乙"),
        ("- 甲\n  - 子\n- 乙", "- 甲\n  - 子\n- 乙"),
        ("# 标题\n正文", "# 标题\n\n正文"),
        ("正文\n## 标题", "正文\n\n## 标题"),
        ("正文\n> 引用", "正文\n\n> 引用"),
        ("**粗**\n正文", "**粗**  \n正文"),
        ("见 [手册](https://a.example/x?y=1)", "见 [手册](https://a.example/x?y=1)"),
    ],
)
def test_lines_break_and_lists_stand_alone_as_dingtalk_needs_it(written, shown):
    assert body(answered(replace(ANNUAL, answer=written))) == shown


@given(st.text("一二- 1.#>*\n"))
def test_no_line_of_an_answer_relies_on_a_bare_line_break(written):
    shown = body(answered(replace(ANNUAL, answer=written)))
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", written)
    assert "\n\n\n" not in shown
    for before, after in re.findall(r"(?m)^(.*[^ \n])\n(?=(.*\S.*)$)", shown):
        item = re.compile(r"\s*(?:[-*]|\d+\.)(\s|$)")
        assert item.match(before) and item.match(after), (before, after)


# -- lists -------------------------------------------------------------------------------------


def links(text):
    """The labels and addresses of the numbered lines."""
    return re.findall(r"(?m)^\d+\. \[([^\]]*)\]\(([^)\s]*)\)", text)


def tapped(address):
    """What the client sends when a dtmd link is tapped."""
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("dtmd", "dingtalkclient", "/sendMessage")
    (content,) = re.fullmatch(r"content=((?:[\w.~-]|%[0-9A-F]{2})*)", parts.query, re.ASCII).groups()
    return unquote(content)


@pytest.mark.parametrize("message", [SINGLE, TAPPING_GROUP, replace(EXTERNAL, group_taps=True)])
@pytest.mark.parametrize("decision", [OFFER, TOPIC])
def test_a_list_numbers_its_questions_and_each_can_be_tapped(decision, message):
    found = links(body(decision, message))
    last = ["都不是"] if decision is OFFER else []
    assert [label for label, _ in found] == ["年假有几天", "病假［条］怎么＊请＊", *last]
    assert [tapped(address) for _, address in found] == ["年假有几天", "病假[条]怎么*请*", *last]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: type(d).__name__)
def test_where_taps_may_not_arrive_no_reply_shows_a_link_to_tap(decision):
    assert "dtmd:" not in render(decision, GROUP)[0].body
    if "私聊" not in render(decision, GROUP)[0].title:
        with_taps = [render(decision, message)[0].body for message in (SINGLE, TAPPING_GROUP)]
        assert ("dtmd:" in with_taps[0]) == ("dtmd:" in with_taps[1])


@pytest.mark.parametrize(
    ("decision", "shown"),
    [
        (
            OFFER,
            "您是想问（回复序号，如「@我 1」）："
            "\n\n1. 年假有几天\n2. 病假［条］怎么＊请＊\n3. 都不是",
        ),
        (TOPIC, "**休假** 可以问（回复序号，如「@我 1」）：\n\n1. 年假有几天\n2. 病假［条］怎么＊请＊"),
        (
            TopicList("休假", (ANNUAL,), 9),
            "**休假** 可以问（回复序号，如「@我 1」）：\n\n1. 年假有几天"
            "\n\n> 还有 8 条没有列出，直接问我就行。",
        ),
        (
            Menu((("休假", 3, "年假有几天"),)),
            "我能回答这些方面的问题（直接 @我 提问；看一类的问题，回复序号，如「@我 1」）："
            "\n\n1. 休假（3 条）：年假有几天",
        ),
        (
            Menu((("休假", 3, "年假有几天"),), unspecific=True),
            "您想问哪方面的？请说得具体一些，或者选一类（回复序号，如「@我 1」）："
            "\n\n1. 休假（3 条）：年假有几天",
        ),
        (
            replace(answered(ANNUAL), related=(SICK, ANNUAL)),
            "**5 天**\n\n还想问（如「@我 1」）：① 病假［条］怎么＊请＊ ② 年假有几天",
        ),
    ],
)  # fmt: skip
def test_where_taps_may_not_arrive_what_to_type_stands_before_the_plain_lines(decision, shown):
    assert body(decision, GROUP).removeprefix("@manager123\n\n") == shown


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_tap_sends_exactly_the_question(question):
    text = body(Offered((Candidate(replace(ANNUAL, question=question), 0.5, "q"),)))
    ((_, address), _) = links(text)
    assert tapped(address) == question


@pytest.mark.parametrize("decision", [OFFER, MENU, TOPIC])
def test_a_list_has_as_many_numbers_as_options(decision):
    assert len(links(body(decision))) == len(decision.options) == (3 if decision is OFFER else 2)


@pytest.mark.parametrize("decision", [OFFER, MENU, TOPIC, OutOfList(3)])
def test_a_group_is_told_to_at_the_bot_with_the_number(decision):
    said = re.search(r"「@我 (\d)」", body(decision, GROUP))
    assert said and picked_number(said.group(1))
    assert "@我" not in body(decision)


def test_the_menu_shows_topics_with_their_size_and_an_example():
    text = body(MENU)
    assert "休假" in text and "（3 条）：年假有几天" in text and "（1 条）：几号发工资" in text
    assert [tapped(address) for _, address in links(text)] == ["休假", "薪酬"]


def test_the_menu_of_an_empty_knowledge_base_says_so():
    assert "还没有内容" in body(Menu(()))


def test_a_long_topic_says_how_many_are_not_shown():
    assert "还有 7 条没有列出" in body(TopicList("休假", (ANNUAL, SICK), 9))
    assert "没有列出" not in body(TOPIC)
    assert one(TOPIC).title == "休假"


def test_a_number_out_of_the_list_is_told_its_bounds():
    assert "1–3" in body(OutOfList(3))


@pytest.mark.parametrize("message", [SINGLE, GROUP])
@pytest.mark.parametrize("kind", SmallTalkKind)
def test_every_small_talk_has_a_title_and_a_text(kind, message):
    reply = one(SmallTalk(kind), message)
    assert reply.title and reply.body.strip()


# -- no answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "quoted"),
    [
        ("食堂几点开", "「食堂几点开」"),
        ("[点我](http://evil.example) @所有人", "「［点我］（http：／／evil.example） ＠所有人」"),
        ("# 公告\n**放假**", "「＃ 公告 ＊＊放假＊＊」"),
        ("  ", "没有找到这个问题的答案"),
    ],
)
def test_an_unanswered_question_is_quoted_harmless(asked, quoted):
    assert quoted in body(Unanswered(), replace(GROUP, text=asked))


@given(st.text())
def test_a_question_cannot_smuggle_markdown_into_the_reply(asked):
    safe = body(Unanswered(), replace(SINGLE, text="x"))
    shown = body(Unanswered(), replace(SINGLE, text=asked.replace("「", "").replace("」", "")))
    quoted = re.search(r"「(.*?)」的答案", shown)
    assert not quoted or not set("`[]()<>*_#@\n") & set(quoted.group(1))
    assert shown.count("\n") == safe.count("\n") and shown.count(">") == safe.count(">")


def test_ask_shows_what_a_single_chat_would():
    assert HELPED.sub("", plain_body(answered(ANNUAL), "年假")) == "**5 天**"
    assert "「食堂」" in plain_body(Unanswered(), "食堂")


# -- too long ------------------------------------------------------------------------------------


def bare(text):
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("", 10, [""]),
        ("短", 10, ["短"]),
        ("aaa\n\nbbb\n\nccc", 8, ["aaa\n\nbbb", "ccc"]),
        ("aaa\n\nbbb\n\nccc", 7, ["aaa", "bbb", "ccc"]),
        ("aaa\nbbb\nccc", 8, ["aaa\nbbb", "ccc"]),
        ("a\n\nbbb\nccc\nddd", 7, ["a", "bbb\nccc", "ddd"]),
        ("甲。乙。丙。", 12, ["甲。乙。", "丙。"]),
        ("甲乙丙丁", 6, ["甲乙", "丙丁"]),
        ("abcdefg", 3 + 1, ["abcd", "efg"]),
        ("😀😀😀", 8, ["😀😀", "😀"]),
        ("😀😀😀", 7, ["😀", "😀", "😀"]),
        ("a\n\n\n\n\n\nb", 4, ["a", "b"]),
    ],
)
def test_a_text_is_cut_at_the_best_border_there_is(text, limit, parts):
    assert split_markdown(text, limit) == parts


@given(st.text("年假。😀é a\n-"), st.integers(4, 40))
def test_parts_stay_below_the_limit_and_lose_nothing(text, limit):
    parts = split_markdown(text, limit)
    assert all(len(part.encode()) <= limit for part in parts)
    assert bare("".join(parts)) == bare(text)
    if len(text.encode()) <= limit:
        assert parts == [text]
    else:
        assert all(part.strip() for part in parts)


LONG = "\n\n".join(f"第 {n} 段：" + "年假要提前三天申请。" * 40 for n in range(1, 31))


@pytest.mark.parametrize("text", [LONG, "长" * 20_000, "😀" * 8_000, "a" * 40_000, "一行\n" * 4_000])
def test_a_long_answer_comes_in_numbered_parts_that_fit(text):
    replies = render(answered(replace(ANNUAL, answer=text, source="手册")), GROUP)
    total = len(replies)
    assert total > 1
    assert [r.mention for r in replies] == ["manager123"] + [""] * (total - 1)
    assert replies[0].body.startswith("@manager123\n\n") and "@manager123" not in "".join(r.body for r in replies[1:])
    content = ""
    for number, reply in enumerate(replies, 1):
        reply = replace(reply, body=HELPED.sub("", reply.body))
        mark = f" · （{number}/{total}）" if number == total else f"\n\n> （{number}/{total}）"
        assert reply.title == "年假有几天" and reply.body.endswith(mark)
        assert len(reply.body.encode()) < 15_000
        content += reply.body.removesuffix(mark)
    assert bare(content) == bare(f"@manager123{text}> 来源：手册")


def test_a_long_answer_is_cut_between_its_paragraphs():
    replies = render(answered(replace(ANNUAL, answer=LONG)), SINGLE)
    assert all(r.body.startswith("第 ") for r in replies)


def test_an_answer_that_fits_is_not_numbered():
    assert "（1/" not in body(answered(replace(ANNUAL, answer="a" * MARKDOWN_BYTES)))
    assert len(render(answered(replace(ANNUAL, answer="a" * (MARKDOWN_BYTES + 1))), SINGLE)) == 2


# -- likely answers and what differs ---------------------------------------------------------------


def test_a_likely_answer_is_a_question_the_answer_and_one_way_out():
    reply = one(LIKELY)
    assert reply.title == "您是不是想问「年假有几天？」"
    refusal = "不是的话回复「[不是](dtmd://dingtalkclient/sendMessage?content=%E4%B8%8D%E6%98%AF)」"
    assert reply.body == f"**您是不是想问「年假有几天？」**\n\n**5 天**\n\n{refusal}\n\n> 来源：手册 · 负责：休假组"
    assert "有用" not in reply.body


def test_a_likely_answer_in_a_group_is_refused_with_the_mention_that_the_bot_needs():
    reply = one(LIKELY, GROUP)
    assert reply.mention == "manager123" and reply.body.count("不是的话回复「@我 不是」") == 1


def test_a_question_without_a_mark_gets_one():
    assert body(replace(LIKELY, entry=ANNUAL)).startswith("**您是不是想问「年假有几天」？**")


def test_a_likely_answer_that_the_group_has_is_pointed_to_and_may_be_refused():
    text = body(replace(LIKELY, answered_minutes_ago=3), GROUP)
    assert "您是不是想问「年假有几天？」 同上 ↑ 3 分钟前答过\n\n不是的话回复「@我 不是」" in text
    assert text.endswith("」\n\n> 没找到的话，再问我一次") and "5 天" not in text and "来源" not in text


def test_an_overdue_likely_answer_says_so():
    overdue = replace(LIKELY, entry=replace(LIKELY.entry, review=date(2026, 1, 2)))
    assert "> **待核对**：原定 2026 年 1 月 2 日前复核 · 来源：手册" in body(overdue)


def test_a_refusal_is_followed_by_a_list_or_by_advice():
    listed = body(LikelyRefused((ANNUAL, SICK)))
    assert listed.startswith("好的，那您是想问：\n\n1. [年假有几天](") and "3. [都不是](" in listed
    assert body(LikelyRefused()) == body(NoneOfThese())
    assert "可以找休假组" in body(LikelyRefused(contact="休假组"))


def test_a_list_says_above_it_what_differs_in_the_first_line():
    differs = (Difference(DifferenceKind.NUMBER, "500元", "5000元"), Difference(DifferenceKind.CONDITION, "实习生"))
    offer = Offered((Candidate(ANNUAL, 0.5, "q", differs=differs), Candidate(SICK, 0.4, "q", differs=differs[:1])))
    told = "最接近的是第 1 条，不过您问 500 元，这一条说的是 5000 元；您说的「实习生」，这一条没有说到。"
    assert body(offer).startswith(f"{told}\n\n您是想问：\n\n1. [年假有几天](")
    assert body(OFFER).startswith("您是想问：")
    several = MultiAnswer((Part("病假怎么请", answered(SICK)), Part("年假 500 元", offer)))
    assert f"这一个没有把握，{told}您是想问：\n\n1. [年假有几天](" in body(several)
