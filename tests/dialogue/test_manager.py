"""One text, what can be answered and what was offered before come out as one decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.access.visibility import open_to
from faqbot.dialogue.answer_policy import MAX_OFFERED, apply_thresholds, judge
from faqbot.dialogue.choices import picked_number as picked
from faqbot.dialogue.manager import DecisionRequest, decide_many
from faqbot.dialogue.topic_menu import MAX_LISTED
from faqbot.model.conversation import ConversationState, LastAnswer, Option
from faqbot.model.decisions import Answered, NoneOfThese, Offered, PrivateReply, Unanswered
from faqbot.model.entries import Candidate, Entry, Period
from faqbot.model.group_settings import NO_GROUPS, Groups, GroupSettings
from faqbot.model.messages import Message, MessageKind
from faqbot.model.plain_replies import Menu, OutOfList, SmallTalk, SmallTalkKind, TopicList
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS, Thresholds

TODAY = date(2026, 6, 1)
NOW = 1_000.0
GROUP = "cid-all"

ANNUAL = Entry("annual", "年假有几天", "五天", also=("年休假天数",), topic="休假")
SICK = Entry("sick", "病假怎么请", "找主管", topic="休假")
PAY = Entry("pay", "几号发工资", "每月十号", topic="薪酬")
PAYSLIP = Entry("payslip", "薪酬", "工资条在钉钉里看", topic="薪酬")
PARKING = Entry("parking", "停车位怎么申请", "找行政")
ENTRIES = (ANNUAL, SICK, PAY, PAYSLIP, PARKING)


def say(
    text, *, entries=ENTRIES, context=None, now=NOW, limits=FITTED_THRESHOLDS["balanced"], groups=NO_GROUPS, **fields
):
    message = Message(
        id="m", robot_code="r", conversation_id=GROUP, is_group=True, kind=MessageKind.TEXT, text=text, staff_id="u1"
    )
    case = DecisionRequest(replace(message, **fields), context)
    return decide_many([case], Index(entries), limits=limits, now=now, today=TODAY, groups=groups)[0]


def offered(*options, until=NOW + 1):
    return ConversationState(tuple(Option(*o) for o in options), until)


def answer_of(decision):
    """The id of the entry that is answered outright."""
    assert isinstance(decision, Answered), decision
    return decision.entry.id


LIST = offered(("entry", "pay"), ("entry", "annual"), ("topic", "休假"))
LIST_ENDS = LIST.options_expire_at


# -- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2),
        ("２", 2),
        ("②", 2),
        ("2️⃣", 2),
        (" 2 ", 2),
        ("2。", 2),
        ("(2)", 2),
        ("2！", 2),
        ("@小助手 2", 2),
        ("二", 2),
        ("两个", 2),
        ("第二个", 2),
        ("第2条", 2),
        ("第 2 条", 2),
        ("第二項", 2),
        ("选2", 2),
        ("选 2", 2),
        ("我选第二个", 2),
        ("我要2", 2),
        ("看3", 3),
        ("2号", 2),
        ("2吧", 2),
        ("2，谢谢", 2),
        ("十", 10),
        ("第十二条", 12),
        ("十五", 15),
        ("二十", 20),
        ("二十一", 21),
        ("第九十九个", 99),
        ("12", 12),
        ("0", 0),
        ("年假", None),
        ("二胎假", None),
        ("三天", None),
        ("2天年假", None),
        ("第二天", None),
        ("年假2", None),
        ("一百", None),
        ("一二", None),
        ("12333", None),
        ("2026", None),
        ("80%", None),
        ("第", None),
        ("个", None),
        ("选", None),
        ("", None),
        ("？", None),
        ("2 年假", None),
        ("v2", None),
    ],
)
def test_only_a_number_to_pick_is_a_pick(text, number):
    assert picked(text) == number


@pytest.mark.parametrize("number", range(1, 100))
def test_digits_and_chinese_numerals_mean_the_same(number):
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    written = ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")
    assert picked(f"第{written}个") == picked(str(number)) == number


@pytest.mark.parametrize(("text", "entry"), [("1", PAY), ("第二个", ANNUAL), ("②", ANNUAL), ("选 1", PAY)])
def test_a_number_picks_from_the_list(text, entry):
    assert say(text, context=LIST) == Answered(entry, 1.0, entry.question, picked=True)


def test_a_number_opens_a_topic_of_the_menu():
    assert say("3", context=LIST) == TopicList("休假", (ANNUAL, SICK), 2)


@pytest.mark.parametrize("text", ["0", "4", "第十个"])
def test_a_number_that_the_list_does_not_have_is_told(text):
    assert say(text, context=LIST) == OutOfList(3)


@pytest.mark.parametrize(
    ("context", "now"),
    [
        (None, NOW),
        (ConversationState((), NOW + 1), NOW),
        (LIST, LIST.options_expire_at),
        (LIST, LIST.options_expire_at + 1000),
    ],
    ids=["no list", "empty list", "at its end", "long past"],
)
def test_without_a_living_list_there_is_nothing_to_pick(context, now):
    assert say("1", context=context, now=now) == SmallTalk(SmallTalkKind.NOTHING_TO_PICK)


def test_a_list_lives_until_its_end():
    assert isinstance(say("1", context=LIST, now=LIST.options_expire_at - 0.001), Answered)


@pytest.mark.parametrize(
    "entries",
    [
        (ANNUAL,),
        (replace(PAY, draft=True),),
        (replace(PAY, valid=Period(end=date(2026, 5, 31))),),
        (replace(PAY, groups=("cid-other",)),),
    ],
    ids=["removed", "draft", "expired", "another group"],
)
def test_an_entry_taken_away_since_is_not_answered(entries):
    assert say("1", entries=entries, context=LIST) == Unanswered()


@pytest.mark.parametrize("text", ["都不是", "都不是。", "以上都不是", "都不是我要问的", "4"])
def test_none_of_a_list_can_be_meant(text):
    choices = offered(("entry", "pay"), ("entry", "annual"), ("topic", "休假"), ("none", ""))
    assert say(text, context=choices) == NoneOfThese()


def test_without_a_list_none_of_it_can_be_meant():
    assert say("都不是") == SmallTalk(SmallTalkKind.NOTHING_TO_PICK)


# -- whom to turn to -----------------------------------------------------------------------------

MISSED = replace(LIST, miss_expiries=(NOW + 1,))
KEPT = tuple(replace(entry, owner="休假组") for entry in ENTRIES)
SALES = Groups(conversations={GROUP: GroupSettings(contact="小张")})


@pytest.mark.parametrize(
    ("context", "groups", "contact"),
    [
        (LIST, NO_GROUPS, None),
        (LIST, SALES, None),
        (MISSED, NO_GROUPS, "休假组"),
        (MISSED, SALES, "小张"),
        (replace(MISSED, miss_expiries=(NOW,)), SALES, None),
    ],
    ids=["first", "first in a group with a contact", "second", "the group's contact", "long ago"],
)
def test_the_second_miss_in_a_row_names_a_person(context, groups, contact):
    assert say("都不是", entries=KEPT, context=context, groups=groups) == NoneOfThese(contact)


@pytest.mark.parametrize("change", [{"private": True}, {"groups": ("cid-other",)}])
def test_who_keeps_what_may_not_be_shown_is_not_named(change):
    hidden = tuple(replace(entry, **change) for entry in KEPT)
    assert say("都不是", entries=hidden, context=MISSED) == NoneOfThese("")


def test_a_question_is_answered_although_a_list_is_open():
    assert answer_of(say("年假有几天", context=LIST)) == "annual"


# -- small talk and commands -------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  ", "？", "@小助手", "帮助", "菜单", "Help", "能问什么"])
def test_a_bare_text_or_a_call_for_help_opens_the_menu(text):
    assert say(text) == Menu((("休假", 2, "年假有几天"), ("薪酬", 2, "几号发工资"), ("其他", 1, "停车位怎么申请")))


def test_the_menu_of_an_empty_knowledge_base_is_empty():
    assert say("帮助", entries=()) == Menu(())


def test_the_menu_counts_only_what_may_be_answered_here():
    hidden = (replace(SICK, groups=("cid-other",)), replace(PAY, draft=True), replace(PAYSLIP, departments=("1",)))
    assert say("帮助", entries=(ANNUAL, *hidden)) == Menu((("休假", 1, "年假有几天"),))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("你好", SmallTalkKind.GREETING),
        ("您好！", SmallTalkKind.GREETING),
        ("Hi", SmallTalkKind.GREETING),
        ("在吗？", SmallTalkKind.GREETING),
        ("有人在吗", SmallTalkKind.GREETING),
        ("早上好", SmallTalkKind.GREETING),
        ("谢谢", SmallTalkKind.THANKS),
        ("非常感谢！", SmallTalkKind.THANKS),
        ("謝謝", SmallTalkKind.THANKS),
        ("Thank you", SmallTalkKind.THANKS),
        ("好的，谢谢", SmallTalkKind.THANKS),
        ("再见", SmallTalkKind.GOODBYE),
        ("好的", SmallTalkKind.GOODBYE),
        ("知道了", SmallTalkKind.GOODBYE),
        ("88", SmallTalkKind.GOODBYE),
        ("👌", SmallTalkKind.GOODBYE),
        ("🙏", SmallTalkKind.THANKS),
        ("嗯嗯明白了谢谢", SmallTalkKind.THANKS),
        ("没事了，打扰了", SmallTalkKind.GOODBYE),
        ("傻逼机器人", SmallTalkKind.COMPLAINT),
    ],
)
def test_small_talk_gets_small_talk(text, kind):
    assert say(text) == SmallTalk(kind)
    assert say(text, context=LIST) == SmallTalk(kind)


@pytest.mark.parametrize("text", ["你好，年假有几天", "请问年假有几天？", "年假有几天，谢谢"])
def test_politeness_around_a_question_does_not_hide_it(text):
    assert answer_of(say(text)) == "annual"


@pytest.mark.parametrize(
    ("kind", "small"),
    [
        (MessageKind.AUDIO, SmallTalkKind.NOT_HEARD),
        (MessageKind.PICTURE, SmallTalkKind.NOT_TEXT),
        (MessageKind.VIDEO, SmallTalkKind.NOT_TEXT),
        (MessageKind.FILE, SmallTalkKind.NOT_TEXT),
        (MessageKind.UNKNOWN, SmallTalkKind.NOT_TEXT),
    ],
)
def test_what_cannot_be_read_gets_a_polite_reply(kind, small):
    assert say("", kind=kind) == SmallTalk(small)


def test_a_voice_message_is_answered_like_text():
    assert say("年假有几天", kind=MessageKind.VOICE) == say("年假有几天")


# -- topics and questions ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["休假", "休假？", " 休 假 ", "@小助手 休假"])
def test_the_name_of_a_topic_opens_the_topic(text):
    assert say(text) == TopicList("休假", (ANNUAL, SICK), 2)


def test_an_exact_wording_beats_the_name_of_a_topic():
    assert answer_of(say("薪酬")) == "payslip"


def test_a_topic_without_anything_to_show_does_not_open():
    assert not isinstance(say("休假", entries=(replace(ANNUAL, groups=("cid-other",)), PAY)), TopicList)


def test_a_long_topic_is_cut_and_counted():
    many = tuple(Entry(f"e{n}", f"问题{n}", "答", topic="很多") for n in range(MAX_LISTED + 5))
    assert say("很多", entries=many) == TopicList("很多", many[:MAX_LISTED], MAX_LISTED + 5)


@pytest.mark.parametrize("text", ["年假有几天", "年假有几天？", "请问年假有几天", "年休假天数", "請問年假有幾天"])
@pytest.mark.parametrize("limits", FITTED_THRESHOLDS.values(), ids=FITTED_THRESHOLDS)
def test_a_wording_hr_wrote_is_answered_at_every_strictness(text, limits):
    assert answer_of(say(text, limits=limits)) == "annual"


def test_a_question_nobody_wrote_an_answer_for_is_admitted():
    assert isinstance(say("zzz qqq"), Unanswered)


def test_two_entries_with_the_same_wording_are_offered():
    decision = say("年假有几天", entries=(ANNUAL, replace(ANNUAL, id="twin")))
    assert isinstance(decision, Offered) and [c.entry.id for c in decision.candidates] == ["annual", "twin"]


def test_the_version_that_is_valid_today_answers():
    old = replace(ANNUAL, id="old", valid=Period(end=date(2026, 5, 31)))
    new = replace(ANNUAL, id="new", valid=Period(start=date(2026, 6, 1)))
    assert answer_of(say("年假有几天", entries=(old, new))) == "new"


# -- private entries ---------------------------------------------------------------------------

PRIVATE = replace(SICK, id="private", question="哺乳假怎么请", private=True)


def test_a_private_question_is_recognised_in_a_group():
    decision = say("哺乳假怎么请", entries=(*ENTRIES, PRIVATE))
    assert isinstance(decision, PrivateReply) and answer_of(decision.decision) == "private"


@pytest.mark.parametrize("text", ["帮助", "休假"])
def test_lists_for_a_group_leave_private_questions_out(text):
    entries = (PRIVATE, *ENTRIES)
    assert "哺乳假" not in repr(say(text, entries=entries))
    assert "哺乳假" in repr(say(text, entries=entries, is_group=False))


def test_a_list_with_a_private_question_goes_to_the_asker_alone():
    twins = (ANNUAL, replace(ANNUAL, id="b"), replace(ANNUAL, id="c", private=True))
    decision = say("年假有几天", entries=twins)
    assert isinstance(decision, PrivateReply) and isinstance(decision.decision, Offered)
    assert len(decision.decision.candidates) == 3
    single = say("年假有几天", entries=twins, is_group=False)
    assert isinstance(single, Offered) and len(single.candidates) == 3


# -- what may be asked next --------------------------------------------------------------------


def related_to(*changes, is_group=True, own=()):
    """The entries shown beside an answer whose `related` names these and an unknown one."""
    others = tuple(replace(SICK, id=f"r{n}", question=f"问题{n}", **change) for n, change in enumerate(changes))
    asked = replace(ANNUAL, related=("unknown", *(e.id for e in others)))
    return [e.id for e in say("年假有几天", entries=(asked, *others), is_group=is_group).related]


def test_what_is_related_is_shown_three_at_most():
    assert related_to({}, {}, {}, {}) == ["r0", "r1", "r2"]


def test_what_may_not_be_seen_is_not_shown_as_related():
    changes = ({"groups": ("cid-other",)}, {"private": True}, {"valid": Period(end=date(2026, 5, 31))}, {})
    assert related_to(*changes) == ["r3"]
    assert related_to(*changes, is_group=False) == ["r1", "r3"]


def test_what_is_related_can_be_picked_by_number():
    answered = say("年假有几天", entries=(replace(ANNUAL, related=("pay", "sick")), *ENTRIES[1:]))
    assert answered.options == (Option("entry", "pay"), Option("entry", "sick"))


# -- who may see what --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "conversation", "is_open"),
    [
        ({}, GROUP, True),
        ({}, None, True),
        ({"private": True}, GROUP, True),
        ({"draft": True}, GROUP, False),
        ({"draft": True}, None, False),
        ({"held": "有效期读不懂"}, GROUP, False),
        ({"held": "有效期读不懂"}, None, False),
        ({"valid": Period(date(2026, 6, 1), date(2026, 6, 1))}, GROUP, True),
        ({"valid": Period(start=date(2026, 6, 2))}, GROUP, False),
        ({"valid": Period(end=date(2026, 5, 31))}, GROUP, False),
        ({"valid": Period(end=date(2026, 5, 31))}, None, False),
        ({"valid": Period(date(2026, 12, 31), date(2026, 1, 1))}, GROUP, False),
        ({"groups": (GROUP,)}, GROUP, True),
        ({"groups": ("cid-other", GROUP)}, GROUP, True),
        ({"groups": ("cid-other",)}, GROUP, False),
        ({"groups": ("cid-other",)}, "", False),
        ({"groups": ("cid-other",)}, None, True),
        ({"departments": ("1001",)}, GROUP, False),
        ({"departments": ("1001",), "groups": (GROUP,)}, GROUP, False),
        ({"departments": ("1001",)}, None, True),
    ],
)
def test_an_entry_is_open_only_where_and_when_it_may_be(changes, conversation, is_open):
    assert open_to(replace(ANNUAL, **changes), TODAY, conversation) is is_open


def test_an_entry_that_is_not_open_here_is_never_answered_nor_offered():
    closed = replace(ANNUAL, groups=("cid-other",))
    assert "annual" not in repr(say("年假有几天", entries=(closed, SICK)))


# -- answering, offering, admitting ------------------------------------------------------------

WIDE = Thresholds(answer_at=0.7, likely_at=0.7, offer_at=0.4)


def ranked(*scores):
    return tuple(Candidate(replace(ANNUAL, id=str(n)), score, "q") for n, score in enumerate(scores))


@pytest.mark.parametrize(
    ("scores", "outcome"),
    [
        ((), Unanswered),
        ((0.39,), Unanswered),
        ((0.4,), 1),
        ((0.69,), 1),
        ((0.7,), Answered),
        ((0.75, 0.6), Answered),
        ((0.7, 0.61), Answered),
        ((0.69, 0.61), 2),
        ((0.9, 0.85), Answered),
        ((0.6, 0.5, 0.2), 3),
        ((1.0,), Answered),
        ((1.0, 0.99), Answered),
        ((0.5, 0.5), 2),
        ((0.69, 0.1), 2),
        # One line is no choice; the next ones join it.
        ((0.69, 0.02), 2),
        ((0.69, 0.02, 0.01, 0.01), 3),
        ((0.69, 0.3, 0.01), 2),
        ((0.65, 0.6, 0.55, 0.5, 0.45, 0.44), MAX_OFFERED),
    ],
)
def test_the_sure_is_answered_a_likely_few_are_offered_the_rest_is_admitted(scores, outcome):
    decision = apply_thresholds(ranked(*scores), WIDE)
    if isinstance(outcome, int):
        assert isinstance(decision, Offered)
        assert [c.score for c in decision.candidates] == list(scores[:outcome])
    else:
        assert isinstance(decision, outcome)


def test_the_nearest_are_kept_when_nothing_is_answered():
    decision = apply_thresholds(ranked(0.3, 0.2, 0.1, 0.05), WIDE)
    assert isinstance(decision, Unanswered) and [c.score for c in decision.nearest] == [0.3, 0.2, 0.1]


def test_a_stricter_bot_asks_for_more():
    strict, balanced, lenient = (FITTED_THRESHOLDS[name] for name in ("strict", "balanced", "lenient"))
    for limit in ("answer_at", "offer_at"):
        assert getattr(strict, limit) >= getattr(balanced, limit) >= getattr(lenient, limit)
    for limits in FITTED_THRESHOLDS.values():
        assert 0 < limits.offer_at < limits.answer_at < 1


# -- what the numbers of the next list mean ------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "meant"),
    [
        (Offered(ranked(0.5, 0.4)), (Option("entry", "0"), Option("entry", "1"), Option("none", ""))),
        (Menu((("休假", 2, "年假"), ("其他", 1, "x"))), (Option("topic", "休假"), Option("topic", "其他"))),
        (TopicList("休假", (ANNUAL, SICK), 9), (Option("entry", "annual"), Option("entry", "sick"))),
        (Answered(ANNUAL, 1.0, "q"), ()),
        (Unanswered(ranked(0.1)), ()),
        (SmallTalk(SmallTalkKind.THANKS), ()),
        (OutOfList(3), ()),
    ],
)
def test_each_line_of_a_list_has_a_meaning(decision, meant):
    assert decision.options == meant


def test_the_menu_then_a_topic_then_a_question_can_be_walked_by_numbers():
    menu = say("帮助")
    topic = say("1", context=ConversationState(menu.options, NOW + 1))
    assert topic == TopicList("休假", (ANNUAL, SICK), 2)
    answer = say("2", context=ConversationState(topic.options, NOW + 1))
    assert answer == Answered(SICK, 1.0, SICK.question, picked=True)


def test_entries_without_a_topic_can_be_opened_by_number():
    menu = say("帮助")
    assert say("3", context=ConversationState(menu.options, NOW + 1)) == TopicList("其他", (PARKING,), 1)


# -- one bare question -----------------------------------------------------------------------------


def test_a_bare_question_is_judged_without_asker_and_with_its_ranking():
    limited = replace(ANNUAL, groups=("cid-other",))
    decision, ranking = judge("年假有几天", Index((limited, SICK)), limits=FITTED_THRESHOLDS["balanced"], today=TODAY)
    assert answer_of(decision) == "annual"
    assert ranking[0].entry == limited and ranking[0].question == "年假有几天"


@pytest.mark.parametrize("text", ["你好", "帮助", "谢谢", ""])
def test_commands_are_no_questions(text):
    decision, _ = judge(text, Index(ENTRIES), limits=FITTED_THRESHOLDS["balanced"], today=TODAY)
    assert isinstance(decision, (SmallTalk, Menu))


# -- messages without a subject ----------------------------------------------------------------


@pytest.mark.parametrize("text", ["怎么申请", "什么时候？", "几天", "请问多少钱", "是什么", "67890", "2+3等于几", "人"])
def test_a_message_without_a_subject_asks_back_for_the_topic(text):
    asked = say(text)
    assert isinstance(asked, Menu) and asked.unspecific
    assert [topic for topic, _, _ in asked.topics] == ["休假", "薪酬", "其他"]
    assert asked.logged_match is None
    judged, _ = judge(text, Index(ENTRIES), limits=FITTED_THRESHOLDS["lenient"], today=TODAY)
    assert judged == asked


@pytest.mark.parametrize("text", ["怎么申请", "67890", "什么时候？"])
def test_a_wording_of_such_words_only_is_found(text):
    entry = Entry("odd", text, "有答案")
    assert answer_of(say(text, entries=(*ENTRIES, entry))) == "odd"


def test_a_question_like_a_wording_of_such_words_only_finds_it():
    entry = Entry("how", "怎么使用操作", "看说明", also=("怎么操作这个", "如何使用"))
    assert answer_of(say("这个怎么使用啊", entries=(*ENTRIES, entry), limits=FITTED_THRESHOLDS["lenient"])) == "how"


def test_a_topic_named_by_such_words_only_opens():
    entry = Entry("rule", "办公室几点开门", "八点", topic="规定")
    assert isinstance(say("规定", entries=(*ENTRIES, entry)), TopicList)


def test_a_message_without_a_subject_follows_the_question_before():
    state = ConversationState(last_answer=LastAnswer("m0", "parking", "停车位怎么申请", 1.0, NOW + 1))
    decision = say("怎么申请", context=state)
    assert answer_of(decision) == "parking" and decision.is_follow_up


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("你吃了吗", SmallTalkKind.CHAT),
        ("我好累", SmallTalkKind.CHAT),
        ("你好笨", SmallTalkKind.COMPLAINT),
        ("[微笑]", SmallTalkKind.GOODBYE),
        ("[抱拳]", SmallTalkKind.THANKS),
    ],
)
def test_chat_is_small_talk_and_no_missed_question(text, kind):
    decision = say(text)
    assert decision == SmallTalk(kind) and decision.logged_match is None


def test_chat_that_hr_wrote_down_is_a_question():
    assert answer_of(say("好无聊", entries=(*ENTRIES, Entry("club", "好无聊", "来下棋")))) == "club"
