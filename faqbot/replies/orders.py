"""Renders the orders of administrators, in DingTalk's markdown. Pure."""

from __future__ import annotations

_ORDERS = (
    ("名单 研发中心", "部门里有谁"),
    ("打卡 小李 昨天", "一个人或一个部门一天的打卡"),
    ("报表 上月 研发中心", "考勤报表"),
    ("确认情况", "哪些主管还没有确认考勤"),
    ("公告 机器人名：内容", "先给您看，确认了才发"),
    ("通过 12、退回 12：原因、撤销 12", "处理草稿"),
    ("答 12：内容", "回答转来的问题"),
)


def orders_of_administrators() -> str:
    """List what an administrator may say, one order a line."""
    lines = "\n".join(f"- 「{order}」{what}" for order, what in _ORDERS)
    return f"\n\n您是管理员，还可以说：\n\n{lines}"
