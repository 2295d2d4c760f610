"""What waits for one group robot → one message: numbered parts, mentions united, nothing left out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from faqbot.language.normalize import neutralise
from faqbot.model.entries import Notice

EVERYBODY = "@所有人"
# DingTalk takes 20,000 bytes with the JSON around the text, and fifty people a message.
_MOST_BYTES, _MOST_PEOPLE = 14_000, 50
_TITLE_LENGTH = 64
_LABEL = str.maketrans("[]*", "［］＊")
_ADDRESS = re.compile(r"(https?://[^\s\u3000-\u303f\uff00-\uffef<>()\[\]]+)")
_MARKUP = re.compile(r"^[#>\s]+|\*\*")


def digest(notices: Sequence[Notice]) -> Notice:
    """The notices, at least one, as one; a single one stays as it is."""
    if len(notices) == 1:
        return notices[0]
    titles = "、".join(title for notice in notices if (title := _title(notice)))
    parts = [f"#### 共 {len(notices)} 条通知", *(_part(number, notice) for number, notice in enumerate(notices, 1))]
    return replace(
        notices[0],
        title=f"{len(notices)} 条通知：{titles}"[:_TITLE_LENGTH],
        body="\n\n".join(parts),
        at_mobiles=_united(mobile for notice in notices for mobile in notice.at_mobiles),
        at_userids=_united(userid for notice in notices for userid in notice.at_userids),
        at_all=any(notice.at_all for notice in notices),
        shape="markdown",
        links=(),
    )


def fitting_in(notices: Sequence[Notice]) -> int:
    """How many of the first fit into one message: one at least."""
    size, people = 0, set[str]()
    for number, notice in enumerate(notices, 1):
        size += len(json.dumps(f"\n\n{_part(number, notice)}", ensure_ascii=False).encode())
        people |= {*notice.at_mobiles, *notice.at_userids}
        if number > 1 and (size > _MOST_BYTES or len(people) > _MOST_PEOPLE):
            return number - 1
    return len(notices)


def as_markdown(notice: Notice) -> str:
    """The notice as markdown, whatever its shape, without its mentions."""
    body = notice.body
    if notice.shape == "text":
        body = "  \n".join(map(_plain, body.splitlines()))
    pictures = [f"![]({link.picture})" for link in notice.links if link.picture]
    links = [f"[{link.title.translate(_LABEL)}]({link.url})" for link in notice.links]
    return "\n\n".join(part for part in (body, *pictures, *links) if part)


def _plain(line: str) -> str:
    """A line of plain text as markdown that looks the same; an address in it stays one that opens."""
    parts = _ADDRESS.split(line)
    # The pattern is one group, so that every second part is an address.
    return "".join(part if n % 2 else _inside(part) for n, part in enumerate(parts))


def _inside(text: str) -> str:
    """neutralise() for a part of a line, whose blanks at its ends part it from its neighbours."""
    bare = text.strip()
    if not bare:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{neutralise(bare, len(bare))}{after}"


def mentioning(text: str, notice: Notice) -> str:
    """The text with the words that @ people: DingTalk wants them in it beside the list of whom they name."""
    named = [f"@{who}" for who in (*notice.at_userids, *notice.at_mobiles)]
    mentions = dict.fromkeys([*named, *([EVERYBODY] if notice.at_all else [])])
    # The author may have put a mention where it belongs.
    missing = [mention for mention in mentions if mention not in text]
    return f"{text}\n\n{' '.join(missing)}" if missing else text


def _part(number: int, notice: Notice) -> str:
    """One notice as a part; who is mentioned in it is seen there."""
    title, body = _title(notice), as_markdown(notice)
    first, _, rest = body.partition("\n")
    if _MARKUP.sub("", first).strip() == title:
        body = rest.strip("\n")
    heading = f"**{number}. {title.translate(_LABEL)}**" if title else f"**{number}.**"
    return mentioning(f"{heading}\n\n{body}" if body else heading, notice)


def _title(notice: Notice) -> str:
    return " ".join(notice.title.split())[:_TITLE_LENGTH]


def _united(people: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(people))
