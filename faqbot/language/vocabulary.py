"""Vocabulary: loads the word lists of this package from data files at first use, validated and frozen.

A word may be a regular expression where its file says so; `any_of` makes one pattern of several words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from faqbot.language.data_files import DataNode, Words, read_data


@dataclass(frozen=True, slots=True)
class BuiltinSynonyms:
    """Synonyms, each group led by the word that stands for all, and English function words.

    A group of one word keeps it whole, since a synonym is only a part of it.
    """

    groups: tuple[Words, ...]
    stop_words: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChatMarks:
    """Marks that a chat puts between the words: names of DingTalk's own emoji, and emoticons written in letters."""

    emoji_codes: frozenset[str]
    emoticons: Words


@dataclass(frozen=True, slots=True)
class FillerWords:
    """Words around and within a question that say nothing about what is asked, and words that a number counts."""

    before: Words
    after: Words
    empty: Words
    counted: Words


@dataclass(frozen=True, slots=True)
class SmallTalkWords:
    """Words of a question without a subject, and words of chat; `about_bot` counts beside a word of `bot` only."""

    unspecific: Words
    chat: Words
    about_bot: Words
    bot: Words
    complaint: Words
    around: Words


@dataclass(frozen=True, slots=True)
class WrapperWords:
    """Words that people tell around a question: words with which it opens, words that lead to it, and whole clauses.

    `calls` are those that ask, `introductions` those that tell who asks.
    """

    openings: Words
    lead_ins: Words
    calls: Words
    introductions: Words
    wrappers: Words


@dataclass(frozen=True, slots=True)
class Places:
    """Names of places, countries among them, words for a place that is not named and for all others, and the few cities
    that tell similar questions apart."""

    names: Words
    countries: frozenset[str]
    elsewhere: Words
    anywhere: Words
    large_cities: Words


@dataclass(frozen=True, slots=True)
class Denial:
    """Words that deny, and words that only look as if they did."""

    either_or: Words
    idioms: Words
    negations: Words
    forbidding: Words
    negative_words: Words


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Words by which a question differs from an entry; `opposites` are the sides of each matter, `kinds` those of each
    thing, by the name of the thing. `prevailing` is the side of a matter that a text with both is on."""

    opposites: Mapping[str, Mapping[str, Words]]
    prevailing: Mapping[str, str]
    conditions: tuple[Words, ...]
    kinds: Mapping[str, tuple[Words, ...]]
    leave_in_general: Words
    denial: Denial
    common_latin_words: Words


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure: its dimension, the unit that it is converted to, and the factor of that."""

    dimension: str
    name: str
    factor: float


@dataclass(frozen=True, slots=True)
class QuantityWords:
    """Words around a number: units by word, dimensions whose numbers name a thing, a level or a date, limits by their
    relation before and behind a number, and the years named by their distance from today."""

    units: Mapping[str, Unit]
    ordinals: Words
    levels: Words
    dates: Words
    limits_before: Mapping[str, str]
    limits_behind: Mapping[str, str]
    years: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OrderWords:
    """Words by which the order of two things is told; `times` and `verbs` lead from a word to the one compared."""

    times: Mapping[str, str]
    not_behind_time: str
    verbs: Mapping[str, str]
    between: Words
    objective: str
    short_events: str
    parties: Words
    no_relation: Words


@dataclass(frozen=True, slots=True)
class Characters:
    """Characters that make no other thing in the place of another: those that say little, particles
    among them, groups that stand for
    each other or look alike; and general words, which name no thing themselves."""

    light: frozenset[str]
    particles: str
    same: Words
    general_words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Names:
    """Family names, words beside the name of a person, words that begin like a name, and names of companies."""

    surnames: str
    person_before: Words
    person_behind: Words
    no_persons: Words
    companies: Words


