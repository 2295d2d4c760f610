"""Which messages ask for something to be done rather than answered. Pure; what is done stands in `faqbot/deeds/`."""

from __future__ import annotations

import re

from faqbot.language.normalize import normalise
from faqbot.model.decisions import Command, CommandKind
from faqbot.model.messages import Message

# Whole messages: part of a sentence is a question like any other.
_WORDS = {
    "我的": CommandKind.MY_QUESTIONS,
    "我的提问": CommandKind.MY_QUESTIONS,
    "我的问题": CommandKind.MY_QUESTIONS,
    "我问过什么": CommandKind.MY_QUESTIONS,
    "我的打卡": CommandKind.MY_PUNCHES,
    "我的考勤": CommandKind.MY_PUNCHES,
    "我的年假": CommandKind.MY_LEAVE,
    "我的年假余额": CommandKind.MY_LEAVE,
    "报表": CommandKind.REPORT,
    "考勤报表": CommandKind.REPORT,
    "确认情况": CommandKind.CONFIRMATIONS,
    "确认": CommandKind.CONFIRM,
    "取消": CommandKind.CANCEL,
    "为什么": CommandKind.WHY,
    "依据": CommandKind.WHY,
    "为什么这么说": CommandKind.WHY,
    "谁负责": CommandKind.KEEPER,
    "找谁": CommandKind.KEEPER,
    "热门": CommandKind.HOTTEST,
    "热门问题": CommandKind.HOTTEST,
    "大家都在问什么": CommandKind.HOTTEST,
}

# What stands behind these words is passed on as it was written, so full-width signs are not made plain.
# With a number behind it, or the word alone; only what is sent back may have a reason.
_ABOUT_DRAFTS = {"通过": CommandKind.APPROVE, "退回": CommandKind.SEND_BACK, "撤销": CommandKind.WITHDRAW}
_DRAFT = re.compile(r"(通过|撤销|退回)\s*(?:草稿)?\s*(?:[#＃]?\s*(\d{1,6})\s*号?)?[。!！.]?")
_SENT_BACK = re.compile(
    r"退回\s*(?:草稿)?\s*(?:[#＃]?\s*(\d{1,6})(?!\d)\s*号?\s*[:：,，。]?|[:：,，])\s*(\S.*)", re.DOTALL
)
# Alone, or with the question behind it.
_PERSON = re.compile(
    r"(?:转人工|人工客服|找人工|转真人|找真人|人工)(?:服务)?(?:[\s:：,，]+(\S.*)|[。!！.]?)", re.DOTALL
)
# 回答 3 个问题 counts something and is no answer to number 3.
_COUNTS = r"(?![ \u3000]*(?:[次条道遍份月点]|个(?![人税])|天(?!数)|年(?![假终薪休])))"
_REPLY = re.compile(
    rf"(?:答复|回答|答)\s*(?:单号)?\s*[#＃]?\s*(\d{{1,9}})(?!\d){_COUNTS}\s*号?\s*[:：,，。]?\s*(.*)", re.DOTALL
)
_TICKET = re.compile(r"单号\s*(\d{1,9})(?!\d)")
_NUMBERED = re.compile(r"\s*(\d{1,9})(?!\d)\s*(.*)", re.DOTALL)

# The word, a blank or a colon, and whom or what it is about.
_ABOUT = {
    "公告": CommandKind.ANNOUNCE,
    "名单": CommandKind.MEMBERS,
    "打卡": CommandKind.PUNCHES,
    "报表": CommandKind.REPORT,
    "考勤报表": CommandKind.REPORT,
}
_WITH_TEXT = re.compile(rf"({'|'.join(_ABOUT)})(?:\s*[:：]\s*|\s+)(\S.*)", re.DOTALL)
# `打卡 忘了怎么办` is a question, however it is written.
_ASKS = re.compile(r"[?？]|吗|呢|怎|如何|为什么|什么|多少|几|哪|能不能|可以|忘|补|异常|规定|制度|时间|地点|范围")
_LONGEST_NAME = 40


def read_order(message: Message) -> Command | None:
    """The order a message gives, None for a question."""
    if kind := _WORDS.get(normalise(message.text)):
        return Command(kind)
    return _about_draft(message.text) or _with_text(message.text) or _about_ticket(message)


def numbered(text: str) -> tuple[int | None, str]:
    """The number an order's text begins with, if any, and the rest."""
    found = _NUMBERED.fullmatch(text)
    return (int(found[1]), found[2].strip()) if found else (None, text.strip())


def _about_draft(text: str) -> Command | None:
    plain = text.strip()
    if found := _DRAFT.fullmatch(plain):
        return Command(_ABOUT_DRAFTS[found[1]], found[2] or "")
    if found := _SENT_BACK.fullmatch(plain):
        return Command(CommandKind.SEND_BACK, f"{found[1] or ''} {found[2]}".strip())
    return None


def _with_text(text: str) -> Command | None:
    found = _WITH_TEXT.fullmatch(text.strip())
    if not found:
        return None
    kind, about = _ABOUT[found[1]], found[2].strip()
    if kind is not CommandKind.ANNOUNCE and (len(about) > _LONGEST_NAME or _ASKS.search(about)):
        return None
    return Command(kind, about)


def _about_ticket(message: Message) -> Command | None:
    plain = message.text.strip()
    if found := _PERSON.fullmatch(plain):
        return Command(CommandKind.PERSON, found[1] or "")
    if found := _REPLY.fullmatch(plain):
        return Command(CommandKind.REPLY, f"{found[1]} {found[2]}".strip())
    if plain and (quoted := _TICKET.search(message.quoted)):
        return Command(CommandKind.REPLY, f"{quoted[1]} {plain}")
    return None
