"""Aspects: the sentences of an answer that reply to a short question, and none where the answer does not say it."""

from __future__ import annotations

import pytest

from faqbot.language.aspects import DetailQuestion
from faqbot.language.normalize import normalise

QUESTION = "钥匙丢了怎么补？"
ANSWER = """\
在小程序提交「补钥匙」，当天到 2 楼物业窗口领；自己弄丢的每把收 **15 元**，坏了免费换。
申请时上传身份证照片，组长批准即可。寄到家里另付邮费，双休日不办。
不住宿舍的人也能补，超过 3 把要主管签字。有问题打分机 6021。
办理费用：
- 大门：20 元
- 抽屉：5 元
"""


def held(text: str, answer: str = ANSWER) -> str:
    return "|".join(DetailQuestion.read(text, [QUESTION], normalise).sentences_in(answer, normalise))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("多少钱", "自己弄丢的每把收 **15 元**"),
        ("要不要钱啊", "坏了免费换"),
        ("多久能拿到", "当天到 2 楼物业窗口领"),
        ("在哪领", "2 楼物业窗口"),
        ("去哪里拿呢", "2 楼物业窗口"),
        ("要啥材料", "上传身份证照片"),
        ("找谁", "分机 6021"),
        ("怎么申请", "在小程序提交"),
        ("谁批", "组长批准"),
        ("坏了呢", "坏了免费换"),
        ("周末能办吗", "双休日不办"),
        ("可以快递吗", "寄到家里另付邮费"),
        ("那不住宿舍呢", "不住宿舍的人也能补"),
        ("那大门呢", "- 大门：20 元"),
    ],
)
def test_the_sentence_that_says_it_is_found(text: str, expected: str) -> None:
    assert expected in held(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("多少钱", "到前台登记，次日领。"),
        ("多久能拿到", "到前台登记，交 20 元。"),
        ("在哪拿", "免费，当天有效。"),
        ("要什么材料", "每年 5 天，工资照发。"),
        ("家属可以吗", "每人每年一次，要提前登记。"),
        ("超了怎么办", "超过 6 小时的给 50 元。"),
        ("没有发票怎么办", "凭发票报销。"),
        ("扣多少", "每月补 40 元。"),
        ("那夜班呢", "早班 7:00 到 15:00。"),
        ("要谁批", "自己在系统里提交就生效。"),
        ("3 年的呢", "满 1 年 5 天，满 10 年 10 天。"),
    ],
)
def test_nothing_is_read_into_an_answer_that_does_not_say_it(text: str, answer: str) -> None:
    assert held(text, answer) == ""


def test_an_item_of_a_list_comes_with_its_heading() -> None:
    assert held("抽屉呢") == "办理费用：|- 抽屉：5 元"


def test_bold_marks_that_lost_their_other_end_are_dropped() -> None:
    assert held("多久", "**次日领；免费**，不用预约。") == "次日领"
