"""Builds blocks of DingTalk's markdown: labels, line breaks, grey lines, lists of links, input hints. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from faqbot.model.messages import Message

_ITEM = re.compile(r"\s*(?:[-*]|\d+\.)\s")
_LABEL_UNSAFE = str.maketrans("[]*", "［］＊")


def label(text: str) -> str:
    """Make HR's words safe inside a link label or bold text, which brackets and stars would end."""
    return re.sub(r"\s+", " ", text).translate(_LABEL_UNSAFE)


def line_breaks(markdown: str) -> str:
    """Keep the line breaks of a text: DingTalk wants two blanks before a newline, and lists and headings apart."""
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
    """Write notes as one quoted line, the only grey text that DingTalk's markdown has."""
    return f"\n\n> {line}" if (line := " · ".join(filter(None, notes))) else ""


def tappable(text: str, message: Message, shown: str = "") -> str:
    """Write `text` as a link that sends it in the name of whoever taps it; as plain words where taps may not arrive.

    `shown` stands for it in the link if it needs more escaping than HR's words.
    """
    words = shown or label(text)
    address = f"dtmd://dingtalkclient/sendMessage?content={quote(text, safe='')}"
    return f"[{words}]({address})" if message.taps_arrive else words


def example_hint(message: Message, example: str) -> str:
    """Return an example to type; in a group it begins with @, as the bot hears nothing else there."""
    return f"，例如「@我 {example}」" if message.is_group else ""


def typed(word: str, message: Message) -> str:
    """Quote a word to type, with the @ that a group needs."""
    return f"「{_at(message)}{word}」"


def typed_or_tapped(word: str, message: Message) -> str:
    """Quote a word to type, which may also be tapped where taps arrive."""
    return f"「{_at(message)}{tappable(word, message)}」"


def send_word(word: str, message: Message) -> str:
    return f"发{typed(word, message)}"


def pick_hint(message: Message) -> str:
    """Say how to pick from a list: by a tap where it arrives, by a number, in a group with the @ that it needs."""
    number = f"回复序号，如{typed('1', message)}" if message.is_group else "回复序号"
    return f"点一下或{number}" if message.taps_arrive else number


def with_hint(intro: str, lines: str, hint: str, message: Message, more: str = "") -> str:
    """Put the hint what to type before the lines, or below them if they can be tapped."""
    if message.taps_arrive:
        return f"{intro}\n\n{lines}{grey(f'{hint}。{more}')}"
    return f"{with_remark(intro, hint)}\n\n{lines}{grey(more)}"


def numbered(intro: str, questions: Iterable[str], message: Message, more: str = "") -> str:
    """List questions to pick from. Where they cannot be tapped, the intro already says what to type."""
    lines = "\n".join(f"{n}. {tappable(question, message)}" for n, question in enumerate(questions, 1))
    hint = f"{pick_hint(message)}，10 分钟内有效" if message.taps_arrive else pick_hint(message)
    return with_hint(intro, lines, hint, message, more)


def with_remark(intro: str, remark: str) -> str:
    """Put a remark in brackets at the end of an intro, before its colon."""
    return f"{intro[:-1]}（{remark}）：" if intro.endswith("：") else f"{intro}（{remark}）"


def _at(message: Message) -> str:
    return "@我 " if message.is_group else ""
