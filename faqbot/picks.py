"""Choosing from a list that was sent: what its lines stand for and which line a message picks. Pure."""

from __future__ import annotations

import re
import unicodedata

from faqbot.matching import Index
from faqbot.menus import topic_list
from faqbot.model import (
    Answered,
    Context,
    Decision,
    Menu,
    Offered,
    Option,
    OutOfList,
    Small,
    Smalltalk,
    TopicList,
    Unanswered,
)
from faqbot.permitted import Allowed

# A list can be picked from for so long.
CONTEXT_SECONDS = 600.0

_ONES = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_PICK = re.compile(
    r"(?:[@＠]\S+\s)?[(\[]*(?:我?[选選要看])?\s*第?\s*(?P<n>\d{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
    r"\s*[个個条條项項号號题題]?\s*吧?[。.、,!)\]~\s]*(?:谢谢|謝謝)?[。.!~]*"
)


def options(decision: Decision) -> tuple[Option, ...]:
    """What the numbers of the list that is about to be sent stand for."""
    match decision:
        case Offered(candidates):
            return tuple(Option("entry", c.entry.id) for c in candidates)
        case Menu(topics):
            return tuple(Option("topic", name) for name, _, _ in topics)
        case TopicList(_, entries):
            return tuple(Option("entry", e.id) for e in entries)
        case _:
            return ()


def pick(text: str, context: Context | None, index: Index, allowed: Allowed) -> Decision | None:
    number = picked_number(text)
    if number is None:
        return None
    if context is None or not context.options:
        # An entry about 996 is asked for by its number.
        return None if index.has_wording(text) else Smalltalk(Small.NOTHING_TO_PICK)
    if not 1 <= number <= len(context.options):
        return OutOfList(len(context.options))
    option = context.options[number - 1]
    if option.kind == "topic":
        opened = topic_list(option.key, index, allowed)
        return opened if opened.entries else Unanswered()
    entry = next((e for e in index.entries if e.id == option.key and allowed(e)), None)
    # The entry may have been taken away since the list was sent.
    return Answered(entry, 1.0, entry.question, picked=True) if entry else Unanswered()


def picked_number(text: str) -> int | None:
    """`2`, `第二个`, `选 2`, `②` → 2; None for anything that is not just a number to pick."""
    found = _PICK.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not found:
        return None
    written = found.group("n")
    if written.isdigit():
        return int(written)
    tens, ten, ones = written.partition("十")
    if not ten:
        return _ONES[written]
    return _ONES.get(tens, 1) * 10 + _ONES.get(ones, 0)
