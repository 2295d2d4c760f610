"""Renders a notice as markdown, with its @-mentions."""

from __future__ import annotations

import re

from faqbot.markup.escaping import escape_markdown
from faqbot.model.notices import Notice

EVERYBODY = "@所有人"
_LABEL = str.maketrans("[]*", "［］＊")
_ADDRESS = re.compile(r"(https?://[^\s\u3000-\u303f\uff00-\uffef<>()\[\]]+)")


def as_markdown(notice: Notice) -> str:
    """Return the notice as markdown, whatever its shape, without its mentions."""
    body = notice.body
    if notice.shape == "text":
        body = "  \n".join(map(_plain, body.splitlines()))
    pictures = [f"![]({link.picture})" for link in notice.links if link.picture]
    links = [f"[{link.title.translate(_LABEL)}]({link.url})" for link in notice.links]
    return "\n\n".join(part for part in (body, *pictures, *links) if part)


def _plain(line: str) -> str:
    """Return a line of plain text as markdown that looks the same; its addresses stay links."""
    parts = _ADDRESS.split(line)
    # The pattern is one group, so that every second part is an address.
    return "".join(part if n % 2 else _inside(part) for n, part in enumerate(parts))


def _inside(text: str) -> str:
    """Escape a part of a line, keeping the blanks that part it from its neighbours."""
    bare = text.strip()
    if not bare:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{escape_markdown(bare, len(bare))}{after}"


def mentioning(text: str, notice: Notice) -> str:
    """Return the text with the words that @ people, which DingTalk wants besides the list of the mentioned."""
    named = [f"@{who}" for who in (*notice.at_userids, *notice.at_mobiles)]
    mentions = dict.fromkeys([*named, *([EVERYBODY] if notice.at_all else [])])
    # The author may have put a mention where it belongs.
    missing = [mention for mention in mentions if mention not in text]
    return f"{text}\n\n{' '.join(missing)}" if missing else text
