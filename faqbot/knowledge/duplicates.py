"""Warns of entries that share the same or nearly the same wording, and of contradicting answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from faqbot.knowledge.source_lines import SourceLines
from faqbot.language.claims import contradiction
from faqbot.language.normalize import normalise
from faqbot.model.entries import Entry, Problem
from faqbot.search.index import Index
from faqbot.search.similarity import near_pairs, sense_of

# Similarity from which two wordings are near-duplicates. On the wordings of HR departments such pairs were one
# question; 陪产假 and 产假 are less similar.
_MIN_SIMILARITY = 0.9


def identical_wordings(entries: Sequence[Entry], lines: SourceLines) -> Iterator[Problem]:
    """Warn of wordings that two entries share word for word."""
    holders: dict[str, list[Entry]] = {}
    for entry in entries:
        texts: dict[str, str] = {}
        for text in entry.wordings:
            texts.setdefault(normalise(text), text)
        for wording, text in texts.items():
            if other := next((o for o in holders.get(wording, ()) if compete(entry, o)), None):
                place, quote = lines.find(entry, text)
                yield Problem(
                    place,
                    f"问法“{wording[:40]}”和“{other.question[:40]}”（{other.place}）重复，"
                    f"机器人分不清该答哪一条{_differently(entry, other)}",
                    is_error=False,
                    quote=quote,
                )
            holders.setdefault(wording, []).append(entry)


def similar_wordings(index: Index, today: date, lines: SourceLines) -> Iterator[Problem]:
    """Warn, once for two entries, of near-duplicate wordings; those that share one are reported already."""
    entries = index.entries
    groups = _sharing_groups(entries)
    reported: set[tuple[int, int]] = set()
    rows = [
        row
        for row in range(len(index.folded_wordings))
        if not (end := entries[index.owner(row)].valid.end) or end >= today
    ]

    def may_pair(one: int, other: int) -> bool:
        a, b = index.owner(rows[one]), index.owner(rows[other])
        return (
            groups[a] != groups[b]
            and (a, b) not in reported
            and compete(entries[a], entries[b])
            and not _are_excluded(entries[a], entries[b], index)
        )

    for one, other in near_pairs([sense_of(index.folded_wordings[row]) for row in rows], may_pair, _MIN_SIMILARITY):
        first, second = rows[one], rows[other]
        a, b = index.owner(first), index.owner(second)
        reported.add((a, b))
        place, quote = lines.find(entries[b], index.wordings[second])
        elsewhere, _ = lines.find(entries[a], index.wordings[first])
        yield Problem(
            place,
            f"“{index.wordings[second][:40]}”和“{index.wordings[first][:40]}”（{elsewhere}）问的几乎一样，机器人容易答错"
            f"{_differently(entries[b], entries[a])}；是一件事请合成一条，不是请把对方的问法写进各自的“不是”（not）",
            is_error=False,
            quote=quote,
        )


def own_exclusions(entries: Iterable[Entry], lines: SourceLines) -> Iterator[Problem]:
    """Warn of wordings that an entry has both among its own and among its `not`."""
    for entry in entries:
        excluded = {normalise(text): text for text in entry.not_}
        for wording in entry.wordings:
            if (excluded_text := excluded.get(normalise(wording))) is not None:
                place, quote = lines.find(entry, excluded_text)
                message = f"“{wording[:40]}”既是这一条的问法，又写在“不是”（not）里，请删掉一处"
                yield Problem(place, message, is_error=False, quote=quote)


def compete(a: Entry, b: Entry) -> bool:
    """Return True if one person could get either on one day; else they are versions or for different people."""
    return (
        a.valid.overlaps(b.valid)
        and (not a.groups or not b.groups or bool({*a.groups} & {*b.groups}))
        and (not a.departments or not b.departments or bool({*a.departments} & {*b.departments}))
    )


def _differently(here: Entry, there: Entry) -> str:
    conflict = contradiction(_answer(here), _answer(there))
    return f"；两边的答案还不一样：这里“{conflict.here}”，那里“{conflict.there}”，请先核对" if conflict else ""


def _answer(entry: Entry) -> str:
    return "\n".join((*entry.variants.values(), entry.answer))


def _sharing_groups(entries: Sequence[Entry]) -> list[int]:
    """Return for each entry the number of its group; entries that share a wording, also by a third, are one group."""
    parents = list(range(len(entries)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = number = parents[parents[number]]
        return number

    first_holders: dict[str, int] = {}
    for number, entry in enumerate(entries):
        for wording in entry.wordings:
            parents[root(number)] = root(first_holders.setdefault(normalise(wording), number))
    return [root(number) for number in range(len(entries))]


def _are_excluded(a: Entry, b: Entry, index: Index) -> bool:
    """Return True if HR wrote a wording of one into the `not` of the other."""
    return any(
        {index.fold(text) for text in one.not_} & {index.fold(wording) for wording in other.wordings}
        for one, other in ((a, b), (b, a))
        if one.not_
    )
