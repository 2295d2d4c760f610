"""Reading: a text taken apart once, so that it can be compared with many others. Pure."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from faqbot.differences.codes import Codes, read_codes
from faqbot.differences.dates import read_dates
from faqbot.differences.denial import Denials, read_denials
from faqbot.differences.families import Members, members_in
from faqbot.differences.lexicon import lexicon
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


class Reading(NamedTuple):
    """A question or a wording. `plain` is normalised and without padding; `unified` has synonyms unified, too."""

    plain: str
    unified: str
    figures: Figures
    denials: Denials
    sides: Sides
    subjects: Subjects
    order: Order
    names: Names
    members: Members


def read_text(text: str, synonyms: Synonyms) -> Reading:
    plain = strip_fillers(normalise(text))
    unified = synonyms.apply(plain)
    found = lexicon().find(plain)
    return Reading(
        plain,
        unified,
        read_figures(text[:MAX_MATCHED_CHARS], plain),
        read_denials(plain),
        sides_of(found),
        subjects_of(plain, found),
        read_order(plain),
        read_names(plain),
        members_in(plain),
    )


def read_figures(text: str, plain: str = "") -> Figures:
    """Read the numbers of a text, whose punctuation is needed for that; `plain` is its normal form, if it is known."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if any(is_han(c) and c not in NUMERAL_CHARACTERS for c in set(folded).difference(plain)):
        folded = simplified(folded)
    dates, rest = read_dates(folded)
    quantities, rest = read_quantities(rest)
    codes, rest = read_codes(rest)
    return Figures(dates + quantities, codes, rest)
