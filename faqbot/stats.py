"""What question records add up to, every number with the records behind it; and the gaps that missed questions show:
which of them ask the same. Pure; where records come from and how they are shown is left to others."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from faqbot import sound
from faqbot.dialogue import CONTEXT_SECONDS, NO_TOPIC, picked_number
from faqbot.features import features
from faqbot.model import Entry, Period, QuestionRecord
from faqbot.text import normalise, skeleton, strip_fillers

DELETED = "（已删除）"
NOT_FOUND = "（没有找到）"
DELIVERED = "ok"


class Fate(StrEnum):
    """What a question came to; each has exactly one."""

    ANSWERED = "answered"  # at once
    PICKED = "picked"  # from a list
    OFFERED = "offered"  # a list was shown, nothing picked
    MISSED = "missed"
    FAILED = "failed"  # whatever was decided, it did not reach the asker


_OUTCOMES = ("answered", "picked", "offered", "unanswered", "broken")
_FATES = dict(zip(_OUTCOMES, Fate, strict=True))


@dataclass(slots=True)
class Asked:
    """One question: its record and, where a list was sent, the records of what was picked from it.

    What is picked from a list that is not on record, as from a menu, stands for itself.
    """

    record: QuestionRecord
    picks: list[QuestionRecord] = field(default_factory=list)

    @property
    def records(self) -> tuple[QuestionRecord, ...]:
        return (self.record, *self.picks)

    @property
    def fate(self) -> Fate:
        if not self.picks:
            return _FATES[self.record.outcome] if self.record.delivery == DELIVERED else Fate.FAILED
        return Fate.PICKED if any(p.delivery == DELIVERED for p in self.picks) else Fate.FAILED

    @property
    def answers(self) -> tuple[str, ...]:
        """The entries whose answers reached the asker."""
        got = (r for r in self.records if r.outcome in ("answered", "picked") and r.delivery == DELIVERED)
        return tuple(dict.fromkeys(r.entry_id for r in got))

    @property
    def entry_id(self) -> str:
        """The entry it was about, as far as is known."""
        return self.records[-1].entry_id

    @property
    def helpful(self) -> bool | None:
        """How it was rated. No record says so yet; the field is read as soon as records have it."""
        rated = [h for r in self.records if (h := getattr(r, "helpful", None)) is not None]
        return bool(rated[-1]) if rated else None


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that have something in common: a day, a topic, an entry, a person."""

    name: str
    asked: tuple[Asked, ...] = ()

    def of(self, fate: Fate) -> tuple[Asked, ...]:
        return tuple(a for a in self.asked if a.fate is fate)

    @property
    def counts(self) -> Mapping[Fate, int]:
        found = Counter(a.fate for a in self.asked)
        return {fate: found[fate] for fate in Fate}


def pair(records: Iterable[QuestionRecord]) -> list[Asked]:
    """Put picks beside the list they were made from: the last one in the same thread, ten minutes old at most.

    Records with an outcome that is not known here are no questions.
    """
    asked: list[Asked] = []
    lists: dict[tuple[str, str], Asked] = {}
    for record in sorted(records, key=lambda r: r.asked_at):
        if record.outcome not in _FATES:
            continue
        thread = (record.conversation_id, record.asker)
        offer = lists.get(thread)
        if record.outcome == "picked" and offer and record.asked_at - offer.record.asked_at <= CONTEXT_SECONDS:
            offer.picks.append(record)
            continue
        asked.append(Asked(record))
        if record.outcome == "offered" and record.delivery == DELIVERED:
            lists[thread] = asked[-1]
    return asked


