"""Text diff: puts two texts side by side and marks word by word where they differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# A Chinese character is a word of its own; so are a number, a Latin word, and every other mark.
_WORD = re.compile(r"[A-Za-z0-9_]+|\n|[^\S\n]+|.", re.DOTALL)
# A common stretch of at most this many words between two differences is chance and makes them hard to read.
_MAX_CHANCE_WORDS = 1
# Pairs of words above which texts are compared line by line: word by word would take seconds.
_MAX_WORD_PAIRS = 4_000_000

# A tag and two ranges of words, as in SequenceMatcher.get_opcodes.
_Opcode = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `changed` if the other side has something else there."""

    text: str
    changed: bool


def side_by_side(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Cut both texts into pieces that are the same and pieces that differ."""
    old_words, new_words = _WORD.findall(old), _WORD.findall(new)
    if len(old_words) * len(new_words) > _MAX_WORD_PAIRS:
        old_words, new_words = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = SequenceMatcher(None, old_words, new_words, autojunk=False)
    old_pieces: list[Piece] = []
    new_pieces: list[Piece] = []
    for tag, old_start, old_end, new_start, new_end in _without_chance(matcher.get_opcodes()):
        _add(old_pieces, "".join(old_words[old_start:old_end]), tag != "equal")
        _add(new_pieces, "".join(new_words[new_start:new_end]), tag != "equal")
    return old_pieces, new_pieces


def _without_chance(opcodes: Sequence[_Opcode]) -> list[_Opcode]:
    """Join differences that only a chance word keeps apart."""
    return [
        ("replace", i, j, k, m)
        if tag == "equal" and j - i <= _MAX_CHANCE_WORDS and 0 < n < len(opcodes) - 1
        else (tag, i, j, k, m)
        for n, (tag, i, j, k, m) in enumerate(opcodes)
    ]


def _add(pieces: list[Piece], text: str, changed: bool) -> None:
    if text and pieces and pieces[-1].changed == changed:
        pieces[-1] = Piece(pieces[-1].text + text, changed)
    elif text:
        pieces.append(Piece(text, changed))
