"""Two questions in one message: where a text may be cut so that each part asks something by itself. str in, str out."""

from __future__ import annotations

import re

from faqbot.language.normalize import normalise, only_fillers, strip_fillers

PARTS_AT_MOST = 3
# Between questions: punctuation, a blank, a line, or a word that begins another one. 、 joins words of one question.
_BORDER = re.compile(
    r"[，,；;。？?！!\n]+|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])|"
    r"(?=(?:还有|另外|以及|顺便|对了|然后再|再问)(?![没多几]))"
)
_JOINT = re.compile(r"^(?:还有(?:就是)?|另外|以及|顺便(?:问(?:一下|下)?)?|对了|然后|再问(?:一下|下)?|那么?|和)+")
_ASKS = re.compile(
    r"几(?!乎)|多少|多[久长大]|怎么|怎样|如何|什么|啥|哪|谁|吗|(?<!那)(?<!这)么$|咋|能不能|可不可以|是不是|有没有|要不要|会不会|"
    r"是否|为何|多高|行不行|能否|需不需要|算不算"
)


def asks(text: str) -> bool:
    """Whether a text is a question by its words."""
    said = normalise(text)
    return said.endswith("呢") or _ASKS.search(said) is not None


def parts_of(text: str) -> tuple[str, ...]:
    """The two or three questions a text holds, none where it holds one only or cannot be told apart.

    What stands before a question without asking anything, as a circumstance, stays with it.
    """
    pieces = [piece.strip() for piece in _BORDER.split(text)]
    parts: list[str] = []
    before = ""
    for piece in pieces:
        if not piece or only_fillers(normalise(piece)):
            continue
        bare = _JOINT.sub("", piece).strip()
        if not asks(bare):
            before = f"{before}{piece}，"
            continue
        parts.append(f"{before}{bare}")
        before = ""
    if before and parts:
        # What follows the last question belongs to it.
        parts[-1] = f"{parts[-1]}，{before.rstrip('，')}"
    enough = all(len(strip_fillers(normalise(part))) > 2 for part in parts)
    return tuple(parts) if enough and 1 < len(parts) <= PARTS_AT_MOST else ()
