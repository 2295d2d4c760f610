"""Several notices as one message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.dingtalk.api.group_robots import robot_body
from faqbot.dingtalk.wire.payloads import encode
from faqbot.markup.notice_markdown import as_markdown, mentioning
from faqbot.model.notices import Address, Link, Notice
from faqbot.outbox.merging import count_that_fit, merge

TEA = Notice("tea", Address("robot", "all"), "下午茶", "三楼有下午茶")
CUSTOMER = Notice("crm", Address("robot", "all"), "新客户 星野", "### 新客户 星野\n\n负责人 小李", at_userids=("lee",))
LINK = Notice(
    "link", Address("robot", "all"), "周报", "请看", shape="link", links=(Link("第 47 周", "https://x.cn/47"),)
)


def test_parts_are_numbered_and_keep_title_text_link_and_mention() -> None:
    merged = merge([TEA, CUSTOMER, LINK])
    assert merged.title == "3 条通知：下午茶、新客户 星野、周报"
    assert merged.body == (
        "#### 共 3 条通知\n\n"
        "**1. 下午茶**\n\n三楼有下午茶\n\n"
        "**2. 新客户 星野**\n\n负责人 小李\n\n@lee\n\n"
        "**3. 周报**\n\n请看\n\n[第 47 周](https://x.cn/47)"
    )


def test_mentions_are_united() -> None:
    two = replace(TEA, at_mobiles=("138", "139"), at_userids=("lee",)), replace(CUSTOMER, at_mobiles=("139",))
    merged = merge([*two, replace(TEA, at_all=True)])
    assert (merged.at_mobiles, merged.at_userids, merged.at_all) == (("138", "139"), ("lee",), True)
    assert merged.body.endswith("@所有人")


def test_a_single_notice_stays_as_it_is() -> None:
    assert merge([LINK]) is LINK


@pytest.mark.parametrize(
    ("notices", "fitting"),
    [
        ([TEA] * 100, 100),
        ([replace(TEA, body="长" * 1500)] * 5, 3),
        ([replace(TEA, body="长" * 9000), TEA], 1),
        ([replace(TEA, body="一\n" * 1000)] * 10, 2),
        ([replace(TEA, at_mobiles=tuple(f"{n}{m}" for m in range(30))) for n in range(3)], 1),
    ],
)
def test_no_more_are_merged_than_one_message_holds(notices: list[Notice], fitting: int) -> None:
    assert count_that_fit(notices) == fitting
    if len(notices[0].body) < 5000:
        assert len(encode(robot_body(merge(notices[:fitting])))) < 15_000


def test_plain_text_among_markdown_keeps_its_lines_and_gets_no_markup() -> None:
    text = replace(TEA, shape="text", body="# 不是标题\n第二行 *不是斜体*")
    assert as_markdown(text) == "＃ 不是标题  \n第二行 ＊不是斜体＊"


def test_an_address_in_a_text_still_opens() -> None:
    text = Notice("t", Address("robot", "all"), "报名", "请到 https://x.cn/a_b?c=1#d 报名，*今天*截止", shape="text")
    assert as_markdown(text) == "请到 https://x.cn/a_b?c=1#d 报名，＊今天＊截止"


def test_a_mention_that_stands_in_the_text_is_not_repeated() -> None:
    notice = replace(TEA, at_mobiles=("138", "139"), at_all=True)
    assert mentioning("请 @138 看一下", notice) == "请 @138 看一下\n\n@139 @所有人"
