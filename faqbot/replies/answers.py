"""An answer in DingTalk's markdown: HR's words, where they come from, what to ask next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.access.privacy import private_entry
from faqbot.dialogue.choices import NONE_OF_THESE
from faqbot.dialogue.clarification import case_name, cases_of
from faqbot.markup.blocks import grey, label, line_breaks, numbered, one_line, tap, typed
from faqbot.markup.escaping import neutralise
from faqbot.model.decisions import Answered, AskedBack, MultiAnswer, Offered, Part
from faqbot.model.entries import Entry
from faqbot.model.messages import Message

_CIRCLED_ONE = ord("①")


def answer(decision: Answered, message: Message) -> tuple[str, str]:
    """Title and text of an answer that may be said to everybody who reads the conversation."""
    entry = decision.entry
    if decision.above is not None:
        return entry.question, _above(entry, decision.above)
    named = f"**{label(entry.question)}**" if decision.picked or decision.followed else ""
    heading = " ".join(filter(None, (named, _chosen_by(decision))))
    text = _text(entry, decision.case)
    return entry.question, "\n\n".join(filter(None, (heading, text, _next(decision.related, message))))


def notes(decision: Answered) -> list[str]:
    """How far to trust an answer, where it comes from and who keeps it: what stands in the grey line behind it."""
    entry, review = decision.entry, decision.entry.review
    overdue = decision.overdue and review is not None
    found = [f"**待核对**：原定 {review.year} 年 {review.month} 月 {review.day} 日前复核"] if overdue and review else []
    found += [f"来源：{source}"] if (source := one_line(entry.source)) else []
    return found + ([f"负责：{owner}"] if (owner := one_line(entry.owner)) else [])


def _above(entry: Entry, minutes: int) -> str:
    """Where the group was told the same; whoever asks again gets the whole answer."""
    ago = f"{minutes} 分钟前" if minutes else "刚刚"
    return f"同上 ↑ 「{label(entry.question)}」{ago}答过"


def asked_back(decision: AskedBack, message: Message) -> tuple[str, str]:
    """Title and text of the question an entry puts back, with its cases to tap or to pick by number."""
    names = [case_name(case) for case in cases_of(decision.entry)]
    asked = f"**{label(decision.entry.question)}**\n\n要看情况：{label(decision.ask.question)}"
    if decision.unclear:
        said = f"没有找到「{neutralise(message.text)}」的答案，已经记下来了。"
        asked = f"{said}如果是在回答「{label(decision.ask.question)}」，请选一个："
    return decision.entry.question, numbered(asked, names, message)


def _chosen_by(decision: Answered) -> str:
    """What was taken for granted when the case was chosen."""
    if not decision.said:
        return ""
    said = neutralise(decision.said)
    return f"按您刚才说的「{said}」回答，不对请告诉我：" if decision.assumed else f"按「{said}」回答："


def several(decision: MultiAnswer, message: Message) -> tuple[str, str]:
    """Title and text of the answers to several questions, and which of them was not found."""
    listed = next((p for p in decision.missed if isinstance(p.decision, Offered)), None)
    texts = [f"**{chr(_CIRCLED_ONE + n)} {_part(p, message, listed is p)}" for n, p in enumerate(decision.parts)]
    return decision.answered[0].entry.question, "\n\n".join(texts)


def _part(part: Part, message: Message, with_list: bool) -> str:
    if isinstance(part.decision, Answered):
        entry = part.decision.entry
        return f"{label(entry.question)}**\n\n{_text(entry, part.decision.case)}{grey(*notes(part.decision))}"
    if message.is_group and private_entry(part.decision):
        # The group does not learn the question.
        return "没有找到**\n\n涉及个人的事，请点我的头像，私聊再问一次。"
    asked = neutralise(part.text)
    if isinstance(part.decision, Offered) and with_list:
        questions = [*(c.entry.question for c in part.decision.candidates), NONE_OF_THESE]
        return numbered(f"{asked}**\n\n这一个没有把握，您是想问：", questions, message)
    return f"{asked}**\n\n这一个没有找到答案，已经记下来了。可以换个说法单独再问一次。"


def _text(entry: Entry, case: str) -> str:
    if not entry.ask:
        return line_breaks(entry.answer)
    if case in entry.variants:
        return line_breaks(entry.variants[case])
    cases = (f"**{label(case_name(word))}**\n\n{line_breaks(text)}" for word, text in entry.variants.items())
    return "\n\n".join((f"看{label(entry.ask.question.rstrip('？?'))}：", *cases))


def _next(related: Sequence[Entry], message: Message) -> str:
    """What one may want to ask next, to tap or to pick by number."""
    if not related:
        return ""
    lines = "\n".join(f"{n}. [{label(e.question)}]({tap(e.question)})" for n, e in enumerate(related, 1))
    example = f"，如{typed('1', message)}" if message.is_group else ""
    return f"还想问（回复序号{example}）：\n\n{lines}"
