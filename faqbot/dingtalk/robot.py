"""Messages the robot sends from the server, without a session webhook (platform notes, sending from the server)."""

from __future__ import annotations

import json

from faqbot.dingtalk.openapi import OpenApi
from faqbot.errors import DeliveryError, Throttled

_GROUP = "/v1.0/robot/groupMessages/send"
_PERSON = "/v1.0/robot/oToMessages/batchSend"
_TITLE_LENGTH = 64


class Robot:
    """Sends as the app's robot. Each call counts in the monthly quota; nobody can be @ed."""

    def __init__(self, api: OpenApi, robot_code: str) -> None:
        self._api = api
        self._code = robot_code

    async def to_group(self, conversation_id: str, title: str, text: str) -> None:
        """One markdown message into a group. Raises DeliveryError and its children."""
        await self._api.new(
            _GROUP,
            {"robotCode": self._code, "openConversationId": conversation_id, **_markdown(title, text)},
        )

    async def to_person(self, user_id: str, title: str, text: str) -> None:
        """One markdown message into the single chat of a colleague. Raises DeliveryError and its children."""
        answer = await self._api.new(_PERSON, {"robotCode": self._code, "userIds": [user_id], **_markdown(title, text)})
        # Both lists mean "not delivered", inside HTTP 200.
        if user_id in (answer.get("flowControlledStaffIdList") or ()):
            raise Throttled("钉钉对这个人限流了，稍后再发", code="flow_controlled", wait=10.0)
        if user_id in (answer.get("invalidStaffIdList") or ()):
            raise DeliveryError(
                "钉钉说这个人不存在或不在应用可见范围内：请到 开发者后台 > 版本管理与发布 检查应用可见范围",
                code="invalid_staff",
                permanent=True,
            )


def _markdown(title: str, text: str) -> dict[str, str]:
    # The parameter is a JSON text inside the JSON body.
    param = json.dumps({"title": title[:_TITLE_LENGTH] or "回复", "text": text}, ensure_ascii=False)
    return {"msgKey": "sampleMarkdown", "msgParam": param}