@dataclass(frozen=True, slots=True)
class FamilyWords:
    """Things of which there are kinds, and words before and characters behind them by which no kind is named."""

    things: Words
    not_behind: str
    no_kinds: Words


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """Words by which two questions are recognised as the same; `wanted` is by what a question wants to know."""

    wanted: Mapping[str, Words]
    activities: Words
    padding: Words
    unified: Mapping[str, Words]
    deciding: Words
    light_characters: frozenset[str]


@dataclass(frozen=True, slots=True)
class Permission:
    """Words that forbid, or words that allow: always, in the first sentence of an answer only, in a clause only."""

    always: Words
    first_sentence: Words
    clause: Words


@dataclass(frozen=True, slots=True)
class StatementWords:
    """Words in which an answer states something; `units` and `same_times` lead from a word to the one compared."""

    units: Mapping[str, str]
    phone_lines: Words
    periods: Words
    named_days: Words
    same_times: Mapping[str, str]
    forbidding: Permission
    allowing: Permission
    waiving: Words
    demanding: Words


def any_of(words: Iterable[str]) -> str:
    """Return a regular expression that matches any of the words, the first that fits."""
    return "|".join(words)


def compile_any(words: Iterable[str]) -> re.Pattern[str]:
    """Compile the pattern of any_of."""
    return re.compile(any_of(words))


@cache
def builtin_synonyms() -> BuiltinSynonyms:
    node = read_data("synonyms.yaml")
    groups = node.map("synonyms", lambda word, node: (word, *node.words()))
    whole_words = ((word,) for word in node["whole_words"].words())
    nodes = read_data("places.yaml")
    ordinary = nodes["ordinary"].words()
    nicknames = nodes.map("nicknames", lambda city, node: (city, *(w for w in node.words() if w not in ordinary)))
    return BuiltinSynonyms((*groups.values(), *nicknames.values(), *whole_words), frozenset(node["stop_words"].words()))


@cache
def chat_marks() -> ChatMarks:
    node = read_data("chat_marks.yaml")
    return ChatMarks(frozenset(node["emoji_codes"].words()), node["emoticons"].words())


@cache
def filler_words() -> FillerWords:
    node = read_data("fillers.yaml")
    return FillerWords(node["before"].words(), node["after"].words(), node["empty"].words(), node["counted"].words())


@cache
def small_talk_words() -> SmallTalkWords:
    node = read_data("small_talk.yaml")
    unspecific, chat = node["unspecific"], node["chat"]
    return SmallTalkWords(
        unspecific=tuple(word for words in unspecific.word_lists() for word in words),
        chat=(*chat["feelings"].words(), *chat["entertainment"].words()),
        about_bot=chat["about_bot"].words(),
        bot=chat["bot"].words(),
        complaint=chat["complaint"].words(),
        around=chat["around"].words(),
    )


@cache
def wrapper_words() -> WrapperWords:
    node = read_data("wrappers.yaml")
    names = ("openings", "lead_ins", "calls", "introductions", "wrappers")
    return WrapperWords(*(node[name].words() for name in names))


@cache
def places() -> Places:
    node = read_data("places.yaml")
    provinces = node.map("provinces", lambda province, cities: (province, *cities.words()))
    elsewhere = node["elsewhere"].words()
    names = (
        *node["municipalities"].words(),
        *(name for province in provinces.values() for name in province),
        *elsewhere,
        *node["countries"].words(),
    )
    return Places(
        names, frozenset(node["countries"].words()), elsewhere, node["anywhere"].words(), node["large_cities"].words()
    )


@cache
def contrasts() -> Contrasts:
    node = read_data("contrasts.yaml")
    denial = node["denial"]
    return Contrasts(
        opposites=node.map(
            "opposites", lambda matter, _: node["opposites"].map(matter, lambda _, words: words.words())
        ),
        prevailing=node.map("prevailing", lambda _, side: side.text()),
        conditions=node["conditions"].word_lists(),
        kinds=node.map("kinds", lambda _, kinds: kinds.word_lists()),
        leave_in_general=node["leave_in_general"].words(),
        denial=Denial(
            denial["either_or"].words(),
            denial["idioms"].words(),
            denial["negations"].words(),
            denial["forbidding"].words(),
            denial["negative_words"].words(),
        ),
        common_latin_words=node["common_latin_words"].words(),
    )


