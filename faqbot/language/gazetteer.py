"""Gazetteer: recognises names of places in a text, such as Chinese provinces and cities, and their nicknames. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from faqbot.language.place_words import place_words
from faqbot.language.vocabulary import any_of, places

# Words around a name that make a place of it although it is also an ordinary word or a single character.
_BEFORE = (
    "在",
    "去",
    "到",
    "住",
    "驻",
    "调",
    "搬",
    "我",
    "们",
    "咱",
    "base",
    "坐标",
    "位于",
    "换成",
    "要是",
    "如果",
    "那",
)
_AFTER = (
    r"$|市|省|区|县|镇|分公司|子公司|公司|办公|办事处|职场|园区|基地|工厂|门店|[那这]边|[那这][里儿]|地区|同事|员工|的|呢|上班|工作|"
    r"也|怎么|多少|和|跟|与|或|还是|、"
)
_FULL_NAME_SUFFIX = "省|市|自治区|自治州|特别行政区"
# Words of the whole of a place that is stated: 那沪的呢.
_WHOLE = re.compile(
    r"(?:那|我们?|咱们?|人|是|在|base|坐标|换成|要是)*(.+?)(?:的|呢|吧|[这那]边|[这那][里儿]|工作|上班)*"
)


@dataclass(frozen=True, slots=True)
class PlaceMention:
    """A place that a text names, from `start` to `end`.

    names: its names from the nearest to the widest, as 浦东, 上海 or 深圳, 广东; a nickname is replaced by its city.
    """

    names: tuple[str, ...]
    start: int
    end: int

    @property
    def name(self) -> str:
        """The city, or the place itself if it is no part of a city."""
        return place_words().districts.get(self.names[0], self.names[0])


def is_place(text: str) -> bool:
    """Return True if a text is the name of a place and nothing else: 杭州, 广东省深圳市, 苏州工业园区."""
    return _full_name().fullmatch(text) is not None


@lru_cache(maxsize=4096)
def place_mentions(text: str) -> tuple[PlaceMention, ...]:
    """Find the places that a normalised text means, not what is only called after one: no 北京 in 北京烤鸭.

    What follows one another as part of the same is one place: 上海浦东, 广东省深圳市.
    """
    words = place_words()
    whole = _WHOLE.fullmatch(text)
    if whole and (city := words.abbreviations.get(whole[1]) or words.latin.get(whole[1])):
        return (PlaceMention(_names(city), whole.start(1), whole.end(1)),)
    found: list[PlaceMention] = []
    for match in _any_mention().finditer(text):
        mention = PlaceMention(_names(match[0]), match.start(), match.end())
        names = mention.names
        if found and found[-1].end == mention.start and _are_one(found[-1], mention):
            mention = PlaceMention(max(found[-1].names, names, key=_depth), found[-1].start, mention.end)
            found.pop()
        suffix = re.compile(_FULL_NAME_SUFFIX).match(text, mention.end)
        found.append(PlaceMention(mention.names, mention.start, suffix.end()) if suffix else mention)
    return tuple(found)


def _names(word: str) -> tuple[str, ...]:
    """List the names of a place from the nearest to the widest; a nickname is replaced by its city."""
    words = place_words()
    if district_of := words.districts.get(word):
        return (word, *_names(district_of))
    city = words.nicknames.get(word) or words.abbreviations.get(word) or words.latin.get(word) or word
    area = words.areas.get(city)
    return (city, area) if area else (city,)


def _are_one(first: PlaceMention, second: PlaceMention) -> bool:
    return bool(set(first.names) & set(second.names))


def _depth(names: tuple[str, ...]) -> tuple[int, bool]:
    return len(names), names[0] in place_words().districts


@cache
def _any_name() -> re.Pattern[str]:
    # Longer names first: 张家港 is not 张家 and something.
    return re.compile(_longest_first(places().names))


@cache
def _full_name() -> re.Pattern[str]:
    names = f"(?:(?:{_any_name().pattern})(?:{_FULL_NAME_SUFFIX})?)+"
    return re.compile(rf"{names}(?:[\u4e00-\u9fff]{{1,4}}(?:新区|区|县|镇))?")


@cache
def _any_mention() -> re.Pattern[str]:
    """Compile the pattern of all that means a place in a sentence."""
    words = place_words()
    long_latin = [word for word in words.latin if len(word) > 2]
    short_latin = [word for word in words.latin if len(word) <= 2]
    plain = [*places().names, *words.nicknames, *words.districts]
    certain = [name for name in plain if name not in words.ordinary]
    framed = [name for name in plain if name in words.ordinary]
    behind_frame = any_of(f"(?<={word})" for word in _BEFORE)
    not_a_thing = f"(?!{any_of(words.things)})"
    one = "".join(words.abbreviations)
    return re.compile(
        any_of(
            (
                _longest_first(certain, lambda name: f"{_not_behind(name)}{name}{_not_before(name)}{not_a_thing}"),
                rf"(?<![a-z])(?:{_longest_first(long_latin)})(?![a-z])",
                rf"(?:^|{behind_frame})(?:{_longest_first(framed)})(?={_AFTER})",
                rf"(?:(?<=在)|(?<=驻)|(?<=base)|(?<=base ))(?:[{one}]|(?:{any_of(short_latin)})(?![a-z]))(?={_AFTER})",
                # Two of them make a pair: 京沪两地.
                rf"(?:^|{behind_frame})[{one}](?=[{one}](?:两地|的|$))|(?<=[{one}])[{one}](?=两地|的|$)",
            )
        )
    )


def _longest_first(names: Iterable[str], pattern: Callable[[str], str] = str) -> str:
    return any_of(pattern(name) for name in sorted(names, key=len, reverse=True))


def _not_behind(name: str) -> str:
    characters = place_words().not_behind.get(name)
    return f"(?<![{characters}])" if characters else ""


def _not_before(name: str) -> str:
    characters = place_words().not_before.get(name)
    return f"(?![{characters}])" if characters else ""
