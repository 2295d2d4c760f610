"""Difference finder: names what a question says otherwise than the wording of an entry that it matched. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, cached_property

from faqbot.differences.denial import denial_differences
from faqbot.differences.reading import Reading, read_text
from faqbot.differences.sides import Sides, side_differences, sides_in
from faqbot.differences.sides import apart as sides_apart
from faqbot.differences.subjects import Subjects, merged, subject_differences, subjects_in
from faqbot.language.normalize import Synonyms
from faqbot.model.differences import Difference
from faqbot.model.entries import Entry


class _EntryReading:
    """What an entry says in all its texts, each part read when it is needed first."""

    def __init__(self, entry: Entry, synonyms: Synonyms) -> None:
        self.entry = entry
        self._synonyms = synonyms

    @cached_property
    def wordings(self) -> dict[str, Reading]:
        return {wording: read_text(wording, self._synonyms) for wording in self.entry.wordings}

    @cached_property
    def title(self) -> Reading:
        return self.wordings[self.entry.question]

    @cached_property
    def sides(self) -> Sequence[Sides]:
        return [reading.sides for reading in self.wordings.values()]

    @cached_property
    def cases(self) -> Subjects:
        return merged(map(subjects_in, self.entry.variants))

    @cached_property
    def subjects(self) -> Subjects:
        """Of the wordings, the answer and its cases."""
        entry = self.entry
        answers = map(subjects_in, (entry.answer, *entry.variants, *entry.variants.values()))
        return merged((*(reading.subjects for reading in self.wordings.values()), *answers))


class DifferenceFinder:
    """Compares questions with `entries`, whose texts it reads once, when they are compared first.

    Safe to use from any thread.
    """

    def __init__(self, entries: Sequence[Entry], synonyms: Synonyms) -> None:
        self._synonyms = synonyms
        self._readings: dict[str, _EntryReading] = {}

    def read(self, text: str) -> Reading:
        """Take a question apart once, for all comparisons with it."""
        return read_text(text, self._synonyms)

    def differences(self, question: Reading, wording: str, entry: Entry) -> tuple[Difference, ...]:
        """List what a question says otherwise than `wording`, the wording of the entry that matched it best.

        What another wording of the entry says as the question does is no difference.
        """
        known = self._reading_of(entry)
        matched = known.wordings.get(wording) or self.read(wording)
        if question.plain == matched.plain:
            return ()
        return tuple(dict.fromkeys(_all_differences(question, matched, known)))

    def _reading_of(self, entry: Entry) -> _EntryReading:
        known = self._readings.get(entry.id)
        if known is None or known.entry is not entry:
            known = self._readings[entry.id] = _EntryReading(entry, self._synonyms)
        return known


def _all_differences(question: Reading, wording: Reading, entry: _EntryReading) -> Iterator[Difference]:
    yield from denial_differences(question.denials, wording.denials)
    yield from side_differences(question.sides, wording.sides, entry.title.sides, entry.sides)
    yield from subject_differences(question.subjects, entry.title.subjects, entry.subjects, entry.cases)


def opposed(text: str, wording: str, entry: Entry) -> bool:
    """Return True if a question says something otherwise than a wording of an entry, whatever else is known."""
    finder = _finder()
    return bool(finder.differences(finder.read(text), wording, entry))


def apart(text: str, other: str) -> bool:
    """Return True if two folded texts stand on different sides of a matter, so that one says nothing on the other."""
    return sides_apart(sides_in(text), sides_in(other))


@cache
def _finder() -> DifferenceFinder:
    return DifferenceFinder((), Synonyms())
