"""Differences: what a question says otherwise than the wording of an entry that it matched."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DifferenceKind(StrEnum):
    """The subjects of differences; the values stand in the JSON of `ask` and `evaluate`."""

    NUMBER = "number"
    UNIT = "unit"
    DATE = "date"
    ORDINAL = "ordinal"
    LEVEL = "level"
    CODE = "code"
    LIMIT = "limit"
    BEFORE_AFTER = "before_after"
    NEGATION = "negation"
    PERMISSION = "permission"
    DIRECTION = "direction"
    OPPOSITE = "opposite"
    SERIES = "series"
    NAME = "name"
    PLACE = "place"
    FAMILY = "family"
    CONDITION = "condition"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Difference:
    """A decisive difference: what was `asked` and what is `written`, each in the words of its text.

    `written` is empty where the entry says nothing of it.
    """

    kind: DifferenceKind
    asked: str
    written: str = ""
