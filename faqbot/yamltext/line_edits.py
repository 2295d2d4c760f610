"""Applies single edits to the text of a file, leaving every other byte as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from faqbot.yamltext.encoding import normalize_line_ends
from faqbot.yamltext.nodes import Node

_LINE_END = re.compile("(\r\n|\r|\n)")
_MARK = "\ufeff".encode()


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the repaired text: lines count from 1, columns from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class TextChange:
    """Replaces the text from `start` up to `end` by `text`, whose line ends are `\\n`."""

    start: Position
    end: Position
    text: str

    @property
    def is_whole_lines(self) -> bool:
        return self.start.column == self.end.column == 0 and (not self.text or self.text.endswith("\n"))


def replace_lines(first: int, behind: int, text: str) -> TextChange:
    """Replace the lines from `first` up to, not including, `behind` by `text`, which holds whole lines."""
    return TextChange(Position(first, 0), Position(behind, 0), text)


class TextEdits:
    """Holds the lines of `raw` (UTF-8) as they are written and as the line repairs read them.

    Positions count in the repaired lines. A line that is changed is written repaired; all others stay as they are.
    """

    def __init__(self, raw: bytes, repaired: str) -> None:
        self._mark = _MARK if raw.startswith(_MARK) else b""
        parts = _LINE_END.split(raw[len(self._mark) :].decode("utf-8"))
        # One more, empty line follows the last line end, as editors show it.
        self._lines = list(zip(parts[::2], [*parts[1::2], ""], strict=True))
        self.repaired = repaired.split("\n")

    @cached_property
    def line_end(self) -> str:
        """Line end that most lines have."""
        ends = [end for _, end in self._lines if end]
        return max(("\n", "\r\n", "\r"), key=ends.count)

    def text(self, first: int, last: int) -> str:
        """Return the lines from `first` to `last` as they are written, each ending in `\\n`."""
        return "".join(content + "\n" for content, _ in self._lines[first - 1 : last])

    def last_line(self, node: Node) -> int:
        """Return the number of the last line that holds anything of this node."""
        line = min(max(node.line, node.end_line - (not node.end_column)), len(self.repaired))
        while line > node.line and not self.repaired[line - 1].strip():
            line -= 1
        return line

    def apply(self, changes: Iterable[TextChange]) -> bytes:
        """Return the bytes of the file with these changes, which must not overlap."""
        lines = list(self._lines)
        # From the end to the start, so that positions further up stay right; of two at one place the first comes first.
        for _, change in sorted(enumerate(changes), key=lambda c: (c[1].start, c[1].end, c[0]), reverse=True):
            if change.is_whole_lines:
                self._change_lines(lines, change)
            else:
                self._change_within(lines, change)
        return self._mark + "".join(content + end for content, end in lines).encode()

    def _change_lines(self, lines: list[tuple[str, str]], change: TextChange) -> None:
        first, behind = change.start.line - 1, change.end.line - 1
        new = [(line, self.line_end) for line in change.text.split("\n")[:-1]]
        if new and behind == len(lines):
            # The last line has no line end; the new last line gets none either.
            new[-1] = (new[-1][0], "")
            if first == len(lines):
                lines[-1] = (lines[-1][0], self.line_end)
        lines[first:behind] = new

    def _change_within(self, lines: list[tuple[str, str]], change: TextChange) -> None:
        first, last = change.start.line - 1, change.end.line - 1
        head = self._content(lines, first)[: change.start.column]
        tail = self._content(lines, last)[change.end.column :]
        new = [(line, self.line_end) for line in (head + change.text + tail).split("\n")]
        new[-1] = (new[-1][0], lines[last][1])
        lines[first : last + 1] = new

    def _content(self, lines: list[tuple[str, str]], index: int) -> str:
        """Return the line that positions refer to: repaired, or as another change of this run left it."""
        original, repaired = lines[index][0], self.repaired[index]
        if lines[index] is not self._lines[index] or normalize_line_ends(original) == repaired:
            return original
        return repaired
