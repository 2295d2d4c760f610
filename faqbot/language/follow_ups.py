"""Questions that lean on the one before: `那病假呢`, `试用期也一样吗`, `怎么申请`. str in, str out."""

from __future__ import annotations

import re

from faqbot.language.normalize import normalise, strip_fillers

# Longer than this a text says itself what it is about.
_SHORT = 12
_LEAD = re.compile(r"^(?:那么?|然后|还有|另外|再问(?:一下|下)?|要是|如果是?|换成|比如说?|对于|关于|针对)+")
_SAME = re.compile(
    r"(?:也?(?:是)?(?:一样|同样|这样|这么多|如此)|也(?:可以|能|有|行|要|算|是))(?:的)?(?:吗|么|嘛|不)?$|"
    r"(?:怎么样|怎样|呢)$"
)
# Behind 怎么 these stand for whatever is to be done.
_ANYTHING = {"办", "弄", "搞", "做", "处理", "操作", "天"}
# Where in a question its subject ends and the asking begins.
_ASKING = re.compile(
    r"有(?:几|多少|多长|没有|什么|哪)|可不可以|能不能|是不是|要不要|可以|要(?:几|多|什么|提前|怎么)|多少|多[久长大]|几(?!乎)|"
    r"怎么|怎样|如何|什么|啥|哪|谁|是|有|能|要(?![是么])|需要|会"
)


def expansions(text: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """What a short text may mean after the questions `before`, which ask the same in other words: its own words in the
    place of the subject, or behind the subject; none for a text that says itself what it is about."""
    said = strip_fillers(normalise(text))
    core = _SAME.sub("", _LEAD.sub("", said)) or _LEAD.sub("", said)
    if not core or len(core) > _SHORT:
        return ()
    found: list[str] = []
    for question in dict.fromkeys(strip_fillers(normalise(q)) for q in before):
        at = _ASKING.search(question)
        subject, asking = (question[: at.start()], question[at.start() :]) if at else (question, "")
        if not subject or subject in core:
            continue
        if _ASKING.search(core):
            # It asks already: what is missing is what about.
            found.append(subject + core)
            continue
        # 扣工资 behind 涨多少工资 has its own 工资.
        if at and not any(core[n : n + 2] in asking for n in range(len(core) - 1)):
            found += [core + asking, f"{core}{subject[-2:]}{asking}"]
        found += [core + question, question + core]
    return tuple(dict.fromkeys(f for f in found if f != said and len(f) > len(core)))


def own_words(text: str) -> str:
    """What a short text itself brings: 病假 of 那病假呢."""
    said = strip_fillers(normalise(text))
    return _SAME.sub("", _LEAD.sub("", said)) or said


def without_asking(text: str) -> list[str]:
    """What a text is about, between the words that ask: 年假 of 有年假, 赔 of 怎么赔, nothing of 几天 and 怎么办."""
    return [word for word in _ASKING.split(text) if word and word not in _ANYTHING]
