"""Mentions of cases of an answer (`ask`) in a text: which case is named, and of whom it is said. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from faqbot.dialogue.case_names import bounded
from faqbot.language.case_words import OTHER_CASE, case_words
from faqbot.language.gazetteer import PlaceMention, place_mentions
from faqbot.language.normalize import normalise
from faqbot.language.vocabulary import compile_any

# A longer text says more than a case.
_MAX_STATEMENT_CHARS = 40
_CLAUSE_BORDER = re.compile(r"[，,。.；;！!？?…\n~～]+|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
# Words before a case to which speakers have moved already: 我刚从上海调到北京.
_ALREADY = re.compile("刚|已")
# 我是, 我们属于 before a word of a kind, and what may follow it.
_SELF = re.compile("(?:我们?|咱们?|本人)(?:现在|目前)*(?:还?是|属于|算是?|做)(?P<word>[^是]{3,8}?)[的了吧呀啊哦]*")

# A case with the words that only join it to what follows.
_MARK = re.compile(f"(?:那|要是|如果|假如|换成|在)*{OTHER_CASE}(?:分公司|[这那]边|[这那][里儿])?的?")
# Where a case stands in a clause, and its word or place.
_Span = tuple[int, int, str, PlaceMention | None]


class Stance(StrEnum):
    """The sense in which a text names a case: as the speaker's own, without saying whose, as merely supposed, as
    somebody else's, or to rule it out."""

    OWN = "own"
    NAMED = "named"
    SUPPOSED = "supposed"
    OTHERS = "others"
    RULED_OUT = "ruled_out"


@dataclass(frozen=True, slots=True)
class CaseMention:
    """A case that a text names. `word` is that of a case that is no place; a place keeps its names."""

    stance: Stance
    word: str = ""
    place: PlaceMention | None = None

    @property
    def name(self) -> str:
        """The case as it is shown: of a place the city only."""
        return self.place.name if self.place else self.word

    @property
    def is_usable(self) -> bool:
        """True if an answer may be chosen by it."""
        return self.stance in (Stance.OWN, Stance.NAMED, Stance.SUPPOSED)


def case_mentions(text: str, words: Collection[str], *, with_places: bool, asked: str = "") -> tuple[CaseMention, ...]:
    """Find the cases that a text names: the words of cases, and the places if `with_places`. Each case comes once.

    `asked` is the question back: in reply to 您的户口在哪里, 户口在上海 is about the speaker.
    """
    if not words and not with_places:
        return ()
    return tuple({mention.name: mention for mention in _mentions(text, words, with_places, asked)}.values())


def says_only_cases(text: str, words: Collection[str], *, with_places: bool) -> bool:
    """Return True if a text says nothing but which case holds, as 我人在苏州 and 那要是在帝都呢."""
    if len(text) > _MAX_STATEMENT_CHARS:
        return False
    rest = (_with_marks(clause, _spans(clause, words, with_places)) for clause in _clauses(text))
    return all(not case_words().around.sub("", clause).strip() for clause in rest)


def without_cases(text: str, words: Collection[str], *, with_places: bool) -> str:
    """Return the clauses of a text without the cases that they name: 二胎呢 of 杭州的二胎呢."""
    rest = (_with_marks(clause, _spans(clause, words, with_places)) for clause in _clauses(text))
    return "，".join(filter(None, (_MARK.sub("", clause) for clause in rest)))


def stated_kind(text: str) -> str:
    """Return the word by which speakers say in a clause what they are: 外包员工 of 我是外包员工; empty for none."""
    matches = map(_SELF.fullmatch, _clauses(text))
    return next((match["word"] for match in matches if match), "")


def is_one_clause(text: str) -> bool:
    return len(_clauses(text)) == 1


def _clauses(text: str) -> list[str]:
    return [clause for part in _CLAUSE_BORDER.split(text) if (clause := normalise(part))]


def _spans(clause: str, words: Collection[str], with_places: bool) -> list[_Span]:
    """Find what names a case in a clause; of overlapping names the longer one counts."""
    spans: list[_Span] = []
    if words:
        pattern = _pattern(tuple(words))
        spans += [(match.start(), match.end(), match[0], None) for match in pattern.finditer(clause)]
    if with_places:
        spans += [(place.start, place.end, "", place) for place in place_mentions(clause)]
    kept: list[_Span] = []
    for span in sorted(spans, key=lambda span: span[0] - span[1]):
        if all(span[1] <= other[0] or other[1] <= span[0] for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span[0])


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return compile_any(bounded(word) for word in sorted(words, key=len, reverse=True))


def _mentions(text: str, words: Collection[str], with_places: bool, asked: str) -> Iterator[CaseMention]:
    clauses = _clauses(text)
    for clause in clauses:
        spans = _spans(clause, words, with_places)
        for n, (start, end, word, place) in enumerate(spans):
            before = _with_marks(clause[:start], spans[:n])
            after = _with_marks(clause[end:], spans[n + 1 :], offset=end)
            yield CaseMention(_stance(before, after, asked, is_last=clause is clauses[-1]), word, place)


def _with_marks(clause: str, spans: list[_Span], offset: int = 0) -> str:
    """Write OTHER_CASE for each case in the part of a clause that begins at `offset`."""
    for start, end, *_ in reversed(spans):
        clause = clause[: start - offset] + OTHER_CASE + clause[end - offset :]
    return clause


def _stance(before: str, after: str, asked: str, *, is_last: bool) -> Stance:
    """Tell the sense of a case by the words of its clause `before` and `after` it."""
    words = case_words()
    if words.ruled_out_before.search(before) or words.ruled_out_after.match(after):
        return Stance.RULED_OUT
    has_moved = after.startswith("了") or _ALREADY.search(before) is not None
    if not has_moved and (words.supposed.search(before) or "的话" in after):
        return Stance.SUPPOSED
    is_own = words.own.search(before) is not None
    whose = words.others.search(before)
    if not is_own and whose and whose["who"] not in asked:
        return Stance.OTHERS
    is_bare = words.bare_own.fullmatch(before) is not None or (not before and re.match("[这那]边$", after) is not None)
    says_no_more = not words.around.sub("", after).strip()
    if (is_own and not words.passing.match(after)) or (is_bare and says_no_more and not after.endswith("呢")):
        return Stance.OWN
    return Stance.SUPPOSED if is_last and after.endswith("呢") and says_no_more else Stance.NAMED
