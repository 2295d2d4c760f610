"""Whether a question says the opposite of the wording it was matched with: 不/没, 离职/在职, 试用期/转正. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from faqbot.language.gazetteer import is_place, places_in
from faqbot.language.normalize import normalise, strip_fillers
from faqbot.model.entries import Entry

_Side = re.Pattern[str]

# Sides of which a question means one: nearly the same words around 离职 and 在职 ask different things.
_FAMILIES = tuple(
    tuple(re.compile(side) for side in sides)
    for sides in (
        ("在职", "离职|辞职|离开公司|走人|离任", "入职|新来|刚来|报到"),
        ("试用期|试用|见习|[没未]转正|转正前|转正之前", "转正[后了]|转正以后|已转正|正式员工|过了试用"),
        ("涨|上调|调高|加薪|增加|提高", "扣|降|下调|调低|减少|减薪|罚"),
        ("迟到", "早退"),
        ("上班", "下班"),
        ("(?<!子)(?<!儿)女(?!儿|婿)|妈妈|母亲|产假(?<!陪产假)", "男|爸爸|父亲|陪产|老公"),
        ("国内|境内", "国外|海外|境外|出国"),
        (
            "工作日|平时|平日",
            "周末|双休日|休息日|周[六日]|星期[六日]",
            "节假日|法定假|春节|国庆|五一|元旦|中秋|端午|清明",
        ),
        ("开通|启用|开启|打开", "关闭|停用|注销|关掉|停掉"),
        ("借", "归还|还(?:给|回|掉)|退还"),
        ("提前", "推迟|延迟|延后|延期|晚几天"),
        ("主动|自己(?:要|想|提)?[离辞]|自愿", "被[辞裁开解]|公司辞退|裁员|辞退"),
        ("全职", "兼职"),
        ("已经?[休用交]|[休用交][完过]了", "[未没][休用交]|剩"),
        ("买|购", "卖|出售"),
        ("申请|提交|怎么请|请假|预[定订约]|报名|办理", "取消|撤销|撤回|作废|退订|退掉"),
        ("丢|遗失|掉了|弄没", "捡到|拾到|找到了"),
        ("公司付|公司出|公司承担|公司报销", "自己付|自己出|个人承担|自费|自掏"),
        ("法定年假", "福利年假|公司年假"),
        ("首次|第一次|头一次", "再次|第二次|又一次"),
        ("内部|内招|内推", "外部|外招"),
        ("转入|转进来|迁入", "转出|转走|迁出"),
        ("收入|收到的|进账", "支出|付出"),
        ("税前", "税后"),
        ("本人|我自己", "家属|家人|配偶|亲属|孩子|子女|父母|老人"),
        ("满勤|全勤", "缺勤|旷工"),
        ("现金", "转账|刷卡|对公"),
    )
)
# Conditions that an answer holds for only if the entry speaks of them at all.
_CONDITIONS = tuple(
    re.compile(c)
    for c in (
        "试用|见习|转正", "实习", "外包|派遣", "兼职", "返聘", "退休", "取消|撤销|撤回", "国外|海外|境外|出国",
        "离职|辞职|辞退|被裁|裁员|走的时候|离开公司|最后工作日|不干了", "应届", "怀孕|孕期", "哺乳期", "外籍|外国人",
        "异地|外地", "夜班|倒班", "股票|期权|分红", "晋升|升职", "转岗|调岗|换岗|换部门",
    )
)  # fmt: skip
# Kinds of one thing with rules of their own: an entry about one, which never speaks of another, does not answer for it.
_KINDS = tuple(
    tuple(re.compile(kind) for kind in kinds)
    for kinds in (
        (
            "年假|年休", "婚假|结婚假", "(?<!陪)产假(?!护)", "陪产", "病假", "(?<!人)事假", "丧假", "育儿假", "调休",
            "探亲假", "护理假|陪护假|陪床假", "哺乳", "工伤假", "产检",
        ),
        ("公积金", "社保|社会保险|医保|养老|五险", "个税|所得税|汇算|专项附加"),
    )
)  # fmt: skip
# A question about leave as such, of no kind: 怎么请假, 请假流程, 请假要提前几天.
_LEAVES = _KINDS[0]
_LEAVE_AT_ALL = re.compile(
    "(?:请|休|放)?(?:假期|假条|假)|怎么|如何|流程|手续|申请|规定|制度|提前|几天|多久|多少天|什么|哪里|找谁|可以|需要|想|要|请|办理|走"
)
_ANYWHERE = {"外地", "老家", "国外", "海外", "境外"}

# 能不能, 有没有, 休不休: both ways at once. And what is only said, not denied.
_BOTH = re.compile(r"(.{1,2})[不没]\1|有没|可不可以|需不需要|应不应该|是否|[不没]$|没有$")
_IDIOM = re.compile(
    "不好意思|差不多|不过|不同|不错|不少|不止|不仅|不管|不论|不然|对不起|没事|没关系|不久|不足|不满|不超过|不到|"
    "不知道?|不清楚|不懂|不明白|不会|不了解|不太|未来|不一样|不舒服"
)
_DENIED = re.compile(
    "(?:不是|不能|不可以|不用|不需要|不必|不想|不要|没有|没能|没法|未能|没|不|未|无|别|勿|拒绝|禁止)(?P<what>.?)"
)
# A wording with one of these denies too, whatever it denies: what is made up for (补) was not there.
_DENIES = re.compile("[不没未无非别勿拒忘漏缺丢免]|补(?![偿贴助充])|错过|失败|过期|失效|消失|停[用机]|断[了缴]|中断")


def opposed(question: str, matched: str, entry: Entry) -> bool:
    """Whether the question must not be answered outright by an entry because of what it denies, on which side of
    such a pair it stands, or for which condition or kind it asks. `matched` is the wording found most like it."""
    asked, found = _plain(question), _plain(matched)
    if asked == found:
        return False
    if _denies_otherwise(asked, found) or _other_side(asked, found, entry):
        return True
    if _any_kind(asked, entry) or _other_kind(asked, entry):
        return True
    return _other_condition(asked, entry) or _elsewhere(asked, entry)


def apart(asked: str, other: str) -> bool:
    """Whether the two, folded, stand on different sides of a pair: what speaks of one says nothing on the other."""
    for sides in _FAMILIES:
        mine = [side for side in sides if side.search(asked)]
        if len(mine) == 1 and not mine[0].search(other) and any(side.search(other) for side in sides):
            return True
    return False


@lru_cache(maxsize=8192)
def _plain(text: str) -> str:
    return strip_fillers(normalise(text))


def _denies_otherwise(asked: str, found: str) -> bool:
    """One of the two denies what the other says plainly."""
    return _denies_what_is_said(asked, found) or _denies_what_is_said(found, asked)


def _denies_what_is_said(denying: str, saying: str) -> bool:
    denied = {d["what"] for d in _DENIED.finditer(_undenied(denying)) if d["what"].strip()}
    if not denied:
        return False
    plain = _undenied(saying)
    return not _DENIES.search(plain) and any(what in plain for what in denied)


def _undenied(text: str) -> str:
    """The text without words that only look like a denial."""
    return _BOTH.sub(" ", _IDIOM.sub(" ", text))


def _other_side(asked: str, found: str, entry: Entry) -> bool:
    """The question stands on one side of a pair, and the wording, or else all of the entry's, on another."""
    for mine, others in _sides_of(asked):
        if mine.search(found) or mine.search(_plain(entry.question)):
            continue
        if any(side.search(found) for side in others):
            return True
        said = [_plain(wording) for wording in entry.wordings]
        if any(side.search(w) for side in others for w in said) and not any(mine.search(w) for w in said):
            return True
    return False


