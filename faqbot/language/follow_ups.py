"""Ellipsis resolution: expands follow-up questions by the question before: `那病假呢`, `怎么申请`. Pure."""

from __future__ import annotations

import re

from faqbot.language.normalize import normalise, strip_fillers

# A longer text says itself what it is about.
MAX_FOLLOW_UP_CHARS = 12
# A remark on the answer, before the next question.
_REMARK = re.compile(
    r"^(?:好[的吧]?|嗯+|哦+|噢+|行|ok|明白了?|知道了?|了解了?|收到|谢谢|懂了)+(?=那|然后|还有|再问|[要在多怎什咋啥哪找几可能需谁用])"
)
# 不 and 没 at the end ask: 扣工资不, 有夜宵没.
_ASKED_BY_NO = re.compile(r"(?<=..)(?:不呢?|没有?)[呀啊]?$")
# Words that lead over from the question before.
_LEAD_IN = re.compile(r"^(?:那么?|然后|还有|另外|再问(?:一下|下)?|要是|如果是?|换成|比如说?|对于|关于|针对)+")
# Endings that ask the same again: 也一样吗, 呢.
_SAME_AGAIN = re.compile(
    r"(?:也?(?:是)?(?:一样|同样|这样|这么多|如此)|也(?:可以|能|有|行|要|算|是))(?:的)?(?:吗|么|嘛|不)?$|"
    r"(?:怎么样|怎样|呢)$"
)
# The whole of what is asked by 试用期也一样吗 stands in the question before; 和转正后也一样吗 names it.
_NOTHING_ELSE = re.compile(r"也(?:是)?(?:一样|同样|这样|这么多|如此)(?:的)?(?:吗|么|嘛|不)?$")
_OF_SUBJECT = re.compile(
    r"(?:也|还|都)?(?:能不能|可不可以|要不要|是不是|会不会|用不用|需不需要|可以|能够?|需要|要|会|得|用|必须)(?!怎么|什么|多|几|谁|哪)"
)
_HOLDS = re.compile(r"(?:[算行包含]|可以|也[能可要算有行])(?:吗|么|嘛|不)$")
_NAMED = re.compile("[和跟与同比]")
# Behind 怎么 these stand for any action and say nothing about the subject.
_EMPTY_ACTIONS = {"办", "弄", "搞", "做", "处理", "操作", "天"}
# The place in a question at which its subject ends and the asking begins.
_ASKING = re.compile(
    r"有(?:几|多少|多长|没有|什么|哪)|可不可以|能不能|是不是|要不要|可以|要(?:几|多|什么|提前|怎么)|多少|多[久长大]|几(?!乎)|"
    r"怎么|怎样|如何|什么|啥|哪|谁|是|有|能|要(?![是么])|需要|会"
)


def expansions(text: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """Expand a short text to full questions that it may mean after the questions `before`, which ask the same in
    different words.

    Its own words replace the subject, or follow it. A text that names its subject itself has no expansions.
    """
    whole = _whole(text)
    core = _core(whole) or _LEAD_IN.sub("", whole)
    if not core or len(core) > MAX_FOLLOW_UP_CHARS:
        return ()
    expanded: list[str] = []
    for question in dict.fromkeys(strip_fillers(normalise(q)) for q in before):
        match = _ASKING.search(question)
        subject, asking = (question[: match.start()], question[match.start() :]) if match else (question, "")
        if not subject or subject in core:
            continue
        if _ASKING.search(core):
            # It asks already: only the subject is missing.
            expanded.append(subject + core)
            continue
        # 扣工资 behind 涨多少工资 has its own 工资.
        if match and not any(core[n : n + 2] in asking for n in range(len(core) - 1)):
            expanded += [core + asking, f"{core}{subject[-2:]}{asking}"]
        expanded += [core + question, question + core]
    return tuple(dict.fromkeys(one for one in expanded if one != whole and len(one) > len(core)))


def asks_the_same(text: str) -> bool:
    """Return True if a short text asks whether the same holds, as 外包也一样吗 does; the question before tells what."""
    core = strip_fillers(normalise(text))
    match = _NOTHING_ELSE.search(core)
    return match is not None and match.start() <= MAX_FOLLOW_UP_CHARS and not _NAMED.search(core[: match.start()])


def leads_on(text: str) -> bool:
    """Return True if a text leads over from what was said before, or asks the same again: 那离职了呢."""
    whole = _whole(text)
    return _LEAD_IN.match(whole) is not None or normalise(text).endswith("呢") or _SAME_AGAIN.search(whole) is not None


def needs_subject(text: str) -> bool:
    """Return True if a text asks of its subject, which it does not name, whether something holds: 周末算吗, 能寄吗."""
    return _OF_SUBJECT.match(_whole(text)) is not None or _HOLDS.search(normalise(text)) is not None


def without_lead_in(text: str) -> str:
    """Return a text without the words that lead over from what was said before: 怎么申请 of 那怎么申请."""
    return _LEAD_IN.sub("", _REMARK.sub("", text.strip()).lstrip("，,。；;!！~ ")) or text


def own_words(text: str) -> str:
    """Return the words that a short text itself adds: 病假 of 那病假呢."""
    whole = _whole(text)
    return _core(whole) or whole


def without_asking(text: str) -> list[str]:
    """List the subjects of a text, between the words that ask: 年假 of 有年假, 赔 of 怎么赔, nothing of 几天."""
    return [word for word in _ASKING.split(text) if word and word not in _EMPTY_ACTIONS]


def _whole(text: str) -> str:
    """Return a normalised text without fillers and without a remark on the answer before it."""
    return _REMARK.sub("", _ASKED_BY_NO.sub("", strip_fillers(normalise(text))))


def _core(text: str) -> str:
    """Drop words that lead over from the question before or repeat it."""
    return _SAME_AGAIN.sub("", _LEAD_IN.sub("", text))
