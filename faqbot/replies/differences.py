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
    texts = "；".join(escape_markdown(difference_text(difference)) for difference in candidates[0].differs)
    return f"最接近的是第 1 条，不过{texts}。"


def _quoted(text: str) -> str:
    """Quote words; what begins with a digit or a letter, such as 500 元, stands out without."""
    plain = " ".join(text.split())
    if not re.match("[0-9A-Za-z]", plain):
        return f"「{plain}」" if plain else ""
    return " " + _SCRIPT_CHANGE.sub(" ", plain)
