"""Splits markdown into chunks below the size limits of DingTalk's messages."""

from __future__ import annotations

import json
from collections.abc import Sequence

# The text of a reply in UTF-8. As JSON with its title it stays below all limits of DingTalk, the lowest of which is
# 15,000 bytes; `split_by_json_size` cuts the rare text in which quotes and line breaks take more room than that.
MARKDOWN_BYTES = 14_000
# The text of a message as a JSON string. A session webhook takes 20,000 bytes and the robot API 15,000, both with the
# title and the JSON around the text.
WEBHOOK_JSON_BYTES = 18_000
ROBOT_JSON_BYTES = 14_500
# Notices go out by the robot API and by group robots; room is left for the part's number.
NOTICE_JSON_BYTES = 14_000


def split_markdown(text: str, limit: int) -> list[str]:
    """Cut below `limit` UTF-8 bytes at paragraph borders, else at lines, else at sentences, else anywhere."""
    return _split(text, limit, ("\n\n", "\n", "。", ""))


def split_by_json_size(text: str, limit: int) -> list[str]:
    """Cut into parts that take at most `limit` bytes as a JSON string; nearly always there is one part."""
    # No character takes more than six bytes as JSON, and most texts are short.
    if len(text) * 6 <= limit:
        return [text]
    part_bytes, parts = MARKDOWN_BYTES, [text]
    while max(len(json.dumps(part, ensure_ascii=False).encode()) for part in parts) > limit:
        parts = split_markdown(text, part_bytes)
        part_bytes //= 2
    return parts


def _split(text: str, limit: int, borders: Sequence[str]) -> list[str]:
    if len(text.encode()) <= limit:
        return [text]
    border, *finer = borders
    pieces = text.split(border) if border else list(text)
    parts: list[str] = []
    for number, piece in enumerate(pieces):
        # A sentence keeps its full stop; other borders are blank space that the cut replaces.
        piece += border if border == "。" and number < len(pieces) - 1 else ""
        joint = "" if border in ("", "。") else border
        longer = f"{parts[-1]}{joint}{piece}" if parts else piece
        if parts and len(longer.encode()) <= limit:
            parts[-1] = longer
        else:
            parts += _split(piece, limit, finer)
    return [p for p in (part.strip("\n") for part in parts) if p.strip()]
