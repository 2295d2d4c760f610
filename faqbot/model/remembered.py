"""The reply to a statement of askers about themselves that answers nothing yet."""

from __future__ import annotations

from dataclasses import dataclass

from faqbot.model.conversation import Fact
from faqbot.model.response import ResponseDefaults


@dataclass(frozen=True, slots=True)
class Remembered(ResponseDefaults):
    """Askers said where they are or what they are: it counts for the next question that depends on it.

    words: the words for it, as they are shown; are_places: they name places.
    facts: what is remembered, or forgotten where the value is empty.
    """

    words: tuple[str, ...]
    are_places: bool
    facts: tuple[Fact, ...] = ()

    @property
    def outcome(self) -> str:
        return "remembered"

    @property
    def is_forgotten(self) -> bool:
        return all(not fact.value for fact in self.facts)
