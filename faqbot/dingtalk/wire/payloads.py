"""Parse DingTalk's bot messages and events, and build the body of a reply. Pure.

No missing or malformed field of a callback raises here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

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

_QUOTE_KEYS = {"repliedMsg", "quoteMessage", "quoteContent"}
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
    kind, text = _content(data)
    conversation = _text(data.get("conversationId"))
    staff_id, sender_id = _text(data.get("senderStaffId")), _text(data.get("senderId"))
    webhook = _text(data.get("sessionWebhook"))
    message_id = _text(data.get("msgId"))
    if not message_id and not (conversation or webhook or kind is MessageKind.QUOTA):
        return None
    return Message(
        id=message_id or _substitute_id(conversation, staff_id or sender_id, _text(data.get("createAt")), text),
        robot_code=_text(data.get("robotCode")) or _text(data.get("chatbotUserId")),
        conversation_id=conversation,
        conversation_title=_text(data.get("conversationTitle")),
        is_group=_is_group(data),
        kind=kind,
        text=text[:_MAX_TEXT_CHARS],
        sender_id=sender_id,
        staff_id=staff_id,
        sender_name=_text(data.get("senderNick"))[:64],
        quoted=_quoted(data)[:_MAX_TEXT_CHARS],
        sent_at=_seconds(data.get("createAt")) or now,
        received_at=now,
        webhook=webhook,
        webhook_until=_seconds(data.get("sessionWebhookExpiredTime")),
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


def _content(data: dict[str, Any]) -> tuple[MessageKind, str]:
    code = _text(data.get("errorCode")) or _text(data.get("errCode"))
    kind = _text(data.get("msgtype"))
    text, content = data.get("text"), _parse_json_text(data.get("content"))
    if code == _QUOTA_CODE and not (text or content):
        return MessageKind.QUOTA, ""
    if kind == "richText":
        return _rich_text(_dict(content).get("richText"), data)
    if kind == "audio":
        transcript = _text(_dict(content).get("recognition")).strip()
        return (MessageKind.VOICE, transcript) if transcript else (MessageKind.AUDIO, "")
    if kind in _KINDS:
        return _KINDS[kind], ""
    if kind in ("text", "") and isinstance(text, (dict, str)):
        content_text = _text(text) if isinstance(text, str) else _text(text.get("content"))
        return MessageKind.TEXT, _clean(content_text)
    return MessageKind.UNKNOWN, ""


def _parse_json_text(content: Any) -> Any:
    """Parse content that comes as JSON in a string, as that of quotes does."""
    if not isinstance(content, str) or not content.lstrip().startswith("{"):
        return content
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content


def _rich_text(items: Any, data: dict[str, Any]) -> tuple[MessageKind, str]:
    """Join the texts in order. Unlike in plain text, DingTalk has not removed the `@bot`."""
    pieces: list[str] = []
    pictures = False
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        pictures = pictures or bool(item.get("downloadCode") or item.get("pictureDownloadCode"))
        piece = _text(item.get("text"))
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


def _quoted(data: dict[str, Any]) -> str:
    """Return the quoted message as text. Its shape is not documented: all shapes seen so far are accepted."""
    for holder in (_dict(data.get("text")), _dict(data.get("content")), data):
        if not (holder.keys() & _QUOTE_KEYS):
            continue
        replied = _dict(holder.get("repliedMsg")) or _dict(holder.get("quoteMessage"))
        content = replied.get("content") or replied.get("text")
        content = _parse_json_text(content)
        if isinstance(content, str):
            return content.strip()
        if isinstance(content, dict):
            rich = content.get("richText")
            if isinstance(rich, list):
                return "".join(_text(_dict(item).get("text")) for item in rich).strip()
            for key in ("text", "recognition", "title", "summary", "fileName", "content"):
                if quote := _text(content.get(key)).strip():
                    return quote
        if quote := _text(holder.get("quoteContent")).strip():
            return quote
    return ""


def _is_group(data: dict[str, Any]) -> bool:
    kind = _text(data.get("conversationType"))
    if kind in ("1", "2"):
        return kind == "2"
    return bool(data.get("isInAtList") or data.get("conversationTitle"))


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()


def _text(value: Any) -> str:
    if isinstance(value, str):
        # Lone surrogates come from broken emoji and cannot be written as UTF-8.
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    small = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64
    return str(value) if small else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _seconds(value: Any) -> float:
    """Convert milliseconds, as a number or text, to seconds; return 0 for anything else."""
    try:
        seconds = float(value) / 1000
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return seconds if 0 < seconds < 1e12 else 0.0


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
