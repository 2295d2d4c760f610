"""The bytes of a file as text: which encoding they are in, and lines as every editor counts them."""

from __future__ import annotations

import codecs
import re
import unicodedata

_LINE_END = re.compile("\r\n?")
# YAML would count these as line ends, which no editor shows as such.
_NO_LINE_ENDS = {0x85: " ", 0x2028: " ", 0x2029: " "}
_COMMON_SHARE = 0.9
# Python's GB 2312 table has lookalikes of these.
_ALSO_USUAL = "—·"


def as_lines(text: str) -> str:
    """The text with one kind of line end; every character keeps its line and column."""
    return _LINE_END.sub("\n", text).translate(_NO_LINE_ENDS)


def encoding_of(raw: bytes) -> str:
    """`utf-8`, or the encoding another program surely saved the file in (`gb18030`, `utf-16`), or an empty text."""
    if (text := _decoded(raw, "utf-8")) is not None:
        # A text saved as UTF-16 without a mark is valid UTF-8 as long as it is ASCII, but for its zero bytes.
        return "" if text.count("\0") * 3 > len(text) else "utf-8"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16" if _is_text(_decoded(raw, "utf-16")) else ""
    text = _decoded(raw, "gb18030")
    return "gb18030" if _is_text(text) and not _mostly_utf8(raw) and _common(text or "") else ""


def decode(raw: bytes, encoding: str) -> str:
    """The text without a byte order mark."""
    return raw.decode(encoding).removeprefix("\ufeff")


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_text(text: str | None) -> bool:
    """Whether all characters are assigned ones that a keyboard gives."""
    return text is not None and all(c in "\t\r\n\ufeff" or unicodedata.category(c) not in _NO_TEXT for c in text)


_NO_TEXT = {"Cc", "Cn", "Co", "Cs"}


def _mostly_utf8(raw: bytes) -> bool:
    """Whether it is UTF-8 with a few damaged bytes: as GBK it would be readable too, but nonsense."""
    text = raw.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    return sum(not c.isascii() for c in text) - damaged >= damaged


def _common(text: str) -> bool:
    """Whether the characters are the usual Chinese ones; another encoding read as GBK gives rare ones."""
    foreign = [c for c in text if not c.isascii()]
    usual = sum(c in _ALSO_USUAL or _encodes(c) for c in foreign)
    return usual >= len(foreign) * _COMMON_SHARE


def _encodes(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
