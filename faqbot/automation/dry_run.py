"""Show the exact messages and requests a rule would send, without sending them; secrets are masked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from faqbot.automation.payloads import PeopleLookup, build_notices, build_request, contact_fields
from faqbot.dingtalk.api.group_robots import robot_body
from faqbot.dingtalk.api.robot import group_body, notice_content, people_body
from faqbot.model.notices import Notice
from faqbot.rules.conditions import judge
from faqbot.rules.definitions import AddContact, AttendanceReport, Automations, Digest, Notify, Rule
from faqbot.rules.values import MissingValue, Values

ROBOT_URL = "/robot/send?access_token=***&timestamp=***&sign=***"


def dry_run(
    rule: Rule, automations: Automations, values: Values, people: PeopleLookup, robot_code: str
) -> list[dict[str, Any]]:
    """Return one JSON object per message or call, in order; one with `problem` where it could not be built."""
    items: list[dict[str, Any]] = []
    if rule.condition is not None and not (judged := judge(rule.condition, values)).holds:
        items.append({"problem": judged.reason})
    for number, action in enumerate(rule.actions, 1):
        try:
            match action:
                case Notify():
                    notices = build_notices(action, f"job:{number}", values, people)
                    items += [_notice(notice, robot_code) for notice in notices]
                case AddContact():
                    items.append({"does": "加入通讯录", "body": contact_fields(action, values)})
                case AttendanceReport():
                    body = {"month": action.month, "departments": list(action.departments), "robot": action.robot}
                    items.append({"does": "考勤报表", "body": body})
                case Digest():
                    to = "、".join((*action.robots, *action.groups, *action.people))
                    items.append({"does": "问答周报", "to": to, "body": {"days": 7}})
                case _:
                    request = build_request(action, values, automations.allow_http)
                    items.append({"does": "通知别的系统", "to": request.url, "body": request.body})
        except MissingValue as exc:
            items.append({"problem": f"第 {number} 步：{exc}"})
    return items


def format_lines(items: list[dict[str, Any]], format_body: Callable[[Any], str]) -> Iterator[str]:
    """Yield the items as lines for a terminal; `format_body` makes text of a body."""
    for item in items:
        if "problem" in item:
            yield f"不会执行：{item['problem']}"
        else:
            yield f"{item['does']}{'：' + item['to'] if item.get('to') else ''}"
            yield format_body(item["body"])


def _notice(notice: Notice, robot_code: str) -> dict[str, Any]:
    body: Mapping[str, Any]
    if notice.to.kind == "robot":
        return {"does": "机器人发消息", "to": f"{notice.to.id}（{ROBOT_URL}）", "body": robot_body(notice)}
    if notice.to.kind == "group":
        body = group_body(robot_code, notice.to.id, notice_content(notice))
        return {"does": "群消息", "to": notice.to.id, "body": dict(body)}
    body = people_body(robot_code, [notice.to.id], notice_content(notice))
    return {"does": "单聊消息", "to": notice.to.id, "body": dict(body)}
