"""Contradiction guard: detects that a question asks for something else than the wording it matched.

不/没, 离职/在职, 试用期/转正, 病假/事假, 上海/北京: such pairs are similar in writing and opposite in meaning. Pure.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from faqbot.language.gazetteer import is_place, places_in
from faqbot.language.normalize import normalise, strip_fillers
from faqbot.language.vocabulary import any_of, compile_any, contrasts, places
from faqbot.model.entries import Entry

_Side = re.Pattern[str]


def opposed(text: str, matched: str, entry: Entry) -> bool:
    """Return True if an entry must not answer a question outright, although `matched`, its best wording, is similar.

    It must not if one of the two denies the other, if they are on different sides of a matter, or if the question asks
    for a condition, a kind or a place that the entry does not mention.
    """
    question, wording = _plain(text), _plain(matched)
    if question == wording:
        return False
    if _denies_otherwise(question, wording) or _on_other_side(question, wording, entry):
        return True
    if _asks_in_general(question, entry) or _asks_for_other_kind(question, entry):
        return True
    return _asks_under_other_condition(question, entry) or _asks_for_other_place(question, entry)


def apart(text: str, other: str) -> bool:
    """Return True if two folded texts stand on different sides of a matter, so that one says nothing on the other."""
    for sides in _opposites():
        own = [side for side in sides if side.search(text)]
        if len(own) == 1 and not own[0].search(other) and any(side.search(other) for side in sides):
            return True
    return False


@lru_cache(maxsize=8192)
def _plain(text: str) -> str:
    return strip_fillers(normalise(text))


# — Denial —


def _denies_otherwise(question: str, wording: str) -> bool:
    """Return True if one of the two denies a plain statement of the other."""
    return _denies_what_is_said(question, wording) or _denies_what_is_said(wording, question)


def _denies_what_is_said(denying: str, saying: str) -> bool:
    denied = {match["what"] for match in _negation().finditer(_without_idioms(denying)) if match["what"].strip()}
    if not denied:
        return False
    plain = _without_idioms(saying)
    return not _negative_word().search(plain) and any(what in plain for what in denied)


def _without_idioms(text: str) -> str:
    """Drop words that only look like a denial."""
    return _either_or().sub(" ", _idiom().sub(" ", text))


@cache
def _negation() -> re.Pattern[str]:
    return re.compile(f"(?:{any_of(contrasts().denial.negations)})(?P<what>.?)")


@cache
def _negative_word() -> re.Pattern[str]:
    return compile_any(contrasts().denial.negative_words)


@cache
def _either_or() -> re.Pattern[str]:
    return compile_any(contrasts().denial.either_or)


@cache
def _idiom() -> re.Pattern[str]:
    return compile_any(contrasts().denial.idioms)


# — Sides of a matter —


def _on_other_side(question: str, wording: str, entry: Entry) -> bool:
    """Return True if the question stands on one side of a matter, and the wording, or else all wordings of the entry,
    on another."""
    for own, others in _sides_of(question):
        if own.search(wording) or own.search(_plain(entry.question)):
            continue
        if any(side.search(wording) for side in others):
            return True
        wordings = [_plain(text) for text in entry.wordings]
        if any(side.search(w) for side in others for w in wordings) and not any(own.search(w) for w in wordings):
            return True
    return False


# Cached like the plain form of a text, because many people ask the same.
@lru_cache(maxsize=8192)
def _sides_of(question: str) -> tuple[tuple[_Side, tuple[_Side, ...]], ...]:
    """List each side of a matter that the question alone stands on, with the sides against it."""
    own_and_others = []
    for sides in _opposites():
        own = [side for side in sides if side.search(question)]
        if len(own) == 1:
            own_and_others.append((own[0], tuple(side for side in sides if side is not own[0])))
    return tuple(own_and_others)


@cache
def _opposites() -> tuple[tuple[_Side, ...], ...]:
    return tuple(tuple(map(compile_any, sides)) for sides in contrasts().opposites)


# — Conditions, kinds, places —


def _asks_under_other_condition(question: str, entry: Entry) -> bool:
    """Return True if the question is about a condition that the entry does not mention."""
    conditions = _conditions_of(question)
    return any(not any(condition.search(text) for text in _texts_of(entry)) for condition in conditions)


@lru_cache(maxsize=8192)
def _conditions_of(question: str) -> tuple[re.Pattern[str], ...]:
    return tuple(condition for condition in _conditions() if condition.search(question))


@cache
def _conditions() -> tuple[re.Pattern[str], ...]:
    return tuple(map(compile_any, contrasts().conditions))


def _asks_in_general(question: str, entry: Entry) -> bool:
    """Return True if the question is about leave of no kind in particular, and the entry about one kind."""
    if "假" not in question or _leave_in_general().sub("", question):
        return False
    return any(kind.search(_plain(entry.question)) for kind in _kinds()["leave"])


@cache
def _leave_in_general() -> re.Pattern[str]:
    return compile_any(contrasts().leave_in_general)


def _asks_for_other_kind(question: str, entry: Entry) -> bool:
    """Return True if the question names a kind that the entry, which names others, does not mention."""
    for named, kinds in _kinds_of(question):
        if any(kind.search(case) for kind in kinds for case in entry.variants):
            # If an entry answers by the kind, choosing the case decides.
            continue
        texts = _texts_of(entry)
        unspoken = not any(kind.search(text) for kind in named for text in texts)
        if unspoken and any(kind.search(text) for kind in kinds for text in texts):
            return True
    return False


@lru_cache(maxsize=8192)
def _kinds_of(question: str) -> tuple[tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]], ...]:
    """List, for each subject of which the question names kinds, these kinds and all kinds of the subject."""
    by_thing = ((tuple(kind for kind in kinds if kind.search(question)), kinds) for kinds in _kinds().values())
    return tuple((named, kinds) for named, kinds in by_thing if named)


@cache
def _kinds() -> dict[str, tuple[re.Pattern[str], ...]]:
    return {subject: tuple(map(compile_any, kinds)) for subject, kinds in contrasts().kinds.items()}


def _asks_for_other_place(question: str, entry: Entry) -> bool:
    """Return True if the question names a place that the entry, which names others, does not mention."""
    named = set(places_in(question)) - set(places().elsewhere)
    if not named or any(map(is_place, entry.variants)):
        # If an entry answers by the place, choosing the case decides.
        return False
    in_entry = {place for text in _texts_of(entry) for place in places_in(text)} - set(places().elsewhere)
    return bool(in_entry) and not named & in_entry


def _texts_of(entry: Entry) -> tuple[str, ...]:
    return (*map(_plain, entry.wordings), entry.answer, *entry.variants, *entry.variants.values())
