"""Texts with `{name}` in them: read once when the rule is read, filled for each event. Pure.

What is filled in comes from outside and is made harmless for where it goes: it changes no layout, mentions nobody and
opens no link of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from faqbot.markup.escaping import escape_markdown
from faqbot.rules.values import Values, look_up, shown

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+)*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
LONGEST_VALUE = 500

Escape = Callable[[str], str]


class TemplateError(ValueError):
    """The text cannot be read as a template; the message is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Template:
    """`parts` alternate between text and the name of a value, beginning with a text."""

    text: str
    parts: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.parts[1::2]

    def fill(self, values: Values, escape: Escape) -> str:
        """The text with its values, each made harmless by `escape`. Raises MissingValue."""
        filled = list(self.parts)
        for at in range(1, len(filled), 2):
            filled[at] = escape(shown(filled[at], look_up(filled[at], values)))
        return "".join(filled)


def read_template(text: str) -> Template:
    """Take a text apart; `{{` and `}}` are braces. Raises TemplateError."""
    parts = [""]
    end = 0
    for found in _PIECE.finditer(text):
        parts[-1] += text[end : found.start()]
        end = found.end()
        piece, name = found.group(), found.group(1)
        if piece in ("{{", "}}"):
            parts[-1] += piece[0]
        elif name is None:
            raise TemplateError(f"“{piece}”没有配对；要写出这个字符本身请写两遍：{piece * 2}")
        elif not _NAME.fullmatch(name.strip()):
            raise TemplateError(f"“{piece[:40]}”里不是一个值的名字；名字由字母、汉字、数字组成，例如 {{name}}")
        else:
            parts += [name.strip(), ""]
    parts[-1] += text[end:]
    return Template(text, tuple(parts))


def in_markdown(value: str) -> str:
    """A value inside markdown: one line, no character with a meaning there."""
    return escape_markdown(value, LONGEST_VALUE)


def in_text(value: str) -> str:
    """A value inside a plain text: it may have lines, but it mentions nobody."""
    return _CONTROL.sub("", value).replace("@", "＠")[:LONGEST_VALUE]


def in_url(value: str) -> str:
    """A value inside an address: it cannot leave the place where it stands."""
    return quote(value[:LONGEST_VALUE], safe="")


def as_is(value: str) -> str:
    """A value that is the whole of a field and no part of a text: a name, a number, a userId."""
    return _CONTROL.sub("", value).strip()
