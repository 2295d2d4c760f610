"""The turns that random orders are made of, and how an order reads as a conversation script."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Literal

from tests.conversations.fuzz.knowledge import GROUPS, PEOPLE, SETTING


class Kind(StrEnum):
    """Why somebody says something."""

    QUESTION = "question"
    SEVERAL_MEANT = "several entries may be meant"
    DEPENDS = "the answer depends on the asker"
    PRIVATE = "private question"
    LIMITED = "question about a limited entry"
    FOLLOW_UP = "follow-up"
    CASE = "which case holds"
    NUMBER = "pick by number"
    WORD = "pick by a word"
    NONE = "none of these"
    REMARK = "remark"
    RATING = "rating"
    SAME = "the same question as a colleague"
    WHY = "about the last answer"
    PERSON = "wants a person"
    PERSON_FOR = "wants a person for a question"
    PRIVATE_PERSON = "wants a person for a private question"
    CANCEL = "cancel"
    MENU = "menu"
    HOTTEST = "what everybody asks"
    TICKET = "answers a ticket"
    PICTURE = "picture"
    ENGLISH = "English"


_TEXTS: Mapping[Kind, str] = {
    Kind.QUESTION: (
        "年假有几天/婚假几天/每个月几号发工资/工牌丢了怎么补/试用期多长/打印机怎么连/出差住宿标准是多少/"
        "离职要提前多久说/怎么转正/内推有奖金吗/会议室怎么订/VPN 怎么用/雨伞在哪里借/访客怎么登记/"
        "报销多久到账/福利年假是什么/病假怎么请/合同盖章怎么走/火星基地的食堂在哪/公司有没有宠物日"
    ),
    Kind.SEVERAL_MEANT: "休假/出差/报销/年假和病假/离职/工资/电脑/证明怎么开/发票/加班",
    Kind.DEPENDS: "产假多少天/班车几点发车/取暖补贴有多少/冬天的取暖费公司给多少/研发值班补贴多少/值一次夜班补多少",
    Kind.PRIVATE: (
        "压力大睡不着可以找谁聊/最近情绪很低落怎么办/急用钱能不能提前拿一个月工资/做试管请假怎么算/"
        "欠款被起诉会扣工资吗/想约心理咨询/预支工资/员工关怀"
    ),
    Kind.LIMITED: (
        "合并请求谁来点/线上出故障了先找谁/楼顶花园什么时候能上去/去健身房要提前约吗/研发须知/研发楼/线上故障"
    ),
    Kind.FOLLOW_UP: (
        "多少钱/多久/怎么申请/在哪拿/需要什么材料/找谁/可以折现吗/那离职了呢/二胎呢/周末算吗/多久能拿到/"
        "那怎么用/提前几天/过期怎么办/在哪盖/那病假呢"
    ),
    Kind.CASE: "我在北京/上海/那杭州呢/魔都/我人在苏州/东区/西区的/那要是在帝都呢/深圳/北京的",
    Kind.NUMBER: (
        "1/1/2/2/3/第二个/就第一个/第一个吧/那就2吧/我要看第3个谢谢/第二个是怎么说的/再看看第3个/1和3/1、2都要/最后一个/"
        "第一个和第三个/４/选 2/都看看/②/5"
    ),
    Kind.WORD: "出差的/年假那个/上面那个/住宿那条/申请的那个/病假的",
    Kind.NONE: "都不是/不是/不是这个/这些都不是",
    Kind.REMARK: (
        "嗯嗯明白了/好的知道了/收到/没事了/不用了/打扰了/早/谢谢/你好/哈哈哈/你好笨/[抱拳]/好的谢谢/你是谁/真是个废物机器人"
    ),
    Kind.RATING: "有用/没用/不太有用/过期/不准/不对/还是不行/你答非所问/不是我问的/👍",
    Kind.SAME: "同问/+1/我也想知道",
    Kind.WHY: "为什么/你确定吗/谁负责",
    Kind.PERSON: "人工/转人工",
    Kind.PERSON_FOR: "人工 年假天数不对/转人工：工资啥时候发/人工 班车司机态度不好/人工 怎么领养一只企鹅",
    Kind.PRIVATE_PERSON: "人工 压力大睡不着可以找谁聊/人工 欠款被起诉会扣工资吗",
    Kind.CANCEL: "取消",
    Kind.MENU: "帮助/我的",
    Kind.HOTTEST: "热门",
    Kind.TICKET: "答 1：可以的",
    Kind.PICTURE: "（图片）",
    Kind.ENGLISH: "how many days of annual leave/hello/when is payday?/thanks",
}
_POOL: Mapping[Kind, Sequence[str]] = {kind: texts.split("/") for kind, texts in _TEXTS.items()}
POOL_SIZE = sum(map(len, _POOL.values()))
_WITH_QUOTE = (
    "",
    "",
    "",
    "没用",
    "在哪",
    "为什么",
    "人工",
    "同问",
    "有用",
    "多少钱",
    "第一个",
    "那北京呢",
    "收到",
    "不对",
)

# HR's list of missed questions must hold none of these, whatever they follow.
NO_QUESTIONS = frozenset(
    {
        Kind.CASE, Kind.NUMBER, Kind.NONE, Kind.REMARK, Kind.RATING, Kind.SAME, Kind.WHY, Kind.PERSON, Kind.CANCEL,
        Kind.MENU, Kind.HOTTEST, Kind.TICKET, Kind.PICTURE,
    }
)  # fmt: skip

# These may be questions where nothing was said to which they can refer.
_MAY_BE_QUESTIONS = "第二个是怎么说的/上海/那杭州呢/魔都/东区/西区的/那要是在帝都呢/深圳/北京的/那北京呢/你确定吗"

_WEIGHTS = {
    Kind.QUESTION: 14, Kind.SEVERAL_MEANT: 14, Kind.DEPENDS: 10, Kind.PRIVATE: 10, Kind.LIMITED: 8, Kind.FOLLOW_UP: 6,
    Kind.CASE: 5, Kind.NUMBER: 6, Kind.WORD: 2, Kind.NONE: 2, Kind.REMARK: 4, Kind.RATING: 3, Kind.SAME: 5, Kind.WHY: 3,
    Kind.PERSON: 3, Kind.PERSON_FOR: 2, Kind.PRIVATE_PERSON: 2, Kind.CANCEL: 2, Kind.MENU: 2, Kind.HOTTEST: 1,
    Kind.TICKET: 1, Kind.PICTURE: 1, Kind.ENGLISH: 2,
}  # fmt: skip
# What is likely to follow what the same person said in the same place.
_AFTER: Mapping[Kind, Sequence[Kind]] = {
    Kind.QUESTION: (
        Kind.FOLLOW_UP,
        Kind.FOLLOW_UP,
        Kind.NUMBER,
        Kind.NUMBER,
        Kind.RATING,
        Kind.WHY,
        Kind.REMARK,
        Kind.PERSON,
    ),
    Kind.SEVERAL_MEANT: (Kind.NUMBER, Kind.NUMBER, Kind.NUMBER, Kind.WORD, Kind.NONE, Kind.FOLLOW_UP),
    Kind.DEPENDS: (Kind.CASE, Kind.CASE, Kind.CASE, Kind.NUMBER),
    Kind.PRIVATE: (Kind.NUMBER, Kind.FOLLOW_UP, Kind.WHY, Kind.RATING, Kind.PERSON, Kind.CASE),
    Kind.LIMITED: (Kind.WHY, Kind.FOLLOW_UP, Kind.NUMBER),
    Kind.CASE: (Kind.DEPENDS, Kind.CASE, Kind.FOLLOW_UP),
    Kind.NUMBER: (Kind.NUMBER, Kind.NUMBER, Kind.NUMBER, Kind.FOLLOW_UP, Kind.WHY, Kind.RATING),
    Kind.PERSON: (Kind.QUESTION, Kind.CANCEL, Kind.FOLLOW_UP, Kind.PRIVATE),
    Kind.RATING: (Kind.RATING, Kind.NUMBER, Kind.QUESTION),
}
_ASKED_BY_SEVERAL = (Kind.QUESTION, Kind.SEVERAL_MEANT, Kind.DEPENDS, Kind.PRIVATE, Kind.LIMITED)
_PAUSES = (4, 8, 15, 15, 20, 30, 30, 40, 70, 70, 90, 200, 400, 650)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a turn quotes: the message of an earlier turn, or the bot's reply to it."""

    turn: int
    part: Literal["message", "reply"]


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that `who` says in the group `where`, or in their single chat if that is empty.

    pause: the seconds since the turn before.
    together: it is said before the one before is answered.
    """

    number: int
    who: str
    where: str
    kind: Kind
    text: str
    pause: int = 0
    quoting: Quote | None = None
    together: bool = False

    @property
    def may_be_question(self) -> bool:
        return self.kind not in NO_QUESTIONS or self.text in _MAY_BE_QUESTIONS.split("/")


Order = tuple[Turn, ...]


def random_order(seed: int) -> Order:
    """The same order for the same seed, on every machine."""
    rng = random.Random(seed)
    turns: list[Turn] = []
    for number in range(rng.randint(6, 10)):
        turns.append(_turn(rng, number, turns))
    return tuple(turns)


def _turn(rng: random.Random, number: int, before: Sequence[Turn]) -> Turn:
    who, where = _place(rng, before)
    pause = rng.choice(_PAUSES)
    here = [t for t in before if t.where == where and (where or t.who == who)]
    if here and rng.random() < 0.14:
        # Mostly one of the last messages, rarely an old one.
        quote = Quote(rng.choice(here[-3:]).number, rng.choice(("message", "reply", "reply")))
        text = rng.choice(_WITH_QUOTE)
        return Turn(number, who, where, _kind_of_quote(text), text, pause, quote)
    others = [t for t in before if t.who != who and t.kind in _ASKED_BY_SEVERAL]
    others = [t for t in others if t.where == where] or others
    if others and rng.random() < 0.2:
        return Turn(number, who, where, others[-1].kind, others[-1].text, pause)
    kind = _kind(rng, [t for t in here if t.who == who], here)
    together = bool(before) and kind not in (Kind.SAME, Kind.HOTTEST) and rng.random() < 0.12
    together = together and before[-1].who != who and before[-1].kind is not Kind.SAME and not before[-1].together
    return Turn(number, who, where, kind, rng.choice(_POOL[kind]), 0 if together else pause, together=together)


def _place(rng: random.Random, before: Sequence[Turn]) -> tuple[str, str]:
    """Mostly where somebody said something already, as else nothing rests on anything."""
    if before and rng.random() < 0.75:
        last = rng.choice(before[-3:])
        if last.where and rng.random() < 0.35:
            return rng.choice(PEOPLE), last.where
        return last.who, last.where
    return rng.choice(PEOPLE), rng.choice((*GROUPS, *GROUPS, ""))


def _kind(rng: random.Random, own: Sequence[Turn], here: Sequence[Turn]) -> Kind:
    if own and rng.random() < 0.7 and (likely := _AFTER.get(own[-1].kind)):
        return rng.choice(likely)
    if here and not own and rng.random() < 0.3:
        return rng.choice((Kind.SAME, Kind.NUMBER, Kind.FOLLOW_UP, Kind.CASE, here[-1].kind))
    return rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]


def _kind_of_quote(text: str) -> Kind:
    kinds = {
        "": Kind.QUESTION, "没用": Kind.RATING, "在哪": Kind.FOLLOW_UP, "为什么": Kind.WHY, "人工": Kind.PERSON,
        "同问": Kind.SAME, "有用": Kind.RATING, "多少钱": Kind.FOLLOW_UP, "第一个": Kind.NUMBER, "那北京呢": Kind.CASE,
        "收到": Kind.REMARK, "不对": Kind.RATING,
    }  # fmt: skip
    return kinds[text]


def without(order: Order, dropped: frozenset[int]) -> Order:
    """The order without some of its turns; the pauses before those are kept. What quoted one of them quotes nothing."""
    left: list[Turn] = []
    pause = 0
    for turn in order:
        pause += turn.pause
        if turn.number in dropped:
            continue
        quoting = None if turn.quoting and turn.quoting.turn in dropped else turn.quoting
        together = turn.together and bool(left) and pause == 0 and left[-1].number == turn.number - 1
        left.append(Turn(turn.number, turn.who, turn.where, turn.kind, turn.text, pause, quoting, together))
        pause = 0
    return tuple(left)


def bursts(order: Order) -> Iterator[Sequence[Turn]]:
    """The turns that are said at once."""
    starts = 0
    numbered: list[tuple[int, Turn]] = []
    for turn in order:
        starts += not turn.together
        numbered.append((starts, turn))
    for _, burst in groupby(numbered, key=lambda pair: pair[0]):
        yield [turn for _, turn in burst]


def as_script(order: Order, quotes: Mapping[int, str], replies: Mapping[int, str]) -> str:
    """The order as a conversation script, with the texts that turns quote, and replies as remarks, by turn."""
    lines = [SETTING.rstrip()]
    where: str | None = None
    for turn in order:
        if turn.pause:
            lines.append(f"（过了 {turn.pause} 秒）")
        if turn.where != where:
            lines.append(f"【{turn.where or '单聊'}】")
            where = turn.where
        if turn.together:
            lines.append("# Before that is answered:")
        if turn.kind is Kind.PICTURE:
            lines.append(f"# {turn.who} sends a picture.")
        else:
            quote = f" 引用「{quotes[turn.number]}」" if turn.number in quotes else ""
            lines.append(f"{turn.who}{quote}：{turn.text}")
        lines.append(f"# {replies[turn.number]}")
    return "\n".join(lines)
