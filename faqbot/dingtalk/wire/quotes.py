"""Read the message that a bot message quotes. The shape is not documented: all seen so far are accepted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from faqbot.dingtalk.wire.loose_fields import as_dict, as_seconds, as_text, parse_json_text
from faqbot.model.messages import QuoteOrigin

_MESSAGE_KEYS = ("repliedMsg", "quoteMessage")
_MAX_TEXT_CHARS = 4000
# The bot itself sends nothing of these kinds.
_KINDS_OF_PEOPLE = {"picture", "audio", "video", "file"}
# In this order. The name of a file is missing: it asks nothing.
_TEXT_KEYS = ("text", "markdown", "recognition", "title", "summary", "content")


class Quote(NamedTuple):
    """The quoted message, with the fields that Message has for it."""

    is_quote: bool = False
    text: str = ""
    at: float = 0.0
    message_id: str = ""
    origin: QuoteOrigin = QuoteOrigin.UNKNOWN


def read_quote(data: dict[str, Any]) -> Quote:
    """Read what the message in `data` quotes; most of it may be unknown."""
    holders = (as_dict(data.get("text")), as_dict(parse_json_text(data.get("content"))), data)
    messages = [as_dict(parse_json_text(holder.get(key))) for holder in holders for key in _MESSAGE_KEYS]
    message = next(filter(None, messages), {})
    bare_text = next(filter(None, (as_text(holder.get("quoteContent")).strip() for holder in holders)), "")
    is_quote = bool(message or bare_text) or any(holder.get("isReplyMsg") is True for holder in holders)
    return Quote(
        is_quote,
        (_text_of(message) or bare_text)[:_MAX_TEXT_CHARS],
        as_seconds(message.get("createdAt") or message.get("createAt")),
        as_text(message.get("msgId")),
        _origin(message, data),
    )


def _text_of(message: dict[str, Any]) -> str:
    return next(filter(None, (_readable(message.get(key)) for key in ("content", "text"))), "")


def _readable(content: Any) -> str:
    """Return the text in content of any kind; empty if it has none."""
    content = parse_json_text(content)
    if isinstance(content, dict):
        rich = content.get("richText")
        if isinstance(rich, list):
            return _joined(rich)
        return next(filter(None, (_plain(content.get(key)) for key in _TEXT_KEYS)), "")
    return _joined(content) if isinstance(content, list) else as_text(content).strip()


def _plain(value: Any) -> str:
    """Return a text, also one that stands in an object of its own."""
    nested = as_dict(value)
    return as_text(nested.get("content") or nested.get("text") if nested else value).strip()


def _joined(items: list[Any]) -> str:
    return "".join(_item_texts(items)).strip()


def _item_texts(items: list[Any]) -> Iterator[str]:
    for item in items:
        # A mention is no part of what was asked.
        if as_dict(item).get("type") != "at":
            yield as_text(as_dict(item).get("text"))


def _origin(message: dict[str, Any], data: dict[str, Any]) -> QuoteOrigin:
    """Tell who wrote the quoted message, where its sender is the asker or the bot; another sender may be either."""
    sender = as_text(message.get("senderId"))
    kind = as_text(message.get("msgType")) or as_text(message.get("msgtype"))
    if kind in _KINDS_OF_PEOPLE or (sender and sender == as_text(data.get("senderId"))):
        return QuoteOrigin.PERSON
    return QuoteOrigin.BOT if sender and sender == as_text(data.get("chatbotUserId")) else QuoteOrigin.UNKNOWN
