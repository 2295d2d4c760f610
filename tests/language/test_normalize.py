"""Ways to write the same question come out as one text; words shown again are harmless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.language.normalize import MAX_MATCHED_CHARS, Synonyms, normalise, seams_of, skeleton, strip_fillers
from faqbot.markup.escaping import escape_markdown

# All of Unicode outside the ideographs, mixed with what people in these chats really type.
TYPED = "年假几天请问一下呢吗谢谢你好 　@＠，。？！,.?!:：%_-#*0123①②ⅳaBzßİſﬁ㎏Ａ１～😀\u200b\ufe0f\n\t"
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Lo"])),
    st.text(TYPED),
    st.text(TYPED, min_size=MAX_MATCHED_CHARS, max_size=MAX_MATCHED_CHARS * 3),
)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("ＶＰＮ怎么用", "vpn怎么用"),
        ("WiFi密码", "wifi密码"),
        ("年假①", "年假1"),
        ("第Ⅳ章", "第iv章"),
        ("㎡", "m2"),
        ("Straße", "strasse"),
    ],
)
def test_width_and_case_do_not_matter(written, same):
    assert normalise(written) == same


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("請問年假幾天", "请问年假几天"),
        ("報銷單據", "报销单据"),
        ("軟體怎麼裝", "软件怎么装"),
        ("伺服器壞了", "服务器坏了"),
        ("計程車費", "出租车费"),
        ("離職證明", "离职证明"),
    ],
)
def test_traditional_characters_and_words_become_simplified(traditional, simplified):
    assert normalise(traditional) == simplified


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("@小助手 年假几天", "年假几天"),
        ("＠小助手 年假几天", "年假几天"),
        ("年假几天 @小助手", "年假几天"),
        ("@小助手，年假几天", "年假几天"),
        ("@小助手 @王芳 年假几天", "年假几天"),
        ("@HR Bot年假", "bot年假"),
    ],
)
def test_mentions_are_dropped(written, same):
    assert normalise(written) == same


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("年假几天？", "年假几天"),
        ("“年假”，几天！", "年假几天"),
        ("【年假】几天……", "年假几天"),
        ("年假😀几天👨‍👩‍👧", "年假几天"),
        ("☎️年假", "年假"),
        ("\u200b年\u200d假\ufeff", "年假"),
        ("a_b-c", "a b c"),
        ("1.5 倍", "1 5倍"),
        ("打 8 折还是 80%", "打8折还是80%"),
        ("？？？", ""),
        ("", ""),
        (" \n\t　", ""),
    ],
)
def test_punctuation_emoji_and_invisible_characters_are_dropped(written, same):
    assert normalise(written) == same


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("年 假 几 天", "年假几天"),
        ("年假　几天", "年假几天"),
        ("年假\n几天", "年假几天"),
        ("年假 3 天", "年假3天"),
        ("VPN 怎么用", "vpn怎么用"),
        ("out  of   office", "out of office"),
    ],
)
def test_blanks_beside_han_are_dropped_and_others_are_one(written, same):
    assert normalise(written) == same


def test_a_pasted_page_is_cut():
    assert len(normalise("年" * 10_000)) == MAX_MATCHED_CHARS


@given(TEXTS)
def test_normalise_is_idempotent(text):
    once = normalise(text)
    assert normalise(once) == once
    assert len(once) <= MAX_MATCHED_CHARS


@pytest.mark.parametrize(
    ("written", "core"),
    [
        ("请问年假几天呢", "年假几天"),
        ("你好，请问一下年假有几天啊谢谢", "年假有几天"),
        ("麻烦问下 报销怎么走，谢谢啦", "报销怎么走"),
        ("hi 年假几天", "年假几天"),
        ("想问一下wifi密码在线等", "wifi密码"),
        ("年假怎么休吗", "年假怎么休"),
        ("年假几天", "年假几天"),
        ("high temperature", "high temperature"),
        ("这是为什么", "这是为什么"),
        ("该怎么", "该怎么"),
    ],
)
def test_padding_around_a_question_is_dropped(written, core):
    assert strip_fillers(normalise(written)) == core


@pytest.mark.parametrize("written", ["请问", "谢谢", "你好", "你好 谢谢", "呢", ""])
def test_a_text_of_padding_only_stays(written):
    assert strip_fillers(normalise(written)) == normalise(written)


@given(st.text("请问你好谢谢吗呢年假hi 啊"))
def test_stripping_never_empties_a_text_and_does_all_at_once(text):
    folded = normalise(text)
    core = strip_fillers(folded)
    assert bool(core) == bool(folded)
    assert strip_fillers(core) == core


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("年假几天？", "年假几天？"),
        ("[点我](http://evil.example)", "［点我］（http：／／evil.example）"),
        ("@所有人", "＠所有人"),
        ("**粗** _斜_ `码` # 题 > 引", "＊＊粗＊＊ ＿斜＿ ｀码｀ ＃ 题 ＞ 引"),
        ("<font>|~\\!", "＜font＞｜～＼！"),
        ("第一行\n# 第二行\r\n\u2028第三行", "第一行 ＃ 第二行 第三行"),
        ("  两边有空白　", "两边有空白"),
        ("", ""),
    ],
)
def test_words_shown_again_are_one_harmless_line(said, shown):
    assert escape_markdown(said) == shown


def test_words_shown_again_are_short():
    assert escape_markdown("长" * 100) == "长" * 59 + "…"
    assert escape_markdown("长" * 60) == "长" * 60
    assert escape_markdown("长" * 30, 20) == "长" * 19 + "…"


@given(st.one_of(st.text(), st.text("`[]()<>*_#@:/\n ab")), st.integers(min_value=2, max_value=80))
def test_nothing_with_a_meaning_in_markdown_survives(text, limit):
    shown = escape_markdown(text, limit)
    assert not set("`[]()<>*_#@") & set(shown)
    assert "://" not in shown
    assert len(shown.splitlines()) <= 1


SYNONYMS = Synonyms([["公积金", "住房公积金", "GJJ"], ["住房", "房子"], ["人事", "hr", "人力资源"], ["假", "休假"]])


@pytest.mark.parametrize(
    ("written", "unified"),
    [
        ("住房公积金怎么取", "公积金怎么取"),
        ("公积金怎么取", "公积金怎么取"),
        ("gjj怎么取", "公积金怎么取"),
        ("GJJ 怎么取", "公积金怎么取"),
        ("租房子", "租住房"),
        ("找hr", "找人事"),
        ("hr 在哪", "人事在哪"),
        ("three days", "three days"),
        ("chr", "chr"),
        ("hr2", "hr2"),
        ("gjjx", "gjjx"),
        ("年假几天", "年假几天"),
        ("", ""),
    ],
)
def test_synonyms_are_unified_longest_first_and_latin_words_only_whole(written, unified):
    assert SYNONYMS.apply(normalise(written)) == unified


def test_without_synonyms_a_text_stays_as_it_is():
    assert Synonyms().apply("住房公积金") == "住房公积金"
    assert Synonyms([[], ["？"], ["甲"]]).apply("甲乙") == "甲乙"


@given(st.text("天地玄黄abc 0123"))
def test_a_text_without_known_words_is_untouched(text):
    folded = normalise(text)
    assert SYNONYMS.apply(folded) == folded


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("三天", "3天"), ("十五天年假", "15天年假"), ("二十年", "20年"), ("两个月", "2个月"), ("一百二十元", "120元"),
        ("满十年", "满10年"), ("五险一金", "五险一金"), ("三五天", "三五天"), ("统一报销", "统一报销"),
        ("十三薪", "十三薪"),
    ],
)  # fmt: skip
def test_numbers_before_what_they_count_become_digits(written, same):
    assert normalise(written) == same


def test_half_a_character_does_not_raise():
    assert normalise("年假\ud83d几天") == normalise("年假?几天")


def test_the_skeleton_drops_empty_words_and_keeps_those_that_ask_for_something():
    assert skeleton("我的年假有多少天呢") == skeleton("年假多少天")
    assert skeleton("病假怎么请") != skeleton("病假怎么")


@pytest.mark.parametrize(
    ("text", "seams"),
    [
        ("产假 上海 天数", {"假上", "海天"}),
        ("产假，上海、天数。", {"假上", "海天"}),
        ("年假[微笑]几天", {"假几"}),
        ("年 假 几 天", set()),
        ("年假 VPN 几天", set()),
        ("年假几天", set()),
        ("请 问年假", set()),
    ],
)
def test_seams_are_pairs_of_characters_that_were_written_apart(text, seams):
    assert seams_of(text) == seams
    assert all(seam in normalise(text) for seam in seams)
