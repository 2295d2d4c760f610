"""Keys and keywords permitted in `automations.yaml`, in English and in Chinese."""

from __future__ import annotations

FILE = {
    "robots": "robots", "机器人": "robots",
    "automations": "automations", "自动任务": "automations", "任务": "automations",
    "hooks": "hooks", "外部事件": "hooks",
    "calendar": "calendar", "日历": "calendar",
    "allow_http": "allow_http", "允许访问": "allow_http",
}  # fmt: skip
ROBOT = {"token": "token", "令牌": "token", "secret": "secret", "密钥": "secret"}
HOOK = {"token": "token", "令牌": "token"}
CALENDAR = {"holidays": "holidays", "放假": "holidays", "workdays": "workdays", "上班": "workdays"}
RULE = {
    "id": "id", "编号": "id",
    "when": "when", "什么时候": "when", "何时": "when",
    "do": "do", "做什么": "do", "做": "do",
    "missed": "missed", "错过": "missed",
}  # fmt: skip
WHEN = {
    "at": "at", "时间": "at",
    "on": "on", "日子": "on", "哪天": "on",
    "cron": "cron",
    "monthly": "monthly", "每月": "monthly",
    "event": "event", "事件": "event",
    "if": "if", "如果": "if",
}  # fmt: skip
MISSED = {"skip": "skip", "跳过": "skip", "不补": "skip", "once": "once", "补一次": "once", "补发": "once"}
DAYS = {
    "workday": "workday", "workdays": "workday", "工作日": "workday",
    "holiday": "holiday", "holidays": "holiday", "休息日": "holiday", "节假日": "holiday",
    "every-day": "every-day", "everyday": "every-day", "daily": "every-day", "每天": "every-day",
}  # fmt: skip
_WEEKDAY_NAMES = (
    ("mon", "monday", "一"), ("tue", "tuesday", "二"), ("wed", "wednesday", "三"), ("thu", "thursday", "四"),
    ("fri", "friday", "五"), ("sat", "saturday", "六"), ("sun", "sunday", "日", "天"),
)  # fmt: skip
WEEKDAYS = {
    spelt: number
    for number, names in enumerate(_WEEKDAY_NAMES)
    for name in names
    for spelt in ((name,) if name.isascii() else (f"周{name}", f"星期{name}", f"礼拜{name}"))
}
LAST_WORKDAY = frozenset({"last-workday", "last_workday", "最后一个工作日", "最后工作日"})
ACTION = {
    "notify": "notify", "通知": "notify",
    "add_contact": "add_contact", "加入通讯录": "add_contact",
    "attendance_report": "attendance_report", "考勤报表": "attendance_report",
    "digest": "digest", "周报": "digest",
    "http": "http",
}  # fmt: skip
NOTIFY = {
    "robot": "robot", "机器人": "robot",
    "group": "group", "群": "group",
    "person": "person", "人": "person", "个人": "person",
    "text": "text", "文字": "text",
    "markdown": "markdown", "正文": "markdown",
    "title": "title", "标题": "title",
    "link": "link", "链接": "link",
    "card": "card", "卡片": "card",
    "at_mobiles": "at_mobiles", "提醒手机": "at_mobiles",
    "at_userids": "at_userids", "提醒人": "at_userids",
    "at_all": "at_all", "提醒所有人": "at_all",
}  # fmt: skip
LINK = {
    "title": "title", "标题": "title", "text": "text", "文字": "text", "url": "url", "网址": "url",
    "picture": "picture", "图片": "picture",
}  # fmt: skip
CARD = {"title": "title", "标题": "title", "text": "text", "正文": "text", "buttons": "buttons", "按钮": "buttons"}
BUTTON = {"title": "title", "文字": "title", "url": "url", "网址": "url"}
REPORT = {
    "month": "month", "月份": "month",
    "departments": "departments", "部门": "departments",
    "robot": "robot", "机器人": "robot",
    "at": "at", "提醒": "at",
    "hr": "hr", "人事": "hr",
}  # fmt: skip
DIGEST = {
    "robot": "robot", "机器人": "robot", "group": "group", "群": "group",
    "person": "person", "人": "person", "个人": "person",
}  # fmt: skip
HTTP = {"url": "url", "网址": "url", "body": "body", "内容": "body"}
