"""Makes proposed entries from any pasted text and notes the doubts about each. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from faqbot.knowledge.pasted.chat import is_chat, read_chat
from faqbot.knowledge.pasted.proposal import MAX_QUESTION_LENGTH, ParsedText, ProposedEntry, looks_like_question
from faqbot.knowledge.pasted.prose import is_marked, read_headings, read_marked
from faqbot.knowledge.pasted.table import bars_to_tabs, is_table, read_table
from faqbot.language.masking import mask_numbers
from faqbot.language.normalize import normalise
from faqbot.markup.chunking import MARKDOWN_BYTES

# Line ends and blanks as word processors write them, and invisible characters.
_PLAIN = str.maketrans({"\x0b": "\n", "\x0c": "\n", "\u2028": "\n", "\u2029": "\n", "\u00a0": " ", "\u3000": " "})
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\ufffc\x00-\x08\x0e-\x1f\x7f]")
_PAGE_NUMBER = re.compile(r"^\s*(?:[-—–]\s*\d{1,4}\s*[-—–]|第\s*\d{1,4}\s*页(?:\s*[,，/]?\s*共\s*\d{1,4}\s*页)?)\s*$")
_BULLET = re.compile(r"^(\s*)[•●◆▪■□➢·]\s*")
# Runs of blanks are shortened, as some patterns take long over very long ones.
_MAX_BLANKS = 24
_LONG_RUN = re.compile(rf" {{{_MAX_BLANKS},}}|\t{{{_MAX_BLANKS},}}")
_RELATIVE_TIME = re.compile(r"今天|明天|后天|昨天|本周|这周|下周|上周|这个月|下个月|上个月|刚才|刚刚")
_MISSING_CONTENT = re.compile(r"[如见]下?图|截图|附件|点击(?:这里|此处|链接)|上表|下表|如上所述|\[图片\]|【图片】")


@dataclass(frozen=True, slots=True)
class Pasted:
    """The proposals made of a text, how it was read (in Chinese), and the lines that were not used."""

    kind: str
    proposals: tuple[ProposedEntry, ...] = ()
    unread: tuple[str, ...] = ()


def read_pasted(text: str) -> Pasted:
    """Propose entries for a pasted text. Nothing is invented; doubts are noted in the proposals."""
    tidy = bars_to_tabs(_tidy(text))
    kind, parse = _format_of(tidy)
    parsed = parse(tidy)
    proposals: dict[tuple[str, str], ProposedEntry] = {}
    for proposal in map(_tidied, parsed.proposals):
        if proposal.question or proposal.answer:
            proposals.setdefault((normalise(proposal.question), proposal.answer), proposal)
    checked = _with_doubts(list(proposals.values()))
    return Pasted(kind if checked else "", tuple(checked), parsed.unread)


def _format_of(text: str) -> tuple[str, Callable[[str], ParsedText]]:
    if is_table(text):
        return "表格", read_table
    if is_marked(text):
        return "一问一答", read_marked
    if is_chat(text):
        return "聊天记录", read_chat
    return "问题和下面的文字", read_headings


def _tidy(text: str) -> str:
    text = _INVISIBLE.sub("", re.sub("\r\n?", "\n", text).translate(_PLAIN))
    text = _LONG_RUN.sub(lambda blank: blank[0][:_MAX_BLANKS], text)
    lines = [line.rstrip(" ") for line in text.split("\n") if not _PAGE_NUMBER.match(line)]
    return "\n".join(_BULLET.sub(r"\1- ", line) for line in lines).strip("\n")


def _tidied(proposal: ProposedEntry) -> ProposedEntry:
    """Put the question and its wordings on one line each, and remove the common indentation of the answer."""
    question = _line(proposal.question)
    also = tuple(dict.fromkeys(w for w in map(_line, proposal.also) if w and w != question))
    return replace(proposal, question=question, also=also, answer=_answer(proposal.answer))


def _line(text: str) -> str:
    return " ".join(text.strip(" \t*_").split())


def _answer(text: str) -> str:
    lines = text.strip("\n").split("\n")
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
    common = min(indents, default=0)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line[common:].rstrip() for line in lines)).strip()


def _with_doubts(proposals: Sequence[ProposedEntry]) -> list[ProposedEntry]:
    first: dict[str, int] = {}
    result: list[ProposedEntry] = []
    for number, proposal in enumerate(proposals, 1):
        doubts = [*_doubts(proposal), *proposal.doubts]
        words = normalise(proposal.question)
        if words and words in first:
            doubts.insert(0, f"和第 {first[words]} 条是同一个问题，答案却不一样")
        first.setdefault(words, number)
        result.append(replace(proposal, doubts=tuple(doubts)))
    return result


def _doubts(proposal: ProposedEntry) -> list[str]:
    """Return the points that a person should check in a proposal, whatever the text was copied from."""
    question, answer = proposal.question, proposal.answer
    doubts = [] if answer else ["没有找到答案"]
    if not question:
        doubts.append("没有找到问题")
    elif not looks_like_question(question):
        doubts.append("看不出是在问什么，请改成员工会打的一句话")
    elif len(question) > MAX_QUESTION_LENGTH:
        doubts.append("问题太长，请缩短成一句话")
    if mask_numbers(answer) != answer:
        doubts.append("答案里有手机号、证件号或卡号，请确认可以给所有人看")
    if relative := _RELATIVE_TIME.search(answer):
        doubts.append(f"答案里有“{relative[0]}”，过后就不对了，请写成日期")
    if missing := _MISSING_CONTENT.search(answer):
        doubts.append(f"答案里提到“{missing[0]}”，粘贴时没有带过来")
    if len(answer.encode()) > MARKDOWN_BYTES:
        doubts.append("答案太长，一条钉钉消息装不下")
    return doubts
