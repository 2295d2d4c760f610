"""Defines an entry proposed from pasted text, and recognises lines that are questions. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ENDS_ASKING = re.compile(r"[?？][\s)）”’\"'*_]*$")
_ASKING_WORDS = re.compile(
    r"怎么|怎样|如何|咋|什么|啥|多少|几[天个点号月次年种级]|多久|多长|哪[里儿个些位天一]|哪种|谁|是否|是不是|能不能|能否|可否|"
    r"可不可以|有没有|要不要|需不需要|算不算|为何|(?:吗|呢|么)\s*$|^(?:请问|想问|问一下)"
)
# A statement may hold such a word too: 无论什么情况.
_STATING = re.compile(r"[。；;]|[:：]\s*$|无论|不管|什么的")
MAX_QUESTION_LENGTH = 80


@dataclass(frozen=True, slots=True)
class ProposedEntry:
    """An entry proposed from a text; `doubts` are sentences on what a person should check."""

    question: str
    answer: str
    also: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedText:
    """The result of one parser: proposals, and the lines that it did not use."""

    proposals: tuple[ProposedEntry, ...] = ()
    unread: tuple[str, ...] = ()


def ends_with_question_mark(line: str) -> bool:
    """Return True if a line is one question with its question mark."""
    return len(line) <= MAX_QUESTION_LENGTH and _ENDS_ASKING.search(line) is not None


def looks_like_question(line: str) -> bool:
    """Return True if a line may be a question, with or without a question mark."""
    if _ENDS_ASKING.search(line):
        return True
    return len(line) <= MAX_QUESTION_LENGTH and bool(_ASKING_WORDS.search(line)) and not _STATING.search(line)
