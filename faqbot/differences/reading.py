"""Reading: a text taken apart once, so that it can be compared with many others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from faqbot.differences.denial import Denials, read_denials
from faqbot.differences.sides import Side, sides_in
from faqbot.differences.subjects import Subjects, subjects_in
from faqbot.language.normalize import Synonyms, normalise, strip_fillers


@dataclass(frozen=True, slots=True)
class Reading:
    """A question or a wording. `plain` is normalised and without padding; `unified` has synonyms unified, too."""

    plain: str
    unified: str
    denials: Denials
    sides: Mapping[Side, str]
    subjects: Subjects


def read_text(text: str, synonyms: Synonyms) -> Reading:
    plain = strip_fillers(normalise(text))
    return Reading(plain, synonyms.apply(plain), read_denials(plain), sides_in(plain), subjects_in(plain))
