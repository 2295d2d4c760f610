"""Personal answers: finds what shows an answer to be for one person only, and names and amounts in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

from faqbot.language.data_files import Words, read_data
from faqbot.language.masking import mask_numbers
from faqbot.language.normalize import HAN
from faqbot.language.vocabulary import any_of, names

# A clause ends at these; a comma goes on, as 您的工资条，已重发 does.
_CLAUSE = re.compile(r"[^。；;！!？?\n]+")
# A short answer that says nobody's name is about the question at hand: 已处理好了.
_MAX_SHORT_CHARS = 14
_MAX_QUOTED_CHARS = 20
_MARK_EDGE = r"[\s:：,，。.;；!！()（）【】\[\]]"
_AMOUNT = re.compile(r"(?:¥|￥)?\d[\d,，.]*\s*(?:万|千)?\s*(?:元|块钱?|万元|RMB|rmb)")
_LONG_NUMBER = re.compile(r"0\d{2,3}-\d{7,8}|(?<![\d.,])[A-Za-z]{0,4}\d{5,}(?![\d.,]|\s*(?:元|块|万))")
_YOU = "(?:您|你)(?!们)"
_BEHIND_NAME = "老师|经理|总监|主管|先生|女士|同学|师傅|[哥姐总]"


class Audience(Enum):
    """For whom an answer is, as the person who wrote it marked it."""

    UNMARKED = "unmarked"
    ASKER = "asker"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class MarkedAnswer:
    """An answer without its mark."""

    text: str
    audience: Audience


def read_mark(text: str) -> MarkedAnswer:
    """Read 仅此人 or 存为问答 at the beginning or the end of an answer."""
    for audience, pattern in _marks().items():
        if match := pattern.fullmatch(text.strip()):
            return MarkedAnswer((match["behind"] or match["before"] or "").strip(), audience)
    return MarkedAnswer(text.strip(), Audience.UNMARKED)


def personal_sign(text: str, asker_name: str = "") -> str:
    """Return the words that show an answer to be for its asker only; empty where there are none."""
    if asker_name and len(asker_name) > 1 and asker_name in text:
        return asker_name
    if mask_numbers(text) != text:
        return "手机号、证件号或卡号"
    if match := _numbered().search(text):
        return match[0]
    clauses = [clause.strip() for clause in _CLAUSE.findall(text)]
    for clause in clauses:
        if _rule().search(clause):
            continue
        match = _deed_for_asker().search(clause) or _own_state().search(clause)
        if match is None and len(text.strip()) <= _MAX_SHORT_CHARS:
            match = _deed_done().search(clause)
        if match:
            return match[0][:_MAX_QUOTED_CHARS]
    return ""


def details_to_check(text: str) -> Sequence[str]:
    """List the amounts, long numbers and names of persons in a text, which may not be for everybody."""
    found = [m[m.lastgroup or 0] for pattern in (_AMOUNT, _LONG_NUMBER, _person()) for m in pattern.finditer(text)]
    return list(dict.fromkeys(found))


def _words(key: str) -> Words:
    return read_data("personal_answers.yaml")[key].words()


@cache
def _marks() -> dict[Audience, re.Pattern[str]]:
    return {
        audience: re.compile(
            rf"{_MARK_EDGE}*(?:{words})(?:{_MARK_EDGE}+(?P<behind>.*))?"
            rf"|(?P<before>.*?){_MARK_EDGE}+(?:{words}){_MARK_EDGE}*",
            re.DOTALL,
        )
        for audience, words in (
            (Audience.ASKER, any_of(_words("only_asker"))),
            (Audience.EVERYBODY, any_of(_words("for_everybody"))),
        )
    }


@cache
def _rule() -> re.Pattern[str]:
    return re.compile(any_of(_words("rules")))


@cache
def _deed_for_asker() -> re.Pattern[str]:
    """Build the pattern of what was or will be done for the asker: 您的工资条已重发, 帮您改好了, 我稍后联系你."""
    deed, done, soon = any_of(_words("deeds")), any_of(_words("done")), any_of(_words("soon"))
    turning_to, calling = any_of(_words("turning_to")), any_of(_words("calling"))
    # Behind a deed 的 makes it the mark of a thing: 您已提交的申请.
    return re.compile(
        rf"{_YOU}.{{0,16}}?(?:{done}).{{0,6}}?(?:{deed})(?!.{{0,2}}的)"
        rf"|(?:{turning_to}){_YOU}.{{0,8}}?(?:{deed}).{{0,4}}?(?:了|过)(?!的)"
        rf"|(?:{done}).{{0,6}}(?:{turning_to}|{calling}){_YOU}"
        rf"|(?:{soon}).{{0,8}}?(?:{calling}){_YOU}"
        rf"|我(?:去|来|再|先|会|要)?(?:{turning_to}){_YOU}"
    )


@cache
def _own_state() -> re.Pattern[str]:
    """Build the pattern of how it stands with the asker: 您的年假还剩 3 天, 你这个情况比较特殊."""
    return re.compile(rf"{_YOU}[^，,]{{0,14}}?(?:{any_of(_words('states'))})|{_YOU}(?:的|这个|这种|这)?情况")


@cache
def _deed_done() -> re.Pattern[str]:
    deed = any_of(_words("deeds"))
    return re.compile(rf"(?:{any_of(_words('done'))}).{{0,3}}?(?:{deed})(?!.{{0,2}}的)|(?:{deed})(?:好|完|成|上)?了$")


@cache
def _numbered() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(_words('numbered'))})[号码是为：:\s]{{0,4}}[A-Za-z]{{0,4}}-?\d{{4,}}[\dA-Za-z-]*")


@cache
def _person() -> re.Pattern[str]:
    """Build the pattern of the name of a person, by the word before or behind it."""
    words = names()
    name = f"(?!{any_of(words.no_persons)})[{words.surnames}]"
    before = any_of((*words.person_before, "给", "跟", "和", "叫", "问"))
    behind = f"[^{HAN}]|$|[领拿要办问说聊盖签登报开审批交处确填就会来去]"
    return re.compile(
        rf"(?P<titled>{name}[{HAN}]{{0,2}}?(?:{_BEHIND_NAME}))|(?:{before})(?P<named>{name}[{HAN}]{{1,2}}?)(?={behind})"
    )
