"""Send through custom group robots, by the signed webhook of each group."""

from __future__ import annotations

import base64
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from faqbot.dingtalk.api.http import post
from faqbot.dingtalk.wire.error_codes import robot_error
from faqbot.dingtalk.wire.payloads import encode
from faqbot.markup.notice_markdown import as_markdown, mentioning
from faqbot.model.notices import Link, Notice

_MAX_TITLE_CHARS = 64


@dataclass(frozen=True, slots=True)
class RobotKeys:
    """The credentials of a robot. `secret` is empty if the robot is secured by keywords or an IP list instead."""

    token: str = field(repr=False)
    secret: str = field(default="", repr=False)

    @classmethod
    def read(cls, token: str, secret: str) -> RobotKeys:
        """Read a copied token: it may be the whole webhook address that contains it."""
        return cls(token.rpartition("access_token=")[2].partition("&")[0].strip(), secret.strip())


class GroupRobotSender:
    """`clock` is epoch seconds. DingTalk accepts a signature whose time is within an hour of its own clock."""

    def __init__(
        self, session: aiohttp.ClientSession, oapi_endpoint: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._session = session
        self._endpoint = oapi_endpoint
        self._clock = clock

    async def send(self, keys: RobotKeys, body: Mapping[str, Any], uuid: str = "") -> None:
        """Post one message; DingTalk shows a repeat of a `uuid` only once. Raises DeliveryError, its children."""
        query = {"access_token": keys.token}
        if keys.secret:
            timestamp = int(self._clock() * 1000)
            query |= {"timestamp": str(timestamp), "sign": signature(timestamp, keys.secret)}
        url = URL(f"{self._endpoint}/robot/send").with_query(query)
        status, answer = await post(self._session, url, encode({**body, **({"msgUuid": uuid} if uuid else {})}))
        if (error := robot_error(status, answer, signed=bool(keys.secret))) is not None:
            raise error


def signature(timestamp: int, secret: str) -> str:
    """Return the signature, in base64, of a call at `timestamp` (milliseconds)."""
    text = f"{timestamp}\n{secret}"
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()


def robot_body(notice: Notice) -> dict[str, Any]:
    """Return the body of a group robot's message: in the shape of the notice if possible, else as markdown."""
    title = re.sub(r"\s+", " ", notice.title).strip()[:_MAX_TITLE_CHARS] or "通知"
    at: dict[str, Any] = {}
    if notice.at_mobiles:
        at["atMobiles"] = list(notice.at_mobiles)
    if notice.at_userids:
        at["atUserIds"] = list(notice.at_userids)
    if notice.at_all:
        at["isAtAll"] = True
    mentions = {"at": at} if at else {}
    match notice.shape, notice.links:
        case "text", ():
            return {"msgtype": "text", "text": {"content": mentioning(notice.body, notice)}, **mentions}
        case "link", (link,) if not at:
            content = {
                "title": title,
                "text": notice.body or link.title,
                "messageUrl": link.url,
                "picUrl": link.picture,
            }
            return {"msgtype": "link", "link": content}
        case "card", (link,):
            button = {"singleTitle": link.title, "singleURL": link.url}
            return {"msgtype": "actionCard", "actionCard": {**_card(title, notice), **button}, **mentions}
        case "card", (_, *_) as links:
            buttons = [{"title": link.title, "actionURL": link.url} for link in links]
            button_list = {"btnOrientation": "0", "btns": buttons}
            return {"msgtype": "actionCard", "actionCard": {**_card(title, notice), **button_list}, **mentions}
        case "feed", (_, *_) as links if not at:
            return {"msgtype": "feedCard", "feedCard": {"links": [_line(link) for link in links]}}
    return {
        "msgtype": "markdown",
        "markdown": {"title": title, "text": mentioning(as_markdown(notice), notice)},
        **mentions,
    }


def _card(title: str, notice: Notice) -> dict[str, str]:
    return {"title": title, "text": mentioning(notice.body, notice)}


def _line(link: Link) -> dict[str, str]:
    return {"title": link.title, "messageURL": link.url, "picURL": link.picture}
