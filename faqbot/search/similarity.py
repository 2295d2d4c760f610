"""Which questions ask the same: what each is about, what it wants to know, and the words that must agree. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faqbot.language import pinyin
from faqbot.search.terms import terms_of

# What is asked about a thing, in the order in which it is looked for. Two questions with different ones of these are
# two questions: 几天 and 怎么请 belong into two entries.
_WANTED = (
    ("when", r"多少(?=[点号月日])[点号月日]?|什么时候|(?<!长)时间|日期|哪[一1]?[天日年月]"),
    ("long", r"多长时间|多少(?:天|年|小时|分钟|个月|星期)"),
    ("where", r"[在去到]?哪里[里儿]*|在?多少[楼层]|哪个?(?:楼|层|地方|家)(?:医院)?|地点|地址|位置"),
    ("why", r"为什么"),
    ("how", r"怎么办理|怎么办|怎么|步骤|方法"),
    ("much", r"多少钱|多少|预算|(?:(?<=密码)|(?<=号码)|(?<=电话))是?什么"),
    ("who", r"找?谁|哪位|哪个(?:人|部门|同事)|联系人"),
    ("what", r"什么"),
    ("may", r"可以|是否|允许|能(?=[^量力源])|有没有|提供|有(?![限效关])"),
)
_WANTED_WORDS = re.compile("|".join(f"(?P<{name}>{words})" for name, words in _WANTED))
_BITS = {name: 1 << number for number, (name, _) in enumerate(_WANTED)}
_ANYTHING = (1 << len(_WANTED)) - 1
# 发不发, 有没有, and 能报不 at the end: whether, not a denial.
_WHETHER = re.compile(r"(.)[不没]\1|[不否没]$")
# How and with whom something is done is one question; where, too, if it is something that one does.
_DOING = _BITS["how"] | _BITS["who"]
_DOING_AT = _DOING | _BITS["where"]
_IS_DONE = re.compile(r"申请|办理|领|交|看|查|报名|预[订约]|印|修|开(?=.*证明)")
_PADDING = re.compile(
    r"申请|办理(?!公)|领取|操作|需要|应该|想要|我们|咱们|大家|公司|员工|今[年天]|目前|[一总]共|到底|究竟|具体|大概|通常|一般(?!纳税)|(?<!\d)1(?=个?[天月人张次年份])"
    r"|每个?(?=[人月天年])|[的了吗呢啊嘛把被给]|请(?=.假)|个"
)
_ALIKE = [("津贴|补助", "补贴"), ("报(?![销名告表警到价])", "报销"), ("查[询看]", "看"), ("连接", "连"), ("更换", "换")]
# Two questions must have the same of these: opposites, kinds of one thing, aspects, places, numbers, foreign words.
_DECIDING = re.compile(
    r"\d+(?:\.\d+)?|[a-z][a-z0-9]*|无法|没办法|没有|没|未|[不别非](?!同|动产)|忘|坏|错|过期|最.|提前|全额"
    r"|入职|离职|转正|试用|实习|转岗|调岗|返聘|退休|年[终中初]|[下加夜]班|出差|[上下]午|[前后升降涨增减冷热快慢早晚]|迟到|早退"
    r"|[病事年婚产丧]假|陪产|育儿|哺乳|产检|探亲|工伤|调休"
    r"|转入|转出|[入出][户库]|开通|取消|关闭|加入|退出|补办|补|换|续|退|借|还"
    r"|报销|补贴|证明|合同|发票|密码|费|社保|公积金|医保|个税|个人|[男女新旧老父母]|配偶|孩子"
    r"|明年|去年|[上下]个?月|[上下]周|上海|北京|广州|深圳|杭州|成都|南京|苏州|武汉|香港|国内|国外"
)
# Characters that say little about what is asked about.
_LIGHT = frozenset("开是做去来要发会天月里看在到后上就想拿弄交张位节放过领用有打每日")
_LIGHTER = 0.3
# One character, two neighbours, a word, a pair of words.
_WEIGHTS = {"1": 1.0, "2": 0.25, "w:": 2.0, "p:": 0.4}
# From this likeness on, two questions whose deciding words agree ask the same; fitted on tests/test_stats.py.
_ALIKE_AT = 0.66
# Shorter ones that sound the same are rather two words than a slip.
_SOUND_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Sense:
    """What a question is about, what it may want to know of it, as bits, and the words that must agree."""

    about: str
    wanted: int
    deciding: frozenset[str]


def sense_of(folded: str) -> Sense:
    """What a question in the form of Index.fold asks."""
    text = _WHETHER.sub(lambda m: m.group(1) or "", folded)
    found = {m.lastgroup for m in _WANTED_WORDS.finditer(text)} | ({"may"} if text != folded else set())
    # 能报多少 wants the amount.
    wanted = sum(_BITS[name] for name in (found - {"may"} or found) if name)
    if wanted & _DOING_AT:
        wanted |= _DOING_AT if _IS_DONE.search(folded) else _DOING if wanted & _DOING else 0
    rest = _WANTED_WORDS.sub("", text)
    for words, one in _ALIKE:
        rest = re.sub(words, one, rest)
    about = _PADDING.sub("", rest).strip() or rest.strip() or folded
    return Sense(about, wanted or _ANYTHING, frozenset(_DECIDING.findall(about)))


def _counting(about: str) -> list[str]:
    """The features that are compared: longer runs of characters and of letters are not."""
    return [f for f in terms_of(about) if _kind(f) in _WEIGHTS] or [about]


def _kind(feature: str) -> str:
    return feature[:2] if feature[1:2] == ":" else str(len(feature))


def _weight(feature: str) -> float:
    return _WEIGHTS.get(_kind(feature), 1.0) * (_LIGHTER if _LIGHT & set(feature) else 1.0)


def _comparing(senses: Sequence[Sense]) -> Callable[[int], npt.NDArray[np.float64]]:
    """A function that says how alike one question is to each: twice what is shared over what both have."""
    numbers: dict[str, int] = {}
    each = [np.array([numbers.setdefault(f, len(numbers)) for f in _counting(s.about)]) for s in senses]
    rows = np.repeat(np.arange(len(each)), list(map(len, each)))
    ids = np.concatenate([*each, np.zeros(0, dtype=np.int64)])
    weights = np.array(list(map(_weight, numbers)))
    totals = np.bincount(rows, weights[ids], len(each))
    holders = np.split(rows[np.argsort(ids, kind="stable")], np.cumsum(np.bincount(ids))[:-1])

    def likeness(row: int) -> npt.NDArray[np.float64]:
        held = [holders[f] for f in each[row]]
        shared = np.bincount(np.concatenate(held), np.repeat(weights[each[row]], list(map(len, held))), len(each))
        both: npt.NDArray[np.float64] = 2 * shared / (totals[row] + totals)
        return both

    return likeness


def leaders_of(senses: Sequence[Sense]) -> list[int]:
    """For each question the first one that asks the same, or itself; a later leader takes over what is nearer to it."""
    likeness = _comparing(senses)
    deciding = _numbered([s.deciding for s in senses])
    heard = _numbered([_heard(s.about) or n for n, s in enumerate(senses)])
    wanted = np.array([s.wanted for s in senses], dtype=np.int64)
    leader = np.full(len(senses), -1)
    nearest = np.zeros(len(senses))
    # Who only names a thing may mean any of the questions about it, and leads none of them.
    for row in np.argsort(wanted == _ANYTHING, kind="stable"):
        if leader[row] >= 0:
            continue
        alike = np.maximum(likeness(row), (heard == heard[row]) * _ALIKE_AT)
        near = np.flatnonzero((alike >= _ALIKE_AT) & (alike > nearest))
        near = near[(deciding[near] == deciding[row]) & (wanted[near] & wanted[row] > 0)]
        leader[near], nearest[near] = row, alike[near]
        leader[row], nearest[row] = row, np.inf
    return [int(number) for number in leader]


def _heard(about: str) -> str:
    return "".join(unit for _, unit in pinyin.spell(about)) if len(about) >= _SOUND_LENGTH else ""


def _numbered(values: Sequence[object]) -> npt.NDArray[np.int64]:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def near_pairs(senses: Sequence[Sense], may_pair: Callable[[int, int], bool], at: float) -> Iterator[tuple[int, int]]:
    """For each question the first earlier one that asks nearly the same, as (earlier, later), where there is one.

    Both want the same, agree in the deciding words, are at least `at` alike and `may_pair`. Of earlier ones with the
    same sense only the first is looked at, so that a file full of copies takes no longer than another.
    """
    held = [_held(sense.about) for sense in senses]
    spread: Counter[str] = Counter(feature for features_of in held for feature in features_of)
    telling: dict[tuple[int, frozenset[str], str], list[int]] = {}
    seen: set[Sense] = set()
    for row, (sense, mine) in enumerate(zip(senses, held, strict=True)):
        places = [telling.setdefault((sense.wanted, sense.deciding, f), []) for f in _telling(mine, spread, at)]
        for other in sorted({other for place in places for other in place}):
            if _likeness(mine, held[other]) >= at and may_pair(other, row):
                yield other, row
                break
        if sense not in seen:
            seen.add(sense)
            for place in places:
                place.append(row)


def _held(about: str) -> dict[str, float]:
    return {feature: _weight(feature) for feature in _counting(about)}


def _telling(held: dict[str, float], spread: Counter[str], at: float) -> list[str]:
    """So many of the rarest features that a question without any of them cannot be `at` alike."""
    may_lack = sum(held.values()) * (1 - at / (2 - at))
    found: list[str] = []
    for feature in sorted(held, key=lambda f: (spread[f], f)):
        found.append(feature)
        may_lack -= held[feature]
        if may_lack < 0:
            break
    return found


def _likeness(one: dict[str, float], other: dict[str, float]) -> float:
    shared = sum(weight for feature, weight in one.items() if feature in other)
    return 2 * shared / (sum(one.values()) + sum(other.values()))