class Stats:
    """The questions asked from `since` until before `until`, whose zone says where a day begins.

    Records shortly before and after may be among `records`: picks belong to the time of their question.
    """

    def __init__(
        self, records: Iterable[QuestionRecord], since: datetime, until: datetime, entries: Mapping[str, Entry]
    ) -> None:
        self.since, self.until, self.entries = since, until, entries
        start, end = since.timestamp(), until.timestamp()
        self.asked = tuple(a for a in pair(records) if start <= a.record.asked_at < end)

    @property
    def records(self) -> tuple[QuestionRecord, ...]:
        """All records, in the order in which they were made."""
        return tuple(sorted((r for a in self.asked for r in a.records), key=lambda r: r.asked_at))

    def of(self, fate: Fate) -> tuple[Asked, ...]:
        return Group("", self.asked).of(fate)

    def share(self, fate: Fate) -> float:
        """The part of all questions that came to this; 0 where there are none."""
        return len(self.of(fate)) / len(self.asked) if self.asked else 0.0

    @property
    def people(self) -> int:
        return len(self.by_person())

    @property
    def disliked(self) -> tuple[Asked, ...]:
        return tuple(a for a in self.asked if a.helpful is False)

    def by_person(self) -> tuple[Group, ...]:
        return _most_first((a.record.asker, a) for a in self.asked if a.record.asker)

    def by_day(self) -> tuple[Group, ...]:
        """One group for each day, empty ones too; its name is the date."""
        return self._by_time(1)

    def by_week(self) -> tuple[Group, ...]:
        """One group for each week, empty ones too; its name is the date of its Monday."""
        return self._by_time(7)

    def by_topic(self) -> tuple[Group, ...]:
        return _most_first((self.topic(a), a) for a in self.asked)

    def topic(self, asked: Asked) -> str:
        if not asked.entry_id:
            return NOT_FOUND
        entry = self.entries.get(asked.entry_id)
        return (entry.topic or NO_TOPIC) if entry else DELETED

    def by_entry(self) -> tuple[Group, ...]:
        """The questions each entry answered, the most first; entries removed since are among them."""
        return _most_first((entry_id, a) for a in self.asked for entry_id in a.answers)

    def hot(self, most: int = 10) -> tuple[Group, ...]:
        return self.by_entry()[:most]

    def cold(self, hits: int = 2) -> tuple[Group, ...]:
        """Entries that answered at most so many questions, but some; the fewest first."""
        few = [g for g in self.by_entry() if len(g.asked) <= hits and g.name in self.entries]
        return tuple(sorted(few, key=lambda g: len(g.asked)))

    def never(self) -> tuple[Entry, ...]:
        """Entries that answered nothing although they could have."""
        hit = {g.name for g in self.by_entry()}
        period = Period(self.since.date(), self.until.date())
        live = (e for e in self.entries.values() if not e.draft and not e.held and e.valid.overlaps(period))
        return tuple(e for e in live if e.id not in hit)

    def failures(self) -> tuple[Group, ...]:
        """What did not arrive, by reason: DingTalk's code or a short word."""
        return _most_first((_reason(a), a) for a in self.of(Fate.FAILED))

    def _by_time(self, days: int) -> tuple[Group, ...]:
        zone = self.since.tzinfo or UTC
        found: dict[date, list[Asked]] = {}
        for asked in self.asked:
            day = datetime.fromtimestamp(asked.record.asked_at, zone).date()
            found.setdefault(_first_day(day, days), []).append(asked)
        start = _first_day(self.since.date(), days)
        # `until` itself is outside.
        last = (self.until - timedelta(microseconds=1)).date()
        shown = (start + timedelta(days=n) for n in range(0, (last - start).days + 1, days))
        return tuple(Group(day.isoformat(), tuple(found.get(day, ()))) for day in shown)


def _first_day(day: date, days: int) -> date:
    return day - timedelta(days=day.weekday()) if days == 7 else day


def _reason(asked: Asked) -> str:
    return next(r.delivery for r in reversed(asked.records) if r.delivery != DELIVERED or r.outcome == "broken")


def _most_first(named: Iterable[tuple[str, Asked]]) -> tuple[Group, ...]:
    found: dict[str, list[Asked]] = {}
    for name, asked in named:
        found.setdefault(name, []).append(asked)
    groups = (Group(name, tuple(asked)) for name, asked in found.items())
    return tuple(sorted(groups, key=lambda g: (-len(g.asked), g.name)))


