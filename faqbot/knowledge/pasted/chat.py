"""A pasted chat, with names and times between the messages → proposed entries. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faqbot.knowledge.pasted.proposal import ProposedEntry, Reading, asks, surely_asks

_WEEKDAY = r"(?:星期|周)[一二三四五六日天]"
_DAY = rf"(?:\d{{4}}[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}日?|\d{{1,2}}[-/.月]\d{{1,2}}日?|今天|昨天|前天|{_WEEKDAY})"
_CLOCK = r"(?:(?:凌晨|早上|上午|中午|下午|晚上)\s*)?\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?:\s*[AP]M)?"
_TIME = rf"[\[【(（]?\s*(?:{_DAY}\s*)?{_CLOCK}\s*[\]】)）]?"
_NAME = r"(?P<name>[^\s:：?？。，,][^:：?？。，,\t]{0,24}?)"
# Name and time on a line of their own, in either order, or in front of the message.
_HEADINGS = (
    re.compile(rf"^\s*{_NAME}\s*{_TIME}\s*[:：]?\s*$", re.IGNORECASE),
    re.compile(rf"^\s*{_TIME}\s+{_NAME}\s*[:：]?\s*$", re.IGNORECASE),
    re.compile(rf"^\s*{_TIME}\s*{_NAME}\s*[:：]\s*(?P<text>\S.*)$", re.IGNORECASE),
    re.compile(rf"^\s*{_NAME}\s*{_TIME}\s*[:：]\s*(?P<text>\S.*)$", re.IGNORECASE),
)
_NAME_ALONE = re.compile(r"^(?P<name>[^\s:：?？。，,]{2,12})[:：]\s*$")
_ONLY_TIME = re.compile(rf"^\s*(?:[-—–]+\s*)?(?:{_DAY}\s*)?{_CLOCK}(?:\s*[-—–]+)?\s*$|^\s*[-—–]+\s*{_DAY}.*$")
_MENTION = re.compile(r"[@＠][^\s@＠]{1,20}[\s\u2005\u00a0]+|^[@＠][^\s@＠]{1,20}$")
_NOTHING_SAID = re.compile(
    r"^(?:好的?|收到|明白了?|了解了?|谢谢.{0,6}|多谢|感谢|辛苦了|嗯+|哦+|ok|okay|okk|不客气|没事|\+1|\[.{1,6}\]|【?图片】?|[👌👍🙏]+)"
    r"[！!。.~～]*$",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?:(?:你好|您好|大家好|各位好?|hi|hello|在吗|请问|请教(?:一下)?|问一下|想问(?:一下)?)[，,。！!、\s]*)+", re.I
)


@dataclass(frozen=True, slots=True)
class _Said:
    who: str
    text: str


def is_chat(text: str) -> bool:
    """Whether at least two messages of two people stand there."""
    return len({said.who for said in _messages(text)[0]}) > 1


def read_chat(text: str) -> Reading:
    """A question with what somebody else said next; what is neither, such as thanks, is left out."""
    messages, unread = _messages(text)
    messages = [said for said in messages if not _NOTHING_SAID.match(said.text)]
    proposals: list[ProposedEntry] = []
    at = 0
    while at < len(messages):
        said = messages[at]
        question = _GREETING.sub("", said.text).strip()
        if not asks(question.split("\n")[-1]) and not any(map(surely_asks, question.split("\n"))):
            unread.append(f"{said.who}：{said.text}")
            at += 1
            continue
        asked, answers, at = _turn(messages, at)
        proposals.append(_proposed(asked, answers))
    return Reading(tuple(proposals), tuple(unread))


def _turn(messages: Sequence[_Said], at: int) -> tuple[list[_Said], list[_Said], int]:
    """What one person asked in a row, what the first other person said to it in a row, and where it goes on."""
    asker = messages[at].who
    asked: list[_Said] = []
    while at < len(messages) and messages[at].who == asker:
        asked.append(messages[at])
        at += 1
    answers: list[_Said] = []
    while at < len(messages) and messages[at].who != asker and (not answers or messages[at].who == answers[0].who):
        answers.append(messages[at])
        at += 1
    return asked, answers, at


def _proposed(asked: Sequence[_Said], answers: Sequence[_Said]) -> ProposedEntry:
    questions = [_GREETING.sub("", line).strip() for said in asked for line in said.text.split("\n")]
    asking = [line for line in questions if asks(line)] or questions
    answer = "\n".join(said.text for said in answers)
    doubts: list[str] = []
    if len(asking) > 1:
        doubts.append("连着问了几句，请看看是不是同一件事")
    if dropped := [line for line in questions if line and line not in asking]:
        doubts.append(f"提问里还有“{'；'.join(dropped)[:60]}”，没有用到")
    if answers and asks(answer.split("\n")[-1]):
        doubts.append("回答像是在反问，不一定是答案")
    if answer:
        doubts.append("聊天里的话，请改成给所有人看的说法")
    return ProposedEntry(asking[0], answer, tuple(asking[1:]), tuple(doubts))


def _messages(text: str) -> tuple[list[_Said], list[str]]:
    """The messages in order, and what stands above the first of them."""
    found: list[tuple[str, list[str]]] = []
    above: list[str] = []
    lines = text.split("\n")
    # A name with a colon alone on its line is a heading only where there are several of them.
    by_name = sum(bool(_NAME_ALONE.match(line)) for line in lines) > 1
    for line in lines:
        if heading := _heading(line, by_name):
            who, said = heading
            found.append((who, [said] if said else []))
        elif _ONLY_TIME.match(line):
            continue
        elif found:
            found[-1][1].append(line)
        elif line.strip():
            above.append(line.strip())
    return list(_said(found)), above


def _heading(line: str, by_name: bool) -> tuple[str, str] | None:
    for pattern in (*_HEADINGS, *((_NAME_ALONE,) if by_name else ())):
        if match := pattern.match(line):
            return match["name"].strip(" -—[]【】()（）"), (match.groupdict().get("text") or "").strip()
    return None


def _said(found: Sequence[tuple[str, list[str]]]) -> Iterator[_Said]:
    for who, lines in found:
        text = _MENTION.sub("", "\n".join(lines)).strip()
        if text:
            yield _Said(who, re.sub(r"\n{2,}", "\n\n", text))
