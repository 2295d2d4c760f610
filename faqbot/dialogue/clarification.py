"""Clarification (`ask`): determine which case of an answer a reply or a question refers to. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from faqbot.dialogue.case_mentions import CaseMention, case_mentions, stated_kind, without_cases
from faqbot.dialogue.case_names import ELSE_NAME, CaseNames, case_name, core_of, without_padding
from faqbot.dialogue.case_ranges import AMOUNT, ANY_NUMBER, in_plain_digits, in_range
from faqbot.language.normalize import normalise
from faqbot.language.sentence_splitting import asks
from faqbot.model.entries import ELSE, Entry

__all__ = ["ELSE_NAME", "SLOT_SECONDS", "case_name"]

# Facts that askers state about themselves are valid for half an hour.
SLOT_SECONDS = 1800.0
# Characters that a reply may hold beside the name of the case.
_MAX_EXTRA_CHARS = 2
_MAX_REPLY_CHARS = 8
# 不在上海 means any case but 上海.
_NEGATION = re.compile("[不没非别]|离开|除了|以外|之外")
# The ends of names of cases that say only what kind of thing they are.
_KIND = re.compile("(?:员工|人员|工|岗位?|组|生|厂区|基地|班组|部门)$")
_ELSE_WORDS = {"其他", "其它", "别", "别处", "都不是", "都不", "以上都不是", "其他城市", "其他地方"}

Sound = Callable[[str], str]


def named_case(entry: Entry, reply: str, sound: Sound) -> str | None:
    """Find the case that a reply names, by its name or by a number in its range; None for any other text.

    `sound` maps a text to its pronunciation, so that 上海 and shanghai are the same.
    """
    core = without_padding(reply)
    names = _case_names(entry)
    for case, name in names.items():
        if core and (core == name or sound(core) == sound(name)):
            return case
    shortened = [case for case, name in names.items() if _without_kind(name) == core]
    if len(shortened) == 1 and len(core) > 1:
        return shortened[0]
    if ELSE in entry.variants and core in _ELSE_WORDS:
        return ELSE
    in_ranges = [case for case in names if in_range(case, normalise(reply))]
    return in_ranges[0] if len(in_ranges) == 1 else None


def mentions_for(entry: Entry, text: str) -> tuple[CaseMention, ...]:
    """Find the cases of an entry, and those of their kind, that a text names: 北京 in 北京公积金交多少, or several."""
    names = CaseNames.of(entry)
    asked = entry.ask.question if entry.ask else ""
    return case_mentions(text, names.by_word, with_places=bool(names.places), asked=asked)


def without_cases_of(entry: Entry, text: str) -> str:
    """Return a text without the cases of an entry that it names; the text as it stands if it names none."""
    names = CaseNames.of(entry)
    return without_cases(text, names.by_word, with_places=bool(names.places)) if mentions_for(entry, text) else text


def case_of(entry: Entry, mention: CaseMention) -> str | None:
    """Find the case of an entry that a mention stands for; None if it cannot be told."""
    names = CaseNames.of(entry)
    return names.case_of_place(mention.place) if mention.place else names.by_word.get(mention.word)


def case_of_value(entry: Entry, value: str, sound: Sound) -> str | None:
    """Find the case for what the asker stated before, in reply to another entry; None if it cannot be told."""
    if case := named_case(entry, value, sound):
        return case
    names = CaseNames.of(entry)
    mentions = case_mentions(value, names.by_word, with_places=bool(names.places))
    if mentions:
        return case_of(entry, mentions[0]) if len(mentions) == 1 else None
    # A number says nothing about ranges with other limits.
    is_fallback = names.has_else and not names.places and not AMOUNT.search(in_plain_digits(value))
    return ELSE if is_fallback else None


def stated_kind_of(entry: Entry, text: str) -> str:
    """Return the word by which speakers say what they are, if it is of the kind of the cases of an entry: 外包员工."""
    word = stated_kind(text)
    return word if word and CaseNames.of(entry).case_of_kind(word) else ""


def implied_case(entry: Entry, reply: str) -> str | None:
    """Find the case that a short reply implies; None for a remark that is no reply.

    It is the case whose name the reply contains (正式编制); else the fallback if the reply is of the same kind as the
    cases (杭州 beside 上海, 外包员工 beside 正式员工). Empty if the cases are ranges and more than one may hold.
    """
    core = core_of(reply)
    if not could_be_reply(reply):
        return None
    names = _case_names(entry)
    contained = [(case, name) for case, name in names.items() if name in core]
    if contained:
        case, name = contained[0]
        is_only_one = len(contained) == 1 and len(core) - len(name) <= _MAX_EXTRA_CHARS
        return case if is_only_one and not _NEGATION.search(core.replace(name, "")) else None
    ranges = [case for case in entry.variants if ANY_NUMBER.search(in_plain_digits(case))]
    if ranges and AMOUNT.search(in_plain_digits(reply)):
        inside = [in_range(case, normalise(reply)) for case in ranges]
        if True in inside or (None in inside and ELSE in entry.variants):
            return ""
        return ELSE if ELSE in entry.variants else None
    return CaseNames.of(entry).case_of_kind(reply)


def could_be_reply(text: str) -> bool:
    """Return True if a text is short enough to name a case and asks nothing."""
    return not asks(text) and 0 < len(core_of(text)) <= _MAX_REPLY_CHARS


def _without_kind(name: str) -> str:
    """Return the name of a case as it is said for short: 派遣 for 派遣工."""
    return _KIND.sub("", name)


def _case_names(entry: Entry) -> dict[str, str]:
    """Map each case but the fallback to its name without padding."""
    return {case: without_padding(case) for case in entry.variants if case != ELSE}
