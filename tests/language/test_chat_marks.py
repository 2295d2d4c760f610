"""What a chat puts between the words is no word; brackets that HR wrote are."""

from __future__ import annotations

import pytest

from faqbot.language.chat_marks import emoji_codes_in, without_chat_marks
from faqbot.language.normalize import normalise
from faqbot.language.vocabulary import chat_marks

QUESTION = "怎么报销"


@pytest.mark.parametrize(
    "text",
    [
        "怎么报销[微笑]",
        "[微笑]怎么报销",
        "[抱拳][玫瑰] 怎么报销",
        "[抱拳] [玫瑰]\n怎么报销？？",
        "怎么[捂脸]报销",
        "怎么报销[OK]",
        "怎么报销[打call]",
        "怎么报销[新表情][微笑]",
        "怎么报销[新表情][新表情]",
        "怎么报销(╯°□°)╯",
        "怎么报销(´・ω・`)",
        "怎么报销（≧▽≦）",
        "怎么报销ヾ(◍°∇°◍)ﾉﾞ",
        "怎么报销 ^_^",
        "怎么报销T_T",
        "怎么报销QAQ",
        "怎么报销orz",
        "emmm怎么报销",
        "怎么报销~~~！！！。。。",
        "@小助手 怎么报销[玫瑰]",
        "「小李：年假有几天」\n- - - - - - - - - -\n怎么报销",
        "「小李：年假有几天」\n——————————\n怎么报销",
        "> 小李：年假有几天\n怎么报销",
        "回复 @小李：怎么报销",
    ],
)
def test_marks_of_a_chat_are_dropped(text: str) -> None:
    assert normalise(text) == QUESTION


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[必看]报销", "必看报销"),
        ("报销标准[试行]", "报销标准试行"),
        ("[上海][北京]餐补", "上海北京餐补"),
        ("[1][2]报销", "1 2报销"),
        ("年假(含法定)几天", "年假含法定几天"),
        ("报销（不超过100元）", "报销不超过100元"),
        ("住宿费(一线~二线)", "住宿费一线二线"),
        ("XP系统怎么装", "xp系统怎么装"),
        ("OT怎么报", "ot怎么报"),
        ("「差旅：住宿」标准", "差旅住宿标准"),
        ("小李：年假有几天", "小李年假有几天"),
        ("> 5000 元怎么报", "5000元怎么报"),
        ("回复客户要多快", "回复客户要多快"),
    ],
)
def test_words_in_brackets_stay(text: str, words: str) -> None:
    assert normalise(text) == words


@pytest.mark.parametrize("name", sorted(chat_marks().emoji_codes))
def test_each_code_alone_holds_no_word(name: str) -> None:
    assert normalise(f"[{name}]") == ""
    assert emoji_codes_in(f"好[{name}]") == (name,)


def test_a_long_text_of_brackets_is_read_quickly() -> None:
    # Only the result counts: a pattern that backtracks would not come to an end.
    assert without_chat_marks("(" * 3000) == "(" * 3000
    assert without_chat_marks("[" * 3000) == "[" * 3000
    assert without_chat_marks("(^" * 2000) == "(^" * 2000
    assert without_chat_marks("「a：" + "b" * 3000) == "「a：" + "b" * 3000
