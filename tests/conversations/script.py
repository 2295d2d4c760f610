"""Conversation scripts: who says what and what the bot says, in a form HR can read and write.

【全员群】                     from here on everybody speaks in this group; 【单聊】: each with the bot alone
（现在是 2026-11-25 10:00）     sets the clock; only before anybody has spoken
（群里可以点）                 taps arrive in groups (FAQBOT_GROUP_TAPS=yes); only before anybody has spoken
（知识是 factory）              answers from tests/samples/factory instead of the sample; only before anybody has spoken
（过了 11 分钟）                minutes, hours (小时), days (天) pass
知识 faq/假期.yaml：            the indented lines below become this file of the knowledge, at once;
                              <小李> in it stands for her userId, <【全员群】> for the id of the conversation
小李：年假几天                  says it (in a group to the bot); further lines of it are indented
（机器人没有私聊的权限）         DingTalk refuses what it sends unasked; （机器人有私聊的权限了）: no more
小李的部门是「研发部/基础组」      so it stands in the contacts; <部门 研发部> in a file stands for its number
小李（没有@）：年假几天          says it to the others only
小李 点「都不是」               taps what is called so in the bot's last message here
小李 引用「满 1 年」：有用        says it, quoting the last message here that holds these words
小李 引用「…」（没有字）：有用     the same, but DingTalk passes no text of the quoted message on, as of cards;
                              （什么也没有）: only that it quotes; （是字符串）: its content as JSON in a string
小助手：5 天 … 来源             the next message holds these parts in this order; @小李 is a real mention
    没有：婚假                  indented below it: parts that it does not hold
    还有：休假组                parts it holds anywhere
小助手不说话                    no (further) message
小助手 对小王：…                its next message to 小王 in the single chat
小助手 在【HR群】：…            its next message in that group
没答上的：「…」「…」             exactly these questions are recorded as unanswered so far; 没答上的：没有
# what HR should know about the script
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from faqbot.sandbox.state.faults import QuoteShape

_SECONDS = {"秒": 1, "分钟": 60, "小时": 3600, "天": 86400}
_SHAPES: dict[str, QuoteShape] = {
    "": "object",
    "（没有字）": "no_text",
    "（什么也没有）": "nothing",
    "（是字符串）": "string",
}
_QUOTE = "「(?P<quote>[^」]*)」"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the following is said; no group is everybody's single chat with the bot."""

    group: str


@dataclass(frozen=True, slots=True)
class Now:
    """The time in the time zone of the bot, as in `2026-11-25 10:00`."""

    text: str


@dataclass(frozen=True, slots=True)
class Base:
    """The knowledge that the bot begins with: a folder of tests/samples."""

    name: str


@dataclass(frozen=True, slots=True)
class GroupTaps:
    """Lines that are tapped in a group arrive, as they always do in a single chat."""


@dataclass(frozen=True, slots=True)
class Pass:
    seconds: float


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether the bot may send what is no reply, such as a direct message."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class Write:
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Belongs:
    who: str
    department: str


@dataclass(frozen=True, slots=True)
class Say:
    who: str
    text: str
    quoting: str = ""
    at_bot: bool = True
    quote_shape: QuoteShape = "object"


@dataclass(frozen=True, slots=True)
class Tap:
    who: str
    label: str


@dataclass(frozen=True, slots=True)
class Hear:
    """The bot's next message; `person` or `group` where it is not the conversation people speak in."""

    parts: tuple[str, ...]
    anywhere: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    person: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    pass


@dataclass(frozen=True, slots=True)
class Missed:
    """The questions that wait for HR as unanswered."""

    questions: tuple[str, ...]


Step = Place | Now | Base | GroupTaps | Pass | Permit | Write | Belongs | Say | Tap | Hear | Silence | Missed


def read_script(text: str, bot: str = "小助手") -> list[tuple[int, Step]]:
    """The steps with their line numbers. Raises ValueError, naming the line that is not understood."""
    steps: list[tuple[int, Step]] = []
    for number, head, below in _blocks(text):
        step = _step(head, below, bot)
        if step is None:
            raise ValueError(f"line {number} is not understood: {head}")
        steps.append((number, step))
    return steps


def _blocks(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Each line that begins at the margin with the indented lines below it."""
    head, number, below = "", 0, list[str]()
    for n, line in enumerate(text.splitlines(), 1):
        if line[:1].isspace() or (not line and head.startswith("知识 ")):
            below.append(line)
            continue
        if head:
            yield number, head, below
        head, number, below = ("" if line.startswith("#") else line.strip()), n, []
    if head:
        yield number, head, below


def _step(head: str, below: list[str], bot: str) -> Step | None:
    lines = [line.strip() for line in below if line.strip()]
    if found := re.fullmatch(r"【(.+)】", head):
        return Place("" if found[1] == "单聊" else found[1])
    if found := re.fullmatch(r"（现在是 (.+)）", head):
        return Now(found[1])
    if found := re.fullmatch(r"（知识是 (\w+)）", head):
        return Base(found[1])
    if head == "（群里可以点）":
        return GroupTaps()
    if found := re.fullmatch(r"（过了 ?(\d+) ?(秒|分钟|小时|天)）", head):
        return Pass(int(found[1]) * _SECONDS[found[2]])
    if found := re.fullmatch(r"（机器人(没有|有)私聊的权限了?）", head):
        return Permit(found[1] == "有")
    if found := re.fullmatch(r"知识 (\S+)：", head):
        return Write(found[1], textwrap.dedent("\n".join(below)).strip() + "\n")
    if found := re.fullmatch(rf"(\S+)的部门是{_QUOTE}", head):
        return Belongs(found[1], found["quote"])
    if head == f"{bot}不说话":
        return Silence()
    if found := re.fullmatch(r"没答上的：(没有|(?:「[^」]*」)+)", head):
        return Missed(tuple(re.findall("「([^」]*)」", found[1])))
    if found := re.fullmatch(rf"{bot}(?: (?:对(?P<person>[^：]+)|在【(?P<group>[^】]+)】))?：(?P<parts>.*)", head):
        return _hear(found, lines)
    if found := re.fullmatch(rf"(?P<who>\S+) 点{_QUOTE}", head):
        return Tap(found["who"], found["quote"])
    if found := re.fullmatch(
        rf"(?P<who>(?!{bot})[^\s：（]+)(?P<quiet>（没有@）)?(?: 引用{_QUOTE}(?P<shape>（.+?）)?)?：(?P<text>.*)", head
    ):
        said = "\n".join([found["text"], *lines])
        shape = _SHAPES.get(found["shape"] or "")
        return (
            Say(found["who"], said, found["quote"] or "", at_bot=not found["quiet"], quote_shape=shape)
            if shape
            else None
        )
    return None


def _hear(found: re.Match[str], lines: list[str]) -> Hear | None:
    anywhere: list[str] = []
    missing: list[str] = []
    for line in lines:
        kind, colon, rest = line.partition("：")
        if not colon or kind not in ("没有", "还有"):
            return None
        (missing if kind == "没有" else anywhere).extend(_parts(rest))
    return Hear(
        _parts(found["parts"]),
        tuple(anywhere),
        tuple(missing),
        person=found["person"] or "",
        group=found["group"] or "",
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("…") if part.strip())
