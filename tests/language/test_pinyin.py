"""How Chinese sounds: near-sounds are one unit, typed pinyin is cut into syllables, everything else stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from faqbot.language.pinyin import initial, of_character, spell, syllables

ROOT = Path(__file__).parents[2]


def units(text: str, words: frozenset[str] = frozenset()) -> str:
    return "".join(unit for _, unit in spell(text, words))


def written(text: str, words: frozenset[str] = frozenset()) -> list[str]:
    return [span for span, _ in spell(text, words)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("假", "嫁", id="same"),
        pytest.param("卖", "买", id="tone"),
        pytest.param("张", "脏", id="zh-z"),
        pytest.param("吃", "词", id="ch-c"),
        pytest.param("是", "四", id="sh-s"),
        pytest.param("帮", "班", id="ang-an"),
        pytest.param("蒸", "真", id="eng-en"),
        pytest.param("京", "金", id="ing-in"),
        pytest.param("江", "尖", id="iang-ian"),
        pytest.param("光", "关", id="uang-uan"),
        pytest.param("年", "连", id="n-l"),
        pytest.param("女", "绿", id="nv-lv"),
        pytest.param("商", "三", id="sh-s and ang-an"),
    ],
)
def test_near_sounds_are_one_unit(one: str, other: str) -> None:
    assert of_character(one) == of_character(other)
    assert len(of_character(one)) == 1 and of_character(one) not in (one, other)


@pytest.mark.parametrize("pair", ["八趴", "飞灰", "人能", "金军", "假家天", "路绿", "大他", "高考"])
def test_sounds_that_differ_more_are_different_units(pair: str) -> None:
    assert of_character(pair[0]) != of_character(pair[-1])


@pytest.mark.parametrize(
    ("typed", "cut"),
    [
        ("nianjia", ("nian", "jia")),
        ("gongjijin", ("gong", "ji", "jin")),
        ("shebao", ("she", "bao")),
        ("xian", ("xian",)),
        ("zhuang", ("zhuang",)),
        ("nv", ("nv",)),
        ("lvse", ("lv", "se")),
        ("tiananmen", ("tian", "an", "men")),
        # The longest first syllable leaves what is none, so a shorter one is taken.
        ("fanguan", ("fan", "guan")),
        ("nanguo", ("nan", "guo")),
    ],
)
def test_typed_pinyin_is_cut_into_syllables(typed: str, cut: tuple[str, ...]) -> None:
    assert syllables(typed) == cut
    assert written(typed) == list(cut)


@pytest.mark.parametrize("word", ["gjj", "vpn", "hr", "wifi", "app", "password", "nianj", "n"])
def test_what_is_no_pinyin_stays_and_sounds_like_itself(word: str) -> None:
    assert syllables(word) is None
    assert spell(word) == [(word, word)]


@pytest.mark.parametrize("word", ["pin", "fan", "change", "nianjia"])
def test_a_known_latin_word_is_no_pinyin(word: str) -> None:
    assert units(word) != word
    assert spell(word, frozenset({word})) == [(word, word)]


def test_the_words_that_are_known_do_not_keep_others_from_being_pinyin() -> None:
    assert written("nianjia pin", frozenset({"pin"})) == ["nian", "jia", "pin"]


@pytest.mark.parametrize(
    ("typed", "characters"),
    [("nianjia", "年假"), ("lianjia", "年假"), ("gongjijin", "公积金"), ("zaizi", "在职"), ("jingtie", "津贴")],
)
def test_typed_pinyin_sounds_like_the_characters(typed: str, characters: str) -> None:
    assert units(typed) == units(characters) != characters


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("年假", ["年", "假"]),
        ("年假zenme申请", ["年", "假", "zen", "me", "申", "请"]),
        ("gjj怎么提", ["gjj", "怎", "么", "提"]),
        ("12%年假", ["12%", "年", "假"]),
        ("vpn wifi", ["vpn", "wifi"]),
        ("привет年", ["привет", "年"]),
        ("", []),
    ],
)
def test_what_is_written_and_what_is_heard_lie_side_by_side(text: str, spans: list[str]) -> None:
    found = spell(text)
    assert [span for span, _ in found] == spans
    for span, unit in found:
        if "\u4e00" <= span <= "\u9fff":
            assert unit == of_character(span) != span
        elif syllables(span) is None:
            assert unit == span
        else:
            assert len(unit) == 1


def test_a_character_without_a_reading_sounds_like_itself() -> None:
    assert of_character("年") != "年"
    assert of_character("\ua000") == "\ua000" and initial("\ua000") == "\ua000"


@pytest.mark.parametrize(("character", "letter"), [("公", "g"), ("积", "j"), ("证", "z"), ("绿", "l"), ("a", "a")])
def test_a_character_is_abbreviated_with_the_first_letter_of_its_reading(character: str, letter: str) -> None:
    assert initial(character) == letter


def test_the_dictionary_of_phrases_is_not_loaded() -> None:
    code = (
        "import sys; from faqbot.language import pinyin; "
        "assert len(pinyin.spell('年假nianjia')) == 4; "
        "print('pypinyin.pinyin_dict' in sys.modules, 'pypinyin.phrases_dict' in sys.modules)"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYPINYIN_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_a_long_word_is_cut_without_deep_recursion():
    assert syllables("a" * 400) == ("a",) * 400