@dataclass(frozen=True, slots=True)
class Wording:
    """One way in which it was asked."""

    text: str
    times: int
    people: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Missed questions that ask the same. `text` is the most typical wording and `key` its name, which stays when
    others join; `keys` has that of every wording, so that a mark is found again when another becomes typical."""

    key: str
    keys: frozenset[str]
    text: str
    wordings: tuple[Wording, ...]
    people: int
    entry_id: str  # the nearest entry, where one was offered
    records: tuple[QuestionRecord, ...]  # oldest first

    @property
    def times(self) -> int:
        return len(self.records)

    @property
    def first(self) -> float:
        return self.records[0].asked_at

    @property
    def last(self) -> float:
        return self.records[-1].asked_at


def gaps(records: Iterable[QuestionRecord]) -> list[QuestionRecord]:
    """The records of questions nobody got an answer to: none was found, or nothing on the list was it."""
    open_ = [a.record for a in pair(records) if not a.picks]
    # From a list that did not arrive nobody could pick; a bare number was picked from a list whose entry is gone.
    missed = [r for r in open_ if r.outcome == "unanswered" or (r.outcome == "offered" and r.delivery == DELIVERED)]
    return [r for r in missed if picked_number(r.text) is None]


def clusters(records: Iterable[QuestionRecord], fold: Callable[[str], str]) -> list[Cluster]:
    """Group the gaps among `records`: what most people asked first, then what was asked most often, then last.

    `fold` is the form in which texts are compared, with the synonyms of the knowledge: Index.fold.
    """
    same: dict[str, list[QuestionRecord]] = {}
    for record in gaps(records):
        folded = fold(record.text)
        same.setdefault(folded or record.text.strip(), []).append(record)
    by_weight = sorted(same.items(), key=lambda item: (-_people(item[1]), -len(item[1]), item[1][0].asked_at))
    leaders = _leaders([_read(folded) for folded, _ in by_weight])
    found: dict[int, list[tuple[str, list[QuestionRecord]]]] = {}
    for leader, item in zip(leaders, by_weight, strict=True):
        found.setdefault(leader, []).append(item)
    return sorted(map(_cluster, found.values()), key=lambda c: (-c.people, -c.times, -c.last, c.key))


def key_of(text: str) -> str:
    """The key of a wording; padding, script and punctuation do not change it."""
    plain = skeleton(strip_fillers(normalise(text))) or text.strip()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:12]


def _people(records: Iterable[QuestionRecord]) -> int:
    return len({r.asker for r in records})


def _cluster(items: Sequence[tuple[str, list[QuestionRecord]]]) -> Cluster:
    records = sorted((r for _, found in items for r in found), key=lambda r: r.asked_at)
    worded: dict[str, list[QuestionRecord]] = {}
    for record in records:
        worded.setdefault(normalise(record.text) or record.text.strip(), []).append(record)
    wordings = [Wording(_commonest(r.text.strip() for r in w), len(w), _people(w)) for w in worded.values()]
    wordings.sort(key=lambda w: (-w.people, -w.times))
    text = _typical(wordings).text
    keys = frozenset(key_of(w.text) for w in wordings)
    entry_id = _commonest(r.entry_id for r in records if r.entry_id)
    return Cluster(key_of(text), keys, text, tuple(wordings), _people(records), entry_id, tuple(records))


def _commonest(texts: Iterable[str]) -> str:
    return next((text for text, _ in Counter(texts).most_common(1)), "")


# So many wordings are compared to find the most typical one.
_COMPARED = 30


def _typical(wordings: Sequence[Wording]) -> Wording:
    """The one most people use; among equals the one most like the others."""
    compared = wordings[:_COMPARED]
    best = [w for w in compared if (w.people, w.times) == (compared[0].people, compared[0].times)]
    return max(best, key=lambda w: sum(fuzz.ratio(w.text, other.text) for other in compared))


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
    r"申请|办理(?!公)|领取|操作|需要|应该|想要|我们|咱们|大家|公司|员工|今[年天]|目前|(?<!\d)1(?=个?[天月人张次年份])"
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
class _Sense:
    """What a question is about, what it may want to know of it, as bits, and the words that must agree."""

    about: str
    wanted: int
    deciding: frozenset[str]


def _read(folded: str) -> _Sense:
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
    return _Sense(about, wanted or _ANYTHING, frozenset(_DECIDING.findall(about)))


def _counting(about: str) -> list[str]:
    """The features that are compared: longer runs of characters and of letters are not."""
    return [f for f in features(about) if _kind(f) in _WEIGHTS] or [about]


def _kind(feature: str) -> str:
    return feature[:2] if feature[1:2] == ":" else str(len(feature))


def _weight(feature: str) -> float:
    return _WEIGHTS.get(_kind(feature), 1.0) * (_LIGHTER if _LIGHT & set(feature) else 1.0)


def _comparing(senses: Sequence[_Sense]) -> Callable[[int], npt.NDArray[np.float64]]:
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


def _leaders(senses: Sequence[_Sense]) -> list[int]:
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
    return "".join(unit for _, unit in sound.spell(about)) if len(about) >= _SOUND_LENGTH else ""


def _numbered(values: Sequence[object]) -> npt.NDArray[np.int64]:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)
