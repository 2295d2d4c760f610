"""Templates: texts with `{name}` placeholders, parsed with the rule and filled for each event. Pure.

Values come from outside, so each is escaped for its place: it changes no layout, mentions nobody and adds no link.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from faqbot.markup.escaping import escape_markdown
from faqbot.rules.values import Values, format_value, look_up

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+)*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
MAX_VALUE_CHARS = 500

Escape = Callable[[str], str]


class TemplateError(ValueError):
    """The text is no valid template; the message is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Template:
    """`parts` alternate between text and the name of a value, beginning with a text."""

    text: str
    parts: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.parts[1::2]

    def fill(self, values: Values, escape: Escape) -> str:
        """Return the text with its values, each escaped by `escape`. Raises MissingValue."""
        pieces = list(self.parts)
        for index in range(1, len(pieces), 2):
            pieces[index] = escape(format_value(pieces[index], look_up(pieces[index], values)))
        return "".join(pieces)


def read_template(text: str) -> Template:
    """Split a text into a template; `{{` and `}}` stand for braces. Raises TemplateError."""
    parts = [""]
    end = 0
    for match in _PIECE.finditer(text):
        parts[-1] += text[end : match.start()]
        end = match.end()
        piece, name = match.group(), match.group(1)
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


def escape_for_markdown(value: str) -> str:
    """Escape a value inside markdown: one line, without characters that have a meaning there."""
    return escape_markdown(value, MAX_VALUE_CHARS)


def escape_for_text(value: str) -> str:
    """Escape a value inside plain text: it may have lines, but mentions nobody."""
    return _CONTROL.sub("", value).replace("@", "＠")[:MAX_VALUE_CHARS]


def escape_for_url(value: str) -> str:
    """Escape a value inside a URL: it stays within its part of the URL."""
    return quote(value[:MAX_VALUE_CHARS], safe="")


def strip_controls(value: str) -> str:
    """Return a value that is a whole field by itself, such as a userId, without invisible characters."""
    return _CONTROL.sub("", value).strip()
