"""Messages the robot sends from the server, without a session webhook (platform notes, sending from the server)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from faqbot.dingtalk.openapi import OpenApi
from faqbot.errors import DeliveryError, Throttled

_GROUP = "/v1.0/robot/groupMessages/send"
_PERSON = "/v1.0/robot/oToMessages/batchSend"
_TITLE_LENGTH = 64
MOST_PEOPLE = 20


class Robot:
    """Sends as the app's robot. Each call counts in the monthly quota; nobody can be @ed."""

    def __init__(self, api: OpenApi, robot_code: str) -> None:
        self._api = api
        self._code = robot_code

    async def to_group(self, conversation_id: str, title: str, text: str) -> None:
        """One markdown message into a group. Raises DeliveryError and its children."""
        await self._api.new(_GROUP, group_body(self._code, conversation_id, title, text))

    async def to_person(self, user_id: str, title: str, text: str) -> None:
        """One markdown message into the single chat of a colleague. Raises DeliveryError and its children."""
        for refusal in (await self.to_people([user_id], title, text)).values():
            raise refusal

    async def to_people(self, user_ids: Sequence[str], title: str, text: str) -> dict[str, DeliveryError]:
        """The same message to up to MOST_PEOPLE colleagues, in one call; whom it did not reach, and why.

        Raises DeliveryError and its children where it reached nobody.
        """
        return await self._to_people(user_ids, _markdown(title, text))

    async def file_to_people(self, user_ids: Sequence[str], media_id: str, name: str) -> dict[str, DeliveryError]:
        """An uploaded file to up to MOST_PEOPLE colleagues, as `to_people`; the end of its name is its type."""
        kind = name.rpartition(".")[2].lower()
        return await self._to_people(user_ids, _content("sampleFile", mediaId=media_id, fileName=name, fileType=kind))

    async def _to_people(self, user_ids: Sequence[str], content: Mapping[str, str]) -> dict[str, DeliveryError]:
        answer = await self._api.new(_PERSON, _to(self._code, user_ids, content))
        # Both lists mean "not delivered", inside HTTP 200.
        held_back = answer.get("flowControlledStaffIdList") or ()
        unknown = answer.get("invalidStaffIdList") or ()
        return {user_id: _flow_controlled() for user_id in user_ids if user_id in held_back} | {
            user_id: _nobody() for user_id in user_ids if user_id in unknown
        }


def group_body(robot_code: str, conversation_id: str, title: str, text: str) -> dict[str, Any]:
    """What is posted for one markdown message into a group."""
    return {"robotCode": robot_code, "openConversationId": conversation_id, **_markdown(title, text)}


def people_body(robot_code: str, user_ids: Sequence[str], title: str, text: str) -> dict[str, Any]:
    """What is posted for one markdown message into single chats."""
    return _to(robot_code, user_ids, _markdown(title, text))


def _to(robot_code: str, user_ids: Sequence[str], content: Mapping[str, str]) -> dict[str, Any]:
    return {"robotCode": robot_code, "userIds": list(user_ids), **content}


def _flow_controlled() -> DeliveryError:
    return Throttled("钉钉对这个人限流了，稍后再发", code="flow_controlled", wait=10.0)


def _nobody() -> DeliveryError:
    return DeliveryError(
        "钉钉说这个人不存在或不在应用可见范围内：请到 开发者后台 > 版本管理与发布 检查应用可见范围",
        code="invalid_staff",
        permanent=True,
    )


def _markdown(title: str, text: str) -> dict[str, str]:
    return _content("sampleMarkdown", title=title[:_TITLE_LENGTH] or "回复", text=text)


def _content(key: str, **param: str) -> dict[str, str]:
    # The parameter is a JSON text inside the JSON body.
    return {"msgKey": key, "msgParam": json.dumps(param, ensure_ascii=False)}
