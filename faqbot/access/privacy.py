"""Privacy: the placeholder that the question log holds instead of a private question. Pure."""

from __future__ import annotations

import re

from faqbot.model.entries import NO_TOPIC

_PLACEHOLDER = re.compile(r"（私密：(.+)）")


def withheld(topic: str) -> str:
    """Build the placeholder that the question log holds instead of a private question."""
    return f"（私密：{topic or NO_TOPIC}）"


def withheld_topic(text: str) -> str | None:
    """Read the topic from the placeholder of a private question; None for the text of a question that was stored."""
    match = _PLACEHOLDER.fullmatch(text)
    return match[1] if match else None
