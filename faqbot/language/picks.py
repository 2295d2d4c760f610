"""Picks: reads a message that is only a pick from a numbered list, such as 就第一个 or 1和3. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from faqbot.language.chat_marks import without_chat_marks
from faqbot.language.data_files import DataNode, read_data
from faqbot.language.normalize import INVISIBLE_MARKS, simplified
from faqbot.language.vocabulary import any_of

# A longer message says more than which line it picks; the bound also limits the work on any text.
_MIN_WORD_CHARS = 2
_MAX_CHARS = 26
# Rows of lines such as 1到3 are no longer than a list.
_MAX_ROW = 15
# Behind a slash a larger number is a day of a month.
_MAX_BESIDE_SLASH = 9
# The characters that turn a 1 into the emoji 1️⃣.
_KEYCAP = dict.fromkeys((0xFE0F, 0x20E3))
_CIRCLED = re.compile("[①-⑳]")
_ONES = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "俩": 2}
_PINYIN = ("yi", "er", "san", "si", "wu", "liu", "qi", "ba", "jiu", "shi")
_NUMERAL = r"(?:[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两俩三四五六七八九])"
_MARKS = r"[\s,，.。!！?？~～…、:：;；()（）\[\]【】「」\"'“”]*"


@dataclass(frozen=True, slots=True)
class Pick:
    """The lines of a numbered list that a message picks.

    numbers: their numbers; from the end of the list below zero, so that -1 is the last line.
    takes_all: all lines are meant; `count` is the number of them where the message names it, else 0.
    above: the line is only called 上面那个.
    again: the message goes on after an earlier pick: 再看看第三个.
    asks: it asks for the line, so that it may be a question: 第十二条是什么.
    """

    numbers: tuple[int, ...] = ()
    takes_all: bool = False
    count: int = 0
    above: bool = False
    again: bool = False
    asks: bool = False


@lru_cache(maxsize=2048)
def parse_pick(text: str) -> Pick | None:
    """Read the lines that a message picks; None for a message that says anything else."""
    plain = _plain(text)
    if not plain or len(plain) > _MAX_CHARS:
        return None
    grammar = _grammar()
    for pattern, read in ((grammar.lines, _lines), (grammar.all_lines, _all_lines), (grammar.above, _above)):
        if (match := pattern.fullmatch(plain)) and (pick := read(match)):
            return pick
    return None


def words_of_line(text: str) -> Sequence[str]:
    """List the words by which a text may name the line that it picks, the longest first: 年假 of 我要年假那个吧."""
    grammar, plain = _grammar(), _plain(text)
    if not plain or len(plain) > _MAX_CHARS or not (match := grammar.named.fullmatch(plain)):
        return ()
    words: list[str] = []
    start, end = match.span("word")
    # One character is enough with 那个 behind it; 差的 is more than a word of a line.
    least = 1 if plain[end:].lstrip("的").startswith(("那", "这")) else _MIN_WORD_CHARS
    while end - start >= least:
        words.append(plain[start:end])
        # What stands before is looked at, too: 下 leads to the word behind 看 only.
        lead = grammar.lead.match(plain, start, end)
        if lead is None or lead.end() == start:
            break
        start = lead.end()
    return words


@dataclass(frozen=True, slots=True)
class _Grammar:
    lines: re.Pattern[str]
    item: re.Pattern[str]
    all_lines: re.Pattern[str]
    above: re.Pattern[str]
    named: re.Pattern[str]
    asking: re.Pattern[str]
    lead: re.Pattern[str]


def _plain(text: str) -> str:
    if len(text) > 8 * _MAX_CHARS:
        return ""
    text = text.encode("utf-8", "replace").decode("utf-8").translate(INVISIBLE_MARKS).translate(_KEYCAP)
    text = _CIRCLED.sub(r" \g<0> ", without_chat_marks(re.sub(r"^\s*[@＠]\S+\s", " ", text)))
    text = unicodedata.normalize("NFKC", text).casefold()
    text = simplified("".join(" " if unicodedata.category(c) in ("So", "Sk") else c for c in text))
    return re.sub(r"\s+", " ", text).strip()


def _lines(match: re.Match[str]) -> Pick | None:
    """Read the numbers of the lines; None where the words around do not stand beside such numbers."""
    named = match["items"]
    numbers: list[int] = []
    for item in _grammar().item.finditer(named):
        numbers += _numbers(item)
    if "/" in named and max(numbers) > _MAX_BESIDE_SLASH:
        return None
    unique = tuple(dict.fromkeys(numbers))
    if not unique or len(numbers) > _MAX_ROW:
        return None
    return Pick(unique, again=_is_again(match["before"]), asks=_grammar().asking.search(match["behind"]) is not None)


def _all_lines(match: re.Match[str]) -> Pick:
    counted = match["count"]
    return Pick(takes_all=True, count=_number(counted) if counted else 0, again=_is_again(match["before"]))


def _above(match: re.Match[str]) -> Pick:
    return Pick(above=True)


def _is_again(before: str) -> bool:
    return any(word in before for word in ("再", "还", "另外", "继续", "刚才", "刚刚", "之前"))


def _numbers(item: re.Match[str]) -> Sequence[int]:
    """Return the numbers that one item of the grammar stands for."""
    match item.lastgroup:
        case "row":
            first, last = (_number(one) for one in re.findall(rf"\d+|{_NUMERAL}", item["row"]))
            return range(first, last + 1) if 0 < first < last <= _MAX_ROW else (first, last)
        case "head":
            return range(1, _number(_numeral_in(item["head"])) + 1)
        case "tail":
            return range(-_number(_numeral_in(item["tail"])), 0)
        case "from_end":
            return (-_number(_numeral_in(item["from_end"])),)
        case "last":
            return (-1,)
        case "first":
            return (1,)
        case "english":
            return (_english().index(re.findall("[a-z]+", item["english"].removeprefix("the"))[0]) + 1,)
        case "pinyin":
            word = re.sub(r"di|ge|\s", "", item["pinyin"])
            return (int(word) if word.isdigit() else _PINYIN.index(word) + 1,)
        case _:
            return (_number(_numeral_in(item[0])),)


def _numeral_in(text: str) -> str:
    found = re.search(rf"\d+|{_NUMERAL}", text)
    assert found is not None, text
    return found[0]


def _number(numeral: str) -> int:
    if numeral.isdigit():
        return int(numeral)
    tens, ten, ones = numeral.partition("十")
    return _ONES.get(tens, 1) * 10 + _ONES.get(ones, 0) if ten else _ONES[numeral]


@cache
def _english() -> tuple[str, ...]:
    return read_data("picks.yaml")["english"].words()


@cache
def _grammar() -> _Grammar:
    """Build the patterns of the grammar from the data file."""
    node = read_data("picks.yaml")
    items = _items(node)
    item = "|".join(f"(?P<{name}>{pattern})" for name, pattern in items.items())
    single = "|".join(items.values())
    before = rf"(?P<before>(?:(?:{_long_first(node, 'before')}){_MARKS})*?)"
    between = rf"{_MARKS}(?:{_long_first(node, 'between')}){_MARKS}"
    polite = _long_first(node, "behind")
    named = f"{_long_first(node, 'behind_named')}|{polite}"
    strong = "|".join(
        pattern for name, pattern in items.items() if name not in ("digits", "counted", "numbered", "numeral")
    )
    several = rf"(?:{single})(?:{between}(?:{single}))+"
    asking = _long_first(node, "behind_asking")
    behind = {
        strong: f"{named}|{asking}|{_long_first(node, 'behind_ordinal')}",
        items["digits"] + r"(?!\d)": named,
        r"(?<!\d)\d{1,2}(?!\d)": f"{named}|{asking}",
        items["counted"]: named,
        f"{items['numbered']}|{items['numeral']}": polite,
        several: f"{named}|{asking}",
    }
    ways = "|".join(rf"(?:{lines})(?=(?:{_MARKS}(?:{words}))*{_MARKS}$)" for lines, words in behind.items())
    every_tail = f"{named}|{asking}|{_long_first(node, 'behind_ordinal')}"
    count = rf"(?:(?:[这那]|[上前]面的?|全部)?(?P<count>\d{{1,2}}|{_NUMERAL})[个条项]?(?=都|全|一起))?"
    return _Grammar(
        lines=re.compile(rf"{_MARKS}{before}(?P<items>{ways})(?P<behind>(?:{_MARKS}(?:{every_tail}))*){_MARKS}"),
        item=re.compile(item),
        all_lines=re.compile(rf"{_MARKS}{before}{count}(?:{_long_first(node, 'all')})(?:{_MARKS}(?:{named}))*{_MARKS}"),
        above=re.compile(rf"{_MARKS}{before}(?:{_long_first(node, 'above')})(?:{_MARKS}(?:{named}))*{_MARKS}"),
        asking=re.compile(f"{asking}|{_long_first(node, 'behind_ordinal')}"),
        named=re.compile(
            rf"{_MARKS}(?P<word>\S.*?)(?:{_long_first(node, 'behind_word')})(?:{_MARKS}(?:{named}|也))*{_MARKS}"
        ),
        lead=re.compile(rf"(?:{_long_first(node, 'before')}){_MARKS}"),
    )


def _items(node: DataNode) -> dict[str, str]:
    """Return the pattern of each kind of line, the most special first."""
    counting = _long_first(node, "counting")
    behind_ordinal = f"{counting}|{_long_first(node, 'counting_ordinal')}"
    number, numeral = r"\d{1,3}", _NUMERAL
    any_number = rf"(?:{number}(?!\d)|{numeral}(?![一二三四五六七八九十]))"
    ordinal, typos = node["ordinal"].text(), node["ordinal_typos"].text()
    to, end = _long_first(node, "to"), rf"(?:{ordinal}\s*)?{any_number}\s*(?:{counting})?"
    pinyin = "|".join(_PINYIN)
    return {
        "row": rf"{end}(?:{to}){end}",
        "head": rf"前(?:面的?)?{any_number}\s*(?:{counting})",
        "tail": rf"(?:最?后)(?:面的?)?{any_number}\s*(?:{counting})(?<!一个)(?<!1个)",
        "from_end": rf"倒(?:数)?第?{any_number}\s*(?:{counting})?",
        "last": _long_first(node, "last"),
        "first": _long_first(node, "first"),
        "english": rf"(?:the )?(?:{any_of(node['english'].words())})(?: one)?",
        "pinyin": rf"di\s*(?:{pinyin}|\d{{1,2}})\s*ge",
        "ordinal": rf"{ordinal}\s*{any_number}\s*(?:{behind_ordinal})?|[{typos}]{any_number}\s*(?:{behind_ordinal})",
        # 两个都要 is both of two lines.
        "counted": rf"{any_number}\s*(?:{counting})(?!\s*(?:都|全|一起))",
        "numbered": rf"{any_number}\s*{node['number_sign'].text()}",
        "digits": number,
        "numeral": rf"{numeral}(?![一二三四五六七八九十])",
    }


def _long_first(node: DataNode, name: str) -> str:
    return any_of(sorted(node[name].words(), key=len, reverse=True))
