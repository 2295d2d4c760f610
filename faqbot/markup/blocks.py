"""DingTalk's markdown in pieces: grey lines, numbered lists to tap, what to type in a group. str in, str out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from faqbot.model.messages import Message

_ITEM = re.compile(r"\s*(?:[-*]|\d+\.)\s")
_LABEL_UNSAFE = str.maketrans("[]*", "［］＊")


def label(text: str) -> str:
    """HR's own words inside a link label or bold text: brackets and stars must not end it."""
    return re.sub(r"\s+", " ", text).translate(_LABEL_UNSAFE)


def line_breaks(markdown: str) -> str:
    """DingTalk breaks a line only at two blanks before the newline, and lists and headings stand alone."""
    result = ""
    before = ""
    for line in map(str.rstrip, markdown.strip().split("\n")):
        if not result:
            result = line
        elif not line or not before or (_ITEM.match(line) and _ITEM.match(before)):
            result += "\n" + line
        else:
            alone = _ITEM.match(line) or _ITEM.match(before) or before.startswith("#") or line.startswith(("#", ">"))
            result += ("\n\n" if alone else "  \n") + line
        before = line
    return re.sub(r"\n{3,}", "\n\n", result)


def one_line(text: str) -> str:
    return " ".join(text.split())


def grey(*notes: str) -> str:
    """A quoted line is the only grey text DingTalk's markdown has; several notes share one."""
    return f"\n\n> {line}" if (line := " · ".join(filter(None, notes))) else ""


def tap(text: str) -> str:
    """A link that sends `text` as the person who taps it."""
    return f"dtmd://dingtalkclient/sendMessage?content={quote(text, safe='')}"


def how(message: Message, example: str) -> str:
    """In a group the bot hears only what @s it."""
    return f"，例如「@我 {example}」" if message.is_group else ""


def typed(word: str, message: Message) -> str:
    """What to type, as it is to be typed here."""
    return f"「@我 {word}」" if message.is_group else f"「{word}」"


def send_word(word: str, message: Message) -> str:
    return f"发{typed(word, message)}"


def numbered(intro: str, questions: Iterable[str], message: Message, more: str = "") -> str:
    lines = [f"{n}. [{label(q)}]({tap(q)})" for n, q in enumerate(questions, 1)]
    hint = f"回复序号，例如{typed('1', message)}，10 分钟内有效。{more}"
    return f"{intro}\n\n" + "\n".join(lines) + grey(hint)
