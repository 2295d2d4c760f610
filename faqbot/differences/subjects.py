"""Subjects: finds conditions, kinds and places that a question names and the entry does not mention. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from faqbot.differences.lexicon import Condition, Key, Kind, PlaceName, lexicon
from faqbot.language.vocabulary import compile_any, contrasts, places
from faqbot.model.differences import Difference, DifferenceKind


class Subjects(NamedTuple):
    """The things that a text names, each with its words there.

    general: the words by which it is about leave of no kind in particular. anywhere: it speaks of all other places.
    """

    conditions: Mapping[Condition, str]
    kinds: Mapping[Kind, str]
    places: tuple[str, ...]
    general: str
    anywhere: bool

    @property
    def names_any(self) -> bool:
        """True if there is a condition, kind or place that another text may lack."""
        return bool(self.conditions or self.kinds or self.places or self.general)


def subjects_in(text: str) -> Subjects:
    return subjects_of(text, lexicon().find(text))


def subjects_of(text: str, found: Mapping[Key, str]) -> Subjects:
    """Pick the subjects among what was found in a text."""
    leave = _leave().search(text)
    return Subjects(
        conditions={key: words for key, words in found.items() if isinstance(key, Condition)},
        kinds={key: words for key, words in found.items() if isinstance(key, Kind)},
        places=tuple(key.name for key in found if isinstance(key, PlaceName)),
        general=leave[0] if leave and not _leave_in_general().sub("", text) else "",
        anywhere=bool(_anywhere().search(text)),
    )


def merged(all_subjects: Iterable[Subjects]) -> Subjects:
    """Merge what several texts name, the words of the first before those of the others."""
    conditions: dict[Condition, str] = {}
    kinds: dict[Kind, str] = {}
    named: dict[str, None] = {}
    anywhere = False
    for subjects in all_subjects:
        conditions = {**subjects.conditions, **conditions}
        kinds = {**subjects.kinds, **kinds}
        named |= dict.fromkeys(subjects.places)
        anywhere = anywhere or subjects.anywhere
    return Subjects(conditions, kinds, tuple(named), "", anywhere)


def subject_differences(
    question: Subjects, wording: Subjects, title: Subjects, entry: Subjects, cases: Subjects
) -> Iterator[Difference]:
    """Find the conditions, kinds and places of a question of which the entry says nothing.

    wording, title: those of the wording that matched and of the entry's question. entry: those of all its texts.
    cases: those of the names of its cases, among which choosing the case decides.
    """
    for condition, words in question.conditions.items():
        if condition not in entry.conditions:
            yield Difference(DifferenceKind.CONDITION, words)
    if question.general:
        for kind, words in title.kinds.items():
            if kind.thing == "leave":
                yield Difference(DifferenceKind.FAMILY, question.general, words)
    yield from _other_kinds(question.kinds, entry.kinds, cases.kinds)
    if not cases.places:
        yield from _other_places(question, wording, entry)


def _other_places(question: Subjects, wording: Subjects, entry: Subjects) -> Iterator[Difference]:
    """Find the places of which the entry names only others, or none although they are abroad."""
    unknown = [place for place in question.places if place not in entry.places]
    others = [place for place in wording.places if place not in question.places]
    if not unknown or entry.anywhere:
        return
    if len(unknown) == len(question.places) and entry.places:
        others = others or [entry.places[0]]
    if others or any(place in places().countries for place in unknown):
        yield Difference(DifferenceKind.PLACE, "、".join(unknown), "、".join(others))


def _other_kinds(
    question: Mapping[Kind, str], entry: Mapping[Kind, str], cases: Mapping[Kind, str]
) -> Iterator[Difference]:
    for thing in dict.fromkeys(kind.thing for kind in question):
        named = {kind: words for kind, words in question.items() if kind.thing == thing}
        written = [words for kind, words in entry.items() if kind.thing == thing]
        if written and not named.keys() & entry.keys() and not any(kind.thing == thing for kind in cases):
            yield Difference(DifferenceKind.FAMILY, next(iter(named.values())), written[0])


@cache
def _leave() -> re.Pattern[str]:
    return re.compile("[请休放]?假")


@cache
def _leave_in_general() -> re.Pattern[str]:
    return compile_any(contrasts().leave_in_general)


@cache
def _anywhere() -> re.Pattern[str]:
    return compile_any(places().anywhere)
