"""Command parser: recognise the messages that give a command rather than ask a question. Pure."""

from __future__ import annotations

import re

from faqbot.language.normalize import normalise
from faqbot.language.person_requests import requested_question
from faqbot.language.remarks import RemarkKind, remark_kind
from faqbot.model.commands import Command, CommandKind
from faqbot.model.messages import Message

# Whole messages; within a sentence these words are part of a question.
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

# The text behind these words is passed on as written, so full-width signs are not normalised.
# A draft's number may stand behind the word; 退回 may have a reason, too.
_DRAFT_COMMANDS = {"通过": CommandKind.APPROVE, "退回": CommandKind.SEND_BACK, "撤销": CommandKind.WITHDRAW}
_DRAFT = re.compile(r"(通过|撤销|退回)\s*(?:草稿)?\s*(?:[#＃]?\s*(\d{1,6})\s*号?)?[。!！.]?")
_SEND_BACK = re.compile(
    r"退回\s*(?:草稿)?\s*(?:[#＃]?\s*(\d{1,6})(?!\d)\s*号?\s*[:：,，。]?|[:：,，])\s*(\S.*)", re.DOTALL
)
# Units that show the number to be a quantity: 回答 3 个问题 is no answer to ticket 3.
_NOT_A_QUANTITY = r"(?![ \u3000]*(?:[次条道遍份月点]|个(?![人税])|天(?!数)|年(?![假终薪休])))"
_REPLY = re.compile(
    rf"(?:答复|回答|答)\s*(?:单号)?\s*[#＃]?\s*(\d{{1,9}})(?!\d){_NOT_A_QUANTITY}\s*号?\s*[:：,，。]?\s*(.*)", re.DOTALL
)
# The answer of a ticket, passed on before, becomes a draft: the same as the bare mark as a reply to the ticket.
_SAVE_ANSWER = re.compile(r"(存[为成]问答)\s*[:：]?\s*(?:单号)?\s*[#＃]?\s*(\d{1,9})\s*号?[。!！.]?")
_TICKET = re.compile(r"单号\s*(\d{1,9})(?!\d)")
_NUMBERED = re.compile(r"\s*(\d{1,9})(?!\d)\s*(.*)", re.DOTALL)

# Commands that are followed by a blank or a colon and whom or what they are about.
_WITH_SUBJECT = {
    "公告": CommandKind.ANNOUNCE,
    "名单": CommandKind.MEMBERS,
    "打卡": CommandKind.PUNCHES,
    "报表": CommandKind.REPORT,
    "考勤报表": CommandKind.REPORT,
}
_WITH_TEXT = re.compile(rf"({'|'.join(_WITH_SUBJECT)})(?:\s*[:：]\s*|\s+)(\S.*)", re.DOTALL)
# Words that show the text to be a question, such as `打卡 忘了怎么办`.
_QUESTION_WORDS = re.compile(
    r"[?？]|吗|呢|怎|如何|为什么|什么|多少|几|哪|能不能|可以|忘|补|异常|规定|制度|时间|地点|范围"
)
_MAX_NAME_CHARS = 40


def parse_command(message: Message) -> Command | None:
    """Read the command that a message gives; None for a question."""
    if kind := _WORDS.get(normalise(message.text)):
        return Command(kind)
    if remark_kind(message.text) is RemarkKind.DOUBT:
        return Command(CommandKind.WHY)
    return _draft_command(message.text) or _command_with_subject(message.text) or _ticket_command(message)


def quotes_ticket(message: Message) -> bool:
    """Return True if the message replies to a question that was handed over, by quoting its ticket."""
    return bool(message.text.strip()) and _TICKET.search(message.quoted) is not None


def leading_number(text: str) -> tuple[int | None, str]:
    """Split the text of a command into the number that it begins with, if any, and the rest."""
    match = _NUMBERED.fullmatch(text)
    return (int(match[1]), match[2].strip()) if match else (None, text.strip())


def _draft_command(text: str) -> Command | None:
    plain = text.strip()
    if match := _DRAFT.fullmatch(plain):
        return Command(_DRAFT_COMMANDS[match[1]], match[2] or "")
    if match := _SEND_BACK.fullmatch(plain):
        return Command(CommandKind.SEND_BACK, f"{match[1] or ''} {match[2]}".strip())
    return None


def _command_with_subject(text: str) -> Command | None:
    match = _WITH_TEXT.fullmatch(text.strip())
    if not match:
        return None
    kind, subject = _WITH_SUBJECT[match[1]], match[2].strip()
    if kind is not CommandKind.ANNOUNCE and (len(subject) > _MAX_NAME_CHARS or _QUESTION_WORDS.search(subject)):
        return None
    return Command(kind, subject)


def _ticket_command(message: Message) -> Command | None:
    plain = message.text.strip()
    if (question := requested_question(plain)) is not None:
        return Command(CommandKind.PERSON, question)
    if match := _REPLY.fullmatch(plain):
        return Command(CommandKind.REPLY, f"{match[1]} {match[2]}".strip())
    if match := _SAVE_ANSWER.fullmatch(plain):
        return Command(CommandKind.REPLY, f"{match[2]} {match[1]}")
    if plain and (quoted := _TICKET.search(message.quoted)):
        return Command(CommandKind.REPLY, f"{quoted[1]} {plain}")
    return None
