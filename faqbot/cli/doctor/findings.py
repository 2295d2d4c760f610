"""What `faqbot doctor` found about one thing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    GOOD = 0
    WARNING = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, in a sentence; where it is not good, with what to do."""

    name: str
    level: Level
    text: str
