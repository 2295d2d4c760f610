"""Reading: a text taken apart once, so that it can be compared with many others. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from faqbot.differences.codes import Codes, read_codes
from faqbot.differences.dates import read_dates
from faqbot.differences.denial import Denials, read_denials
from faqbot.differences.families import Members, members_in
from faqbot.differences.lexicon import Key, lexicon
from faqbot.differences.names import Names, read_names
from faqbot.differences.numerals import NUMERAL_CHARACTERS
from faqbot.differences.order import Order, read_order
from faqbot.differences.quantities import Quantity, read_quantities
from faqbot.differences.sides import Sides, sides_of
from faqbot.differences.subjects import Subjects, subjects_of
from faqbot.language.normalize import MAX_MATCHED_CHARS, Synonyms, is_han, normalise, simplified, strip_fillers


class Figures(NamedTuple):
    """Dates, quantities and codes of a text, and the text with a blank in place of each."""

    quantities: tuple[Quantity, ...]
    codes: Codes
    rest: str


class Reading:
    """A question or a wording, of which each part is read when it is needed first.

    `plain` is normalised and without padding; `unified` has synonyms unified, too.
    """

    def __init__(self, text: str, plain: str, unified: str) -> None:
        self._text = text
        self.plain = plain
        self.unified = unified

    @cached_property
    def figures(self) -> Figures:
        return read_figures(self._text[:MAX_MATCHED_CHARS], self.plain)

    @cached_property
    def denials(self) -> Denials:
        return read_denials(self.plain)

    @cached_property
    def _found(self) -> Mapping[Key, str]:
        return lexicon().find(self.plain)

    @cached_property
    def sides(self) -> Sides:
        return sides_of(self._found)

    @cached_property
    def subjects(self) -> Subjects:
        return subjects_of(self.plain, self._found)

    @cached_property
    def order(self) -> Order:
        return read_order(self.plain)

    @cached_property
    def names(self) -> Names:
        return read_names(self.plain)

    @cached_property
    def members(self) -> Members:
        return members_in(self.plain)


def read_text(text: str, synonyms: Synonyms) -> Reading:
    plain = strip_fillers(normalise(text))
    return Reading(text, plain, synonyms.apply(plain))


def load_word_lists() -> None:
    """Load what is read from files at first use."""
    read_figures("1年")
    read_denials("没")
    subjects_of("假", lexicon().find(""))
    read_order("")
    read_names("")
    members_in("")


def read_figures(text: str, plain: str = "") -> Figures:
    """Read the numbers of a text, whose punctuation is needed for that; `plain` is its normal form, if it is known."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if any(is_han(c) and c not in NUMERAL_CHARACTERS for c in set(folded).difference(plain)):
        folded = simplified(folded)
    dates, rest = read_dates(folded)
    quantities, rest = read_quantities(rest)
    codes, rest = read_codes(rest)
    return Figures(dates + quantities, codes, rest)
