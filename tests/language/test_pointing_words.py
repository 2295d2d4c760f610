"""What only points at a quoted question asks that question; whatever says more does not."""

from __future__ import annotations

import pytest

from faqbot.language.pointing_words import question_pointed_at


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "？", "???", "。。", "[微笑]", "@小王", "这个", "这个呢？", "这条呢", "帮忙看下", "帮看看这个",
        "麻烦看一下谢谢",
        "求解", "求解答～", "同问", "+1", "＋１", "我也想知道", "谁知道", "请回答一下", "回答下他的问题",
        "帮她看看", "@小王 帮忙看下",
        "怎么说", "上面这个问题", "能帮忙解答一下吗", "您知道吗", "看下", "有人知道这个吗", "如题",
    ],
)  # fmt: skip
def test_a_message_of_pointing_words_asks_the_quoted_question(text):
    assert question_pointed_at(text, "停车费能报吗") == "停车费能报吗"


@pytest.mark.parametrize(
    "text",
    [
        "多少钱", "在哪领", "没用", "为什么", "人工", "谁负责", "2", "第二个", "1", "可以吗", "好的",
        "谢谢", "不是", "北京", "过期了",
        "我也有个问题想问一下大家", "看不懂", "帮助", "怎么申请", "知道了", "这个月工资什么时候发", "问题反馈给谁",
        "回答错了", "有用", "就这个月", "对",
    ],
)  # fmt: skip
def test_a_message_that_says_more_does_not(text):
    assert question_pointed_at(text, "停车费能报吗") is None


@pytest.mark.parametrize(
    ("text", "quoted", "asked"),
    [
        ("怎么办", "工牌丢了", "工牌丢了怎么办"),
        ("这个咋办", "工牌丢了", "工牌丢了咋办"),
        ("这个怎么处理呀", "工牌丢了", "工牌丢了怎么处理"),
        ("怎么办", "工牌丢了去哪补", "工牌丢了去哪补"),
        ("", "", ""),
        ("这个呢", "", ""),
    ],
)
def test_what_to_do_is_asked_about_a_quoted_circumstance(text, quoted, asked):
    assert question_pointed_at(text, quoted) == asked
