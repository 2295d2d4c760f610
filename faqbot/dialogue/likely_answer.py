"""Likely answer: recognise the messages that refuse or confirm it, and list what comes next. Pure."""

from __future__ import annotations

from faqbot.dialogue.decision_context import DecisionContext
from faqbot.language.normalize import normalise
from faqbot.model.commands import Command, CommandKind
from faqbot.model.decisions import LikelyRefused
from faqbot.model.question_log import Rating

# The word that the reply names for a refusal.
REFUSAL_TEXT = "不是"
# Whole messages, without particles at the end.
_REFUSALS = frozenset(
    (
        f"{REFUSAL_TEXT}/不/不对/不是这/不是这个/不是这条/不是这一条/不是这个意思/不是这意思/不是问这个/都不是/"
        "不是我问/不是我要问/不是我想问/我问的不是这个/问的不是这个/我不是问这个/答非所问/no"
    ).split("/")
)
_CONFIRMATIONS = frozenset(
    ("是", "是这个", "是这条", "就是", "就是这个", "就是它", "对", "对对", "对对对", "没错", "正是", "yes")
)
_PARTICLES = "啊呀哦呢吧嘛的了"


def parse_reaction(context: DecisionContext) -> Command | LikelyRefused | None:
    """Read a message that refuses or confirms the likely answer that the last reply showed; None for any other.

    A confirmation is a rating.
    """
    likely = context.state.likely_answer
    if likely is None:
        return None
    words = normalise(context.message.text).rstrip(_PARTICLES)
    if words in _REFUSALS:
        entries = (context.index.by_id.get(entry_id) for entry_id in likely.other_ids)
        # An entry may have been removed or limited since.
        return LikelyRefused(tuple(e for e in entries if e is not None and context.listable(e)))
    return Command(CommandKind.RATE, Rating.HELPFUL) if words in _CONFIRMATIONS else None
