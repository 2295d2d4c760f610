"""Names: finds persons and companies in a question of which the wording or the entry has others or none. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from faqbot.language import pinyin
from faqbot.language.normalize import HAN
from faqbot.language.vocabulary import any_of, names
from faqbot.model.differences import Difference, DifferenceKind

# Characters of a given name: none that goes on with the sentence.
_GIVEN = rf"(?:(?![是的在有和不要能可以为去什怎几谁哪多吗呢了着过给把被])[{HAN}])"


class Names(NamedTuple):
    """The persons and companies that a text names. Nothing says for sure where the name of a person ends."""

    persons: tuple[str, ...]
    companies: tuple[str, ...]


def read_names(plain: str) -> Names:
    persons = {match[1] or match[2]: None for match in _person().finditer(plain)}
    return Names(tuple(persons), tuple(dict.fromkeys(_company().findall(plain))))


def name_differences(question: Names, wording: Names, entry_text: str) -> Iterator[Difference]:
    """Find the persons and companies of a question that no text of the entry, all in `entry_text`, has."""
    for person in question.persons:
        other = next((other for other in wording.persons if _sound(other) != _sound(person)), "")
        if other and person not in wording.persons and not re.search(f"{person}(?![{HAN}])", entry_text):
            yield Difference(DifferenceKind.NAME, person, other)
    for company in question.companies:
        if company not in entry_text:
            yield Difference(DifferenceKind.NAME, company, next(iter(wording.companies), ""))


def _sound(name: str) -> str:
    return "".join(map(pinyin.of_character, name))


@cache
def _person() -> re.Pattern[str]:
    words = names()
    name = f"(?!{any_of(words.no_persons)})[{words.surnames}]"
    behind = any_of(words.person_behind)
    return re.compile(
        f"(?:{any_of(words.person_before)})({name}{_GIVEN}{{1,2}}?)(?=$|{behind}|[^{HAN}]|[领拿要办问])"
        f"|(?:^|(?<=[^{HAN}])|(?<=[和跟]))({name}{_GIVEN}{{1,2}}?)(?={behind})"
    )


@cache
def _company() -> re.Pattern[str]:
    return re.compile(any_of(sorted(names().companies, key=len, reverse=True)))
