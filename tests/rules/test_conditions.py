"""The `if:` of a rule: what holds, what does not, and what cannot be read."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.rules.condition_syntax import ConditionError
from faqbot.rules.conditions import judge, read_condition

ORDER = {
    "amount": 150000,
    "region": "华东",
    "vip": True,
    "code": "1001",
    "due": "2026-03-01",
    "customer": {"level": "A", "tags": ["老客户", "华东"]},
    "none": None,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("amount > 100000 and region == '华东'", True),
        ("amount > 100000 且 region == “华南”", False),
        ("amount>100000且region=='华东'", True),
        ('region in ["华东", "华南"]', True),
        ("region not in ('华北', '华南')", True),
        ("'华' in region", True),
        ("not vip", False),
        ("非 vip 或 amount <= 150000", True),
        ("vip == true and none == null", True),
        ("region = '华东'", True),
        ("amount ≥ 150000", True),
        ("amount / 2 - 5000 * (3 + 1) == 55000", True),
        ("1 + 2 * 3 == 7", True),
        ("-amount < 0", True),
        ("code == 1001 and code > 999", True),
        ("due < '2026-04-01'", True),
        ("customer.level == 'A' and '老客户' in customer.tags", True),
        ("customer.tags.1 == '华东'", True),
        ("false or (false or true) and true", True),
        ("not false and false", False),
        ("vip == 1", False),
        ("'5且地区' == “5且地区”", True),
        ("5且 vip 或者 false", True),
    ],
)
def test_an_expression_over_the_values_of_an_event(text, holds):
    assert judge(read_condition(text), ORDER).holds is holds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("amout > 1", "没有“amout”这个值：有的是 amount、region"),
        ("customer.name == 'x'", "“customer”里有的是 level、tags"),
        ("region > 5", "“华东”不是数字，不能比大小"),
        ("amount / 0 > 1", "除数是 0"),
        ("1 in amount", "in 的右边应是一段文字或一个列表"),
        ("amount < 5", "不成立"),
    ],
)
def test_a_condition_that_does_not_hold_says_why(text, reason):
    judged = judge(read_condition(text), ORDER)
    assert not judged.holds
    assert reason in judged.reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "空的"),
        ("amount >", "没有写完"),
        ("amount > 100 region", "“region”放在这里读不懂"),
        ("region == '华东", "引号没有成对"),
        ("__import__('os')", "“(”放在这里读不懂"),
        ("amount ** 2", "“*”放在这里读不懂"),
        ("(amount > 1", "少了“)”"),
        ("1 < amount < 5", "一次只能比较两个值"),
        ("a; b", "读不懂"),
        ("(" * 200 + "1" + ")" * 200, "套得太深"),
        ("not " * 100 + "a", "套得太深"),
        ("a == 1 or " * 60 + "a == 2", "太长"),
    ],
)
def test_what_cannot_be_read_is_explained(text, message):
    with pytest.raises(ConditionError, match=re.escape(message)):
        read_condition(text)


PIECES = "a vip amount '华' \"x\" 1 2.5 and or not in ( ) [ ] , + - * / == != < 且 或 非 . ' “"
_WORDS = st.sampled_from(PIECES.split(" "))


@given(st.lists(_WORDS, max_size=40).map(" ".join))
def test_whatever_is_written_it_is_read_or_refused_and_judging_raises_nothing(text):
    try:
        condition = read_condition(text)
    except ConditionError:
        return
    judge(condition, ORDER)


@pytest.mark.parametrize("text", ["1" + "0" * 400 + " / 3 > 1", "1" + "0" * 400 + " * 1.5 > 1", "-" * 19 + "1 == 1"])
def test_numbers_beyond_all_measure_break_nothing(text):
    judge(read_condition(text), {})


def test_the_parser_is_imported_with_the_first_condition_only():
    code = "import sys, faqbot.rules.parser; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
