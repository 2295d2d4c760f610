"""A message is cut into its questions, each with its circumstances; what is told around them is left out."""

from __future__ import annotations

import pytest

from faqbot.language.sentence_splitting import asks, main_question, questions_in


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("年假几天，离职能折现吗", ("年假几天", "离职能折现吗")),
        ("年假几天？病假怎么请？", ("年假几天", "病假怎么请")),
        ("年假几天\n病假怎么请", ("年假几天", "病假怎么请")),
        ("年假几天 病假怎么请", ("年假几天", "病假怎么请")),
        ("年假几天，还有怎么申请", ("年假几天", "怎么申请")),
        ("年假几天还有怎么申请", ("年假几天", "怎么申请")),
        ("产假多少天，陪产假呢", ("产假多少天", "陪产假呢")),
        ("你好，年假几天，病假怎么请，谢谢", ("年假几天", "病假怎么请")),
        ("我今天发烧了，怎么请假，扣多少工资", ("我今天发烧了，怎么请假", "扣多少工资")),
        ("婚假几天，能分开休吗，上海的", ("婚假几天", "能分开休吗，上海的")),
        ("您好，我是上个月来的。请问工牌丢了怎么补办？需要交钱吗？谢谢！", ("工牌丢了怎么补办", "需要交钱吗")),
        ("年假几天", ("年假几天",)),
        ("请问一下，年假几天", ("年假几天",)),
        ("我刚入职，年假几天", ("我刚入职，年假几天",)),
        ("年假没休完，怎么办", ("年假没休完，怎么办",)),
        ("家里要人看着，明天能在家上班吗", ("家里要人看着，明天能在家上班吗",)),
        ("还有几天年假", ("还有几天年假",)),
        ("年假、病假怎么请", ("年假、病假怎么请",)),
        ("VPN 怎么用", ("VPN 怎么用",)),
        ("产假 上海 天数", ("产假，上海，天数",)),
        ("几天，多久，怎么", ()),
        ("怎么请假，找谁批，要什么，多久到账", ()),
        ("你好，谢谢", ()),
        ("", ()),
    ],
)
def test_each_question_asks_and_what_does_not_stays_with_the_one_beside_it(text: str, parts: tuple[str, ...]) -> None:
    assert tuple(question.text for question in questions_in(text)) == parts


@pytest.mark.parametrize(
    ("story", "alone"),
    [
        (
            "大家好，我是刚入职的新同事小周，以后请多多指教。我想问一下咱们公司的年假有几天？因为过年想回趟老家。",
            "年假有几天",
        ),
        ("大家好我是刚来的新同事想请问一下咱们公司年假有几天因为我想早点安排", "年假有几天"),
        ("HR您好，打扰了，请问离职证明怎么开？谢谢！", "离职证明怎么开"),
        ("问了一圈都不知道，找了半天也没看到，报销到底多久到账啊，烦死了", "报销到底多久到账啊"),
        ("不知道有没有年终奖", "有没有年终奖"),
        ("本人市场部的，上个月结的婚，婚假可以分开休不，急用", "婚假可以分开休不"),
        ("这个月工资好像少了，工资条密码忘了怎么查啊，等了好久没人回", "工资条密码忘了怎么查啊"),
        ("是不是因为没打卡才扣钱", "是不是因为没打卡才扣钱"),
        ("各位领导好，我想请教一个问题就是体检是几月份安排呀，麻烦啦～", "体检是几月份安排呀"),
        ("气死我了！第三次了！报销单又被退回来了，发票抬头要怎么写才对啊？！", "发票抬头要怎么写才对啊"),
        ("Hi, 我是Tony，想问WiFi密码是多少？Thanks!", "WiFi密码是多少"),
        ("有个事想问下 主管让我来问你的 忘带工牌了今天能补打卡不", "忘带工牌了今天能补打卡不"),
    ],
)
def test_a_question_inside_a_story_is_found(story: str, alone: str) -> None:
    (question,) = questions_in(story)
    assert question.alone == alone
    assert question.alone in question.variants


@pytest.mark.parametrize(
    ("story", "main"),
    [
        ("急死了，电脑蓝屏开不了机，等了半天没人管", "电脑蓝屏开不了机"),
        ("大家好，我是新来的，年假有几天？谢谢", "年假有几天"),
        ("因为要办签证，想开个在职证明，怎么弄", "因为要办签证，想开个在职证明，怎么弄"),
        ("年假几天，病假怎么请", "年假几天，病假怎么请"),
        ("报销", "报销"),
        ("", ""),
    ],
)
def test_the_main_question_is_told_without_what_is_around_it(story: str, main: str) -> None:
    assert main_question(story) == main


def test_words_without_a_subject_are_not_searched_for_alone() -> None:
    (question,) = questions_in("我们组来了个实习生，她要门禁卡，怎么申请")
    assert question.alone == "怎么申请"
    assert question.variants == ("我们组来了个实习生，她要门禁卡，怎么申请",)


@pytest.mark.parametrize("text", ["给钱不", "到账没", "报销多久", "陪产假呢", "有木有年终奖"])
def test_a_question_is_one_by_its_words(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize("text", ["我在上海", "还没", "要不", "不", "五年了"])
def test_a_remark_asks_nothing(text: str) -> None:
    assert not asks(text)
