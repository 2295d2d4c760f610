"""An answer that depends on the asker is asked for once; the reply chooses its case, or is a question of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.dialogue.case_mentions import Stance
from faqbot.dialogue.choices import OPTIONS_SECONDS, list_message_id
from faqbot.dialogue.clarification import SLOT_SECONDS, mentions_for
from faqbot.dialogue.manager import DecisionRequest, decide
from faqbot.dialogue.state_tracking import state_after_reply
from faqbot.model.conversation import ConversationState, Option
from faqbot.model.decisions import Answered, AskedBack, PrivateReply
from faqbot.model.entries import Entry, FollowUp
from faqbot.model.messages import Message, MessageKind
from faqbot.replies.render import plain_body
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS

NOW = 1_000.0
CITY = FollowUp("city", "您在哪个城市办公？")
YEARS = FollowUp("years", "您工作几年了？")

LEAVE = Entry(
    "leave", "产假有多少天", "", ask=CITY, variants={"上海": "158 天", "北京市": "128 天", "else": "问休假组"}
)
FUND = Entry("fund", "公积金交多少比例", "", ask=CITY, variants={"上海": "7%", "else": "问社保组"})
HEATING = Entry("heating", "取暖费发多少", "", ask=CITY, variants={"北京": "三千元", "上海": "没有", "else": "问行政"})
ANNUAL = Entry(
    "annual",
    "年假有几天",
    "",
    ask=YEARS,
    variants={"不满 1 年": "没有", "满 1 年不满 10 年": "五天", "10 年以上": "十天"},
)
GIFT = Entry("gift", "周年礼物送什么", "", ask=YEARS, variants={"5 年以下": "杯子", "5 年以上": "手表", "else": "没有"})
PAY = Entry("pay", "几号发工资", "每月十号")
SOCIAL = Entry("social", "上海社保怎么交", "公司代扣", also=("上海社保",))
ENTRIES = (LEAVE, FUND, HEATING, ANNUAL, GIFT, PAY)


class Talk:
    """What one asker says, one after the other."""

    def __init__(self, entries=ENTRIES, **fields):
        self.index = Index(entries)
        self.context = ConversationState()
        self.now = NOW
        message = Message(
            id="m", robot_code="r", conversation_id="c", is_group=True, kind=MessageKind.TEXT, text="", staff_id="u1"
        )
        self.message = replace(message, **fields)

    def say(self, text):
        case = DecisionRequest(replace(self.message, text=text), self.context)
        decision = decide(case, self.index, limits=FITTED_THRESHOLDS["balanced"], now=self.now, today=date(2026, 6, 1))
        self.context = state_after_reply(self.context, decision, self.message.id, self.now)
        return decision


def asked(question, **fields):
    talk = Talk(**fields)
    assert isinstance(talk.say(question), AskedBack)
    return talk


def chosen(decision):
    assert isinstance(decision, Answered), decision
    return decision.entry.id, decision.case


@pytest.mark.parametrize(
    ("reply", "case"),
    [
        ("上海", "上海"),
        ("我在上海", "上海"),
        ("上海的", "上海"),
        ("我们在上海办公", "上海"),
        ("上海浦东", "上海"),
        ("shanghai", "上海"),
        ("北京", "北京市"),
        ("北京市", "北京市"),
        ("2", "北京市"),
        ("其他", "else"),
        ("都不是", "else"),
        ("深圳", "else"),
        ("我在乌鲁木齐", "else"),
    ],
)
def test_a_reply_chooses_the_case_it_names(reply, case):
    assert chosen(asked("产假有多少天").say(reply)) == ("leave", case)


@pytest.mark.parametrize(
    ("reply", "case"),
    [
        ("5年", "满 1 年不满 10 年"),
        ("我工作五年了", "满 1 年不满 10 年"),
        ("1年", "满 1 年不满 10 年"),
        ("6个月", "不满 1 年"),
        ("18个月", "满 1 年不满 10 年"),
        ("10年", "10 年以上"),
        ("12年多", "10 年以上"),
    ],
)
def test_a_number_chooses_the_range_it_lies_in(reply, case):
    assert chosen(asked("年假有几天").say(reply)) == ("annual", case)


@pytest.mark.parametrize("reply", ["5天", "病假5天怎么扣钱"])
def test_a_number_of_something_else_chooses_nothing(reply):
    assert not isinstance(asked("年假有几天").say(reply), Answered)


def by_years(*cases):
    return replace(GIFT, variants={case: f"礼物{n}" for n, case in enumerate(cases)})


@pytest.mark.parametrize(
    ("cases", "reply", "case"),
    [
        (("10 年及以下", "超过 10 年"), "10年", "10 年及以下"),
        (("10 年及以下", "超过 10 年"), "11年", "超过 10 年"),
        (("不超过 10 年", "超过 10 年"), "15年", "超过 10 年"),
        (("不超过 10 年", "else"), "15年", "else"),
        (("不超过 10 年", "else"), "9年", "不超过 10 年"),
        (("不少于 10 年", "else"), "12年", "不少于 10 年"),
        (("不少于 10 年", "不足 10 年"), "10年", "不少于 10 年"),
        (("满一年不满十年", "else"), "五年", "满一年不满十年"),
        (("1 年至 3 年", "else"), "2年", "1 年至 3 年"),
        (("10 年（含）以上", "else"), "10年", "10 年（含）以上"),
    ],
)
def test_the_borders_of_a_range_are_as_its_words_say(cases, reply, case):
    assert chosen(asked("周年礼物送什么", entries=(by_years(*cases), PAY)).say(reply)) == ("gift", case)


@pytest.mark.parametrize(
    ("cases", "reply"),
    [
        (("1-3 年", "3-5 年", "else"), "3年"),
        (("5 年以下", "5 年以上", "else"), "5年"),
        (("满 1 年不满 10 年", "10 年以上", "else"), "半年"),
        (("10 年以上（不含 10 年）", "else"), "12年"),
    ],
)
def test_where_it_cannot_be_told_which_range_is_meant_all_cases_are_shown(cases, reply):
    talk = asked("周年礼物送什么", entries=(by_years(*cases), PAY))
    decision = talk.say(reply)
    assert chosen(decision) == ("gift", "")
    assert all(f"礼物{n}" in plain_body(decision, "") for n in range(len(cases)))


@pytest.mark.parametrize(("reply", "case"), [("是", "是"), ("是的", "是"), ("否", "否"), ("1", "是")])
def test_a_case_may_be_a_word_that_is_padding_elsewhere(reply, case):
    entry = replace(GIFT, variants={"是": "有", "否": "没有"})
    assert chosen(asked("周年礼物送什么", entries=(entry, PAY)).say(reply)) == ("gift", case)


@pytest.mark.parametrize("word", ["过期", "不行", "行", "确认", "谢谢"])
def test_a_case_that_is_a_rating_or_an_order_elsewhere_is_a_reply(word):
    entry = replace(GIFT, variants={word: "有", "else": "没有"})
    talk = Talk((entry, PAY))
    talk.say("几号发工资")
    talk.now += 1
    assert isinstance(talk.say("周年礼物送什么"), AskedBack)
    assert chosen(talk.say(word)) == ("gift", word)


@pytest.mark.parametrize(
    ("text", "entry"), [("几号发工资", "pay"), ("上海社保", "social"), ("上海社保怎么交", "social")]
)
def test_a_new_question_is_not_taken_as_a_reply(text, entry):
    assert chosen(asked("产假有多少天", entries=(*ENTRIES, SOCIAL)).say(text)) == (entry, "")


def test_what_names_no_case_is_no_reply_once_something_else_was_answered():
    talk = asked("产假有多少天")
    talk.now += 1
    talk.say("几号发工资")
    assert not isinstance(talk.say("深圳"), Answered)


@pytest.mark.parametrize("reply", ["上海", "深圳"])
def test_a_reply_that_comes_too_late_is_none(reply):
    talk = asked("产假有多少天")
    talk.now += OPTIONS_SECONDS + 1
    assert not isinstance(talk.say(reply), Answered)


def test_asked_again_without_a_reply_all_cases_are_shown():
    talk = asked("产假有多少天")
    decision = talk.say("产假有多少天")
    assert chosen(decision) == ("leave", "")
    assert all(part in plain_body(decision, "") for part in ("158 天", "128 天", "问休假组"))


@pytest.mark.parametrize(("reply", "case"), [("上海", "上海"), ("深圳", "else")])
def test_what_was_said_holds_for_other_entries_and_is_named(reply, case):
    talk = asked("产假有多少天")
    talk.say(reply)
    decision = talk.say("公积金交多少比例")
    assert chosen(decision) == ("fund", case)
    assert f"按您刚才说的「{reply}」回答" in plain_body(decision, "")


def test_what_was_said_is_forgotten_after_a_while():
    talk = asked("产假有多少天")
    talk.say("上海")
    talk.now += SLOT_SECONDS + 1
    assert isinstance(talk.say("公积金交多少比例"), AskedBack)


def test_a_later_reply_corrects_the_one_before():
    talk = asked("产假有多少天")
    talk.say("上海")
    assert chosen(talk.say("北京")) == ("leave", "北京市")


def test_other_than_the_cases_of_one_entry_may_be_a_case_of_the_next():
    talk = asked("公积金交多少比例")
    talk.say("其他")
    assert isinstance(talk.say("取暖费发多少"), AskedBack)


def test_a_number_holds_for_other_ranges_but_a_range_does_not():
    talk = asked("年假有几天")
    talk.say("3年")
    assert chosen(talk.say("周年礼物送什么")) == ("gift", "5 年以下")
    talk = asked("年假有几天")
    talk.say("2")
    assert isinstance(talk.say("周年礼物送什么"), AskedBack)


def test_a_private_entry_asks_back_in_the_single_chat_only():
    private = (replace(LEAVE, private=True), PAY)
    in_group = Talk(private).say("产假有多少天")
    assert isinstance(in_group, PrivateReply) and not isinstance(in_group, AskedBack)
    assert isinstance(Talk(private, is_group=False).say("产假有多少天"), AskedBack)


KIND = Entry(
    "kind", "补充医疗怎么报", "", ask=FollowUp("kind", "您是哪种用工？"),
    variants={"正式员工": "全报", "实习生": "不报", "else": "问人事"},
)  # fmt: skip


@pytest.mark.parametrize("remark", ["今天好冷", "好冷", "无语", "我在开会", "食堂", "深圳好冷"])
def test_a_remark_that_is_no_reply_gets_no_case_but_the_question_once_more(remark):
    decision = asked("产假有多少天").say(remark)
    assert isinstance(decision, AskedBack) and decision.unclear
    said = plain_body(decision, remark)
    assert f"没有找到「{remark}」的答案" in said and f"如果是在回答「{CITY.question}」，请选一个" in said
    assert "1. [上海]" in said and "3. [其他]" in said and "158 天" not in said


@pytest.mark.parametrize("reply", ["不在上海", "除了上海", "我老婆在北京", "北京和上海", "我离开上海了"])
def test_a_reply_that_leaves_the_case_open_is_asked_again(reply):
    decision = asked("产假有多少天").say(reply)
    assert isinstance(decision, AskedBack) and not decision.unclear


@pytest.mark.parametrize("reply", ["杭州", "广东省深圳市", "我在苏州工业园区", "国外", "人在成都"])
def test_another_place_than_those_written_is_the_fallback(reply):
    assert chosen(asked("产假有多少天").say(reply)) == ("leave", "else")


@pytest.mark.parametrize(("reply", "case"), [("外包员工", "else"), ("我是实习生", "实习生"), ("正式", "正式员工")])
def test_another_thing_of_the_same_kind_is_the_fallback(reply, case):
    assert chosen(asked("补充医疗怎么报", entries=(KIND, PAY)).say(reply)) == ("kind", case)


def test_after_an_unclear_reply_the_next_one_still_answers_the_first_question():
    talk = asked("产假有多少天")
    first = talk.context.options_message_id
    talk.message = replace(talk.message, id="m2")
    assert list_message_id(talk.context, "食堂", talk.say("食堂")) == first
    before = talk.context
    decision = talk.say("3")
    assert chosen(decision) == ("leave", "else") and list_message_id(before, "3", decision) == first


def test_a_remark_about_something_private_is_not_repeated():
    private = Entry("loss", "流产可以请几天假", "十五天", also=("流产假",), private=True)
    decision = asked("产假有多少天", entries=(*ENTRIES, private)).say("流产了")
    assert not isinstance(decision, AskedBack)


def test_a_reply_is_to_what_was_asked_back_not_to_a_list_shown_since():
    talk = asked("产假有多少天")
    before = talk.context
    decision = talk.say("上海")
    assert list_message_id(before, "上海", decision) == "m"
    listed = replace(before, options=(Option("entry", "pay"), Option("none", "")), options_message_id="another")
    assert list_message_id(listed, "上海", decision) == ""


@pytest.mark.parametrize(
    ("question", "spoken"),
    [
        ("北京的取暖费发多少", ("北京",)),
        ("深圳取暖费发多少", ("深圳",)),
        ("北京和上海的取暖费", ("北京", "上海")),
        ("取暖费发多少", ()),
    ],
)
def test_a_question_may_say_itself_which_case_it_is_about(question, spoken):
    assert tuple(mention.name for mention in mentions_for(HEATING, question)) == spoken


def test_a_number_in_a_question_is_no_case() -> None:
    assert mentions_for(ANNUAL, "满 1 年不满 10 年年假有几天") == ()


def test_the_case_that_a_question_names_goes_before_what_was_said_and_is_not_remembered():
    talk = Talk()
    talk.say("产假有多少天")
    assert talk.say("上海").case == "上海"
    named = talk.say("北京的取暖费发多少")
    assert isinstance(named, Answered) and (named.case, named.slot_value, named.slot_reused) == ("北京", "北京", False)
    elsewhere = talk.say("深圳的取暖费发多少")
    assert isinstance(elsewhere, Answered) and (elsewhere.case, elsewhere.slot_value) == ("else", "深圳")
    assert isinstance(talk.say("北京和深圳的取暖费发多少"), AskedBack)
    talk.say("上海")
    assert talk.say("取暖费发多少").case == "上海"


@pytest.mark.parametrize(
    ("question", "denied"),
    [("不在上海的取暖费", True), ("上海以外的取暖费", True), ("除了上海取暖费", True), ("上海没有取暖费吗", False)],
)
def test_what_is_ruled_out_is_not_what_is_asked_about(question, denied):
    (mention,) = mentions_for(HEATING, question)
    assert (mention.stance is Stance.RULED_OUT) is denied
