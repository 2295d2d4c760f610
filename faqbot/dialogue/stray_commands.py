"""Stray commands: recognise an administrator's command that is misspelt or in another order, to explain it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

from faqbot.language.vocabulary import names
from faqbot.model.commands import Command, CommandKind

ORDERS = {
    "打卡": CommandKind.PUNCHES,
    "报表": CommandKind.REPORT,
    "考勤报表": CommandKind.REPORT,
    "名单": CommandKind.MEMBERS,
    "公告": CommandKind.ANNOUNCE,
}
# A longer message is no order of a few words.
_MAX_CHARS = 24
_BLANKS = re.compile(r"[\s:：,，、]+")
_POLITE = re.compile(r"(?:呢|吧|啊|呀|哦|谢谢|[。.!！?？~～\s])+$")
_DAY = r"(?:今天|昨天|前天|(?:\d{4}[-/.年])?\d{1,2}[-/.月]\d{1,2}[日号]?)"
_MONTH = r"(?:(?:上|本|这|当)个?月|上上个?月|(?:\d{4}[-/.年])?\d{1,2}月?份?|[一二三四五六七八九十]{1,2}月份?)"
_DEPARTMENT = r"[\w]{1,8}(?:部|组|中心|科|处|团队|车间)"
_NICKNAME = r"[小老阿][\u4e00-\u9fff]"
_RESULT = r"(?:的)?(?:记录|情况|结果)?(?:了吗|了没有?|没有?|吗)?"

Sound = Callable[[str], str]


def stray_command(text: str, sound: Sound, *, is_admin: bool) -> Command | None:
    """Read a message that must be meant as an order but is not written as one: 小李 打卡 昨天, 报表 上个月呢.

    Without blanks it is an order from an administrator only: anybody else may ask whether 研发部名单 is something to
    know. `sound` maps a text to its pronunciation, for words typed by it: 打咔 小李.
    """
    plain = _POLITE.sub("", unicodedata.normalize("NFKC", text).strip())
    if not plain or len(plain) > _MAX_CHARS:
        return None
    kind = _in_parts(_BLANKS.split(plain), sound) or (_without_blanks(plain) if is_admin else None)
    return Command(CommandKind.EXPLAIN, kind) if kind else None


def _in_parts(parts: Sequence[str], sound: Sound) -> CommandKind | None:
    if len(parts) < 2:
        return None
    first, *others = parts
    kind = ORDERS.get(first) or _misspelt(first, sound)
    if kind and all(_subject(of_names=True).fullmatch(other) for other in others):
        return kind
    # 时间 打卡 are words of a question, although 时 may be a surname.
    known = [part for part in parts if part in ORDERS]
    others = [part for part in parts if part not in ORDERS]
    if len(known) == 1 and others and all(_subject(of_names=False).fullmatch(other) for other in others):
        return ORDERS[known[0]]
    return None


def _misspelt(word: str, sound: Sound) -> CommandKind | None:
    if len(word) < 2 or word in ORDERS:
        return None
    return next((kind for order, kind in ORDERS.items() if sound(order) == sound(word)), None)


def _without_blanks(text: str) -> CommandKind | None:
    subject = _subject(of_names=False).pattern
    for order, kind in ORDERS.items():
        if kind is not CommandKind.ANNOUNCE and re.fullmatch(f"{order}{subject}|{subject}的?{order}{_RESULT}", text):
            return kind
    return None


@cache
def _subject(*, of_names: bool) -> re.Pattern[str]:
    """Return the pattern of whom or what an order is about: a person or department, a day or a month."""
    who = [_NICKNAME, _DEPARTMENT]
    if of_names:
        who.append(rf"[{names().surnames}][\u4e00-\u9fff]{{1,2}}")
    return re.compile(rf"(?:(?:{'|'.join(who)})(?:的?{_DAY})?|{_DAY}|{_MONTH}的?)")
