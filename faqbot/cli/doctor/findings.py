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
    """The name of a check and a sentence with its result, and with advice if that is not good."""

    name: str
    level: Level
    text: str
