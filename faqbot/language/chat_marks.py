"""Chat marks: drops what a chat puts between the words: mentions, quotes, emoji codes, emoticons. Pure."""

from __future__ import annotations

import re
from functools import cache

from faqbot.language.vocabulary import any_of, chat_marks

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# A name after @ ends at a blank; without one it cannot be told from the question behind it.
_MENTION = re.compile(r"(?<!\S)[@＠][^\s@＠,，:：。！？!?]{1,30}(?=[\s,，:：])|(?<=\s)[@＠][^\s@＠]{1,30}$")
# A message that is answered, as chats paste it before the answer: 「name：text」 above a line of dashes, or lines of >.
_QUOTE = re.compile(
    r"^\s*[「“\"][^「」“”\"\n]{1,30}[:：][^「」]{0,800}?[」”\"]\s*(?:[-—–－_]\s?){3,}\s*(?=\S)|"
    r"^(?:\s*[>＞][^\n]*\n)+(?=\s*[^\s>＞])|"
    r"^\s*回[复覆復]\s*[@＠][^\s:：]{1,20}\s*[:：]\s*(?=\S)"
)
_CODE = re.compile(r"\[([^\[\]\s]{1,6})\]")
_ROW_OF_CODES = re.compile(rf"{_CODE.pattern}(?:\s*{_CODE.pattern})*")
# What may be a code that is not listed.
_LIKE_A_CODE = re.compile(rf"[{_HAN}]{{1,4}}")
# A face in brackets with its arms: marks and single letters without any word.
_FACE_MARK = r"[\^_<>;`´°•·・ω▽□◕╥益∀﹏︿≧≦∇Д˘﹃¬￣~～*˃˂●○◡ಠ╬⊙]"
_FACE = re.compile(
    rf"[ヾヽ╮┐╰ლ٩ԅ\\]?[(（](?=[^()（）]*{_FACE_MARK})(?:益|(?![{_HAN}]|[A-Za-z0-9]{{2}})[^()（）\n]){{2,15}}[)）]"
    r"[ノﾉ╭┌╯づつゞシ/]{0,2}|(?<!\w)[>＞^T;=-][_＿.﹏][<＜^T;=-](?!\w)"
)
# Every mark holds one of these; most questions have none.
_ANY_MARK = re.compile(r"[A-Za-z@＠\[(（「“\">＞^=;_﹏回-]")


def without_chat_marks(text: str) -> str:
    """Replace each mention, quote, emoji code and emoticon by a blank."""
    if _ANY_MARK.search(text) is None:
        return text
    text = _QUOTE.sub(" ", text)
    if "@" in text or "＠" in text:
        text = _MENTION.sub(" ", text)
    if "[" in text:
        text = _ROW_OF_CODES.sub(_without_codes, text)
    return _emoticon().sub(" ", _FACE.sub(" ", text))


def emoji_codes_in(text: str) -> tuple[str, ...]:
    """List the names of the known emoji codes in a text: 微笑 for [微笑]."""
    return tuple(name for name in _CODE.findall(text) if name in chat_marks().emoji_codes)


def _without_codes(row: re.Match[str]) -> str:
    """Drop the codes in a row of brackets. An unlisted name is a code where it stands beside a listed one or twice."""
    names = _CODE.findall(row[0])
    listed = any(name in chat_marks().emoji_codes for name in names)
    is_twice = len(set(names)) < len(names)

    def without(code: re.Match[str]) -> str:
        name = code[1]
        is_code = name in chat_marks().emoji_codes or ((listed or is_twice) and _LIKE_A_CODE.fullmatch(name))
        return " " if is_code else code[0]

    return _CODE.sub(without, row[0])


@cache
def _emoticon() -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9])(?:{any_of(chat_marks().emoticons)})(?![A-Za-z0-9])", re.IGNORECASE)
