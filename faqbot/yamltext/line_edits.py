"""The lines of one file, to be changed in single places while every other byte stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from faqbot.yamltext.encoding import as_lines
from faqbot.yamltext.nodes import Node

_LINE_END = re.compile("(\r\n|\r|\n)")
_MARK = "\ufeff".encode()


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in the text as it is read: lines count from 1, columns from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Change:
    """What stands from `start` up to `end` becomes `text`; its line ends are written `\\n`."""

    start: Spot
    end: Spot
    text: str

    @property
    def is_whole_lines(self) -> bool:
        return self.start.column == self.end.column == 0 and (not self.text or self.text.endswith("\n"))


def lines_changed(first: int, behind: int, text: str) -> Change:
    """Put `text`, whole lines, in the place of the lines from `first` up to, not including, `behind`."""
    return Change(Spot(first, 0), Spot(behind, 0), text)


class TextEdits:
    """The lines of `raw` (UTF-8) as they are written and as they are `meant`, slips corrected.

    Places count in the meant lines. A line that is changed is written as meant; all others stay as they are.
    """

    def __init__(self, raw: bytes, meant: str) -> None:
        self._mark = _MARK if raw.startswith(_MARK) else b""
        parts = _LINE_END.split(raw[len(self._mark) :].decode("utf-8"))
        # Behind the last line end stands one more, empty line, as editors show it.
        self._lines = list(zip(parts[::2], [*parts[1::2], ""], strict=True))
        self.meant = meant.split("\n")

    @cached_property
    def line_end(self) -> str:
        """The line end most lines have."""
        ends = [end for _, end in self._lines if end]
        return max(("\n", "\r\n", "\r"), key=ends.count)

    def text(self, first: int, last: int) -> str:
        """The lines from `first` to `last` as they are written, each ending in `\\n`."""
        return "".join(content + "\n" for content, _ in self._lines[first - 1 : last])

    def last_line(self, node: Node) -> int:
        """The last line of a node that holds anything of it."""
        line = min(max(node.line, node.end_line - (not node.end_column)), len(self.meant))
        while line > node.line and not self.meant[line - 1].strip():
            line -= 1
        return line

    def changed(self, changes: Iterable[Change]) -> bytes:
        """The bytes of the file with the changes made, which must not overlap."""
        lines = list(self._lines)
        # From the end to the start, so that places further up stay right; what stands first in a tie comes first.
        for _, change in sorted(enumerate(changes), key=lambda c: (c[1].start, c[1].end, c[0]), reverse=True):
            if change.is_whole_lines:
                self._change_lines(lines, change)
            else:
                self._change_within(lines, change)
        return self._mark + "".join(content + end for content, end in lines).encode()

    def _change_lines(self, lines: list[tuple[str, str]], change: Change) -> None:
        first, behind = change.start.line - 1, change.end.line - 1
        new = [(line, self.line_end) for line in change.text.split("\n")[:-1]]
        if new and behind == len(lines):
            # The last line has no line end; the new last line has none either.
            new[-1] = (new[-1][0], "")
            if first == len(lines):
                lines[-1] = (lines[-1][0], self.line_end)
        lines[first:behind] = new

    def _change_within(self, lines: list[tuple[str, str]], change: Change) -> None:
        first, last = change.start.line - 1, change.end.line - 1
        head = self._content(lines, first)[: change.start.column]
        tail = self._content(lines, last)[change.end.column :]
        new = [(line, self.line_end) for line in (head + change.text + tail).split("\n")]
        new[-1] = (new[-1][0], lines[last][1])
        lines[first : last + 1] = new

    def _content(self, lines: list[tuple[str, str]], index: int) -> str:
        """A line in which places count: as written where that is as meant, or as another change left it."""
        written, meant = lines[index][0], self.meant[index]
        if lines[index] is not self._lines[index] or as_lines(written) == meant:
            return written
        return meant
