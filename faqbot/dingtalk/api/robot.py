"""Send messages as the app's robot over the server API, when there is no session webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from faqbot.dingtalk.api.client import OpenApi
from faqbot.errors import DeliveryError, Throttled
from faqbot.markup.notice_markdown import as_markdown
from faqbot.model.notices import Notice

_GROUP = "/v1.0/robot/groupMessages/send"
_PERSON = "/v1.0/robot/oToMessages/batchSend"
_MAX_TITLE_CHARS = 64
MAX_PEOPLE = 20
_MAX_BUTTONS = 5

MessageParameters = Mapping[str, str]


class Robot:
    """Sends as the app's robot. Each call counts in the monthly quota. These messages cannot @ anybody."""

    def __init__(self, api: OpenApi, robot_code: str) -> None:
        self._api = api
        self._code = robot_code

    async def to_group(self, conversation_id: str, title: str, text: str) -> None:
        """Send one markdown message to a group. Raises DeliveryError and its children."""
        await self.post_to_group(conversation_id, _markdown(title, text))

    async def to_person(self, user_id: str, title: str, text: str) -> None:
        """Send one markdown message to the single chat of a colleague. Raises DeliveryError and its children."""
        for refusal in (await self.post_to_people([user_id], _markdown(title, text))).values():
            raise refusal

    async def post_to_group(self, conversation_id: str, content: MessageParameters) -> None:
        """Send one message to a group. Raises DeliveryError and its children."""
        await self._api.new(_GROUP, group_body(self._code, conversation_id, content))

    async def post_to_people(self, user_ids: Sequence[str], content: MessageParameters) -> dict[str, DeliveryError]:
        """Send one message to up to MAX_PEOPLE colleagues in one call; return whom it did not reach, and why.

        Raises DeliveryError and its children if it reached nobody.
        """
        answer = await self._api.new(_PERSON, people_body(self._code, user_ids, content))
        # Both lists mean "not delivered", inside HTTP 200.
        flow_controlled = answer.get("flowControlledStaffIdList") or ()
        unknown = answer.get("invalidStaffIdList") or ()
        return {user_id: _flow_controlled() for user_id in user_ids if user_id in flow_controlled} | {
            user_id: _invalid_staff() for user_id in user_ids if user_id in unknown
        }


def group_body(robot_code: str, conversation_id: str, content: MessageParameters) -> dict[str, Any]:
    """Return the body of a call that sends a message to a group."""
    return {"robotCode": robot_code, "openConversationId": conversation_id, **content}


def people_body(robot_code: str, user_ids: Sequence[str], content: MessageParameters) -> dict[str, Any]:
    """Return the body of a call that sends a message to single chats."""
    return {"robotCode": robot_code, "userIds": list(user_ids), **content}


def notice_content(notice: Notice) -> MessageParameters:
    """Return a notice as content of the robot API: in its own shape if the API has that, else as markdown."""
    title, text = notice.title[:_MAX_TITLE_CHARS] or "通知", notice.body or notice.title
    match notice.shape, notice.links:
        case "text", ():
            return _content("sampleText", content=text)
        case "link", (link,):
            return _content("sampleLink", title=title, text=text, picUrl=link.picture, messageUrl=link.url)
        case "card", (link,):
            return _content("sampleActionCard", title=title, text=text, singleTitle=link.title, singleURL=link.url)
        case "card", links if 2 <= len(links) <= _MAX_BUTTONS:
            numbered = list(enumerate(links, 1))
            buttons = {f"actionTitle{n}": link.title for n, link in numbered}
            buttons |= {f"actionURL{n}": link.url for n, link in numbered}
            return _content(f"sampleActionCard{len(links)}", title=title, text=text, **buttons)
        case "file", (file,):
            # The URL of the link is the media id; the file type is the ending of the name.
            kind = file.title.rpartition(".")[2].lower()
            return _content("sampleFile", mediaId=file.url, fileName=file.title, fileType=kind)
    return _markdown(title, as_markdown(notice))


def _flow_controlled() -> DeliveryError:
    return Throttled("钉钉对这个人限流了，稍后再发", code="flow_controlled", wait=10.0)


def _invalid_staff() -> DeliveryError:
    return DeliveryError(
        "钉钉说这个人不存在或不在应用可见范围内：请到 开发者后台 > 版本管理与发布 检查应用可见范围",
        code="invalid_staff",
        permanent=True,
    )


def _markdown(title: str, text: str) -> dict[str, str]:
    return _content("sampleMarkdown", title=title[:_MAX_TITLE_CHARS] or "回复", text=text)


def _content(key: str, **param: str) -> dict[str, str]:
    # The parameter is a JSON text inside the JSON body.
    return {"msgKey": key, "msgParam": json.dumps(param, ensure_ascii=False)}
