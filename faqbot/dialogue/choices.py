"""Choices: tell which line of a numbered list a message picks, and which question the list was for. Pure."""

from __future__ import annotations

import re
import unicodedata

from faqbot.access.visibility import Allowed
from faqbot.dialogue.clarification import case_name
from faqbot.dialogue.topic_menu import list_topic
from faqbot.language.normalize import normalise
from faqbot.model.commands import Response
from faqbot.model.conversation import ConversationState, Option
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Decision,
    LikelyRefused,
    NoneOfThese,
    OutOfList,
    PrivateReply,
    SmallTalk,
    SmallTalkKind,
    Unanswered,
)
from faqbot.model.entries import ELSE
from faqbot.search.index import Index

# The last line of a list of questions.
NONE_OF_THESE_TEXT = "都不是"
_NONE_OF_THESE = {
    NONE_OF_THESE_TEXT, "都不对", "以上都不是", "上面都不是", "这些都不是", "都不是这些", "不是这些", "没有我要",
    "没有我想问", "都不是我想问", "都不是我要问",
}  # fmt: skip
_PARTICLES = "啊呀哦呢吧嘛的了"
# A list can be picked from, and an answer referred to, for this long.
OPTIONS_SECONDS = 600.0

_ONES = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
# The characters that turn a 1 into the emoji 1️⃣.
_KEYCAP = dict.fromkeys((0xFE0F, 0x20E3))
_PICK = re.compile(
    r"(?:[@＠]\S+\s)?[(\[]*(?:我?[选選要看])?\s*第?\s*(?P<n>\d{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
    r"\s*[个個条條项項号號题題]?\s*吧?[。.、,!)\]~\s]*(?:谢谢|謝謝)?[。.!~]*"
)


def picked_decision(text: str, state: ConversationState, index: Index, allowed: Allowed) -> Decision | None:
    """Decide on a message that picks from the list of an unexpired state; None for a message that picks nothing."""
    none_of_these = normalise(text).rstrip(_PARTICLES) in _NONE_OF_THESE
    number = picked_number(text)
    if number is None and not none_of_these:
        return None
    if not state.options:
        # A number may be a question itself, such as 996.
        return None if index.has_wording(text) else SmallTalk(SmallTalkKind.NOTHING_TO_PICK)
    if number is None and state.options[-1].key.endswith(f"\n{ELSE}"):
        return _decision_on(state.options[-1], index, allowed)
    if number is None:
        return NoneOfThese()
    if not 1 <= number <= len(state.options):
        return OutOfList(len(state.options))
    return _decision_on(state.options[number - 1], index, allowed)


def list_message_id(state: ConversationState, text: str, response: Response) -> str:
    """Find the message whose list `response` was picked from, or whose likely answer it refused; empty if neither.

    Tapping a line of a list sends its question as a text.
    """
    match response:
        case PrivateReply(decision):
            return list_message_id(state, text, decision)
        case LikelyRefused():
            return state.likely_answer.message_id if state.likely_answer else ""
        case Answered(entry, picked=True, case=case, slot_reused=False) if case:
            # The case may be named after another list was sent.
            picked = Option.of_case(entry.id, case) in state.options
        case AskedBack(unclear=True):
            picked = state.options == response.options
        case AskedBack(entry) if Option("entry", entry.id) in state.options:
            picked = picked_number(text) is not None or normalise(text) == normalise(entry.question)
        case Answered(picked=True) | NoneOfThese():
            picked = True
        case Answered(entry) if Option("entry", entry.id) in state.options:
            picked = normalise(text) == normalise(entry.question)
        case _:
            picked = False
    return state.options_message_id if picked else ""


def _decision_on(option: Option, index: Index, allowed: Allowed) -> Decision:
    if option.kind == "none":
        return NoneOfThese()
    if option.kind == "topic":
        topic = list_topic(option.key, index, allowed)
        return topic if topic.entries else Unanswered()
    entry_id, _, case = option.key.partition("\n")
    entry = index.by_id.get(entry_id)
    if entry and case and case not in entry.variants:
        entry = None
    # The entry may have been removed since the list was sent.
    if entry is None or not allowed(entry):
        return Unanswered()
    slot_value = case_name(case) if case else ""
    return Answered(entry, 1.0, entry.question, picked=True, case=case, slot_value=slot_value)


def picked_number(text: str) -> int | None:
    """Read `2`, `第二个`, `选 2`, `②`, `2️⃣` as 2; None for any text that is not just a number to pick."""
    match = _PICK.fullmatch(unicodedata.normalize("NFKC", text).translate(_KEYCAP).strip())
    if not match:
        return None
    numeral = match.group("n")
    if numeral.isdigit():
        return int(numeral)
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return _ONES[numeral]
    return _ONES.get(tens, 1) * 10 + _ONES.get(ones, 0)
