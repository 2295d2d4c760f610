"""Order: finds that two texts mean another time beside an event, or the same two parties the other way round.

入职前/入职后, 北京转上海/上海转北京, 员工欠公司/公司欠员工. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from faqbot.language.normalize import HAN
from faqbot.language.vocabulary import any_of, order_words
from faqbot.model.differences import Difference, DifferenceKind

# Characters that a party has at least and that are compared at most.
_MIN_PARTY, _MAX_PARTY = 2, 6
# Characters that may stand between the party before a verb and the verb: 仓库发料给车间.
_MAX_GAP = 2
_Parties = tuple[str, str]


class Order(NamedTuple):
    """`times`: by event, when beside it and the words. `parties`: by verb, what stands before and behind it."""

    times: Mapping[str, tuple[str, str]]
    parties: Sequence[tuple[str, str, str]]


def read_order(text: str) -> Order:
    """Read the order of a text whose synonyms are unified."""
    times = {match["event"]: (_when(match), match[0]) for match in _time().finditer(text)}
    return Order(times, tuple(_parties(text)))


def order_differences(question: Order, wording: Order) -> Iterator[Difference]:
    for event, (when, words) in question.times.items():
        written = wording.times.get(event)
        if written and written[0] != when:
            yield Difference(DifferenceKind.BEFORE_AFTER, words, written[1])
    for own in question.parties:
        for other in wording.parties:
            if own[0] == other[0] and (exchanged := _exchanged_parties(own, other)):
                yield Difference(DifferenceKind.DIRECTION, *exchanged)


def _exchanged_parties(own: tuple[str, str, str], other: tuple[str, str, str]) -> _Parties | None:
    """Return who does what to whom by each text, if one has it the other way round."""
    verb, before, behind = own
    if swapped := _swapped(before, behind, *other[1:]):
        first, second = swapped
        return f"{first}{verb}{second}", f"{second}{verb}{first}"
    if party := _moved(before, behind, *other[1:]):
        words = (f"{party}{verb}", f"{verb}{party}")
        return words if before.endswith(party) else (words[1], words[0])
    return None


def _swapped(before: str, behind: str, other_before: str, other_behind: str) -> _Parties | None:
    """Return the two parties of a verb if they stand the other way round in another text."""
    first = _end_and_start(before, other_behind)
    second = _end_and_start(other_before, behind)
    if first and second and first != second:
        return first, second
    return None


def _moved(before: str, behind: str, other_before: str, other_behind: str) -> str:
    """Return the party that one text has before the verb, and the other behind it."""
    for party in order_words().parties:
        ends, starts = _acts(before, party), behind.startswith(party)
        other_ends, other_starts = _acts(other_before, party), other_behind.startswith(party)
        if ends != starts and other_ends != other_starts and ends != other_ends:
            return party
    return ""


def _acts(before: str, party: str) -> bool:
    """Return True if a party stands before a verb, and not behind a word that makes it the one acted on."""
    return before.endswith(party) and before[-len(party) - 1 : -len(party)] not in tuple(order_words().objective)


def _end_and_start(before: str, behind: str) -> str:
    """Return the longest party with which one text ends and another begins."""
    for gap in range(_MAX_GAP + 1):
        ending = before[: len(before) - gap]
        if "的" in before[len(ending) :]:
            break
        for size in range(min(len(ending), len(behind), _MAX_PARTY), _MIN_PARTY - 1, -1):
            if ending[-size:] == behind[:size]:
                return ending[-size:]
    return ""


def _parties(text: str) -> Iterator[tuple[str, str, str]]:
    for match in _verb().finditer(text):
        if text.endswith("的", 0, match.start()):
            # 下属的评价: a thing, and nobody does it here.
            continue
        before = _trailing().sub("", text[: match.start()])[-_MAX_PARTY:]
        behind = _leading().sub("", text[match.end() :])[:_MAX_PARTY]
        if len(before) >= _MIN_PARTY or len(behind) >= _MIN_PARTY:
            yield order_words().verbs[match[0]], before, behind


def _when(match: re.Match[str]) -> str:
    return order_words().times[match["when"]]


def swapped_words(question: str, wording: str) -> _Parties | None:
    """Return two words that stand in the other order in a question which is else written as the wording is."""
    if len(question) != len(wording):
        return None
    start = _common_length(question, wording)
    end = _common_length(question[start:][::-1], wording[start:][::-1])
    inner, other = question[start : len(question) - end], wording[start : len(wording) - end]
    if len(inner) != len(other) or sorted(inner) != sorted(other):
        return None
    return _exchanged(inner, other)


def _common_length(text: str, other: str) -> int:
    """Return the number of characters with which both texts begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, other, strict=False)))


def _exchanged(inner: str, other: str) -> _Parties | None:
    """Return x and y if one text is x…y and the other y…x."""
    for size in range(1, len(inner) - 1):
        for other_size in range(1, len(inner) - size):
            middle = inner[size : len(inner) - other_size]
            if _is_relation(middle) and other == inner[len(inner) - other_size :] + middle + inner[:size]:
                return inner[:size], inner[len(inner) - other_size :]
    return None


def _is_relation(middle: str) -> bool:
    """Return True if it matters what stands before and what behind the words between them: 转, 在…交, not 是 and 和."""
    return bool(middle) and middle not in order_words().no_relation


@cache
def _time() -> re.Pattern[str]:
    words = order_words()
    when = any_of(sorted(words.times, key=len, reverse=True))
    event = rf"[{HAN}]{{2}}(?=(?:结束|满|完)?[的了]?(?:{when}))|[{words.short_events}](?=[前后])"
    return re.compile(rf"(?P<event>{event})(?:结束|满|完)?[的了]?(?P<when>{when})(?![{words.not_behind_time}])")


@cache
def _verb() -> re.Pattern[str]:
    return re.compile(any_of(sorted(order_words().verbs, key=len, reverse=True)))


@cache
def _trailing() -> re.Pattern[str]:
    return re.compile(f"(?:{any_of(order_words().between)})+$")


@cache
def _leading() -> re.Pattern[str]:
    return re.compile(f"^(?:{any_of(order_words().between)})+")
