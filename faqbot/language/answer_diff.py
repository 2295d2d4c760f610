"""Whether an edit corrects an answer, so that those who got it should know: numbers, dates, 可以 and 不可以. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from faqbot.language.claims import stated
from faqbot.language.normalize import in_digits

# The mark that begins a picture ends no sentence.
_SENTENCE = re.compile(r"(?:[^。！!？?；;\n]|!(?=\[))+[。！!？?；;]?")
_CLAUSE = re.compile(r"[^，,。！!？?；;\n]+")
# Where it stands or where more can be read is no statement of its own.
_NO_STATEMENT = re.compile(
    r"(?m)!\[[^\]]*\]\([^)]*\)|\[([^\]]*)\]\([^)]*\)|https?://\S+|^\s*\d+[.、)]\s|第\s*\d+\s*[章节条款页步]"
)
_NUMERAL = re.compile(r"[一二两三四五六七八九十百千零]+(?=个?(?:工作日|自然日|折|成)|万|分之)")
_HUNDREDTH = re.compile(r"百分之\s*([一二两三四五六七八九十百零]+|\d+(?:\.\d+)?)")
_TEN_THOUSAND = re.compile(r"(\d+(?:\.\d+)?)\s*万(?!元)")
# An article rather than a number.
_ONE = re.compile(r"一个(?!工作日|自然日|月|小时|周)")
_HALF = re.compile(r"半(?=天|年|小时|个月|个小时)")
_O_CLOCK = re.compile(r"(?<!\d)(\d{1,2})\s*点(?:(半)|(\d{1,2})\s*分?)?(?!\d)")
_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?")
_WORDS = {
    "星期": re.compile(r"周([一二三四五六日天1-6])(?!\d)"),
    "周期": re.compile(r"每个?(半年|季度|天|日|周|月|年)"),
    "日子": re.compile(r"(当月|次月|上月|下月|当年|次年|明年|今年|月初|月中|月底|月末|年初|年底|年末|当天|次日)"),
}
_SAME_WORDS = {"天": "日", "月末": "月底", "年末": "年底"}
# The first of a pair that fits says what a clause allows or asks for; longer words stand before those inside them.
_ALLOWED = (
    (
        re.compile(r"不可以|不能|不可(?!避)|不行|不允许|不得|不予|不支持|不给|不报销|不发|不算|无法|禁止|严禁|不再"),
        "no",
    ),
    (
        re.compile(r"可以|允许|能够|能(?!力|源|量|耗|否|不能)|可(?=报|申请|休|请|用|领|凭|在|随|提前|自行|享受)|支持"),
        "yes",
    ),
)
_WANTED = (
    (re.compile(r"无需|无须|不需要?|不必|不用|免(?=提交|交|审批|费)|不要求"), "free"),
    (re.compile(r"需要?|必须|务必|须(?!知)|要求|应当|应(?=在|于|提前|提交)"), "needed"),
)
# So alike are two clauses that say something about the same thing.
_SAME_CLAUSE = 0.6
_SHOWN = 400
_MARKUP = re.compile(r"^\s*(?:[>#*-]+\s+)+|\*\*")
_ENDS = "。！!？?；;：:，,"


@dataclass(frozen=True, slots=True)
class Correction:
    """What the answer said and says now, in its own sentences."""

    before: str
    after: str


def correction(before: str, after: str) -> Correction | None:
    """What an edit corrects in an answer; None where it only says the same in other words."""
    if _plain(before) == _plain(after) or not _corrected(before, after):
        return None
    old, new = _sentences(before), _sentences(after)
    gone = _but(old, new) or old
    come = _but(new, old) or new
    return Correction(_cut(gone), _cut(come))


def _corrected(before: str, after: str) -> bool:
    if _values(before) != _values(after):
        return True
    # The same values for other things, and what is allowed, show where clauses about the same thing differ.
    old, new = (dict.fromkeys(map(str.strip, _CLAUSE.findall(_plain(text)))) for text in (before, after))
    come = [(clause, _bare(clause)) for clause in new if clause not in old]
    for clause in (clause for clause in old if clause not in new):
        other = _same(_bare(clause), come)
        if other and (_values(clause) != _values(other) or _modals(clause) != _modals(other)):
            return True
    return False


def _values(text: str) -> Mapping[str, frozenset[str]]:
    """By kind, all that a text states in figures and words of time; how often it does so does not matter."""
    plain = _plain(text)
    found = {kind: set(values) for kind, values in stated(plain).items()}
    for kind, pattern in _WORDS.items():
        if words := {_SAME_WORDS.get(word, word) for word in pattern.findall(plain)}:
            found[kind] = words
    found["数"] = {f"{float(number):g}" for number in _NUMBER.findall(plain)}
    return {kind: frozenset(values) for kind, values in found.items()}


def _modals(clause: str) -> tuple[str, ...]:
    """What a clause allows and asks for: `no` or `yes`, `free` or `needed`."""
    return tuple(
        meaning
        for pair in (_ALLOWED, _WANTED)
        if (meaning := next((word for pattern, word in pair if pattern.search(clause)), ""))
    )


def _bare(clause: str) -> str:
    """A clause without its values and modals: what it is about."""
    for pattern in (_NUMBER, *_WORDS.values(), *(p for p, _ in (*_ALLOWED, *_WANTED))):
        clause = pattern.sub("", clause)
    return clause


def _same(bare: str, clauses: Sequence[tuple[str, str]]) -> str:
    """The clause that is most likely about the same thing, or nothing."""
    best, found = _SAME_CLAUSE, ""
    for clause, other in clauses:
        matcher = SequenceMatcher(None, bare, other, autojunk=False)
        if matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
            best, found = ratio, clause
    return found


def _plain(text: str) -> str:
    """The text with one way to write a number or a time."""
    text = unicodedata.normalize("NFKC", text).replace("*", "")
    text = _NO_STATEMENT.sub(lambda m: m[1] or " ", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = _ONE.sub("", re.sub("星期|礼拜", "周", text))
    text = _HUNDREDTH.sub(lambda m: f"{_digits(m[1])}%", text)
    text = _HALF.sub("0.5", text)
    text = _NUMERAL.sub(lambda m: _digits(m[0]), in_digits(text))
    text = _TEN_THOUSAND.sub(lambda m: f"{float(m[1]) * 10_000:g}", text)
    text = _O_CLOCK.sub(lambda m: f"{int(m[1])}:{'30' if m[2] else (m[3] or '0').zfill(2)}", text)
    return re.sub(r"[ \t\u3000]+", "", text)


def _digits(numeral: str) -> str:
    return in_digits(f"{numeral}天").removesuffix("天")


def _sentences(text: str) -> list[str]:
    found = (_MARKUP.sub("", sentence).strip() for sentence in _SENTENCE.findall(text))
    return [sentence for sentence in found if sentence]


def _but(sentences: Sequence[str], others: Sequence[str]) -> list[str]:
    known = {_plain(other) for other in others}
    return [sentence for sentence in sentences if _plain(sentence) not in known]


def _cut(sentences: Sequence[str]) -> str:
    text = "".join(s if s[-1] in _ENDS else f"{s}；" for s in sentences).removesuffix("；")
    return text if len(text) <= _SHOWN else text[:_SHOWN].rstrip() + "……"
