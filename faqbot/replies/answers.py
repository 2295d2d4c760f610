"""Renders answers in DingTalk's markdown: text, source, related questions, clarifying questions. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.dialogue.choices import NONE_OF_THESE_TEXT
from faqbot.dialogue.clarification import case_name
from faqbot.dialogue.likely_answer import REFUSAL_TEXT
from faqbot.markup.blocks import (
    grey,
    label,
    line_breaks,
    numbered,
    one_line,
    tappable,
    typed,
    typed_or_tapped,
)
from faqbot.markup.escaping import escape_markdown
from faqbot.model.decisions import Answered, AskedBack, Likely, MultiAnswer, Offered, Part
from faqbot.model.entries import Entry
from faqbot.model.messages import Message
from faqbot.replies.differences import list_remark

_CIRCLED_ONE = ord("①")


def render_answer(decision: Answered, message: Message) -> tuple[str, str]:
    """Write title and body of an answer that everybody who reads the conversation may see."""
    entry = decision.entry
    if decision.answered_minutes_ago is not None:
        return entry.question, _pointer(entry, decision.answered_minutes_ago)
    is_named = decision.picked or decision.is_follow_up or decision.repeated
    name = f"**{label(entry.question)}**" if is_named else ""
    if decision.excerpt:
        name = f"还是这一条：{name}"
    heading = " ".join(filter(None, (name, _case_reason(decision))))
    text = line_breaks(decision.excerpt) if decision.excerpt else _text(entry, decision.case)
    return entry.question, "\n\n".join(filter(None, (heading, text, _related(decision.related, message))))


def render_likely(decision: Likely, message: Message) -> tuple[str, str]:
    """Write title and body of a likely answer: the guess as a question, the answer, and the word that refuses it."""
    entry, minutes = decision.entry, decision.answered_minutes_ago
    guess = f"您是不是想问「{label(entry.question)}」{'' if entry.question.rstrip().endswith(('?', '？')) else '？'}"
    refusal = f"不是的话回复{typed_or_tapped(REFUSAL_TEXT, message)}"
    if minutes is not None:
        return guess, f"{guess} 同上 ↑ {_ago(minutes)}答过\n\n{refusal}"
    return guess, f"**{guess}**\n\n{_text(entry, case='')}\n\n{refusal}"


def sources(decision: Answered | Likely) -> list[str]:
    """Write how far to trust an answer, where it comes from and who owns it, for the grey line below it."""
    entry, review = decision.entry, decision.entry.review
    notes = []
    if decision.overdue and review is not None:
        notes.append(f"**待核对**：原定 {review.year} 年 {review.month} 月 {review.day} 日前复核")
    if source := one_line(entry.source):
        notes.append(f"来源：{source}")
    if owner := one_line(entry.owner):
        notes.append(f"负责：{owner}")
    return notes


def _pointer(entry: Entry, minutes: int) -> str:
    """Point to the same answer further up in the group; an asker who asks again gets the whole answer."""
    return f"同上 ↑ 「{label(entry.question)}」{_ago(minutes)}答过"


def _ago(minutes: int) -> str:
    return f"{minutes} 分钟前" if minutes else "刚刚"


def render_question_back(decision: AskedBack, message: Message) -> tuple[str, str]:
    """Write title and body of the question that an entry asks back, with its cases to tap or to pick by number."""
    entry, question = decision.entry, label(decision.ask.question)
    cases = [case_name(case) for case in entry.cases]
    intro = f"**{label(entry.question)}**\n\n要看情况：{question}"
    if decision.unclear:
        not_found = f"没有找到「{escape_markdown(message.text)}」的答案，已经记下来了。"
        intro = f"{not_found}如果是在回答「{question}」，请选一个："
    return entry.question, numbered(intro, cases, message)


def _case_reason(decision: Answered) -> str:
    """Name the fact by which the case was chosen, so that the asker can correct it."""
    if not decision.slot_value:
        return ""
    value = escape_markdown(decision.slot_value)
    return f"按您刚才说的「{value}」回答，不对请告诉我：" if decision.slot_reused else f"按「{value}」回答："


def render_answers(decision: MultiAnswer, message: Message) -> tuple[str, str]:
    """Write title and body of the answers to several questions, and say which of them was not found."""
    listed = next((p for p in decision.missed if isinstance(p.decision, Offered)), None)
    texts = [f"**{chr(_CIRCLED_ONE + n)} {_part(p, message, listed is p)}" for n, p in enumerate(decision.parts)]
    more = grey(f"一次最多说 {len(texts)} 个，还有 {decision.left_out} 个请再回复序号。") if decision.left_out else ""
    return decision.answered[0].entry.question, "\n\n".join(texts) + more


def _part(part: Part, message: Message, with_list: bool) -> str:
    """Write one of several answers; its heading closes the bold text that the caller opened."""
    if isinstance(part.decision, Answered):
        entry, case = part.decision.entry, part.decision.case
        name = f"{entry.question}（{case_name(case)}）" if case and part.decision.picked else entry.question
        # A case of a list that was picked stands in the name already.
        reason = "" if name != entry.question else _case_reason(part.decision)
        heading = f"{label(name)}** {reason}".rstrip()
        return f"{heading}\n\n{_text(entry, case)}{grey(*sources(part.decision))}"
    if message.is_group and part.decision.private_entry:
        # The group must not see the question.
        return "没有找到**\n\n涉及个人的事，请点我的头像，私聊再问一次。"
    question = escape_markdown(part.text)
    if isinstance(part.decision, Offered) and with_list:
        offered = [*(c.entry.question for c in part.decision.candidates), NONE_OF_THESE_TEXT]
        remark = list_remark(part.decision.candidates)
        return numbered(f"{question}**\n\n这一个没有把握，{remark}您是想问：", offered, message)
    return f"{question}**\n\n这一个没有找到答案，已经记下来了。可以换个说法单独再问一次。"


def _text(entry: Entry, case: str) -> str:
    """Write HR's words for a case, or for all cases if it is empty or was removed."""
    if not entry.ask:
        return line_breaks(entry.answer)
    if case in entry.variants:
        return line_breaks(entry.variants[case])
    cases = (f"**{label(case_name(word))}**\n\n{line_breaks(text)}" for word, text in entry.variants.items())
    return "\n\n".join((f"看{label(entry.ask.question.rstrip('？?'))}：", *cases))


def _related(related: Sequence[Entry], message: Message) -> str:
    """List the questions that may be asked next, to tap or to pick by number; in a group in one line."""
    if not related:
        return ""
    if message.is_group:
        questions = (f"{chr(_CIRCLED_ONE + n)} {tappable(e.question, message)}" for n, e in enumerate(related))
        return f"还想问（如{typed('1', message)}）：{' '.join(questions)}"
    lines = "\n".join(f"{n}. {tappable(e.question, message)}" for n, e in enumerate(related, 1))
    return f"还想问（回复序号）：\n\n{lines}"
