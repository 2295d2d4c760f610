"""The result of one check of `faqbot doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    GOOD = 0
    WARNING = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """The name of what was checked and a sentence about it, which says what to do where it is not good."""

    name: str
    level: Level
    text: str
