"""Read fields of callbacks that may be missing, empty or of another type; nothing raises here. Pure."""

from __future__ import annotations

import json
from typing import Any


def as_text(value: Any) -> str:
    """Return a text or a small whole number as text; empty for anything else."""
    if isinstance(value, str):
        # Lone surrogates come from broken emoji and cannot be written as UTF-8.
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    small = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64
    return str(value) if small else ""


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_seconds(value: Any) -> float:
    """Convert milliseconds, as a number or text, to seconds; return 0 for anything else."""
    try:
        seconds = float(value) / 1000
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return seconds if 0 < seconds < 1e12 else 0.0


def parse_json_text(content: Any) -> Any:
    """Parse content that comes as JSON in a string, as that of quotes does."""
    if not isinstance(content, str) or not content.lstrip().startswith(("{", "[{")):
        return content
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content
