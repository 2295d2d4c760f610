"""Which messages ask for something to be done rather than answered. Pure; what is done stands in `faqbot/deeds/`."""

from __future__ import annotations

import re
import unicodedata

from faqbot.model import Message, Order, OrderKind
from faqbot.text import normalise

# Whole messages: part of a sentence is a question like any other.
_WORDS = {
    "我的": OrderKind.MY_QUESTIONS,
    "我的提问": OrderKind.MY_QUESTIONS,
    "我的问题": OrderKind.MY_QUESTIONS,
    "我问过什么": OrderKind.MY_QUESTIONS,
}

# With a number behind it, or the word alone; only what is sent back may have a reason.
_ABOUT_DRAFTS = {"通过": OrderKind.APPROVE, "退回": OrderKind.SEND_BACK, "撤销": OrderKind.WITHDRAW}
_DRAFT = re.compile(r"(通过|撤销|退回)\s*(?:草稿)?\s*(?:#?\s*(\d{1,6})\s*号?)?[。!.]?")
_SENT_BACK = re.compile(r"退回\s*(?:草稿)?\s*(?:#?\s*(\d{1,6})(?!\d)\s*号?\s*[:,，。]?|[:,，])\s*(\S.*)", re.DOTALL)
_NUMBERED = re.compile(r"\s*(\d{1,6})(?!\d)\s*(.*)", re.DOTALL)


def read_order(message: Message) -> Order | None:
    """The order a message gives, None for a question."""
    if kind := _WORDS.get(normalise(message.text)):
        return Order(kind)
    return _about_draft(message.text)


def numbered(text: str) -> tuple[int | None, str]:
    """The number an order's text begins with, if any, and the rest."""
    found = _NUMBERED.fullmatch(text)
    return (int(found[1]), found[2].strip()) if found else (None, text.strip())


def _about_draft(text: str) -> Order | None:
    plain = unicodedata.normalize("NFKC", text).strip()
    if found := _DRAFT.fullmatch(plain):
        return Order(_ABOUT_DRAFTS[found[1]], found[2] or "")
    if found := _SENT_BACK.fullmatch(plain):
        return Order(OrderKind.SEND_BACK, f"{found[1] or ''} {found[2]}".strip())
    return None
