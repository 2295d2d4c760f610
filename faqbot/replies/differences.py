"""Says in Chinese what differs decisively between a question and an entry. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from faqbot.markup.escaping import escape_markdown
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.model.entries import Candidate

# Kinds of which the two texts look so alike that the reader is told where to look.
_REMARKS = {DifferenceKind.DIRECTION: "，方向不一样", DifferenceKind.NEGATION: "，说法相反"}
# Kinds that are a circumstance of the question rather than what it asks about.
_CIRCUMSTANCES = {DifferenceKind.CONDITION, DifferenceKind.LIMIT, DifferenceKind.BEFORE_AFTER}
# A list is read on a telephone; `ask --explain` names the rest.
_MAX_TOLD = 2
_SCRIPT_CHANGE = re.compile(r"(?<=[0-9A-Za-z%])(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=[0-9A-Za-z])")


def difference_text(difference: Difference) -> str:
    """Say one difference, such as 您问 500 元，这一条说的是 5000 元."""
    asked, written = _quoted(difference.asked), _quoted(difference.written)
    if not written:
        verb = "说" if difference.kind in _CIRCUMSTANCES else "问"
        return f"您{verb}的{asked}，这一条没有说到"
    if not asked:
        return f"这一条说的是{written}，您没有说到"
    return f"您问{asked}，这一条说的是{written}{_REMARKS.get(difference.kind, '')}"


def list_remark(candidates: Sequence[Candidate]) -> str:
    """Say above a list what differs in its first line, as markdown; empty where nothing does."""
    if not candidates or not candidates[0].differs:
        return ""
    told = _without_repetition(candidates[0].differs)[:_MAX_TOLD]
    found = "只找到一条相近的" if len(candidates) == 1 else "最接近的是第 1 条"
    return f"{found}，不过{'；'.join(escape_markdown(difference_text(d)) for d in told)}。"


def _without_repetition(differences: Sequence[Difference]) -> list[Difference]:
    """Leave out each difference that only says once more, in longer or shorter words, what one before it says."""
    kept: list[Difference] = []
    for one in differences:
        if not any(_overlap(one.asked, other.asked) and _overlap(one.written, other.written) for other in kept):
            kept.append(one)
    return kept


def _overlap(text: str, other: str) -> bool:
    return text in other or other in text


def _quoted(text: str) -> str:
    """Quote words; what begins with a digit or a letter, such as 500 元, stands out without."""
    plain = " ".join(text.split())
    if not re.match("[0-9A-Za-z]", plain):
        return f"「{plain}」" if plain else ""
    return " " + _SCRIPT_CHANGE.sub(" ", plain)
