"""What a pasted text proposes as an entry, and what makes a line of it look like a question. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ENDS_ASKING = re.compile(r"[?？][\s)）”’\"'*_]*$")
_ASKING_WORDS = re.compile(
    r"怎么|怎样|如何|咋|什么|啥|多少|几[天个点号月次年种级]|多久|多长|哪[里儿个些位天一]|哪种|谁|是否|是不是|能不能|能否|可否|"
    r"可不可以|有没有|要不要|需不需要|算不算|为何|(?:吗|呢|么)\s*$|^(?:请问|想问|问一下)"
)
# A sentence that states something may hold such a word too: 无论什么情况.
_STATING = re.compile(r"[。；;]|[:：]\s*$|无论|不管|什么的")
LONGEST_QUESTION = 80


@dataclass(frozen=True, slots=True)
class ProposedEntry:
    """An entry as a text proposes it; `doubts` say in sentences what a person should look at."""

    question: str
    answer: str
    also: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one way to read a text made of it: proposals, and the lines for which it found no place."""

    proposals: tuple[ProposedEntry, ...] = ()
    unread: tuple[str, ...] = ()


def surely_asks(line: str) -> bool:
    """Whether a line is one question with its question mark."""
    return len(line) <= LONGEST_QUESTION and _ENDS_ASKING.search(line) is not None


def asks(line: str) -> bool:
    """Whether a line may be a question, be it without its question mark."""
    if _ENDS_ASKING.search(line):
        return True
    return len(line) <= LONGEST_QUESTION and bool(_ASKING_WORDS.search(line)) and not _STATING.search(line)
