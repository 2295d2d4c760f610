"""Answers and lists of the bot are recognised in quoted texts, whatever the client did to them; other texts are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.messaging.group_introduction import introduction
from faqbot.model.conversation import Option
from faqbot.model.decisions import Answered, AskedBack, Likely, MultiAnswer, Offered, Part
from faqbot.model.entries import Candidate, Entry, FollowUp
from faqbot.model.messages import Message, MessageKind
from faqbot.replies.quoted_text import Match, QuotedText, are_lines_of, options_of
from faqbot.replies.render import render

PARKING = Entry(
    "parking",
    "停车位怎么申请？",
    "在 OA 里提交「停车位」表单，行政每周五统一安排，**一人一位**。\n\n- 摩托车不用申请\n- 访客停 B2 层",
    topic="办公",
    source="《停车管理办法》",
    owner="行政组",
    related=("lockers",),
)
LOCKERS = Entry("lockers", "储物柜怎么领？", "带工牌到前台登记，当天就能领。", topic="办公")
NOISE = Entry("short", "可以带宠物吗？", "不可以。", topic="办公")
HEATING = Entry(
    "heating",
    "取暖补贴有多少？",
    "",
    ask=FollowUp("city", "您在哪个城市办公？"),
    variants={"哈尔滨": "每个采暖季 2400 元，十一月随工资一起发。", "西安": "每个采暖季 1500 元，十一月随工资一起发。"},
)
ENTRIES = (PARKING, LOCKERS, NOISE, HEATING)


def message(*, is_group: bool = True, taps: bool = False) -> Message:
    return Message("m", "r", "cid", is_group, MessageKind.TEXT, "问", staff_id="user-7", group_taps=taps)


def said(decision, **where) -> str:
    return "\n\n".join(reply.body for reply in render(decision, message(**where)))


def answer(entry: Entry, **more) -> Answered:
    return Answered(entry, 0.97, entry.question, **more)


@pytest.mark.parametrize("where", [{}, {"taps": True}, {"is_group": False}], ids=str)
@pytest.mark.parametrize(
    "decision",
    [
        answer(PARKING, related=(LOCKERS,)),
        answer(PARKING, picked=True),
        answer(NOISE),
        answer(NOISE, picked=True),
        answer(HEATING, case="西安", slot_value="西安", picked=True),
        answer(HEATING),
        Likely(PARKING, 0.6, PARKING.question, (Candidate(LOCKERS, 0.2, LOCKERS.question),)),
    ],
    ids=lambda decision: f"{type(decision).__name__}-{decision.entry.id}",
)
def test_an_answer_is_recognised_as_it_was_rendered_stripped_or_in_one_line(decision, where):
    body = said(decision, **where)
    for text in (
        body,
        body.replace("*", "").replace("> ", ""),
        " ".join(body.split()),
        body.replace("@user-7", "@小李"),
    ):
        matches = {entry.id: QuotedText(text).match(entry).match for entry in ENTRIES}
        assert matches.pop(decision.entry.id) is Match.SAME, text
        assert Match.SAME not in matches.values()


@pytest.mark.parametrize("chars", [20, 30, 45])
@pytest.mark.parametrize("end", ["", "…", "..."])
def test_an_answer_is_recognised_by_its_beginning(chars, end):
    assert QuotedText(PARKING.answer[:chars] + end).match(PARKING).match is Match.SAME


def test_an_answer_that_was_changed_since_is_similar():
    today = replace(PARKING, answer=PARKING.answer.replace("每周五", "每月一号"))
    found = QuotedText(said(answer(PARKING))).match(today)
    assert found.match is Match.SIMILAR and found.likeness > 80


def test_the_fact_that_chose_the_case_is_read():
    body = said(answer(HEATING, case="西安", slot_value="西安", picked=True))
    assert QuotedText(body).match(HEATING).slot_value == "西安"


def test_a_pointer_to_an_answer_names_its_entry():
    body = said(answer(PARKING, answered_minutes_ago=3))
    assert QuotedText(body).match(PARKING).match is Match.NAMED
    assert QuotedText(body).match(LOCKERS).match is Match.NONE


@pytest.mark.parametrize(
    "text",
    ["", "不可以", "可以吗", "停车", "大家周五下班记得关灯，行政会来检查", "[图片]", "在 OA 里", "带工牌到前台"],
)
def test_other_texts_are_no_answer(text):
    matches = {entry.id: QuotedText(text).match(entry).match for entry in ENTRIES}
    # The whole of a short answer cannot be told from the same words of a person.
    assert {key for key, match in matches.items() if match is not Match.NONE} <= (
        {"short"} if text == "不可以" else set()
    )


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("停车位怎么申请", "停车位怎么申请"),
        ("@小助手 停车位怎么申请", "停车位怎么申请"),
        (" 停车位\n怎么申请 ", "停车位\n怎么申请"),
        ("@小李 没有找到「停车费谁出」的答案，已经记下来了。 换个说法再问", "停车费谁出"),
        (said(answer(PARKING)), ""),
        ("单号 12：有人问…", ""),
        ("[图片]", ""),
        ("", ""),
    ],
)
def test_the_question_of_a_person_is_told_from_the_words_of_the_bot(text, question):
    assert QuotedText(text).question == question


def test_a_text_that_is_known_to_be_of_the_bot_asks_nothing():
    assert QuotedText("请直接说您的问题", from_bot=True).question == ""


@pytest.mark.parametrize("where", [{}, {"taps": True}, {"is_group": False}], ids=str)
def test_the_lines_of_a_list_are_read_however_it_was_flattened(where):
    offered = Offered(tuple(Candidate(entry, 0.4, entry.question) for entry in (PARKING, LOCKERS, HEATING)))
    options = (*(Option("entry", e.id) for e in (PARKING, LOCKERS, HEATING)), Option("none", ""))
    body = said(offered, **where)
    for text in (body, " ".join(body.split()), body.replace("> ", "")):
        lines = QuotedText(text).lines
        assert options_of(lines, ENTRIES, None) == options, lines
        assert are_lines_of(lines, [PARKING.question, LOCKERS.question, HEATING.question, "都不是"])


def test_what_is_added_below_a_reply_is_no_part_of_its_last_line():
    offered = Offered((Candidate(PARKING, 0.4, PARKING.question), Candidate(LOCKERS, 0.4, LOCKERS.question)))
    added = introduction(ENTRIES, "", 180)
    assert added
    for text in (said(offered) + added, " ".join((said(offered) + added).split())):
        lines = QuotedText(text).lines
        assert options_of(lines, ENTRIES, None)[-1] == Option("none", ""), lines


@pytest.mark.parametrize("is_group", [True, False])
def test_the_questions_below_an_answer_are_a_list(is_group):
    lines = QuotedText(said(answer(PARKING, related=(LOCKERS, NOISE)), is_group=is_group)).lines
    assert options_of(lines, ENTRIES, None) == (Option("entry", "lockers"), Option("entry", "short"))


def test_a_question_back_is_recognised_with_its_cases():
    assert HEATING.ask is not None
    quoted = QuotedText(said(AskedBack(HEATING, 0.9, HEATING.question, HEATING.ask)))
    assert quoted.asked_back(ENTRIES) is HEATING
    assert options_of(quoted.lines, ENTRIES, HEATING) == tuple(Option.of_case("heating", c) for c in HEATING.cases)


@pytest.mark.parametrize("text", ["1. 打开 OA 2. 提交表单", "2. 储物柜怎么领？ 3. 停车位怎么申请？", "共 3. 5 天", ""])
def test_numbers_that_are_no_list_of_questions_give_no_options(text):
    assert options_of(QuotedText(text).lines, ENTRIES, None) == ()


def test_a_list_that_was_cut_is_the_beginning_of_the_current_one():
    names = [PARKING.question, LOCKERS.question, "都不是"]
    assert are_lines_of(QuotedText("1. 停车位怎么申请？ 2. 储物柜怎么领？").lines, names)
    assert not are_lines_of(QuotedText("1. 储物柜怎么领？ 2. 停车位怎么申请？").lines, names)
    assert not are_lines_of((), names)


def test_a_remark_behind_the_name_of_a_line_does_not_matter():
    lines = QuotedText("请选一下该谁来答： 1. 行政组（办公、停车） 2. 后勤组 3. 都不是").lines
    assert are_lines_of(lines, ["行政组", "后勤组", "都不是"])
    assert not are_lines_of(lines, ["行政", "后勤组", "都不是"])


def test_a_sentence_of_an_answer_that_replied_to_a_follow_up_names_its_entry():
    body = said(answer(PARKING, is_follow_up=True, excerpt="摩托车不用申请"))
    assert QuotedText(body).match(PARKING).match >= Match.NAMED


def test_several_answers_in_one_message_are_told_from_the_questions_below_one():
    several = MultiAnswer((Part("车位", answer(PARKING)), Part("柜子", answer(LOCKERS))))
    assert QuotedText(said(several)).holds_several_answers
    assert not QuotedText(said(answer(PARKING, related=(LOCKERS, NOISE)))).holds_several_answers
