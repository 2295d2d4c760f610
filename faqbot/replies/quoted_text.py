"""Recognises answers and lists of the bot in the text of a quote, which may lack its markdown or its end. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from rapidfuzz import fuzz

from faqbot.dialogue.choices import NONE_OF_THESE_TEXT
from faqbot.dialogue.clarification import case_name
from faqbot.model.conversation import Option
from faqbot.model.entries import Entry

_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)|[\[【]图片[\]】]")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MENTION = re.compile(r"^\s*(?:[@＠]\S{1,40}\s+)+")
# What other stages add below a reply of any kind.
_FOOTER = re.compile(r"\s*[>＞]?\s*(?:第一次在这个群里说话，介绍一下自己|您问得有点快).*", re.DOTALL)
_NO_WORD = re.compile(r"[\W_]+")
_SAME_AGAIN = re.compile(r"^\s*还是这一条：\s*")
# Several answers in one message: the second begins with ②.
_SEVERAL = re.compile(r"^\s*①.+②", re.DOTALL)
_CASE = re.compile(r"按(?:您刚才说的)?「(?P<value>[^」]{1,30})」回答(?:，不对请告诉我)?：")
# These stand below an answer and are not part of it.
_BELOW = re.compile(r"来源：|负责：|评价：|还想问（|不是的话|待核对")
_POINTER = re.compile(r"(?:同上\s*↑?\s*|您是不是想问)「(?P<question>[^」]+)」")
_NOT_FOUND = re.compile(r"没有找到「(?P<question>[^」]+)」的答案")
# Words that only the bot writes.
_OWN_WORDS = re.compile(
    r"评价：(?:发|@我|有用)|回复序号|不是的话回复|已经记下来了|已私聊您|要看情况：|我能回答这些方面|(?:单号|草稿)\s*\d|我是小助手|有问题随时找我"
)
_NEXT_LINE = r"\s+\d{1,2}[.．、]\s*\S"
_BELOW_LINES = r"\s*[>＞]?\s*(?:点一下|回复序号|来源：|负责：|评价：|还有 \d)"
_LINE = re.compile(
    rf"(?:^|\s)(?P<number>\d{{1,2}})[.．、]\s*(?P<label>\S.*?)(?={_NEXT_LINE}|{_BELOW_LINES}|\s*$)", re.DOTALL
)
_CIRCLED = re.compile("[①-⑳]")
_TOPIC_COUNT = re.compile(r"（\d+ 条）.*$", re.S)
# Letters and digits. Fewer may occur in any text.
_MIN_CHARS = 12
_MIN_NAME_CHARS = 4
_MIN_LIKENESS = 60.0


class Match(IntEnum):
    """The certainty with which a quoted text is an answer with an entry, the least sure first."""

    NONE = 0
    SIMILAR = 1  # much of the answer, which may have been changed since
    NAMED = 2  # its question stands above it, or is pointed to
    SAME = 3  # the answer itself, as far as it was quoted


@dataclass(frozen=True, slots=True)
class AnswerMatch:
    """A match, how like the texts are (0 to 100), and the fact by which the case of the answer was chosen, if any."""

    match: Match = Match.NONE
    likeness: float = 0.0
    slot_value: str = ""


class QuotedText:
    """A quoted text, prepared to be compared with many entries; `from_bot` if it is known to be the bot's."""

    def __init__(self, text: str, *, from_bot: bool = False) -> None:
        self._from_bot = from_bot
        self._text = _plain(text)
        case = _CASE.search(self._text)
        self._slot_value = case["value"] if case else ""
        without_case = _SAME_AGAIN.sub("", _CASE.sub("", self._text))
        self._whole = _core(without_case)
        self._body = _core(_BELOW.split(without_case)[0])
        pointer = _POINTER.search(self._text)
        self._pointed_at = _core(pointer["question"]) if pointer else ""

    @property
    def is_readable(self) -> bool:
        return bool(self._whole)

    @property
    def is_own(self) -> bool:
        """True if the bot wrote it, or only the bot writes so."""
        return bool(self._from_bot or self._pointed_at or self._slot_value or _OWN_WORDS.search(self._text))

    @property
    def holds_several_answers(self) -> bool:
        return _SEVERAL.search(self._text) is not None

    @property
    def question(self) -> str:
        """The question that a person asked in it, or that the bot did not find; empty for other texts of the bot."""
        if not_found := _NOT_FOUND.search(self._text):
            return not_found["question"]
        return self._text.strip() if self.is_readable and not self.is_own else ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the numbered list in it; none unless they are numbered from 1 on."""
        text = _CIRCLED.sub(lambda match: f" {ord(match[0]) - ord('①') + 1}. ", self._text)
        found = list(_LINE.finditer(text))
        first = next((n for n in range(len(found) - 1, -1, -1) if found[n]["number"] == "1"), None)
        if first is None:
            return ()
        labels = [match["label"].strip() for match in found[first:]]
        in_order = all(int(match["number"]) == n for n, match in enumerate(found[first:], 1))
        return tuple(labels) if in_order else ()

    def is_question(self, question: str) -> bool:
        """Return True if the quoted text is this question, or the reply that it was not found."""
        own = _core(self.question)
        return bool(own) and own == _core(question)

    def match(self, entry: Entry) -> AnswerMatch:
        """Compare with the answers of an entry, as they are now."""
        question = _core(entry.question)
        answers = [_core(text) for text in (entry.variants.values() if entry.ask else (entry.answer,))]
        if any(self._holds(answer, question) for answer in answers):
            return AnswerMatch(Match.SAME, 100.0, self._slot_value)
        begins = len(question) >= _MIN_NAME_CHARS and self._whole.startswith(question)
        body = self._body.removeprefix(question)
        likeness = max((_likeness(body, answer) for answer in answers), default=0.0)
        if begins or (question and self._pointed_at == question):
            return AnswerMatch(Match.NAMED, likeness, self._slot_value)
        return AnswerMatch(Match.SIMILAR, likeness, self._slot_value) if likeness >= _MIN_LIKENESS else AnswerMatch()

    def _holds(self, answer: str, question: str) -> bool:
        """Return True if the answer stands in the quoted text, or as much of its beginning as was quoted."""
        if len(answer) < _MIN_CHARS:
            return bool(answer) and self._body in (answer, question + answer)
        if len(self._body) >= _MIN_CHARS and answer.startswith(self._body):
            return True
        at = self._whole.find(answer[:_MIN_CHARS])
        quoted = self._whole[at:]
        return at >= 0 and (quoted.startswith(answer) or answer.startswith(quoted))

    def asked_back(self, entries: Iterable[Entry]) -> Entry | None:
        """Find the entry whose question back this is."""
        for entry in entries:
            question = _core(entry.question)
            if entry.ask and self._whole.startswith(question) and _core(entry.ask.question) in self._whole:
                return entry
        return None


def options_of(lines: Sequence[str], entries: Sequence[Entry], asked_back: Entry | None) -> tuple[Option, ...]:
    """Return the options behind the lines of a list; none unless each line is known."""
    by_question = {_core(entry.question): Option("entry", entry.id) for entry in entries}
    known = {_core(entry.topic): Option("topic", entry.topic) for entry in entries if entry.topic}
    known |= by_question | {_core(NONE_OF_THESE_TEXT): Option("none", "")}
    if asked_back is not None:
        known |= {_core(case_name(case)): Option.of_case(asked_back.id, case) for case in asked_back.cases}
    options = [known.get(_core(_TOPIC_COUNT.sub("", line))) for line in lines]
    return tuple(option for option in options if option) if all(options) else ()


def are_lines_of(lines: Sequence[str], names: Sequence[str]) -> bool:
    """Return True if the quoted lines are those of a list with these names; the last ones may be missing."""
    # A remark in brackets may follow the name of a topic or a team.
    forms = [{_core(line), _core(line.partition("（")[0])} for line in lines]
    return 0 < len(forms) <= len(names) and all(_core(name) in form for form, name in zip(forms, names, strict=False))


def _likeness(body: str, answer: str) -> float:
    if min(len(body), len(answer)) < _MIN_CHARS:
        return 0.0
    return max(fuzz.ratio(body, answer), fuzz.ratio(body, answer[: len(body)]))


def _plain(text: str) -> str:
    """Drop links, pictures, the mention of the asker or the bot, and what is added to a reply; keep the lines."""
    return _FOOTER.sub("", _MENTION.sub("", _LINK.sub(r"\1", _PICTURE.sub("", text))).replace("*", ""))


def _core(text: str) -> str:
    """Keep letters and digits only: what is left whatever a client does to markdown."""
    return _NO_WORD.sub("", unicodedata.normalize("NFKC", _plain(text)).casefold())
