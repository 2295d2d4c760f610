"""Makes proposed entries from a pasted chat, with names and times between the messages. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faqbot.knowledge.pasted.proposal import ParsedText, ProposedEntry, ends_with_question_mark, looks_like_question

_WEEKDAY = r"(?:星期|周)[一二三四五六日天]"
_DAY = rf"(?:\d{{4}}[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}日?|\d{{1,2}}[-/.月]\d{{1,2}}日?|今天|昨天|前天|{_WEEKDAY})"
_CLOCK = r"(?:(?:凌晨|早上|上午|中午|下午|晚上)\s*)?\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?:\s*[AP]M)?"
_TIME = rf"[\[【(（]?\s*(?:{_DAY}\s*)?{_CLOCK}\s*[\]】)）]?"
_NAME = r"(?P<name>[^\s:：?？。，,][^:：?？。，,\t]{0,24}?)"
# Name and time, in either order, on a line of their own or in front of the message.
_HEADINGS = (
    re.compile(rf"^\s*{_NAME}\s*{_TIME}\s*[:：]?\s*$", re.IGNORECASE),
    re.compile(rf"^\s*{_TIME}\s+{_NAME}\s*[:：]?\s*$", re.IGNORECASE),
    re.compile(rf"^\s*{_TIME}\s*{_NAME}\s*[:：]\s*(?P<text>\S.*)$", re.IGNORECASE),
    re.compile(rf"^\s*{_NAME}\s*{_TIME}\s*[:：]\s*(?P<text>\S.*)$", re.IGNORECASE),
)
_NAME_ALONE = re.compile(r"^(?P<name>[^\s:：?？。，,]{2,12})[:：]\s*$")
_ONLY_TIME = re.compile(rf"^\s*(?:[-—–]+\s*)?(?:{_DAY}\s*)?{_CLOCK}(?:\s*[-—–]+)?\s*$|^\s*[-—–]+\s*{_DAY}.*$")
_MENTION = re.compile(r"[@＠][^\s@＠]{1,20}[\s\u2005\u00a0]+|^[@＠][^\s@＠]{1,20}$")
_SMALL_TALK = re.compile(
    r"^(?:好的?|收到|明白了?|了解了?|谢谢.{0,6}|多谢|感谢|辛苦了|嗯+|哦+|ok|okay|okk|不客气|没事|\+1|\[.{1,6}\]|【?图片】?|[👌👍🙏]+)"
    r"[！!。.~～]*$",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?:(?:你好|您好|大家好|各位好?|hi|hello|在吗|请问|请教(?:一下)?|问一下|想问(?:一下)?)[，,。！!、\s]*)+", re.I
)


@dataclass(frozen=True, slots=True)
class _ChatMessage:
    sender: str
    text: str


def is_chat(text: str) -> bool:
    """Return True if the text holds messages of at least two people."""
    return len({message.sender for message in _messages(text)[0]}) > 1


def read_chat(text: str) -> ParsedText:
    """Pair each question with the next message of another person; leave out small talk such as thanks."""
    messages, unread = _messages(text)
    messages = [message for message in messages if not _SMALL_TALK.match(message.text)]
    proposals: list[ProposedEntry] = []
    position = 0
    while position < len(messages):
        message = messages[position]
        question = _GREETING.sub("", message.text).strip()
        if not looks_like_question(question.split("\n")[-1]) and not any(
            map(ends_with_question_mark, question.split("\n"))
        ):
            unread.append(f"{message.sender}：{message.text}")
            position += 1
            continue
        questions, answers, position = _turn(messages, position)
        proposals.append(_proposed(questions, answers))
    return ParsedText(tuple(proposals), tuple(unread))


def _turn(messages: Sequence[_ChatMessage], position: int) -> tuple[list[_ChatMessage], list[_ChatMessage], int]:
    """Return the messages of the asker in a row, those of the first other person in a row, and the next position."""
    asker = messages[position].sender
    questions: list[_ChatMessage] = []
    while position < len(messages) and messages[position].sender == asker:
        questions.append(messages[position])
        position += 1
    answers: list[_ChatMessage] = []
    while position < len(messages) and messages[position].sender != asker:
        if answers and messages[position].sender != answers[0].sender:
            break
        answers.append(messages[position])
        position += 1
    return questions, answers, position


def _proposed(question_messages: Sequence[_ChatMessage], answers: Sequence[_ChatMessage]) -> ProposedEntry:
    questions = [_GREETING.sub("", line).strip() for message in question_messages for line in message.text.split("\n")]
    asking = [line for line in questions if looks_like_question(line)] or questions
    answer = "\n".join(message.text for message in answers)
    doubts: list[str] = []
    if len(asking) > 1:
        doubts.append("连着问了几句，请看看是不是同一件事")
    if dropped := [line for line in questions if line and line not in asking]:
        doubts.append(f"提问里还有“{'；'.join(dropped)[:60]}”，没有用到")
    if answers and looks_like_question(answer.split("\n")[-1]):
        doubts.append("回答像是在反问，不一定是答案")
    if answer:
        doubts.append("聊天里的话，请改成给所有人看的说法")
    return ProposedEntry(asking[0], answer, tuple(asking[1:]), tuple(doubts))


def _messages(text: str) -> tuple[list[_ChatMessage], list[str]]:
    """Return the messages in order, and the lines above the first of them."""
    blocks: list[tuple[str, list[str]]] = []
    above: list[str] = []
    lines = text.split("\n")
    # A name with a colon alone on its line is a heading only where there are several of them.
    by_name = sum(bool(_NAME_ALONE.match(line)) for line in lines) > 1
    for line in lines:
        if heading := _heading(line, by_name):
            sender, text_of_line = heading
            blocks.append((sender, [text_of_line] if text_of_line else []))
        elif _ONLY_TIME.match(line):
            continue
        elif blocks:
            blocks[-1][1].append(line)
        elif line.strip():
            above.append(line.strip())
    return list(_without_mentions(blocks)), above


def _heading(line: str, by_name: bool) -> tuple[str, str] | None:
    for pattern in (*_HEADINGS, *((_NAME_ALONE,) if by_name else ())):
        if match := pattern.match(line):
            return match["name"].strip(" -—[]【】()（）"), (match.groupdict().get("text") or "").strip()
    return None


def _without_mentions(blocks: Sequence[tuple[str, list[str]]]) -> Iterator[_ChatMessage]:
    for sender, lines in blocks:
        text = _MENTION.sub("", "\n".join(lines)).strip()
        if text:
            yield _ChatMessage(sender, re.sub(r"\n{2,}", "\n\n", text))
