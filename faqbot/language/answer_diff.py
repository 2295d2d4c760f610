"""Semantic diff of an answer: tells a correction, which readers should hear of, from a mere rewording. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from faqbot.language.claims import stated
from faqbot.language.normalize import in_digits
from faqbot.language.vocabulary import any_of, compile_any, statement_words

# The exclamation mark that begins a picture ends no sentence.
_SENTENCE = re.compile(r"(?:[^。！!？?；;\n]|!(?=\[))+[。！!？?；;]?")
_CLAUSE = re.compile(r"[^，,。！!？?；;\n]+")
# Pictures, links, list numbers and references to a page state nothing by themselves.
_NO_STATEMENT = re.compile(
    r"(?m)!\[[^\]]*\]\([^)]*\)|\[([^\]]*)\]\([^)]*\)|https?://\S+|^\s*\d+[.、)]\s|第\s*\d+\s*[章节条款页步]"
)
_NUMERAL = re.compile(r"[一二两三四五六七八九十百千零]+(?=个?(?:工作日|自然日|折|成)|万|分之)")
_HUNDREDTHS = re.compile(r"百分之\s*([一二两三四五六七八九十百零]+|\d+(?:\.\d+)?)")
_TEN_THOUSANDS = re.compile(r"(\d+(?:\.\d+)?)\s*万(?!元)")
# 一个 is an article here rather than a number.
_ARTICLE = re.compile(r"一个(?!工作日|自然日|月|小时|周)")
_HALF = re.compile(r"半(?=天|年|小时|个月|个小时)")
_O_CLOCK = re.compile(r"(?<!\d)(\d{1,2})\s*点(?:(半)|(\d{1,2})\s*分?)?(?!\d)")
_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?")
# From this ratio of SequenceMatcher on, two clauses say something about the same thing.
_SAME_CLAUSE_RATIO = 0.6
# Length to which each side of a correction is cut.
_MAX_CHARS = 400
_MARKUP = re.compile(r"^\s*(?:[>#*-]+\s+)+|\*\*")
_ENDS = "。！!？?；;：:，,"


@dataclass(frozen=True, slots=True)
class Correction:
    """The sentences of an answer that changed, before and after the edit."""

    before: str
    after: str


def correction(before: str, after: str) -> Correction | None:
    """Find the correction that an edit makes in an answer; None where it only says the same in other words."""
    if _plain(before) == _plain(after) or not _is_corrected(before, after):
        return None
    old, new = _sentences(before), _sentences(after)
    removed = _only_in(old, new) or old
    added = _only_in(new, old) or new
    return Correction(_shorten(removed), _shorten(added))


def _is_corrected(before: str, after: str) -> bool:
    if _values(before) != _values(after):
        return True
    # The same values may have moved to other things, and permissions have no value: both show where two clauses about
    # the same thing differ.
    old, new = (dict.fromkeys(map(str.strip, _CLAUSE.findall(_plain(text)))) for text in (before, after))
    added = [(clause, _subject(clause)) for clause in new if clause not in old]
    for clause in (clause for clause in old if clause not in new):
        other = _clause_about(_subject(clause), added)
        if other and (_values(clause) != _values(other) or _modals(clause) != _modals(other)):
            return True
    return False


def _values(text: str) -> Mapping[str, frozenset[str]]:
    """Collect, by kind, all that a text states in figures and words of time; repetitions count once."""
    plain = _plain(text)
    values = {kind: set(stated_values) for kind, stated_values in stated(plain).items()}
    same_times = statement_words().same_times
    for kind, pattern in _time_words().items():
        if words := {same_times.get(word, word) for word in pattern.findall(plain)}:
            values[kind] = words
    values["数"] = {f"{float(number):g}" for number in _NUMBER.findall(plain)}
    return {kind: frozenset(kind_values) for kind, kind_values in values.items()}


def _modals(clause: str) -> tuple[str, ...]:
    """Return the permission (`no` or `yes`) and the duty (`free` or `needed`) in a clause."""
    return tuple(
        meaning
        for pair in _modal_words()
        if (meaning := next((name for pattern, name in pair if pattern.search(clause)), ""))
    )


def _subject(clause: str) -> str:
    """Return the subject of a clause: the clause without values and modals."""
    for pattern in (_NUMBER, *_time_words().values(), *(pattern for pair in _modal_words() for pattern, _ in pair)):
        clause = pattern.sub("", clause)
    return clause


def _clause_about(subject: str, clauses: Sequence[tuple[str, str]]) -> str:
    """Return the clause whose subject is most like this one, "" if none is like it; `clauses` come with subjects."""
    best_ratio, best_clause = _SAME_CLAUSE_RATIO, ""
    for clause, other in clauses:
        matcher = SequenceMatcher(None, subject, other, autojunk=False)
        if matcher.quick_ratio() > best_ratio and (ratio := matcher.ratio()) > best_ratio:
            best_ratio, best_clause = ratio, clause
    return best_clause


@cache
def _time_words() -> Mapping[str, re.Pattern[str]]:
    words = statement_words()
    return {
        "星期": re.compile(r"周([一二三四五六日天1-6])(?!\d)"),
        "周期": re.compile(f"每个?({any_of(words.periods)})"),
        "日子": re.compile(f"({any_of(words.named_days)})"),
    }


@cache
def _modal_words() -> tuple[tuple[tuple[re.Pattern[str], str], ...], ...]:
    """Return the patterns of permission and of duty. The first pattern of each that fits decides: 不可以 holds 可以."""
    words = statement_words()
    return (
        (
            (compile_any((*words.forbidding.always, *words.forbidding.clause)), "no"),
            (compile_any((*words.allowing.always, *words.allowing.clause)), "yes"),
        ),
        ((compile_any(words.waiving), "free"), (compile_any(words.demanding), "needed")),
    )


def _plain(text: str) -> str:
    """Write every number and time of a text in one way."""
    text = unicodedata.normalize("NFKC", text).replace("*", "")
    text = _NO_STATEMENT.sub(lambda m: m[1] or " ", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = _ARTICLE.sub("", re.sub("星期|礼拜", "周", text))
    text = _HUNDREDTHS.sub(lambda m: f"{_digits(m[1])}%", text)
    text = _HALF.sub("0.5", text)
    text = _NUMERAL.sub(lambda m: _digits(m[0]), in_digits(text))
    text = _TEN_THOUSANDS.sub(lambda m: f"{float(m[1]) * 10_000:g}", text)
    text = _O_CLOCK.sub(lambda m: f"{int(m[1])}:{'30' if m[2] else (m[3] or '0').zfill(2)}", text)
    return re.sub(r"[ \t\u3000]+", "", text)


def _digits(numeral: str) -> str:
    # A numeral is only read before what it counts.
    return in_digits(f"{numeral}天").removesuffix("天")


def _sentences(text: str) -> list[str]:
    sentences = (_MARKUP.sub("", sentence).strip() for sentence in _SENTENCE.findall(text))
    return [sentence for sentence in sentences if sentence]


def _only_in(sentences: Sequence[str], others: Sequence[str]) -> list[str]:
    known = {_plain(other) for other in others}
    return [sentence for sentence in sentences if _plain(sentence) not in known]


def _shorten(sentences: Sequence[str]) -> str:
    text = "".join(s if s[-1] in _ENDS else f"{s}；" for s in sentences).removesuffix("；")
    return text if len(text) <= _MAX_CHARS else text[:_MAX_CHARS].rstrip() + "……"
