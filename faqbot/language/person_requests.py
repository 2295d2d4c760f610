"""Person requests: recognises the words that ask for a person, take that back, or name a team to ask. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from faqbot.language.data_files import Words, read_data
from faqbot.language.normalize import normalise
from faqbot.language.vocabulary import any_of

# Between the request and its question; without one of these 人工 is part of a word, as in 人工费.
_BETWEEN = r"[\s:：,，。.;；!！]"

_IN_BRACKETS = re.compile(r"[（(][^（(]*[)）]\s*$")


def requested_question(text: str) -> str | None:
    """Return the question behind the words that ask for a person, empty where there is none; None for another text."""
    plain = text.strip()
    if not (match := _request().fullmatch(plain)):
        return None
    return (match[1] or "").strip()


def takes_back(text: str) -> bool:
    """Return True for a text that takes back the request for a person: 取消, 算了, 不用了."""
    words = normalise(text)
    return bool(words) and _cancel().fullmatch(words) is not None


def team_named(text: str, teams: Iterable[Iterable[str]]) -> int | None:
    """Return the position of the one team that a text names, where each team is given by all its names; else None.

    Behind the name its topics may stand in brackets, as they do in the list.
    """
    said = _around_team().fullmatch(normalise(_IN_BRACKETS.sub("", text)))
    if said is None:
        return None
    name = _short(said[1])
    named = [n for n, names in enumerate(teams) if name in {_short(normalise(other)) for other in names}]
    return named[0] if name and len(named) == 1 else None


def _short(name: str) -> str:
    return _endings().sub("", name) or name


def _words(key: str) -> Words:
    return read_data("person_requests.yaml")[key].words()


@cache
def _request() -> re.Pattern[str]:
    before, after = rf"(?:(?:{any_of(_words('before'))})[\s，,]*)", f"(?:{any_of(_words('after'))})"
    verbs, persons = any_of(_words("verbs")), any_of(_words("persons"))
    behind_verb = any_of((*_words("persons"), *_words("behind_verb")))
    request = rf"(?:(?:{verbs})(?:{behind_verb})|(?:{persons}))"
    return re.compile(rf"{before}{{0,4}}{request}{after}{{0,3}}(?:{_BETWEEN}+(\S.*)|[。!！.~～?？\s]*)", re.DOTALL)


@cache
def _cancel() -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{any_of(_words('cancel'))})(?:{any_of(_words('cancel_behind'))}|\s)*)+")


@cache
def _around_team() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(_words('team_before'))})?\s*(.+?)\s*(?:{any_of(_words('team_behind'))})?")


@cache
def _endings() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(_words('team_endings'))})$")
