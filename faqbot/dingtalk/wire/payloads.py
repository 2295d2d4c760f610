"""Parse DingTalk's bot messages and events, and build the body of a reply. Pure.

No missing or malformed field of a callback raises here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from faqbot.dingtalk.wire.loose_fields import as_dict, as_seconds, as_text, parse_json_text
from faqbot.dingtalk.wire.quotes import read_quote
from faqbot.model.messages import Message, MessageKind, Reply
from faqbot.model.notices import Event

# Characters. Nobody types more; a longer text is cut before it is stored.
_MAX_TEXT_CHARS = 4000
_MAX_TITLE_CHARS = 64
# The notice that the monthly quota is used up comes as a message without text; event pages name the keys
# errCode, the message page errorCode.
_QUOTA_CODE = "20001"
# One encoder for all: json.dumps would create one for each body.
_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_LEADING_AT = re.compile(r"^[@＠]\S{1,40}(?:\s+|$)")

_KINDS = {
    "picture": MessageKind.PICTURE,
    "audio": MessageKind.AUDIO,
    "video": MessageKind.VIDEO,
    "file": MessageKind.FILE,
}


def read_message(data: Any, *, now: float) -> Message | None:
    """Read the `data` of a bot callback; return None if it cannot be answered or counted.

    Every field may be missing, empty or of another type (platform notes, bot message callback).
    """
    if not isinstance(data, dict):
        return None
    quote = read_quote(data)
    kind, text = _content(data, is_quote=quote.is_quote)
    conversation = as_text(data.get("conversationId"))
    staff_id, sender_id = as_text(data.get("senderStaffId")), as_text(data.get("senderId"))
    webhook = as_text(data.get("sessionWebhook"))
    message_id = as_text(data.get("msgId"))
    if not message_id and not (conversation or webhook or kind is MessageKind.QUOTA):
        return None
    return Message(
        id=message_id or _substitute_id(conversation, staff_id or sender_id, as_text(data.get("createAt")), text),
        robot_code=as_text(data.get("robotCode")) or as_text(data.get("chatbotUserId")),
        conversation_id=conversation,
        conversation_title=as_text(data.get("conversationTitle")),
        is_group=_is_group(data),
        kind=kind,
        text=text[:_MAX_TEXT_CHARS],
        sender_id=sender_id,
        staff_id=staff_id,
        sender_name=as_text(data.get("senderNick"))[:64],
        quoted=quote.text,
        sent_at=as_seconds(data.get("createAt")) or now,
        received_at=now,
        webhook=webhook,
        webhook_until=as_seconds(data.get("sessionWebhookExpiredTime")),
        is_quote=quote.is_quote,
        quoted_at=quote.at,
        quoted_id=quote.message_id,
        quoted_from=quote.origin,
    )


def reply_body(reply: Reply) -> dict[str, Any]:
    """Return the body of a session webhook call (platform notes, replying by session webhook)."""
    title = re.sub(r"\s+", " ", reply.title).strip()[:_MAX_TITLE_CHARS] or "回复"
    body: dict[str, Any] = {"msgtype": "markdown", "markdown": {"title": title, "text": reply.body}}
    if mentions := [userid for userid in dict.fromkeys((reply.mention, *reply.others)) if userid]:
        body["at"] = {"atUserIds": mentions}
    return body


def encode(body: dict[str, Any]) -> bytes:
    """Encode a body as JSON in UTF-8: escaped Chinese would take twice the bytes of DingTalk's length limit."""
    return _encode_json(body).encode("utf-8", "replace")


def _content(data: dict[str, Any], *, is_quote: bool) -> tuple[MessageKind, str]:
    code = as_text(data.get("errorCode")) or as_text(data.get("errCode"))
    kind = as_text(data.get("msgtype"))
    text, content = data.get("text"), parse_json_text(data.get("content"))
    if code == _QUOTA_CODE and not (text or content):
        return MessageKind.QUOTA, ""
    if kind == "richText":
        return _rich_text(as_dict(content).get("richText"), data)
    if kind == "audio":
        transcript = as_text(as_dict(content).get("recognition")).strip()
        return (MessageKind.VOICE, transcript) if transcript else (MessageKind.AUDIO, "")
    if kind in _KINDS:
        return _KINDS[kind], ""
    if kind in ("text", "") and isinstance(text, (dict, str)):
        content_text = as_text(text) if isinstance(text, str) else as_text(text.get("content"))
        return MessageKind.TEXT, _clean(content_text)
    # The mention alone may come as no text at all.
    return (MessageKind.TEXT, "") if kind == "text" and is_quote else (MessageKind.UNKNOWN, "")


def _rich_text(items: Any, data: dict[str, Any]) -> tuple[MessageKind, str]:
    """Join the texts in order. Unlike in plain text, DingTalk has not removed the `@bot`."""
    pieces: list[str] = []
    pictures = False
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        pictures = pictures or bool(item.get("downloadCode") or item.get("pictureDownloadCode"))
        piece = as_text(item.get("text"))
        at_start = not "".join(pieces).strip()
        if item.get("type") == "at" and at_start:
            continue
        if at_start and _is_group(data) and (bare := piece.strip()).startswith(("@", "＠")):
            # `@小助手` alone is the mention; `@小助手 年假` is the mention and the start of the question.
            piece = _LEADING_AT.sub("", bare)
        pieces.append(piece)
    text = _clean("".join(pieces))
    if not text and pictures:
        return MessageKind.PICTURE, ""
    return MessageKind.TEXT, text


def _is_group(data: dict[str, Any]) -> bool:
    kind = as_text(data.get("conversationType"))
    if kind in ("1", "2"):
        return kind == "2"
    return bool(data.get("isInAtList") or data.get("conversationTitle"))


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()


def _substitute_id(*parts: str) -> str:
    """Return an id for a message without one: the same message delivered again gets the same id."""
    return f"made-up-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:24]}"


def read_event(headers: Mapping[str, Any], data: Any) -> Event | None:
    """Read one of DingTalk's own events as an Event named `dingtalk.…`; return None for a frame that names no event."""
    kind = headers.get("eventType")
    event_id = headers.get("eventId") or headers.get("messageId")
    if not isinstance(kind, str) or not kind or not event_id:
        return None
    born = headers.get("eventBornTime") or headers.get("time")
    at = born / 1000 if isinstance(born, (int, float)) else 0.0
    return Event(f"dingtalk.{kind}", str(event_id), at, data if isinstance(data, dict) else {"data": data})
