"""A short text is completed by the question before it: in the place of its subject, or behind it."""

from __future__ import annotations

import pytest

from faqbot.language.follow_ups import asks_the_same, expansions, own_words, without_asking


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("那病假呢", "病假有几天"),
        ("病假", "病假有几天"),
        ("那么病假怎么样？", "病假有几天"),
        ("试用期也一样吗", "试用期年假有几天"),
        ("实习生也有吗", "实习生年假有几天"),
        ("怎么申请", "年假怎么申请"),
        ("那怎么申请呢", "年假怎么申请"),
        ("要提前几天", "年假要提前几天"),
        ("没休完怎么办", "年假没休完怎么办"),
    ],
)
def test_what_is_left_out_comes_from_the_question_before(text: str, meant: str) -> None:
    assert meant in expansions(text, ("年假有几天？",))


def test_the_question_before_may_be_known_in_several_wordings() -> None:
    assert {"年假怎么申请", "年休假怎么申请"} <= set(
        expansions("怎么申请", ("年假有几天", "年休假多少天", "年假有几天？"))
    )


@pytest.mark.parametrize("text", ["", "？", "年假有几天", "年假休完了怎么办", "下个月去北京出差的话住宿标准是多少"])
def test_what_says_itself_what_it_is_about_is_left_alone(text: str) -> None:
    assert expansions(text, ("年假有几天",)) == ()


@pytest.mark.parametrize(
    ("text", "own"), [("那病假呢", "病假"), ("试用期也一样吗", "试用期"), ("怎么申请？", "怎么申请")]
)
def test_what_a_text_brings_itself_is_known(text: str, own: str) -> None:
    assert own_words(text) == own


@pytest.mark.parametrize(
    ("text", "about"),
    [("有年假", ["年假"]), ("怎么赔", ["赔"]), ("离职能折现", ["离职", "折现"]), ("几天", []), ("怎么办", [])],
)
def test_what_a_text_is_about_stands_between_the_words_that_ask(text: str, about: list[str]) -> None:
    assert without_asking(text) == about


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("那外包也一样吗？", True),
        ("试用期也是这样的吗", True),
        ("试用期工资和转正后也一样吗", False),
        ("也有年假吗", False),
        ("一样吗", False),
    ],
)
def test_whether_the_same_holds_is_a_question_about_the_one_before(text: str, same: bool) -> None:
    assert asks_the_same(text) is same
