"""A difference is said in words that a colleague understands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.model.differences import Difference, DifferenceKind
from faqbot.model.entries import Candidate, Entry
from faqbot.replies.differences import difference_text, list_remark


@pytest.mark.parametrize(
    ("kind", "asked", "written", "text"),
    [
        ("number", "500 元", "5000 元", "您问 500 元，这一条说的是 5000 元"),
        ("number", "500元", "5000元", "您问 500 元，这一条说的是 5000 元"),
        ("unit", "8天", "8小时", "您问 8 天，这一条说的是 8 小时"),
        ("code", "A3", "B-2座", "您问 A3，这一条说的是 B-2 座"),
        ("ordinal", "第3条", "第2条", "您问「第3条」，这一条说的是「第2条」"),
        ("limit", "不满一年", "满一年", "您问「不满一年」，这一条说的是「满一年」"),
        ("direction", "从上海到北京", "从北京到上海", "您问「从上海到北京」，这一条说的是「从北京到上海」，方向不一样"),
        ("negation", "休完", "没休完", "您问「休完」，这一条说的是「没休完」，说法相反"),
        ("name", "王建国", "王建华", "您问「王建国」，这一条说的是「王建华」"),
        ("condition", "实习生", "", "您说的「实习生」，这一条没有说到"),
        ("subject", "腾讯", "", "您问的「腾讯」，这一条没有说到"),
        ("subject", "left join", "", "您问的 left join，这一条没有说到"),
        ("negation", "", "不满一年", "这一条说的是「不满一年」，您没有说到"),
    ],
)
def test_each_difference_is_one_sentence(kind: str, asked: str, written: str, text: str) -> None:
    assert difference_text(Difference(DifferenceKind(kind), asked, written)) == text


def test_a_list_tells_two_differences_and_none_of_them_twice() -> None:
    def remark(*words: tuple[str, str]) -> str:
        differs = tuple(Difference(DifferenceKind.SUBJECT, asked, written) for asked, written in words)
        first = Candidate(Entry("a", "问", "答"), 0.9, "问", differs=differs)
        alone = list_remark((first,))
        both = list_remark((first, replace(first, differs=())))
        assert alone == both.replace("最接近的是第 1 条", "只找到一条相近的")
        return both

    assert remark(("休完", "没休完"), ("休", "没休")) == "最接近的是第 1 条，不过您问「休完」，这一条说的是「没休完」。"
    told = remark(("早班", "晚班"), ("上海", "北京"), ("借出", "借入"))
    assert told == "最接近的是第 1 条，不过您问「早班」，这一条说的是「晚班」；您问「上海」，这一条说的是「北京」。"
    assert remark() == ""


@pytest.mark.parametrize("kind", DifferenceKind)
def test_every_kind_names_both_sides(kind: DifferenceKind) -> None:
    text = difference_text(Difference(kind, "早班", "晚班"))
    assert "「早班」" in text and "「晚班」" in text
