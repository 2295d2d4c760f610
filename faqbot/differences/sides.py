"""Sides: finds that two texts stand on different sides of one matter: 离职/在职, 早班/晚班, 税前/税后. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from faqbot.differences.lexicon import Key, Side, lexicon
from faqbot.language.vocabulary import contrasts
from faqbot.model.differences import Difference, DifferenceKind

# The sides that a text stands on, each with the word that says so.
Sides = Mapping[Side, str]


def sides_in(plain: str) -> Sides:
    return sides_of(lexicon().find(plain))


def sides_of(found: Mapping[Key, str]) -> Sides:
    """Pick the sides among what was found in a text."""
    sides = {key: word for key, word in found.items() if isinstance(key, Side)}
    for own in [own for own in sides if contrasts().prevailing.get(own.matter) == own.side]:
        sides = {side: word for side, word in sides.items() if side.matter != own.matter or side == own}
    return sides


def side_differences(
    question: Sides, wording: Sides, title: Sides, wordings: Sequence[Sides], answer: Sides
) -> Iterator[Difference]:
    """Find the matters of which the question stands on one side, and the wording, or else all wordings, on another.

    title: the sides of the entry's question, which may stand for both. answer: those of its answers, which count where
    the wording says nothing of the matter.
    """
    for own in _decided(question):
        if own in wording or own in title:
            continue
        others = wording
        if not _other_side(own, wording):
            others = {} if own in answer else _other_wording(own, wordings)
        if other := _other_side(own, others):
            yield Difference(_kind(own), question[own], others[other])


def apart(text: Sides, other: Sides) -> bool:
    """Return True if two texts stand on different sides of a matter, so that one says nothing on the other."""
    return any(own not in other and _other_side(own, other) for own in _decided(text))


def _decided(sides: Sides) -> list[Side]:
    """List the sides of the matters of which a text stands on one side only."""
    return [own for own in sides if not _other_side(own, sides)]


def _other_side(own: Side, sides: Sides) -> Side | None:
    return next((side for side in sides if side.matter == own.matter and side != own), None)


def _other_wording(own: Side, wordings: Sequence[Sides]) -> Sides:
    """Return the sides of a wording that stands on another side than `own`, unless some wording stands on it."""
    if any(own in sides for sides in wordings):
        return {}
    return next((sides for sides in wordings if _other_side(own, sides)), {})


def _kind(side: Side) -> DifferenceKind:
    return DifferenceKind.OPPOSITE if len(contrasts().opposites[side.matter]) == 2 else DifferenceKind.SERIES
