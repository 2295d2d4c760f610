"""Finds the line of a file on which a text of an entry stands. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from faqbot.model.entries import Entry, Place
from faqbot.yamltext.encoding import decode, detect_encoding, normalize_line_ends


class SourceLines:
    """Finds lines in files, by the name in `Place`; a file is decoded only when it is asked for."""

    def __init__(self, files: Mapping[str, bytes], entries: Iterable[Entry]) -> None:
        self._files = files
        self._lines: dict[str, Sequence[str]] = {}
        self._starts: dict[str, list[int]] = {}
        for entry in entries:
            self._starts.setdefault(entry.place.file, []).append(entry.place.line)
        for starts in self._starts.values():
            starts.sort()

    def find(self, entry: Entry, text: str) -> tuple[Place, str]:
        """Return place and content of the line of an entry that holds `text`.

        Return the first line of the entry and no words if no line holds the text: the file may have changed since.
        """
        first = entry.place.line
        starts = self._starts.get(entry.place.file, [])
        next_entry = next(iter(starts[bisect_right(starts, first) :]), None)
        lines = self._lines_of(entry.place.file)[first - 1 : next_entry - 1 if next_entry else None]
        # 年假 is searched for as a whole, not within 年假有几天.
        word_start, word_end = (r"(?<!\w)" if text[:1].isalnum() else "", r"(?!\w)" if text[-1:].isalnum() else "")
        whole = re.compile(f"{word_start}{re.escape(text)}{word_end}")
        for offset, line in enumerate(lines):
            if whole.search(line):
                return Place(entry.place.file, first + offset), line.strip()[:120]
        return entry.place, ""

    def _lines_of(self, file: str) -> Sequence[str]:
        if file not in self._lines:
            raw = self._files.get(file, b"")
            self._lines[file] = (
                normalize_line_ends(decode(raw, "utf-8")).split("\n") if detect_encoding(raw) == "utf-8" else ()
            )
        return self._lines[file]
