"""Isolation: what somebody is told rests on nothing but what they said there, and on what they refer to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.conversations.fuzz.invariants import Reader, Violation
from tests.conversations.fuzz.session import Heard, SharedKnowledge, play
from tests.conversations.fuzz.turns import Kind, Order, without

_POINTER = "同上 ↑"
_INTRODUCTION = re.compile(r"\n\n\*\*第一次在这个群里说话，介绍一下自己\*\*.*", re.DOTALL)
_TICKET_NUMBER = re.compile(r"(单号 ?|答 |ticket:)\d+")

# What is compared of a turn.
_Told = tuple[object, ...]


async def leaks(shared: SharedKnowledge, reader: Reader, heard: Sequence[Heard]) -> Sequence[Violation]:
    """Repeat for each person what they said in each conversation, without all else; they must be told the same.

    A single chat is repeated with the groups: a private question is answered there, and a person is asked for there.
    """
    in_order = _as_replied(heard)
    order = tuple(one.turn for one in in_order)
    needs = _references(reader, in_order)
    told = {one.turn.number: _told(one) for one in heard}
    found: list[Violation] = []
    for who, where in dict.fromkeys((turn.who, turn.where) for turn in order):
        own = [t.number for t in order if t.who == who and (t.where == where or not where)]
        needed = _closure(order, own, needs)
        alone = without(order, frozenset(t.number for t in order) - needed)
        if alone == order and not any(one.turn.together for one in heard):
            continue
        for one in await play(shared, alone):
            number = one.turn.number
            if number in own and one.turn.where == where and _told(one) != told[number]:
                what = _difference(told[number], _told(one))
                found.append(
                    Violation("isolation", number, f"{who} in {where or '单聊'} is told otherwise alone: {what}")
                )
    return found


def _as_replied(heard: Sequence[Heard]) -> list[Heard]:
    """The turns one after the other, each at its time; of those said at once, the one that was replied to first."""
    keyed = sorted(heard, key=lambda one: (one.at, one.replies[0].seq if one.replies else 0))
    times = [heard[0].at - heard[0].turn.pause, *(one.at for one in keyed)]
    return [
        replace(one, turn=replace(one.turn, pause=round(at - before), together=False))
        for one, before, at in zip(keyed, times, times[1:], strict=False)
    ]


def _references(reader: Reader, heard: Sequence[Heard]) -> Mapping[int, set[int]]:
    """The earlier turns of others that a turn may rest on."""
    needs: dict[int, set[int]] = defaultdict(set)
    for n, one in enumerate(heard):
        turn, before = one.turn, heard[:n]
        text = "\n".join(reply.text for reply in one.replies)
        here = [b for b in before if b.turn.where == turn.where]
        if _POINTER in text:
            entries = reader.named(text)
            needs[turn.number] |= {b.turn.number for b in here if entries & _answered(reader, b)}
        if turn.quoting:
            needs[turn.number].add(turn.quoting.turn)
        if turn.kind is Kind.SAME and turn.where:
            # The last answer of the group, which a question without one takes away.
            needs[turn.number] |= set([b.turn.number for b in here if b.record][-1:])
        if turn.kind is Kind.HOTTEST:
            needs[turn.number] |= {b.turn.number for b in before}
        if turn.kind is Kind.TICKET:
            needs[turn.number] |= {b.turn.number for b in before if any("单号" in r.text for r in b.replies)}
    return needs


def _answered(reader: Reader, heard: Heard) -> frozenset[str]:
    return frozenset().union(*(reader.answered(reply.text) for reply in heard.replies))


def _closure(order: Order, own: Sequence[int], needs: Mapping[int, set[int]]) -> frozenset[int]:
    """The turns with all that they rest on: what they refer to, and what the same people said there before that."""
    by_number = {turn.number: turn for turn in order}
    position = {turn.number: n for n, turn in enumerate(order)}
    needed: set[int] = set()
    todo = list(own)
    while todo:
        number = todo.pop()
        if number in needed or number not in by_number:
            continue
        needed.add(number)
        turn = by_number[number]
        todo += needs.get(number, ())
        if number not in own:
            earlier = order[: position[number]]
            todo += [t.number for t in earlier if t.who == turn.who and (t.where == turn.where or not turn.where)]
    return frozenset(needed)


def _told(one: Heard) -> _Told:
    record = one.record
    return (
        tuple((plain(m.title), plain(m.text), m.mentions) for m in one.replies),
        tuple((userid, m.title, plain(m.text)) for userid, m in one.direct),
        record and (record.text, record.outcome, record.entry_id, round(record.score, 6), record.picked_for),
    )


def plain(text: str) -> str:
    """A text without what anybody may change in it: the introduction of the bot, and the numbers of tickets."""
    return _TICKET_NUMBER.sub(r"\1#", _INTRODUCTION.sub("", text))


def _difference(together: _Told, alone: _Told) -> str:
    parts = [f"\n      together {a}\n      alone    {b}" for a, b in zip(together, alone, strict=True) if a != b]
    return "".join(parts)
