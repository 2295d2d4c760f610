"""Lines on the screen of a telephone are counted as they wrap, not as they are written."""

from __future__ import annotations

import pytest

from faqbot.markup.screen_lines import screen_lines


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        ("", 0),
        ("五天", 1),
        ("年" * 19, 1),
        ("年" * 20, 2),
        ("a" * 38, 1),
        ("a" * 39, 2),
        ("**" + "年" * 19 + "**", 1),
        ("一\n\n\n二", 2),
        ("- 一\n- 二\n- 三", 3),
        ("[手册](https://a.example/" + "x" * 100 + ")", 1),
        ("看图：\n\n![流程](流程.png)", 14),
    ],
)
def test_a_text_takes_as_many_lines_as_its_shown_words_need(markdown: str, lines: int) -> None:
    assert screen_lines(markdown) == lines
