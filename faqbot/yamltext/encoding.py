"""Detects the encoding of a file and decodes it into lines as every editor counts them."""

from __future__ import annotations

import codecs
import re
import unicodedata

_LINE_END = re.compile("\r\n?")
# YAML counts these as line ends, but no editor shows them so.
_NOT_LINE_ENDS = {0x85: " ", 0x2028: " ", 0x2029: " "}
# Share of usual Chinese characters from which a text counts as GBK rather than as another encoding misread.
_MIN_USUAL_SHARE = 0.9
# Usual characters for which Python's GB 2312 table has only lookalikes.
_ALSO_USUAL = "—·"


def normalize_line_ends(text: str) -> str:
    """Return the text with `\\n` as its only line end; every character keeps its line and column."""
    return _LINE_END.sub("\n", text).translate(_NOT_LINE_ENDS)


def detect_encoding(raw: bytes) -> str:
    """Return `utf-8`, another encoding the file was certainly saved in (`gb18030`, `utf-16`), or an empty text."""
    if (text := _decoded(raw, "utf-8")) is not None:
        # ASCII saved as UTF-16 without a byte order mark is valid UTF-8; only its zero bytes tell the two apart.
        return "" if text.count("\0") * 3 > len(text) else "utf-8"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16" if _is_text(_decoded(raw, "utf-16")) else ""
    text = _decoded(raw, "gb18030")
    return "gb18030" if _is_text(text) and not _is_damaged_utf8(raw) and _is_usual_chinese(text or "") else ""


def decode(raw: bytes, encoding: str) -> str:
    """Return the text without its byte order mark. Raises UnicodeDecodeError."""
    return raw.decode(encoding).removeprefix("\ufeff")


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_text(text: str | None) -> bool:
    """Return True if every character is assigned and can be typed."""
    return text is not None and all(
        c in "\t\r\n\ufeff" or unicodedata.category(c) not in _UNTYPABLE_CATEGORIES for c in text
    )


_UNTYPABLE_CATEGORIES = {"Cc", "Cn", "Co", "Cs"}


def _is_damaged_utf8(raw: bytes) -> bool:
    """Return True for UTF-8 with a few damaged bytes: read as GBK it would give characters too, but nonsense."""
    text = raw.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    return sum(not c.isascii() for c in text) - damaged >= damaged


def _is_usual_chinese(text: str) -> bool:
    """Return True if most characters are usual Chinese ones; another encoding misread as GBK gives rare ones."""
    foreign = [c for c in text if not c.isascii()]
    usual = sum(c in _ALSO_USUAL or _is_in_gb2312(c) for c in foreign)
    return usual >= len(foreign) * _MIN_USUAL_SHARE


def _is_in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
