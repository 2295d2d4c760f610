"""An answer in DingTalk's markdown: HR's words, where they come from, what to ask next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.markdown import grey, how, label, line_breaks, one_line, tap
from faqbot.model import Answered, Entry, Message


def answer(decision: Answered, message: Message) -> tuple[str, str]:
    """Title and text of an answer that may be said to everybody who reads the conversation."""
    entry = decision.entry
    heading = f"**{label(entry.question)}**\n\n" if decision.picked else ""
    return (
        entry.question,
        f"{heading}{_text(entry)}{_doubt(decision)}{grey(_origin(entry))}{_next(decision.related, message)}",
    )


def _text(entry: Entry) -> str:
    if not entry.ask:
        return line_breaks(entry.answer)
    cases = (
        f"**{'其他' if word == 'else' else label(word)}**\n\n{line_breaks(text)}"
        for word, text in entry.variants.items()
    )
    return "\n\n".join((f"看{label(entry.ask.question.rstrip('？?'))}：", *cases))


def _doubt(decision: Answered) -> str:
    review = decision.entry.review
    if not decision.overdue or review is None:
        return ""
    return f"\n\n（待核对：原定 {review.year} 年 {review.month} 月 {review.day} 日前复核）"


def _origin(entry: Entry) -> str:
    parts = (("来源", one_line(entry.source)), ("负责", one_line(entry.owner)))
    return " · ".join(f"{name}：{text}" for name, text in parts if text)


def _next(related: Sequence[Entry], message: Message) -> str:
    """What one may want to ask next, to tap or to pick by number."""
    if not related:
        return ""
    lines = "\n".join(f"{n}. [{label(e.question)}]({tap(e.question)})" for n, e in enumerate(related, 1))
    return f"\n\n您可能还想问（回复序号{how(message, '1') or '就行'}）：\n\n{lines}"
