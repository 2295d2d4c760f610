"""Custom group robots: signatures, bodies, and what DingTalk's refusals mean."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from faqbot.dingtalk.api.group_robots import GroupRobotSender, RobotKeys, robot_body, signature
from faqbot.dingtalk.wire.error_codes import ROBOT_BLOCK_SECONDS, robot_error
from faqbot.errors import DeliveryError, NeedsAdmin, OutcomeUnknown, Throttled
from faqbot.model.notices import Address, Link, Notice
from faqbot.sandbox.api.group_robots import FakeGroupRobot
from faqbot.sandbox.server import FakeDingTalk
from tests.conftest import GROUP

NOTICE = Notice("1", Address("robot", "all"), "站会", "早啊，站会开始啰", shape="text")
CARD = Notice("2", Address("robot", "all"), "确认考勤", "请在今天确认", shape="card")
YES, NO = Link("没问题", "https://x.cn/yes"), Link("有问题", "https://x.cn/no", "https://x.cn/no.png")
HOUR = 3600


@pytest.mark.parametrize(
    ("timestamp", "secret", "signed"),
    [
        (1577808000000, "SEC" + "0123456789abcdef" * 4, "HN7svDpADSAdshssJ+xZ6qLqDI04umCSlDLPdhF44ww="),
        (1577262236757, "this is a secret", "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="),
        (1700000000000, "this is secret", "sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0="),
    ],
)
def test_signature(timestamp: int, secret: str, signed: str) -> None:
    assert signature(timestamp, secret) == signed


@pytest.mark.parametrize(
    ("notice", "body"),
    [
        (NOTICE, {"msgtype": "text", "text": {"content": "早啊，站会开始啰"}}),
        (
            replace(NOTICE, at_mobiles=("138",), at_all=True),
            {
                "msgtype": "text",
                "text": {"content": "早啊，站会开始啰\n\n@138 @所有人"},
                "at": {"atMobiles": ["138"], "isAtAll": True},
            },
        ),
        (
            replace(NOTICE, shape="markdown", title="", at_userids=("lee",)),
            {
                "msgtype": "markdown",
                "markdown": {"title": "通知", "text": "早啊，站会开始啰\n\n@lee"},
                "at": {"atUserIds": ["lee"]},
            },
        ),
        (
            replace(CARD, shape="link", links=(NO,)),
            {
                "msgtype": "link",
                "link": {
                    "title": "确认考勤",
                    "text": "请在今天确认",
                    "messageUrl": "https://x.cn/no",
                    "picUrl": "https://x.cn/no.png",
                },
            },
        ),
        (
            replace(CARD, links=(YES,)),
            {
                "msgtype": "actionCard",
                "actionCard": {
                    "title": "确认考勤",
                    "text": "请在今天确认",
                    "singleTitle": "没问题",
                    "singleURL": "https://x.cn/yes",
                },
            },
        ),
        (
            replace(CARD, links=(YES, NO)),
            {
                "msgtype": "actionCard",
                "actionCard": {
                    "title": "确认考勤",
                    "text": "请在今天确认",
                    "btnOrientation": "0",
                    "btns": [
                        {"title": "没问题", "actionURL": "https://x.cn/yes"},
                        {"title": "有问题", "actionURL": "https://x.cn/no"},
                    ],
                },
            },
        ),
        (
            replace(CARD, shape="feed", links=(YES, NO)),
            {
                "msgtype": "feedCard",
                "feedCard": {
                    "links": [
                        {"title": "没问题", "messageURL": "https://x.cn/yes", "picURL": ""},
                        {"title": "有问题", "messageURL": "https://x.cn/no", "picURL": "https://x.cn/no.png"},
                    ]
                },
            },
        ),
        # A link message cannot mention anybody.
        (
            replace(CARD, shape="link", links=(YES,), at_mobiles=("138",)),
            {
                "msgtype": "markdown",
                "markdown": {"title": "确认考勤", "text": "请在今天确认\n\n[没问题](https://x.cn/yes)\n\n@138"},
                "at": {"atMobiles": ["138"]},
            },
        ),
    ],
)
def test_body(notice: Notice, body: dict[str, Any]) -> None:
    assert robot_body(notice) == body


@pytest.mark.parametrize(
    ("errcode", "errmsg", "kind", "word"),
    [
        (310000, "keywords not in content", NeedsAdmin, "自定义关键词"),
        (310000, "description:关键词不匹配;solution:…", NeedsAdmin, "自定义关键词"),
        (310000, "invalid timestamp", NeedsAdmin, "校准这台机器的时钟"),
        (310000, "description:机器人发送签名过期;solution:签名生成时间…", NeedsAdmin, "校准这台机器的时钟"),
        (310000, "sign not match", NeedsAdmin, "加签"),
        (310000, "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳…", NeedsAdmin, "加签"),
        (310000, "ip 203.0.113.7 not in whitelist", NeedsAdmin, "出口 IP 203.0.113.7 不在里面"),
        (310000, "something new", NeedsAdmin, "something new"),
        (400013, "group disbanded", NeedsAdmin, "解散"),
        (300005, "token is not exist", NeedsAdmin, "access_token"),
        ("400101", "", NeedsAdmin, "access_token"),
        (400102, "", NeedsAdmin, "停用"),
        (400106, "", NeedsAdmin, "不在群里"),
        (410100, "发送速度太快而限流", Throttled, "太快"),
        (130101, "send too fast", Throttled, "too fast"),
        (-1, "系统繁忙", DeliveryError, "系统繁忙"),
        (400105, "不支持的消息类型", DeliveryError, "不支持"),
    ],
)
def test_refusals_say_what_to_do(errcode: Any, errmsg: str, kind: type[DeliveryError], word: str) -> None:
    error = robot_error(200, {"errcode": errcode, "errmsg": errmsg})
    assert type(error) is kind and word in str(error)
    assert error.code == str(errcode)
    if isinstance(error, Throttled):
        assert error.wait == ROBOT_BLOCK_SECONDS


# -- against the stand-in ------------------------------------------------------------------------

SECRET = "SEC" + "a1b2c3d4" * 8


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def keys(robot: FakeGroupRobot, **changes: str) -> RobotKeys:
    return replace(RobotKeys(robot.token, robot.secret), **changes)


async def refusal(client: GroupRobotSender, using: RobotKeys) -> str:
    """The code and the words of what the stand-in says to a message."""
    try:
        await client.send(using, robot_body(NOTICE))
    except DeliveryError as exc:
        return f"{exc.code} {exc}"
    return "ok"


@pytest.mark.parametrize(
    ("settings", "changes", "skew", "said"),
    [
        ({"secret": SECRET}, {}, 0, "ok"),
        ({"secret": SECRET}, {}, 0.9 * HOUR, "ok"),
        ({"secret": SECRET}, {}, -1.1 * HOUR, "310000 群机器人说签名的时间不对"),
        ({"secret": SECRET}, {"secret": "SECwrong"}, 0, "310000 群机器人的签名不匹配"),
        ({"secret": SECRET}, {"secret": ""}, 0, "310000 群机器人设了加签，而这里没有它的密钥"),
        ({"keywords": ("站会", "周报")}, {}, 0, "ok"),
        ({"keywords": ("报警",)}, {}, 0, "310000 群机器人设了自定义关键词"),
        ({"networks": ("127.0.0.0/8",)}, {}, 0, "ok"),
        ({"networks": ("10.0.0.0/8",)}, {}, 0, "310000 群机器人设了 IP 地址段，而本机的出口 IP 127.0.0.1"),
        ({}, {"token": "0" * 64}, 0, "300005"),
        ({"disabled": True}, {}, 0, "400102"),
    ],
)
async def test_security_settings(
    ding: FakeDingTalk,
    session: aiohttp.ClientSession,
    settings: dict[str, Any],
    changes: dict[str, str],
    skew: float,
    said: str,
) -> None:
    robot = ding.robots.add("值班机器人", GROUP, **settings)
    client = GroupRobotSender(session, ding.url, clock=lambda: time.time() + skew)
    assert (await refusal(client, keys(robot, **changes))).startswith(said)
    assert [m.sender["name"] for m in ding.replies] == (["值班机器人"] if said == "ok" else [])


async def test_the_twenty_first_message_of_a_minute_blocks_the_robot_for_ten_minutes(
    ding: FakeDingTalk, session: aiohttp.ClientSession
) -> None:
    robot, now = ding.robots.add("值班机器人", GROUP), time.time()
    ding.robots.clock = lambda: now
    client = GroupRobotSender(session, ding.url)
    codes = [(await refusal(client, keys(robot))).split()[0] for _ in range(21)]
    assert codes == ["ok"] * 20 + ["130101"]
    now += 599
    assert (await refusal(client, keys(robot))).startswith("130101")
    now += 2
    assert await refusal(client, keys(robot)) == "ok"


async def test_a_repeat_with_the_same_id_after_a_lost_answer_appears_once(
    ding: FakeDingTalk, session: aiohttp.ClientSession
) -> None:
    robot = ding.robots.add("值班机器人", GROUP)
    client = GroupRobotSender(session, ding.url)
    ding.robots.lose_next = 1
    with pytest.raises(OutcomeUnknown):
        await client.send(keys(robot), robot_body(NOTICE), "uuid-1")
    await client.send(keys(robot), robot_body(NOTICE), "uuid-1")
    await client.send(keys(robot), robot_body(NOTICE), "uuid-2")
    assert len(ding.replies) == 2


async def test_what_a_robot_posts_shows_whom_it_mentions(ding: FakeDingTalk, session: aiohttp.ClientSession) -> None:
    robot, person = ding.robots.add("值班机器人", GROUP), ding.world.person("小李")
    notice = replace(NOTICE, at_userids=(person.id,), at_mobiles=("13800000000",), at_all=True)
    await GroupRobotSender(session, ding.url).send(keys(robot), robot_body(notice))
    (message,) = ding.replies
    assert message.conversation == ding.world.group(GROUP).id
    assert (message.mentions, message.at_all) == ((person.id, "13800000000"), True)


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(RobotKeys("token-value", "secret-value")).replace("secret=", "")
    assert "token-value" not in repr(RobotKeys("token-value", "secret-value"))
