"""Cuts markdown into messages that DingTalk takes: the one place for size limits."""

from __future__ import annotations

import json
from collections.abc import Sequence

# DingTalk takes about 20,000 bytes a message; 15,000 leaves room for the JSON around the text.
MAX_BYTES = 14_000


def split(text: str, limit: int) -> list[str]:
    """Cut below `limit` UTF-8 bytes at paragraph borders, else at lines, else at sentences, else anywhere."""
    return _split(text, limit, ("\n\n", "\n", "。", ""))


def fitting(text: str, most: int) -> list[str]:
    """The text in parts of `most` bytes as JSON, where quotes and line breaks take more room; nearly always one."""
    # No character takes more than six bytes as JSON, and most texts are short.
    if len(text) * 6 <= most:
        return [text]
    limit, parts = MAX_BYTES, [text]
    while max(len(json.dumps(part, ensure_ascii=False).encode()) for part in parts) > most:
        parts = split(text, limit)
        limit //= 2
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
