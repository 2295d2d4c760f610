"""Multi-question segmentation: splits a message into the questions it contains. Pure."""

from __future__ import annotations

import re

from faqbot.language.normalize import normalise, only_fillers, strip_fillers

# More parts are a list or a story rather than questions.
MAX_PARTS = 3
# A shorter part asks nothing by itself.
_MIN_PART_CHARS = 3
# Between questions: punctuation, a blank, a line, or a word that begins another one. 、 joins words of one question.
_BORDER = re.compile(
    r"[，,；;。？?！!\n]+|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])|"
    r"(?=(?:还有|另外|以及|顺便|对了|然后再|再问)(?![没多几]))"
)
# Words that join a question to the one before it.
_CONJUNCTIONS = re.compile(r"^(?:还有(?:就是)?|另外|以及|顺便(?:问(?:一下|下)?)?|对了|然后|再问(?:一下|下)?|那么?|和)+")
_QUESTION_WORDS = re.compile(
    r"几(?!乎)|多少|多[久长大]|怎么|怎样|如何|什么|啥|哪|谁|吗|(?<!那)(?<!这)么$|咋|能不能|可不可以|是不是|有没有|要不要|会不会|"
    r"是否|为何|多高|行不行|能否|需不需要|算不算"
)


def asks(text: str) -> bool:
    """Return True if a text is a question by its words."""
    normalised = normalise(text)
    return normalised.endswith("呢") or _QUESTION_WORDS.search(normalised) is not None


def parts_of(text: str) -> tuple[str, ...]:
    """Cut a text into its two or three questions; empty where it holds one only or cannot be cut.

    A piece that stands before a question without asking anything, such as a circumstance, stays with it.
    """
    pieces = [piece.strip() for piece in _BORDER.split(text)]
    parts: list[str] = []
    circumstance = ""
    for piece in pieces:
        if not piece or only_fillers(normalise(piece)):
            continue
        question = _CONJUNCTIONS.sub("", piece).strip()
        if not asks(question):
            circumstance = f"{circumstance}{piece}，"
            continue
        parts.append(f"{circumstance}{question}")
        circumstance = ""
    if circumstance and parts:
        # A piece behind the last question belongs to it.
        parts[-1] = f"{parts[-1]}，{circumstance.rstrip('，')}"
    long_enough = all(len(strip_fillers(normalise(part))) >= _MIN_PART_CHARS for part in parts)
    return tuple(parts) if long_enough and 1 < len(parts) <= MAX_PARTS else ()
