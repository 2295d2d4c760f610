"""Two texts side by side, with what differs marked word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# A Chinese character is a word of its own; so are a number, a Latin word, and every other mark.
_WORD = re.compile(r"[A-Za-z0-9_]+|\n|[^\S\n]+|.", re.DOTALL)
# So little in common between two differences is chance and only makes them hard to read.
_CHANCE = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `changed` if the other side has something else there."""

    text: str
    changed: bool


def side_by_side(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts, cut into what is the same and what differs."""
    left, right = _WORD.findall(old), _WORD.findall(new)
    # Long texts are compared line by line: word by word would take too long.
    if len(left) * len(right) > 4_000_000:
        left, right = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    a: list[Piece] = []
    b: list[Piece] = []
    for kind, i, j, k, m in _calm(matcher.get_opcodes()):
        _add(a, "".join(left[i:j]), kind != "equal")
        _add(b, "".join(right[k:m]), kind != "equal")
    return a, b


_Step = tuple[str, int, int, int, int]


def _calm(steps: Sequence[_Step]) -> list[_Step]:
    """Join differences that only a chance word keeps apart."""
    return [
        ("replace", i, j, k, m)
        if kind == "equal" and j - i <= _CHANCE and 0 < n < len(steps) - 1
        else (kind, i, j, k, m)
        for n, (kind, i, j, k, m) in enumerate(steps)
    ]


def _add(pieces: list[Piece], text: str, changed: bool) -> None:
    if text and pieces and pieces[-1].changed == changed:
        pieces[-1] = Piece(pieces[-1].text + text, changed)
    elif text:
        pieces.append(Piece(text, changed))
