"""Choosing from a list that was sent: what its lines stand for and which line a message picks. Pure."""

from __future__ import annotations

import re
import unicodedata

from faqbot.access.visibility import Allowed
from faqbot.dialogue.clarification import ELSE, case_name, cases_of
from faqbot.dialogue.topic_menu import topic_list
from faqbot.language.normalize import normalise
from faqbot.model.conversation import ConversationState, Option
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    CommandResult,
    Decision,
    Menu,
    MultiAnswer,
    NoneOfThese,
    Offered,
    OutOfList,
    PrivateReply,
    SmallTalk,
    SmallTalkKind,
    TopicList,
    Unanswered,
)
from faqbot.search.index import Index

NONE_OF_THESE = "都不是"
_NONE_OF_THESE = {
    NONE_OF_THESE, "都不对", "以上都不是", "上面都不是", "这些都不是", "都不是这些", "不是这些", "没有我要",
    "没有我想问", "都不是我想问", "都不是我要问",
}  # fmt: skip
_PARTICLES = "啊呀哦呢吧嘛的了"
# A list can be picked from for so long.
CONTEXT_SECONDS = 600.0

_ONES = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
# What makes a 1 into the emoji 1️⃣.
_KEYCAP = dict.fromkeys((0xFE0F, 0x20E3))
_PICK = re.compile(
    r"(?:[@＠]\S+\s)?[(\[]*(?:我?[选選要看])?\s*第?\s*(?P<n>\d{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
    r"\s*[个個条條项項号號题題]?\s*吧?[。.、,!)\]~\s]*(?:谢谢|謝謝)?[。.!~]*"
)


def options(decision: Decision) -> tuple[Option, ...]:
    """What the numbers of the list that is about to be sent stand for."""
    match decision:
        case Offered(candidates):
            return (*(Option("entry", c.entry.id) for c in candidates), Option("none", ""))
        case AskedBack(entry):
            return tuple(Option("case", f"{entry.id}\n{case}") for case in cases_of(entry))
        case Answered(related=related):
            return tuple(Option("entry", e.id) for e in related)
        case MultiAnswer(parts):
            return next((options(p.decision) for p in parts if isinstance(p.decision, Offered)), ())
        case Menu(topics):
            return tuple(Option("topic", name) for name, _, _ in topics)
        case TopicList(_, entries):
            return tuple(Option("entry", e.id) for e in entries)
        case CommandResult(options=listed):
            return listed
        case _:
            return ()


def pick(text: str, context: ConversationState, index: Index, allowed: Allowed) -> Decision | None:
    """What a message picks from the list of a context that holds; None where it picks nothing."""
    none_of_these = normalise(text).rstrip(_PARTICLES) in _NONE_OF_THESE
    number = picked_number(text)
    if number is None and not none_of_these:
        return None
    if not context.options:
        # An entry about 996 is asked for by its number.
        return None if index.has_wording(text) else SmallTalk(SmallTalkKind.NOTHING_TO_PICK)
    if number is None and context.options[-1].key.endswith(f"\n{ELSE}"):
        return _chosen(context.options[-1], index, allowed)
    if number is None:
        return NoneOfThese()
    if not 1 <= number <= len(context.options):
        return OutOfList(len(context.options))
    return _chosen(context.options[number - 1], index, allowed)


def picked_for(context: ConversationState, text: str, decision: Decision) -> str:
    """The message whose list the decision was picked from; empty for none. A tapped line says its question."""
    match decision:
        case PrivateReply(inner):
            return picked_for(context, text, inner)
        case Answered(entry, picked=True, case=case, assumed=False) if case:
            # It may have been said after another list was shown.
            return context.asked if Option("case", f"{entry.id}\n{case}") in context.options else ""
        case AskedBack(unclear=True):
            return context.asked if context.options == options(decision) else ""
        case AskedBack(entry) if Option("entry", entry.id) in context.options:
            chosen = picked_number(text) is not None or normalise(text) == normalise(entry.question)
            return context.asked if chosen else ""
        case Answered(picked=True) | NoneOfThese():
            return context.asked
        case Answered(entry) if Option("entry", entry.id) in context.options:
            return context.asked if normalise(text) == normalise(entry.question) else ""
        case _:
            return ""


def _chosen(option: Option, index: Index, allowed: Allowed) -> Decision:
    if option.kind == "none":
        return NoneOfThese()
    if option.kind == "topic":
        opened = topic_list(option.key, index, allowed)
        return opened if opened.entries else Unanswered()
    key, _, case = option.key.partition("\n")
    entry = index.by_id.get(key)
    if entry and case and case not in entry.variants:
        entry = None
    # The entry may have been taken away since the list was sent.
    if entry is None or not allowed(entry):
        return Unanswered()
    return Answered(entry, 1.0, entry.question, picked=True, case=case, said=case_name(case) if case else "")


def picked_number(text: str) -> int | None:
    """`2`, `第二个`, `选 2`, `②`, `2️⃣` → 2; None for anything that is not just a number to pick."""
    found = _PICK.fullmatch(unicodedata.normalize("NFKC", text).translate(_KEYCAP).strip())
    if not found:
        return None
    written = found.group("n")
    if written.isdigit():
        return int(written)
    tens, ten, ones = written.partition("十")
    if not ten:
        return _ONES[written]
    return _ONES.get(tens, 1) * 10 + _ONES.get(ones, 0)
