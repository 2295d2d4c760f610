"""Entries of the knowledge, the candidates of a search, and problems in the files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from faqbot.model.differences import Difference

# The topic of the entries that have none.
NO_TOPIC = "其他"
# The ids of entries made of the answers of people begin with this.
TICKET_ENTRY_PREFIX = "ticket-"
# The key in `Entry.variants` of the answer for all other cases.
ELSE = "else"
# Thresholds of nearest_private: a private entry counts as near from this share of the best candidate's score on, if it
# also has this score and this share of the question's words. Below these two, every text is near to something.
_NEAR_SHARE, _NEAR_SCORE, _NEAR_COVERED = 0.5, 0.03, 0.1


# The line number behind a file name, as the texts of problems refer to another entry.
_LINE_NUMBER = re.compile(r"(?<=ml):\d+\b")


@dataclass(frozen=True, slots=True)
class Place:
    """A line in a file a person wrote; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a file.

    quote: the line as it stands; fix: the corrected line, if it is known.
    """

    place: Place
    message: str
    is_error: bool = True
    quote: str = ""
    fix: str = ""

    @property
    def level(self) -> Literal["error", "warning"]:
        return "error" if self.is_error else "warning"

    @property
    def key(self) -> tuple[str, str]:
        """Identity that does not change when an edit above moves the lines."""
        return self.place.file, _LINE_NUMBER.sub("", self.message)


@dataclass(frozen=True, slots=True)
class Period:
    """A range of days with both ends included; an open end is None."""

    start: date | None = None
    end: date | None = None

    def covers(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def overlaps(self, other: Period) -> bool:
        return not (
            (self.end is not None and other.start is not None and self.end < other.start)
            or (other.end is not None and self.start is not None and other.end < self.start)
        )


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The question that an entry asks back (`ask`); the reply chooses the answer among `Entry.variants`."""

    name: str
    question: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One question that HR wrote an answer for.

    also, not_: further wordings, and wordings that mean something else.
    review: the day by which the answer has to be checked.
    groups, departments: who may see the entry; empty for everybody.
    variants: the answers by case, instead of `answer`, if `ask` is set; the key ELSE is the fallback.
    held: why the entry must not be answered although its file is live; empty if it may.
    id_given: the id stands in the file and was not derived from the question.
    """

    id: str
    question: str
    answer: str
    also: tuple[str, ...] = ()
    not_: tuple[str, ...] = ()
    topic: str = ""
    owner: str = ""
    source: str = ""
    related: tuple[str, ...] = ()
    valid: Period = Period()
    review: date | None = None
    groups: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    private: bool = False
    draft: bool = False
    ask: FollowUp | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    held: str = ""
    id_given: bool = True
    place: Place = Place("", 0)

    @property
    def wordings(self) -> tuple[str, ...]:
        return (self.question, *self.also)

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases that the answer depends on, in the order in which they are listed; the fallback comes last."""
        return (*(case for case in self.variants if case != ELSE), *(case for case in self.variants if case == ELSE))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may be the answer.

    score: the probability that it is.
    question: the wording that matched best.
    covered: the share of the question that occurs in the entry's wordings at all.
    listed: the probability that the first five of the ranking hold the right entry; the same for all of them.
    differs: what the question says otherwise than the entry; an entry that differs is never answered with.
    """

    entry: Entry
    score: float
    question: str
    covered: float = 1.0
    differs: tuple[Difference, ...] = ()
    listed: float = 0.0


def nearest_private(ranking: Sequence[Candidate]) -> Entry | None:
    """Find the private entry that a question is probably about, however doubtful the answer is.

    `ranking` begins with the best candidate.
    """
    if not ranking:
        return None
    least = max(ranking[0].score * _NEAR_SHARE, _NEAR_SCORE)
    near = (c.entry for c in ranking if c.entry.private and c.score >= least and c.covered >= _NEAR_COVERED)
    return next(near, None)