@cache
def quantity_words() -> QuantityWords:
    node = read_data("quantities.yaml")
    by_dimension = node.map(
        "units", lambda dimension, _: node["units"].map(dimension, lambda _, factors: factors.numbers())
    )
    limits = node["limits"]
    return QuantityWords(
        units={
            word: Unit(dimension, name, factor)
            for dimension, by_name in by_dimension.items()
            for name, factors in by_name.items()
            for word, factor in factors.items()
        },
        ordinals=node["ordinals"].words(),
        levels=node["levels"].words(),
        dates=node["dates"].words(),
        limits_before=_canonical(limits.map("before", lambda _, words: words.words())),
        limits_behind=_canonical(limits.map("behind", lambda _, words: words.words())),
        years=_canonical(node.map("years", lambda _, words: words.words())),
    )


@cache
def order_words() -> OrderWords:
    node = read_data("order.yaml")
    return OrderWords(
        times=_canonical(node.map("times", lambda _, words: words.words())),
        not_behind_time=node["not_behind_time"].text(),
        verbs=_canonical(node.map("verbs", lambda _, words: words.words())),
        between=node["between"].words(),
        objective=node["objective"].text(),
        short_events=node["short_events"].text(),
        parties=node["parties"].words(),
        no_relation=node["no_relation"].words(),
    )


@cache
def characters() -> Characters:
    node = read_data("characters.yaml")
    return Characters(
        light=frozenset(node["light"].text()),
        particles=node["particles"].text(),
        same=(*node["same"].words(), *node["look_alike"].words()),
        general_words=frozenset(node["general_words"].words()),
    )


@cache
def names() -> Names:
    node = read_data("names.yaml")
    return Names(
        surnames=node["surnames"].text(),
        person_before=node["person_before"].words(),
        person_behind=node["person_behind"].words(),
        no_persons=node["no_persons"].words(),
        companies=node["companies"].words(),
    )


@cache
def family_words() -> FamilyWords:
    node = read_data("families.yaml")
    return FamilyWords(node["things"].words(), node["not_behind"].text(), node["no_kinds"].words())


@cache
def question_words() -> QuestionWords:
    node = read_data("questions.yaml")
    return QuestionWords(
        wanted=node.map("wanted", lambda _, words: words.words()),
        activities=node["activities"].words(),
        padding=node["padding"].words(),
        unified=node.map("unified", lambda _, words: words.words()),
        deciding=(*(word for words in node["deciding"].word_lists() for word in words), *places().large_cities),
        light_characters=frozenset(node["light_characters"].text()),
    )


@cache
def statement_words() -> StatementWords:
    node = read_data("statements.yaml")
    return StatementWords(
        units=_canonical(node.map("units", lambda _, words: words.words())),
        phone_lines=node["phone_lines"].words(),
        periods=node["periods"].words(),
        named_days=node["named_days"].words(),
        same_times=_canonical(node.map("same_times", lambda _, words: words.words())),
        forbidding=_permission(node["forbidding"]),
        allowing=_permission(node["allowing"]),
        waiving=node["waiving"].words(),
        demanding=node["demanding"].words(),
    )


@cache
def everyday_questions() -> Words:
    """Questions of everyday life that no company's knowledge answers."""
    return read_data("everyday.yaml")["questions"].words()


def _permission(node: DataNode) -> Permission:
    return Permission(node["always"].words(), node["first_sentence"].words(), node["clause"].words())


def _canonical(groups: Mapping[str, Words]) -> dict[str, str]:
    """Map each word to the word by which its group is compared."""
    return {word: canonical for canonical, words in groups.items() for word in words}