# What a text speaks of is kept, like its plain form: many people ask the same.
@lru_cache(maxsize=8192)
def _sides_of(asked: str) -> tuple[tuple[_Side, tuple[_Side, ...]], ...]:
    """Each side of a pair that the question alone stands on, and the sides against it."""
    found = []
    for sides in _FAMILIES:
        mine = [side for side in sides if side.search(asked)]
        if len(mine) == 1:
            found.append((mine[0], tuple(side for side in sides if side is not mine[0])))
    return tuple(found)


@lru_cache(maxsize=8192)
def _conditions_of(asked: str) -> tuple[_Side, ...]:
    return tuple(condition for condition in _CONDITIONS if condition.search(asked))


@lru_cache(maxsize=8192)
def _kinds_of(asked: str) -> tuple[tuple[tuple[_Side, ...], tuple[_Side, ...]], ...]:
    """The kinds that the question names, and all of their family."""
    named = ((tuple(kind for kind in kinds if kind.search(asked)), kinds) for kinds in _KINDS)
    return tuple((mine, kinds) for mine, kinds in named if mine)


def _other_condition(asked: str, entry: Entry) -> bool:
    """The question is about a condition that the entry does not speak of."""
    conditions = _conditions_of(asked)
    return any(not any(condition.search(text) for text in _said(entry)) for condition in conditions)


def _elsewhere(asked: str, entry: Entry) -> bool:
    """The question names a place that the entry, which names others, does not speak of."""
    mine = set(places_in(asked)) - _ANYWHERE
    if not mine or any(map(is_place, entry.variants)):
        # Where an entry answers by the place, what it was asked for decides.
        return False
    said = {place for text in _said(entry) for place in places_in(text)} - _ANYWHERE
    return bool(said) and not mine & said


def _any_kind(asked: str, entry: Entry) -> bool:
    """The question is about leave of no kind in particular, and the entry about one kind."""
    if "假" not in asked or _LEAVE_AT_ALL.sub("", asked):
        return False
    return any(kind.search(_plain(entry.question)) for kind in _LEAVES)


def _other_kind(asked: str, entry: Entry) -> bool:
    """The question names a kind that the entry, which names others, does not speak of."""
    for mine, kinds in _kinds_of(asked):
        if any(kind.search(case) for kind in kinds for case in entry.variants):
            # Where an entry answers by the kind, what it was asked for decides.
            continue
        said = _said(entry)
        unspoken = not any(kind.search(text) for kind in mine for text in said)
        if unspoken and any(kind.search(text) for kind in kinds for text in said):
            return True
    return False


def _said(entry: Entry) -> tuple[str, ...]:
    return (*map(_plain, entry.wordings), entry.answer, *entry.variants, *entry.variants.values())
