"""What waits for one group robot → one message: numbered parts, mentions united, nothing left out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from faqbot.markup.blocks import label
from faqbot.markup.notice_markdown import as_markdown, mentioning
from faqbot.model.notices import Notice

# DingTalk takes 20,000 bytes with the JSON around the text, and fifty people a message.
_MOST_BYTES, _MOST_PEOPLE = 14_000, 50
_TITLE_LENGTH = 64
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


def _part(number: int, notice: Notice) -> str:
    """One notice as a part; who is mentioned in it is seen there."""
    title, body = _title(notice), as_markdown(notice)
    first, _, rest = body.partition("\n")
    if _MARKUP.sub("", first).strip() == title:
        body = rest.strip("\n")
    heading = f"**{number}. {label(title)}**" if title else f"**{number}.**"
    return mentioning(f"{heading}\n\n{body}" if body else heading, notice)


def _title(notice: Notice) -> str:
    return " ".join(notice.title.split())[:_TITLE_LENGTH]


def _united(people: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(people))
