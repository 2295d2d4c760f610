"""Which messages ask for something to be done rather than answered. Pure; what is done stands in `faqbot/deeds/`."""

from __future__ import annotations

from faqbot.model import Message, Order, OrderKind
from faqbot.text import normalise

# Whole messages: part of a sentence is a question like any other.
_WORDS = {
    "我的": OrderKind.MY_QUESTIONS,
    "我的提问": OrderKind.MY_QUESTIONS,
    "我的问题": OrderKind.MY_QUESTIONS,
    "我问过什么": OrderKind.MY_QUESTIONS,
}


def read_order(message: Message) -> Order | None:
    """The order a message gives, None for a question."""
    kind = _WORDS.get(normalise(message.text))
    return Order(kind) if kind else None
