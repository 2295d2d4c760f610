"""A text is cut only where each part asks by itself."""

from __future__ import annotations

import pytest

from faqbot.language.sentence_splitting import parts_of


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
        ("年假几天", ()),
        ("请问一下，年假几天", ()),
        ("我刚入职，年假几天", ()),
        ("年假没休完，怎么办", ()),
        ("家里要人看着，明天能在家上班吗", ()),
        ("还有几天年假", ()),
        ("年假、病假怎么请", ()),
        ("VPN 怎么用", ()),
        ("几天，多久，怎么", ()),
        ("怎么请假，找谁批，要什么，多久到账", ()),
        ("", ()),
    ],
)
def test_each_part_asks_and_what_does_not_stays_with_the_question_beside_it(text: str, parts: tuple[str, ...]) -> None:
    assert parts_of(text) == parts
