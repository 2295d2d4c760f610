"""Makes proposed entries from questions with text below each: 问：/答：, Q:/A:, or headings that ask. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from faqbot.knowledge.pasted.proposal import ParsedText, ProposedEntry, ends_with_question_mark, looks_like_question

_NUMBER = r"(?:\d{1,3}|[一二三四五六七八九十]{1,3})"
_LIST_MARK = r"(?:[-•●◆▪*·]\s+|#{1,6}\s+|\d{1,3}\s*[.、．)）]\s*)?"
_BOLD = r"(?:\*\*|__)?"
_ASKED = re.compile(
    rf"^\s*{_LIST_MARK}{_BOLD}(?:[【\[](?:问题?|提问|Q)\s*{_NUMBER}?[】\]]\s*[:：]?|"
    rf"(?:问题?|提问|标准问题?|Q(?:uestion)?)\s*{_NUMBER}?\s*[:：]|(?:问题|Q)\s*{_NUMBER}\s*[.、．)）]){_BOLD}\s*(?P<text>.*)$",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    rf"^\s*{_LIST_MARK}{_BOLD}(?:[【\[](?:答案?|回答|答复|A)\s*{_NUMBER}?[】\]]\s*[:：]?|"
    rf"(?:答案?|回答|答复|回复|解答|标准答案|参考答案|A(?:nswer)?)\s*{_NUMBER}?\s*[:：]|A\s*{_NUMBER}\s*[.、．)）]){_BOLD}\s*(?P<text>.*)$",
    re.IGNORECASE,
)
_ALSO = re.compile(r"^\s*(?:也问|相似问法?|其他问法|同义问法?|又问|类似问题)\s*[:：]\s*(?P<text>.+)$")
_ANSWER_ON_THE_LINE = re.compile(r"^(?P<question>.*?\S)\s+(?:答案?|A)\s*[:：]\s*(?P<answer>\S.*)$", re.IGNORECASE)
_NUMBERING = re.compile(
    r"^\s*(?:#{1,6}\s+|第\s*[一二三四五六七八九十百\d]{1,4}\s*[条问题]\s*[、.．:：]?|[一二三四五六七八九十]{1,3}\s*[、.．]|"
    r"[（(]\s*(?:[一二三四五六七八九十]{1,3}|\d{1,3})\s*[)）]|\d{1,2}(?:\.\d{1,2})+[.、．]?\s+|\d{1,3}\s*[.、．)）]|[①-⑳]|[-•●◆▪*·]\s+)\s*"
)
_COUNTED = re.compile(r"^\s*(?P<n>\d{1,3})\s*(?P<sign>[.、．)）])")
_SECTION = re.compile(
    r"^\s*(?:第\s*[一二三四五六七八九十\d]{1,3}\s*[章节部分篇]|[一二三四五六七八九十]{1,3}\s*[、.．]|#{1,6}\s)"
)
_INLINE = re.compile(r"^(?P<question>[^?？。]{3,60}[?？])\s*(?P<answer>[^?？]{2,})$")
_BOLD_MARKS = ("**", "__")
_MAX_HEADING_LENGTH = 30
_MAX_SECTION_LENGTH = 20


@dataclass(slots=True)
class _OpenQuestion:
    """A question that is being read, and the text below it."""

    questions: list[str]
    lines: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    answering: bool = False

    @property
    def has_answer(self) -> bool:
        return any(line.strip() for line in self.lines)

    def proposed(self) -> ProposedEntry:
        question, *also = self.questions
        return ProposedEntry(question, "\n".join(self.lines), tuple(also), tuple(self.doubts))


def is_marked(text: str) -> bool:
    """Return True if questions and answers are marked as such: 问：, Q:, 答：, A:."""
    lines = text.split("\n")
    questions, answers = (sum(bool(mark.match(line)) for line in lines) for mark in (_ASKED, _ANSWERED))
    inline = sum(bool((m := _ASKED.match(line)) and _ANSWER_ON_THE_LINE.match(m["text"])) for line in lines)
    return questions > 0 and (answers + inline > 0 or questions > 1)


def read_marked(text: str) -> ParsedText:
    """Begin a question at each mark; a question within an answer is part of the answer."""
    collector = _QuestionCollector()
    for line in text.split("\n"):
        if match := _ASKED.match(line):
            collector.ask(match["text"])
        elif (match := _ANSWERED.match(line)) and collector.open:
            collector.open.answering = True
            collector.say(_plain(match["text"]))
        elif collector.open and not collector.open.questions[-1] and line.strip():
            collector.open.questions[-1] = _plain(line)
        elif (
            collector.open
            and not collector.open.has_answer
            and not collector.open.answering
            and ends_with_question_mark(line)
        ):
            collector.open.questions.append(_plain(line))
        else:
            collector.other(line)
    return collector.done()


def read_headings(text: str) -> ParsedText:
    """Begin a question at each line that ends with a question mark; without any, at short lines that ask without it."""
    lines = text.split("\n")
    question_lines = [n for n, line in enumerate(lines) if ends_with_question_mark(_plain(line))]
    inline = {n for n, line in enumerate(lines) if _asks_and_answers(lines, n)}
    numbered = {n for n in question_lines if _NUMBERING.match(lines[n])}
    # Between headings with question marks, 3、年假怎么休 only lacks its own.
    alike = {n for n, line in enumerate(lines) if numbered and _is_weak(line) and _NUMBERING.match(line)}
    starts = {*question_lines, *alike, *inline, *_missing_between(lines, sorted({*numbered, *alike}))}
    starts = starts or {n for n, line in enumerate(lines) if _is_weak(line) and _stands_alone(lines, n)}
    collector = _QuestionCollector()
    for n, line in enumerate(lines):
        if match := _ANSWERED.match(line):
            if collector.open is None or collector.open.answering:
                before = next((m for m in range(n - 1, -1, -1) if lines[m].strip()), None)
                if before is not None and collector.take_back(lines[before]):
                    collector.ask(lines[before])
            if collector.open:
                collector.open.answering = True
                collector.say(_plain(match["text"]))
            else:
                collector.other(line)
        elif n in inline and (match := _INLINE.match(_plain(line))):
            collector.ask(match["question"])
            collector.say(match["answer"])
        elif n in starts:
            collector.ask_or_add(_plain(line), closely=n > 0 and bool(lines[n - 1].strip()))
        else:
            collector.other(line)
    return collector.done()


@dataclass(slots=True)
class _QuestionCollector:
    """Collects questions with the text below them."""

    open: _OpenQuestion | None = None
    finished: list[_OpenQuestion] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def ask(self, text: str) -> None:
        self.close()
        text = _plain(text)
        if (match := _ANSWER_ON_THE_LINE.match(text)) or (match := _INLINE.match(text)):
            self.open = _OpenQuestion([match["question"]], [match["answer"]])
        else:
            self.open = _OpenQuestion([text])

    def ask_or_add(self, text: str, *, closely: bool) -> None:
        """Begin a question, or add it as a wording to one right above that has no answer yet."""
        if self.open and not self.open.has_answer and closely and not self.open.answering:
            self.open.questions.append(text)
            self.open.doubts = ["连着的几个问题当成了同一个问题的几种问法"]
        else:
            self.ask(text)

    def say(self, text: str) -> None:
        if self.open and text:
            self.open.lines.append(text)

    def other(self, line: str) -> None:
        if (match := _ALSO.match(line)) and self.open:
            self.open.questions += [q.strip() for q in re.split(r"[；;、|/]", match["text"]) if q.strip()]
            return
        if self.open and _is_section(line):
            self.close()
        if self.open:
            self.open.lines.append(line)
        elif line.strip():
            self.unread.append(line.strip())

    def take_back(self, line: str) -> bool:
        """Remove `line`, which turned out to be a question, if it was the last one added; return False if not."""
        lines = self.open.lines if self.open else self.unread
        while lines and not lines[-1].strip():
            lines.pop()
        if lines and lines[-1].strip() == line.strip():
            lines.pop()
            return True
        return False

    def close(self) -> None:
        if self.open and any(self.open.questions):
            self.finished.append(self.open)
        elif self.open:
            self.unread += [line.strip() for line in self.open.lines if line.strip()]
        self.open = None

    def done(self) -> ParsedText:
        self.close()
        again = {text for q in self.finished if q.has_answer for text in q.questions}
        # A table of contents on top: questions without an answer that all come again below.
        questions = [q for q in self.finished if q.has_answer or not again.issuperset(q.questions)]
        return ParsedText(tuple(q.proposed() for q in questions), tuple(self.unread))


def _plain(line: str) -> str:
    """Return a line without its number, its bullet and its marks for bold."""
    text = _NUMBERING.sub("", line, count=1).strip()
    for mark in _BOLD_MARKS:
        if text.startswith(mark) and text.endswith(mark) and len(text) > 2 * len(mark):
            text = text[len(mark) : -len(mark)].strip()
        elif text.endswith(mark) and text.count(mark) == 1:
            # The opening mark was removed together with the prefix: **Q：年假有几天？**
            text = text.removesuffix(mark).strip()
    return _NUMBERING.sub("", text, count=1).strip() if text != line.strip() else text


def _missing_between(lines: Sequence[str], headings: Sequence[int]) -> Iterator[int]:
    """Find headings that ask nothing: between 2、…？ and 4、…？ the only line that begins with 3、."""
    for above, below in pairwise(headings):
        first, last = _COUNTED.match(lines[above]), _COUNTED.match(lines[below])
        if not (first and last and first["sign"] == last["sign"] and int(last["n"]) == int(first["n"]) + 2):
            continue
        next_number = (first["sign"], str(int(first["n"]) + 1))
        between = [
            n for n in range(above + 1, below) if (m := _COUNTED.match(lines[n])) and (m["sign"], m["n"]) == next_number
        ]
        if len(between) == 1 and len(lines[between[0]]) <= _MAX_HEADING_LENGTH:
            yield between[0]


def _is_weak(line: str) -> bool:
    text = _plain(line)
    return 3 < len(text) <= _MAX_HEADING_LENGTH and looks_like_question(text) and not ends_with_question_mark(text)


def _stands_alone(lines: Sequence[str], n: int) -> bool:
    """Return True if a line begins a paragraph and has more text below it."""
    above = n == 0 or not lines[n - 1].strip() or bool(_NUMBERING.match(lines[n]))
    return above and n + 1 < len(lines) and any(line.strip() for line in lines[n + 1 : n + 3])


def _asks_and_answers(lines: Sequence[str], n: int) -> bool:
    """Recognise `年假有几天？5 天。` at the start of a paragraph or after a number."""
    begins = n == 0 or not lines[n - 1].strip() or bool(_NUMBERING.match(lines[n]))
    return begins and _INLINE.match(_plain(lines[n])) is not None


def _is_section(line: str) -> bool:
    text = line.strip()
    return bool(_SECTION.match(text)) and len(text) <= _MAX_SECTION_LENGTH and not re.search(r"[。；;，,：:]", text)
