"""Texts with `{name}`: what is filled in can do no harm, what is missing is named."""

from __future__ import annotations

import pytest

from faqbot.rules.templates import (
    TemplateError,
    escape_for_markdown,
    escape_for_text,
    escape_for_url,
    read_template,
    strip_controls,
)
from faqbot.rules.values import MissingValue

EVENT = {"name": "星野 [科技](http://evil)", "owner": {"name": "小李", "mobile": "138"}, "n": 3.0, "tags": ["甲", "乙"]}


@pytest.mark.parametrize(
    ("text", "escape", "filled"),
    [
        (
            "### 新客户 {name}\n负责人 {owner.name}",
            escape_for_markdown,
            "### 新客户 星野 ［科技］（http：／／evil）\n负责人 小李",
        ),
        ("{n} 个：{tags}", escape_for_markdown, "3 个：甲、乙"),
        ("第一个 {tags.0}", escape_for_text, "第一个 甲"),
        ("{{n}} = { n }", escape_for_text, "{n} = 3"),
        ("没有值", escape_for_text, "没有值"),
    ],
)
def test_values_are_filled_in(text, escape, filled):
    assert read_template(text).fill(EVENT, escape) == filled


@pytest.mark.parametrize(
    ("escape", "value", "harmless"),
    [
        (escape_for_markdown, "# 大标题\n> 引用", "＃ 大标题 ＞ 引用"),
        (escape_for_markdown, "@13800000000", "＠13800000000"),
        (escape_for_text, "@所有人\n第二行", "＠所有人\n第二行"),
        (escape_for_text, "a\u202eb\x07", "ab"),
        (escape_for_url, "1/../2?a=b&c#d", "1%2F..%2F2%3Fa%3Db%26c%23d"),
        (strip_controls, " 0571 ", "0571"),
    ],
)
def test_a_value_is_made_harmless_for_where_it_goes(escape, value, harmless):
    assert read_template("{v}").fill({"v": value}, escape) == harmless


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{nmae}", "没有“nmae”这个值：有的是 name、owner、n、tags"),
        ("{owner.phone}", "“owner”里有的是 name、mobile"),
        ("{name.x}", "“name”里面没有别的值"),
        ("{owner}", "是一组值"),
        ("{tags.7}", "没有“tags.7”这个值"),
    ],
)
def test_a_missing_value_is_named(text, message):
    with pytest.raises(MissingValue, match=message):
        read_template(text).fill(EVENT, escape_for_text)


@pytest.mark.parametrize("text", ["{", "a}b", "{}", "{a b}", "{a.}", "{1a}", "{a{b}}"])
def test_a_text_that_is_no_template_is_refused(text):
    with pytest.raises(TemplateError):
        read_template(text)
