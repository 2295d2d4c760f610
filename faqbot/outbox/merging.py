"""Merge notices for one group robot into one message: numbered parts, all mentions, nothing left out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from faqbot.markup.blocks import label
from faqbot.markup.chunking import NOTICE_JSON_BYTES
from faqbot.markup.notice_markdown import as_markdown, mentioning
from faqbot.model.notices import Notice

# DingTalk's limit of people mentioned in one message.
_MAX_PEOPLE = 50
_MAX_TITLE_LENGTH = 64
_MARKUP = re.compile(r"^[#>\s]+|\*\*")


def merge(notices: Sequence[Notice]) -> Notice:
    """Return one notice with the contents of all, of which there is at least one; a single one is unchanged."""
    if len(notices) == 1:
        return notices[0]
    titles = "、".join(title for notice in notices if (title := _title(notice)))
    parts = [f"#### 共 {len(notices)} 条通知", *(_part(number, notice) for number, notice in enumerate(notices, 1))]
    return replace(
        notices[0],
        title=f"{len(notices)} 条通知：{titles}"[:_MAX_TITLE_LENGTH],
        body="\n\n".join(parts),
        at_mobiles=_unique(mobile for notice in notices for mobile in notice.at_mobiles),
        at_userids=_unique(userid for notice in notices for userid in notice.at_userids),
        at_all=any(notice.at_all for notice in notices),
        shape="markdown",
        links=(),
    )


def count_that_fit(notices: Sequence[Notice]) -> int:
    """Return how many of the first notices fit into one message; at least one."""
    size, people = 0, set[str]()
    for number, notice in enumerate(notices, 1):
        size += len(json.dumps(f"\n\n{_part(number, notice)}", ensure_ascii=False).encode())
        people |= {*notice.at_mobiles, *notice.at_userids}
        if number > 1 and (size > NOTICE_JSON_BYTES or len(people) > _MAX_PEOPLE):
            return number - 1
    return len(notices)


def _part(number: int, notice: Notice) -> str:
    """Return one notice as a numbered part with its own mentions."""
    title, body = _title(notice), as_markdown(notice)
    first, _, rest = body.partition("\n")
    if _MARKUP.sub("", first).strip() == title:
        body = rest.strip("\n")
    heading = f"**{number}. {label(title)}**" if title else f"**{number}.**"
    return mentioning(f"{heading}\n\n{body}" if body else heading, notice)


def _title(notice: Notice) -> str:
    return " ".join(notice.title.split())[:_MAX_TITLE_LENGTH]


def _unique(people: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(people))
